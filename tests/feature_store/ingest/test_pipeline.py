"""Files into a store: what is stored, what is refused before any work, and that every row is accounted for."""

from __future__ import annotations

import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feature_store.bars import Symbol, Timeframe
from feature_store.calendar import Calendar
from feature_store.errors import ConflictError, FeatureStoreError, InvalidRequestError, UnsupportedFileError
from feature_store.events import Ingested, subscribe
from feature_store.ingest import job as job_module
from feature_store.ingest.checks import FORMING, REPEATED
from feature_store.ingest.frames import table_of
from feature_store.ingest.pipeline import Wish, ingest_files, ingest_frame
from feature_store.ingest.report import IngestReport
from feature_store.store.delta import DeltaStore
from feature_store.store.memory import MemoryStore
from feature_store.times import to_microseconds
from feature_store.timezones import utc_offset
from tests.conftest import random_walk, same_bits

EURUSD, MINUTE, HOUR = Symbol.parse("EUR/USD"), Timeframe.parse("1m"), Timeframe.parse("1h")
NOW = to_microseconds("2026-01-01")
WISH = Wish(EURUSD)
HEADER = "time,open,high,low,close,volume"


def run(store, *paths, wish=WISH, now=NOW):
    """Every outcome of a run, as a list of reports and errors."""
    return [outcome for _, outcome in ingest_files(store, paths, wish, now)]


def report_of(store, *paths, wish=WISH, now=NOW):
    (only,) = run(store, *paths, wish=wish, now=now)
    if isinstance(only, FeatureStoreError):
        raise only
    assert only.read == only.stored + only.duplicates + len(only.quarantined)
    return only


def held(store, timeframe=HOUR, symbol=EURUSD):
    snapshot = store.snapshot(symbol, timeframe)
    return None if snapshot is None else snapshot.read()


def same(one, other):
    return one.time.tolist() == other.time.tolist() and all(
        same_bits(one.columns[name], other.columns[name]) for name in one.columns
    )


def bars(rows, timeframe=HOUR, start="2023-01-02", seed=0):
    """Bars of a walk at the calendar's times, indexed by UTC."""
    first = to_microseconds(start)
    opens = Calendar().expected(first, first + (2 * rows + 200) * timeframe.microseconds, timeframe)[:rows]
    return random_walk(rows, seed=seed).set_index(pd.DatetimeIndex(opens.view("M8[us]"), name="time"))


def as_csv(frame, path, zone="UTC"):
    """Write bars with the times of a zone and no word of it."""
    local = frame.index.asi8 + utc_offset(frame.index.asi8, zone)
    frame.set_axis(pd.DatetimeIndex(local.view("M8[us]"), name="time")).to_csv(path)
    return path


@pytest.fixture
def store():
    made = MemoryStore()
    yield made
    made.close()


# ---------------------------------------------------------------- refused before any work
@pytest.mark.parametrize(
    ("name", "asked", "message"),
    [
        ("GBPUSD.csv", None, "holds GBP/USD, and EUR/USD was asked for; ingest it as GBP/USD"),
        (
            "EURUSDh1.csv",
            "15m",
            "holds 1h bars, and 15m was asked for; ingest it as 1h, since shorter bars cannot be made",
        ),
        ("EURUSDh1.csv", "1d", "holds 1h bars, and 1d was asked for; ingest it as 1h: the store makes higher bars"),
        ("rows.csv", "4h", "holds 1h bars, and 4h was asked for"),
        ("rows.csv", "1m", "holds 1h bars, and 1m was asked for"),
    ],
)
def test_a_file_of_another_symbol_or_timeframe_is_refused_with_the_way_out(store, tmp_path, name, asked, message):
    path = as_csv(bars(50), tmp_path / name)
    wish = replace(WISH, timeframe=None if asked is None else Timeframe.parse(asked))
    with pytest.raises(ConflictError, match=message):
        report_of(store, path, wish=wish)
    assert held(store) is None
    assert store.journal.imports() == []


def test_a_zone_or_format_that_nobody_knows_is_refused(store, tmp_path):
    path = as_csv(bars(5), tmp_path / "rows.csv")
    with pytest.raises(InvalidRequestError, match=r"such as UTC\+2, UTC\+2/EU or New York\+7, was 'Mars'"):
        run(store, path, wish=replace(WISH, tz="Mars"))
    with pytest.raises(InvalidRequestError, match="format must be one of"):
        run(store, path, wish=replace(WISH, format="xml"))


