"""Who has to go when a cache is full: a policy keeps the keys in an order of its own and names the next to leave.

A cache tells its policy of every key that comes, is used and goes, always under its own lock: a policy needs none.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable


class Policy(Protocol):
    """What a cache asks of a policy; every call takes constant time."""

    def added(self, key: Hashable) -> None:
        """Take in a key that was not there."""

    def used(self, key: Hashable) -> None:
        """Note that a key it holds was read or written again."""

    def removed(self, key: Hashable) -> None:
        """Forget a key it holds."""

    def victim(self) -> Hashable:
        """Return the key to let go next, without forgetting it; only called while it holds one."""


class LeastRecentlyUsed:
    """Lets the key go that has not been used for the longest time.

    >>> lru = LeastRecentlyUsed()
    >>> lru.added("a"); lru.added("b"); lru.used("a")
    >>> lru.victim()
    'b'
    """

    used: Callable[[Hashable], None]
    """Make a key it holds the last to leave."""

    def __init__(self) -> None:
        self._keys: OrderedDict[Hashable, None] = OrderedDict()  # the next to leave comes first
        self.used = self._keys.move_to_end  # every hit calls it: no wrapper around it

    def __repr__(self) -> str:
        return f"<LeastRecentlyUsed keys={len(self._keys)}>"

    def added(self, key: Hashable) -> None:
        """Take in a key as the last to leave."""
        self._keys[key] = None

    def removed(self, key: Hashable) -> None:
        """Forget a key."""
        del self._keys[key]

    def victim(self) -> Hashable:
        """Return the key that was used the longest time ago."""
        return next(iter(self._keys))


POLICIES: dict[str, Callable[[], Policy]] = {"lru": LeastRecentlyUsed}
