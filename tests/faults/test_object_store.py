"""A store in a bucket: whatever requests fail and however, the answer is right or an error, and repeating is safe."""

import json
import subprocess
import sys
from itertools import count

import pytest

from feature_store.doctor import examine, repair
from feature_store.errors import FeatureStoreError
from feature_store.indicators.custom import Draft
from feature_store.store.delta import DeltaStore
from tests.faults.object_store import BUCKET, Faults, options, proxied
from tests.feature_store.store.conftest import EURUSD, HOUR, arrivals, closes

HASTY = {
    "max_retries": "1",
    "retry_timeout": "2s",
    "timeout": "400ms",
    "backoff_config.init_backoff": "1ms",
    "backoff_config.max_backoff": "2ms",
}
ENTRY, DATA = ".json", ".parquet"
WHOLE = {0: 1.0, 1: 2.0, 2: 3.0}
_homes = count()


@pytest.fixture
def home():
    return f"s3://{BUCKET}/home{next(_homes)}"


@pytest.fixture
def faults(port):
    """What goes wrong on the way to the server, and the options of a store that goes that way."""
    faults = Faults()
    with proxied(port, faults) as way:
        faults.options = options(way, **HASTY)
        yield faults


def error_of(action):
    """Return what an action gives, and the error it raises, one of them None."""
    try:
        return action(), None
    except FeatureStoreError as problem:
        return None, problem


def failing(fault, method, what, times):
    """Let the first `times` requests of a method for something go wrong, and all after it go well."""
    left = [times]

    def plan(_number, asked, path):
        if asked == method and what in path and left[0]:
            left[0] -= 1
            return fault
        return None

    return plan


# ---------------------------------------------------------------- writing
@pytest.mark.parametrize("fault", ["before", "after", "lost", "throttled", "stalled"])
@pytest.mark.parametrize("what", [DATA, ENTRY])
@pytest.mark.parametrize("times", [1, 99])
def test_a_write_is_made_once_or_not_at_all_and_can_be_repeated(home, port, faults, fault, what, times):
    plain = options(port)
    DeltaStore(home, options=plain).write(EURUSD, HOUR, arrivals([0, 1], [1.0, 2.0]))
    store = DeltaStore(home, options=faults.options)
    faults.plan = failing(fault, "PUT", what, times)
    count, problem = error_of(lambda: store.write(EURUSD, HOUR, arrivals([1, 2], [2.0, 3.0])))
    if times == 1 and (fault, what) != ("stalled", ENTRY):  # of an entry that stalled nobody knows whether it was made
        assert problem is None
    assert count == 1 or "repeating the write is safe" in str(problem)
    assert faults.hit
    faults.plan = None
    held = closes(DeltaStore(home, options=plain))
    assert held in (WHOLE, {0: 1.0, 1: 2.0})
    assert count is None or held == WHOLE
    assert store.write(EURUSD, HOUR, arrivals([1, 2], [2.0, 3.0])) == (0 if held == WHOLE else 1)
    for reader in (store, DeltaStore(home, options=plain)):
        assert closes(reader) == WHOLE
        assert reader.snapshot(EURUSD, HOUR).edition.rows == 3


@pytest.mark.parametrize("fault", ["before", "after", "lost"])
def test_the_first_write_of_a_table_may_fail_too(home, faults, fault):
    store = DeltaStore(home, options=faults.options)
    faults.plan = failing(fault, "PUT", "0" * 20 + ENTRY, 99)
    count, problem = error_of(lambda: store.write(EURUSD, HOUR, arrivals([0], [1.0])))
    assert count == 1 or "repeating the write is safe" in str(problem)
    faults.plan = None
    store.write(EURUSD, HOUR, arrivals([0], [1.0]))
    assert closes(DeltaStore(home, options=faults.options)) == {0: 1.0}


# ---------------------------------------------------------------- reading
@pytest.mark.parametrize("fault", ["before", "throttled", "stalled"])
@pytest.mark.parametrize("what", [DATA, ENTRY])
def test_what_cannot_be_read_now_is_an_error_that_says_so_and_no_damage(home, port, faults, fault, what):
    DeltaStore(home, options=options(port)).write(EURUSD, HOUR, arrivals([0, 1], [1.0, 2.0]))
    store = DeltaStore(home, options=faults.options)
    faults.plan = failing(fault, "GET", what, 99)
    with pytest.raises(FeatureStoreError, match=r"cannot be reached now .* try again") as caught:
        closes(store)
    assert type(caught.value) is FeatureStoreError
    faults.plan = None
    assert closes(store) == {0: 1.0, 1: 2.0}


