"""The states that features have carried to the ends of parts of a series, so that no part needs those before it again.

They are kept in memory under a budget of bytes, and in a file for the next process, which then begins in the middle too.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from feature_store.cache_file import CacheFile
from feature_store.engine.snapshot import ENGINE_VERSION
from feature_store.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feature_store.bars import Integers
    from feature_store.engine.plan import Plan
    from feature_store.views import Name

_BUDGET = 64 * 2**20
_WORD = 8


class States:
    """Carried states by what they are of; safe among threads.

    Args:
        file: where to keep them for the next process.
    """

    def __init__(self, file: CacheFile | None = None) -> None:
        self._file = CacheFile(None) if file is None else file
        self._held: Recent[bytes, Integers] = Recent(_BUDGET)

    def __repr__(self) -> str:
        return f"<States in {self._file!r} holding {self._held.nbytes} bytes>"

    def get(self, name: Name, plan: Plan) -> Integers | None:
        """Return a copy of the words that a plan had at the end of a part, or None."""
        key = _key(name, plan)
        words = self._held.get(key)
        if words is None:
            stored = self._file.get(key)
            if stored is None or len(stored) != _WORD * len(plan.words):
                return None
            words = np.frombuffer(stored, dtype="<i8").astype(np.int64)
            self._held.put(key, words, words.nbytes)
        return words.copy()

    def put(self, states: Mapping[Name, Integers], plan: Plan) -> None:
        """Keep the words that a plan had at the ends of parts."""
        mine = {_key(name, plan): words for name, words in states.items()}
        for key, words in mine.items():
            self._held.put(key, words, words.nbytes)
        self._file.put({key: words.astype("<i8").tobytes() for key, words in mine.items()})

    def clear(self) -> None:
        """Forget what is in memory."""
        self._held.clear()


def _key(name: Name, plan: Plan) -> bytes:
    features = [(feature.id, feature.version) for feature in plan.features]
    return hashlib.sha256(repr((ENGINE_VERSION, name, features)).encode()).digest()
