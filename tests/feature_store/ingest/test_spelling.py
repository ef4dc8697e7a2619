import pytest

from feature_store.errors import InvalidRequestError
from feature_store.ingest.spelling import are_ticks, canonical_names, lacking, says_utc


@pytest.mark.parametrize(
    "header",
    [
        "time,open,high,low,close",
        ",Open,High,Low,Close",
        "Date,open,high,low,close",
        "DateTime;O;H;L;C".replace(";", ","),
        "<DATE>,<OPEN>,<HIGH>,<LOW>,<CLOSE>",
        "Gmt time,Open,High,Low,Close",
        "timestamp,OPEN,HIGH,LOW,CLOSE",
        "open_time,mid_open,mid_high,mid_low,mid_close",
        "index,open_price,high_price,low_price,close_price",
        "Unnamed: 0,o,h,l,c",
    ],
)
def test_common_spellings_of_times_and_prices_are_known(header):
    columns = header.split(",")
    assert canonical_names(columns) == dict(zip(("time", "open", "high", "low", "close"), columns, strict=True))


def test_a_date_beside_a_time_of_day_stays_apart():
    assert canonical_names(["<DATE>", "<TIME>", "<OPEN>"]) == {"date": "<DATE>", "time": "<TIME>", "open": "<OPEN>"}


@pytest.mark.parametrize("volume", ["Volume", "vol", "tick_volume", "<TICKVOL>", "Tick Volume", "v", "ticks"])
def test_common_spellings_of_the_tick_volume_are_known(volume):
    assert canonical_names([volume]) == {"tick_volume": volume}


def test_a_tick_volume_beats_a_volume_in_any_order():
    assert (
        canonical_names(["<TICKVOL>", "<VOL>"])
        == canonical_names(["<VOL>", "<TICKVOL>"])
        == {"tick_volume": "<TICKVOL>"}
    )


@pytest.mark.parametrize("column", ["bid_open", "BidOpen", "Open Bid", "open_bid", "bid_o", "Bid-Open"])
def test_common_spellings_of_quotes_are_known(column):
    assert canonical_names([column]) == {"bid_open": column}


def test_columns_that_mean_nothing_here_are_passed_over():
    assert canonical_names(["Adj Close", "symbol", "spread", "known_at", "x"]) == {
        "spread": "spread",
        "known_at": "known_at",
    }


def test_two_columns_of_one_meaning_are_refused():
    with pytest.raises(InvalidRequestError, match="'Open' and 'o' both mean open; leave one of them out"):
        canonical_names(["Open", "o"])


def test_what_bars_lack_is_told_and_quotes_stand_in_for_prices():
    assert lacking(["open", "high"]) == ["time", "low", "close"]
    assert lacking(["time", *(f"ask_{price}" for price in ("open", "high", "low", "close"))]) == []
    assert lacking(["time", "bid_open"]) == ["open", "high", "low", "close"]


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("time,bid,ask", ("time", "bid", "ask")),
        ("Gmt time,Ask,Bid,AskVolume,BidVolume", ("time", "ask", "bid", "ask_volume", "bid_volume")),
        ("timestamp,askPrice,bidPrice", ("time", "ask", "bid")),
        ("<TIME>,<BID>,<ASK>", ("time", "bid", "ask")),
        ("ts,bid_price,ask_price,bid_size,ask_size", ("time", "bid", "ask", "bid_volume", "ask_volume")),
    ],
)
def test_common_spellings_of_ticks_are_known(header, names):
    columns = header.split(",")
    assert canonical_names(columns) == dict(zip(names, columns, strict=True))
    assert are_ticks(names)


def test_bars_with_a_quote_beside_them_are_no_ticks():
    assert not are_ticks(["time", "open", "high", "low", "close", "bid", "ask"])
    assert not are_ticks(["time", "bid"])
    assert not are_ticks(["bid", "ask"])


@pytest.mark.parametrize(
    ("column", "says"), [("Gmt time", True), ("timestamp_utc", True), ("UTC", True), ("time", False)]
)
def test_some_names_of_times_say_that_they_are_utc(column, says):
    assert says_utc(column) is says
