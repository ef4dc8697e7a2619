"""What of ours equals which call of which peer: the functions that are measured side by side.

polars-talib has TA-Lib's functions under their names in small letters, so its calls follow from TA-Lib's. TA-Lib's candles
follow from their names, see `CANDLES`. Equal pairs are those that tests/golden holds to 1e-9.
"""

from __future__ import annotations

from dataclasses import dataclass

import talib


@dataclass(frozen=True)
class Shared:
    """One function that several libraries have.

    Args:
        ours: ids of columns, apart by spaces; or an expression after `=`.
        talib: calls that together give as many columns; empty where TA-Lib has none.
        talipp: its class, of `close` or of whole `bars`.
        pandas_ta: a function of pandas-ta-classic.
    """

    ours: str
    talib: str = ""
    talipp: str = ""
    pandas_ta: str = ""

    @property
    def is_expression(self) -> bool:
        """Whether ours is an expression, as it has no id of its own."""
        return self.ours.startswith("=")

    @property
    def label(self) -> str:
        """What a table calls it: the expression, the feature whose outputs these are, or the ids."""
        stems = {each.rpartition(".")[0] for each in self.ids}
        alone = len(self.ids) == 1 or len(stems) > 1 or stems == {""}
        return self.ours.removeprefix("= ") if alone or self.is_expression else stems.pop()

    @property
    def ids(self) -> tuple[str, ...]:
        """Ours as columns to ask for."""
        return tuple(self.ours.split())


GOAL = ("rsi_14", "sma_50", "ema_20", "atr_14", "macd_12_26_9", "bbands_20_2", "stdev_20")
"""Those whose geometric mean has had a goal from the beginning."""

_BANDS = "{0}.upper {0}.middle {0}.lower"
_HLC = "high, low, close"

