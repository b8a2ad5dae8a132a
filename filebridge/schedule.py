"""When: passes for as long as `watch` runs. The scan is the engine, events wake it, schedules fetch the POs."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from filebridge.bridge import decisions, intake
from filebridge.bridge.desk import Desk
from filebridge.bridge.passes import PassReport, quarantine, work
from filebridge.clock import SECOND, from_micros, to_micros
from filebridge.intake.identify import Identifier
from filebridge.intake.settle import Settler
from filebridge.intake.watch import Waker
from filebridge.ledger import calls, channels, requests
from filebridge.ledger import passes as heartbeat

if TYPE_CHECKING:
    from filebridge.mapping.model import OrderSchedule
    from filebridge.mapping.pack import VendorPack

DEFAULT_EVERY = 15 * 60.0
"""Seconds between two fetches of `watch` where the vendor declares neither `every` nor `cron`."""
LONGEST_NAP = 1.0
"""Seconds between two looks at the requests that people make."""
BEAT_EVERY = 15 * SECOND
"""Microseconds between two heartbeats."""


class Watch:
    """The state of a running watch: what was seen in the folders, and when each thing is next due."""

    def __init__(
        self, desk: Desk, *, vendors: Collection[str] | None, on_pass: Callable[[PassReport], None]
    ) -> None:
        self._desk = desk
        self._vendors = vendors
        self._on_pass = on_pass
        self._settler = Settler(desk.workspace.settings.intake.settle)
        self._packs: dict[str, VendorPack] = {}
        self._identifiers: dict[str, Identifier] = {}
        self._beat_at = 0

    def run(self, waker: Waker) -> None:
        """Look, work, wait; until the desk is told to stop."""
        desk = self._desk
        with desk.ledger.begin() as connection:
            calls.lost(connection, desk.clock.now(), quarantine=quarantine(desk))
            pass_id = heartbeat.begin(connection, by=f"watch {os.getpid()}", now=desk.clock.now())
        while not desk.stop.is_set():
            report = PassReport()
            pause = self._turn(report)
            self._on_pass(report)
            self._beat(pass_id)
            self._wait(waker, pause, pass_id)
        with desk.ledger.begin() as connection:
            heartbeat.end(connection, pass_id, exit_code=0, now=desk.clock.now())

    def _turn(self, report: PassReport) -> float:
        """One look and the work that it gives; how many seconds the next look may wait."""
        desk = self._desk
        packs = self._load(report)
        intake.recover(desk, packs)
        decisions.carry_out(desk, self._packs)
        if self._vendors is None:
            report.waiting += intake.of_nobody(desk)
        settled = self._settler.settle(intake.look(desk, packs), monotonic=desk.clock.monotonic())
        due = [pack for pack in packs if self._is_due(pack)]
        work(desk, packs, report, settled=settled, identifiers=self._identifiers, due=due)
        scan = desk.workspace.settings.intake.scan
        return min(scan, settled.next_in) if settled.next_in is not None else scan

    def _load(self, report: PassReport) -> list[VendorPack]:
        """The packs as they are now; of a vendor whose pack is broken the last good one stays in force."""
        packs, problems = self._desk.workspace.load_packs()
        report.problems += problems
        for pack in packs:
            if self._packs.get(pack.vendor) != pack:
                self._packs[pack.vendor] = pack
                self._identifiers[pack.vendor] = intake.identifier(self._desk, pack)
        here = self._desk.workspace.vendors()
        return [
            pack
            for vendor, pack in self._packs.items()
            if vendor in here and (self._vendors is None or vendor in self._vendors)
        ]

    def _is_due(self, pack: VendorPack) -> bool:
        if pack.orders is None:
            return False
        with self._desk.ledger.read() as connection:
            last = channels.last_fetched(connection, pack.vendor)
        return (
            next_fetch(pack.settings.orders, zone=pack.settings.time_zone, last=last)
            <= self._desk.clock.now()
        )

    def _wait(self, waker: Waker, seconds: float, pass_id: int) -> None:
        """Wait for an event, a request, or the time of the next look."""
        until = self._desk.clock.monotonic() + seconds
        while not self._desk.stop.is_set():
            left = until - self._desk.clock.monotonic()
            if left <= 0 or waker.wait(min(left, LONGEST_NAP)):
                return
            with self._desk.ledger.read() as connection:
                if requests.open_requests(connection):
                    return
            self._beat(pass_id)

    def _beat(self, pass_id: int) -> None:
        now = self._desk.clock.now()
        if now - self._beat_at >= BEAT_EVERY:
            self._beat_at = now
            with self._desk.ledger.begin() as connection:
                heartbeat.beat(connection, pass_id, now=now)


def watch(desk: Desk, *, vendors: Collection[str] | None, on_pass: Callable[[PassReport], None]) -> None:
    """Keep working until the desk is told to stop. The caller holds the lock."""
    workspace = desk.workspace
    names = vendors if vendors is not None else workspace.vendors()
    folders = [folder for vendor in names for folder in workspace.drop_folders(vendor)]
    waker = Waker(folders, clock=desk.clock, poll=workspace.settings.intake.poll)
    try:
        Watch(desk, vendors=vendors, on_pass=on_pass).run(waker)
    finally:
        waker.close()


def next_fetch(schedule: OrderSchedule, *, zone: str, last: int | None) -> int:
    """When a vendor's POs are next fetched, in microseconds UTC; `last` is when they last were.

    `cron` counts in the vendor's zone: a time that daylight saving skips is caught up an hour later, one that
    it repeats happens once. A vendor that was never fetched is due at once.
    """
    if last is None:
        return 0
    if schedule.cron is None:
        return last + round((schedule.every or DEFAULT_EVERY) * SECOND)
    from cronsim import CronSim

    return to_micros(next(CronSim(schedule.cron, from_micros(last).astimezone(ZoneInfo(zone)))))
