"""The command `ingest` on real folders: files, folders and patterns in, and what became of them said."""

import os
import pty
import signal
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import feature_store as fs
from feature_store import ingest_tables, json_codec
from feature_store.cli import app
from feature_store.errors import UnsupportedFileError
from feature_store.ingest.finding import files_of
from feature_store.ingest.report import IngestReport, Quarantine, Rejected
from tests.conftest import random_walk

ROWS = 200


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command in the test's folder, on a store in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FEATURE_STORE_HOME", str(tmp_path / "market"))
    return lambda *words: CliRunner().invoke(app, ["ingest", *(str(word) for word in words)])


@pytest.fixture
def bars():
    time = pd.date_range("2023-01-02", periods=2 * ROWS, freq="1h", tz="UTC", name="time")
    time = time[time.day_of_week < 4][:ROWS]
    return random_walk(ROWS).set_index(time)


def told(done):
    assert done.exit_code == 0, done.stderr
    return json_codec.loads(done.stdout)


def ticks_from(path, start, seconds):
    lines = [f"{start + pd.Timedelta(seconds=second):%Y-%m-%d %H:%M:%S},1.1,1.2" for second in seconds]
    path.write_text("\n".join(["time,bid,ask", *lines]))


# ---------------------------------------------------------------- which files
def test_a_folder_means_the_files_in_it_that_a_reader_knows(run, bars, tmp_path):
    folder = tmp_path / "data" / "deep"
    folder.mkdir(parents=True)
    bars[:50].to_csv(folder / "a.csv")
    bars[50:].to_csv(tmp_path / "data" / "b.csv")
    (folder / "README.md").write_text("about a.csv")
    (folder / "notes.txt").write_text("nothing in columns\n")
    (folder / ".hidden.csv").write_text("x")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    report = told(run("EURUSD", "data", "--json"))
    assert [each["file"].rpartition("/")[2] for each in report["files"]] == ["b.csv", "a.csv"]
    assert report["stored"] == ROWS


def test_a_pattern_means_the_files_that_fit(run, bars):
    for name in ("jan-1.csv", "jan-2.csv", "feb-1.csv"):
        bars.to_csv(name)
    assert [each["file"] for each in told(run("EURUSD", "jan-*.csv", "--json"))["files"]] == ["jan-1.csv", "jan-2.csv"]


@pytest.mark.parametrize("what", ["nothing-*.csv", "empty"])
def test_a_pattern_or_folder_without_any_file_is_an_error_in_one_line(run, tmp_path, what):
    (tmp_path / "empty").mkdir()
    done = run("EURUSD", what)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "found none that any reader knows" in " ".join(done.stderr.split())


def test_a_file_named_twice_is_taken_once(tmp_path, bars):
    bars.to_csv(tmp_path / "a.csv")
    assert files_of([tmp_path, tmp_path / "a.csv", f"{tmp_path}/*.csv"]) == [tmp_path / "a.csv"]


def test_a_broken_package_in_a_folder_is_not_passed_over(tmp_path, bars):
    bars.to_csv(tmp_path / "a.csv")
    (tmp_path / "b.zip").write_bytes(b"no zip")
    assert files_of([tmp_path]) == [tmp_path / "a.csv", tmp_path / "b.zip"]


# ---------------------------------------------------------------- as what
def test_the_timeframe_is_that_of_the_file_unless_it_is_named(run, bars, tmp_path):
    bars.to_csv("EURUSD_H1.csv")
    assert told(run("EURUSD", "EURUSD_H1.csv", "--json"))["files"][0]["timeframe"] == "1h"
    done = run("EURUSD", "EURUSD_H1.csv", "--timeframe", "4h")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "ingest it as 1h: the store makes higher bars" in " ".join(done.stderr.split())


def test_files_of_ticks_become_minutes_and_share_their_bars(run, tmp_path):
    start = pd.Timestamp("2023-01-03 10:00")
    ticks_from(tmp_path / "b.csv", start, [40, 70])
    ticks_from(tmp_path / "a.csv", start, [0, 20])
    report = told(run("EURUSD", "b.csv", "a.csv", "--tz", "UTC", "--json"))
    assert (report["read"], report["stored"], report["bars"]) == (4, 4, 2)
    with fs.open(tmp_path / "market") as store:
        assert store.bars("EUR/USD", "1m")["tick_volume"].tolist() == [3.0, 1.0]
    again = " ".join(run("EURUSD", "a.csv", "b.csv", "--tz", "UTC", "--dry-run").stdout.split())
    assert "a.csv 1m 2 0 2 0 UTC" in again
    fresh = " ".join(run("EURUSD", "a.csv", "b.csv", "--tz", "UTC", "--home", "other").stdout.split())
    assert "a.csv 1m 2 2 in 0 bars 0 0 UTC" in fresh


def test_a_dry_run_says_so_and_stores_nothing(run, bars, tmp_path):
    bars.to_csv("a.csv")
    done = run("EURUSD", "a.csv", "--dry-run")
    assert "nothing was stored" in done.stdout
    assert str(ROWS) in done.stdout
    with fs.open(tmp_path / "market") as store:
        assert store.symbols() == []
    assert told(run("EURUSD", "a.csv", "--dry-run", "--json"))["dry_run"] is True


