import lzma

import pytest

from feature_store.errors import UnsupportedFileError
from feature_store.ingest.readers import dukascopy
from feature_store.ingest.source import open_source
from tests.feature_store.ingest.readers.samples import (
    CANDLES_BI5,
    DUKASCOPY_CSV,
    DUKASCOPY_JSON_BARS,
    DUKASCOPY_JSON_TICKS,
    DUKASCOPY_LOCAL_TICKS,
    TICKS_BI5,
    bi5,
)


def test_an_hour_of_ticks_counts_months_from_nought_and_has_the_ask_before_the_bid(write, read):
    source = open_source(write("EURUSD/2018/00/02/13h_ticks.bi5", TICKS_BI5))
    assert (source.kind, source.symbol.name, source.timezone, source.price_divisor) == ("ticks", "EUR/USD", "UTC", 1e5)
    found = read(source)
    assert found.time == ["2018-01-02T13:00:00.037000", "2018-01-02T13:00:01.900000"]
    assert found.values == {
        "bid": [1.2004, 1.20041],
        "ask": [1.20047, 1.2005],
        "bid_volume": [0.75, 2],
        "ask_volume": [1.5, 1],
    }
    assert found.numbers == [1, 2]


@pytest.mark.parametrize(
    ("folder", "divisor"),
    [("USDJPY", 1e3), ("XAUUSD", 1e3), ("USDHUF", 1e3), ("USDCZK", 1e4), ("USDMXN", 1e5), ("eurgbp", 1e5)],
)
def test_points_have_as_many_digits_as_the_pair(write, folder, divisor):
    assert open_source(write(f"{folder}/2018/11/31/23h_ticks.bi5", TICKS_BI5)).price_divisor == divisor


def test_an_hour_without_ticks_is_an_empty_file(write, read):
    found = read(open_source(write("EURUSD/2018/00/06/13h_ticks.bi5", b"")))
    assert (found.numbers, found.sizes) == ([], [0])


def test_a_name_may_keep_what_the_folders_said(write, read):
    found = read(open_source(write("EURUSD_2018_11_31_23h_ticks.bi5", TICKS_BI5)))
    assert found.time[0] == "2018-12-31T23:00:00.037000"


@pytest.mark.parametrize(
    ("name", "first", "timeframe", "side"),
    [
        ("EURUSD/2018/00/02/BID_candles_min_1.bi5", "2018-01-02T00:00:00.000000", "1m", "bid"),
        ("EURUSD/2018/03/ASK_candles_hour_1.bi5", "2018-04-01T00:00:00.000000", "1h", "ask"),
        ("EURUSD/2018/BID_candles_day_1.bi5", "2018-01-01T00:00:00.000000", "1d", "bid"),
    ],
)
def test_candles_are_open_close_low_high_since_their_day_month_or_year(write, read, name, first, timeframe, side):
    source = open_source(write(name, CANDLES_BI5))
    assert (source.kind, source.timeframe.name, source.side) == ("bars", timeframe, side)
    found = read(source)
    assert found.time[0] == first
    assert [found.values[price][0] for price in ("open", "high", "low", "close")] == [1.2004, 1.2007, 1.2003, 1.2006]
    assert found.values["tick_volume"] == [55.5, 9]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "13h_ticks.bi5",
            TICKS_BI5,
            "expected folders that say the symbol and the time, as in EURUSD/2018/00/02/13h_ticks",
        ),
        ("EURUSD/2018/12/02/13h_ticks.bi5", TICKS_BI5, "a month from 00 to 11 and a day, found EURUSD/2018/12/02/13h"),
        ("EURUSD/2018/01/30/13h_ticks.bi5", TICKS_BI5, "found EURUSD/2018/01/30"),
        ("FOOBAR/2018/01/02/13h_ticks.bi5", TICKS_BI5, r"expected the folder of a currency pair, .* found FOOBAR"),
        ("EURUSD/2018/00/02/13h_ticks.bi5", TICKS_BI5[:-5], "expected a whole LZMA file, found a part"),
        ("EURUSD/2018/00/02/13h_ticks.bi5", b"<html>busy</html>", "expected LZMA"),
    ],
)
def test_a_binary_file_that_is_none_or_is_placed_nowhere_is_refused(write, read, name, content, message):
    with pytest.raises(UnsupportedFileError, match=message):
        read(open_source(write(name, content)))


def test_a_record_that_was_cut_off_is_broken(write, read):
    content = lzma.compress(lzma.decompress(TICKS_BI5) + b"\x00\x00\x07", format=lzma.FORMAT_ALONE)
    found = read(open_source(write("EURUSD/2018/00/02/13h_ticks.bi5", content)))
    (broken,) = found.broken
    assert (broken.row, broken.reason, broken.values) == (3, "expected 20 bytes, found 3", {"bytes": "000007"})
    assert len(found.numbers) == 2


