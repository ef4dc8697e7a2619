"""Real files through `store.ingest` with no options: the hours of sources whose clock is known, and every row accounted for."""

import numpy as np
import pytest

import feature_store as fs
from feature_store.calendar import Calendar
from feature_store.ingest import bars_in
from feature_store.store.delta import DeltaStore
from tests.conftest import same_bits

PIP, YEN_PIP = 1e-4, 1e-2
METATRADER = ("AUDUSD", "GBPUSD", "USDCAD", "USDCHF", "USDJPY")
TICK_DAYS = tuple(f"lean/fxcm-tick-eurusd-2014050{day}_quote.zip" for day in (7, 8, 9))
FILES = {
    "histdata/HISTDATA_COM_ASCII_EURUSD_M12018.zip": ("EUR/USD", "1m"),
    "histdata/HISTDATA_COM_ASCII_EURUSD_M12019.zip": ("EUR/USD", "1m"),
    "histdata/HISTDATA_COM_ASCII_USDJPY_M12018.zip": ("USD/JPY", "1m"),
    **{f"ejtrader/{pair}h1.csv.gz": (pair, "1h") for pair in METATRADER},
    "fxcm/usdjpy-m1-bid-2013.csv.gz": ("USD/JPY", "1m"),
    "fxcm/usdjpy-m1-ask-2013.csv.gz": ("USD/JPY", "1m"),
    "fxcm/truefx-usdjpy-ticks.csv.gz": ("USD/JPY", "1m"),
    "lean/oanda-hour-eurusd.zip": ("EUR/USD", "1h"),
    "lean/oanda-daily-eurusd.zip": ("EUR/USD", "1d"),
    "lean/oanda-minute-eurusd-20140508_quote.zip": ("EUR/USD", "1m"),
    **dict.fromkeys(TICK_DAYS, ("EUR/USD", "1m")),
}


@pytest.fixture(scope="module")
def imported(shared_data, tmp_path_factory):
    """Every file's store and report, made once when it is asked for."""
    made = {}

    def of(name):
        if name not in made:
            store = fs.open(tmp_path_factory.mktemp("market"))
            made[name] = store, store.ingest(FILES[name][0], None, shared_data / name)
        return made[name]

    yield of
    for store, _ in made.values():
        store.close()


def hours(store, symbol, column="close"):
    return store.bars(symbol, "1h")[column]


def worst_month(one, other):
    """How many months two series of prices share, and the largest of their median differences."""
    both = (one - other).abs().dropna()
    months = both.groupby(both.index.strftime("%Y-%m")).median()
    return len(months), months.max()


# ---------------------------------------------------------------- the clock is right
def test_histdatas_euro_of_2018_agrees_with_oandas_hours_in_every_month(imported):
    store, report = imported("histdata/HISTDATA_COM_ASCII_EURUSD_M12018.zip")
    oanda, _ = imported("lean/oanda-hour-eurusd.zip")
    months, worst = worst_month(hours(store, "EUR/USD"), hours(oanda, "EUR/USD", "bid_close"))
    assert (months, worst < PIP) == (12, True)
    assert report.timezone.startswith("UTC-5, summer time by US dates")
    assert (report.stored, report.side, report.format) == (372_607, "bid", "histdata-m1")


def test_histdatas_yen_of_2018_agrees_with_metatraders_hours_in_every_month(imported):
    store, _ = imported("histdata/HISTDATA_COM_ASCII_USDJPY_M12018.zip")
    server, report = imported("ejtrader/USDJPYh1.csv.gz")
    months, worst = worst_month(hours(store, "USD/JPY"), hours(server, "USD/JPY"))
    assert (months, worst < YEN_PIP) == (12, True)
    assert report.price_divisor == 1000


def test_the_changes_of_2019_are_found_and_the_hour_that_is_there_twice_is_a_duplicate(imported):
    store, report = imported("histdata/HISTDATA_COM_ASCII_EURUSD_M12019.zip")
    assert report.timezone.startswith("UTC-5, summer time by European dates")
    assert (report.stored, report.duplicates, len(report.quarantined)) == (372_470, 60, 0)
    (note,) = report.notes
    assert "steps back from 2019-10-27 19:59:00 to 2019-10-27 19:00:00, 60 rows" in note
    hour = store.bars("EUR/USD", "1m", "2019-10-28T00:00", "2019-10-28T01:00")
    assert len(hour) == 60


@pytest.mark.parametrize("pair", METATRADER)
def test_the_server_changed_its_clock_in_2014_and_its_weeks_are_the_markets(imported, pair):
    store, report = imported(f"ejtrader/{pair}h1.csv.gz")
    assert report.timezone.startswith(
        "UTC+1, summer time by European dates; from 2014-11-24 on UTC+2, summer time by European dates (found from 4"
    )
    assert report.read == 57_600
    assert len(report.quarantined) < 50
    assert set(report.quarantined.by_reason) == {
        "market closed: currencies rest from Friday 17:00 to Sunday 17:00 New York"
    }
    time = store.bars(pair, "1h").index.asi8
    assert not Calendar().is_weekend(time).any()


