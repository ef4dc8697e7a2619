"""docs/tutorial.md says what is true: its programs run, one after another, on a file as HistData writes them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from feature_store.bars import Timeframe
from feature_store.calendar import Calendar
from feature_store.times import to_microseconds
from tests.test_documents import programs, run

DOCUMENT = Path(__file__).parents[1] / "docs" / "tutorial.md"
ZIP = "HISTDATA_COM_ASCII_EURUSD_M12019.zip"


def histdata(path: Path) -> None:
    """A year of minutes of a walk, a tenth of them missing, on New York's clock with the dates that Europe changes it on."""
    time = Calendar().expected(to_microseconds("2019-01-02"), to_microseconds("2020-01-01"), Timeframe.parse("1m"))
    random = np.random.default_rng(0)
    time = time[random.random(len(time)) > 0.1]
    close = np.round(1.14 * np.exp(np.cumsum(random.normal(0, 2e-5, len(time)))), 5)
    opened = np.concatenate([close[:1], close[:-1]])
    summer = (time >= to_microseconds("2019-03-31T01:00Z")) & (time < to_microseconds("2019-10-27T01:00Z"))
    local = (time + np.where(summer, -4, -5) * 3_600_000_000).astype("datetime64[us]").astype("datetime64[s]")
    written = np.char.replace(np.char.replace(np.char.replace(local.astype(str), "-", ""), ":", ""), "T", " ")
    rows = zip(written, opened, np.maximum(opened, close), np.minimum(opened, close), close, strict=True)
    text = "".join(f"{t};{o:.6f};{h:.6f};{low:.6f};{c:.6f};0\n" for t, o, h, low, c in rows)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("DAT_ASCII_EURUSD_M1_2019.csv", text)


def test_the_programs_run_and_give_what_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    histdata(tmp_path / ZIP)
    names: dict[str, object] = {}
    for place, program in enumerate(programs(DOCUMENT)):
        run(program, names, f"program{place}")
    report = names["report"]
    assert report.stored == report.read
    assert "UTC-5, summer time by European dates" in report.timezone
    assert 0.85 < names["found"].completeness < 0.95
    assert len(names["train"]) > 80
    assert len(names["test"]) > 40
    assert names["frame"]["rsi_14.status"].isin(["ok", "unsettled"]).all()
    assert (tmp_path / "market" / "features" / "1h" / "noon_v1_from_1m").is_dir()
