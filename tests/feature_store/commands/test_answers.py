"""Bars and features as they were known at a moment, onto the screen and into files that give back their bits."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

import feature_store as fs
from feature_store import json_codec, wire

RANGE = ["--start", "2023-01-02", "--end", "2023-01-31"]
FEATURES = ["EURUSD", "ema_9", "macd"]


def expected(home):
    with fs.open(home) as store:
        return store.features("EUR/USD", "1h", ["ema_9", "macd"], "2023-01-02", "2023-01-31")


@pytest.mark.parametrize(("name", "read"), [("a.parquet", pl.read_parquet), ("a.arrow", pl.read_ipc)])
def test_files_of_columns_give_back_the_bits(run, home, tmp_path, name, read):
    done = run("features", *FEATURES, *RANGE, "--output", tmp_path / name)
    assert done.exit_code == 0, done.stderr
    rows = read(tmp_path / name)
    frame = expected(home)
    assert f"{len(frame):,} rows of EUR/USD 1h in" in done.stdout
    assert rows.columns == ["time", *frame.columns]
    assert str(rows.schema["time"]) == "Datetime(time_unit='us', time_zone='UTC')"
    assert rows["time"].dt.epoch("us").to_list() == (frame.index.as_unit("us").asi8).tolist()
    for column in frame:
        assert np.array_equal(rows[column].to_numpy().view(np.int64), frame[column].to_numpy().view(np.int64))


def test_parquet_says_where_its_values_come_from(run, tmp_path):
    run("features", *FEATURES, "--output", tmp_path / "a.parquet")
    about = pl.read_parquet_metadata(tmp_path / "a.parquet")
    provenance = json_codec.loads(about["provenance"])
    assert (about["symbol"], about["timeframe"], provenance["source"]) == ("EUR/USD", "1h", "live")
    assert set(provenance["versions"]) == {"ema_9", "macd.line", "macd.signal", "macd.histogram"}


def test_a_csv_file_holds_what_csv_prints(run, tmp_path):
    run("get", "EURUSD", *RANGE, "-o", tmp_path / "a.csv")
    written = pd.read_csv(tmp_path / "a.csv", index_col="time")
    printed = pd.read_csv(pd.io.common.StringIO(run("get", "EURUSD", *RANGE, "--csv").stdout), index_col="time")
    pd.testing.assert_frame_equal(written, printed)


def test_a_json_file_is_what_the_service_answers(run, home, tmp_path):
    run("get", "EURUSD", *RANGE, "-o", tmp_path / "a.json")
    frame = wire.frame_from_json((tmp_path / "a.json").read_bytes())
    with fs.open(home) as store:
        assert np.array_equal(frame.columns["close"], store.bars("EUR/USD", "1h", "2023-01-02", "2023-01-31")["close"])


def test_as_of_answers_as_was_known_then(run, home):
    with fs.open(home) as store:
        store.delete("EUR/USD", "1h", "2023-01-10", "2023-01-10", known_at="2024-01-01")
    now = json_codec.loads(run("get", "EURUSD", *RANGE, "--json").stdout)
    then = json_codec.loads(run("get", "EURUSD", *RANGE, "--as-of", "2023-12-31", "--json").stdout)
    assert len(then["time"]) - len(now["time"]) == 24
    assert then["provenance"]["as_of"] == "2023-12-31T00:00:00Z"


def test_the_name_of_a_set_stands_for_its_features(run, home):
    with fs.open(home) as store:
        store.register_set("trend", ["ema_9", "macd"])
    named = run("features", "EURUSD", "trend", *RANGE, "--csv").stdout
    assert named == run("features", *FEATURES, *RANGE, "--csv").stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["-o", "a.xlsx"], "output must end in .parquet, .arrow, .csv, .json, was 'a.xlsx'"),
        (["-o", "nowhere/a.csv"], "nowhere/a.csv cannot be written (No such file or directory); choose another place"),
        (["-o", "a.csv", "--csv"], "choose one of --json, --csv and --output"),
        (["--as-of", "soon"], "as_of must be an ISO 8601 time"),
    ],
)
def test_what_cannot_be_written_is_refused_in_one_line(run, tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    done = run("get", "EURUSD", *words)
    assert done.exit_code == 2
    assert says in " ".join(done.stderr.split())
    assert not [path for path in tmp_path.iterdir() if path.name != "market"]