# ---------------------------------------------------------------- what is said
def test_the_clock_that_was_found_and_the_notes_are_told(run, bars):
    bars[:40].tz_localize(None).to_csv("a.csv")
    done = run("EURUSD", "a.csv")
    said = " ".join(done.stdout.split())
    assert "UTC (assumed)" in said
    assert "a.csv: the times carry no zone" in said
    assert "--tz" in said
    again = " ".join(run("EURUSD", "a.csv").stdout.split())
    assert "not read again (--again reads it)" in again
    assert "imported before" not in run("EURUSD", "a.csv", "--again").stdout


def test_quarantined_rows_are_no_error_and_are_listed_by_reason(run, bars):
    low = bars["low"].to_numpy(copy=True)
    low[[5, 9]] = 2.0
    bars.assign(low=low).to_csv("a.csv")
    done = run("EURUSD", "a.csv")
    assert done.exit_code == 0
    assert "2 quarantined rows by reason" in done.stdout
    assert "a.csv, row 7" in " ".join(done.stdout.split())
    report = told(run("EURUSD", "a.csv", "--json"))
    assert (report["quarantined_rows"], [row["row"] for row in report["quarantined"]]) == (2, [7, 11])
    assert report["files"][0]["reasons"] == {"high is below low": 2}


def test_files_that_cannot_be_read_are_named_and_the_others_stored(run, bars, tmp_path):
    bars.to_csv("good.csv")
    (tmp_path / "bad.csv").write_text("these,are,no,bars\n")
    (tmp_path / "worse.zip").write_bytes(b"no zip")
    done = run("EURUSD", "bad.csv", "good.csv", "worse.zip")
    assert done.exit_code == 2
    assert "bad.csv, line 1: expected a header" in " ".join(done.stderr.split())
    assert "worse.zip: expected a whole zip file" in " ".join(done.stderr.split())
    assert "not read" in done.stdout
    report = json_codec.loads(run("EURUSD", "bad.csv", "good.csv", "--json").stdout)
    assert report["duplicates"] == ROWS
    assert "expected a header" in report["files"][0]["errors"][0]


def test_a_zip_is_one_line_of_the_table(run, bars, tmp_path):
    with zipfile.ZipFile("rows.zip", "w") as package:
        package.writestr("a.csv", bars[:50].to_csv())
        package.writestr("b.csv", bars[50:].to_csv())
        package.writestr("c.csv", "these,are,no,bars\n")
    done = run("EURUSD", "rows.zip", "--json")
    assert done.exit_code == 2
    assert done.stdout == ""  # a package is opened as a whole, before any work
    with zipfile.ZipFile("rows.zip", "w") as package:
        package.writestr("a.csv", bars[:50].to_csv())
        package.writestr("b.csv", bars[50:].to_csv())
    (file,) = told(run("EURUSD", "rows.zip", "--json"))["files"]
    assert (file["read"], file["stored"]) == (ROWS, ROWS)


def test_reasons_whose_rows_are_not_held_are_counted_in_the_table(capsys):
    held = Rejected(3, "one reason", {"a": 1})
    report = IngestReport(9, 0, 0, Quarantine([held], {"one reason": 4, "another": 5}), notes=("a note",))
    ingest_tables.print_ingested(
        {f"{number}.csv": [report] for number in range(22)} | {"bad": [UnsupportedFileError("no")]}
    )
    said = " ".join(capsys.readouterr().out.split())
    assert "198 quarantined rows by reason" in said
    assert "110 another not held" in said
    assert "88 one reason 0.csv, row 3 a=1" in said
    assert "and notes on 2 more files" in said


# ---------------------------------------------------------------- stopped
def minutes(path, years):
    """Write so many rows that reading them takes a while."""
    time = np.arange(np.datetime64("2010-01-04T00:00", "m"), np.datetime64(f"{2010 + years}-01-04T00:00", "m"))
    pd.DataFrame({"time": time, "open": 1.1, "high": 1.2, "low": 1.0, "close": 1.1}).to_csv(path, index=False)


def test_ctrl_c_leaves_a_sound_store_and_the_same_command_goes_on(tmp_path, bars):
    bars.to_csv(tmp_path / "EURUSD_H1.csv")
    minutes(tmp_path / "EURUSD_M1.csv", 3)
    words = [sys.executable, "-m", "feature_store", "ingest", "EURUSD", "EURUSD_H1.csv", "EURUSD_M1.csv", "--tz", "UTC"]
    words += ["--home", "market"]
    ours, theirs = pty.openpty()  # a terminal, on which progress is shown
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=theirs, text=True) as running:
        os.close(theirs)
        shown = ""
        while "EURUSD_M1.csv" not in shown:
            shown += os.read(ours, 4096).decode()
        running.send_signal(signal.SIGINT)
        out = running.stdout.read()
        while running.poll() is None or "stopped with" not in shown:
            try:
                shown += os.read(ours, 4096).decode()
            except OSError:  # the other end has closed
                break
    os.close(ours)
    assert running.returncode == 130
    assert "EURUSD_H1.csv" in out
    assert "stopped with 1 of 2 files to go; the same command again goes on there" in " ".join(shown.split())
    again = subprocess.run([*words, "--json"], cwd=tmp_path, capture_output=True, text=True, check=True)
    report = json_codec.loads(again.stdout)
    assert "imported before" in report["files"][0]["notes"][0]
    with fs.open(tmp_path / "market") as store:
        stored = store.symbols()
    assert {each.timeframe: each.rows for each in stored}["1m"] == report["files"][1]["stored"] + report["files"][1][
        "duplicates"
    ]
