"""Volume beside price over a window: they forget, so that levels may be compared. All of tick volume (volume.py)."""

from __future__ import annotations

import math

from feature_store.indicators.arithmetic import fma
from feature_store.indicators.averages import ema, sma
from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.parameters import Int, fast_below_slow
from feature_store.indicators.price import hl2
from feature_store.indicators.series import Series, where
from feature_store.indicators.volume import flow
from feature_store.indicators.windows import lag, rolling_sum

_GROUP = "volume"
_A_TURN_SURELY = 64
_UNEQUAL = 1.0 + 1e-14  # sums of equal prices may differ by rounding, and no price moves by as little


@step(
    "bars:int fast_lead slow_lead",
    lag=lambda slow: slow - 1,
    fade=lambda slow: math.ceil(9.5 * (slow + 1)),
    memory="recursive",
)
def _gap_of_averages(s: State, flow: float, fast: int = Int(3), slow: int = Int(10)) -> float:
    """Return EMA(fast) - EMA(slow) of the running total of `flow`, both seeded by the first total.

    What a total leads its EMA by is itself a recursion, lead = keep * (lead + flow), so the total, which grows and never
    forgets, is not needed.
    """
    keep_fast = 1.0 - 2.0 / (fast + 1.0)
    keep_slow = 1.0 - 2.0 / (slow + 1.0)
    s.bars += 1
    if s.bars > 1:
        s.fast_lead = fma(keep_fast, s.fast_lead, keep_fast * flow)
        s.slow_lead = fma(keep_slow, s.slow_lead, keep_slow * flow)
    return s.slow_lead - s.fast_lead if s.bars >= slow else math.nan


@indicator(
    title="Chaikin oscillator",
    group=_GROUP,
    unit="ticks",
    source="Chaikin; Achelis 1995; EMAs seeded by their first value, as TA-Lib does",
    rule=fast_below_slow,
)
def adosc(
    high: Series, low: Series, close: Series, tick_volume: Series, fast: int = Int(3), slow: int = Int(10, ge=2)
) -> Series:
    """The fast EMA of the accumulation/distribution line less its slow one; it does not depend on where the line began.

        line = ad(high, low, close, tick_volume)
        ema_first(line, fast) - ema_first(line, slow)

    First value at row slow - 1.

    >>> bars = {"high": [2.0, 2.0], "low": [1.0, 1.0], "close": [2.0, 2.0], "tick_volume": [5.0, 6.0]}
    >>> fs.compute(bars, ["adosc_1_2"])["adosc_1_2"].tolist()
    [nan, 2.0]
    """
    return _gap_of_averages(flow(high, low, close, tick_volume), fast, slow)


@indicator(title="Chaikin money flow", group=_GROUP, unit="-1..1", source="Chaikin; Achelis 1995")
def cmf(high: Series, low: Series, close: Series, tick_volume: Series, period: int = Int(20)) -> Series:
    """Where bars of the last `period` closed in their range, weighted by tick volume: 1 all at the high, -1 all at the low.

        place = where(high > low, ((close - low) - (high - close)) / (high - low), 0)
        sum(place * tick_volume, period) / sum(tick_volume, period)

    0 where there was no range or no volume; first value at row period - 1.

    >>> bars = {"high": [2.0, 2.0], "low": [1.0, 1.0], "close": [2.0, 1.0], "tick_volume": [6.0, 2.0]}
    >>> fs.compute(bars, ["cmf_2"])["cmf_2"].tolist()
    [nan, 0.5]
    """
    ticks = rolling_sum(tick_volume, period)
    return where(ticks > 0.0, rolling_sum(flow(high, low, close, tick_volume), period) / ticks, 0.0)


@indicator(title="Money flow index", group=_GROUP, unit="0..100 of flow", source="Quong and Soudack 1989")
def mfi(high: Series, low: Series, close: Series, tick_volume: Series, period: int = Int(14)) -> Series:
    """The share of bars with a risen typical price in all flow (typical price x tick volume) of the last `period` bars.

        typical = (high + low + close) / 3
        flow = typical * tick_volume
        up = sum(where(diff(typical, 1) > 0, flow, 0), period)
        down = sum(where(diff(typical, 1) < 0, flow, 0), period)
        100 * up / (up + down)

    Bars with an unchanged price have no flow; prices equal but for rounding are unchanged. 50 where nothing flowed; TA-Lib
    gives 0 there. First value at row `period`.

    >>> bars = {"high": [1.0, 2.0, 1.0], "low": [1.0, 2.0, 1.0], "close": [1.0, 2.0, 1.0], "tick_volume": [9.0, 3.0, 2.0]}
    >>> fs.compute(bars, ["mfi_2"])["mfi_2"].tolist()
    [nan, nan, 75.0]
    """
    typical = high + low + close  # three times hlc3, which the share cancels
    before = lag(typical, 1)
    money = typical * tick_volume
    up = rolling_sum(where(typical > before * _UNEQUAL, money, 0.0), period)
    both = up + rolling_sum(where(before > typical * _UNEQUAL, money, 0.0), period)
    return where(both > 0.0, up / both * 100.0, 50.0)


