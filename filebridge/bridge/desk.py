"""`Desk`: what the units of work are told and work with."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from filebridge.bridge.bugs import Bugs
from filebridge.clock import Clock, SystemClock
from filebridge.errors import ConfigError, Problem, UserError
from filebridge.reader import Reader
from filebridge.workspace.settings import SETTINGS_FILE

if TYPE_CHECKING:
    from filebridge.delivery import Channel
    from filebridge.ledger.connect import Ledger
    from filebridge.mapping.pack import VendorPack
    from filebridge.retailops.client import RetailOps
    from filebridge.workspace import Secret, Workspace
    from filebridge.workspace.settings import RetailOps as Way

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""


def _silent(what: str, done: int, total: int) -> None:
    """What hears of progress when nobody does."""


@dataclass(frozen=True)
class _Kept:
    """A client, and the settings and the key that it was made with."""

    client: RetailOps
    way: Way
    key: Secret


@dataclass
class Desk:
    """One workspace at work: its ledger, its reader, its channels. For one thread; hold the lock before.

    `slice_seconds` is how long the calls of one file go on before other vendors have their turn; None: nobody
    waits. `is_hasty`: others may come meanwhile, so a channel without any answer in that time is left for later.
    """

    workspace: Workspace
    ledger: Ledger
    reader: Reader
    clock: Clock = field(default_factory=SystemClock)
    stop: threading.Event = field(default_factory=threading.Event)
    progress: Progress = _silent
    slice_seconds: float | None = None
    is_hasty: bool = False
    cut_files: dict[str, bool] = field(default_factory=dict)
    """Files in the middle of their calls, and whether they need a person: told once they are through."""
    bugs: Bugs = field(default_factory=Bugs)
    _clients: dict[str, _Kept] = field(default_factory=dict)
    _settings_seen: tuple[int, ...] = (-1,)
    _settings_faults: tuple[Problem, ...] = ()

    def until(self) -> float | None:
        """When calls that begin now are to let others have their turn, monotonic seconds."""
        return None if self.slice_seconds is None else self.clock.monotonic() + self.slice_seconds

    def channel(self, pack: VendorPack) -> Channel:
        """The vendor's way to RetailOps. Raises UserError where no key can be used."""
        from filebridge.delivery import Channel

        settings = self.workspace.settings.retailops
        return Channel(
            vendor=pack.vendor,
            vendor_id=pack.settings.vendor_id,
            client=self._client(pack),
            concurrency=settings.concurrency,
            attempts=settings.attempts,
            quarantine_seconds=settings.quarantine,
        )

    def _client(self, pack: VendorPack) -> RetailOps:
        if pack.vendor not in self._clients:
            from filebridge.retailops.client import RetailOps, Timeouts

            settings = self.workspace.settings.retailops
            key = self.workspace.api_key(pack).secret
            client = RetailOps(
                settings.base_url,
                key,
                timeouts=Timeouts(read=settings.timeout, whole=settings.deadline),
                rate=settings.rate,
                attempts=settings.attempts,
                clock=self.clock,
            )
            self._clients[pack.vendor] = _Kept(client, settings, key)
        return self._clients[pack.vendor].client

    def reload_settings(self) -> tuple[Problem, ...]:
        """Take up filebridge.yaml where it was changed; what is wrong with it, while the one before stays in force.

        Where the folders and the ledger are is not changed under work that goes on.
        """
        seen = _signature(self.workspace.root / SETTINGS_FILE)
        if seen == self._settings_seen:
            return self._settings_faults
        self._settings_seen = seen
        before = self.workspace.settings
        try:
            now = type(self.workspace).open(self.workspace.root).settings
        except UserError as error:
            found = error.problems if isinstance(error, ConfigError) else (_problem(error),)
            self._settings_faults = (*found, _STAYS)
            return self._settings_faults
        self._settings_faults = ()
        if (now.folders, now.ledger) != (before.folders, before.ledger):
            self._settings_faults = (_ELSEWHERE,)
            now = now.model_copy(update={"folders": before.folders, "ledger": before.ledger})
        self.workspace = replace(self.workspace, settings=now)
        return self._settings_faults

    def renew_channel(self, pack: VendorPack) -> bool:
        """Take up the vendor's key and settings as they are now; whether they are others than those in use.

        Raises UserError where the key cannot be used: the one before stays in use.
        """
        kept = self._clients.get(pack.vendor)
        if kept is None:
            return False
        key = self.workspace.api_key(pack).secret
        if (kept.way, kept.key) == (self.workspace.settings.retailops, key):
            return False
        del self._clients[pack.vendor]
        kept.client.close()
        return True

    def spool_of(self, file_id: str) -> Path:
        """Where the records of a file lie between reading and planning it."""
        return self.workspace.state / "spool" / file_id

    def close(self) -> None:
        """Close the channels, the reader and the ledger."""
        for kept in self._clients.values():
            kept.client.close()
        self._clients.clear()
        self.reader.close()
        self.ledger.close()


_STAYS = Problem(
    "filebridge.yaml", "the settings from before stay in force", "Mend it; it is taken up with the next look."
)
_ELSEWHERE = Problem(
    "filebridge.yaml",
    "`folders` or `ledger` were changed; this `watch` keeps those that it began with",
    "End it and start it again.",
)


def _problem(error: UserError) -> Problem:
    return Problem("filebridge.yaml", error.message, error.fix)


def _signature(path: Path) -> tuple[int, ...]:
    """Of a file that may be changed; empty where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return ()
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


@contextmanager
def open_desk(
    workspace: Workspace,
    *,
    reader: Reader | None = None,
    clock: Clock | None = None,
    stop: threading.Event | None = None,
    progress: Progress = _silent,
) -> Iterator[Desk]:
    """A desk over this workspace, closed at the end. The ledger is made or brought up to date."""
    from filebridge.ledger.connect import open_ledger

    workspace.make_folders()
    desk = Desk(
        workspace=workspace,
        ledger=open_ledger(workspace.ledger_url, archive=workspace.archive),
        reader=reader or Reader(),
        clock=clock or SystemClock(),
        stop=stop or threading.Event(),
        progress=progress,
    )
    try:
        yield desk
    finally:
        desk.close()
