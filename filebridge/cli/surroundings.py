"""What every command is told: the workspace, whether to print JSON, the clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filebridge.clock import SystemClock

if TYPE_CHECKING:
    from filebridge.ledger.connect import Ledger
    from filebridge.workspace import Workspace

_CURRENT: ContextVar[Surroundings] = ContextVar("surroundings")


@dataclass(frozen=True)
class Surroundings:
    """Where a command runs. `folder` is the workspace that -C names; `json` asks for one JSON document."""

    folder: Path
    json: bool
    clock: SystemClock

    def use(self) -> None:
        """Make these the surroundings of the command that runs next."""
        _CURRENT.set(self)

    def workspace(self) -> Workspace:
        """The workspace. Raises UserError where the folder is none."""
        from filebridge.workspace import Workspace

        return Workspace.open(self.folder)

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The ledger, to read from while another process may write."""
        from filebridge.ledger.connect import read_ledger

        ledger = read_ledger(self.workspace().ledger_url)
        try:
            yield ledger
        finally:
            ledger.close()

    @contextmanager
    def ledger_or_none(self) -> Iterator[Ledger | None]:
        """As `ledger`, but None where no pass has made it yet."""
        from filebridge.ledger.connect import has_ledger

        if not has_ledger(self.workspace().ledger_url):
            yield None
            return
        with self.ledger() as ledger:
            yield ledger


def current() -> Surroundings:
    """The surroundings of the running command."""
    return _CURRENT.get()


def split_options(arguments: Sequence[str]) -> tuple[Surroundings, list[str]]:
    """Take `-C DIR` and `--json` out, wherever they stand before a `--`."""
    folder, as_json, rest = ".", False, list[str]()
    given = list(arguments)
    while given:
        argument = given.pop(0)
        if argument == "--":
            rest += [argument, *given]
            break
        if argument == "--json":
            as_json = True
        elif argument == "-C" and given:
            folder = given.pop(0)
        elif argument.startswith("-C") and len(argument) > 2:
            folder = argument[2:]
        else:
            rest.append(argument)
    return Surroundings(Path(folder), as_json, SystemClock()), rest
