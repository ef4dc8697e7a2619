"""The store's face, over both kinds of store."""

import time
from threading import Thread

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import feature_store as fs
from feature_store import events
from feature_store.bars import Timeframe
from feature_store.calendar import Calendar
from feature_store.errors import (
    CorruptDataError,
    DataNotFoundError,
    FeatureNotFoundError,
    FeatureStoreError,
    InvalidRequestError,
    StoreLockedError,
    UnsupportedFileError,
)
from feature_store.store.memory import MemoryStore
from feature_store.times import to_microseconds
from feature_store.wire import FeatureRequest, frame_from_arrow, frame_from_json, frame_to_arrow, frame_to_json
from tests.conftest import random_walk, same_bits

MIXED = ["sma_20", "rsi_14", "macd", "atr_14@4h", "sma_3@1d"]


@pytest.fixture(params=["memory", "delta"])
def store(request, tmp_path):
    with fs.open(":memory:" if request.param == "memory" else tmp_path / "market") as made:
        yield made


def market(rows, timeframe="1h", start="2023-01-02", symbol="EUR/USD", seed=0):
    """Bars of a walk at the calendar's times."""
    first = to_microseconds(start)
    frame = Timeframe.parse(timeframe)
    opens = Calendar.of(symbol).expected(first, first + (2 * rows + 200) * frame.microseconds, frame)[:rows]
    walk = random_walk(rows, seed=seed)
    return walk.set_index(pd.DatetimeIndex(opens.view("M8[us]"), name="time").tz_localize("UTC"))


# ---------------------------------------------------------------- ingest
def test_real_bars_go_in_once_and_come_out_as_they_were(store, eurusd):
    report = store.ingest("EUR/USD", "1h", eurusd)
    assert (report.read, report.stored, report.duplicates, report.timezone) == (5000, 4998, 0, "UTC")
    assert [each.row for each in report.quarantined] == [2940, 3181]  # after Friday 17:00 New York
    kept = eurusd.drop(index=eurusd.index[[2940, 3181]])
    pd.testing.assert_frame_equal(store.bars("EUR/USD", "1h"), kept, check_freq=False, check_index_type=False)

    again = store.ingest("EURUSD", "H1", eurusd)
    assert (again.read, again.stored, again.duplicates, len(again.quarantined)) == (5000, 0, 4998, 2)
    (series,) = store.symbols()
    assert (series.symbol, series.timeframe, series.rows) == ("EUR/USD", "1h", 4998)
    assert str(series.first) == "2017-04-19 09:00:00+00:00"


def test_a_file_is_taken_by_its_name(store, eurusd, tmp_path):
    eurusd.to_csv(tmp_path / "eurusd.csv")
    pl.from_pandas(eurusd.reset_index()).write_parquet(tmp_path / "eurusd.parquet")
    assert store.ingest("EUR/USD", "1h", tmp_path / "eurusd.csv").stored == 4998
    assert store.ingest("EUR/USD", "1h", str(tmp_path / "eurusd.parquet")).duplicates == 4998


def test_a_correction_shows_from_when_it_was_known_and_changes_the_features_only_then(store):
    bars = market(300)
    store.ingest("EUR/USD", "1h", bars)
    before = store.features("EUR/USD", "1h", MIXED)
    fixed = bars.iloc[[100]].assign(close=bars["low"].iloc[100])
    assert store.ingest("EUR/USD", "1h", fixed, known_at="2024-01-01").stored == 1
    after = store.features("EUR/USD", "1h", MIXED)
    assert same_bits(after.iloc[:100], before.iloc[:100])
    assert not same_bits(after.iloc[100:], before.iloc[100:])
    assert same_bits(store.features("EUR/USD", "1h", MIXED, as_of="2023-12-31"), before)
    assert same_bits(store.features("EUR/USD", "1h", MIXED, as_of="2024-01-01"), after)


def test_a_corrected_file_brought_again_replaces_what_was_assumed_and_not_what_was_observed(store):
    bars = market(3)
    store.ingest("EUR/USD", "1h", bars)
    store.ingest("EUR/USD", "1h", bars.iloc[[2]].assign(tick_volume=1000.0), known_at="2023-06-01")
    assert store.ingest("EUR/USD", "1h", bars.assign(tick_volume=2000.0)).stored == 3
    assert store.bars("EUR/USD", "1h")["tick_volume"].tolist() == [2000.0, 2000.0, 1000.0]