@indicator(title="Elder's force index", group=_GROUP, unit="price x ticks", source="Elder 1993")
def efi(close: Series, tick_volume: Series, period: int = Int(13)) -> Series:
    """The EMA of each bar's change times its tick volume; first value at row `period`.

        ema(diff(close, 1) * tick_volume, period)

    >>> fs.compute({"close": [1.0, 2.0, 1.5], "tick_volume": [5.0, 3.0, 2.0]}, ["efi_2"])["efi_2"].tolist()
    [nan, nan, 1.0]
    """
    return ema((close - lag(close, 1)) * tick_volume, period)


@indicator(title="Ease of movement", group=_GROUP, unit="price squared per tick", source="Arms 1983; SMA, x 10,000")
def eom(high: Series, low: Series, tick_volume: Series, period: int = Int(14)) -> Series:
    """How far the middle of bars moved for the tick volume it took: the mean of change x range / volume x 10,000.

        sma(10000 * diff((high + low) / 2, 1) * (high - low) / tick_volume, period)

    A bar without volume counts 0. First value at row `period`.

    >>> fs.compute({"high": [2.0, 3.0], "low": [1.0, 1.0], "tick_volume": [9.0, 10000.0]}, ["eom_1"])["eom_1"].tolist()
    [nan, 1.0]
    """
    middle = hl2(high, low)
    way = (middle - lag(middle, 1)) * (high - low)
    return sma(where(tick_volume > 0.0, way / tick_volume * 10_000.0, way * 0.0), period)


@step(
    "bars:int sum reach trend along",
    lag=lambda: 1,
    fade=lambda: _A_TURN_SURELY,
    memory="state machine",
)
def _volume_force(s: State, high: float, low: float, close: float, tick_volume: float) -> float:
    """Return tick volume x |2 x range / ranges along the trend - 1| x trend x 100; 0 where there was no range.

    The trend is 1 where high + low + close rose by more than rounding, else -1; the ranges along it begin with the bar
    before it turned. It forgets its beginning at the first turn, for which 64 bars are allowed.
    """
    s.bars += 1
    total = high + low + close
    reach = high - low
    trend = 1.0 if total > s.sum * 1.000000000001 else -1.0
    if s.bars == 1:
        trend = 0.0
    s.along = s.along + reach if trend == s.trend else s.reach + reach
    s.sum = total
    s.reach = reach
    s.trend = trend
    if s.bars == 1:
        return math.nan
    return tick_volume * abs(2.0 * reach / s.along - 1.0) * trend * 100.0 if s.along > 0.0 else 0.0


@indicator(
    title="Klinger volume oscillator",
    group=_GROUP,
    unit="ticks",
    source="Klinger 1997",
    outputs="value signal",
    rule=fast_below_slow,
)
def kvo(
    high: Series,
    low: Series,
    close: Series,
    tick_volume: Series,
    fast: int = Int(34),
    slow: int = Int(55, ge=2),
    signal: int = Int(13),
) -> tuple[Series, ...]:
    """The fast EMA of volume force less the slow one, and its own EMA; the first value is at row `slow`.

    Volume force = tick volume x |2 range / ranges along the trend - 1| x trend x 100, where the trend is 1 if
    high + low + close rose, else -1, and the ranges are summed from the bar before it turned; 0 where there was no range.

    >>> bars = {"high": [2.0, 3.0, 5.0], "low": [1.0, 2.0, 3.0], "close": [1.5, 2.5, 4.0], "tick_volume": [5.0, 6.0, 8.0]}
    >>> fs.compute(bars, ["kvo_1_2_1"])["kvo_1_2_1.value"].tolist()
    [nan, nan, 0.0]
    """
    force = _volume_force(high, low, close, tick_volume)
    line = ema(force, fast) - ema(force, slow)
    return line, ema(line, signal)


@indicator(title="Volume oscillator", group=_GROUP, unit="percent", source="Achelis 1995; SMA", rule=fast_below_slow)
def vosc(tick_volume: Series, fast: int = Int(5), slow: int = Int(10, ge=2)) -> Series:
    """How far the mean tick volume of `fast` bars lies above that of `slow` bars, in percent of it; 0 without volume.

        100 * (sma(tick_volume, fast) / sma(tick_volume, slow) - 1)

    TradingView's has EMAs, which is `pvo`. First value at row slow - 1.

    >>> fs.compute({"tick_volume": [1.0, 3.0]}, ["vosc_1_2"])["vosc_1_2"].tolist()
    [nan, 50.0]
    """
    short, long = rolling_sum(tick_volume, fast) * float(slow), rolling_sum(tick_volume, slow) * float(fast)
    return where(long > 0.0, (short - long) / long * 100.0, 0.0)
