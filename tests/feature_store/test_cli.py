"""The commands on a real folder: bars in, bars and features out, and one line for whatever is wrong with a request."""

import csv
import io
import socket
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import feature_store as fs
from feature_store import json_codec, tables, wire
from feature_store.cli import app

ROWS = 300


@pytest.fixture(scope="session")
def bars():
    """300 bars of one hour from Monday 2 January 2023, without a weekend's gap to keep the arithmetic plain."""
    time = pd.date_range("2023-01-02", periods=2 * ROWS, freq="1h", tz="UTC", name="time")
    time = time[time.day_of_week < 4][:ROWS]
    close = 1.08 + 0.01 * np.sin(np.arange(len(time)) / 7)
    opened = np.concatenate([close[:1], close[:-1]])
    high, low = np.maximum(opened, close) + 1e-4, np.minimum(opened, close) - 1e-4
    return pd.DataFrame({"open": opened, "high": high, "low": low, "close": close, "tick_volume": 100.0}, index=time)


@pytest.fixture(scope="session")
def home(bars, tmp_path_factory):
    folder = tmp_path_factory.mktemp("market")
    with fs.open(folder) as store:
        store.ingest("EUR/USD", "1h", bars)
    return folder


@pytest.fixture
def run(home, monkeypatch):
    monkeypatch.setenv("FEATURE_STORE_HOME", str(home))
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def file_of(bars, path, **changes):
    text = bars.reset_index().assign(**changes)
    text.to_csv(path, index=False)
    return path


# ---------------------------------------------------------------- bars in
def test_ingest_stores_a_file_and_says_what_became_of_its_rows(run, bars, tmp_path):
    done = run("ingest", "EURUSD", file_of(bars, tmp_path / "bars.csv"), "--home", tmp_path / "market")
    assert done.exit_code == 0, done.stderr
    assert "300" in done.stdout
    with fs.open(tmp_path / "market") as store:
        assert len(store.bars("EUR/USD", "1h")) == ROWS


def test_ingest_lists_quarantined_rows_with_their_line_and_reason(run, bars, tmp_path):
    low = bars["low"].to_numpy(copy=True)
    low[5] = 2.0
    done = run("ingest", "EURUSD", file_of(bars, tmp_path / "bars.csv", low=low), "--home", tmp_path / "market")
    assert done.exit_code == 0
    row = next(line for line in done.stdout.splitlines() if "row 7" in line)
    assert "low" in row


def test_ingest_reports_as_json_in_total_and_by_file(run, bars, tmp_path):
    low = bars["low"].to_numpy(copy=True)
    low[5] = 2.0
    first, second = file_of(bars[:200], tmp_path / "a.csv"), file_of(bars[100:], tmp_path / "b.csv", low=low[100:])
    broken = file_of(bars[:50], tmp_path / "c.csv", low=low[:50])
    done = run("ingest", "EUR/USD", first, second, broken, "--home", tmp_path / "market", "--json")
    report = json_codec.loads(done.stdout)
    assert (report["read"], report["stored"], report["duplicates"]) == (450, 300, 149)
    assert report["timezone"] == "as written"
    assert [(row["file"], row["row"]) for row in report["quarantined"]] == [(str(broken), 7)]
    assert [file["stored"] for file in report["files"]] == [200, 100, 0]


def test_ingest_reads_times_in_the_zone_it_is_told(run, bars, tmp_path):
    local = bars.tz_convert("Europe/Berlin").tz_localize(None).rename_axis("time")
    file = file_of(local, tmp_path / "bars.csv")
    done = run("ingest", "EURUSD", file, "--tz", "Europe/Berlin", "--home", tmp_path / "market", "--json")
    assert json_codec.loads(done.stdout)["timezone"] == "Europe/Berlin"
    with fs.open(tmp_path / "market") as store:
        assert store.bars("EUR/USD", "1h").index[0] == bars.index[0]


def test_what_was_stored_before_a_bad_file_is_stored_and_said(run, bars, tmp_path):
    good, bad = file_of(bars, tmp_path / "good.csv"), tmp_path / "bad.csv"
    bad.write_text("these,are,no\nbars,at,all\n")
    done = run("ingest", "EURUSD", good, bad, "--home", tmp_path / "market", "--json")
    assert done.exit_code == 2
    assert "bad.csv" in done.stderr
    assert json_codec.loads(done.stdout)["stored"] == ROWS


