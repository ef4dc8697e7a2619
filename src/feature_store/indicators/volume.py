"""Volume. In foreign exchange nobody sees all trades: `tick_volume` counts price changes at one source, and these say so."""

from __future__ import annotations

from feature_store.indicators.definition import State, indicator


@indicator(
    title="On-balance volume",
    group="volume",
    unit="ticks",
    source="Granville 1963",
    state="bars:int close total",
    memory="accumulator",
)
def obv(s: State, close: float, tick_volume: float) -> float:
    """Tick volume added on rises and taken away on falls, 0 at the first bar; compare differences, not levels.

    It depends on where the series begins for ever. TA-Lib begins at the first bar's volume instead, a constant apart.

    >>> fs.compute({"close": [1.0, 2.0, 1.0], "tick_volume": [5.0, 7.0, 4.0]}, ["obv"])["obv"].tolist()
    [0.0, 7.0, 3.0]
    """
    s.bars += 1
    before = s.close if s.bars > 1 else close
    s.total += tick_volume if close > before else -tick_volume if close < before else 0.0
    s.close = close
    return s.total
