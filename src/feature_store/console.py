"""The frame of the command line: commands of other packages join it, and every error leaves it as one line.

A package adds a command with an entry point in the group `feature_store.commands`: its name is the command's, its object a
function or a `typer.Typer`. It is imported when the command is called or help is shown, so its module should import
nothing heavy at the top.
"""

from __future__ import annotations

import os
import sys
import traceback
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from feature_store.errors import FeatureStoreError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GROUP = "feature_store.commands"
DEBUG = "--debug"
USAGE = 2
UNEXPECTED = 1
INTERRUPTED = 130
READER_GONE = 141


class CommandGroup(TyperGroup):
    """A group whose own commands are known at once, and those of other packages when they are needed."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of every command, those of other packages last."""
        return [*super().list_commands(ctx), *sorted(set(self.joined) - set(self.commands))]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of this name, or None."""
        own = super().get_command(ctx, cmd_name)
        return own or (load(self.joined[cmd_name]) if cmd_name in self.joined else None)

    @cached_property
    def joined(self) -> Mapping[str, EntryPoint]:
        """The commands of other packages by name, not loaded."""
        return {entry.name: entry for entry in entry_points(group=GROUP)}

    def main(self, args: Sequence[str] | None = None, *others: Any, **options: Any) -> NoReturn:
        """Run the command line and exit: 0, 2 for an error that says what to do, 1 for one nobody foresaw."""
        words = list(sys.argv[1:] if args is None else args) or ["--help"]
        debug = DEBUG in words
        words = [word for word in words if word != DEBUG]
        try:
            code = super().main(words, *others, **{**options, "standalone_mode": False})
            sys.stdout.flush()  # here, where a reader that has gone is no error, and not when Python ends
        except BrokenPipeError:
            _say_no_more()
            sys.exit(READER_GONE)
        except (FeatureStoreError, typer.Abort, typer.TyperException) as problem:
            _trace(debug)
            fail(_sentence(problem), INTERRUPTED if isinstance(problem, typer.Abort) else USAGE)
        except ModuleNotFoundError as problem:
            _trace(debug)
            fail(f"this needs the package {problem.name}: pip install 'forex-feature-store[all]'", USAGE)
        except Exception as problem:  # noqa: BLE001  the last place where it can be said in one line
            _trace(debug)
            fail(f"unexpected {type(problem).__name__}: {problem}; add {DEBUG} to see where it comes from", UNEXPECTED)
        sys.exit(code if isinstance(code, int) else 0)


def load(entry: EntryPoint) -> Any:
    """Return the command of an entry point; one that cannot be imported says so when it is called."""
    try:
        found = entry.load()
    except Exception as problem:  # noqa: BLE001  another package's mistake must not take the other commands along
        return _unavailable(entry.name, problem)
    if not isinstance(found, typer.Typer):
        app = typer.Typer(add_completion=False)
        app.command()(found)
        found = app
    command = typer.main.get_command(found)
    command.name = entry.name
    return command


def fail(sentence: str, code: int) -> NoReturn:
    """Say one line on stderr, with what it points at below, and exit."""
    said, _, pointing = sentence.partition("\n  ")  # a line and a caret below it, where a text is at fault
    line = " ".join(said.split())
    typer.secho(f"feature-store: {line}" + (f"\n  {pointing}" if pointing else ""), fg=typer.colors.RED, err=True)
    sys.exit(code)


def _say_no_more() -> None:
    """Let what is still to be flushed go nowhere, as `feature-store get ... | head` has what it wanted."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _trace(wanted: bool) -> None:
    if wanted:
        traceback.print_exc()


def _unavailable(name: str, problem: Exception) -> TyperCommand:
    def refuse(**_: object) -> NoReturn:
        msg = f"{name} cannot be loaded: {problem}; install what it needs: pip install 'forex-feature-store[{name}]'"
        raise FeatureStoreError(msg)

    settings = {"ignore_unknown_options": True, "allow_extra_args": True}
    return TyperCommand(name, callback=refuse, help=f"(cannot be loaded: {problem})", context_settings=settings)


def _sentence(problem: Exception) -> str:
    if isinstance(problem, typer.Abort):
        return "stopped"
    if not isinstance(problem, typer.TyperException):
        return str(problem)
    context = getattr(problem, "ctx", None)
    hint = f"; see {context.command_path} --help" if context else ""
    return f"{problem.format_message().rstrip('.')}{hint}"
