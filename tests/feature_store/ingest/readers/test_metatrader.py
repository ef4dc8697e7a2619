import numpy as np
import pytest

from feature_store.errors import UnsupportedFileError
from feature_store.ingest.source import open_source
from tests.feature_store.ingest.readers.samples import MT4, MT5_BARS, MT5_DAYS, MT5_TICKS


def test_mt4_bars_have_a_date_a_time_of_day_and_a_tick_volume(write, read):
    source = open_source(write("EURUSD60.csv", MT4))
    assert (source.symbol.name, source.timeframe.name, source.side, source.timezone) == ("EUR/USD", "1h", "bid", None)
    found = read(source)
    assert found.time == ["2018-01-02T00:00:00.000000", "2018-01-02T01:00:00.000000"]
    assert (found.values["tick_volume"], found.values["close"]) == ([153, 98], [1.2009, 1.2007])


def test_the_zero_volume_of_histdatas_copy_is_no_volume(write, read):
    source = open_source(write("DAT_MT_EURUSD_M1_2018.csv", MT4.replace(",153", ",0")))
    assert source.timeframe.name == "1m"
    assert np.isnan(read(source).values["tick_volume"]).all()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_mt5_bars_are_read_in_any_encoding_and_their_spread_in_points_becomes_a_price(write, read, encoding):
    source = open_source(write("EURUSD_H1_202001020000_202012312300.csv", MT5_BARS.encode(encoding)))
    assert (source.format, source.symbol.name, source.timeframe.name) == ("mt5-bars", "EUR/USD", "1h")
    found = read(source)
    assert found.time == ["2020-01-02T08:00:00.000000", "2020-01-02T09:00:00.000000"]
    assert (found.values["spread"], found.values["tick_volume"]) == ([0.00012, 0.00003], [1532, 1400])
    assert found.numbers == [2, 3]


def test_mt5_days_have_no_time_of_day_and_yen_have_three_digits(write, read):
    source = open_source(write("USDJPY_Daily_202001020000_202012310000.csv", MT5_DAYS))
    assert (source.symbol.name, source.timeframe.name) == ("USD/JPY", "1d")
    found = read(source)
    assert (found.time, found.values["spread"]) == (["2020-01-02T00:00:00.000000"], [0.009])


def test_a_blank_side_of_an_mt5_tick_is_the_one_before(write, read):
    found = read(open_source(write("EURUSD_202401020000_202401022359.csv", MT5_TICKS)), batch=1)
    assert found.values["bid"] == [1.10427, 1.10428, 1.10428]
    assert found.values["ask"] == [1.10442, 1.10442, 1.10441]
    assert found.time[0] == "2024-01-02T00:00:00.133000"


def test_a_side_that_nobody_has_quoted_yet_is_not_invented(write, read):
    first, _, *later = MT5_TICKS.splitlines(keepends=True)
    found = read(open_source(write("EURUSD_202401020000_202401022359.csv", first + "".join(later))))
    assert np.isnan(found.values["ask"][0])
    assert found.values["ask"][1] == 1.10441


def test_a_mt5_header_without_prices_is_refused(write):
    path = write("EURUSD_H1.csv", "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\n2020.01.02\t08:00:00\t1\t1\n")
    with pytest.raises(UnsupportedFileError, match=r"EURUSD_H1\.csv, line 1: .* no column means low, close"):
        open_source(path)


def test_lines_that_are_no_mt4_are_refused_where_the_format_is_named(write):
    with pytest.raises(UnsupportedFileError, match=r"line 1: expected lines such as 2018\.01\.02,00:00,.*, found a,b"):
        open_source(write("x.csv", "a,b\n"), format="mt4")
