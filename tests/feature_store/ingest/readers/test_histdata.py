import numpy as np
import pytest

from feature_store.ingest.moments import moments
from feature_store.ingest.source import open_source
from tests.feature_store.ingest.readers.samples import HISTDATA_M1, HISTDATA_TICKS, zipped


def test_minutes_are_of_the_bid_without_a_volume_and_on_no_known_clock(write, read):
    source = open_source(write("DAT_ASCII_EURUSD_M1_2018.csv", HISTDATA_M1))
    assert (source.kind, source.symbol.name, source.timeframe.name) == ("bars", "EUR/USD", "1m")
    assert (source.side, source.timezone, source.price_divisor) == ("bid", None, 1.0)
    found = read(source)
    assert found.time == ["2018-01-01T17:00:00.000000", "2018-01-01T17:01:00.000000"]
    assert found.values["open"] == [1.20037, 1.20083]
    assert found.values["high"] == [1.201, 1.20095]
    assert found.values["low"] == [1.20037, 1.20017]
    assert found.values["close"] == [1.201, 1.2003]
    assert np.isnan(found.values["tick_volume"]).all()  # the zeros of the file are no count
    assert found.numbers == [1, 2]


def test_the_report_beside_the_data_in_a_zip_is_passed_over(write, read):
    path = write(
        "HISTDATA_COM_ASCII_GBPUSD_M12018.zip", zipped(**{"a.txt": "x", "DAT_ASCII_GBPUSD_M1_2018.csv": HISTDATA_M1})
    )
    source = open_source(path)
    assert (source.symbol.name, len(read(source).numbers)) == ("GBP/USD", 2)


def test_ticks_have_milliseconds_and_both_sides(write, read):
    source = open_source(write("DAT_ASCII_EURUSD_T_201801.csv", HISTDATA_TICKS))
    assert (source.kind, source.symbol.name, source.timeframe, source.side) == ("ticks", "EUR/USD", None, None)
    found = read(source)
    assert found.time == ["2018-01-01T17:00:14.123000", "2018-01-01T17:00:15.001000"]
    assert found.values == {"bid": [1.20037, 1.20038], "ask": [1.20045, 1.20046]}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("20180101 170200;1.2;1.3;1.1", "expected 6 values, found 4"),
        ("20180101 170200;1.2;1.3;1.1;1.2;0;9", "expected 6 values, found 7"),
        ("garbage", "expected 6 values, found 1"),
        ('20180101 170200;"1.2;1.3;1.1;1.2;0', "expected values between ';'"),
    ],
)
def test_a_line_that_does_not_split_is_handed_over_as_broken_with_its_number_and_text(write, read, line, reason):
    found = read(open_source(write("DAT_ASCII_EURUSD_M1_2018.csv", f"{HISTDATA_M1}{line}\n\n{HISTDATA_M1}")))
    (broken,) = found.broken
    assert (broken.row, broken.values) == (3, {"line": line})
    assert reason in broken.reason
    assert found.numbers == [1, 2, 5, 6]


def test_a_byte_that_is_no_text_breaks_its_line_alone(write, read):
    found = read(
        open_source(write("DAT_ASCII_EURUSD_M1_2018.csv", HISTDATA_M1.encode() + b"20180101 170200;1\xff2;1;1;1;0\n"))
    )
    assert (found.numbers, [each.row for each in found.broken]) == ([1, 2], [3])
    assert found.broken[0].reason == "expected text in UTF-8, found the byte 0xff"


def test_the_last_line_of_a_file_still_being_written_is_broken(write, read):
    found = read(open_source(write("DAT_ASCII_EURUSD_M1_2018.csv", HISTDATA_M1 + "20180101 170200;1.200")))
    assert ([each.row for each in found.broken], len(found.numbers)) == ([3], 2)


def test_impossible_times_are_rows_whose_time_cannot_be_read(write, read):
    lines = "".join(f"{time};1.2;1.3;1.1;1.2;0\n" for time in ("20190230 170000", "20190101 250000", "20190101 170060"))
    assert read(open_source(write("DAT_ASCII_EURUSD_M1_2019.csv", HISTDATA_M1 + lines))).time[2:] == ["?"] * 3


def test_a_real_year_is_read_whole(shared_data):
    source = open_source(shared_data / "histdata" / "HISTDATA_COM_ASCII_EURUSD_M12018.zip")
    tables = list(source.tables())
    assert sum(len(table) for table in tables) == 372_607
    assert not any(table.broken for table in tables)
    assert all(moments(table.time()).readable.all() for table in tables)
    first = tables[0].values()
    assert [first[name][0] for name in ("open", "high", "low", "close")] == [1.20037, 1.201, 1.20037, 1.201]
    assert max(map(len, tables)) <= 500_000
