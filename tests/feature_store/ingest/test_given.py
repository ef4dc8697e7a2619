"""Rows that come again are told from those that differ, wherever they stand: held to a dictionary that does the same."""

from contextlib import closing

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from feature_store.ingest import given as module
from feature_store.ingest.given import Given
from feature_store.store.protocol import Arrivals

ROWS = st.tuples(st.integers(0, 6), st.integers(0, 2), st.sampled_from([1.0, 2.0, float("nan"), 0.0, -0.0]))


def arrivals(rows):
    time, known_at = (np.array([row[place] for row in rows], dtype=np.int64) for place in (0, 1))
    column = np.array([row[2] for row in rows], dtype=np.float64)
    return Arrivals(time, time, known_at, time >= 0, {"close": column, "open": column * 0 + 1})


def plainly(pieces):
    """Which rows are first, again, and changed, for each piece."""
    known = {}
    for piece in pieces:
        sorted_out = ([], [], [])
        for place, (time, known_at, value) in enumerate(piece):
            word = "nan" if np.isnan(value) else abs(value)  # 0.0 and -0.0 are one price
            before = known.setdefault((time, known_at), (word, place, piece))
            first = before[1] == place and before[2] is piece
            sorted_out[0 if first else 1 if before[0] == word else 2].append(place)
        yield sorted_out


@given(st.lists(st.lists(ROWS, min_size=1, max_size=12), min_size=1, max_size=5), st.booleans())
def test_the_first_row_of_a_time_and_knowledge_time_is_taken(pieces, on_disk):
    pieces = [list(piece) for piece in pieces]
    kept, module._IN_MEMORY = module._IN_MEMORY, 1 if on_disk else 2**20
    try:
        with closing(Given()) as rows:
            found = [tuple(sorted(places.tolist()) for places in rows.sort_out(arrivals(piece))) for piece in pieces]
    finally:
        module._IN_MEMORY = kept
    assert found == [tuple(each) for each in plainly(pieces)]


def test_rising_rows_stand_in_the_order_they_came_in():
    with closing(Given()) as rows:
        first, again, changed = rows.sort_out(arrivals([(1, 0, 1.0), (2, 0, 1.0), (5, 0, 1.0)]))
        assert (first.tolist(), again.tolist(), changed.tolist()) == ([0, 1, 2], [], [])
        assert [len(each) for each in rows.sort_out(arrivals([]))] == [0, 0, 0]
        assert repr(rows) == "<Given 3 rows>"