def test_a_bar_that_is_still_forming_is_not_stored():
    now = to_microseconds("2023-01-03T10:30:00Z")
    store = fs.FeatureStore(MemoryStore(), clock=lambda: now)
    bars = market(40)
    report = store.ingest("EUR/USD", "1h", bars)
    assert store.bars("EUR/USD", "1h").index[-1] == pd.Timestamp("2023-01-03T09:00Z")
    assert {each.reason for each in report.quarantined} == {"the bar had not closed when it was known"}


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("EUR/USD", "7h", {}), InvalidRequestError, "timeframe must be one of"),
        (("", "1h", {}), InvalidRequestError, "symbol must be an instrument's name"),
        (("EUR/USD", "1h", {}), InvalidRequestError, "no column means time, open, high, low, close among no columns"),
        (("EUR/USD", "1h", "no.csv"), UnsupportedFileError, "there is no such file"),
        (("EUR/USD", "1h", market(2), "later"), InvalidRequestError, "known_at must be an ISO 8601 time"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_one_sentence(store, arguments, error, message):
    with pytest.raises(error, match=message):
        store.ingest(*arguments)
    assert store.symbols() == []


# ---------------------------------------------------------------- bars
def test_a_range_is_half_open_and_a_bare_end_date_covers_its_day(store):
    store.ingest("EUR/USD", "1h", market(200))
    day = store.bars("EUR/USD", "1h", "2023-01-03", "2023-01-03")
    assert [str(day.index[place]) for place in (0, -1)] == ["2023-01-03 00:00:00+00:00", "2023-01-03 23:00:00+00:00"]
    assert len(store.bars("EUR/USD", "1h", "2023-01-03T05:00", "2023-01-03T07:00")) == 2


def test_every_form_holds_the_same_values(store):
    store.ingest("EUR/USD", "1h", market(60))
    asked = ("EUR/USD", "1h", ["sma_5", "rsi_14"])
    pandas = store.features(*asked)
    assert (pandas.index.name, str(pandas.index.dtype)) == ("time", "datetime64[us, UTC]")
    polars, arrow = store.features(*asked, as_="polars"), store.features(*asked, as_="arrow")
    arrays = store.features(*asked, as_="numpy")
    assert polars["time"].to_list() == arrow["time"].to_pylist() == pandas.index.to_pydatetime().tolist()
    assert arrays["time"].tolist() == pandas.index.tz_localize(None).to_pydatetime().tolist()
    for column in pandas.columns:
        assert same_bits(pandas[column], polars[column].to_numpy())
        assert same_bits(pandas[column], arrays[column])
    with pytest.raises(InvalidRequestError, match="as_ must be one of pandas, polars, arrow, numpy, was 'excel'"):
        store.features(*asked, as_="excel")


def test_a_pandas_answer_tells_where_it_came_from(store):
    store.ingest("EUR/USD", "1h", market(60))
    answer = store.features("EUR/USD", "1h", ["sma_5"], as_of="2023-06-01")
    provenance = answer.attrs["provenance"]
    assert (answer.attrs["symbol"], answer.attrs["timeframe"]) == ("EUR/USD", "1h")
    assert (provenance["source"], provenance["as_of"], provenance["degraded"]) == (
        "live",
        "2023-06-01T00:00:00Z",
        False,
    )
    assert provenance["versions"] == {"sma_5": fs.parse("sma_5").version}
    assert provenance["anchor"] == market(1).index[0].value // 1_000_000
    assert store.bars("EUR/USD", "1h").attrs["provenance"]["versions"] == {}


def test_an_answer_may_be_changed_without_changing_the_store(store):
    store.ingest("EUR/USD", "1h", market(60))
    for ask in (lambda: store.bars("EUR/USD", "1h"), lambda: store.features("EUR/USD", "1h", ["sma_5"])):
        answer = ask()
        whole = answer.copy()
        answer.iloc[:, 0] = 0.0
        pd.testing.assert_frame_equal(ask(), whole)


def test_what_is_not_there_is_told_with_what_is(store):
    with pytest.raises(DataNotFoundError, match=r"no bars of EUR/USD in 1h .* this store holds nothing yet"):
        store.bars("EUR/USD", "1h")
    store.ingest("EUR/USD", "1h", market(60))
    with pytest.raises(
        DataNotFoundError, match=r"no bars of GBP/USD in 1h or a timeframe to make it from.* holds EUR/USD 1h"
    ):
        store.features("GBP/USD", "1h", ["sma_5"])
    with pytest.raises(DataNotFoundError, match="this store holds EUR/USD 1h"):
        store.bars("EUR/USD", "5m")
    runs = "runs from 2023-01-02T00:00:00Z to 2023-01-04T11:00:00Z"
    with pytest.raises(
        DataNotFoundError, match=f"no bars of EUR/USD 1h from 2024-01-01T00:00:00Z; the series known then {runs}"
    ):
        store.bars("EUR/USD", "1h", "2024-01-01")
    with pytest.raises(DataNotFoundError, match=f"up to 2022-01-02T00:00:00Z; .* {runs}"):
        store.features("EUR/USD", "1h", ["sma_5"], end="2022-01-01")
    for ask in (store.bars, lambda *a, **k: store.features(*a, ["sma_5"], **k)):
        with pytest.raises(
            DataNotFoundError, match="as of 2020-01-01T00:00:00Z; the series known then has no closed bar yet"
        ):
            ask("EUR/USD", "1h", as_of="2020-01-01")
    with pytest.raises(InvalidRequestError, match="end must be after start"):
        store.bars("EUR/USD", "1h", "2023-01-02", "2023-01-01")


# ---------------------------------------------------------------- features
def test_features_are_those_of_the_engine_over_the_whole_series(store, eurusd):
    store.ingest("EUR/USD", "1h", eurusd)
    names = ["sma_50", "sma_200", "rsi_14", "macd", "bbands_20_2.upper", "obv"]
    bars = store.bars("EUR/USD", "1h")
    assert same_bits(store.features("EUR/USD", "1h", names), fs.compute(bars, names))


def test_labels_and_their_order_are_those_that_were_asked_for(store):
    store.ingest("EUR/USD", "1h", market(120))
    answer = store.features("EUR/USD", "1h", ["sma_5@4h", "macd", "sma", "sma_5", "sma_5@1h"])
    assert list(answer) == ["sma_5@4h", "macd.line", "macd.signal", "macd.histogram", "sma", "sma_5", "sma_5@1h"]
    assert same_bits(answer["sma_5"], answer["sma_5@1h"])
    assert list(store.features("EUR/USD", "1h", "sma_5,rsi_14")) == ["sma_5", "rsi_14"]


@pytest.fixture(scope="module")
def held():
    with fs.open(":memory:") as store:
        store.ingest("EUR/USD", "1h", market(700))
        yield store


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 699), st.integers(0, 699), st.lists(st.sampled_from(MIXED), min_size=1, unique=True))
def test_any_range_and_any_company_gives_the_same_bits(held, first, last, names):
    whole = held.features("EUR/USD", "1h", MIXED)
    first, last = min(first, last), max(first, last)
    fresh = fs.FeatureStore(held._store)
    part = fresh.features("EUR/USD", "1h", names, whole.index[first], whole.index[last] + pd.Timedelta("1h"))
    assert same_bits(part, whole[part.columns].iloc[first : last + 1])


