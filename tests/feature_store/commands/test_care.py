"""What a terminal says of a store: how whole it is, how fresh, and what was taken back."""

import pytest

import feature_store as fs
from feature_store import json_codec


def test_check_lists_every_series_with_what_it_lacks(run):
    done = run("check")
    assert done.exit_code == 0, done.stderr
    assert "EUR/USD 1h" in done.stdout
    assert "GBP/USD 1h" in done.stdout
    assert "5 in 1 gaps" in done.stdout
    assert "Mon" not in done.stdout


def test_check_of_one_symbol_shows_its_days_and_gaps(run):
    shown = run("check", "EURUSD").stdout
    assert "2022 Nov" in shown
    assert "2023 Jan" in shown
    (wednesday,) = [
        line
        for line in shown.splitlines()
        if (line.startswith("Wed") and "▒" in line) or ("░" in line and "Wed" in line)
    ]
    assert wednesday.count("░") == 1
    assert "2023-01-04 10:00" in shown
    assert "█ all bars" in shown


def test_check_as_json_has_every_day_and_gap(run):
    (series,) = json_codec.loads(
        run("check", "EURUSD", "--start", "2023-01-02", "--end", "2023-01-06", "--json").stdout
    )["series"]
    assert series["gaps"] == [{"start": "2023-01-04T10:00:00Z", "end": "2023-01-04T15:00:00Z", "bars": 5}]
    assert (series["missing"], series["expected"] - series["bars"]) == (5, 5)
    assert {day["day"]: day["present"] for day in series["days"]}["2023-01-04"] == 19


def test_check_shows_what_was_quarantined_and_why(run, tmp_path):
    file = tmp_path / "bad.csv"
    file.write_text(
        "time,open,high,low,close\n2023-01-04 10:00,1,2,0.5,1\n2023-01-04 11:00,1,0.5,2,1\n2023-01-07 11:00,1,2,0.5,1\n"
    )
    assert run("ingest", "EURUSD", file, "-t", "1h", "--tz", "UTC").exit_code == 0
    rows = json_codec.loads(run("check", "EURUSD", "--json").stdout)["quarantined"]
    assert [(each["rows"], each["reason"][:14]) for each in rows] == [(1, "high is below "), (1, "market closed:")]
    shown = run("check").stdout
    assert "Quarantined (2 rows)" in shown
    assert "line 3: time=2023-01-04 11:00 open=1 high=0.5 low=2 close=1" in " ".join(shown.split())
    assert not json_codec.loads(run("check", "GBPUSD", "--json").stdout)["quarantined"]


def test_strict_says_by_its_exit_code_that_something_is_missing(run):
    assert run("check", "--strict").exit_code == 1
    assert run("check").exit_code == 0


def test_check_of_what_is_not_stored_says_what_is(run):
    done = run("check", "AUDUSD")
    assert done.exit_code == 2
    assert "AUD/USD is not stored; this store holds EUR/USD 1h, GBP/USD 1h" in done.stderr


def test_deleted_bars_are_taken_back_and_said(run, home):
    assert (
        "24 bars of EURUSD 1h taken back"
        in run("delete", "EURUSD", "--start", "2023-01-10", "--end", "2023-01-10").stdout
    )
    with fs.open(home) as store:
        assert not len(store.bars("EUR/USD", "1h").loc["2023-01-10"])
    done = run("delete", "EURUSD")
    assert done.exit_code == 2
    assert "name at least one of --start and --end" in done.stderr


def test_compact_moves_rows_to_where_other_programs_read_them(run, home):
    import polars as pl

    with fs.open(home) as store:
        flat = {name: [1.0] for name in ("open", "high", "low", "close")}
        store.ingest("AUD/USD", "1h", {"time": ["2023-01-04T10:00Z"], **flat})
    assert pl.scan_delta(str(home / "bars" / "1h")).filter(pl.col("symbol") == "AUDUSD").collect().height == 0
    assert run("compact").exit_code == 0
    assert pl.scan_delta(str(home / "bars" / "1h")).filter(pl.col("symbol") == "AUDUSD").collect().height == 1


