import numpy as np
import pytest

from feature_store.errors import UnsupportedFileError
from feature_store.ingest.moments import moments
from feature_store.ingest.source import open_source
from tests.feature_store.ingest.readers.samples import LEAN_HOURS, LEAN_MINUTES, LEAN_TICKS, TRUEFX, zipped


def test_truefx_ticks_name_their_pair_and_are_in_utc(write, read):
    source = open_source(write("ticks-2009-05.csv", TRUEFX))
    assert (source.kind, source.symbol.name, source.timezone) == ("ticks", "EUR/USD", "UTC")
    found = read(source)
    assert found.time == ["2009-05-01T00:00:00.231000", "2009-05-01T00:00:00.297000"]
    assert found.values == {"bid": [1.32655, 1.32656], "ask": [1.32681, 1.32682]}


def test_a_truefx_line_of_another_pair_is_broken(write, read):
    other = "GBP/USD,20090501 00:00:01.000,1.5,1.6\n"
    found = read(open_source(write("EURUSD-2009-05.csv", TRUEFX + other + "EUR/USD,20090501\n" + TRUEFX)))
    assert [(each.row, each.reason) for each in found.broken] == [
        (3, "expected a tick of EUR/USD, found GBP/USD"),
        (4, "expected 4 values, found 2"),
    ]
    assert found.numbers == [1, 2, 5, 6]


def test_lean_ticks_count_milliseconds_since_the_midnight_in_their_name(write, read):
    path = write("forex/fxcm/tick/eurusd/20140508_quote.zip", zipped(**{"20140508_eurusd_tick_quote.csv": LEAN_TICKS}))
    source = open_source(path)
    assert (source.kind, source.symbol.name, source.timezone) == ("ticks", "EUR/USD", "Etc/GMT+5")
    found = read(source)
    assert found.time == ["2014-05-08T05:00:17.007000", "2014-05-08T05:00:17.264000"]
    assert found.values == {"bid": [1.39147] * 2, "ask": [1.39148, 1.39149]}


def test_lean_minutes_have_both_sides_and_sizes_that_are_no_tick_volume(write, read):
    path = write("oanda/20140508_quote.zip", zipped(**{"20140508_eurusd_minute_quote.csv": LEAN_MINUTES}))
    source = open_source(path)
    assert (source.kind, source.timeframe.name, source.timezone) == ("bars", "1m", "UTC")
    found = read(source)
    assert found.time == ["2014-05-08T00:00:00.000000", "2014-05-08T00:01:00.000000"]
    assert (found.values["bid_high"], found.values["ask_low"]) == ([1.39104, 1.39099], [1.39112, 1.39101])
    assert found.values["open"] == pytest.approx([1.391075, 1.39106])
    assert np.isnan(found.values["tick_volume"]).all()


@pytest.mark.parametrize(("folder", "timeframe"), [("hour", "1h"), ("daily", "1d")])
def test_lean_hours_and_days_take_their_length_from_the_folder(write, read, folder, timeframe):
    source = open_source(write(f"forex/oanda/{folder}/eurusd.zip", zipped(**{"eurusd.csv": LEAN_HOURS})))
    assert (source.symbol.name, source.timeframe.name, source.timezone) == ("EUR/USD", timeframe, "UTC")
    assert read(source).time[0] == "2007-01-01T21:00:00.000000"


def test_the_clock_of_a_market_that_no_name_tells_is_unknown(write):
    assert open_source(write("20140508_eurusd_minute_quote.csv", LEAN_MINUTES)).timezone is None


@pytest.mark.parametrize("milliseconds", ["-1", "86400000", "x", "nan"])
def test_milliseconds_that_are_no_time_of_a_day_cannot_be_read(write, read, milliseconds):
    found = read(open_source(write("20140508_eurusd_tick_quote.csv", LEAN_TICKS + f"{milliseconds},1.3,1.4\n")))
    assert found.time[2] == "?"


def test_a_name_that_begins_with_no_date_is_refused(write):
    with pytest.raises(UnsupportedFileError, match="expected a name that begins with a date, found 20141308"):
        open_source(write("20141308_eurusd_tick_quote.csv", LEAN_TICKS))


@pytest.mark.parametrize(
    ("name", "kind", "rows", "first"),
    [
        (
            "fxcm-tick-eurusd-20140508_quote.zip",
            "ticks",
            167_466,
            "2014-05-08T05:00:17.007000",
        ),  # the last has no line end
        ("oanda-minute-eurusd-20140508_quote.zip", "bars", 1_419, "2014-05-08T00:00:00.000000"),
        ("oanda-hour-eurusd.zip", "bars", 74_439, "2007-01-01T21:00:00.000000"),
        ("oanda-daily-eurusd.zip", "bars", 3_738, "2007-01-01T00:00:00.000000"),
    ],
)
def test_real_lean_files_are_read_whole(shared_data, name, kind, rows, first):
    source = open_source(shared_data / "lean" / name)
    tables = list(source.tables())
    assert (source.kind, source.symbol.name, sum(map(len, tables))) == (kind, "EUR/USD", rows)
    assert not any(table.broken for table in tables)
    read = [moments(table.time(), table.timezone) for table in tables]
    assert all(each.readable.all() for each in read)
    assert str(np.datetime64(int(read[0].time[0]), "us")) == first