def test_values_do_not_depend_on_what_came_later(held):
    bars = market(700)
    whole = held.features("EUR/USD", "1h", MIXED)
    for rows in (30, 111, 444):
        with fs.open(":memory:") as store:
            store.ingest("EUR/USD", "1h", bars.iloc[:rows])
            assert same_bits(store.features("EUR/USD", "1h", MIXED), whole.iloc[:rows])


def test_as_of_a_moment_is_what_was_known_then(held):
    cut = market(700).index[333]
    as_of = held.features("EUR/USD", "1h", MIXED, as_of=cut)
    assert as_of.index[-1] == cut - pd.Timedelta("1h")
    assert same_bits(as_of, held.features("EUR/USD", "1h", MIXED).iloc[: len(as_of)])


def test_a_higher_timeframe_joins_when_it_has_closed_and_not_before(store):
    store.ingest("EUR/USD", "1h", market(200, start="2023-01-02T22:00:00Z"))
    rows = store.features("EUR/USD", "1h", ["sma_1@4h"], as_="numpy")["sma_1@4h"]
    four = store.bars("EUR/USD", "4h")["close"].to_numpy()
    assert np.isnan(rows[:3]).all()  # the first 4h bar is forming
    assert rows[3:8].tolist() == [four[0]] * 4 + [four[1]]
    sunday = list(store.bars("EUR/USD", "1h").index).index(pd.Timestamp("2023-01-08T22:00Z"))
    assert (
        rows[sunday] == store.bars("EUR/USD", "1h")["close"].iloc[sunday - 1]
    )  # Friday's last 4h bar closed with the week