def test_a_file_that_cannot_be_read_leaves_the_others_be(store, tmp_path):
    good, bad = as_csv(bars(5), tmp_path / "rows.csv"), tmp_path / "bad.csv"
    bad.write_text("these,are,no,bars\n")
    outcomes = list(ingest_files(store, [bad, tmp_path / "none.csv", good], WISH, NOW))
    assert [path.name for path, _ in outcomes] == ["bad.csv", "none.csv", "rows.csv"]
    assert [type(outcome) for _, outcome in outcomes] == [UnsupportedFileError, UnsupportedFileError, IngestReport]
    assert len(held(store)) == 5


def test_a_file_that_breaks_off_says_how_much_of_it_is_stored(store, tmp_path, monkeypatch):
    monkeypatch.setattr("feature_store.ingest.bars_in.BATCH", 50)
    path = tmp_path / "rows.csv"
    as_csv(bars(100), path)
    path.write_text(path.read_text() + "x" * (2**20 + 2))
    with pytest.raises(
        UnsupportedFileError, match=r"one of more than 1,048,576 bytes; \d+ rows before that are"
    ) as caught:
        report_of(store, path, wish=replace(WISH, tz="UTC", batch=100))
    assert f"; {len(held(store))} rows" in str(caught.value)


# ---------------------------------------------------------------- as what
def test_the_timeframe_is_what_the_name_says_else_what_the_times_show_else_an_hour(store, tmp_path):
    quarter = bars(100, Timeframe.parse("15m"))
    assert report_of(store, as_csv(quarter, tmp_path / "EURUSD_15m.csv")).timeframe == "15m"
    assert report_of(store, as_csv(quarter[:3], tmp_path / "rows.csv")).timeframe == "15m"
    assert report_of(store, as_csv(quarter[:2], tmp_path / "few.csv")).timeframe == "1h"
    ticks = tmp_path / "ticks.csv"
    ticks.write_text("time,bid,ask\n2023-01-03 10:00:01,1.1,1.2\n")
    assert report_of(store, ticks).timeframe == "1m"
    assert ingest_frame(store, table_of(quarter), WISH, NOW).timeframe == "15m"


def test_a_report_says_what_the_reader_found(store, tmp_path):
    path = tmp_path / "DAT_ASCII_EURUSD_M1_2018.csv"
    path.write_text("20180102 170000;1.2;1.21;1.19;1.2;0\n")
    report = report_of(store, path)
    assert (report.format, report.side, report.price_divisor, report.bars) == ("histdata-m1", "bid", 1.0, 1)
    assert held(store, MINUTE).time.tolist() == [to_microseconds("2018-01-02T17:00")]


def test_bars_carry_the_name_of_their_file_unless_another_source_is_named(tmp_path):
    home = tmp_path / "market"
    path = as_csv(bars(5), tmp_path / "rows.csv")
    for wish, source in ((WISH, "rows.csv"), (replace(WISH, source="broker"), "broker")):
        seen = []
        store = MemoryStore()
        store.write = lambda _symbol, _timeframe, arrivals, seen=seen: seen.append(arrivals.source) or 0
        run(store, path, wish=wish)
        assert seen == [source]
    assert not home.exists()


def test_bars_with_many_holes_are_taken_for_what_the_caller_says(store, tmp_path):
    frame = bars(200)
    holes = frame.drop(index=frame.index[1:120:2])
    assert report_of(store, as_csv(holes, tmp_path / "rows.csv"), wish=replace(WISH, timeframe=HOUR)).stored == 140


