"""Volume. In foreign exchange nobody sees all trades: `tick_volume` counts price changes at one source, and these say so."""

from __future__ import annotations

from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.series import Series, where

_GROUP = "volume"


@indicator(
    title="On-balance volume",
    group=_GROUP,
    unit="ticks",
    source="Granville 1963",
    state="bars:int close total",
    memory="accumulator",
)
def obv(s: State, close: float, tick_volume: float) -> float:
    """Tick volume added on rises and taken away on falls, 0 at the first bar; compare differences, not levels.

        cumulative(sign(diff(close, 1)) * tick_volume)

    It depends on where the series begins for ever. TA-Lib begins at the first bar's volume instead, a constant apart.

    >>> fs.compute({"close": [1.0, 2.0, 1.0], "tick_volume": [5.0, 7.0, 4.0]}, ["obv"])["obv"].tolist()
    [0.0, 7.0, 3.0]
    """
    s.bars += 1
    before = s.close if s.bars > 1 else close
    s.total += tick_volume if close > before else -tick_volume if close < before else 0.0
    s.close = close
    return s.total


def flow(high: Series, low: Series, close: Series, tick_volume: Series) -> Series:
    """Return each bar's tick volume, times where it closed in its range: 1 at the high, -1 at the low, 0 without range."""
    reach = high - low
    return where(reach > 0.0, ((close - low) - (high - close)) / reach, 0.0) * tick_volume


@step("bars:int total", memory="accumulator")
def _since_the_first(s: State, flow: float) -> float:
    """Return the sum of all values after the first."""
    s.bars += 1
    if s.bars > 1:
        s.total += flow
    return s.total


@indicator(title="Accumulation/distribution line", group=_GROUP, unit="ticks", source="Chaikin; Achelis 1995")
def ad(high: Series, low: Series, close: Series, tick_volume: Series) -> Series:
    """Tick volume added or taken away by where bars close in their range, 0 at the first bar; compare differences, not levels.

        value = before(value) + tick_volume * ((close - low) - (high - close)) / (high - low)

    A bar adds its volume times ((close - low) - (high - close)) / (high - low), 0 where there is no range. It depends on
    where the series begins for ever. TA-Lib counts the first bar too, a constant apart.

    >>> bars = {"high": [2.0, 2.0], "low": [1.0, 1.0], "close": [2.0, 1.25], "tick_volume": [5.0, 8.0]}
    >>> fs.compute(bars, ["ad"])["ad"].tolist()
    [0.0, -4.0]
    """
    return _since_the_first(flow(high, low, close, tick_volume))


@indicator(
    title="Price volume trend",
    group=_GROUP,
    unit="ticks by price",
    source="Achelis 1995",
    state="bars:int close total",
    memory="accumulator",
)
def pvt(s: State, close: float, tick_volume: float) -> float:
    """The sum of tick volume times the fraction by which price changed, 0 at the first bar; compare differences, not levels.

        cumulative(returns(close, 1) * tick_volume)

    It depends on where the series begins for ever.

    >>> fs.compute({"close": [1.0, 1.5, 1.5], "tick_volume": [5.0, 8.0, 4.0]}, ["pvt"])["pvt"].tolist()
    [0.0, 4.0, 4.0]
    """
    s.bars += 1
    if s.bars > 1 and s.close != 0.0:
        s.total += tick_volume * ((close - s.close) / s.close)
    s.close = close
    return s.total


@indicator(
    title="Negative volume index",
    group=_GROUP,
    unit="ratio",
    source="Dysart 1936, Fosback 1976; 1000 at the first bar",
    state="bars:int close volume index=1000",
    memory="accumulator",
)
def nvi(s: State, close: float, tick_volume: float) -> float:
    """An index of the price changes on bars with less tick volume than the one before, 1000 at the first bar.

        value = before(value) * where(tick_volume < lag(tick_volume, 1), close / lag(close, 1), 1)

    It depends on where the series begins for ever; compare it with its own average.

    >>> fs.compute({"close": [1.0, 1.5, 3.0], "tick_volume": [5.0, 4.0, 4.0]}, ["nvi"])["nvi"].tolist()
    [1000.0, 1500.0, 1500.0]
    """
    s.bars += 1
    if s.bars > 1 and tick_volume < s.volume and s.close != 0.0:
        s.index += s.index * ((close - s.close) / s.close)
    s.close = close
    s.volume = tick_volume
    return s.index


@indicator(
    title="Positive volume index",
    group=_GROUP,
    unit="ratio",
    source="Dysart 1936, Fosback 1976; 1000 at the first bar",
    state="bars:int close volume index=1000",
    memory="accumulator",
)
def pvi(s: State, close: float, tick_volume: float) -> float:
    """An index of the price changes on bars with more tick volume than the one before, 1000 at the first bar.

        value = before(value) * where(tick_volume > lag(tick_volume, 1), close / lag(close, 1), 1)

    It depends on where the series begins for ever; compare it with its own average.

    >>> fs.compute({"close": [1.0, 1.5, 3.0], "tick_volume": [5.0, 8.0, 8.0]}, ["pvi"])["pvi"].tolist()
    [1000.0, 1500.0, 1500.0]
    """
    s.bars += 1
    if s.bars > 1 and tick_volume > s.volume and s.close != 0.0:
        s.index += s.index * ((close - s.close) / s.close)
    s.close = close
    s.volume = tick_volume
    return s.index
