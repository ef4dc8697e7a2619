"""A small file of every format, as its source writes it."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import struct
import zipfile

import polars as pl


def zipped(**members: str | bytes) -> bytes:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return package.getvalue()


def bi5(*records: tuple[float, ...], form: str) -> bytes:
    content = b"".join(struct.pack(form, *record) for record in records)
    return lzma.compress(content, format=lzma.FORMAT_ALONE)


def parquet(columns: dict[str, list[object]]) -> bytes:
    content = io.BytesIO()
    pl.DataFrame(columns).write_parquet(content)
    return content.getvalue()


HISTDATA_M1 = (
    "20180101 170000;1.200370;1.201000;1.200370;1.201000;0\n20180101 170100;1.200830;1.200950;1.200170;1.200300;0\n"
)
HISTDATA_TICKS = "20180101 170014123,1.200370,1.200450,0\r\n20180101 170015001,1.200380,1.200460,0\r\n"
MT4 = "2018.01.02,00:00,1.20037,1.20100,1.20030,1.20090,153\r\n2018.01.02,01:00,1.20090,1.20110,1.20050,1.20070,98\r\n"
MT5_BARS = (
    "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\r\n"
    "2020.01.02\t08:00:00\t1.12120\t1.12180\t1.12101\t1.12150\t1532\t0\t12\r\n"
    "2020.01.02\t09:00:00\t1.12150\t1.12200\t1.12140\t1.12190\t1400\t0\t3\r\n"
)
MT5_DAYS = (
    "<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\r\n"
    "2020.01.02\t108.721\t108.865\t108.206\t108.551\t50000\t0\t9\r\n"
)
MT5_TICKS = (
    "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\r\n"
    "2024.01.02\t00:00:00.133\t1.10427\t1.10442\t\t\t6\r\n"
    "2024.01.02\t00:00:01.210\t1.10428\t\t\t\t2\r\n"
    "2024.01.02\t00:00:02.050\t\t1.10441\t\t\t4\r\n"
)
TICKS_BI5 = bi5((37, 120047, 120040, 1.5, 0.75), (1900, 120050, 120041, 1.0, 2.0), form=">3I2f")
CANDLES_BI5 = bi5((0, 120040, 120060, 120030, 120070, 55.5), (60, 120060, 120050, 120045, 120065, 9.0), form=">5If")
DUKASCOPY_CSV = (
    "Gmt time,Open,High,Low,Close,Volume\n"
    "02.01.2018 00:00:00.000,1.20040,1.20070,1.20030,1.20060,55.5\n"
    "02.01.2018 00:01:00.000,1.20060,1.20065,1.20045,1.20050,9\n"
)
DUKASCOPY_LOCAL_TICKS = (
    "Local time,Ask,Bid,AskVolume,BidVolume\n"
    "02.01.2018 01:00:00.037 GMT+0100,1.20047,1.20040,1.5,0.75\n"
    "02.07.2018 02:00:01.900 GMT+0200,1.20050,1.20041,1,2\n"
)
DUKASCOPY_JSON_BARS = (
    '{"timestamp":1783641600000,"multiplier":1.0E-5,"open":1.17012,"high":1.1702,"low":1.17001,"close":1.17015,'
    '"shift":60000,"times":[0,1,2],"opens":[0,3,-5],"highs":[0,2,-1],"lows":[0,1,0],"closes":[0,-1,4],'
    '"volumes":[12.5,2.11E-4,3.0]}'
)
DUKASCOPY_JSON_TICKS = (
    '{"timestamp":1783944000000,"multiplier":1.0E-5,"ask":1.14277,"bid":1.14273,"times":[93,104],"asks":[0,-2],'
    '"bids":[0,-1],"askVolumes":[900000.0,1800000.0],"bidVolumes":[2700000.0,900000.0]}'
)
OANDA = json.dumps(
    {
        "instrument": "EUR_USD",
        "granularity": "H1",
        "candles": [
            {
                "complete": True,
                "volume": 57,
                "time": "2016-10-17T15:00:00.000000000Z",
                "mid": {"o": "1.09946", "h": "1.10012", "l": "1.09901", "c": "1.09997"},
            },
            {
                "complete": False,
                "volume": 3,
                "time": "2016-10-17T16:00:00.000000000Z",
                "mid": {"o": "1.09997", "h": "1.09999", "l": "1.09990", "c": "1.09991"},
            },
        ],
    }
)
TRUEFX = "EUR/USD,20090501 00:00:00.231,1.32655,1.32681\nEUR/USD,20090501 00:00:00.297,1.32656,1.32682\n"
LEAN_TICKS = "17007,1.39147,1.39148\r\n17264,1.39147,1.39149\r\n"
LEAN_MINUTES = (
    "0,1.39101,1.39104,1.39099,1.39100,0,1.39114,1.39118,1.39112,1.39113,0\n"
    "60000,1.39099,1.39099,1.39084,1.39088,0,1.39113,1.39113,1.39101,1.39101,0\n"
)
LEAN_HOURS = (
    "20070101 21:00,1.31927,1.31955,1.3187,1.31935,0,1.32027,1.32055,1.3197,1.32035,0\n"
    "20070101 22:00,1.31935,1.3202,1.31925,1.32,0,1.32035,1.3212,1.32025,1.321,0\n"
)
ALPHA_VANTAGE = json.dumps(
    {
        "Meta Data": {
            "1. Information": "FX Intraday (5min) Time Series",
            "2. From Symbol": "EUR",
            "3. To Symbol": "USD",
            "4. Last Refreshed": "2024-01-02 10:05:00",
            "5. Interval": "5min",
            "6. Output Size": "Compact",
            "7. Time Zone": "UTC",
        },
        "Time Series FX (5min)": {
            "2024-01-02 10:05:00": {"1. open": "1.0972", "2. high": "1.0974", "3. low": "1.0970", "4. close": "1.0971"},
            "2024-01-02 10:00:00": {"1. open": "1.0970", "2. high": "1.0973", "3. low": "1.0969", "4. close": "1.0972"},
        },
    },
    indent=4,
)
TWELVE_DATA = json.dumps(
    {
        "meta": {
            "symbol": "EUR/USD",
            "interval": "1min",
            "currency_base": "Euro",
            "currency_quote": "US Dollar",
            "type": "Physical Currency",
        },
        "values": [
            {"datetime": "2024-01-02 10:01:00", "open": "1.0972", "high": "1.0974", "low": "1.0970", "close": "1.0971"},
            {"datetime": "2024-01-02 10:00:00", "open": "1.0970", "high": "1.0973", "low": "1.0969", "close": "1.0972"},
        ],
        "status": "ok",
    }
)
POLYGON = json.dumps(
    {
        "ticker": "C:EURUSD",
        "queryCount": 2,
        "resultsCount": 2,
        "adjusted": True,
        "results": [
            {"v": 12, "vw": 1.0971, "o": 1.0972, "c": 1.0971, "h": 1.0974, "l": 1.097, "t": 1704189660000, "n": 12},
            {"v": 9, "vw": 1.0971, "o": 1.097, "c": 1.0972, "h": 1.0973, "l": 1.0969, "t": 1704189600000, "n": 9},
        ],
        "status": "OK",
        "request_id": "a1",
    }
)
POLYGON_QUOTES = json.dumps(
    {
        "results": [
            {
                "ask_exchange": 48,
                "ask_price": 1.0974,
                "bid_exchange": 48,
                "bid_price": 1.0973,
                "participant_timestamp": 1704189600123000000,
            }
        ],
        "status": "OK",
        "request_id": "a2",
    }
)
CSV = "time,open,high,low,close,volume\n2023-01-03 10:00,1.2,1.4,1.1,1.3,5\n2023-01-03 11:00,1.3,1.5,1.2,1.4,6\n"
TICKS_CSV = (
    "timestamp,bid,ask\n"
    "2013-01-01 22:00:00.295000+00:00,86.655,86.728\n"
    "2013-01-01 22:02:35.907000+00:00,86.657,86.728\n"
)
BAR_COLUMNS = {"Date": ["2023-01-03"] * 2, **{name: [1.0, 2.0] for name in ("O", "H", "L", "C")}}

SAMPLES: list[tuple[str, str, str | bytes]] = [  # format, name, content
    ("histdata-m1", "DAT_ASCII_EURUSD_M1_2018.csv", HISTDATA_M1),
    (
        "histdata-m1",
        "HISTDATA_COM_ASCII_EURUSD_M12018.zip",
        zipped(**{"DAT_ASCII_EURUSD_M1_2018.csv": HISTDATA_M1, "DAT_ASCII_EURUSD_M1_2018.txt": "Gaps of 2 minutes:\n"}),
    ),
    ("histdata-ticks", "DAT_ASCII_EURUSD_T_201801.csv", HISTDATA_TICKS),
    ("mt4", "EURUSD60.csv", MT4),
    ("mt4", "DAT_MT_EURUSD_M1_2018.csv", MT4.replace(",153", ",0").replace(",98", ",0")),
    ("mt5-bars", "EURUSD_H1_202001020000_202012312300.csv", MT5_BARS),
    ("mt5-bars", "EURUSD_H1.csv", MT5_BARS.encode("utf-16")),
    ("mt5-bars", "USDJPY_Daily_202001020000_202012310000.csv", MT5_DAYS),
    ("mt5-ticks", "EURUSD_202401020000_202401022359.csv", MT5_TICKS),
    ("dukascopy-ticks", "EURUSD/2018/00/02/13h_ticks.bi5", TICKS_BI5),
    ("dukascopy-ticks", "EURUSD/2018/00/06/13h_ticks.bi5", b""),
    ("dukascopy-candles", "EURUSD/2018/00/02/BID_candles_min_1.bi5", CANDLES_BI5),
    ("dukascopy-csv", "EURUSD_Candlestick_1_M_BID_01.01.2018-31.12.2018.csv", DUKASCOPY_CSV),
    ("dukascopy-csv", "EURUSD_Ticks_02.01.2018-02.07.2018.csv", DUKASCOPY_LOCAL_TICKS),
    ("dukascopy-json", "candles-minute-EUR-USD-BID-2026-7-10.json", DUKASCOPY_JSON_BARS),
    ("dukascopy-json", "ticks/EUR-USD/2026/7/13/12.json", DUKASCOPY_JSON_TICKS),
    ("oanda", "candles.json", OANDA),
    ("truefx", "EURUSD-2009-05.csv", TRUEFX),
    ("truefx", "EURUSD-2009-05.zip", zipped(**{"EURUSD-2009-05.csv": TRUEFX})),
    ("lean", "forex/fxcm/tick/eurusd/20140508_quote.zip", zipped(**{"20140508_eurusd_tick_quote.csv": LEAN_TICKS})),
    (
        "lean",
        "forex/oanda/minute/eurusd/20140508_quote.zip",
        zipped(**{"20140508_eurusd_minute_quote.csv": LEAN_MINUTES}),
    ),
    ("lean", "forex/oanda/hour/eurusd.zip", zipped(**{"eurusd.csv": LEAN_HOURS})),
    ("alpha-vantage", "eurusd.json", ALPHA_VANTAGE),
    ("twelve-data", "eurusd.json", TWELVE_DATA),
    ("polygon", "eurusd.json", POLYGON),
    ("polygon", "quotes.json", POLYGON_QUOTES),
    ("csv", "bars.csv", CSV),
    ("csv", "ticks.csv.gz", gzip.compress(TICKS_CSV.encode())),
    ("parquet", "bars.parquet", parquet(BAR_COLUMNS)),
]
NAMES = [f"{format_} {name.rsplit('/', 1)[-1]}" for format_, name, _ in SAMPLES]
