"""Backtests small enough to calculate by hand, with the calculation beside them. 10,000 units are 1 USD a pip."""

import pytest

from feature_store.errors import InvalidRequestError
from strategy_execution_engine.backtest import Costs, FixedFraction, FixedLots, backtest
from strategy_execution_engine.strategies import Signal

TENTH = FixedLots(0.1)


def run(frame, signals, **options):
    return backtest(frame, signals, **{"costs": Costs.none(), "sizing": TENTH} | options)


def flat(*prices):
    return [(price, price, price, price) for price in prices]


def test_a_signal_is_filled_at_the_open_of_the_next_bar(bars_of_tuples, signal_at):
    frame = bars_of_tuples(
        [(1.10, 1.10, 1.10, 1.10), (1.1005, 1.1020, 1.1000, 1.1010), (1.1015, 1.1040, 1.1010, 1.1035)]
    )
    (trade,) = run(frame, [signal_at(frame, 0, "long")]).trades
    assert (trade.entry_row, trade.entry_price) == (1, 1.1005)
    assert (trade.exit_row, trade.exit_price, trade.exit_reason) == (2, 1.1035, "end")
    assert trade.pips == pytest.approx(30)  # 1.1035 - 1.1005
    assert trade.profit == pytest.approx(30.0)  # 10,000 x 0.0030


def test_costs_are_paid_at_both_ends_and_counted_apart(bars_of_tuples, signal_at):
    frame = bars_of_tuples(flat(1.1, 1.1, 1.1010))
    costs = Costs(spread_pips=1.0, slippage_pips=0.2, commission_per_lot=3.5)
    (trade,) = run(frame, [signal_at(frame, 0, "long")], costs=costs).trades
    assert trade.entry_price == pytest.approx(1.10007)  # 1.1 + half a pip + 0.2 pips
    assert trade.exit_price == pytest.approx(1.10093)  # 1.1010 - half a pip - 0.2 pips
    assert trade.gross == pytest.approx(10.0)  # 10 pips at mid prices
    assert trade.spread == pytest.approx(1.0)  # half a pip twice
    assert trade.slippage == pytest.approx(0.4)  # 0.2 pips twice
    assert trade.commission == pytest.approx(0.7)  # 3.5 x 0.1 lots, twice
    assert trade.profit == pytest.approx(7.9)  # 10 - 1 - 0.4 - 0.7


def test_a_short_pays_the_same_the_other_way(bars_of_tuples, signal_at):
    frame = bars_of_tuples(flat(1.1, 1.1, 1.0990))
    (trade,) = run(frame, [signal_at(frame, 0, "short")], costs=Costs(1.0, 0.2)).trades
    assert (trade.entry_price, trade.exit_price) == (pytest.approx(1.09993), pytest.approx(1.09907))
    assert trade.profit == pytest.approx(8.6)  # 10 - 1 - 0.4


def test_a_touched_stop_fills_at_its_price(bars_of_tuples, signal_at):
    frame = bars_of_tuples([*flat(1.1), (1.1, 1.1010, 1.0970, 1.1005), *flat(1.1)])
    (trade,) = run(frame, [signal_at(frame, 0, "long", stop=1.0975)]).trades
    assert (trade.exit_row, trade.exit_price, trade.exit_reason) == (1, 1.0975, "stop")
    assert trade.profit == pytest.approx(-25.0)
    assert trade.r_multiple == pytest.approx(-1.0)  # 25 pips risked from the fill at 1.1000, 25 lost


def test_a_stop_is_triggered_by_the_side_that_closes_the_position(bars_of_tuples, signal_at):
    # the mid low is 1.0976; with a spread of 2 pips the bid goes to 1.0975, so a long's stop there is hit, and costs slippage
    frame = bars_of_tuples([*flat(1.1), (1.1, 1.1, 1.0976, 1.1), *flat(1.1)])
    stopped = run(frame, [signal_at(frame, 0, "long", stop=1.0975)], costs=Costs(2.0, 0.5)).trades[0]
    untouched = run(frame, [signal_at(frame, 0, "long", stop=1.0975)], costs=Costs(1.9, 0.5)).trades[0]
    assert (stopped.exit_reason, stopped.exit_price) == ("stop", pytest.approx(1.09745))
    assert untouched.exit_reason == "end"


