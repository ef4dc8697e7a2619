"""Systems of several averages drawn together. Lines that charts draw ahead are given on the bar where they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feature_store.indicators.averages import rma
from feature_store.indicators.averages_chained import midprice
from feature_store.indicators.definition import indicator
from feature_store.indicators.parameters import Int
from feature_store.indicators.windows import lag

if TYPE_CHECKING:
    from feature_store.indicators.series import Series

_GROUP = "trend"


@indicator(
    title="Ichimoku cloud",
    group=_GROUP,
    unit={
        "tenkan": "price",
        "kijun": "price",
        "senkou_a": "price",
        "senkou_b": "price",
        "chikou_change": "price change",
    },
    source="Hosoda 1968",
    outputs="tenkan kijun senkou_a senkou_b chikou_change",
)
def ichimoku(
    high: Series, low: Series, close: Series, fast: int = Int(9), middle: int = Int(26), slow: int = Int(52)
) -> tuple[Series, ...]:
    """Midprices of three windows, and a cloud of those of `middle` bars ago; nothing looks ahead.

        tenkan = midprice(high, low, fast)
        kijun = midprice(high, low, middle)
        senkou_a = lag((tenkan + kijun) / 2, middle)
        senkou_b = lag(midprice(high, low, slow), middle)
        chikou_change = close - lag(close, middle)

    `tenkan` and `kijun` are the midprices of `fast` and `middle` bars. `senkou_a` and `senkou_b` at a bar are the cloud that
    charts draw there: the mean of tenkan and kijun, and the midprice of `slow` bars, both calculated `middle` bars before.
    Charts draw `chikou`, the close, `middle` bars back; `chikou_change` says the same without the future: the close less the
    close `middle` bars ago. First values at rows fast - 1, middle - 1, middle + the later of both, middle + slow - 1, middle.

    >>> bars = {"high": [2.0, 3.0, 4.0, 5.0], "low": [1.0, 2.0, 3.0, 4.0], "close": [1.5, 2.5, 3.5, 4.5]}
    >>> fs.compute(bars, ["ichimoku_1_2_2"]).iloc[3].tolist()
    [4.5, 4.0, 2.25, 2.0, 2.0]
    """
    tenkan = midprice(high, low, fast)
    kijun = midprice(high, low, middle)
    cloud = lag((tenkan + kijun) * 0.5, middle)
    return tenkan, kijun, cloud, lag(midprice(high, low, slow), middle), close - lag(close, middle)


@indicator(
    title="Alligator",
    group="moving average",
    unit="price",
    source="Williams 1995; Wilder's averages of (high + low) / 2, moved by 8, 5 and 3 bars",
    outputs="jaw teeth lips",
)
def alligator(
    high: Series, low: Series, jaw: int = Int(13), teeth: int = Int(8), lips: int = Int(5)
) -> tuple[Series, ...]:
    """Three Wilder averages of the bar's middle as charts draw them: what was calculated 8, 5 and 3 bars before.

        jaw = lag(rma((high + low) / 2, jaw), 8)
        teeth = lag(rma((high + low) / 2, teeth), 5)
        lips = lag(rma((high + low) / 2, lips), 3)

    First values at rows jaw + 7, teeth + 4 and lips + 2.

    >>> bars = {"high": [2.0, 3.0, 4.0, 5.0], "low": [1.0, 2.0, 3.0, 4.0]}
    >>> fs.compute(bars, ["alligator_1_1_1"])["alligator_1_1_1.lips"].tolist()
    [nan, nan, nan, 1.5]
    """
    middle = (high + low) * 0.5
    return lag(rma(middle, jaw), 8), lag(rma(middle, teeth), 5), lag(rma(middle, lips), 3)


@indicator(title="Gator oscillator", group=_GROUP, unit="price change", source="Williams 1995", outputs="upper lower")
def gator(high: Series, low: Series, jaw: int = Int(13), teeth: int = Int(8), lips: int = Int(5)) -> tuple[Series, ...]:
    """How far the alligator's lines are apart: jaw from teeth above 0 (upper), teeth from lips below 0 (lower).

        jaw_line = alligator__jaw(high, low, jaw, teeth, lips)
        teeth_line = alligator__teeth(high, low, jaw, teeth, lips)
        lips_line = alligator__lips(high, low, jaw, teeth, lips)
        upper = abs(jaw_line - teeth_line)
        lower = -abs(teeth_line - lips_line)

    First values at the later of each two lines'.

    >>> bars = {"high": [2.0 + i for i in range(9)], "low": [1.0 + i for i in range(9)]}
    >>> fs.compute(bars, ["gator_1_1_1"]).iloc[8].tolist()
    [3.0, -2.0]
    """
    jaws, tooth, lip = alligator.all(high, low, jaw, teeth, lips)
    return abs(jaws - tooth), -abs(tooth - lip)
