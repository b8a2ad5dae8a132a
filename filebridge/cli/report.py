"""How results and failures are printed: data to standard output, talk to standard error."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from filebridge.errors import FileBridgeError, FileRefused, RetailOpsError, UserError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from filebridge.cli.surroundings import Surroundings

BUG = 70


def say(text: str) -> None:
    """Say something to the person, on standard error; after all that standard output has so far."""
    # Where its reader has gone, that is told at the end.
    with suppress(BrokenPipeError):
        sys.stdout.flush()
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def program() -> str:
    """How this program is called from here: its name where a shell finds it, else its path."""
    called = sys.argv[0]
    return called if shutil.which("filebridge") is None and os.access(called, os.X_OK) else "filebridge"


def print_line(text: str) -> None:
    """Print one line on standard output, at once and as a whole, for a log that several streams write to."""
    # `print` writes text and line end one after the other where output is unbuffered.
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def print_json(value: Any) -> None:
    """Print one JSON document on standard output."""
    import json

    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def write_json_list(
    head: Mapping[str, Any], name: str, entries: Iterable[Mapping[str, Any]], stream: IO[str]
) -> None:
    """Write one JSON document whose last key, `name`, is a list that may be too long to be held at once.

    `head` has at least one key.
    """
    import json

    start = json.dumps(head, ensure_ascii=False, indent=2, default=str).removesuffix("\n}")
    stream.write(f'{start},\n  "{name}": [')
    parted = ""
    for entry in entries:
        stream.write(f"{parted}\n    {json.dumps(entry, ensure_ascii=False, default=str)}")
        parted = ","
    stream.write("\n  ]\n}\n" if parted else "]\n}\n")


def console(*, wide: int = 160) -> Console:
    """Where tables go: standard output, as wide as the terminal or COLUMNS says, else `wide`, as for a file."""
    import os

    from rich.console import Console

    class Screen(Console):
        """Leaves it to `app.run` what is to be done when whoever read our output has gone."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    told = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit()
    return Screen(highlight=False, width=None if told else wide, markup=False, emoji=False)


def text_width(*, most: int = 100) -> int:
    """How wide a page of text may be on standard output."""
    return min(console().width, most)


def table(*columns: str, title: str = "") -> Table:
    """An empty table in the house's look.

    A column whose name begins with `#` holds numbers, one that begins with `=` is never wrapped.
    """
    from rich import box
    from rich.table import Table

    made = Table(
        box=box.SIMPLE_HEAD, title=title or None, title_justify="left", header_style="bold", pad_edge=False
    )
    for column in columns:
        made.add_column(
            column.lstrip("#="),
            justify="right" if column.startswith("#") else "left",
            overflow="fold",
            no_wrap=column[:1] in "#=",
        )
    return made


def keep_whole(table: Table, column: str, *, beside: int) -> None:
    """Let a column of names be as wide as its longest one before others get their room.

    `beside` is how wide the others are at the least.
    """
    found = next(one for one in table.columns if one.header == column)
    longest = max((len(str(cell)) for cell in found.cells), default=0)
    found.min_width = min(longest, max(12, console().width - beside))


def failed(error: Exception, surroundings: Surroundings) -> int:
    """Say what went wrong; the exit code. A bug gets one sentence and a report file to send."""
    if isinstance(error, FileBridgeError):
        say(_sentence(error))
        if surroundings.json:
            print_json({"error": str(error)})
        return _exit_code(error)
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        say(
            f"{place}{error.strerror}. See that the disk has room, and that FileBridge's user may read and write there."
        )
        say("Nothing is lost; the next run continues where this one stopped.")
        if surroundings.json:
            print_json({"error": f"{place}{error.strerror}"})
        return 2
    say(
        f"FileBridge has a bug: {type(error).__name__}. Nothing is lost; the next run continues where this one stopped."
    )
    path = _write_report(error, surroundings.folder)
    if path:
        say(f"Please send the file {path} to its makers.")
    return BUG


def _exit_code(error: FileBridgeError) -> int:
    if isinstance(error, UserError | RetailOpsError):
        return error.exit_code
    return 1 if isinstance(error, FileRefused) else 2


def _sentence(error: FileBridgeError) -> str:
    text = str(error)
    return text[0].upper() + text[1:] if text else type(error).__name__


def _write_report(error: Exception, folder: Path) -> Path | None:
    from filebridge.bridge.bugs import report_text, write_report

    text = report_text(error)
    state = folder / ".filebridge"
    path = write_report(text, state / "logs" if state.is_dir() else Path(tempfile.gettempdir()))
    if path is None:
        say(text)
    return path