def test_a_shorts_stop_is_triggered_by_the_ask(bars_of_tuples, signal_at):
    frame = bars_of_tuples([*flat(1.1), (1.1, 1.1024, 1.1, 1.1), *flat(1.1)])
    stopped = run(frame, [signal_at(frame, 0, "short", stop=1.1025)], costs=Costs(2.0, 0)).trades[0]
    assert (stopped.exit_reason, stopped.exit_price) == ("stop", pytest.approx(1.1025))


def test_a_gap_through_the_stop_fills_at_the_open(bars_of_tuples, signal_at):
    frame = bars_of_tuples([*flat(1.1, 1.1), (1.0900, 1.0920, 1.0890, 1.0910), *flat(1.09)])
    (trade,) = run(frame, [signal_at(frame, 0, "long", stop=1.0975)]).trades
    assert (trade.exit_row, trade.exit_price, trade.exit_reason) == (2, 1.09, "stop")
    assert trade.r_multiple == pytest.approx(-4.0)  # 100 pips lost on 25 risked


def test_a_touched_target_fills_at_its_price_without_slippage(bars_of_tuples, signal_at):
    frame = bars_of_tuples([*flat(1.1), (1.1, 1.1060, 1.1, 1.1), *flat(1.1)])
    (trade,) = run(frame, [signal_at(frame, 0, "long", target=1.1050)], costs=Costs(0, 0.5)).trades
    assert (trade.exit_price, trade.exit_reason) == (1.1050, "target")
    assert trade.slippage == pytest.approx(0.5)  # of the entry alone


def test_a_gap_beyond_the_target_fills_at_the_better_open(bars_of_tuples, signal_at):
    frame = bars_of_tuples([*flat(1.1, 1.1), *flat(1.11, 1.11)])
    (trade,) = run(frame, [signal_at(frame, 0, "long", target=1.1050)]).trades
    assert (trade.exit_price, trade.exit_reason) == (1.11, "target")


def test_where_stop_and_target_are_touched_in_one_bar_the_stop_is_taken(bars_of_tuples, signal_at):
    frame = bars_of_tuples([*flat(1.1), (1.1, 1.1100, 1.0900, 1.1), *flat(1.1)])
    for direction, stop, target in (("long", 1.0975, 1.105), ("short", 1.1025, 1.095)):
        (trade,) = run(frame, [signal_at(frame, 0, direction, stop=stop, target=target)]).trades
        assert trade.exit_reason == "stop"


def test_a_signal_that_a_gap_has_overtaken_is_filled_and_stopped_at_once(bars_of_tuples, signal_at):
    frame = bars_of_tuples([*flat(1.1, 1.09, 1.09)])
    (trade,) = run(frame, [signal_at(frame, 0, "long", stop=1.0975)], costs=Costs(1.0, 0)).trades
    assert (trade.entry_row, trade.exit_row, trade.exit_reason) == (1, 1, "stop")
    assert trade.profit == pytest.approx(-1.0)  # the spread
    assert trade.risk is None


def test_a_time_stop_leaves_at_an_open(bars_of_tuples, signal_at):
    frame = bars_of_tuples(flat(1.1, 1.1, 1.101, 1.102, 1.103, 1.104))
    (trade,) = run(frame, [signal_at(frame, 0, "long", expiry=3)]).trades
    assert (trade.entry_row, trade.exit_row, trade.exit_reason) == (1, 4, "time")
    assert trade.exit_price == 1.103


def test_an_opposite_signal_reverses_at_one_price(bars_of_tuples, signal_at):
    frame = bars_of_tuples(flat(1.1, 1.1, 1.1020, 1.1030, 1.1010))
    first, second = run(frame, [signal_at(frame, 0, "long"), signal_at(frame, 2, "short")]).trades
    assert (first.exit_row, first.exit_price, first.exit_reason) == (3, 1.103, "reverse")
    assert (second.entry_row, second.entry_price) == (3, 1.103)
    assert (first.profit, second.profit) == (pytest.approx(30.0), pytest.approx(20.0))


def test_an_exit_leaves_and_opens_nothing(bars_of_tuples, signal_at):
    frame = bars_of_tuples(flat(1.1, 1.1, 1.102, 1.103, 1.104))
    result = run(frame, [signal_at(frame, 0, "long"), signal_at(frame, 1, "exit"), signal_at(frame, 2, "exit")])
    (trade,) = result.trades
    assert (trade.exit_row, trade.exit_price, trade.exit_reason) == (2, 1.102, "signal")