# ---------------------------------------------------------------- where the clock stood
@pytest.mark.parametrize(
    ("tz", "zone", "name"),
    [
        ("Europe/Athens", "Europe/Athens", "Europe/Athens"),
        ("UTC+2/EU", "Europe/Athens", "UTC+2, summer time by European dates"),
        ("UTC", "UTC", "UTC"),
    ],
)
def test_a_named_zone_or_clock_places_the_times(store, tmp_path, tz, zone, name):
    frame = bars(3000)
    report = report_of(store, as_csv(frame, tmp_path / "rows.csv", zone), wish=replace(WISH, tz=tz))
    assert report.timezone == name
    assert held(store).time.tolist() == frame.index.asi8.tolist()


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("America/New_York", "UTC-5, summer time by US dates (found from 52 of 53 weeks)"),
        ("Europe/Athens", "UTC+2, summer time by European dates (found from 53 of 53 weeks)"),
        ("UTC", "UTC"),
    ],
)
@pytest.mark.parametrize("newest_first", [False, True])
def test_without_a_zone_the_clock_is_found_in_the_weekends(store, tmp_path, zone, name, newest_first):
    frame = bars(6300)
    path = as_csv(frame.iloc[::-1] if newest_first else frame, tmp_path / "rows.csv", zone)
    report = report_of(store, path)
    assert report.timezone == name
    assert held(store).time.tolist() == frame.index.asi8.tolist()
    assert zone != "UTC" or any("the times fit UTC, found from" in note for note in report.notes)


def test_a_row_of_another_year_does_not_hide_the_clock(store, tmp_path):
    frame = bars(6300)
    lines = as_csv(frame, tmp_path / "rows.csv", "America/New_York").read_text().splitlines()
    strange = [lines[300].replace("2023", year) for year in ("2199", "2025")]
    (tmp_path / "rows.csv").write_text("\n".join([*lines[:2000], *strange, *lines[2000:]]))
    report = report_of(store, tmp_path / "rows.csv")
    assert report.timezone.startswith("UTC-5, summer time by US dates")
    assert report.stored >= len(frame)


def test_a_file_too_long_to_hold_is_read_a_second_time(store, tmp_path, monkeypatch):
    frame = bars(6300)
    path = as_csv(frame, tmp_path / "rows.csv", "America/New_York")
    monkeypatch.setattr("feature_store.ingest.placing.HELD", 1000)
    report = report_of(store, path, wish=replace(WISH, batch=700))
    assert report.timezone.startswith("UTC-5, summer time by US dates")
    assert held(store).time.tolist() == frame.index.asi8.tolist()


@pytest.mark.parametrize(
    ("rows", "timeframe", "symbol", "why"),
    [
        (50, "1h", "EUR/USD", "fewer than 2 weekends"),
        (400, "1d", "EUR/USD", "too long to show when a week opens"),
        (400, "1h", "BTC/USD", "no weekends to tell it by"),
    ],
)
def test_what_does_not_tell_its_clock_is_taken_for_utc_and_that_is_said(store, tmp_path, rows, timeframe, symbol, why):
    path = as_csv(bars(rows, Timeframe.parse(timeframe)), tmp_path / "rows.csv")
    report = report_of(store, path, wish=Wish(Symbol.parse(symbol)))
    assert report.timezone == "UTC (assumed)"
    assert any(why in note and "--tz" in note for note in report.notes)


def test_times_that_carry_an_offset_need_no_clock(store, tmp_path):
    path = tmp_path / "rows.csv"
    frame = bars(300)
    frame.tz_localize("UTC").tz_convert("Asia/Tokyo").to_csv(path)
    for tz in (None, "Europe/Athens"):
        report = report_of(store, path, wish=replace(WISH, tz=tz))
        assert (report.timezone, report.notes) == ("as written", ())
    assert held(store).time.tolist() == frame.index.asi8.tolist()


def test_naive_times_of_a_frame_are_utc(store):
    frame = bars(300)
    report = ingest_frame(store, table_of(frame), WISH, NOW)
    assert (report.timezone, report.stored, report.bars, report.format) == ("UTC", 300, 300, "")
    assert held(store).time.tolist() == frame.index.asi8.tolist()


# ---------------------------------------------------------------- every row
LINES = st.one_of(
    st.tuples(
        st.integers(0, 60).map(lambda hour: f"2023-01-{2 + hour // 24:02} {hour % 24:02}:00"),
        st.sampled_from(["1.2", "1.3"]),
        st.sampled_from(["1.4", "1.1", "x", ""]),
        st.sampled_from(["1.1", "0"]),
        st.sampled_from(["1.2", "1.3"]),
        st.sampled_from(["5", "-1", ""]),
    ).map(",".join),
    st.sampled_from(["", "1,2", "never,1.2,1.4,1.1,1.2,5", "2023-01-07 12:00,1.2,1.4,1.1,1.2,5", "a,b,c,d,e,f,g,h"]),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, max_size=60), st.integers(1, 40))
