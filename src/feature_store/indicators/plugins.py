"""Indicators of other packages: installed plugins, whose definitions join the built-ins when the catalog is first used.

    [project.entry-points."feature_store.indicators"]
    fx_extras = "fx_extras.indicators"

1. Each entry point of the group names a module. It is imported, and what it makes with `@indicator` joins.
2. A plugin that cannot be imported, that uses a name which means something already, or whose indicators cannot be described is
   skipped as a whole: nothing of it stays, the log has one warning, and an id of one of its indicators says why it is missing.

A plugin is Python code, and as trusted as any other package that is installed.
"""

from __future__ import annotations

import ast
import logging
import re
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from feature_store.indicators.definition import origins, registered
from feature_store.indicators.registry import missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from importlib.metadata import EntryPoint

    from feature_store.indicators.definition import Definition

GROUP = "feature_store.indicators"

_PATH = re.compile(r"\(?[\w.:~-]*[/\\][^\s)]*\)?")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_log = logging.getLogger(__name__)


def join(entries: Iterable[EntryPoint] | None = None) -> None:
    """Let the indicators of entry points, by default of those that are installed, join the built-ins."""
    found = entry_points(group=GROUP) if entries is None else entries
    for entry in sorted(found, key=lambda each: (_origin(each), each.name)):
        before = {name: each for name, each in registered.items() if not _is_in(each, entry.module)}
        reason = None
        try:
            entry.load()
        except (Exception, SystemExit) as problem:  # noqa: BLE001  another package's mistake must not take the store along
            reason = _told(problem)
        finally:
            made = {name: each for name, each in registered.items() if before.get(name) is not each}
            _reset(before)
        reason = reason or _refused(made)
        if reason is None:
            registered.update(made)
            origins.update(dict.fromkeys(made, _origin(entry)))
        else:
            _skip(entry, made, reason)


def _is_in(definition: Definition, module: str) -> bool:
    """Whether a definition is of this module, which may have been imported before it was a plugin's turn."""
    return f"{definition.function.__module__}.".startswith(f"{module}.")


def _reset(before: Mapping[str, Definition]) -> None:
    for name in registered.keys() - before.keys():
        del registered[name]
    registered.update(before)


def _refused(made: Mapping[str, Definition]) -> str | None:
    """Return why definitions cannot join, if they cannot."""
    from feature_store.indicators.custom import refuse_shadows  # noqa: PLC0415  only who has plugins waits for it

    try:
        for name, definition in made.items():
            if not _NAME.fullmatch(name):
                return f"no id can begin with {name}; name it in small letters, digits and _"
            refuse_shadows(name)
            definition.describe()
    except Exception as problem:  # noqa: BLE001  its function may raise anything
        return _told(problem)
    return None


def _skip(entry: EntryPoint, made: Iterable[str], reason: str) -> None:
    plugin = f"the plugin {entry.name} of {_origin(entry)}"
    _log.warning("%s was skipped: %s; mend it, or uninstall it", plugin, reason)
    # An id may be asked for from another machine, which need not know this one's folders.
    why = _PATH.sub("...", reason)
    for name in {*made, *_announced(entry.module)}:
        missing[name] = f"{name} comes with {plugin}, which was skipped: {why}"


def _announced(module: str) -> Iterator[str]:
    """Yield the names of the indicators in a module's text, which is read and not run."""
    try:
        loader: Any = getattr(find_spec(module), "loader", None)
        tree = ast.parse(loader.get_source(module))
    except Exception:  # noqa: BLE001  it may have no text, or belong to a package that cannot be imported
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(map(_is_decorator, node.decorator_list)):
            yield node.name


def _is_decorator(node: ast.expr) -> bool:
    called = node.func if isinstance(node, ast.Call) else node
    return getattr(called, "attr", getattr(called, "id", "")) == "indicator"


def _origin(entry: EntryPoint) -> str:
    """Return a plugin's distribution and its version."""
    about: Any = entry.dist.metadata if entry.dist else {}
    return " ".join(about[key] for key in ("Name", "Version") if key in about) or entry.name


def _told(problem: BaseException) -> str:
    return f"{type(problem).__name__}: {problem}".splitlines()[0][:200]