def test_a_signal_the_way_the_position_lies_changes_nothing(bars_of_tuples, signal_at):
    frame = bars_of_tuples(flat(1.1, 1.1, 1.102, 1.1, 1.103))
    once = run(frame, [signal_at(frame, 0, "long", stop=1.09)])
    twice = run(frame, [signal_at(frame, 0, "long", stop=1.09), signal_at(frame, 2, "long", stop=1.1019)])
    assert once.trades == twice.trades


def test_a_position_that_outlives_the_data_is_closed_at_the_last_close_and_says_so(bars_of_tuples, signal_at):
    frame = bars_of_tuples([*flat(1.1), (1.1, 1.106, 1.1, 1.105)])
    result = run(frame, [signal_at(frame, 0, "short")], costs=Costs(1.0, 0))
    assert (result.trades[0].exit_price, result.trades[0].exit_reason) == (pytest.approx(1.10505), "end")
    assert result.equity[-1] == pytest.approx(10_000 - 50 - 1)


def test_equity_values_an_open_position_at_what_closing_it_would_bring(bars_of_tuples, signal_at):
    frame = bars_of_tuples(flat(1.1, 1.1, 1.101, 1.102, 1.103))
    costs = Costs(spread_pips=1.0, slippage_pips=0, commission_per_lot=10)
    result = run(frame, [signal_at(frame, 0, "long"), signal_at(frame, 2, "exit")], costs=costs)
    # commission 1 at entry; bought at 1.10005; bid at the closes 1.09995 and 1.10095; out at 1.10195, commission 1
    assert result.equity == pytest.approx([10_000, 10_000 - 1 - 1, 10_000 - 1 + 9, 10_000 - 2 + 19, 10_000 - 2 + 19])


def test_yen_become_dollars_at_the_price_of_the_closing_fill(bars_of_tuples, signal_at):
    frame = bars_of_tuples(flat(125.0, 125.0, 126.0, 128.0), symbol="USD/JPY")
    result = run(frame, [signal_at(frame, 0, "long")])
    assert result.trades[0].pips == pytest.approx(300)
    assert result.trades[0].profit == pytest.approx(10_000 * 3.0 / 128.0)
    assert result.equity[2] == pytest.approx(10_000 + 10_000 * 1.0 / 126.0)


def test_a_euro_account_counts_dollars_in_euros(bars_of_tuples, signal_at):
    frame = bars_of_tuples(flat(1.1, 1.1, 1.2, 1.25))
    (trade,) = run(frame, [signal_at(frame, 0, "long")], account="eur").trades
    assert trade.profit == pytest.approx(10_000 * 0.15 / 1.25)


def test_size_is_decided_on_the_equity_and_the_close_of_the_signals_bar(bars_of_tuples, signal_at):
    # the long earns 100 pips on 40,000 units by the close of bar 2: equity 10,400, of which 1 % over 26 pips is 40,000 units
    frame = bars_of_tuples(flat(1.1, 1.1, 1.11, 1.15, 1.15))
    signals = [signal_at(frame, 0, "long", stop=1.0975), signal_at(frame, 2, "short", stop=1.1126)]
    first, second = run(frame, signals, sizing=FixedFraction(0.01)).trades
    assert (first.units, second.units) == (40_000, 40_000)


def test_size_counts_yen_at_the_close_of_the_signals_bar_and_not_of_the_bar_it_is_filled_on(bars_of_tuples, signal_at):
    # 1 % of 10,000 is 100 USD = 12,500 JPY at 125; 0.50 JPY at risk a unit make 25,000 units, whatever comes after
    frame = bars_of_tuples([*flat(125.0), (125.0, 150.0, 125.0, 150.0), *flat(150.0)], symbol="USD/JPY")
    (trade,) = run(frame, [signal_at(frame, 0, "long", stop=124.5)], sizing=FixedFraction(0.01)).trades
    assert trade.units == 25_000


def test_a_position_is_cut_to_what_the_margin_allows_and_marked(bars_of_tuples, signal_at):
    # 2 times 10,000 at 1.1 allows 18,181 units, in whole steps 18,000
    frame = bars_of_tuples(flat(1.1, 1.1, 1.1))
    (trade,) = run(frame, [signal_at(frame, 0, "long")], sizing=FixedLots(1.0), max_leverage=2).trades
    assert (trade.units, trade.capped) == (18_000, True)
    assert not run(frame, [signal_at(frame, 0, "long")]).trades[0].capped


