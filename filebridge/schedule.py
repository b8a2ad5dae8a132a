"""When: passes for as long as `watch` runs. The scan is the engine, events wake it, schedules fetch the POs."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from filebridge.bridge import intake
from filebridge.bridge.desk import Desk
from filebridge.bridge.passes import Pace, PassReport, look, prepare, quarantine, work
from filebridge.bridge.rests import Rests
from filebridge.clock import SECOND, from_micros, to_micros
from filebridge.errors import LedgerError, Problem, UserError
from filebridge.intake.identify import Identifier
from filebridge.intake.settle import Settled, Settler
from filebridge.intake.watch import Waker
from filebridge.ledger import calls, channels, requests
from filebridge.ledger import passes as heartbeat
from filebridge.ledger.passing import may_pass
from filebridge.workspace.heartbeat import beating

if TYPE_CHECKING:
    from filebridge.mapping.model import OrderSchedule
    from filebridge.mapping.pack import VendorPack

DEFAULT_EVERY = 15 * 60.0
"""Seconds between two fetches of `watch` where the vendor declares neither `every` nor `cron`."""
LONGEST_NAP = 1.0
"""Seconds between two looks at the requests that people make."""
SLICE_SECONDS = 5.0
"""How long one vendor works before the next one does."""
PASS_SECONDS = 10.0
"""About how long a pass lasts before it is looked again what came meanwhile."""
LONGEST_LEDGER_PAUSE = 60.0
"""Seconds between two tries while the ledger is locked or its disk is full."""
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
        intake_settings = desk.workspace.settings.intake
        self._settle = intake_settings.settle
        self._settler = Settler(self._settle)
        self._packs: dict[str, VendorPack] = {}
        self._identifiers: dict[str, Identifier] = {}
        self._pace = Pace(SLICE_SECONDS, PASS_SECONDS, Rests(intake_settings.scan))
        self._was_broken_off = True
        self._ledger_faults = 0
        self._beat_at = 0

    def run(self, waker: Waker) -> None:
        """Look, work, wait; until the desk is told to stop."""
        desk = self._desk
        with desk.ledger.begin() as connection:
            pass_id = heartbeat.begin(connection, by=_name(), now=desk.clock.now())
        while not desk.stop.is_set():
            report = PassReport()
            try:
                pause = self._turn(waker, report)
                self._beat(pass_id)
                self._ledger_faults = 0
            except LedgerError as error:
                if not may_pass(error):
                    raise
                pause = self._wait_for_ledger(report, error)
            # What a bug or a fault has broken off may have calls under way, whose answers nobody took.
            self._was_broken_off |= bool(report.bugs)
            self._on_pass(report)
            self._wait(waker, pause, pass_id)
        with desk.ledger.begin() as connection:
            heartbeat.end(connection, pass_id, exit_code=0, now=desk.clock.now())

    def _turn(self, waker: Waker, report: PassReport) -> float:
        """One look and the work that it gives; how many seconds the next look may wait."""
        desk = self._desk
        if self._was_broken_off:
            with desk.ledger.begin() as connection:
                calls.lost(connection, desk.clock.now(), quarantine=quarantine(desk))
            self._was_broken_off = False
        self._take_up_settings(waker, report)
        packs = self._load(waker, report)
        prepare(desk, packs, report, self._packs)
        if self._vendors is None:
            report.waiting += intake.of_nobody(desk)
        settled = self._settler.settle(look(desk, packs, report), monotonic=desk.clock.monotonic())
        due = [pack for pack in packs if self._is_due(pack)]
        work(desk, packs, report, settled=settled, identifiers=self._identifiers, due=due, pace=self._pace)
        if report.has_more:
            return 0.0
        return self._next_look(settled)

    def _next_look(self, settled: Settled) -> float:
        waits = [self._desk.workspace.settings.intake.scan]
        waits += [settled.next_in] if settled.next_in is not None else []
        rest = self._pace.rests.seconds(self._desk.clock.monotonic()) if self._pace.rests else None
        waits += [rest] if rest is not None else []
        return min(waits)

    def _wait_for_ledger(self, report: PassReport, error: LedgerError) -> float:
        """The ledger is locked, or its disk full: that is said, and tried again after growing pauses."""
        self._was_broken_off = True
        self._ledger_faults += 1
        fix = "`watch` tries again by itself."
        report.problems.append(Problem("", str(error), fix))
        scan = self._desk.workspace.settings.intake.scan
        return float(min(scan * 2.0 ** min(self._ledger_faults - 1, 10), max(scan, LONGEST_LEDGER_PAUSE)))

    def _take_up_settings(self, waker: Waker, report: PassReport) -> None:
        """filebridge.yaml as it is now; the one before, where it is broken."""
        report.problems += self._desk.reload_settings()
        settings = self._desk.workspace.settings.intake
        waker.poll = settings.poll
        if settings.settle != self._settle:
            self._settle = settings.settle
            self._settler = Settler(settings.settle)

    def _load(self, waker: Waker, report: PassReport) -> list[VendorPack]:
        """The packs as they are now; of a vendor whose pack is broken the last good one stays in force."""
        desk = self._desk
        packs, problems = desk.workspace.load_packs()
        report.problems += problems
        here = desk.workspace.vendors()
        if any(pack.vendor not in self._packs for pack in packs):
            try:
                desk.workspace.make_folders()
            except UserError as error:
                report.problems.append(Problem("", error.message, error.fix))
        for pack in packs:
            if self._packs.get(pack.vendor) != pack:
                self._packs[pack.vendor] = pack
                self._identifiers[pack.vendor] = intake.identifier(desk, pack)
                self._pace.try_anew(pack.vendor)
        mine = [
            pack
            for vendor, pack in self._packs.items()
            if vendor in here and (self._vendors is None or vendor in self._vendors)
        ]
        for pack in mine:
            self._take_up_key(pack, report)
        watched = here if self._vendors is None else self._vendors
        waker.folders = tuple(folder for vendor in watched for folder in desk.workspace.drop_folders(vendor))
        return mine

    def _take_up_key(self, pack: VendorPack, report: PassReport) -> None:
        """The vendor's key as it is now; the one before, where it is broken."""
        try:
            if self._desk.renew_channel(pack):
                self._pace.try_anew(pack.vendor)
        except UserError as error:
            kept = "The key from before stays in use."
            report.problems.append(Problem(pack.vendor, error.message, f"{error.fix} {kept}".strip()))

    def _is_due(self, pack: VendorPack) -> bool:
        if pack.orders is None:
            return False
        with self._desk.ledger.read() as connection:
            last = channels.last_fetched(connection, pack.vendor)
        now = self._desk.clock.now()
        return next_fetch(pack.settings.orders, zone=pack.settings.time_zone, last=last, now=now) <= now

    def _wait(self, waker: Waker, seconds: float, pass_id: int) -> None:
        """Wait for an event, a request, or the time of the next look."""
        until = self._desk.clock.monotonic() + seconds
        while not self._desk.stop.is_set():
            left = until - self._desk.clock.monotonic()
            if left <= 0 or waker.wait(min(left, LONGEST_NAP)):
                return
            try:
                with self._desk.ledger.read() as connection:
                    if requests.open_requests(connection):
                        return
                self._beat(pass_id)
            except LedgerError as error:
                if not may_pass(error):
                    raise

    def _beat(self, pass_id: int) -> None:
        now = self._desk.clock.now()
        if now - self._beat_at >= BEAT_EVERY:
            self._beat_at = now
            with self._desk.ledger.begin() as connection:
                heartbeat.beat(connection, pass_id, now=now)


def watch(desk: Desk, *, vendors: Collection[str] | None, on_pass: Callable[[PassReport], None]) -> None:
    """Keep working until the desk is told to stop. The caller holds the lock."""
    waker = Waker((), clock=desk.clock, poll=desk.workspace.settings.intake.poll)
    try:
        with beating(desk.workspace.state, by=_name()):
            Watch(desk, vendors=vendors, on_pass=on_pass).run(waker)
    finally:
        waker.close()


def _name() -> str:
    return f"watch {os.getpid()}"


def next_fetch(schedule: OrderSchedule, *, zone: str, last: int | None, now: int) -> int:
    """When a vendor's POs are next fetched, in microseconds UTC; `last` is when they last were.

    `cron` counts in the vendor's zone: a time that daylight saving skips is caught up an hour later, one that
    it repeats happens once. A vendor that was never fetched is due at once, and so is one that was last fetched
    in the future: the clock was set back since.
    """
    if last is None or last > now:
        return 0
    if schedule.cron is None:
        return last + round((schedule.every or DEFAULT_EVERY) * SECOND)
    from cronsim import CronSim

    return to_micros(next(CronSim(schedule.cron, from_micros(last).astimezone(ZoneInfo(zone)))))
