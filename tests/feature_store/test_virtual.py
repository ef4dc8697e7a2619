"""A series in parts gives what a series in one gives, to the bit, and a range takes the parts that it touches alone."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import feature_store as fs
from feature_store import errors
from feature_store.bars import Bars, Symbol, Timeframe
from feature_store.store.delta import DeltaStore
from feature_store.store.delta_table import VerifiedTable
from feature_store.store.memory import MemoryStore
from feature_store.times import to_microseconds

FEATURES = ["sma_5", "rsi_7", "ema_9", "macd_3_6_2", "vwap", "atr_3@4h", "ema_4@1d", "rsi_3@GBPUSD", "correl_5@GBPUSD"]
MINUTE = 60_000_000
START = to_microseconds("2023-01-02T10:00Z")


def minutes(count, seed=0, start=START, every=1_861):
    """Bars every so many minutes, on the grid, with the weekends left out by the store's own rules."""
    random = np.random.default_rng(seed)
    time = start + np.arange(count) * every * MINUTE
    close = np.round(1.1 + np.cumsum(random.normal(0, 1e-3, count)), 5)
    open_ = np.concatenate([[1.1], close[:-1]])
    columns = {
        "open": open_,
        "high": np.maximum(open_, close) + 1e-4,
        "low": np.minimum(open_, close) - 1e-4,
        "close": close,
        "tick_volume": random.integers(1, 50, count).astype(float),
    }
    return Bars(Symbol.parse("EUR/USD"), Timeframe.parse("1m"), time, columns)


def in_parts(home):
    return fs.open(home)


def in_one():
    return fs.FeatureStore(MemoryStore())


def fill(store):
    store.ingest("EUR/USD", "1m", minutes(400))
    store.ingest("GBP/USD", "1m", minutes(400, seed=1))
    store.ingest("GBP/USD", "1m", minutes(300, seed=2, start=START + 61 * MINUTE, every=1_200))


def same(one, other):
    assert one.index.equals(other.index)
    assert list(one.columns) == list(other.columns)
    for name in one.columns:
        mine, theirs = one[name].to_numpy(), other[name].to_numpy()
        assert np.array_equal(mine.view(np.int64), theirs.view(np.int64)) or np.array_equal(
            mine, theirs, equal_nan=True
        )


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """The same bars in a store that keeps months and in one that does not."""
    parts, one = in_parts(tmp_path_factory.mktemp("market")), in_one()
    fill(parts)
    fill(one)
    yield parts, one
    parts.close()


def spans(store, timeframe="1m"):
    view = store._virtual.view(Symbol.parse("EUR/USD"), Timeframe.parse(timeframe), None)
    return [part.span.bucket for part in view.parts]


def test_the_store_keeps_minutes_by_month_and_the_twin_in_one(pair):
    parts, one = pair
    assert len(spans(parts)) >= 12
    assert spans(one) == ["all"]


