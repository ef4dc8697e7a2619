import json

import numpy as np
import pytest

from feature_store.errors import UnsupportedFileError
from feature_store.ingest.readers.oanda import NOT_COMPLETE
from feature_store.ingest.source import open_source
from tests.feature_store.ingest.readers.samples import OANDA

LEVELS = {"o": "1.1", "h": "1.3", "l": "1.0", "c": "1.2"}
HIGHER = {"o": "1.2", "h": "1.4", "l": "1.1", "c": "1.3"}


def answer(*candles):
    return json.dumps({"instrument": "USD_JPY", "granularity": "M5", "candles": candles})


def candle(**sides):
    return {"complete": True, "volume": 1, "time": "2016-10-17T15:00:00.000000000Z", **sides}


def test_prices_are_text_and_what_is_not_complete_is_accounted_for(write, read):
    source = open_source(write("candles.json", OANDA))
    assert (source.symbol.name, source.timeframe.name, source.timezone, source.side) == ("EUR/USD", "1h", "UTC", None)
    found = read(source)
    assert (found.time, found.values["close"], found.values["tick_volume"]) == (
        ["2016-10-17T15:00:00.000000"],
        [1.09997],
        [57],
    )
    (broken,) = found.broken
    assert (broken.row, broken.reason) == (2, NOT_COMPLETE)
    assert broken.values["time"] == "2016-10-17T16:00:00.000000000Z"


def test_one_side_gives_the_prices_and_both_stand_apart(write, read):
    ask = open_source(write("ask.json", answer(candle(ask=HIGHER))))
    assert (ask.side, read(ask).values["open"]) == ("ask", [1.2])
    both = open_source(write("both.json", answer(candle(bid=LEVELS, ask=HIGHER))))
    values = read(both).values
    assert (both.side, values["bid_close"], values["ask_close"]) == (None, [1.2], [1.3])
    assert values["open"] == pytest.approx([1.15])
    all_three = read(open_source(write("all.json", answer(candle(mid=LEVELS, bid=LEVELS, ask=HIGHER))))).values
    assert (all_three["open"], all_three["ask_open"]) == ([1.1], [1.2])


def test_times_may_be_seconds_since_1970(write, read):
    found = read(open_source(write("unix.json", answer({**candle(mid=LEVELS), "time": "1476717400.000000000"}))))
    assert found.time == ["2016-10-17T15:16:40.000000"]


def test_what_is_no_candle_is_broken_and_what_lacks_prices_is_a_row_without(write, read):
    found = read(open_source(write("odd.json", answer(candle(mid=LEVELS), 7, candle()))))
    assert [(each.row, each.reason) for each in found.broken] == [(2, "expected an object, found int")]
    assert np.isnan(found.values["close"][1])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            '{"errorMessage": "Invalid value specified for \'granularity\'"}',
            "OANDA refused: Invalid value specified for",
        ),
        (OANDA[:-9], r"candles\.json, line 1: expected whole JSON"),
    ],
)
def test_a_refusal_is_quoted_and_a_part_is_refused(write, content, message):
    with pytest.raises(UnsupportedFileError, match=message):
        open_source(write("candles.json", content))
