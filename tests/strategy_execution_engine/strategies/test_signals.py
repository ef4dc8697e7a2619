from datetime import UTC, datetime

import pytest

from feature_store.errors import InvalidRequestError
from strategy_execution_engine.strategies import Signal

MOMENT = datetime(2023, 1, 2, 10, tzinfo=UTC)


def test_a_signal_is_kept_in_canonical_form():
    signal = Signal("eur_usd", "2023-01-02T11:00:00+01:00", "long", "ma_cross", entry=1.07)
    assert (signal.symbol, signal.time, signal.side) == ("EUR/USD", MOMENT, 1)


def test_a_signal_cannot_be_changed_and_does_not_follow_the_reasons_it_was_made_from():
    reasons = {"fast": 1.0}
    signal = Signal("EUR/USD", MOMENT, "exit", "ma_cross", reasons=reasons)
    reasons["fast"] = 2.0
    assert signal.reasons == {"fast": 1.0}
    with pytest.raises(AttributeError):
        signal.direction = "long"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"direction": "buy"}, "direction must be long, short or exit, was 'buy'"),
        ({"kind": ""}, "kind must name the rule"),
        ({"confidence": 1.01}, "confidence must lie from 0 to 1, was 1.01"),
        ({"confidence": float("nan")}, "confidence must lie from 0 to 1"),
        ({"expiry": 0}, "expiry must be at least 1 bar"),
        ({"stop": float("nan")}, "stop must be a price above zero"),
        ({"target": -1.0}, "target must be a price above zero, was -1.0"),
        ({"stop": 1.08}, "a long needs stop < entry < target, had stop 1.08, entry 1.07"),
        ({"direction": "short", "stop": 1.06}, "a short needs target < entry < stop"),
        ({"symbol": "unknown"}, "symbol must be an instrument's name"),
        ({"time": "soon"}, "time must be an ISO 8601 time"),
    ],
)
def test_a_signal_that_contradicts_itself_is_refused_with_the_rule(change, sentence):
    sound = {"symbol": "EUR/USD", "time": MOMENT, "direction": "long", "kind": "test", "entry": 1.07}
    with pytest.raises(InvalidRequestError) as refused:
        Signal(**sound | change)
    assert sentence in str(refused.value)


def test_the_stop_distance_is_known_only_with_both_prices():
    assert Signal("EUR/USD", MOMENT, "long", "t", entry=1.07).stop_distance is None
    assert Signal("EUR/USD", MOMENT, "short", "t", entry=1.07, stop=1.08).stop_distance == pytest.approx(0.01)


def test_a_signal_becomes_plain_data_and_back():
    signal = Signal("EUR/USD", MOMENT, "long", "t", entry=1.07, stop=1.06, reasons={"a": 1.0}, expiry=3)
    assert Signal(**signal.to_dict()) == signal
