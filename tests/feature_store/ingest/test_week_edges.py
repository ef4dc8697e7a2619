import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_store.calendar import DAY, HOUR
from feature_store.ingest.week_edges import KEPT_BACKWARDS, Backwards, WeekEdges


def edges_of(hours, *cuts):
    edges = WeekEdges(HOUR)
    for batch in np.split(np.array(hours, dtype=np.int64) * HOUR, cuts):
        edges.add(batch)
    return edges


def weeks_in_hours(edges):
    return [(each // HOUR).tolist() for each in edges.weeks()]


def test_a_weekend_is_a_silence_of_forty_hours():
    assert weeks_in_hours(edges_of([0, 5, 44, 84, 85])) == [[0, 84], [44, 85]]
    assert weeks_in_hours(edges_of([0, 39, 78])) == [[0], [78]]


def test_no_rows_have_no_weeks():
    assert weeks_in_hours(edges_of([])) == [[], []]


def test_rows_behind_the_latest_are_one_step_back_until_the_file_goes_on():
    edges = edges_of([10, 11, 12, 10, 11, 12, 13, 14])
    assert edges.backwards == (Backwards(row=3, since=12 * HOUR, to=10 * HOUR, rows=3),)
    assert str(edges.backwards[0]) == (
        "row 3 steps back from 1970-01-01 12:00:00 to 1970-01-01 10:00:00, 3 rows until the file goes on"
    )


def test_equal_times_in_a_row_are_no_step_back():
    assert edges_of([10, 11, 11, 11, 12]).steps_back == 0


def test_a_step_back_opens_no_week():
    assert weeks_in_hours(edges_of([100, 200, 100, 150, 201])) == [[100, 200], [100, 201]]


def test_a_file_that_runs_backwards_is_one_step_and_has_no_weekend():
    edges = edges_of(range(1000, 0, -1))
    assert (edges.steps_back, len(edges.backwards), edges.backwards[0].rows) == (1, 1, 999)
    assert weeks_in_hours(edges) == [[1000], [1000]]


def test_memory_does_not_grow_with_rows_or_with_steps_back():
    edges = edges_of([each for hour in range(0, 2_000, 2) for each in (hour, hour - 1)])
    assert edges.steps_back == 1_000
    assert len(edges.backwards) == KEPT_BACKWARDS


@settings(deadline=None)
@given(st.lists(st.integers(0, 200), max_size=40), st.lists(st.integers(0, 40), max_size=6).map(sorted))
def test_any_split_into_batches_shows_the_same(hours, cuts):
    whole, parts = edges_of(hours), edges_of(hours, *cuts)
    assert repr(whole) == repr(parts)
    assert whole.backwards == parts.backwards
    assert weeks_in_hours(whole) == weeks_in_hours(parts)


@settings(deadline=None)
@given(st.lists(st.integers(0, 200), max_size=40))
def test_steps_back_are_what_a_reader_line_by_line_would_note(hours):
    latest, behind, noted = -1, False, []
    for row, hour in enumerate(hours):
        if hour < latest and not behind:
            noted.append([row, latest * HOUR, hour * HOUR, 0])
        behind = hour < latest or (hour == latest and behind)
        if behind:
            noted[-1][3] += 1
        latest = max(latest, hour)
    assert edges_of(hours).backwards == tuple(Backwards(*each) for each in noted)


def test_the_latest_time_is_known_after_a_step_back():
    edges = edges_of([0, 24, 12])
    edges.add(np.array([3 * DAY]))
    assert weeks_in_hours(edges) == [[0, 72], [24, 72]]
