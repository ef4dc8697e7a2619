import itertools
import math

import numpy as np
import pandas as pd
import pytest

from strategy_execution_engine.backtest import Costs, FixedLots, backtest
from strategy_execution_engine.backtest.statistics import chance, longest_run, monthly_returns, sharpe, statistics_of

HOUR = 3_600_000_000
FRIDAY = 1_672_963_200_000_000  # 2023-01-06 00:00 UTC


@pytest.fixture(scope="module")
def result(bars_of_tuples, signal_at):
    """Three trades of 0.1 lots: +30 pips risking 20, -20 pips risking 10 (a gap), +10 pips risking nothing stated."""
    prices = [1.1000, 1.1000, 1.1030, 1.1030, 1.1010, 1.1010, 1.1020, 1.1020]
    frame = bars_of_tuples([(p, p + 0.0001, p - 0.0001, p) for p in prices])
    signals = [
        signal_at(frame, 0, "long", stop=1.0980),
        signal_at(frame, 1, "exit"),
        signal_at(frame, 2, "long", stop=1.1020),
        signal_at(frame, 4, "long"),
    ]
    return backtest(frame, signals, costs=Costs.none(), sizing=FixedLots(0.1), cash=1_000.0)


def test_the_trades_are_the_ones_meant(result):
    assert [round(trade.pips) for trade in result.trades] == [30, -20, 10]
    assert [trade.exit_reason for trade in result.trades] == ["signal", "stop", "end"]


def test_every_number_is_the_one_calculated_by_hand(result):
    numbers = result.statistics
    assert (numbers.bars, numbers.trades) == (8, 3)
    assert numbers.net == pytest.approx(30 - 20 + 10)
    assert numbers.net_return == pytest.approx(0.02)
    assert numbers.pips == pytest.approx(20)
    assert numbers.win_rate == pytest.approx(2 / 3)
    assert numbers.profit_factor == pytest.approx(40 / 20)
    assert numbers.expectancy == pytest.approx(20 / 3)
    assert numbers.expectancy_r == pytest.approx((30 / 20 - 20 / 10) / 2)  # the third risked nothing stated
    assert (numbers.best, numbers.worst) == (pytest.approx(30), pytest.approx(-20))
    assert numbers.max_drawdown_money == pytest.approx(20)
    assert numbers.max_drawdown == pytest.approx(20 / 1030)
    assert numbers.average_bars == pytest.approx((1 + 1 + 2) / 3)
    assert numbers.exposure == pytest.approx(4 / 8)
    assert numbers.longest_losing_streak == 1


def test_without_trades_what_is_not_defined_is_nan_and_none_in_plain_data():
    time = FRIDAY + HOUR * np.arange(3)
    numbers = statistics_of((), np.full(3, 1000.0), time, 1000.0)
    assert (numbers.net, numbers.trades, numbers.max_drawdown, numbers.exposure) == (0, 0, 0, 0)
    assert math.isnan(numbers.win_rate)
    assert math.isnan(numbers.sharpe)
    assert math.isnan(numbers.chance)
    assert numbers.to_dict()["win_rate"] is None


def test_the_sharpe_ratio_is_that_of_daily_returns_with_weekends_on_monday():
    days = pd.to_datetime(
        ["2023-01-05 23:00", "2023-01-06 20:00", "2023-01-08 22:00", "2023-01-09 10:00", "2023-01-10 10:00"]
    )
    equity = np.array([1010.0, 1000.0, 999.0, 1020.0, 1030.0])  # the Sunday evening belongs to Monday
    closes = np.array([1000.0, 1010.0, 1000.0, 1020.0, 1030.0])
    returns = closes[1:] / closes[:-1] - 1
    expected = returns.mean() / returns.std(ddof=1) * math.sqrt(260)
    assert sharpe(equity, days.as_unit("us").asi8, 1000.0) == pytest.approx(expected)


def test_chance_is_near_the_exact_count_of_all_signs():
    profit = np.array([3.0, -1.0, 4.0, -1.5, 5.0, 2.0, -0.5, 3.5])
    signs = np.array(list(itertools.product([-1, 1], repeat=len(profit))))
    exact = np.mean(signs @ np.abs(profit) >= profit.sum() - 1e-9)
    assert chance(profit) == pytest.approx(exact, abs=0.006)  # three standard errors of 10,000 tosses


def test_chance_is_the_same_every_time_and_whatever_the_number_of_trades():
    profit = np.random.default_rng(1).normal(0, 1, 3_000)
    assert chance(profit) == chance(profit)
    assert chance(np.abs(profit)) == pytest.approx(1 / 10_001)
    assert chance(-np.abs(profit)) == 1.0


def test_chance_of_worthless_rules_is_spread_evenly():
    random = np.random.default_rng(7)
    found = np.array([chance(random.normal(0, 1, 50), flips=500) for _ in range(400)])
    assert np.mean(found < 0.05) == pytest.approx(0.05, abs=0.035)
    assert np.mean(found) == pytest.approx(0.5, abs=0.06)


def test_monthly_returns_multiply_to_the_whole():
    time = pd.date_range("2022-12-30", "2023-02-03", freq="6h", tz="UTC").as_unit("us").asi8
    equity = 1000 * np.cumprod(1 + np.random.default_rng(3).normal(0, 0.01, len(time)))
    months = monthly_returns(equity, time, 1000.0)
    assert list(months) == [(2022, 12), (2023, 1), (2023, 2)]
    assert math.prod(1 + share for share in months.values()) == pytest.approx(equity[-1] / 1000)


def test_a_month_after_ruin_has_no_return():
    time = pd.to_datetime(["2023-01-31", "2023-02-01"]).as_unit("us").asi8
    months = monthly_returns(np.array([-5.0, -5.0]), time, 1000.0)
    assert math.isnan(months[2023, 2])


@pytest.mark.parametrize(("flags", "length"), [([], 0), ([False], 0), ([True, True, False, True], 2)])
def test_the_longest_run_is_counted(flags, length):
    assert longest_run(np.array(flags, dtype=bool)) == length
