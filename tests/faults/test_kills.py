"""A writer is killed again and again at any moment, and a reader looks on all the time.

`FEATURE_STORE_KILLS` says how often; the default keeps the tests quick.
"""

import os
import random
import signal
import subprocess
import sys

import polars as pl

from feature_store.store.delta import DeltaStore
from tests.feature_store.store.conftest import EURUSD, HOUR, closes

KILLS = int(os.environ.get("FEATURE_STORE_KILLS", "8"))

WRITER = """
import os, sys
from feature_store.store import compaction, delta
from tests.feature_store.store.conftest import EURUSD, HOUR, arrivals
home, said, begin = sys.argv[1], sys.argv[2], int(sys.argv[3])
delta._FULL_WRITES, compaction.MANY_FILES = 7, 3
said = os.open(said, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
store = delta.DeltaStore(home, few_rows=2)
for n in range(begin, 10**6):
    numbers = [3 * n, 3 * n + 1, 3 * n + 2] if n % 5 == 4 else [3 * n]
    store.write(EURUSD, HOUR, arrivals(numbers, [number + 0.5 for number in numbers]))
    store.write(EURUSD, HOUR, arrivals(numbers[:1], [numbers[0] + 0.25], known_at=10**7))
    os.write(said, f"{n}\\n".encode())
"""

READER = """
import sys
from feature_store.store.delta import DeltaStore
from tests.feature_store.store.conftest import EURUSD, HOUR, closes
home, said = sys.argv[1:]
print("looking", flush=True)
store, looks = DeltaStore(home), 0
while True:
    with open(said) as lines:
        whole, _, _ = lines.read().rpartition("\\n")
    acknowledged = [int(line) for line in whole.split()]
    held = closes(store)
    for n in acknowledged:
        assert held[3 * n] == 3 * n + 0.25, (n, held.get(3 * n))
        assert n % 5 != 4 or (held[3 * n + 1], held[3 * n + 2]) == (3 * n + 1.5, 3 * n + 2.5), n
    assert all(value - number in (0.25, 0.5) for number, value in held.items())
    looks += 1
    if looks % 20 == 0:
        store.close()
        store = DeltaStore(home)
    sys.stdin.readline() if looks == 1 else None
"""


def test_a_writer_killed_at_any_moment_loses_nothing_and_doubles_nothing(tmp_path):
    home, said = tmp_path / "market", tmp_path / "said"
    said.touch()
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(home), str(said)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout.readline() == "looking\n"
    reader.stdin.write("go on\n")
    reader.stdin.flush()
    chance, begin = random.Random(1), 0
    for _ in range(KILLS):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(home), str(said), str(begin)])
        wanted = len(said.read_bytes()) + chance.randrange(4, 200)
        while writer.poll() is None and said.stat().st_size < wanted:
            os.sched_yield()
        writer.send_signal(signal.SIGKILL)
        assert writer.wait() == -signal.SIGKILL
        acknowledged = [int(line) for line in said.read_text().split()]
        held = closes(DeltaStore(home))
        assert all(held[3 * n] == 3 * n + 0.25 for n in acknowledged)
        begin = acknowledged[-1]  # repeats the last one, as a writer that does not know would
    assert reader.poll() is None, reader.stderr.read()
    reader.kill()
    reader.communicate()
    store = DeltaStore(home)
    held = closes(store)
    store.compact()
    assert closes(store) == held
    rows = pl.scan_delta(str(home / "bars/1h")).collect()
    assert rows.height == store.snapshot(EURUSD, HOUR).edition.rows
    assert rows["sequence"].sort().to_list() == list(range(rows.height))
    assert not rows.select("time", "known_at").is_duplicated().any()
    store.close()