def test_every_row_is_accounted_for_and_no_batch_size_matters(tmp_path, lines, batch):
    path = tmp_path / "rows.csv"
    path.write_text("\n".join([HEADER, *lines]))
    outcomes = []
    for size in (batch, 500_000):
        store = MemoryStore()
        (report,) = run(store, path, wish=replace(WISH, timeframe=HOUR, batch=size))
        stored = held(store)
        assert report.read == report.stored + report.duplicates + len(report.quarantined)
        assert report.read == sum(bool(line) for line in lines)
        assert report.stored == (0 if stored is None else len(stored))
        again = run(store, path, wish=replace(WISH, timeframe=HOUR, batch=size, again=True))[0]
        assert (again.stored, again.read, len(again.quarantined)) == (0, report.read, len(report.quarantined))
        outcomes.append((report.stored, report.duplicates, list(report.quarantined), stored))
        store.close()
    assert outcomes[0][:3] == outcomes[1][:3]
    assert outcomes[0][3] is outcomes[1][3] is None or same(outcomes[0][3], outcomes[1][3])


@settings(deadline=None)
@given(st.permutations(range(30)), st.integers(1, 31))
def test_no_order_of_rows_and_no_batch_size_matters_to_a_frame(order, batch):
    frame = bars(30)
    store = MemoryStore()
    report = ingest_frame(store, table_of(frame.iloc[order]), replace(WISH, batch=batch), NOW)
    assert (report.stored, report.duplicates, len(report.quarantined)) == (30, 0, 0)
    stored = held(store)
    assert stored.time.tolist() == frame.index.asi8.tolist()
    assert same_bits(stored.columns["close"], frame["close"])
    store.close()


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_of_rows_of_one_time_the_first_is_taken_wherever_the_others_stand(store, tmp_path, batch):
    rows = ["2023-01-03 10:00,1.2,1.4,1.1,1.2,5", "2023-01-03 11:00,1.2,1.4,1.1,1.2,5"]
    other = rows[0].replace("1.4", "1.5")
    path = tmp_path / "rows.csv"
    path.write_text("\n".join([HEADER, *rows, other, rows[0], other]))
    report = report_of(store, path, wish=replace(WISH, batch=batch))
    assert (report.stored, report.duplicates) == (2, 1)
    assert [(row.row, row.reason) for row in report.quarantined] == [(4, REPEATED), (6, REPEATED)]
    assert held(store).columns["high"].tolist() == [1.4, 1.4]


def test_a_row_that_differs_from_what_another_file_gave_is_a_correction(store, tmp_path):
    for name, high in (("one.csv", 1.4), ("two.csv", 1.5)):
        (tmp_path / name).write_text(f"{HEADER}\n2023-01-03 10:00,1.2,{high},1.1,1.2,5\n")
    outcomes = run(store, tmp_path / "one.csv", tmp_path / "two.csv")
    assert [(each.stored, len(each.quarantined)) for each in outcomes] == [(1, 0), (1, 0)]
    assert held(store).columns["high"].tolist() == [1.5]


def test_of_very_many_bad_rows_some_are_held_and_all_are_counted(store, tmp_path, monkeypatch):
    monkeypatch.setattr("feature_store.ingest.account.KEPT", 10)
    path = tmp_path / "rows.csv"
    path.write_text("\n".join([HEADER, *["2023-01-03 10:00,1.2,1.0,1.1,1.2,5"] * 500]))
    report = report_of(store, path, wish=replace(WISH, batch=60))
    assert (len(report.quarantined), len(list(report.quarantined))) == (500, 10)
    assert dict(report.quarantined.by_reason) == {"high is below low": 500}
    assert [row.row for row in report.quarantined][:2] == [2, 3]


