"""A live market gives the rows that a store gives of the same bars, to the bit, however the bars came."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import feature_store as fs
from feature_store.bars import COLUMNS, Bars, Symbol, Timeframe
from feature_store.calendar import Calendar
from feature_store.engine.rollback import REACH
from feature_store.errors import FeatureNotFoundError, InvalidRequestError
from feature_store.resample import resample
from feature_store.times import to_datetime, to_microseconds
from tests.conftest import same_bits
from tests.feature_store.market.conftest import ASKED, COMPARED, STARTS, assert_rows_are_history, bars_of, feed

SEEDS = st.integers(0, 2**32)


QUARTER = 900_000_000
FIFTEEN = Timeframe.parse("15m")


def flat(price: float, tick_volume: float = 1.0) -> dict[str, float]:
    return {**dict.fromkeys(("open", "high", "low", "close"), price), "tick_volume": tick_volume}


def hour(number: int, minutes: int = 0):
    """A moment of a Wednesday."""
    return datetime(2023, 5, 3, tzinfo=UTC) + timedelta(hours=number, minutes=minutes)


FLAT = flat(1.0)


def quarters(start: str, end: str) -> list[int]:
    return Calendar().expected(to_microseconds(start), to_microseconds(end), FIFTEEN).tolist()


def in_order(bars):
    return sorted(((symbol, moment) for symbol in bars for moment in bars[symbol]), key=lambda each: each[1])


def is_weekend(moment) -> bool:
    return bool(Calendar().is_weekend(moment))


def pair(seed: int, start: str, count: int) -> dict[str, dict[int, dict]]:
    return {"EUR/USD": bars_of(seed, start, count), "GBP/USD": bars_of(seed + 1, start, count)}


@settings(max_examples=10, deadline=None)
@given(SEEDS, st.sampled_from(STARTS), st.integers(1, 400))
def test_rows_given_live_are_the_rows_of_history(seed, start, count):
    bars = pair(seed, start, count)
    rows = feed(fs.live_market(ASKED), bars)
    assert_rows_are_history(rows, bars, ASKED)
    assert not any(row.revised for row in rows)


@settings(max_examples=8, deadline=None)
@given(SEEDS, st.sampled_from(STARTS), st.integers(1, 400), st.sampled_from(["EUR/USD", "BTC/USD"]))
def test_days_and_weeks_are_those_of_history_for_what_rests_and_what_trades_on(seed, start, count, symbol):
    asked = {symbol: {"1h": ["sma_3@1d"], "4h": ["sma_3", "rsi_3@1w"], "1w": ["sma_3", "rsi_3"]}}
    bars = {symbol: bars_of(seed, start, count, symbol=symbol, timeframe="1h", longest_gap=30)}
    assert_rows_are_history(feed(fs.live_market(asked), bars), bars, asked)


@settings(max_examples=8, deadline=None)
@given(SEEDS, st.integers(1, 150), st.floats(0, 0.9))
def test_gaps_pass_through_all_timeframes_as_through_resampled_columns(seed, count, share):
    bars = bars_of(seed, STARTS[0], count)
    random = np.random.default_rng(seed)
    gaps = {moment: dict.fromkeys(FLAT, math.nan) for moment in bars if random.random() < share}
    asked = {"EUR/USD": {"15m": ["sma_3", "obv"], "1h": ["sma_3", "obv"]}}
    rows = feed(fs.live_market(asked), {"EUR/USD": bars | gaps})
    time, numbers = np.array(list(bars)), [list(each.values()) for each in (bars | gaps).values()]
    series = Bars(Symbol.parse("EUR/USD"), FIFTEEN, time, dict(zip(COLUMNS, np.array(numbers).T.copy(), strict=True)))
    for timeframe in asked["EUR/USD"]:
        wanted = fs.compute(resample(series, timeframe).closed.columns, ["sma_3", "obv"])
        assert same_bits(
            [list(dict.values(row.values)) for row in rows if row.timeframe == timeframe] or wanted[:0], wanted
        )


@settings(max_examples=10, deadline=None)
@given(SEEDS, st.sampled_from(STARTS), st.integers(1, 250))
def test_compared_symbols_end_as_in_history_whoever_comes_first(seed, start, count):
    bars = pair(seed, start, count)
    random = np.random.default_rng(seed)
    slots = [
        (symbol, moment, moment + random.integers(0, 5) * 900_000_000) for symbol in bars for moment in bars[symbol]
    ]
    late = dict.fromkeys(bars, 0)
    order = []
    for symbol, moment, arrival in sorted(slots, key=lambda each: each[1]):
        late[symbol] = max(late[symbol], arrival)  # of one symbol bars come in order
        order.append((symbol, moment, late[symbol]))
    order = [each[:2] for each in sorted(order, key=lambda each: each[2])]
    market = fs.live_market(COMPARED)
    assert_rows_are_history(feed(market, bars, order), bars, COMPARED)
    in_time = fs.live_market(COMPARED)
    feed(in_time, bars)
    assert market.snapshot() == in_time.snapshot()


@pytest.mark.parametrize("asked", [ASKED, COMPARED], ids=["alone", "compared"])
@settings(max_examples=10, deadline=None)
@given(SEEDS, st.sampled_from(STARTS), st.integers(1, 150))
def test_after_any_corrections_all_is_as_if_the_bars_had_come_so(asked, seed, start, count):
    bars = pair(seed, start, count)
    random = np.random.default_rng(seed)
    pool = list(bars_of(seed + 2, start, 50).values())
    held = {symbol: {} for symbol in bars}
    market, rows = fs.live_market(asked), []
    for symbol, moment in in_order(bars):
        rows += market.update(symbol, time=to_datetime(moment), **bars[symbol][moment])
        held[symbol][moment] = bars[symbol][moment]
        if random.random() > 0.1:
            continue
        what = random.choice(["correct", "insert", "peek", "restart"])
        bar = pool[random.integers(50)]
        recent = [each for each in sorted(held[symbol])[-REACH:] if reachable(held, each)] or [moment]
        at = int(random.choice(recent))
        if what == "correct":
            rows += market.correct(symbol, time=to_datetime(at), **bar)
            held[symbol][at] = bar
        elif what == "insert" and at - QUARTER not in held[symbol] and at != recent[0] and not is_weekend(at - QUARTER):
            rows += market.insert(symbol, time=to_datetime(at - QUARTER), **bar)
            held[symbol][at - QUARTER] = bar
        elif what == "peek" and not is_weekend(ahead := moment + QUARTER * int(random.integers(1, 40))):
            before = market.snapshot()
            market.peek(symbol, time=to_datetime(ahead), **bar)
            assert market.snapshot() == before
        else:
            market = fs.restore_market(market.snapshot())
    assert_rows_are_history(rows, held, asked)
    fresh = fs.live_market(asked)
    feed(fresh, held)
    assert market.snapshot() == fresh.snapshot()


def reachable(held, moment) -> bool:
    """Whether no symbol has so many bars since that their rows are not given again."""
    return all(sum(each >= moment - QUARTER for each in mine) < REACH for mine in held.values())


# ---------------------------------------------------------------- peek
@settings(max_examples=10, deadline=None)
@given(SEEDS, st.sampled_from(STARTS), st.integers(2, 150))
def test_a_peek_shows_what_an_update_would_give_and_changes_nothing(seed, start, count):
    bars = {"EUR/USD": bars_of(seed, start, count)}
    *earlier, (moment, bar) = bars["EUR/USD"].items()
    asked = {"EUR/USD": ASKED["EUR/USD"]}
    market = fs.live_market(asked)
    feed(market, {"EUR/USD": dict(earlier)})
    before = market.snapshot()
    peeked = {row.timeframe: row for row in market.peek("EUR/USD", time=to_datetime(moment), **bar)}
    assert market.snapshot() == before
    assert list(peeked) == sorted(peeked, key=lambda name: peeked[name].available_at)
    for row in market.update("EUR/USD", time=to_datetime(moment), **bar):
        if row.available_at == to_datetime(moment + QUARTER):  # closed with the bar, not by having been passed
            shown = peeked[row.timeframe]
            assert row[:4] == shown[:4]
            assert same_bits(list(row.values.values()), list(shown.values.values()))


def test_a_peek_shows_the_forming_higher_bars_as_if_they_closed_now():
    market = fs.live_market({"EUR/USD": {"15m": ["sma_1@1h"], "1h": ["sma_1", "sma_2"]}})
    for number in range(5):  # 10:00 to 11:00
        market.update("EUR/USD", time=hour(10, 15 * number), **FLAT)
    quarter, hourly = market.peek("EUR/USD", time=hour(11, 15), **flat(3.0))
    assert (quarter.timeframe, quarter.values) == ("15m", {"sma_1@1h": 1.0})  # the hour has not closed
    assert (hourly.timeframe, hourly.time, hourly.available_at) == ("1h", hour(11), hour(12))
    assert hourly.values == {"sma_1": 3.0, "sma_2": 2.0}


def test_a_peek_after_a_gap_first_closes_what_was_passed():
    market = fs.live_market({"EUR/USD": {"15m": [], "1h": ["sma_2"]}})
    market.update("EUR/USD", time=hour(10), **FLAT)
    (row,) = market.peek("EUR/USD", time=hour(13), **flat(3.0))
    assert (row.time, row.values) == (hour(13), {"sma_2": 2.0})


# ---------------------------------------------------------------- corrections
def test_a_corrected_bar_gives_again_the_rows_of_the_bars_it_is_in_and_of_all_since():
    market = fs.live_market({"EUR/USD": {"15m": ["sma_1", "sma_1@1h"], "1h": ["sma_1"]}})
    for number in range(10):  # 10:00 to 12:15
        market.update("EUR/USD", time=hour(10, 15 * number), **flat(1.0 + number))
    rows = market.correct("EUR/USD", time=hour(10, 45), **flat(9.0))
    assert all(row.revised for row in rows)
    assert [(row.timeframe, row.time, list(row.values.values())) for row in rows] == [
        ("1h", hour(10), [9.0]),
        ("15m", hour(10, 45), [9.0, 9.0]),
        ("15m", hour(11), [5.0, 9.0]),
        ("15m", hour(11, 15), [6.0, 9.0]),
        ("15m", hour(11, 30), [7.0, 9.0]),
        ("1h", hour(11), [8.0]),
        ("15m", hour(11, 45), [8.0, 8.0]),
        ("15m", hour(12), [9.0, 8.0]),
        ("15m", hour(12, 15), [10.0, 8.0]),
    ]


def test_a_correction_within_a_forming_bar_shows_when_it_closes():
    market = fs.live_market({"EUR/USD": {"15m": [], "1h": ["sma_1", "obv"]}})
    for number in range(7):
        market.update("EUR/USD", time=hour(9, 15 * number), **flat(1.0 + number))
    assert market.correct("EUR/USD", time=hour(10, 15), **flat(1.0, tick_volume=6.0)) == []
    (row,) = market.update("EUR/USD", time=hour(10, 45), **flat(9.0))
    assert row.values == {"sma_1": 9.0, "obv": 9.0}


def test_an_inserted_bar_may_make_a_higher_bar_that_was_not_there():
    market = fs.live_market({"EUR/USD": {"15m": [], "1h": ["sma_1", "sma_2"]}})
    for at, price in ((hour(10), 1.0), (hour(12), 3.0), (hour(13), 4.0)):
        market.update("EUR/USD", time=at, **flat(price))
    rows = market.insert("EUR/USD", time=hour(11, 30), **flat(2.0))
    assert [(row.time, list(row.values.values()), row.revised) for row in rows] == [
        (hour(11), [2.0, 1.5], False),
        (hour(12), [3.0, 2.5], True),
    ]


def test_an_inserted_bar_may_close_a_higher_bar_behind_all_others():
    market = fs.live_market({"EUR/USD": {"15m": [], "1h": ["sma_1"]}})
    market.update("EUR/USD", time=hour(10), **flat(1.0))
    market.update("EUR/USD", time=hour(12), **flat(3.0))
    (row,) = market.insert("EUR/USD", time=hour(11), **flat(2.0))
    assert (row.time, row.values, row.revised) == (hour(11), {"sma_1": 2.0}, False)


@pytest.mark.parametrize(
    ("change", "at", "message"),
    [
        ("correct", (0, 0), r"not among the last 32.*rebuild from bars"),
        ("correct", (20, 0), "update takes the next one"),
        ("insert", (9, 45), "a bar opened at 2023-05-03T09:45:00Z already"),
        ("correct", (9, 7), "no bar opened at 2023-05-03T09:07:00Z"),
        ("insert", (9, 7), "no 15m bar opens at 2023-05-03T09:07:00Z"),
    ],
)
def test_a_change_that_fits_no_bar_changes_nothing(change, at, message):
    market = fs.live_market({"EUR/USD": {"15m": ["sma_3"], "1h": ["rsi_3"]}})
    for number in range(40):
        market.update("EUR/USD", time=hour(0, 15 * number), **FLAT)
    before = market.snapshot()
    with pytest.raises(InvalidRequestError, match=message):
        getattr(market, change)("EUR/USD", time=hour(*at), **FLAT)
    assert market.snapshot() == before


# ---------------------------------------------------------------- two symbols
def test_a_row_is_given_again_when_the_other_symbols_bar_arrives():
    market = fs.live_market({"EUR/USD": {"15m": ["correl_2@GBPUSD"]}, "GBP/USD": {"15m": []}})
    for number, price in enumerate((1.0, 2.0)):
        market.update("GBP/USD", time=hour(10, 15 * number), **flat(price))
        market.update("EUR/USD", time=hour(10, 15 * number), **flat(price))
    (first,) = market.update("EUR/USD", time=hour(10, 30), **flat(1.0))
    (again,) = market.update("GBP/USD", time=hour(10, 30), **flat(3.0))
    assert math.isnan(first.values["correl_2@GBPUSD"])
    assert (again.symbol, again.time, again.revised) == ("EUR/USD", first.time, True)
    assert again.values["correl_2@GBPUSD"] == pytest.approx(-1.0)


def test_a_correction_of_the_other_symbol_revises_the_rows_that_look_at_it():
    market = fs.live_market({"EUR/USD": {"15m": ["correl_2@GBPUSD"]}, "GBP/USD": {"15m": ["sma_1"]}})
    for number, price in enumerate((1.0, 2.0, 3.0)):
        for symbol in ("EUR/USD", "GBP/USD"):
            market.update(symbol, time=hour(10, 15 * number), **flat(price))
    rows = market.correct("GBP/USD", time=hour(10, 15), **flat(5.0))
    assert [(row.symbol, row.time) for row in rows] == [
        ("GBP/USD", hour(10, 15)),
        ("GBP/USD", hour(10, 30)),
        ("EUR/USD", hour(10, 15)),
        ("EUR/USD", hour(10, 30)),
    ]
    assert rows[-1].values["correl_2@GBPUSD"] == pytest.approx(-1.0)


def test_an_hour_of_the_other_symbol_that_closes_late_revises_all_rows_since_its_end():
    columns = ["correl_2@GBPUSD", "correl_2@GBPUSD@1h"]
    market = fs.live_market({"EUR/USD": {"15m": columns}, "GBP/USD": {"15m": []}})
    for number in range(18):  # 8:00 to 12:15
        market.update("EUR/USD", time=hour(8, 15 * number), **flat(1.0 + number))
        if number not in {15, 16, 17}:  # 11:45 and later
            market.update("GBP/USD", time=hour(8, 15 * number), **flat(1.0 + number))
    rows = market.update("GBP/USD", time=hour(12, 15), **flat(1.0))
    assert [row.time for row in rows] == [hour(11, 45), hour(12), hour(12, 15)]
    assert [row.values["correl_2@GBPUSD@1h"] for row in rows] == pytest.approx([1.0] * 3)


def test_rows_of_the_last_32_bars_are_given_again_and_those_before_stand_corrected_in_the_state_alone():
    asked = {"EUR/USD": {"15m": ["correl_2@GBPUSD"]}, "GBP/USD": {"15m": []}}
    late, in_time = fs.live_market(asked), fs.live_market(asked)
    for market, gap in ((late, 60), (in_time, None)):
        for number in range(98):
            for symbol in ("EUR/USD", "GBP/USD"):
                if symbol == "EUR/USD" or gap is None or number < gap:
                    market.update(symbol, time=hour(-24, 15 * number), **flat(1.0 + number % 7))
    for number in range(60, 98):
        rows = late.update("GBP/USD", time=hour(-24, 15 * number), **flat(1.0 + number % 7))
        assert [row.time for row in rows] == [hour(-24, 15 * each) for each in range(max(number, 66), 98)]
    assert rows[-1].values["correl_2@GBPUSD"] == pytest.approx(1.0)
    assert late.snapshot() == in_time.snapshot()


def test_a_gap_of_the_other_symbol_is_the_same_whoever_comes_first_and_however_its_nan_is_written():
    states = set()
    for symbols in (["EUR/USD", "GBP/USD"], ["GBP/USD", "EUR/USD"]):
        market = fs.live_market({"EUR/USD": {"15m": ["correl_2@GBPUSD"]}, "GBP/USD": {"15m": []}})
        for symbol in symbols:
            market.update(symbol, time=hour(10), **flat(-math.nan if symbol == "GBP/USD" else 1.0))
        states.add(market.snapshot())
    assert len(states) == 1


def test_a_bar_too_late_for_the_symbol_that_looks_at_it_is_refused_and_nothing_changes():
    market = fs.live_market({"EUR/USD": {"15m": ["correl_2@GBPUSD"]}, "GBP/USD": {"15m": []}})
    for number in range(100):
        market.update("EUR/USD", time=hour(0, 15 * number), **FLAT)
    before = market.snapshot()
    with pytest.raises(
        InvalidRequestError, match=r"15m bar of 2023-05-03T00:00:00Z comes too late.*rebuild the market"
    ):
        market.update("GBP/USD", time=hour(0), **FLAT)
    assert market.snapshot() == before
    assert market.update("GBP/USD", time=hour(0, 15 * 90), **FLAT)[0].symbol == "EUR/USD"


def test_a_bar_whose_other_is_no_longer_kept_is_refused_and_nothing_changes():
    market = fs.live_market({"EUR/USD": {"15m": ["correl_2@GBPUSD"], "1h": []}, "GBP/USD": {"15m": []}})
    for quarter in (0, 30):
        market.update("EUR/USD", time=f"2023-05-01T00:{quarter:02}Z", **FLAT)
    feed(market, {"GBP/USD": dict.fromkeys(quarters("2023-05-01", "2023-05-05"), FLAT)})
    before = market.snapshot()
    changes = [market.update, market.peek, fs.restore_market(before).update]
    for change, minute in [*((each, 45) for each in changes), (market.insert, 15), (market.correct, 30)]:
        with pytest.raises(InvalidRequestError, match=r"that symbol is 256 bars ahead; rebuild the market"):
            change("EUR/USD", time=f"2023-05-01T00:{minute}Z", **FLAT)
    assert market.snapshot() == before
    assert len(market.update("EUR/USD", time="2023-05-04T00:00Z", **FLAT)) == 1


def test_a_peek_at_an_hour_whose_other_is_no_longer_kept_is_refused():
    market = fs.live_market({"EUR/USD": {"15m": [], "1h": ["correl_2@GBPUSD"]}, "GBP/USD": {"1h": []}})
    feed(market, {"GBP/USD": dict.fromkeys(quarters("2023-05-01", "2023-05-20")[::4], FLAT)})
    with pytest.raises(InvalidRequestError, match="1h bar of 2023-05-01T00:00:00Z is compared with another"):
        market.peek("EUR/USD", time="2023-05-01T00:15Z", **FLAT)


# ---------------------------------------------------------------- what is refused
@pytest.mark.parametrize(
    ("symbol", "at", "bar", "message"),
    [
        ("USD/JPY", (11, 0), FLAT, "USD/JPY is not in this market, which has EUR/USD"),
        ("EUR/USD", (10, 0), FLAT, "time must rise: the last bar of EUR/USD opened at 2023-05-03T10:00:00Z"),
        ("EUR/USD", (10, 7), FLAT, "no 15m bar opens at 2023-05-03T10:07:00Z"),
        ("EUR/USD", (11, 0), {**FLAT, "high": 0.5}, r"high the highest.*high=0\.5"),
        ("EUR/USD", (11, 0), {**FLAT, "low": 1.5}, "low the lowest"),
        ("EUR/USD", (11, 0), {**FLAT, "close": 1.5}, "high the highest"),
        ("EUR/USD", (11, 0), {**FLAT, "open": math.nan}, "all four prices, or NaN in all four"),
        ("EUR/USD", (11, 0), {**FLAT, "high": math.inf}, "positive and finite"),
        ("EUR/USD", (11, 0), flat(0.0), "positive and finite"),
        ("EUR/USD", (11, 0), {**FLAT, "tick_volume": -1.0}, "tick_volume is from 0"),
        ("EUR/USD", (11, 0), {**FLAT, "tick_volume": math.inf}, "tick_volume is from 0"),
        ("EUR/USD", (11, 0), {**FLAT, "close": "much"}, "close must be a number, was 'much'"),
        ("EUR/USD", (11, 0), {each: FLAT[each] for each in ("open", "high", "low", "close")}, "need tick_volume="),
    ],
)
def test_a_bar_that_breaks_a_rule_is_refused_and_nothing_changes(symbol, at, bar, message):
    market = fs.live_market({"EUR/USD": {"15m": ["sma_3"], "1h": ["obv"]}})
    market.update("EUR/USD", time=hour(10), **FLAT)
    before = market.snapshot()
    for take in (market.update, market.peek):
        with pytest.raises(InvalidRequestError, match=message):
            take(symbol, time=hour(*at), **bar)
    assert market.snapshot() == before


def test_a_gap_leaves_every_state_as_it_was():
    with_gap, without = (fs.live_market({"EUR/USD": {"15m": ["sma_2"], "30m": ["sma_2"]}}) for _ in range(2))
    for market, prices in ((with_gap, (1.0, 2.0, math.nan, math.nan, 3.0, 4.0)), (without, (1.0, 2.0, 3.0, 4.0))):
        rows = []
        for number, price in enumerate(prices):
            rows += market.update("EUR/USD", time=hour(10, 15 * number), **flat(price))
        assert [row.values["sma_2"] for row in rows if row.timeframe == "30m"][-1] == 3.0
        assert [row.values["sma_2"] for row in rows if row.timeframe == "15m"][-1] == 3.5


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ({}, InvalidRequestError, "name at least one symbol"),
        ({"EUR/USD": {}}, InvalidRequestError, "name at least one timeframe of EUR/USD"),
        ({"EUR/USD": {"15m": []}, "eurusd": {"15m": []}}, InvalidRequestError, "EUR/USD is named twice"),
        ({"EUR/USD": {"1h": [], "H1": []}}, InvalidRequestError, "1h is named twice for EUR/USD"),
        ({"EUR/USD": {"15m": ["smaa_3"]}}, FeatureNotFoundError, "no indicator is called"),
        ({"EUR/USD": {"10m": [], "15m": ["sma_3"]}}, InvalidRequestError, "10m bars cannot be made into 15m bars"),
        ({"EUR/USD": {"1h": ["sma_3@15m"]}}, InvalidRequestError, "is of a lower timeframe than these 1h bars"),
        ({"EUR/USD": {"15m": ["correl_5"]}}, InvalidRequestError, "name the other, as in correl_5@GBPUSD"),
        (
            {"EUR/USD": {"15m": ["correl_5@GBPUSD"]}},
            InvalidRequestError,
            "compared with GBP/USD, which is not in this market",
        ),
        (
            {"EUR/USD": {"15m": ["correl_5@GBPUSD"]}, "GBP/USD": {"1h": []}},
            InvalidRequestError,
            "name 15m among the timeframes of GBP/USD",
        ),
        (
            {"EUR/USD": {"15m": ["rsi_3@GBPUSD"]}, "GBP/USD": {"15m": []}},
            InvalidRequestError,
            "of GBP/USD's bars: name it among GBP/USD's features",
        ),
    ],
)
def test_a_market_that_cannot_be_is_refused_with_the_way_out(asked, error, message):
    with pytest.raises(error, match=message):
        fs.live_market(asked)


def test_one_list_of_features_may_serve_many_symbols():
    hourly = {"1h": "sma_1"}
    market = fs.live_market({"EURUSD": hourly, "GBPUSD": hourly})
    assert [market.update(each, time=hour(10), **FLAT)[0].symbol for each in ("eur_usd", "GBP/USD")] == [
        "EUR/USD",
        "GBP/USD",
    ]


def test_a_symbol_may_be_compared_with_itself():
    market = fs.live_market({"EUR/USD": {"15m": ["correl_2@EURUSD"]}})
    rows = [market.update("EUR/USD", time=hour(10, 15 * number), **flat(1.0 + number))[0] for number in range(3)]
    assert rows[-1].values["correl_2@EURUSD"] == pytest.approx(1.0)


def test_a_row_given_out_is_the_callers_to_change():
    market = fs.live_market({"EUR/USD": {"15m": ["sma_1@1h"], "1h": ["sma_1"]}})
    for number in range(4):
        rows = market.update("EUR/USD", time=hour(10, 15 * number), **FLAT)
    rows[0].values["sma_1"] = 7.0
    assert market.update("EUR/USD", time=hour(11), **FLAT)[0].values == {"sma_1@1h": 1.0}
