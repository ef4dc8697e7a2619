"""Matches keys against `*` (any text) and `?` (any one character), in time linear in the key whatever the pattern.

A pattern of n characters that are not stars is a row of states 0..n, state i meaning "the first i are matched". The
states that the text read so far allows are the bits of one number; reading a character moves every bit whose pattern
character agrees one place on, and a bit at a star also stays. So nothing is tried twice, and no pattern is slow.
"""

from __future__ import annotations

from feature_store.errors import InvalidRequestError

MAX_PATTERN = 256


class Glob:
    """A pattern, compiled.

    >>> glob = Glob("EUR*:1h:sma_?0")
    >>> glob.matches("EUR/USD:1h:sma_50"), glob.matches("EUR/USD:4h:sma_50")
    (True, False)
    """

    __slots__ = ("_accepts", "_accepts_any", "_end", "_pattern", "_stays")

    def __init__(self, pattern: str) -> None:
        if not isinstance(pattern, str) or not 0 < len(pattern) <= MAX_PATTERN:
            msg = f"pattern must be text of 1 to {MAX_PATTERN} characters such as 'EUR/USD:*', was {pattern!r:.60}"
            raise InvalidRequestError(msg, field="pattern")
        self._pattern = pattern
        self._accepts_any = 0
        self._stays = 0
        state = 1
        accepts: dict[str, int] = {}
        for character in pattern:
            if character == "*":
                self._stays |= state
                continue
            if character == "?":
                self._accepts_any |= state
            else:
                accepts[character] = accepts.get(character, 0) | state
            state <<= 1
        self._end = state
        self._accepts = {character: mask | self._accepts_any for character, mask in accepts.items()}

    def __repr__(self) -> str:
        return f"<Glob {self._pattern!r}>"

    def matches(self, text: str) -> bool:
        """Whether the pattern covers the whole of `text`."""
        accepts, accepts_any, stays = self._accepts, self._accepts_any, self._stays
        settled = self._end & stays  # a last star: reaching the end is enough
        states = 1
        for character in text:
            if states & settled:
                return True
            states = ((states & accepts.get(character, accepts_any)) << 1) | (states & stays)
            if not states:
                return False
        return bool(states & self._end)
