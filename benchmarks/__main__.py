"""Measure everything, or the sections named, print it, and keep it in RESULTS.md: `python -m benchmarks history joins`.

A section measured alone takes the place of what stood there and says its own date; the others stay as they are.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import (
    accuracy,
    cache,
    client,
    commands,
    compiling,
    expressions,
    factors,
    history,
    ingesting,
    joins,
    live,
    peers,
    request,
    shared,
    throwaway,
    writing,
)
from benchmarks.measure import machine, today, versions

if TYPE_CHECKING:
    from types import ModuleType

RESULTS = Path(__file__).with_name("RESULTS.md")
PARTS = {
    "Functions shared with other libraries": shared,
    "Accuracy": accuracy,
    "Many features at once": request,
    "Custom expressions": expressions,
    "Live bars": live,
    "Compiling": compiling,
    "Reading the store": history,
    "Training sets": joins,
    "qlib's factors": factors,
    "Ingesting files": ingesting,
    "Writing as it happens": writing,
    "The client": client,
    "The cache": cache,
    "The command line": commands,
}
PACKAGES = ("numpy", "llvmlite", "pandas", "polars", "deltalake", "TA-Lib")


def main(names: list[str]) -> None:
    """Measure the sections named, all of them if none is, and write RESULTS.md."""
    unknown = set(names) - {_name(part) for part in PARTS.values()}
    if unknown:
        raise SystemExit(
            f"no section is called {', '.join(sorted(unknown))}; there are {', '.join(map(_name, PARTS.values()))}"
        )
    head, sections = (_head(), {}) if not names else _recorded()
    for title, part in PARTS.items():
        if not names or _name(part) in names:
            sections[title] = _measured(title, part, alone=bool(names))
    bodies = [line for title in PARTS if title in sections for line in ("", f"## {title}", "", *sections[title])]
    RESULTS.write_text("\n".join([*head, *bodies]) + "\n", encoding="utf-8")


def _name(part: ModuleType) -> str:
    return part.__name__.rpartition(".")[2]


def _head() -> list[str]:
    apart = [f"{name} {version}" for name, version in peers.VERSIONS.items()] + [str(each) for each in throwaway.EVERY]
    return [
        "# Results",
        "",
        "Written by `make bench`; README and documents quote only this. Each figure is a median of alternating pairs in one",
        "process (`benchmarks/measure.py`); peers that are no dependencies are installed apart (`benchmarks/peers.py`), or in",
        "an environment and a process of their own that take turns with ours (`benchmarks/throwaway.py`). The machine is",
        "shared, so trust the ratios.",
        "",
        f"{today()} · {machine()} · {', '.join([versions(*PACKAGES), *apart])}",
    ]


def _recorded() -> tuple[list[str], dict[str, list[str]]]:
    """Return what RESULTS.md says: the lines before the first section, and those of each section by its title."""
    head, *sections = RESULTS.read_text(encoding="utf-8").rstrip().split("\n\n## ")
    parted = (section.partition("\n\n") for section in sections)
    return head.split("\n"), {title: body.split("\n") for title, _, body in parted}


def _measured(title: str, part: ModuleType, *, alone: bool) -> list[str]:
    print(f"\n## {title}\n")
    lines = [f"Measured alone, {today()}.", ""] if alone else []
    for line in part.rows():
        print(line, flush=True)
        lines.append(line)
    while lines[-1] == "":
        lines.pop()
    return lines


main(sys.argv[1:])
