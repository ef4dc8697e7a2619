"""`feature-store demo`, run as a newcomer would."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest


def demo(folder, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "feature_store", "demo", "--folder", str(folder), *options],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
        check=False,
        timeout=240,
    )


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    done = demo(folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_it_shows_every_source_in_turn_and_that_the_bits_agree(first):
    _, said = first
    assert re.findall(r"source (\w+)", said) == ["live", "cache", "direct", "live"]
    assert "the same bits" in said
    assert "4,998 stored" in said


def test_it_leaves_a_report_that_needs_nothing_else(first):
    folder, said = first
    report = (folder / "report.html").read_text("utf-8")
    assert "MA crossover" in report
    assert "Volatility breakout" in report
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", report)
    assert "report.html" in said


def test_a_second_run_reuses_everything(first):
    folder, _ = first
    again = demo(folder)
    assert again.returncode == 0, again.stderr
    assert "0 stored, 4,998 there already" in again.stdout
    assert "0 rows new" in again.stdout


def test_it_leaves_no_process_behind(first):
    folder, _ = first
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(folder) not in running


def test_bars_of_ones_own_are_taken(first, tmp_path, eurusd):
    mine = tmp_path / "mine.csv"
    eurusd.iloc[:1500].to_csv(mine)
    done = demo(tmp_path / "other", "--bars", str(mine), "--symbol", "EURUSD")
    assert done.returncode == 0, done.stderr
    assert "Bars of mine.csv" in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--bars", "nowhere.csv"], "nowhere.csv"),
        (["--symbol", "?"], "symbol must be an instrument's name"),
        (["--timeframe", "7h"], "timeframe must be one of"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_2(tmp_path, options, message):
    done = demo(tmp_path / "demo", *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
