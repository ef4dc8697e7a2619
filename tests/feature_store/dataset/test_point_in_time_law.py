"""The law of training sets, on histories of any kind: the features of an event are what the store says as of the event.

Originals, corrections, late bars and deletions arrive in any order, with any knowledge time. Two judges: the store itself,
asked as of each event, and a replay of all arrivals in plain Python.
"""

import itertools
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feature_store.dataset.training_set import rebuild, training_set
from feature_store.errors import DataNotFoundError
from feature_store.feature_store import FeatureStore
from feature_store.indicators.parameters import Int
from feature_store.store.delta import DeltaStore
from feature_store.store.memory import MemoryStore
from tests.conftest import same_bits

from .conftest import as_known, at, bar, write

BARS = 12
SYMBOLS = ("EUR/USD", "GBP/USD")
FEATURES = [
    "highest_3",
    "ema_2",
    "lag_1",
    "highest_2@2h",
    "lag_1@4h",
    "lag_1@GBPUSD",
    "rsi_2@GBPUSD@2h",
    "correl_2@GBPUSD",
    "beta_2@GBPUSD@EURUSD@2h",
    "present_1@GBPUSD",
]

IN_THE_END = [("EUR/USD", 0, 1.5, 30.0), ("GBP/USD", 0, 1.5, 30.0)]
"""So that there is something of each symbol."""

quarters = st.integers(0, 4 * (BARS + 6)).map(lambda number: number / 4)
prices = st.integers(0, 10**6).map(lambda number: 1.0 + number / 10**6)
delays = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.25]), min_size=BARS, max_size=BARS)
rows = st.tuples(
    st.sampled_from(SYMBOLS), st.integers(0, BARS - 1), prices | prices | st.just(math.nan), st.none() | quarters
)
"""Symbol, place, close (NaN for a deletion), hours after Monday at which it became known (None: at the bar's close)."""


def imported(symbol, closes, known_at):
    return [(symbol, place, close, known_at) for place, close in enumerate(closes)]


def lived(symbol, closes, delays):
    return [
        (symbol, place, close, place + 1 + delay)
        for place, (close, delay) in enumerate(zip(closes, delays, strict=True))
    ]


closes = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).uniform(1.0, 2.0, BARS).tolist())
whole = st.builds(imported, st.sampled_from(SYMBOLS), closes, st.none() | quarters) | st.builds(
    lived, st.sampled_from(SYMBOLS), closes, delays
)
repeats = st.lists(st.tuples(st.integers(0, 60), quarters), max_size=5)


def arriving(first, then, repeats):
    """Whole series, then single rows, then some of all these again, at another moment."""
    found = [*itertools.chain(*first, then), *IN_THE_END]
    return [*found, *((*found[number % len(found)][:3], known_at) for number, known_at in repeats)]


arrivals = st.builds(arriving, st.lists(whole, max_size=3), st.lists(rows, max_size=20), repeats)
some_features = st.lists(st.sampled_from(FEATURES), min_size=1, max_size=4, unique=True)
asks = st.lists(st.tuples(st.sampled_from(SYMBOLS), quarters), min_size=1, max_size=25)


def filled(store, arrivals, timeframe):
    """Write arrivals, `place` counting bars of the timeframe."""
    FeatureStore(store).register("present", "is_known(other) + 0 * lag(close, n)", {"n": Int(1)})
    for symbol, place, close, known_at in arrivals:
        write(store, symbol, bar(close), timeframe, place, known_at)


def made(store, asks, features, **options):
    table = {"symbol": [symbol for symbol, _ in asks], "time": moments(asks)}
    return table, training_set(store, table, features, **options)


def moments(asks):
    return np.array([at(hours) for _, hours in asks]).view("M8[us]")


def check_against_the_store(store, arrivals, asks, features, stored):
    filled(store, arrivals, stored)
    table, found = made(store, asks, features, verify=True)
    for row, (symbol, moment) in enumerate(zip(table["symbol"], table["time"], strict=True)):
        expected = as_known(store, symbol, "1h", features, moment)
        for name, value in expected.items():
            assert same_bits([found.frame[name].iloc[row]], [value]), (row, name)
    assert rebuild(store, found.manifest, table).manifest == found.manifest


@pytest.mark.parametrize("stored", ["1h", "30m"])
@given(arrivals=arrivals, asks=asks, features=some_features)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_event_has_what_the_store_says_as_of_the_event(stored, arrivals, asks, features):
    check_against_the_store(MemoryStore(), arrivals, asks, features, stored)


@given(arrivals=arrivals, asks=asks, features=some_features)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_law_holds_on_the_disk(arrivals, asks, features, tmp_path_factory):
    store = DeltaStore(tmp_path_factory.mktemp("market"))
    check_against_the_store(store, arrivals, asks, features, "1h")
    store.close()


