import json

import pytest

from feature_store.errors import UnsupportedFileError
from feature_store.ingest.source import open_source
from tests.feature_store.ingest.readers.samples import ALPHA_VANTAGE, POLYGON, POLYGON_QUOTES, TWELVE_DATA


@pytest.mark.parametrize(
    ("content", "format_", "timeframe", "timezone"),
    [
        (ALPHA_VANTAGE, "alpha-vantage", "5m", "UTC"),
        (TWELVE_DATA, "twelve-data", "1m", None),
        (POLYGON, "polygon", None, "UTC"),
    ],
)
def test_the_newest_bar_comes_first_and_its_place_counts_from_one(write, read, content, format_, timeframe, timezone):
    source = open_source(write("answer.json", content))
    assert (source.format, source.symbol.name, source.timezone) == (format_, "EUR/USD", timezone)
    assert (source.timeframe and source.timeframe.name) == timeframe
    found = read(source)
    assert found.time[0] > found.time[1] == "2024-01-02T10:00:00.000000"
    assert found.numbers == [1, 2]
    assert {name: found.values[name][1] for name in ("open", "high", "low", "close")} == {
        "open": 1.0970,
        "high": 1.0973,
        "low": 1.0969,
        "close": 1.0972,
    }
    assert (found.values["tick_volume"] == [12, 9]) == (format_ == "polygon")


def test_polygon_quotes_are_ticks_with_nanoseconds(write, read):
    source = open_source(write("EURUSD.json", POLYGON_QUOTES))
    assert (source.kind, source.symbol.name) == ("ticks", "EUR/USD")
    found = read(source)
    assert (found.time, found.values) == (["2024-01-02T10:00:00.123000"], {"bid": [1.0973], "ask": [1.0974]})


def test_an_answer_without_results_has_no_rows(write, read):
    body = json.dumps({"ticker": "C:EURUSD", "resultsCount": 0, "status": "OK", "request_id": "a"})
    assert read(open_source(write("answer.json", body))).sizes == [0]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"Note": "Thank you for using Alpha Vantage! 25 requests per day."},
            "Alpha Vantage refused: Thank you for using",
        ),
        ({"Information": "The API key is a demo."}, "Alpha Vantage refused: The API key is a demo"),
        ({"Error Message": "Invalid API call."}, "Alpha Vantage refused: Invalid API call"),
        (
            {"code": 401, "message": "apikey is incorrect", "status": "error"},
            "Twelve Data refused: apikey is incorrect",
        ),
        ({"status": "ERROR", "request_id": "a", "error": "Unknown API Key"}, "Polygon refused: Unknown API Key"),
        (
            {"status": "NOT_AUTHORIZED", "request_id": "a", "message": "upgrade your plan"},
            "Polygon refused: upgrade your plan",
        ),
    ],
)
def test_a_refusal_with_http_200_is_quoted(write, body, message):
    path = write("answer.json", json.dumps(body))
    with pytest.raises(UnsupportedFileError, match=rf"answer\.json: {message}"):
        open_source(path)


@pytest.mark.parametrize("content", [ALPHA_VANTAGE, TWELVE_DATA, POLYGON])
def test_half_an_answer_is_refused_with_its_line(write, content):
    with pytest.raises(UnsupportedFileError, match=r"answer\.json, line \d+: expected whole JSON"):
        open_source(write("answer.json", content[:-20]))


def test_what_is_no_bar_is_broken(write, read):
    body = json.loads(TWELVE_DATA)
    body["values"].insert(1, "busy")
    found = read(open_source(write("answer.json", json.dumps(body))))
    assert [(each.row, each.reason) for each in found.broken] == [(2, "expected an object, found str")]
    assert found.numbers == [1, 3]


@pytest.mark.parametrize("body", ['{"meta": 7, "values": []}', '{"Meta Data": [], "Time Series FX (Daily)": {}}'])
def test_an_answer_that_says_little_has_no_symbol(write, read, body):
    source = open_source(write("answer.json", body))
    assert (source.symbol, read(source).sizes) == (None, [0])
