"""All files of the reference: pages and pictures, in memory or on the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.reference.pages import FOLDER, PATTERNS, by_family, pages
from tools.reference.pattern import pattern
from tools.reference.picture import picture

if TYPE_CHECKING:
    from feature_store.indicators.definition import Definition


def pictures(group: str) -> dict[str, str]:
    """Return the pictures of a family's indicators by their place in the reference's folder."""
    return {f"pictures/{each.name}.svg": _picture(each) for each in by_family()[group]}


def write() -> str:
    """Write every file that is new or differs, remove those of indicators that are gone, and say what was done."""
    files = pages()
    for group in by_family():
        files |= pictures(group)
    (FOLDER / "pictures").mkdir(parents=True, exist_ok=True)
    there = {path.relative_to(FOLDER).as_posix(): path for path in FOLDER.rglob("*.*")}
    changed = [name for name, text in files.items() if name not in there or there[name].read_text("utf-8") != text]
    for name in changed:
        (FOLDER / name).write_text(files[name], "utf-8")
    gone = [path for name, path in there.items() if name not in files]
    for path in gone:
        path.unlink()
    return f"{FOLDER}: {len(files)} files, {len(changed)} written, {len(gone)} removed"


def _picture(definition: Definition) -> str:
    return pattern(definition) if definition.group == PATTERNS else picture(definition)
