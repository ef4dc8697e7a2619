"""Commands as a user waits for them: `--help`, the import, and the demo when everything is there."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

from benchmarks.measure import median_seconds, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator


def rows() -> Iterator[str]:
    """Yield the table as Markdown lines."""
    yield "### Commands"
    yield ""
    yield "| command | time | goal |"
    yield "|---|---|---|"
    yield f"| `feature-store --help` | {median_seconds(lambda: _run('-m', 'feature_store', '--help'), 9):.2f} s | 0.3 s |"
    yield f"| `import feature_store` | {median_seconds(lambda: _run('-c', 'import feature_store'), 9):.2f} s | 0.3 s |"
    with tempfile.TemporaryDirectory() as folder:
        demo = ("-m", "feature_store", "demo", "--folder", folder)
        yield f"| `feature-store demo`, empty folder, loops compiled before | {seconds(lambda: _run(*demo)):.1f} s | |"
        yield f"| `feature-store demo`, second run | {seconds(lambda: _run(*demo)):.1f} s | 15 s |"


def _run(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


if __name__ == "__main__":
    print("\n".join(rows()))
