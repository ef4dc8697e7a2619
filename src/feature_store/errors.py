"""Every error a caller can meet, in one tree ordered by remedy: what to do next decides the class.

Each class carries a stable `code`, the same word in a problem document, in a metric's label and in a test; `by_code` finds
the class again on the other side of the wire. The message names the value, the rule and the way out.
"""

from __future__ import annotations


class FeatureStoreError(Exception):
    """Something this project can say clearly; the root of all of them."""

    code = "feature_store_error"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


# ---------------------------------------------------------------- change the request
class InvalidRequestError(FeatureStoreError, ValueError):
    """The request breaks a rule that the message states; it was refused before any work."""

    code = "invalid_request"


class FeatureNotFoundError(InvalidRequestError):
    """No indicator or output has this name; the message offers the nearest ones."""

    code = "feature_not_found"


class ConflictError(InvalidRequestError):
    """What is asked for contradicts what is there already; the message says what, and what would not."""

    code = "conflict"


class DataNotFoundError(InvalidRequestError):
    """The request is well formed, but the store holds no bars for it; the message says what it holds."""

    code = "data_not_found"


class UnsupportedFileError(InvalidRequestError):
    """A file cannot be read as bars; the message names the file, the line and what was expected."""

    code = "unsupported_file"


class StoreReadOnlyError(FeatureStoreError):
    """Nothing can be written to this store from here; write where its folder can be written to."""

    code = "store_read_only"


# ---------------------------------------------------------------- change the key
class FeatureStoreAuthError(FeatureStoreError):
    """The API key is missing, unknown or not allowed to do this."""

    code = "not_authorised"


# ---------------------------------------------------------------- try again, or wait
class FeatureStoreConnectionError(FeatureStoreError, ConnectionError):
    """The service could not be reached; is it running, and is the address right?"""

    code = "connection_failed"


class FeatureStoreTimeoutError(FeatureStoreError, TimeoutError):
    """The answer did not come within the time the caller gave."""

    code = "timeout"


class FeatureStoreUnavailableError(FeatureStoreError):
    """The service is failing and calls to it are held back until it has had time to recover (circuit breaker open)."""

    code = "unavailable"


class StoreLockedError(FeatureStoreError):
    """Another process is writing to this folder; the message names it."""

    code = "store_locked"


# ---------------------------------------------------------------- rebuild
class CorruptResponseError(FeatureStoreError):
    """The answer's bytes do not match their digest or their shape; nothing of it was used."""

    code = "corrupt_response"


class CorruptDataError(FeatureStoreError):
    """Stored bytes are damaged; nothing of them was used. The message names the file and how to restore it."""

    code = "corrupt_data"


class SnapshotMismatchError(FeatureStoreError):
    """A saved state does not belong to these definitions, this engine or these bytes; rebuild it from bars."""

    code = "snapshot_mismatch"


# ---------------------------------------------------------------- report
class LeakError(FeatureStoreError):
    """A served value is not what could be computed from what was known; this is a defect, please report it with the message."""

    code = "leak"


def by_code(code: str) -> type[FeatureStoreError]:
    """Return the class with this `code`, or the root for a code of a newer version.

    >>> by_code("data_not_found").__name__
    'DataNotFoundError'
    """
    pending: list[type[FeatureStoreError]] = [FeatureStoreError]
    while pending:
        found = pending.pop()
        if found.code == code:
            return found
        pending.extend(found.__subclasses__())
    return FeatureStoreError