AVERAGES = (
    Shared("sma_50", "SMA(close, 50)", "SMA(close, 50)", "sma(close, length=50)"),
    Shared("ema_20", "EMA(close, 20)", "EMA(close, 20)", "ema(close, length=20)"),
    Shared("rma_14", "RMA(close, 14)", "SMMA(close, 14)", "rma(close, length=14)"),
    Shared("wma_20", "WMA(close, 20)", "WMA(close, 20)", "wma(close, length=20)"),
    Shared("kama_10_2_30", "KAMA(close, 10)", "KAMA(close, 10, 2, 30)", "kama(close, length=10, fast=2, slow=30)"),
    Shared("dema_20", "DEMA(close, 20)", "DEMA(close, 20)", "dema(close, length=20)"),
    Shared("tema_20", "TEMA(close, 20)", "TEMA(close, 20)", "tema(close, length=20)"),
    Shared("t3_5_0.7", "T3(close, 5, 0.7)", "T3(close, 5, 0.7)", "t3(close, length=5, a=0.7)"),
    Shared("hma_20", "HMA(close, 20)", "HMA(close, 20)", "hma(close, length=20)"),
    Shared("trima_20", "TRIMA(close, 20)", "", "trima(close, length=20)"),
    Shared("zlema_20", "ZLEMA(close, 20)", "ZLEMA(close, 20)", "zlma(close, length=20)"),
    Shared("vwma_20", "VWMA(close, volume, 20)", "VWMA(bars, 20)", "vwma(close, volume, length=20)"),
    Shared("mama.mama mama.fama", "MAMA(close, 0.5, 0.05)", "", "mama(close, fastlimit=0.5, slowlimit=0.05)"),
    Shared("midpoint_14", "MIDPOINT(close, 14)", "", "midpoint(close, length=14)"),
    Shared("midprice_14", "MIDPRICE(high, low, 14)", "", "midprice(high, low, length=14)"),
    Shared("linreg_14", "LINEARREG(close, 14)", "", "linreg(close, length=14)"),
    Shared("linreg_slope_14", "LINEARREG_SLOPE(close, 14)", "", "linregslope(close, length=14)"),
    Shared("linreg_intercept_14", "LINEARREG_INTERCEPT(close, 14)", "", "linregintercept(close, length=14)"),
    Shared("linreg_angle_14", "LINEARREG_ANGLE(close, 14)", "", "linregangle(close, length=14)"),
    Shared("tsf_14", "TSF(close, 14)", "", "tsf(close, length=14)"),
)
BANDS = (
    Shared(
        _BANDS.format("bbands_20_2"),
        "BBANDS(close, 20, 2.0, 2.0)",
        "BB(close, 20, 2.0)",
        "bbands(close, length=20, std=2)",
    ),
    Shared(
        _BANDS.format("donchian_20"),
        "DONCHIAN(high, low, 20)",
        "DonchianChannels(bars, 20)",
        "donchian(high, low, lower_length=20, upper_length=20)",
    ),
    Shared(_BANDS.format("accbands_20"), f"ACCBANDS({_HLC}, 20)", "", f"accbands({_HLC}, length=20)"),
    Shared("keltner_tp_20_10_2", f"KC({_HLC}, 20, 10, 2.0)"),
)
TREND = (
    Shared(
        "adx_14",
        f"ADX({_HLC}, 14); PLUS_DI({_HLC}, 14); MINUS_DI({_HLC}, 14)",
        "ADX(bars, 14, 14)",
        f"adx({_HLC}, length=14)",
    ),
    Shared("adx_14.adx", f"ADX({_HLC}, 14)"),
    Shared("adx_14.plus_di", f"PLUS_DI({_HLC}, 14)"),
    Shared("adx_14.minus_di", f"MINUS_DI({_HLC}, 14)"),
    Shared("adxr_14", f"ADXR({_HLC}, 14)", "", f"adxr({_HLC}, length=14)"),
    Shared("dx_14", f"DX({_HLC}, 14)", "", f"dx({_HLC}, length=14)"),
    Shared("aroon_25.down aroon_25.up", "AROON(high, low, 25)", "Aroon(bars, 25)", "aroon(high, low, length=25)"),
    Shared("aroon_25.oscillator", "AROONOSC(high, low, 25)"),
    Shared(
        "supertrend_10_3",
        f"SUPERTREND({_HLC}, 10, 3.0)",
        "SuperTrend(bars, 10, 3)",
        f"supertrend({_HLC}, length=10, multiplier=3)",
    ),
    Shared(
        "psar_0.02_0.2.value",
        "SAR(high, low, 0.02, 0.2)",
        "ParabolicSAR(bars, 0.02, 0.02, 0.2)",
        "psar(high, low, af0=0.02, af=0.02, max_af=0.2)",
    ),
    Shared("vortex_14", f"VORTEX({_HLC}, 14)", "VTX(bars, 14)", f"vortex({_HLC}, length=14)"),
    Shared("vhf_28", "VHF(close, 28)", "", "vhf(close, length=28)"),
    Shared("mass_9_25", "MASSI(high, low, 9, 25)", "MassIndex(bars, 9, 9, 25)", "massi(high, low, fast=9, slow=25)"),
    Shared("qstick_10", "QSTICK(open, close, 10)", "", "qstick(open, close, length=10)"),
    Shared("swing_2_2", "FRACTAL(high, low, 2, 2)"),
)
MOMENTUM = (
    Shared("rsi_14", "RSI(close, 14)", "RSI(close, 14)", "rsi(close, length=14)"),
    Shared(
        "macd_12_26_9",
        "MACD(close, 12, 26, 9)",
        "MACD(close, 12, 26, 9)",
        "macd(close, fast=12, slow=26, signal=9)",
    ),
    Shared("macd_talib_12_26_9", "MACD(close, 12, 26, 9)"),
    Shared("apo_12_26", "APO(close, 12, 26, 1)", "", "apo(close, fast=12, slow=26, mamode='ema')"),
    Shared("ppo_12_26_9.line", "PPO(close, 12, 26, 1)", "", "ppo(close, fast=12, slow=26, signal=9, mamode='ema')"),
    Shared("pvo_12_26_9.line", "PVO(volume, 12, 26, 1)", "", "pvo(volume, fast=12, slow=26, signal=9)"),
    Shared("ao_5_34", "AO(high, low, 5, 34)", "AO(bars, 5, 34)", "ao(high, low, fast=5, slow=34)"),
    Shared("ac_5_34_5", "AC(high, low, 5, 34, 5)"),
    Shared("trix_15_9.value", "TRIX(close, 15)", "TRIX(close, 15)", "trix(close, length=15, signal=9)"),
    Shared("dpo_20", "DPO(close, 20)", "DPO(close, 20)", "dpo(close, length=20, centered=False)"),
    Shared("elder_ray_13", f"ERI({_HLC}, 13)", "", f"eri({_HLC}, length=13)"),
    Shared(
        "coppock_10_11_14",
        "COPPOCK(close, 10, 11, 14)",
        "CoppockCurve(close, 11, 14, 10)",
        "coppock(close, length=10, fast=11, slow=14)",
    ),
    Shared("mom_10", "MOM(close, 10)", "", "mom(close, length=10)"),
    Shared("roc_10", "ROC(close, 10)", "ROC(close, 10)", "roc(close, length=10)"),
    Shared("returns_5", "ROCP(close, 5)", "", "rocp(close, length=5)"),
    Shared("cci_20", f"CCI({_HLC}, 20)", "CCI(bars, 20)", f"cci({_HLC}, length=20)"),
    Shared(
        "stoch_14_3_3",
        f"STOCH({_HLC}, 14, 3, 0, 3, 0)",
        "",
        f"stoch({_HLC}, k=14, d=3, smooth_k=3)",
    ),
    Shared("stochf_14_3", f"STOCHF({_HLC}, 14, 3, 0)", "Stoch(bars, 14, 3)", f"stochf({_HLC}, fastk=14, fastd=3)"),
    Shared(
        "stochrsi_14_14_1_3",
        "STOCHRSI(close, 14, 14, 3, 0)",
        "StochRSI(close, 14, 14, 1, 3)",
        "stochrsi(close, length=14, rsi_length=14, k=1, d=3)",
    ),
    Shared("willr_14", f"WILLR({_HLC}, 14)", "Williams(bars, 14)", f"willr({_HLC}, length=14)"),
    Shared("kdj_9_3_3", f"KDJ({_HLC}, 9, 3, 13, 3, 13)", "", f"kdj({_HLC}, length=9, signal=3)"),
    Shared("smi_13_25_2_3", f"SMI({_HLC}, 13, 2, 25, 3)"),
    Shared("cmo_14", "CMOU(close, 14)", "", "cmo(close, length=14, talib=False)"),
    Shared("cmo_wilder_14", "CMO(close, 14)"),
    Shared("er_10", "ER(close, 10)", "", "er(close, length=10)"),
    Shared("tsi_25_13_7.value", "TSI(close, 25, 13)", "TSI(close, 13, 25)", "tsi(close, fast=13, slow=25, signal=7)"),
    Shared(
        "uo_7_14_28", f"ULTOSC({_HLC}, 7, 14, 28)", "UO(bars, 7, 14, 28)", f"uo({_HLC}, fast=7, medium=14, slow=28)"
    ),
    Shared("imi_14", "IMI(open, close, 14)"),
    Shared("bop", f"BOP(open, {_HLC})", "BOP(bars)", f"bop(open, {_HLC})"),
)
VOLATILITY = (
    Shared("atr_14", f"ATR({_HLC}, 14)", "ATR(bars, 14)", f"atr({_HLC}, length=14)"),
    Shared("natr_14", f"NATR({_HLC}, 14)", "NATR(bars, 14)", f"natr({_HLC}, length=14)"),
    Shared("tr", f"TRANGE({_HLC})", "", f"true_range({_HLC})"),
    Shared("stdev_20", "STDDEV(close, 20)", "StdDev(close, 20)", "stdev(close, length=20, ddof=0)"),
    Shared("variance_20", "VAR(close, 20)", "", "variance(close, length=20, ddof=0)"),
    Shared("rvi_14_10", "RVI(close, 14, 10)"),
    Shared("chaikin_vol_10_10", "CVI(high, low, 10, 10)", "", "cvi(high, low, length=10)"),
)
VOLUME = (
    Shared("obv", "OBV(close, volume)", "OBV(bars)", "obv(close, volume)"),
    Shared("ad", f"AD({_HLC}, volume)", "AccuDist(bars)", f"ad({_HLC}, volume)"),
    Shared(
        "adosc_3_10",
        f"ADOSC({_HLC}, volume, 3, 10)",
        "ChaikinOsc(bars, 3, 10)",
        f"adosc({_HLC}, volume, fast=3, slow=10)",
    ),
    Shared("cmf_20", f"CMF({_HLC}, volume, 20)", "", f"cmf({_HLC}, volume, length=20)"),
    Shared("mfi_14", f"MFI({_HLC}, volume, 14)", "", f"mfi({_HLC}, volume, length=14)"),
    Shared("efi_13", "EFI(close, volume, 13)", "ForceIndex(bars, 13)", "efi(close, volume, length=13)"),
    Shared("pvt", "PVT(close, volume)", "", "pvt(close, volume)"),
    Shared("nvi", "NVI(close, volume)", "", "nvi(close, volume)"),
    Shared("pvi", "PVI(close, volume)", "", "pvi(close, volume)"),
)
STATISTICS = (
    Shared("sum_20", "SUM(close, 20)"),
    Shared("highest_20", "MAX(close, 20)"),
    Shared("lowest_20", "MIN(close, 20)"),
    Shared("lowest_20 highest_20", "MINMAX(close, 20)"),
    Shared("argmax_20", "MAXINDEX(close, 20)"),
    Shared("argmin_20", "MININDEX(close, 20)"),
    Shared("argmin_20 argmax_20", "MINMAXINDEX(close, 20)"),
    Shared("median_21", "PERCENTILE(close, 21, 50)", "", "median(close, length=21)"),
    Shared("quantile_21_0.75", "PERCENTILE(close, 21, 75)", "", "quantile(close, length=21, q=0.75)"),
    Shared("percent_rank_100", "PERCENTRANK(close, 100)"),
    Shared("correl_20", "CORREL(close, other, 20)", "", "correl(close, other, length=20)"),
    Shared("beta_20", "BETA(other, close, 20)", "", "beta(close, other, length=20)"),
)
PRICE = (
    Shared("hl2", "MEDPRICE(high, low)", "", "hl2(high, low)"),
    Shared("hlc3", f"TYPPRICE({_HLC})", "", f"hlc3({_HLC})"),
    Shared("ohlc4", f"AVGPRICE(open, {_HLC})", "", f"ohlc4(open, {_HLC})"),
    Shared("wclprice", f"WCLPRICE({_HLC})", "", f"wcp({_HLC})"),
    Shared("heikin_ashi", f"HA(open, {_HLC})", "", f"ha(open, {_HLC})"),
)
CYCLES = (
    Shared("ht_dcperiod", "HT_DCPERIOD(close)", "", "ht_dcperiod(close)"),
    Shared("ht_dcphase", "HT_DCPHASE(close)", "", "ht_dcphase(close)"),
    Shared("ht_phasor", "HT_PHASOR(close)", "", "ht_phasor(close)"),
    Shared("ht_sine", "HT_SINE(close)", "", "ht_sine(close)"),
    Shared("ht_trendline", "HT_TRENDLINE(close)", "", "ht_trendline(close)"),
    Shared("ht_trendmode", "HT_TRENDMODE(close)", "", "ht_trendmode(close)"),
)
WITHOUT_TALIB = (
    Shared(
        "alma_9_0.85_6", "", "ALMA(close, 9, 0.85, 6.0)", "alma(close, length=9, sigma=6.0, distribution_offset=0.85)"
    ),
    Shared("mcginley_14", "", "McGinleyDynamic(close, 14)", "mcgd(close, length=14, c=0.6)"),
    Shared("swma", "", "", "swma(close, length=4)"),
    Shared("vidya_14_9", "", "", "vidya(close, length=14, drift=1)"),
    Shared(_BANDS.format("keltner_20_10_2"), "", "KeltnerChannels(bars, 20, 10, 2.0, 2.0)"),
    Shared(
        "ichimoku_9_26_52", "", "Ichimoku(bars, 26, 9, 26, 52, 26)", f"ichimoku({_HLC}, tenkan=9, kijun=26, senkou=52)"
    ),
    Shared("chop_14", "", "CHOP(bars, 14)", f"chop({_HLC}, length=14)"),
    Shared(
        "kst_10_15_20_30_10_10_10_15_9",
        "",
        "KST(close, 10, 10, 15, 10, 20, 10, 30, 15, 9)",
        "kst(close, roc1=10, roc2=15, roc3=20, roc4=30, sma1=10, sma2=10, sma3=10, sma4=15, signal=9)",
    ),
    Shared("stc_10_23_50", "", "STC(close, 23, 50, 10, 3)", "stc(close, tclength=10, fast=23, slow=50)"),
    Shared("fisher_9", "", "", "fisher(high, low, length=9)"),
    Shared("rsx_14", "", "", "rsx(close, length=14)"),
    Shared("qqe_14_5_4.236", "", "", "qqe(close, length=14, smooth=5, factor=4.236)"),
    Shared("rvgi_14", "", "", f"rvgi(open, {_HLC}, length=14)"),
    Shared("squeeze_20_2_20_1.5", "", "TTM(bars, 20, 2.0, 1.5)", f"squeeze({_HLC})"),
    Shared("cg_10", "", "", "cg(close, length=10)"),
    Shared("ebsw_40_10", "", "", "ebsw(close, length=40, bars=10)"),
    Shared("msw_5", "", "", "msw(close, period=5)"),
    Shared("log_return_1", "", "", "log_return(close, length=1)"),
    Shared("ibs", "", "IBS(bars)"),
    Shared("rogers_satchell_20", "", "RogersSatchell(bars, 20)"),
    Shared("ulcer_14", "", "", "ui(close, length=14)"),
    Shared("zscore_20", "", "", "zscore(close, length=20, std=1)"),
    Shared("skew_30", "", "", "skew(close, length=30)"),
    Shared("kurtosis_30", "", "", "kurtosis(close, length=30)"),
    Shared("entropy_10", "", "", "entropy(close, length=10)"),
    Shared("stderr_14", "", "", "stderr(close, length=14)"),
    Shared("eom_14", "", "EMV(bars, 14, 10000)", f"eom({_HLC}, volume, length=14)"),
    Shared("kvo_34_55_13", "", "KVO(bars, 34, 55)", f"kvo({_HLC}, volume, fast=34, slow=55, signal=13)"),
    Shared("vosc_5_10", "", "", "vosc(volume, fast=5, slow=10)"),
)
EXPRESSIONS = (
    Shared("= cumulative(close)", "CUMSUM(close)"),
    Shared("= close / lag(close, 10)", "ROCR(close, 10)", "", "rocr(close, length=10)"),
    Shared("= 100 * close / lag(close, 10)", "ROCR100(close, 10)", "", "rocr100(close, length=10)"),
    Shared("= sma(high - low, 14)", "ADR(high, low, 14)"),
    Shared("= (high - low) / tick_volume", "MARKETFI(high, low, volume)", "", "marketfi(high, low, volume)"),
    Shared("= high + low", "ADD(high, low)"),
    Shared("= high - low", "SUB(high, low)"),
    Shared("= high * low", "MULT(high, low)"),
    Shared("= high / low", "DIV(high, low)"),
    Shared("= sqrt(close)", "SQRT(close)"),
    Shared("= log(close)", "LN(close)"),
    Shared("= exp(close)", "EXP(close)"),
    Shared("= sin(close)", "SIN(close)"),
    Shared("= cos(close)", "COS(close)"),
    Shared("= atan(close)", "ATAN(close)"),
    Shared("= floor(close)", "FLOOR(close)"),
)
CANDLES = tuple(
    Shared(f"cdl_{name[3:].lower()}", f"{name}(open, {_HLC})", "", f"cdl_{name[3:].lower()}(open, {_HLC})")
    for name in talib.get_functions()
    if name.startswith("CDL")
)
INDICATORS = (*AVERAGES, *BANDS, *TREND, *MOMENTUM, *VOLATILITY, *VOLUME, *STATISTICS, *PRICE, *CYCLES)
GROUPS = {
    "Indicators": INDICATORS,
    "Indicators that TA-Lib has not": WITHOUT_TALIB,
    "Expressions": EXPRESSIONS,
    "Candlestick patterns": CANDLES,
}
EVERY = tuple(each for group in GROUPS.values() for each in group)