def test_a_stored_higher_timeframe_is_taken_as_it_is(store):
    store.ingest("EUR/USD", "1h", market(200, start="2023-01-02T22:00:00Z"))
    made = store.bars("EUR/USD", "4h")
    store.features("EUR/USD", "1h", ["sma_1@4h"])
    store.ingest("EUR/USD", "4h", made.assign(close=made["high"]))
    assert store.bars("EUR/USD", "4h")["close"].tolist() == made["high"].tolist()
    assert store.features("EUR/USD", "1h", ["sma_1@4h"])["sma_1@4h"].iloc[3] == made["high"].iloc[0]


def test_a_higher_timeframes_correction_is_not_seen_before_it_was_known(store):
    store.ingest("EUR/USD", "1h", market(200, start="2023-01-02T22:00:00Z"))
    four = store.bars("EUR/USD", "4h")
    store.ingest("EUR/USD", "4h", four)
    before = store.features("EUR/USD", "1h", ["sma_1@4h"])
    store.ingest("EUR/USD", "4h", four.assign(close=four["high"]), known_at="2023-06-01")
    assert same_bits(store.features("EUR/USD", "1h", ["sma_1@4h"], as_of="2023-05-31"), before)
    assert not same_bits(store.features("EUR/USD", "1h", ["sma_1@4h"], as_of="2023-06-01"), before)


def test_a_timeframe_that_is_not_stored_is_made_from_the_highest_that_divides_it(store):
    minutes = market(60 * 30, "1m", start="2023-01-02T22:00:00Z")
    store.ingest("EUR/USD", "1m", minutes)
    one = store.bars("EUR/USD", "1h")
    assert len(one) == 30
    assert one["high"].iloc[0] == minutes["high"].iloc[:60].max()
    assert same_bits(store.features("EUR/USD", "1h", ["sma_5"]), fs.compute(one, ["sma_5"]))
    store.ingest("EUR/USD", "15m", store.bars("EUR/USD", "15m").assign(tick_volume=1.0))
    assert store.bars("EUR/USD", "1h")["tick_volume"].tolist() == [4.0] * 30
    assert store.bars("EUR/USD", "5m")["tick_volume"].tolist() != [1.0] * 360
    frame = store.frame(FeatureRequest.of("EUR/USD", "4h"))
    assert frame.provenance.anchor == frame.time[0]


@pytest.mark.parametrize(
    ("features", "error", "message"),
    [
        (["smaa_5"], FeatureNotFoundError, "sma"),
        (["sma_1000000"], InvalidRequestError, "period"),
        (
            ["atr_14@5m"],
            InvalidRequestError,
            "atr_14@5m is of a lower timeframe than these 1h bars; ask for it on 5m bars",
        ),
        (["atr_14@7h"], InvalidRequestError, "timeframe must be one of"),
        ([], InvalidRequestError, "name at least one feature"),
        ([7], InvalidRequestError, "an indicator is a name"),
    ],
)
def test_features_that_cannot_be_are_refused(store, features, error, message):
    store.ingest("EUR/USD", "1h", market(30))
    with pytest.raises(error, match=message):
        store.features("EUR/USD", "1h", features)
    with pytest.raises(error, match=message):
        store.materialize("EUR/USD", "1h", features)