def test_a_server_that_is_not_there_is_an_error(home):
    store = DeltaStore(home, options=options(1, **HASTY))
    with pytest.raises(FeatureStoreError, match="cannot be reached now"):
        closes(store)
    with pytest.raises(FeatureStoreError, match="cannot be reached now"):
        store.write(EURUSD, HOUR, arrivals([0], [1.0]))
    with pytest.raises(FeatureStoreError, match="cannot be read"):
        store.definitions.registry()


# ---------------------------------------------------------------- custom indicators
@pytest.mark.parametrize("fault", ["before", "after", "lost"])
@pytest.mark.parametrize("times", [1, 99])
def test_an_indicator_is_registered_once_or_not_at_all(home, port, faults, fault, times):
    drafts = [Draft("mine", f"close * {n}") for n in (2, 3)]
    DeltaStore(home, options=options(port)).definitions.register(drafts[0])
    definitions = DeltaStore(home, options=faults.options).definitions
    faults.plan = failing(fault, "PUT", ENTRY, times)
    made, problem = error_of(lambda: definitions.register(drafts[1]))
    assert made is not None or times > 1
    assert problem is None or "register again" in str(problem)
    faults.plan = None
    assert definitions.register(drafts[1]).version == 2
    assert len(DeltaStore(home, options=options(port)).definitions.registry().own["mine"]) == 2


# ---------------------------------------------------------------- the doctor
def test_damaged_objects_are_named_and_can_be_given_up(home, port):
    plain = options(port)
    store = DeltaStore(home, options=plain)
    store.write(EURUSD, HOUR, arrivals([0, 1], [1.0, 2.0]))
    store.write(EURUSD, HOUR, arrivals([2], [3.0]))
    assert {finding.severity for finding in examine(home, options=plain)} == {"ok"}
    (name, _) = store.place.inside("bars/1h").names("symbol=EURUSD")
    content = store.place.read(f"bars/1h/{name}")
    store.place.write_new(f"bars/1h/{name}", content[:-1] + b"?")
    (finding,) = [each for each in examine(home, options=plain) if each.severity == "damage"]
    assert finding.where == f"bars/1h/{name}"
    repair(home, forget=[finding.where], options=plain)
    again = DeltaStore(home, options=plain)
    assert closes(again) == {2: 3.0}
    again.write(EURUSD, HOUR, arrivals([0, 1], [1.0, 2.0]))
    assert closes(DeltaStore(home, options=plain)) == WHOLE
    assert store.place.exists(f"damaged/bars/1h/{name}")


# ---------------------------------------------------------------- many at once
WRITER = """
import json, sys
from feature_store.store.delta import DeltaStore
from tests.feature_store.store.conftest import EURUSD, HOUR, arrivals
home, options, me = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
store = DeltaStore(home, options=options)
for n in range(15):
    number = 100 * me + n
    assert store.write(EURUSD, HOUR, arrivals([number, 900], [number, number], known_at=1000)) == 2
    if n % 5 == 4:
        store.compact(min_files=4)
    print(number, flush=True)
"""


def test_processes_that_write_and_compact_at_once_lose_and_double_nothing(home, port):
    command = [sys.executable, "-c", WRITER, home, json.dumps(options(port))]
    writers = [subprocess.Popen([*command, str(me)], stdout=subprocess.PIPE, text=True) for me in range(3)]
    reader, seen = DeltaStore(home, options=options(port)), {}
    said = []
    for line in writers[0].stdout:
        said.append(int(line))
        now = closes(reader)
        assert seen.keys() | set(said) <= now.keys()
        seen = now
    said += [int(line) for writer in writers for line in writer.communicate()[0].split()]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    held = closes(DeltaStore(home, options=options(port)))
    assert held.keys() - {900} == set(said)
    assert len(said) == 45
    snapshot = reader.snapshot(EURUSD, HOUR)
    assert snapshot.edition.rows == 90
    assert sorted(snapshot.histories()[0].sequence.tolist()) == list(range(90))