@given(arrivals=arrivals, asks=asks, features=some_features, knowing=quarters)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_as_of_one_moment_an_event_has_the_row_of_its_last_bar_as_known_then(arrivals, asks, features, knowing):
    store = MemoryStore()
    filled(store, arrivals, "1h")
    known = np.datetime64(at(knowing), "us")
    table, found = made(store, asks, features, as_of=known, verify=True)
    for row, (symbol, moment) in enumerate(zip(table["symbol"], table["time"], strict=True)):
        try:
            rows = FeatureStore(store).features(symbol, "1h", features, as_of=known, as_="numpy")
        except DataNotFoundError:
            assert found.frame["bar_time"].isna()[row]
            continue
        place = np.searchsorted(rows["time"] + np.timedelta64(1, "h"), moment, side="right") - 1
        for name in found.features:
            assert same_bits([found.frame[name].iloc[row]], [rows[name][place] if place >= 0 else np.nan]), (row, name)


# ---------------------------------------------------------------- a replay in plain Python
class Replay:
    """All arrivals, replayed up to a moment with nothing but dicts and lists."""

    def __init__(self, arrivals, moment):
        """Keep, of the rows known at `moment` (hours after Monday), the latest of each bar."""
        rows = [
            (max(place + 1, place + 1 if known is None else known), number, symbol, place, close)
            for number, (symbol, place, close, known) in enumerate(arrivals)
        ]
        self.closes = {}
        for known, _, symbol, place, close in sorted(rows):
            if known <= moment:
                self.closes.setdefault(symbol, {})[place] = close

    def bars(self, symbol, hours=1):
        """Return (hour of close, close) of the closed bars; longer ones end with their last hour, or when a later one began."""
        hourly = sorted((p, c) for p, c in self.closes.get(symbol, {}).items() if not math.isnan(c))
        longer = {}
        for place, close in hourly:
            number = (place + 2) // hours  # the day is cut at 17:00 New York, 22:00 UTC in winter
            longer[number] = (number * hours + hours - 2, close, place + 1)
        found = [longer[number] for number in sorted(longer)]
        if found and found[-1][2] < found[-1][0]:
            found.pop()
        return [(end, close) for end, close, _ in found]


def lag(bars):
    return bars[-2][1] if len(bars) > 1 else math.nan


def highest(bars, period):
    return max(close for _, close in bars[-period:]) if len(bars) >= period else math.nan


@given(arrivals=arrivals, asks=asks)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_event_has_what_a_replay_of_all_arrivals_gives(arrivals, asks):
    store = MemoryStore()
    filled(store, arrivals, "1h")
    _, found = made(store, asks, ["lag_1", "highest_3", "highest_2@2h", "lag_1@4h", "lag_1@GBPUSD"])
    for row, (symbol, hours) in enumerate(asks):
        past = Replay(arrivals, hours)
        own = past.bars(symbol)
        end = own[-1][0] if own else -1

        def joined(symbol, hours=1, past=past, end=end):
            return [each for each in past.bars(symbol, hours) if each[0] <= end]

        expected = {
            "lag_1": lag(own),
            "highest_3": highest(own, 3),
            "highest_2@2h": highest(joined(symbol, 2), 2),
            "lag_1@4h": lag(joined(symbol, 4)),
            "lag_1@GBPUSD": lag(joined("GBP/USD")),
        }
        for name, value in expected.items():
            assert same_bits([found.frame[name].iloc[row]], [value]), (row, name, value)


# ---------------------------------------------------------------- poison
@given(arrivals=arrivals, asks=asks, features=some_features, poison=st.lists(rows, max_size=15), random=st.randoms())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nothing_that_is_learned_after_an_event_changes_it(arrivals, asks, features, poison, random):
    """Rows known after the last event are appended or replaced, and all rows arrive in another order."""
    last = max(hours for _, hours in asks)
    past = [row for row in arrivals if known(row) <= last and row not in IN_THE_END]
    poisoned = [*past, *((s, p, c, last + 0.25 if k is None else max(k, last + 0.25)) for s, p, c, k in poison)]
    order = sorted(poisoned, key=known)  # rows of one bar that were learned at one moment stay in their order
    groups = [list(each) for _, each in itertools.groupby(order, key=known)]
    random.shuffle(groups)
    clean, dirty = MemoryStore(), MemoryStore()
    filled(clean, [*past, *IN_THE_END], "1h")
    filled(dirty, [*itertools.chain(*groups), *IN_THE_END], "1h")
    _, expected = made(clean, asks, features)
    _, found = made(dirty, asks, features)
    for name in expected.features:
        assert same_bits(found.frame[name], expected.frame[name]), name


def known(row):
    _, place, _, known_at = row
    return place + 1 if known_at is None else max(known_at, place + 1)