def test_answers_are_whole_while_bars_arrive(tmp_path):
    bars = market(260)
    with fs.open(tmp_path) as store:
        store.ingest("EUR/USD", "1h", bars.iloc[:60])
        expected = fs.compute(bars, ["sma_5", "rsi_14"])

        def write():
            for rows in range(60, 260, 5):
                store.ingest("EUR/USD", "1h", bars.iloc[rows : rows + 5])

        writer = Thread(target=write)
        writer.start()
        while writer.is_alive():
            answer = store.features("EUR/USD", "1h", ["sma_5", "rsi_14"])
            assert len(answer) % 5 == 0
            assert same_bits(answer, expected.iloc[: len(answer)])
        writer.join()
        assert len(store.features("EUR/USD", "1h", ["sma_5", "rsi_14"])) == 260


def test_a_small_budget_changes_nothing_but_the_time_it_takes(tmp_path):
    bars = market(300)
    with fs.open(":memory:", budget=0) as poor, fs.open(":memory:") as rich:
        for store in (poor, rich):
            store.ingest("EUR/USD", "1h", bars)
        for _ in range(2):
            assert same_bits(poor.features("EUR/USD", "1h", MIXED), rich.features("EUR/USD", "1h", MIXED))


def test_a_month_asked_for_again_is_a_slice(store, eurusd):
    store.ingest("EUR/USD", "1h", eurusd)
    ask = ("EUR/USD", "1h", ["sma_50", "rsi_14", "atr_14"], "2017-06-01", "2017-06-30")
    store.features(*ask)
    quickest = min(_seconds(lambda: store.features(*ask)) for _ in range(20))
    assert quickest < 0.005  # a tenth of this where nothing else runs


def _seconds(ask):
    begun = time.perf_counter()
    ask()
    return time.perf_counter() - begun


# ---------------------------------------------------------------- over the wire
def test_a_frame_survives_the_wire_in_both_encodings(store):
    store.ingest("EUR/USD", "1h", market(60))
    for indicators in ([], ["sma_5", "macd"]):
        frame = store.frame(FeatureRequest.of("EUR/USD", "1h", "2023-01-03", "2023-01-03", indicators))
        assert (len(frame), frame.symbol, frame.timeframe, frame.provenance.source) == (24, "EUR/USD", "1h", "live")
        assert frame.time[0] == to_microseconds("2023-01-03") // 1000
        for back in (frame_from_json(frame_to_json(frame)), frame_from_arrow(frame_to_arrow(frame))):
            assert back.time.tolist() == frame.time.tolist()
            assert back.provenance == frame.provenance
            assert all(same_bits(back.columns[name], column) for name, column in frame.columns.items())


def test_the_generation_changes_with_the_symbols_data_and_with_nothing_else(store):
    store.ingest("EUR/USD", "1h", market(10))
    one = store.generation("EUR/USD", "1h")
    store.ingest("GBP/USD", "1h", market(10))
    store.ingest("EUR/USD", "1h", market(10))
    store.features("EUR/USD", "1h", ["sma_5"])
    assert store.generation("EUR/USD", "1h") == one
    store.ingest("EUR/USD", "4h", store.bars("EUR/USD", "4h"))
    assert store.generation("EUR/USD", "1h") != one


def test_the_catalog_is_the_engines(store):
    assert [each.name for each in store.catalog()] == [each.name for each in fs.catalog()]


# ---------------------------------------------------------------- materialized
def test_materialized_features_are_the_virtual_ones_bit_for_bit(store):
    bars = market(500)
    store.ingest("EUR/USD", "1h", bars.iloc[:400])
    first = store.materialize("EUR/USD", "1h", MIXED)
    assert (first.rows, first.written) == (400, 400)
    assert first.columns == tuple(store.features("EUR/USD", "1h", MIXED))
    again = store.materialize("EUR/USD", "1h", MIXED)
    assert (again.rows, again.written, again.path) == (400, 0, first.path)
    assert "nothing new" in str(again)

    store.ingest("EUR/USD", "1h", bars)
    assert store.materialize("EUR/USD", "1h", MIXED).written == 100
    written = store.materialized("EUR/USD", "1h", MIXED)
    pd.testing.assert_index_equal(written.index, store.bars("EUR/USD", "1h").index)
    assert same_bits(written, store.features("EUR/USD", "1h", MIXED))


