import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_store.ingest import report as module
from feature_store.ingest.report import IngestReport, Quarantine, Rejected

BAD = [Rejected(row, "high is below low", {"high": 1}) for row in range(3)]


def test_a_quarantine_of_few_rows_is_those_rows():
    few = Quarantine(BAD)
    assert (len(few), list(few), few[0], few[:2]) == (3, BAD, BAD[0], tuple(BAD[:2]))
    assert few == tuple(BAD)
    assert BAD[1] in few
    assert Quarantine() == ()
    assert not Quarantine()


def test_a_quarantine_of_many_rows_counts_all_of_them():
    many = Quarantine(BAD, {"high is below low": 70, "another rule": 30})
    assert (len(many), len(list(many)), many.by_reason["another rule"]) == (100, 3, 30)
    assert many != tuple(BAD)
    assert repr(many) == "<Quarantine 100 rows, 3 of them held>"


def test_a_quarantine_is_no_key_and_equals_nothing_else():
    with pytest.raises(TypeError):
        hash(Quarantine())
    assert Quarantine() != 0


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=4))
def test_several_together_hold_the_first_and_count_all(parts):
    made = [Quarantine(BAD[: min(held, 3)], {"high is below low": min(held, 3) + more}) for held, more in parts]
    together = Quarantine.together(made)
    assert len(together) == sum(map(len, made))
    assert list(together) == [row for part in made for row in part]


def test_no_more_rows_are_held_than_the_bound(monkeypatch):
    monkeypatch.setattr(module, "KEPT", 4)
    together = Quarantine.together([Quarantine(BAD), Quarantine(BAD)])
    assert (len(together), list(together)) == (6, [*BAD, BAD[0]])


def test_reports_of_several_sources_are_one_that_adds_up():
    one = IngestReport(5, 2, 1, Quarantine(BAD[:2]), "UTC", 2, "1m", "csv", 1e5, "bid", ("a note",))
    two = IngestReport(4, 3, 0, Quarantine(BAD[:1]), "UTC", 3, "1m", "lean", 1e5, "ask", ("a note", "another"))
    both = IngestReport.together([one, two])
    assert both == IngestReport(
        9, 5, 1, Quarantine([*BAD[:2], BAD[0]]), "UTC", 5, "1m", "csv, lean", 1e5, None, ("a note", "another")
    )
    assert IngestReport.together([one]) == one
    assert str(both) == "9 rows read, 5 stored, 1 known already, 3 quarantined, times in UTC"
