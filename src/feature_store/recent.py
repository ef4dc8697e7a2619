"""What was used lately, kept in memory under a budget of bytes."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """A mapping that forgets the least recently used values when their bytes exceed the budget. Safe among threads.

    >>> recent = Recent[str, str](budget=10)
    >>> recent.put("a", "first", nbytes=6)
    >>> recent.put("b", "second", nbytes=6)
    >>> recent.get("a"), recent.get("b")
    (None, 'second')
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.nbytes = 0
        self._held: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._changing = Lock()

    def __repr__(self) -> str:
        return f"<Recent {len(self._held)} values, {self.nbytes} of {self.budget} bytes>"

    def get(self, key: Key) -> Value | None:
        """Return the value of a key, or None."""
        with self._changing:
            if key not in self._held:
                return None
            self._held.move_to_end(key)
            return self._held[key][0]

    def put(self, key: Key, value: Value, nbytes: int) -> None:
        """Keep a value in place of the key's former one; a value larger than the whole budget is not kept."""
        with self._changing:
            if key in self._held:
                self.nbytes -= self._held.pop(key)[1]
            self._held[key] = value, nbytes
            self.nbytes += nbytes
            while self.nbytes > self.budget:
                self.nbytes -= self._held.popitem(last=False)[1][1]

    def clear(self) -> None:
        """Forget everything."""
        with self._changing:
            self._held.clear()
            self.nbytes = 0