def test_a_correction_is_materialized_from_where_it_matters(store):
    bars = market(300)
    store.ingest("EUR/USD", "1h", bars)
    store.materialize("EUR/USD", "1h", ["sma_20"])
    store.ingest("EUR/USD", "1h", bars.iloc[[100]].assign(close=bars["low"].iloc[100]), known_at="2024-01-01")
    assert store.materialize("EUR/USD", "1h", ["sma_20"]).written == 20
    assert same_bits(store.materialized("EUR/USD", "1h", ["sma_20"]), store.features("EUR/USD", "1h", ["sma_20"]))


def test_what_was_never_materialized_is_told(store):
    store.ingest("EUR/USD", "1h", market(30))
    with pytest.raises(DataNotFoundError, match="sma_5 of EUR/USD 1h were never materialized; call materialize first"):
        store.materialized("EUR/USD", "1h", ["sma_5"])


def test_materialized_features_are_a_delta_table_for_others(tmp_path):
    with fs.open(tmp_path / "market") as store:
        store.ingest("EUR/USD", "1h", market(100))
        report = store.materialize("EUR/USD", "1h", ["macd", "sma_3@4h"])
        assert report.path.startswith(str(tmp_path / "market" / "features" / "1h"))
        rows = pl.scan_delta(report.path).sort("time").collect()
        assert same_bits(rows.select(report.columns).to_numpy(), store.features("EUR/USD", "1h", ["macd", "sma_3@4h"]))
        assert (rows["available_at"] - rows["time"]).unique().dt.total_hours().to_list() == [1]


# ---------------------------------------------------------------- folders
def test_a_folder_keeps_what_it_was_given(tmp_path):
    with fs.open(tmp_path / "new" / "market") as store:
        store.ingest("EUR/USD", "1h", market(300))
        before = store.features("EUR/USD", "1h", MIXED)
    with fs.open(str(tmp_path / "new" / "market")) as store:
        assert same_bits(store.features("EUR/USD", "1h", MIXED), before)


def test_a_closed_store_says_so(store):
    store.ingest("EUR/USD", "1h", market(30))
    store.close()
    for ask in (
        lambda: store.bars("EUR/USD", "1h"),
        lambda: store.ingest("EUR/USD", "1h", market(30)),
        store.symbols,
        lambda: store.frame(FeatureRequest.of("EUR/USD", "1h")),
    ):
        with pytest.raises(InvalidRequestError, match="was closed; open it again"):
            ask()
    store.close()


def test_homes_that_cannot_be_are_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidRequestError, match=r"home must be a folder that can be written to, was .*file"):
        fs.open(tmp_path / "file")
    with pytest.raises(
        InvalidRequestError, match=r"home must be a folder or an address such as s3://.*, was 'tape://bucket'"
    ):
        fs.open("tape://bucket")


def test_damage_is_an_error_and_never_a_number(tmp_path):
    with fs.open(tmp_path) as store:
        store.ingest("EUR/USD", "1h", market(100))
        assert store.flush() == 100
    (path,) = tmp_path.glob("bars/1h/symbol=*/*/*.parquet")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    with fs.open(tmp_path) as store, pytest.raises(CorruptDataError, match=path.name):
        store.features("EUR/USD", "1h", ["sma_5"])


def test_errors_of_a_locked_folder_are_those_of_the_store():
    assert issubclass(StoreLockedError, FeatureStoreError)


def test_an_import_is_told_to_whoever_counts(store):
    seen = []
    unsubscribe = events.subscribe(seen.append)
    try:
        store.ingest("EUR/USD", "1h", market(3))
    finally:
        unsubscribe()
    (told,) = [event for event in seen if isinstance(event, events.Ingested)]
    assert (told.symbol, told.timeframe, told.rows, told.quarantined) == ("EUR/USD", "1h", 3, 0)
    assert told.last_bar == int(store.bars("EUR/USD", "1h").index[-1].value // 1000)


def test_bars_have_the_columns_that_the_source_has(store):
    plain, quoted = market(3), market(3)
    store.ingest("EUR/USD", "1h", plain)
    store.ingest("GBP/USD", "1h", quoted.assign(spread=0.0001))
    assert list(store.bars("EUR/USD", "1h")) == ["open", "high", "low", "close", "tick_volume"]
    assert list(store.bars("GBP/USD", "1h")) == ["open", "high", "low", "close", "tick_volume", "spread"]
