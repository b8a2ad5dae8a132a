"""`Desk`: what the units of work are told and work with."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from filebridge.clock import Clock, SystemClock
from filebridge.reader import Reader

if TYPE_CHECKING:
    from filebridge.delivery import Channel
    from filebridge.ledger.connect import Ledger
    from filebridge.mapping.pack import VendorPack
    from filebridge.retailops.client import RetailOps
    from filebridge.workspace import Workspace

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""


def _silent(what: str, done: int, total: int) -> None:
    """What hears of progress when nobody does."""


@dataclass
class Desk:
    """One workspace at work: its ledger, its reader, its channels. For one thread; hold the lock before."""

    workspace: Workspace
    ledger: Ledger
    reader: Reader
    clock: Clock = field(default_factory=SystemClock)
    stop: threading.Event = field(default_factory=threading.Event)
    progress: Progress = _silent
    _clients: dict[str, RetailOps] = field(default_factory=dict)

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
            self._clients[pack.vendor] = RetailOps(
                settings.base_url,
                self.workspace.api_key(pack).secret,
                timeouts=Timeouts(read=settings.timeout, whole=settings.deadline),
                rate=settings.rate,
                attempts=settings.attempts,
                clock=self.clock,
            )
        return self._clients[pack.vendor]

    def spool_of(self, file_id: str) -> Path:
        """Where the records of a file lie between reading and planning it."""
        return self.workspace.state / "spool" / file_id

    def close(self) -> None:
        """Close the channels, the reader and the ledger."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        self.reader.close()
        self.ledger.close()


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
        ledger=open_ledger(workspace.ledger_url),
        reader=reader or Reader(),
        clock=clock or SystemClock(),
        stop=stop or threading.Event(),
        progress=progress,
    )
    try:
        yield desk
    finally:
        desk.close()
