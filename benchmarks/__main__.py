"""Measure everything, print it, and keep it in RESULTS.md."""

from __future__ import annotations

from pathlib import Path

from benchmarks import accuracy, cache, client, commands, compiling, expressions, live, peers, request, shared
from benchmarks.measure import machine, today, versions

RESULTS = Path(__file__).with_name("RESULTS.md")
PARTS = {
    "Functions shared with other libraries": shared,
    "Accuracy": accuracy,
    "Many features at once": request,
    "Custom expressions": expressions,
    "Live bars": live,
    "Compiling": compiling,
    "The client": client,
    "The cache": cache,
    "The command line": commands,
}
PACKAGES = ("numpy", "llvmlite", "pandas", "polars", "deltalake", "TA-Lib")

lines = [
    "# Results",
    "",
    "Written by `make bench`; README and documents quote only this. Each figure is a median of alternating pairs in one",
    "process (`benchmarks/measure.py`); peers that are no dependencies are installed apart (`benchmarks/peers.py`). The",
    "machine is shared, so trust the ratios.",
    "",
    f"{today()} · {machine()} · {versions(*PACKAGES)}, " + ", ".join(f"{n} {v}" for n, v in peers.VERSIONS.items()),
]
for title, part in PARTS.items():
    print(f"\n## {title}\n")
    lines += ["", f"## {title}", ""]
    for line in part.rows():
        print(line, flush=True)
        lines.append(line)
RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
