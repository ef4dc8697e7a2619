import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_store.bars import Bars
from feature_store.times import to_microseconds
from feature_store.wire import FeatureRequest, Frame, Provenance
from strategy_execution_engine.clients.bar_memory import BarMemory

from .conftest import EUR_USD, HOUR, market

MARKET = market()
HOURS = 3_600_000_000
NEW_YEAR = to_microseconds("2023-01-01")


def asked(start, end, symbol="EUR/USD"):
    """Return a request for hours since New Year 2023."""
    sides = [None if hour is None else (NEW_YEAR + hour * HOURS) // 1000 for hour in (start, end)]
    return FeatureRequest.of(symbol, "1h", *sides)


def served(request, bars=MARKET, as_of="2023-06-01T00:00:00Z"):
    rows = bars.between(request.start, request.end)
    return Frame("EUR/USD", "1h", rows.time // 1000, rows.columns, Provenance("live", as_of))


@pytest.fixture
def memory():
    return BarMemory()


def remember(memory, start, end, **options):
    request = asked(start, end)
    memory.remember(request, served(request, **options))


def test_a_range_within_what_was_served_is_covered(memory):
    remember(memory, 10, 100)
    assert len(memory.covering(asked(10, 100)).bars) == 90
    assert memory.covering(asked(20, 30)) is memory.covering(asked(10, 100))
    assert repr(memory) == "<BarMemory series=1 bytes=4320>"


@pytest.mark.parametrize(
    "request_", [asked(9, 50), asked(50, 102), asked(None, 50), asked(50, None), asked(10, 100, "GBP/USD")]
)
def test_a_range_beyond_it_is_not(memory, request_):
    remember(memory, 10, 100)
    assert memory.covering(request_) is None


def test_a_bar_still_forming_need_not_be_there(memory):
    remember(memory, 10, 100)
    assert memory.covering(asked(10, 101)) is not None


@pytest.mark.parametrize(
    ("start", "end", "first", "last"), [(100, 150, 10, 150), (0, 10, 0, 100), (50, 120, 10, 120), (20, 30, 10, 100)]
)
def test_a_range_that_touches_extends_the_stretch(memory, start, end, first, last):
    remember(memory, 10, 100)
    remember(memory, start, end)
    held = memory.covering(asked(first, last))
    np.testing.assert_array_equal(held.bars.time, NEW_YEAR + np.arange(first, last) * HOURS)
    np.testing.assert_array_equal(held.bars.columns["close"], MARKET.columns["close"][first:last])


def test_a_range_that_lies_apart_replaces_it(memory):
    remember(memory, 10, 100)
    remember(memory, 200, 300)
    assert memory.covering(asked(10, 100)) is None
    assert memory.covering(asked(200, 300)) is not None


def test_what_was_served_later_wins(memory):
    remember(memory, 10, 100)
    corrected = Bars(EUR_USD, HOUR, MARKET.time, {name: column + 1 for name, column in MARKET.columns.items()})
    remember(memory, 50, 60, bars=corrected)
    closes = memory.covering(asked(10, 100)).bars.columns["close"] - MARKET.columns["close"][10:100]
    np.testing.assert_allclose(closes, [0.0] * 40 + [1.0] * 10 + [0.0] * 40, atol=1e-12)


def test_a_stretch_is_as_of_its_oldest_part(memory):
    remember(memory, 10, 100, as_of="2023-06-01T00:00:00Z")
    remember(memory, 100, 200, as_of="2023-06-02T00:00:00Z")
    assert memory.covering(asked(10, 200)).as_of == "2023-06-01T00:00:00Z"


def test_an_open_end_is_known_only_up_to_the_moment_it_was_served():
    now = [(NEW_YEAR + 100 * HOURS) / 1e6]
    memory = BarMemory(wall=lambda: now[0])
    remember(memory, None, None)
    assert memory.covering(asked(None, None)) is not None
    now[0] += 3600
    assert memory.covering(asked(50, None)) is not None  # that hour's bar may still be forming
    now[0] += 3600
    assert memory.covering(asked(50, None)) is None
    assert memory.covering(asked(50, 100)) is not None


def test_the_series_unused_for_longest_goes_first():
    memory = BarMemory(max_bytes=2 * 48 * 100)
    for symbol in ("EUR/USD", "GBP/USD"):
        memory.remember(asked(0, 100, symbol), served(asked(0, 100)))
    memory.covering(asked(0, 100, "EUR/USD"))
    memory.remember(asked(0, 100, "USD/JPY"), served(asked(0, 100)))
    kept = [symbol for symbol in ("EUR/USD", "GBP/USD", "USD/JPY") if memory.covering(asked(0, 100, symbol))]
    assert kept == ["EUR/USD", "USD/JPY"]


@given(ranges=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), min_size=1, max_size=8))
def test_the_stretch_always_holds_every_bar_of_its_range_once(ranges):
    memory = BarMemory()
    for start, length in ranges:
        remember(memory, start, start + length)
        held = memory.covering(asked(start, start + length))
        assert held is not None
        hours = (held.start - NEW_YEAR) // HOURS, (held.end - NEW_YEAR) // HOURS
        np.testing.assert_array_equal(held.bars.time, NEW_YEAR + np.arange(*hours) * HOURS)
