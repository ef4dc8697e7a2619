"""How a peer's script talks: a line of JSON for each question, a line of JSON for each answer; see benchmarks/throwaway.py.

Standard output belongs to the conversation, so what a library prints there goes to standard error.
"""

import json
import os
import sys
from pathlib import Path
from time import perf_counter


def seconds(call, clock=perf_counter):
    """Return how long one call takes, and what it gives."""
    started = clock()
    given = call()
    return clock() - started, given


def converse(*tasks):
    """Answer questions until there are none; an argument of the script says to how many processors it is held."""
    if len(sys.argv) > 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[1])])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    known = {task.__name__: task for task in tasks}
    for line in sys.stdin:
        task, arguments = json.loads(line)
        answers.write(json.dumps(known[task](**arguments)) + "\n")
        answers.flush()


def resident(field):
    """Return megabytes of this process: VmRSS now, VmHWM at the worst moment."""
    with Path("/proc/self/status").open(encoding="ascii") as status:
        line = next(line for line in status if line.startswith(field))
    return int(line.split()[1]) / 1024