def test_a_ruined_account_closes_at_that_bars_close_and_trades_no_more(bars_of_tuples, signal_at):
    frame = bars_of_tuples(flat(1.1, 1.1, 1.09, 1.05, 1.2, 1.2, 1.2))
    signals = [signal_at(frame, 0, "long"), signal_at(frame, 4, "long")]
    result = run(frame, signals, cash=300.0, sizing=FixedLots(0.08))  # 8,000 units: 0.80 USD a pip
    (trade,) = result.trades
    assert (trade.exit_row, trade.exit_reason) == (3, "ruin")
    assert result.equity == pytest.approx([300, 300, 300 - 80, -100, -100, -100, -100])  # 500 pips lose 400
    assert [refusal.reason for refusal in result.refused] == ["the account is empty"]


@pytest.mark.parametrize(
    ("row", "options", "reason"),
    [
        (2, {}, "no bar after it to be filled on"),
        (0, {"sizing": FixedFraction(0.0001)}, "too small: less than the smallest size that can be traded"),
    ],
)
def test_what_cannot_be_traded_is_refused_with_the_reason(bars_of_tuples, signal_at, row, options, reason):
    frame = bars_of_tuples(flat(1.1, 1.1, 1.1))
    result = run(frame, [signal_at(frame, row, "long", stop=1.09)], **options)
    assert not result.trades
    assert [refusal.reason for refusal in result.refused] == [reason]
    assert (result.equity == 10_000).all()


def test_no_order_is_made_of_a_decision_on_synthetic_features(bars_of_tuples, signal_at):
    frame = bars_of_tuples(flat(1.1, 1.1, 1.1))
    result = run(frame, [signal_at(frame, 0, "long").marked("synthetic")])
    assert not result.trades
    assert result.refused[0].reason == "decided on synthetic features"


def test_without_signals_nothing_happens(bars_of_tuples):
    result = run(bars_of_tuples(flat(1.1)), [])
    assert (result.trades, result.equity.tolist(), result.statistics.net) == ((), [10_000.0], 0.0)


def test_signals_may_come_in_any_order(bars_of_tuples, signal_at):
    frame = bars_of_tuples(flat(1.1, 1.1, 1.1020, 1.1030, 1.1010))
    signals = [signal_at(frame, 0, "long"), signal_at(frame, 2, "short")]
    assert run(frame, signals).trades == run(frame, signals[::-1]).trades


def _unsound(frame):
    frame.iloc[1, frame.columns.get_loc("high")] = 1.0
    return frame


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"signals": [Signal("GBP/USD", "2023-01-02", "long", "t")]},
            "GBP/USD signal of 2023-01-02T00:00:00+00:00 belongs",
        ),
        ({"signals": [Signal("EUR/USD", "2023-01-02T00:30", "long", "t")]}, "belongs to no bar of these EUR/USD bars"),
        ({"signals": [Signal("EUR/USD", "2024-01-02", "long", "t")]}, "belongs to no bar"),
        ({"cash": 0}, "cash must be above zero"),
        ({"cash": float("nan")}, "cash must be above zero"),
        ({"max_leverage": 0}, "max_leverage must be above zero"),
        ({"account": "GBP"}, "cannot be turned into GBP"),
        ({"spoil": lambda frame: frame.iloc[:0]}, "a backtest needs bars"),
        (
            {"spoil": lambda frame: frame.assign(close=float("nan"))},
            "is not sound (open 1.1, high 1.1, low 1.1, close nan)",
        ),
        ({"spoil": lambda frame: frame - 2}, "is not sound"),
        ({"spoil": _unsound}, "the bar of 2023-01-02T01:00:00+00:00 is not sound"),
    ],
)
def test_what_does_not_fit_together_is_refused(bars_of_tuples, change, sentence):
    frame = bars_of_tuples(flat(1.1, 1.1, 1.1))
    options = {"signals": []} | change
    frame = options.pop("spoil", lambda same: same)(frame)
    with pytest.raises(InvalidRequestError) as refused:
        run(frame, **options)
    assert sentence in str(refused.value)