def test_times_with_an_offset_are_where_they_say(imported):
    store, report = imported("fxcm/usdjpy-m1-bid-2013.csv.gz")
    ask, other = imported("fxcm/usdjpy-m1-ask-2013.csv.gz")
    assert (report.timezone, report.side, other.side) == ("as written", "bid", "ask")
    spread = ask.bars("USD/JPY", "1m")["close"] - store.bars("USD/JPY", "1m")["close"]
    assert 0 < spread.median() < 5 * YEN_PIP


# ---------------------------------------------------------------- ticks
def test_three_days_of_ticks_are_the_minutes_that_another_source_has(imported, shared_data, tmp_path):
    oanda, _ = imported("lean/oanda-minute-eurusd-20140508_quote.zip")
    with fs.open(tmp_path) as store:
        outcomes = list(store.ingest_files("EUR/USD", [shared_data / name for name in reversed(TICK_DAYS)]))
        assert [path.name[-18:-10] for path, _ in outcomes] == ["20140507", "20140508", "20140509"]
        reports = [report for _, report in outcomes]
        bars = store.bars("EUR/USD", "1m")
    assert [len(report.notes) for report in reports] == [0, 0, 1]
    assert sum(report.bars for report in reports) == len(bars)
    assert sum(report.stored for report in reports) == bars["tick_volume"].sum()
    assert str(bars.index[-1]) == "2014-05-09 20:59:00+00:00"  # Friday, the last minute before 17:00 New York
    theirs = oanda.bars("EUR/USD", "1m")["close"]
    shared = (bars["close"] - theirs).abs().dropna()
    assert len(shared) > 1_300
    assert shared.median() < PIP / 2
    assert (bars["spread_min"] >= 0).all()


def test_days_of_ticks_in_one_run_or_each_in_its_own_give_the_same_minutes(shared_data, tmp_path):
    with fs.open(tmp_path / "one") as one, fs.open(tmp_path / "each") as each:
        list(one.ingest_files("EUR/USD", [shared_data / name for name in TICK_DAYS]))
        for name in TICK_DAYS:  # which end at midnight on their clock, so that no minute is cut
            each.ingest("EUR/USD", None, shared_data / name)
        whole, parts = one.bars("EUR/USD", "1m"), each.bars("EUR/USD", "1m")
    assert whole.index.equals(parts.index)
    assert all(same_bits(whole[name], parts[name]) for name in whole)


# ---------------------------------------------------------------- every row, and again
@pytest.mark.parametrize("name", FILES)
def test_every_row_of_every_file_is_accounted_for_and_a_second_import_stores_nothing(imported, shared_data, name):
    store, report = imported(name)
    symbol, timeframe = FILES[name]
    (series,) = store.symbols()
    assert report.read == report.stored + report.duplicates + len(report.quarantined)
    assert (report.timeframe, series.timeframe, series.rows) == (timeframe, timeframe, report.bars)
    for options in ({}, {"again": True}, {"dry_run": True, "again": True}):
        second = store.ingest(symbol, None, shared_data / name, **options)
        assert (second.read, second.stored, second.bars) == (report.read, 0, 0)
        assert second.duplicates == report.stored + report.duplicates
        assert list(second.quarantined) or not len(report.quarantined)
        assert len(second.quarantined) == len(report.quarantined)
        assert second.timezone == report.timezone
    assert store.symbols()[0].rows == report.bars


@pytest.mark.parametrize("commits", [0, 1, 2])
def test_a_year_whose_import_was_stopped_and_repeated_is_the_year(
    imported, shared_data, tmp_path, monkeypatch, commits
):
    name = "histdata/HISTDATA_COM_ASCII_USDJPY_M12018.zip"
    whole, _ = imported(name)
    monkeypatch.setattr(bars_in, "BATCH", 150_000)
    write, left = DeltaStore.write, iter(range(commits))

    def stopping(self, symbol, timeframe, arrivals):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return write(self, symbol, timeframe, arrivals)

    with fs.open(tmp_path) as store:
        monkeypatch.setattr(DeltaStore, "write", stopping)
        with pytest.raises(KeyboardInterrupt):
            store.ingest("USD/JPY", None, shared_data / name)
        monkeypatch.setattr(DeltaStore, "write", write)
        report = store.ingest("USD/JPY", None, shared_data / name)
        assert report.duplicates >= 100_000 * commits
        assert report.stored + report.duplicates == 371_800
        bars, expected = store.bars("USD/JPY", "1m"), whole.bars("USD/JPY", "1m")
    assert bars.index.equals(expected.index)
    assert all(same_bits(bars[column], expected[column]) for column in expected)
    assert np.isfinite(bars["close"]).all()