# ---------------------------------------------------------------- bars and features out
def test_get_prints_the_bars_of_a_range(run):
    done = run("get", "EURUSD", "--start", "2023-01-02", "--end", "2023-01-02T03:00")
    assert done.exit_code == 0, done.stderr
    assert "2023-01-02T02:00:00Z" in done.stdout
    assert "2023-01-02T03:00:00Z" not in done.stdout


def test_a_long_table_shows_both_ends_and_how_much_is_left_out(run):
    done = run("get", "EURUSD")
    assert f"{ROWS - 2 * tables.EDGE} more" in done.stdout
    assert "300 rows, live" in done.stdout


def test_json_is_what_the_service_answers(run, home):
    frame = wire.frame_from_json(run("features", "EURUSD", "sma_3", "macd", "--json").stdout.encode())
    with fs.open(home) as store:
        expected = store.features("EUR/USD", "1h", ["sma_3", "macd"])
    assert list(frame.columns) == list(expected.columns)
    for name, column in frame.columns.items():
        np.testing.assert_array_equal(column, expected[name])


def test_csv_reads_back_to_the_same_bits(run, home):
    rows = list(csv.reader(io.StringIO(run("features", "EURUSD", "sma_3", "--csv").stdout)))
    with fs.open(home) as store:
        expected = store.features("EUR/USD", "1h", ["sma_3"])
    assert rows[0] == ["time", "sma_3"]
    assert [row[1] for row in rows[1:3]] == ["", ""]
    np.testing.assert_array_equal([float(row[1]) for row in rows[3:]], expected["sma_3"].to_numpy()[2:])
    assert rows[1][0] == "2023-01-02T00:00:00Z"


def test_a_feature_of_a_higher_timeframe_is_joined(run):
    done = run("features", "EURUSD", "sma_2@4h", "--csv")
    assert done.stdout.startswith("time,sma_2@4h\n")


def test_backfill_stores_features_and_a_second_run_finds_nothing_new(run, bars, tmp_path):
    with fs.open(tmp_path) as store:
        store.ingest("EUR/USD", "1h", bars)
    first = json_codec.loads(run("backfill", "EURUSD", "sma_3", "rsi_14", "--home", tmp_path, "--json").stdout)
    assert (first["rows"], first["written"], first["columns"]) == (ROWS, ROWS, ["sma_3", "rsi_14"])
    assert "nothing new" in run("backfill", "EURUSD", "sma_3", "rsi_14", "--home", tmp_path).stdout


def test_catalog_lists_and_searches(run):
    listed = json_codec.loads(run("catalog", "--json").stdout)["indicators"]
    assert [each["id"] for each in listed] == [each.name for each in fs.catalog()]
    found = run("catalog", "--search", "bollinger").stdout
    assert "bbands_20_2" in found
    assert "donchian" not in found


def test_catalog_takes_words_and_looks_for_them_in_texts_too(run):
    assert run("catalog", "moving", "average").stdout == run("catalog", "--search", "moving average").stdout
    about_rsi = json_codec.loads(run("catalog", "rsi", "--json").stdout)["indicators"]
    names = {each["id"] for each in about_rsi}
    assert names > {"rsi", "stochrsi", "cmo_wilder"}  # by id, and by what is said of it
    assert "pvo" not in names  # of which "version" is said


def test_catalog_is_grouped_and_has_no_line_longer_than_the_terminal(run, monkeypatch):
    monkeypatch.setattr(tables, "_PIPE_WIDTH", 80)
    lines = run("catalog").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    groups = list(dict.fromkeys(each.group for each in fs.catalog()))
    assert [line.strip() for line in lines if line.rstrip() in {f" {group}" for group in groups}] == groups
    assert not any("…" in line for line in lines)


def test_describe_tells_all_of_a_feature(run):
    told = run("describe", "macd_5_20_9").stdout
    assert "Moving average convergence divergence" in told
    assert "    line = ema(close, fast) - ema(close, slow)\n" in told
    assert ">>>" not in told
    feature = fs.parse("macd_5_20_9")
    rows = [line.split() for line in told.splitlines()]
    assert ["fast", "5", "12", "a", "whole", "number", "from", "1", "to", "5000"] in rows
    for column, first, settled in zip(feature.columns, feature.warmups, feature.settlings, strict=True):
        assert [column, "price", "change", str(first), str(settled)] in rows
    assert f"{feature.version} (built-in)" in told


def test_describe_tells_of_one_output_and_of_values_that_never_settle(run):
    told = run("describe", "bbands.upper").stdout
    assert [line.split()[0] for line in told.splitlines() if " price " in line] == ["bbands.upper"]
    assert "never" in run("describe", "obv").stdout


