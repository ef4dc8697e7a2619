"""Operators: each alone, on a few values by hand, and beside the indicators whose names they must not hide."""

from __future__ import annotations

import math

import numpy as np
import pytest

from feature_store.indicators.definition import registered
from feature_store.indicators.operators import aliases, operators
from feature_store.indicators.series import Series, number, price
from tests.conftest import values_of

NAN = math.nan
A, B = price("close"), price("open")


def run(node: Series, a, b=None) -> list[float]:
    return values_of(node, {"close": a, "open": a if b is None else b}).tolist()


@pytest.mark.parametrize(
    ("node", "want"),
    [  # close 1 3 2 2 5, open 2 2 2 3 3
        (operators["abs"](A - B), [1, 1, 0, 1, 2]),
        (operators["sign"](A - B), [-1, 1, 0, -1, 1]),
        (operators["min"](A, B), [1, 2, 2, 2, 3]),
        (operators["max"](A, B), [2, 3, 2, 3, 5]),
        (operators["clip"](A, number(2.0), B), [2, 2, 2, 2, 3]),
        (operators["where"](A > B, A, B), [2, 3, 2, 3, 5]),
        (operators["is_known"](operators["diff"](A, 1)), [0, 1, 1, 1, 1]),
        (operators["diff"](A, 2), [NAN, NAN, 1, -1, 3]),
        (operators["rising"](A, 1), [NAN, 1, 0, 0, 1]),
        (operators["rising"](B - A, 2), [NAN, NAN, 0, 1, 0]),
        (operators["falling"](A, 1), [NAN, 0, 1, 0, 0]),
        (operators["falling"](A - B, 2), [NAN, NAN, 0, 1, 0]),
        (operators["cross_over"](A, B), [NAN, 1, 0, 0, 1]),
        (operators["cross_under"](A, B), [NAN, 0, 0, 1, 0]),
        (operators["bars_since"](A > 2.0), [NAN, 0, 1, 2, 0]),
        (operators["value_when"](A > 2.0, B), [NAN, 2, 2, 2, 3]),
        (operators["cumulative"](A), [1, 4, 6, 8, 13]),
        (operators["corr"](A, -A, 2), [NAN, -1, -1, 0, -1]),
        (operators["slope"](A * 3.0, A, 2), [NAN, 3, 3, 0, 3]),
    ],
)
def test_values_by_hand(node, want):
    np.testing.assert_allclose(run(node, [1, 3, 2, 2, 5], [2, 2, 2, 3, 3]), want, atol=1e-12)


def test_a_gap_is_not_a_bar_for_what_remembers():
    held = [1.0, 0.0, NAN, 0.0, 1.0]
    assert run(operators["bars_since"](A), held)[3] == 2.0
    assert run(operators["value_when"](A, B), held, [7, 8, 9, 9, 5])[3] == 7.0
    assert np.isnan(run(operators["bars_since"](A), held)[2])
    assert run(operators["cumulative"](A), held)[4] == 2.0


def test_a_sum_of_everything_keeps_what_a_plain_one_loses():
    small = [1e16] + [1.0] * 10 + [-1e16]
    assert run(operators["cumulative"](A), small)[-1] == 10.0
    assert sum(small) != 10.0


def test_every_operator_that_was_promised_is_there():
    promised = """lag diff change pct_change log_return sma ema rma wma hma linreg_value linreg_slope stdev variance zscore
        highest lowest highest_bars lowest_bars sum median quantile rank corr beta skew kurtosis cross_over cross_under rising
        falling bars_since value_when cumulative abs sign sqrt log exp min max clip where true_range hl2 hlc3 ohlc4"""
    known = {**registered, **operators}
    assert [name for name in promised.split() if aliases.get(name, name) not in known] == []


def test_no_alias_hides_an_indicator_and_no_pointwise_operator_does():
    assert set(aliases) & set(registered) == set()
    assert set(operators) & set(registered) <= {"corr"}
    assert all(target in {**registered, **operators} for target in aliases.values())


def test_every_operator_says_what_it_returns():
    for name, operator in operators.items():
        assert operator.doc.startswith("Return "), name