def test_a_zip_of_several_files_has_a_report_for_each(store, tmp_path):
    path = tmp_path / "rows.zip"
    whole = bars(40)
    with zipfile.ZipFile(path, "w") as package:
        for name, part in (("a.csv", whole[:30]), ("b.csv", whole[20:])):
            package.writestr(name, part.to_csv())
    one, two = run(store, path, wish=replace(WISH, tz="UTC"))
    assert (one.stored, two.stored, two.duplicates) == (30, 10, 10)
    together = IngestReport.together([one, two])
    assert (together.read, together.stored, together.duplicates, together.timezone) == (50, 40, 10, "UTC")
    assert [each.file for each in store.journal.imports()] == ["rows.zip (a.csv)", "rows.zip (b.csv)"]


def test_each_source_is_told_to_whoever_counts(store, tmp_path):
    heard = []
    unsubscribe = subscribe(lambda event: heard.append(event) if isinstance(event, Ingested) else None)
    frame = bars(20)
    report_of(store, as_csv(frame, tmp_path / "rows.csv"))
    report_of(store, tmp_path / "rows.csv", wish=replace(WISH, dry_run=True, again=True))
    unsubscribe()
    assert heard == [Ingested("EUR/USD", "1h", 20, 0, int(frame.index.asi8[-1]))]


# ---------------------------------------------------------------- a dry run
@pytest.mark.parametrize("make", [lambda _: MemoryStore(), DeltaStore], ids=["memory", "delta"])
def test_a_dry_run_tells_what_would_be_stored_and_stores_nothing(make, tmp_path):
    store = make(tmp_path / "market")
    frame = bars(3000, MINUTE, start="2023-03-30")  # two quarters, which are two parts of the store
    rows = frame.iloc[[*range(3000), 0]]
    dry = replace(WISH, dry_run=True, batch=300)
    first = report_of(store, as_csv(rows, tmp_path / "rows.csv"), wish=dry)
    assert (first.stored, first.duplicates) == (3000, 1)
    assert held(store, MINUTE) is None
    assert store.journal.imports() == []
    report_of(store, as_csv(frame[:1000], tmp_path / "part.csv"))
    second = report_of(store, tmp_path / "rows.csv", wish=dry)
    assert (second.stored, second.duplicates) == (2000, 1001)
    assert len(held(store, MINUTE)) == 1000
    done = report_of(store, tmp_path / "rows.csv")
    assert (done.stored, done.duplicates, done.bars) == (second.stored, second.duplicates, second.bars)
    store.close()