@pytest.mark.parametrize("timeframe", ["1m", "5m", "1h", "4h", "1d", "1w"])
def test_the_whole_series_has_the_same_bits(pair, timeframe):
    asked = [
        f
        for f in FEATURES
        if not (timeframe in {"1d", "1w"} and f.endswith("@4h")) and not (timeframe == "1w" and "@1d" in f)
    ]
    parts, one = pair
    same(parts.features("EUR/USD", timeframe, asked), one.features("EUR/USD", timeframe, asked))
    same(parts.bars("EUR/USD", timeframe), one.bars("EUR/USD", timeframe))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    first=st.integers(0, 500),
    length=st.integers(1, 200),
    timeframe=st.sampled_from(["1m", "1h", "4h"]),
    asked=st.lists(st.sampled_from(FEATURES), min_size=1, max_size=4, unique=True),
    cold=st.booleans(),
)
def test_any_range_is_a_slice_of_the_whole(pair, first, length, timeframe, asked, cold):
    parts, one = pair
    start = START + first * 1_440 * MINUTE
    end = start + length * 1_440 * MINUTE
    whole = one.features("EUR/USD", timeframe, asked)
    mine = whole[(whole.index.asi8 >= start) & (whole.index.asi8 < end)] if whole.index.unit == "us" else None
    assert mine is not None
    if cold:
        parts._virtual._kept.clear()
    if len(mine):
        same(parts.features("EUR/USD", timeframe, asked, start // 1000, end // 1000), mine)


def test_a_range_reads_the_parts_it_touches_and_none_before_them_once_states_are_known(tmp_path, monkeypatch):
    with in_parts(tmp_path) as store:
        fill(store)
        store.flush()
        expected = store.features("EUR/USD", "1m", ["ema_9", "sma_5"], "2023-11-06", "2023-11-24")
    read = []
    real = VerifiedTable.read
    monkeypatch.setattr(VerifiedTable, "read", lambda table, file, *a: (read.append(file), real(table, file, *a))[1])
    with in_parts(tmp_path) as store:
        same(store.features("EUR/USD", "1m", ["ema_9", "sma_5"], "2023-11-06", "2023-11-24"), expected)
    assert read
    assert {file.split("/")[1] for file in read} == {"bucket=2023-11"}


def test_damaged_states_are_passed_over(tmp_path):
    with in_parts(tmp_path) as store:
        fill(store)
        expected = store.features("EUR/USD", "1m", ["ema_9"], "2023-11-06", "2023-11-24")
    path = tmp_path / "computed.sqlite"
    whole = path.read_bytes()
    for place in range(100, len(whole), len(whole) // 40):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x21]) + whole[place + 1 :])
        with in_parts(tmp_path) as store:
            same(store.features("EUR/USD", "1m", ["ema_9"], "2023-11-06", "2023-11-24"), expected)


@pytest.mark.parametrize("when", ["2023-02-01T12:00Z", "2023-03-26T22:00Z", "2023-12-01T10:00Z"])
def test_a_correction_changes_what_follows_it_and_nothing_before(tmp_path, when):
    moment = to_microseconds(when)
    bars = minutes(400)
    place = int(bars.time.searchsorted(moment))
    while bars.time[place] not in in_week(bars.time):
        place += 1
    changed = {n: bars.columns[n][place : place + 1] + (0 if n == "tick_volume" else 0.01) for n in bars.columns}
    correction = Bars(bars.symbol, bars.timeframe, bars.time[place : place + 1], changed)
    with in_parts(tmp_path) as parts:
        one = in_one()
        for store in (parts, one):
            fill(store)
            store.features("EUR/USD", "1m", FEATURES)
            assert store.ingest("EUR/USD", "1m", correction, known_at="2024-12-01").stored == 1
        after = parts.features("EUR/USD", "1m", FEATURES)
        same(after, one.features("EUR/USD", "1m", FEATURES))
        before = parts.features("EUR/USD", "1m", FEATURES, as_of="2024-11-30")
        same(before, one.features("EUR/USD", "1m", FEATURES, as_of="2024-11-30"))
        earlier = after.index.asi8 < bars.time[place]
        same(after[earlier], before[earlier])
        assert not after.equals(before)


def in_week(times):
    from feature_store.calendar import Calendar

    return times[~Calendar().is_weekend(times)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(st.integers(0, 400), st.sampled_from(["1m", "1h", "1d"]))
def test_as_of_any_moment_both_see_the_same(pair, days, timeframe):
    parts, one = pair
    moment = (START + days * 1_440 * MINUTE + 7 * MINUTE) // 1000
    asked = ["ema_9", "rsi_3@GBPUSD", "correl_5@GBPUSD"]
    try:
        expected = one.features("EUR/USD", timeframe, asked, as_of=moment)
    except errors.DataNotFoundError:
        return
    same(parts.features("EUR/USD", timeframe, asked, as_of=moment), expected)


def test_deleted_bars_are_gone_and_were_there_before(tmp_path):
    for store in (in_parts(tmp_path), in_one()):
        fill(store)
        whole = store.bars("EUR/USD", "1m")
        first, last = whole.index[100], whole.index[110]
        assert store.delete("EUR/USD", "1m", first, last, known_at="2024-12-01") == 10
        assert store.delete("EUR/USD", "1m", first, last, known_at="2024-12-02") == 0
        left = store.bars("EUR/USD", "1m")
        assert len(left) == len(whole) - 10
        same(left, whole.drop(whole.index[100:110]))
        same(store.bars("EUR/USD", "1m", as_of="2024-11-30"), whole)
        (series,) = [s for s in store.symbols() if s.symbol == "EUR/USD"]
        assert series.rows == len(left)
        rows = fs.compute(left, ["ema_9"])["ema_9"].to_numpy()
        assert np.array_equal(store.features("EUR/USD", "1m", ["ema_9"])["ema_9"].to_numpy(), rows, equal_nan=True)
        store.close()


def test_a_pinned_store_stays_as_it_stood(tmp_path):
    with in_parts(tmp_path) as store:
        fill(store)
        pin = store.pin()
        before = store.features("EUR/USD", "1m", FEATURES)
        store.ingest("EUR/USD", "1m", minutes(10, seed=5, start=START + 3 * MINUTE), known_at="2024-12-01")
        store.delete("EUR/USD", "1m", "2023-02-01", "2023-02-28")
        assert not store.features("EUR/USD", "1m", FEATURES).equals(before)
        same(store.at(pin).features("EUR/USD", "1m", FEATURES), before)
        with pytest.raises(errors.StoreReadOnlyError, match="pinned store"):
            store.at(pin).ingest("EUR/USD", "1m", minutes(2))
    with fs.open(tmp_path / "other") as other, pytest.raises(errors.DataNotFoundError, match="was pinned with"):
        other.at(pin).bars("EUR/USD", "1m")


def test_a_budget_too_small_for_anything_gives_the_same_bits(tmp_path):
    with in_parts(tmp_path) as store:
        fill(store)
        expected = store.features("EUR/USD", "1h", FEATURES)
        small = fs.FeatureStore(DeltaStore(tmp_path, cached_bytes=1), budget=1)
        same(small.features("EUR/USD", "1h", FEATURES), expected)
        small.close()


@pytest.mark.parametrize("begins", ["2023-04-12T10:00Z", "2025-01-06T10:00Z"])
@pytest.mark.parametrize("timeframe", ["1m", "1h"])
def test_another_symbol_may_begin_later_or_after_the_end(tmp_path, begins, timeframe):
    asked = ["ema_9", "rsi_3@GBPUSD", "correl_5@GBPUSD", "ema_4@GBPUSD@1d"]
    with in_parts(tmp_path) as parts:
        one = in_one()
        for store in (parts, one):
            store.ingest("EUR/USD", "1m", minutes(400))
            store.ingest("GBP/USD", "1m", minutes(150, seed=1, start=to_microseconds(begins)))
        same(parts.features("EUR/USD", timeframe, asked), one.features("EUR/USD", timeframe, asked))
        early = parts.features("EUR/USD", timeframe, asked, "2023-02-01", "2023-02-28")
        assert early["ema_9"].notna().all()
        assert early[asked[1:]].isna().all().all()
        parts.materialize("EUR/USD", timeframe, asked)
        same(parts.materialized("EUR/USD", timeframe, asked), parts.features("EUR/USD", timeframe, asked))


def test_the_order_of_features_does_not_matter_to_what_is_carried(tmp_path, monkeypatch):
    with in_parts(tmp_path) as store:
        fill(store)
        store.features("EUR/USD", "1m", ["ema_9", "sma_5"], "2023-11-06", "2023-11-24")
        store._virtual._kept.clear()
        runs = []
        real = type(store._virtual)._run
        monkeypatch.setattr(type(store._virtual), "_run", lambda *a: (runs.append(a[2]), real(*a))[1])
        store.features("EUR/USD", "1m", ["sma_5", "ema_9"], "2023-11-06", "2023-11-24")
        assert len(runs) == 1


pieces = st.lists(
    st.tuples(st.integers(0, 200), st.integers(1, 60), st.sampled_from([1, 7, 61, 1_441, 5_000])),
    min_size=1,
    max_size=4,
)
knowledge = st.sampled_from([None, "2023-03-01", "2023-05-05", "2024-06-01"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    euro=pieces,
    pound=pieces,
    corrected=st.lists(st.tuples(st.integers(0, 200), st.integers(1, 5), knowledge), max_size=3),
    gone=st.lists(st.tuples(st.integers(0, 200), st.integers(1, 30), knowledge), max_size=2),
    timeframe=st.sampled_from(["1m", "5m", "1h", "1d", "1w"]),
    asked=st.lists(st.sampled_from(FEATURES), min_size=1, max_size=3, unique=True),
    as_of=knowledge,
    first=st.integers(0, 220),
    days=st.integers(1, 90),
)
def test_any_market_has_the_same_bits_in_parts_and_in_one(
    tmp_path_factory, euro, pound, corrected, gone, timeframe, asked, as_of, first, days
):
    asked = [each for each in asked if fits(each, timeframe)] or ["ema_9"]
    day = 1_440 * MINUTE
    parts, one = in_parts(tmp_path_factory.mktemp("market")), in_one()
    for store in (parts, one):
        for symbol, drawn in (("EUR/USD", euro), ("GBP/USD", pound)):
            for seed, (begins, count, every) in enumerate(drawn):
                store.ingest(symbol, "1m", minutes(count, seed, START + begins * day, every))
        if one_bar(store):
            continue
        for begins, count, known_at in corrected:
            store.ingest(
                "EUR/USD", "1m", minutes(count, 9, START + begins * day, 61), known_at=known_at or "2024-01-01"
            )
        for begins, length, known_at in gone:
            store.delete(
                "EUR/USD",
                "1m",
                START // 1000 + begins * 86_400_000,
                START // 1000 + (begins + length) * 86_400_000,
                known_at=known_at or "2024-01-01",
            )
    between = ((START + first * day) // 1000, (START + (first + days) * day) // 1000)
    for start, end in (between, (None, None)):
        try:
            expected = one.features("EUR/USD", timeframe, asked, start, end, as_of=as_of)
        except errors.DataNotFoundError:
            with pytest.raises(errors.DataNotFoundError):
                parts.features("EUR/USD", timeframe, asked, start, end, as_of=as_of)
            continue
        same(parts.features("EUR/USD", timeframe, asked, start, end, as_of=as_of), expected)
    parts.close()


def one_bar(store):
    """Whether a symbol has no series at all, as where every bar lay on a weekend."""
    return {"EUR/USD", "GBP/USD"} - {series.symbol for series in store.symbols()}


def fits(feature, timeframe):
    """Whether a feature is of no lower timeframe than the bars."""
    return not (("@4h" in feature and timeframe in {"1d", "1w"}) or ("@1d" in feature and timeframe == "1w"))