def test_describe_as_json_is_what_the_service_answers(run):
    assert json_codec.loads(run("describe", "rsi_7", "--json").stdout) == fs.parse("rsi_7").describe()


def test_what_was_registered_is_listed_and_described(run, tmp_path):
    (tmp_path / "mine.toml").write_text(
        'name = "reach"\nexpression = "(high - low) / n"\ndescription = "Half of it."\n'
        "parameters = {n = {type = 'int', default = 2}}\n"
    )
    run("register", tmp_path / "mine.toml", "--home", tmp_path / "store")
    listed = run("catalog", "half", "--home", tmp_path / "store").stdout
    assert "reach (v1 of this store)" in listed
    told = run("describe", "reach_3", "--home", tmp_path / "store").stdout
    assert "\nHalf of it.\n\n    (high - low) / n\n" in told


# ---------------------------------------------------------------- one line for what is wrong
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["features", "EURUSD", "smaa_3"], "did you mean sma"),
        (["features", "EURUSD", "sma_0"], "from 1 to 5000, was 0"),
        (["features", "EURUSD"], "ids"),
        (["features", "EURUSD", *(f"sma_{n}" for n in range(2, 203))], "at most 200"),
        (["get", "GBPUSD"], "EUR/USD 1h"),
        (["get", "unknown"], "such as EUR/USD"),
        (["get", "EURUSD", "-t", "7h"], "one of 1m"),
        (["get", "EURUSD", "-t", "1m"], "EUR/USD 1h"),
        (["get", "EURUSD", "--start", "2023-02-01", "--end", "2023-01-01"], "end must be after start"),
        (["get", "EURUSD", "--start", "2030-01-01"], "2023-01-02"),
        (["get", "EURUSD", "--start", "yesterday"], "ISO 8601"),
        (["get", "EURUSD", "--json", "--csv"], "choose one"),
        (["ingest", "EURUSD", "no-such-file.csv"], "no such file"),
        (["ingest", "EURUSD"], "files"),
        (["catalog", "--search", "no such thing"], "lists all"),
        (["describe", "rssi"], "did you mean rsi"),
        (["describe", "rsi_1"], "from 2 to 5000, was 1"),
        (["backfill", "GBPUSD", "sma_3"], "EUR/USD 1h"),
        (["serve", "--port", "70000"], "65535"),
        (["serve", "--port", "http"], "port"),
        (["serve", "--host", "0.0.0.0"], "--api-key"),
        (["serve", "--port", "0", "--api-key", "schlüssel"], "printable ASCII"),
        (["gett", "EURUSD"], "Did you mean 'get'"),
    ],
)
def test_a_bad_request_is_one_line_on_stderr_and_exit_code_2(run, words, says):
    done = run(*words)
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert says in done.stderr


def test_a_home_that_is_a_file_is_refused(run, tmp_path):
    (tmp_path / "file").write_text("")
    done = run("get", "EURUSD", "--home", tmp_path / "file")
    assert done.exit_code == 2
    assert "folder" in done.stderr


def test_a_port_in_use_is_refused(run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("serve", "--port", taken.getsockname()[1])
    assert done.exit_code == 2
    assert "is in use" in done.stderr


# ---------------------------------------------------------------- as a program
def program(*words, **options):
    command = [sys.executable, "-m", "feature_store", *(str(word) for word in words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **options)


def test_as_a_program_it_prints_what_it_prints_as_a_command(home):
    done = program("get", "EURUSD", "--end", "2023-01-02T02:00", "--csv", "--home", home)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 3


def test_as_a_program_it_exits_with_2_for_a_bad_request(home):
    done = program("get", "GBPUSD", "--home", home)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("feature-store: ")
    assert done.stderr.count("\n") == 1


def test_a_reader_that_stops_early_is_no_error(home):
    command = f'"{sys.executable}" -m feature_store get EURUSD --csv --home "{home}" | head -n 1'
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.startswith("time,")
    assert done.stderr == ""


def test_a_reader_that_never_reads_is_no_error(home):
    for _ in range(3):
        command = f'"{sys.executable}" -m feature_store get EURUSD --csv --home "{home}" | true'
        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False, timeout=60)
        assert done.stderr == ""


def test_features_explains_a_request_without_data(run):
    done = run("features", "EURUSD", "macd", "ema_12", "atr_14@4h", "--explain")
    assert "ema_12 of close" in done.stdout
    assert "Loops (" in done.stdout
    told = json_codec.loads(run("features", "EURUSD", "macd", "ema_12", "--explain", "--json").stdout)
    assert told["shared"] == [{"step": "ema_12 of close", "features": ["macd", "ema_12"]}]