# ---------------------------------------------------------------- again
def test_a_file_that_was_imported_is_answered_from_the_journal(store, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(as_csv(bars(30), path).read_text() + "2023-01-03 10:00,1.2,1.0,1.1,1.2,5\nonly,two\n")
    first = report_of(store, path, wish=replace(WISH, tz="UTC"))
    assert (first.stored, len(first.quarantined)) == (30, 2)
    path.rename(tmp_path / "other name.csv")
    second = report_of(store, tmp_path / "other name.csv", wish=replace(WISH, tz="UTC"))
    assert (second.read, second.stored, second.duplicates, second.bars) == (32, 0, 30, 0)
    assert [(row.row, row.reason) for row in second.quarantined] == [(row.row, row.reason) for row in first.quarantined]
    assert "imported before, at 2026-01-01T00:00:00Z, and not read again" in second.notes[0]
    assert len(store.journal.imports()) == 1
    assert (second.timezone, second.timeframe, second.format) == (first.timezone, first.timeframe, first.format)


def test_it_is_read_again_where_that_is_asked_for_or_it_is_to_be_read_otherwise(store, tmp_path):
    path = as_csv(bars(30), tmp_path / "rows.csv")
    report_of(store, path)
    for wish in (replace(WISH, again=True), replace(WISH, tz="UTC"), replace(WISH, known_at=NOW - 1)):
        report = report_of(store, path, wish=wish)
        assert not any("imported before" in note for note in report.notes)
    assert report.stored == 30  # what was observed later is another row


def test_it_is_read_again_where_the_store_lacks_rows_it_had(tmp_path):
    path = as_csv(bars(30), tmp_path / "rows.csv")
    one, other = MemoryStore(), MemoryStore()
    report_of(one, path)
    other.journal = one.journal
    assert report_of(other, path).stored == 30


@pytest.mark.parametrize("make", [lambda _: MemoryStore(), DeltaStore], ids=["memory", "delta"])
def test_it_is_read_again_where_its_bars_were_corrected_since_and_not_where_others_were_added(make, tmp_path):
    store = make(tmp_path / "market")
    whole = bars(60)
    path = as_csv(whole[:30], tmp_path / "rows.csv")
    report_of(store, path)
    run(store, as_csv(whole[30:], tmp_path / "later.csv"))
    assert "imported before" in report_of(store, path).notes[0]
    corrected = whole[10:11].assign(tick_volume=7.0)
    run(store, as_csv(corrected, tmp_path / "corrected.csv"))
    report = report_of(store, path)
    assert (report.stored, report.duplicates) == (1, 29)
    assert held(store).columns["tick_volume"][10] == whole["tick_volume"].iloc[10]
    store.close()


def test_a_bar_that_was_still_forming_is_looked_at_again(store, tmp_path):
    path = as_csv(bars(30), tmp_path / "rows.csv")
    early = to_microseconds("2023-01-03T05:30")
    first = report_of(store, path, now=early)
    assert (first.stored, first.quarantined.by_reason[FORMING]) == (29, 1)
    assert report_of(store, path).stored == 1


# ---------------------------------------------------------------- stopped on the way
class Stopping(MemoryStore):
    """A store whose writing process is stopped before a write."""

    def __init__(self, writes):
        super().__init__()
        self.left = writes

    def write(self, symbol, timeframe, arrivals):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return super().write(symbol, timeframe, arrivals)


@pytest.mark.parametrize("writes", range(6))
def test_an_import_that_was_stopped_anywhere_and_repeated_gives_the_same_store(tmp_path, monkeypatch, writes):
    monkeypatch.setattr("feature_store.ingest.bars_in.BATCH", 100)
    whole = bars(500)
    paths = [as_csv(whole[:300], tmp_path / "one.csv"), as_csv(whole[300:], tmp_path / "two.csv")]
    wish = replace(WISH, tz="UTC", batch=100)
    store, straight = Stopping(writes), MemoryStore()
    with pytest.raises(KeyboardInterrupt):
        run(store, *paths, wish=wish)
    finished = len(store.journal.imports())
    store.left = 1_000
    reports = run(store, *paths, wish=wish)
    assert sum("imported before" in " ".join(report.notes) for report in reports) == finished
    run(straight, *paths, wish=wish)
    assert same(held(store), held(straight))
    assert len(held(store)) == 500
    assert len(store.snapshot(EURUSD, HOUR).histories()[0]) == 500


# ---------------------------------------------------------------- how far it is
@pytest.mark.parametrize("zipped", [False, True])
def test_all_bytes_of_all_files_are_told_as_they_are_read(store, tmp_path, zipped):
    whole, paths = bars(4000), []
    for place, part in enumerate((whole[:2500], whole[2500:])):
        path = as_csv(part, tmp_path / f"{place}.csv")
        if zipped:
            with zipfile.ZipFile(path.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as package:
                package.write(path, path.name)
            path = path.with_suffix(".zip")
        paths.append(path)
    told = []
    list(ingest_files(store, paths, replace(WISH, batch=500), NOW, lambda path, count: told.append((path, count))))
    for path in paths:
        mine = [count for each, count in told if each == path]
        assert sum(mine) == path.stat().st_size
        assert len(mine) > 2
        assert min(mine) > 0


def test_an_edition_that_reads_otherwise_is_not_answered_by_an_older_one(store, tmp_path, monkeypatch):
    path = as_csv(bars(30), tmp_path / "rows.csv")
    report_of(store, path)
    monkeypatch.setattr(job_module, "EDITION", 2)
    assert "imported before" not in " ".join(report_of(store, path).notes)


def test_a_bar_and_its_correction_may_stand_in_one_file(store, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(
        f"{HEADER},known_at\n2023-01-03 10:00,1.2,1.4,1.1,1.2,5,2023-02-01\n2023-01-03 10:00,1.2,1.5,1.1,1.2,5,2023-03-01\n"
    )
    report = report_of(store, path, wish=replace(WISH, tz="UTC", batch=1))
    assert (report.stored, len(report.quarantined)) == (2, 0)
    assert held(store).columns["high"].tolist() == [1.5]
    assert np.array_equal(store.snapshot(EURUSD, HOUR).read(as_of=to_microseconds("2023-02-02")).columns["high"], [1.4])
