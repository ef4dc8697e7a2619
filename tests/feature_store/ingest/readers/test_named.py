import gzip

import polars as pl
import pytest

from feature_store.errors import UnsupportedFileError
from feature_store.ingest.source import open_source
from tests.feature_store.ingest.readers.samples import BAR_COLUMNS, CSV, TICKS_CSV, parquet


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (CSV, "bars.csv"),
        (CSV, "bars.txt"),
        (CSV.replace(",", ";"), "bars.csv"),
        (CSV.replace(",", "\t"), "bars.tsv"),
        (CSV.replace(",", "|"), "bars.csv"),
        (CSV.replace("\n", "\r\n"), "bars.csv"),
        (CSV.replace("\n", ",\n"), "bars.csv"),
        (CSV.replace("1.3", '"1.3"').replace("time", '"time"'), "bars.csv"),
        ("\ufeff" + CSV, "bars.csv"),
        (CSV.encode("utf-16"), "bars.csv"),
        (gzip.compress(CSV.encode()), "bars.csv.gz"),
        (CSV.rstrip("\n"), "BARS.CSV"),
    ],
)
def test_text_in_columns_is_read_whatever_separates_quotes_and_encodes_it(write, read, content, name):
    found = read(open_source(write(name, content)))
    assert found.values["close"] == [1.3, 1.4]
    assert found.values["tick_volume"] == [5, 6]
    assert (found.numbers, found.broken) == ([2, 3], [])


def test_lines_are_numbered_as_an_editor_does_and_blank_ones_are_no_rows(write, read):
    found = read(open_source(write("bars.csv", CSV.replace("\n2023-01-03 11", "\n\n , ,\n2023-01-03 11") + "\n")))
    assert (found.numbers, found.broken) == ([2, 5], [])


def test_columns_named_as_those_of_ticks_are_ticks(write, read):
    source = open_source(write("truefx-usdjpy-ticks.csv", TICKS_CSV))
    assert (source.kind, source.symbol.name, source.timeframe) == ("ticks", "USD/JPY", None)
    found = read(source)
    assert found.time == ["2013-01-01T22:00:00.295000", "2013-01-01T22:02:35.907000"]
    assert found.values == {"bid": [86.655, 86.657], "ask": [86.728, 86.728]}


def test_epoch_milliseconds_and_the_spellings_of_downloaders_are_ticks_too(write, read):
    content = "timestamp,askPrice,bidPrice,askVolume,bidVolume\n1546448400123,1.2,1.1,3,4\n"
    found = read(open_source(write("eurusd-tick-2019-01-02.csv", content)))
    assert found.time == ["2019-01-02T17:00:00.123000"]
    assert found.values == {"bid": [1.1], "ask": [1.2], "bid_volume": [4], "ask_volume": [3]}


def test_a_header_that_names_utc_says_the_zone(write):
    assert open_source(write("bars.csv", CSV.replace("time,", "timestamp_utc,"))).timezone == "UTC"
    assert open_source(write("bars2.csv", CSV)).timezone is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"line 1: expected a header with time, open, high, low and close .* found nothing"),
        ("\n\n", r"line 1: expected a header"),
        ("a,b\n1,2\n", r"line 1: expected a header .* no column means time, open, .* among a, b"),
        ("2019.01.02,00:00\n", r"line 1: expected a header"),
        (CSV.replace("open", "Open,o"), r"line 1: the columns 'Open' and 'o' both mean open"),
        (CSV.replace("volume", "x,x"), r"line 1: expected a header that names each column once, found 'x' twice"),
        ('"time,open\n', r"line 1: expected a header with names between"),
        (b"\x00\x00\x01binary", r"line 1: expected a header .* found nothing"),
    ],
)
def test_a_header_that_is_none_is_refused(write, content, message):
    with pytest.raises(UnsupportedFileError, match=r"bars\.csv, " + message):
        open_source(write("bars.csv", content))


def test_a_header_alone_is_a_file_without_rows(write, read):
    assert read(open_source(write("bars.csv", "time,open,high,low,close"))).sizes == [0]
    assert read(open_source(write("bars.csv", "time,open,high,low,close\n"))).sizes == [0]


def test_parquet_is_read_by_name_and_by_its_first_bytes_in_batches(write, read):
    for name in ("bars.parquet", "bars", "bars.parquet.gz"):
        content = parquet(BAR_COLUMNS)
        found = read(open_source(write(name, gzip.compress(content) if name.endswith("gz") else content)), batch=1)
        assert (found.values["close"], found.numbers, found.sizes) == ([1, 2], [1, 2], [1, 1])


def test_parquet_without_rows_and_without_sense(write, read):
    assert read(open_source(write("empty.parquet", parquet({name: [] for name in BAR_COLUMNS})))).sizes == [0]
    with pytest.raises(UnsupportedFileError, match=r"bars\.parquet: expected a Parquet file"):
        open_source(write("bars.parquet", b"PAR1 and nothing else"))
    with pytest.raises(UnsupportedFileError, match=r"bars\.parquet: expected a header .* no column means open"):
        open_source(write("bars.parquet", parquet({"time": [1], "close": [1.0]})))


def test_parquet_keeps_times_of_a_type_with_a_zone(write, read):
    column = pl.Series(["2019-01-02 17:00:00"]).str.to_datetime(time_zone="UTC").dt.convert_time_zone("Asia/Tokyo")
    found = read(open_source(write("bars.parquet", parquet({**{name: [1.0] for name in "ohlc"}, "time": column}))))
    assert found.time == ["2019-01-02T17:00:00.000000"]


def test_real_bars_and_ticks_with_names_are_read_whole(shared_data, read):
    bid = open_source(shared_data / "fxcm" / "usdjpy-m1-bid-2013.csv.gz")
    assert (bid.symbol.name, bid.timeframe.name, bid.side, len(read(bid).numbers)) == ("USD/JPY", "1m", "bid", 28_761)
    ticks = open_source(shared_data / "fxcm" / "truefx-usdjpy-ticks.csv.gz")
    assert (ticks.kind, len(read(ticks).numbers)) == ("ticks", 1_000)
    with pytest.raises(UnsupportedFileError, match="no column means open, high, low, close among LOCATION"):
        open_source(shared_data / "fxcm" / "short-term-interest.csv.gz")
