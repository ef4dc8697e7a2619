"""The line between a service that refused and one that failed: only a failure is retried, counted, fallen back from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feature_store.errors import FeatureStoreError


class Outage(Exception):  # noqa: N818  a verdict about an error that travels inside the client, never out of it
    """The service gave no usable answer, though the request may be right.

    Args:
        error: what the caller will see if nothing helps.
        retry: whether another try may help.
        retry_after_s: how many seconds the service asked to be left alone; None where it said nothing.
        counts: whether a circuit breaker takes it for a failure; a service that throttles is not failing.
    """

    def __init__(
        self,
        error: FeatureStoreError,
        *,
        retry: bool = True,
        retry_after_s: float | None = None,
        counts: bool = True,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.retry = retry
        self.retry_after_s = retry_after_s
        self.counts = counts
