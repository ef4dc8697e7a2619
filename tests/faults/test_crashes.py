"""Whatever step a writer dies at, what it acknowledged is there once, and repeating what it did completes it."""

import subprocess
import sys

import pytest

from tests.faults.crash_points import OPERATIONS


@pytest.mark.parametrize("operation", OPERATIONS)
def test_dying_at_any_step_loses_and_doubles_nothing(operation, tmp_path):
    command = [sys.executable, "-m", "tests.faults.crash_points", operation, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 4