def test_a_decompression_bomb_is_refused(write, read, monkeypatch):
    monkeypatch.setattr(dukascopy, "LARGEST_WHOLE", 1_000)
    path = write("EURUSD/2018/00/02/13h_ticks.bi5", bi5(*[(0, 1, 1, 0.0, 0.0)] * 1_000, form=">3I2f"))
    with pytest.raises(UnsupportedFileError, match=r"expected at most .* once unpacked, found more"):
        read(open_source(path))


def test_the_csv_of_the_export_page_is_of_the_side_in_its_name_and_in_utc(write, read):
    source = open_source(write("EURUSD_Candlestick_1_M_BID_01.01.2018-31.12.2018.csv", DUKASCOPY_CSV))
    assert (source.format, source.symbol.name, source.timeframe.name) == ("dukascopy-csv", "EUR/USD", "1m")
    assert (source.side, source.timezone) == ("bid", "UTC")
    assert read(source).time == ["2018-01-02T00:00:00.000000", "2018-01-02T00:01:00.000000"]


@pytest.mark.parametrize(
    ("header", "zone"),
    [
        ("Etc/UTC", "UTC"),
        ("Europe/Zurich", "Europe/Zurich"),
        ("Time (EET)", "EET"),
        ("Local time", None),
        ("Time (XYZ)", None),
    ],
)
def test_the_zone_of_the_csv_is_the_one_its_header_names(write, header, zone):
    path = write("EURUSD_Candlestick_1_Hour_ASK_01.01.2018-31.12.2018.csv", DUKASCOPY_CSV.replace("Gmt time", header))
    source = open_source(path)
    assert (source.format, source.timezone, source.timeframe.name, source.side) == ("dukascopy-csv", zone, "1h", "ask")


def test_local_times_carry_their_own_offsets(write, read):
    source = open_source(write("EURUSD_Ticks_02.01.2018-02.07.2018.csv", DUKASCOPY_LOCAL_TICKS))
    assert (source.kind, source.timezone) == ("ticks", None)
    found = read(source)
    assert found.time == ["2018-01-02T00:00:00.037000", "2018-07-02T00:00:01.900000"]
    assert found.values == {
        "bid": [1.2004, 1.20041],
        "ask": [1.20047, 1.2005],
        "bid_volume": [0.75, 2],
        "ask_volume": [1.5, 1],
    }


def test_json_bars_are_sums_of_differences_with_plain_volumes(write, read):
    source = open_source(write("candles-minute-EUR-USD-BID-2026-7-10.json", DUKASCOPY_JSON_BARS))
    assert (source.symbol.name, source.timeframe.name, source.side, source.timezone) == ("EUR/USD", "1m", "bid", "UTC")
    found = read(source)
    assert found.time == [f"2026-07-10T00:0{minute}:00.000000" for minute in (0, 1, 3)]
    assert found.values["open"] == [1.17012, 1.17015, 1.1701]
    assert found.values["high"] == [1.1702, 1.17022, 1.17021]
    assert found.values["low"] == [1.17001, 1.17002, 1.17002]
    assert found.values["close"] == [1.17015, 1.17014, 1.17018]
    assert found.values["tick_volume"] == [12.5, 2.11e-4, 3]


def test_json_ticks_are_sums_of_differences_of_milliseconds(write, read):
    source = open_source(write("ticks/EUR-USD/2026/7/13/12.json", DUKASCOPY_JSON_TICKS))
    assert (source.kind, source.symbol.name) == ("ticks", "EUR/USD")
    found = read(source)
    assert found.time == ["2026-07-13T12:00:00.093000", "2026-07-13T12:00:00.197000"]
    assert found.values["ask"] == [1.14277, 1.14275]
    assert found.values["bid"] == [1.14273, 1.14272]
    assert found.values["bid_volume"] == [2_700_000, 900_000]


def test_a_json_day_without_trade_has_no_rows(write, read):
    lists = ",".join(f'"{name}":[]' for name in ("times", "opens", "highs", "lows", "closes", "volumes"))
    firsts = ",".join(f'"{price}":null' for price in ("open", "high", "low", "close"))
    body = f'{{"timestamp":1783728000000,"multiplier":1.0E-5,{firsts},"shift":60000,{lists}}}'
    assert read(open_source(write("day.json", body))).sizes == [0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"opens":[0,3,-5]', '"opens":[0,3]'),
        ('"opens":[0,3,-5]', '"opens":[0,3,"x"]'),
        ('"opens":[0,3,-5]', '"opens":[0,0.5,1]'),
        ('"closes":[0,-1,4],', ""),
        ('"open":1.17012', '"open":null'),
        ('"multiplier":1.0E-5', '"multiplier":0'),
    ],
)
def test_json_lists_that_do_not_belong_together_are_refused(write, old, new):
    assert old in DUKASCOPY_JSON_BARS
    with pytest.raises(
        UnsupportedFileError, match=r"expected lists of numbers of one length: times, opens, highs, lows, closes"
    ):
        open_source(write("day.json", DUKASCOPY_JSON_BARS.replace(old, new)))