# ---------------------------------------------------------------- files
def test_doctor_finds_nothing_wrong_with_a_sound_store(run):
    done = run("doctor")
    assert done.exit_code == 0, done.stderr
    assert "Nothing is wrong." in done.stdout


def test_doctor_names_damage_and_what_to_do_and_gives_up_what_is_named(run, home, bars_file):
    run("compact")
    path = next(home.glob("bars/1h/symbol=EURUSD/*/*.parquet"))
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(bytes(whole))
    done = run("doctor", "--json")
    assert done.exit_code == 1
    (found,) = [each for each in json_codec.loads(done.stdout)["findings"] if each["severity"] == "damage"]
    assert path.name in found["where"]
    assert "EUR/USD" in found["what"]
    assert found["remedy"]
    assert "damage" in run("doctor").stdout
    assert run("get", "EURUSD").exit_code == 2
    assert run("doctor", "--forget", found["where"]).exit_code == 0
    assert run("get", "GBPUSD").exit_code == 0
    assert run("ingest", "EURUSD", bars_file, "-t", "1h", "--tz", "UTC").exit_code == 0
    with fs.open(home) as store:
        assert len(store.bars("EUR/USD", "1h")) == len(store.bars("GBP/USD", "1h"))


def test_repair_mends_without_losing_a_row(run, home):
    run("compact")
    orphan = next(home.glob("bars/1h/symbol=EURUSD/*")) / "0_1_1_0_0_0_0-00000000000000000000000000000000.parquet"
    orphan.write_bytes(b"PAR1")
    shown = run("doctor").stdout
    assert "doctor --repair mends 1 of them" in shown
    assert orphan.exists()
    done = run("doctor", "--repair")
    assert done.exit_code == 0
    assert "mended" in done.stdout
    assert not orphan.exists()


@pytest.mark.parametrize("command", [["doctor"], ["check"], ["catalog"], ["get", "EURUSD"]])
def test_an_address_that_nobody_can_open_is_one_line(run, command):
    done = run(*command, "--home", "tape://bucket/market")
    assert done.exit_code == 2, done.output
    assert "home must be a folder or an address such as s3://bucket/market, was 'tape://bucket/market'" in done.stderr


# ---------------------------------------------------------------- kept
def test_backfill_of_several_symbols_tells_each(run):
    done = json_codec.loads(run("backfill", "all", "ema_9", "--json").stdout)
    assert [each["symbol"] for each in done["series"]] == ["EUR/USD", "GBP/USD"]
    assert done["written"] == done["rows"] > 2000
    again = run("backfill", "EURUSD,GBPUSD", "ema_9").stdout
    assert again.count("nothing new") == 2


def test_sets_are_registered_listed_and_filled(run):
    assert "trend:v1" in run("sets", "trend", "ema_9", "rsi_14", "--description", "what is up").stdout
    listed = json_codec.loads(run("sets", "--json").stdout)["sets"]
    assert [(each["id"], each["features"], each["description"]) for each in listed] == [
        ("trend:v1", ["ema_9", "rsi_14"], "what is up")
    ]
    assert "trend_v1" in run("backfill", "EURUSD", "trend").stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["sets", "rsi", "ema_9"], "rsi is the name of an indicator"),
        (["sets", "Trend", "ema_9"], "a set's name must be a word"),
        (["sets", "trend"], "trend needs at least one feature"),
        (["backfill", "EURUSD", "trendy"], "trendy"),
        (["backfill", "EURUSD,AUDUSD", "ema_9"], "no bars of AUD/USD"),
    ],
)
def test_bad_requests_are_one_line(run, words, says):
    done = run(*words)
    assert done.exit_code == 2, done.output
    assert says in done.stderr
