"""One pass over everything that is due: the nightly batch, and each turn of `watch`."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from filebridge.bridge import decisions, intake
from filebridge.bridge.desk import Desk
from filebridge.clock import SECOND
from filebridge.errors import (
    CallRefused,
    FileRefused,
    KeyRefused,
    LedgerError,
    Problem,
    RetailOpsUnreachable,
    UserError,
)
from filebridge.intake.identify import Identifier
from filebridge.intake.look import Waiting
from filebridge.intake.settle import Settled, Settler, take_settled
from filebridge.ledger import calls, channels, files, po_calls
from filebridge.ledger import orders as known_orders
from filebridge.ledger import passes as heartbeat
from filebridge.ledger.schema import FileState
from filebridge.outcomes import Outcome
from filebridge.rejects import Note

# What works on a file's columns is imported where it is first needed: the reader is at work on a large file then.
if TYPE_CHECKING:
    from filebridge.bridge.inbound import FileResult
    from filebridge.delivery import Trouble
    from filebridge.ledger.orders import OrderFileRow
    from filebridge.mapping.pack import FeedMapping, VendorPack


@dataclass
class PassReport:
    """What one pass did. `troubles` are channels that could not be used, each in a sentence, by vendor."""

    files: list[FileResult] = field(default_factory=list)
    order_files: list[OrderFileRow] = field(default_factory=list)
    marked: dict[str, int] = field(default_factory=dict)
    """How many POs of each of `order_files` are marked submitted now, by the file's id."""
    said: list[Note] = field(default_factory=list)
    troubles: dict[str, str] = field(default_factory=dict)
    waiting: list[Waiting] = field(default_factory=list)
    strays: list[Waiting] = field(default_factory=list)
    """Those of `waiting` that are new and stay until a person does something."""
    problems: list[Problem] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0 all done, 1 something new needs a person, 2 wrong configuration, 3 RetailOps not reached."""
        if self.troubles:
            return 3
        if self.problems:
            return 2
        return 1 if any(file.needs_a_person for file in self.files) or self.said or self.strays else 0


@dataclass
class _VendorTurn:
    """One vendor's part of a pass."""

    desk: Desk
    pack: VendorPack
    report: PassReport
    trouble: Trouble | None = None
    looked_at: int = field(init=False)
    """When the vendor was looked at before this turn, microseconds UTC; 0: never."""

    def __post_init__(self) -> None:
        with self.desk.ledger.read() as connection:
            self.looked_at = channels.channel_of(connection, self.pack.vendor).tried_at or 0

    def files(self, drop: intake.Drop, identifier: Identifier) -> None:
        """Go on with files of earlier passes, then take what is new, in order of arrival."""
        with self.desk.ledger.read() as connection:
            owed = files.unsettled_files(connection, self.pack.vendor)
        seen = {row.id for row in owed}
        for row in owed:
            if row.state is not FileState.CLAIMED:
                self._process(row.id, None)
        for taken in intake.take(self.desk, self.pack, identifier, drop):
            seen.add(taken.file_id)
            self._process(taken.file_id, taken.feed)
        self._answer_again(seen)
        self.report.waiting += drop.waiting

    def _answer_again(self, seen: set[str]) -> None:
        """Give files a new answer whose waiting rows a later file has carried along, or said anew."""
        with self.desk.ledger.read() as connection:
            owed = files.unsettled_files(connection, self.pack.vendor)
            carried = po_calls.carried_files(connection, self.pack.vendor)
        for row in owed:
            if row.id not in seen or row.id in carried:
                self._process(row.id, None)

    def ship_classes(self) -> None:
        """Read the ship classes once a day, so that a class which is gone is said before a shipment needs it."""
        if self.desk.stop.is_set():
            return
        from filebridge.bridge.carriers import has_use_for_classes, refresh

        if not has_use_for_classes(self.pack):
            return
        from filebridge.delivery import Trouble

        try:
            self.report.said += refresh(self.desk, self.pack)
        except KeyRefused as error:
            self._in_trouble(Trouble.KEY_REFUSED, str(error))
        except (RetailOpsUnreachable, CallRefused) as error:
            self._in_trouble(Trouble.UNREACHABLE, str(error))

    def orders(self) -> None:
        """Fetch the vendor's POs, where its pack lays them out."""
        if self.pack.orders is None or self.desk.stop.is_set() or self.trouble:
            return
        from filebridge.bridge.outbound import fetch_orders

        result = fetch_orders(self.desk, self.pack)
        with self.desk.ledger.read() as connection:
            # As they are now: most were marked since they were written.
            written = [known_orders.file_row(connection, row.id) for row in result.files]
            self.report.marked |= {row.id: known_orders.marked_in(connection, row.id) for row in written}
        self.report.order_files += written
        self.report.said += result.said
        if result.trouble:
            self._in_trouble(result.trouble, result.message)
        else:
            with self.desk.ledger.begin() as connection:
                channels.fetched(connection, self.pack.vendor, self.desk.clock.now())

    def restate(self) -> None:
        """State again what a lost call may have overwritten, where its quarantine is over."""
        if self.desk.stop.is_set() or self.trouble:
            return
        with self.desk.ledger.read() as connection:
            due = calls.has_restatements(connection, self.pack.vendor, self.desk.clock.now())
        if due:
            from filebridge.delivery import restate_due

            delivery = restate_due(self.desk.ledger, self.desk.channel(self.pack), clock=self.desk.clock)
            if delivery.trouble:
                self._in_trouble(delivery.trouble, delivery.message)

    def overdue(self) -> None:
        """Say of which POs the other rows have not come in time, since the vendor was last looked at."""
        from filebridge.bridge.overdue import newly_overdue

        now = self.desk.clock.now()
        with self.desk.ledger.read() as connection:
            self.report.said += newly_overdue(connection, self.pack, since=self.looked_at, now=now)

    def _process(self, file_id: str, feed: FeedMapping | None) -> None:
        # A channel in trouble is tried once a pass: the vendor's files stay pending.
        if self.desk.stop.is_set():
            return
        from filebridge.bridge.inbound import process_file

        try:
            result = process_file(self.desk, self.pack, file_id, feed, send=self.trouble is None)
        except FileRefused as refused:
            # Of a file whose original cannot be read any more no reject file can be made; the others go on.
            self.report.problems.append(Problem(self.pack.vendor, refused.message, refused.fix))
            return
        self._report(result)
        self.report.order_files += result.order_files
        if result.trouble:
            self._in_trouble(result.trouble, result.message)

    def _report(self, result: FileResult) -> None:
        """Tell of a file once a pass: one that was taken in this pass is new, though answered again."""
        for place, earlier in enumerate(self.report.files):
            if earlier.file_id == result.file_id:
                still = earlier.needs_a_person and {Outcome.REJECTED, Outcome.HELD} & result.outcomes.keys()
                self.report.files[place] = replace(
                    result,
                    is_answered_again=earlier.is_answered_again,
                    needs_a_person=result.needs_a_person or bool(still),
                )
                return
        self.report.files.append(result)

    def _in_trouble(self, kind: Trouble, message: str) -> None:
        self.trouble = kind
        self.report.troubles[self.pack.vendor] = message
        with self.desk.ledger.begin() as connection:
            channels.trouble(connection, self.pack.vendor, kind.value, self.desk.clock.now())

    def notes(self, waiting: Sequence[Waiting]) -> None:
        """Write the vendor's waiting notes and its STATUS.txt."""
        from filebridge.bridge import notes

        self.report.strays += notes.write(self.desk, self.pack, waiting)

    def end(self) -> None:
        """Write down that the channel is well, where nothing went wrong."""
        if not self.trouble:
            with self.desk.ledger.begin() as connection:
                channels.well(connection, self.pack.vendor, self.desk.clock.now())


def run_pass(
    desk: Desk,
    *,
    vendors: Collection[str] | None = None,
    inbound: bool = True,
    outbound: bool = True,
    by: str = "run",
    settle: bool = False,
    settler: Settler | None = None,
) -> PassReport:
    """One pass over everything that is due of these vendors (None: all). The caller holds the lock.

    With `settle` it goes on until no call is without its answer, and waits for what is due meanwhile. A
    `settler` that has looked already (`early`) makes the wait for quiet files shorter.
    """
    report = PassReport()
    packs, problems = desk.workspace.load_packs()
    report.problems += problems
    chosen = [pack for pack in packs if vendors is None or pack.vendor in vendors]
    with desk.ledger.begin() as connection:
        calls.lost(connection, desk.clock.now(), quarantine=quarantine(desk))
        pass_id = heartbeat.begin(connection, by=f"{by} {os.getpid()}", now=desk.clock.now())
    intake.recover(desk, chosen)
    decisions.carry_out(desk, {pack.vendor: pack for pack in packs})
    settler = settler or Settler(desk.workspace.settings.intake.settle)
    settled = (
        take_settled(lambda: intake.look(desk, chosen), settler, clock=desk.clock) if inbound else Settled()
    )
    if inbound and vendors is None:
        report.waiting += intake.of_nobody(desk)
    identifiers = {pack.vendor: intake.identifier(desk, pack) for pack in chosen}
    work(desk, chosen, report, settled=settled, identifiers=identifiers, due=chosen if outbound else ())
    while settle and not report.troubles and _wait_for_open_answers(desk):
        work(desk, chosen, report, settled=Settled(), identifiers=identifiers, due=())
    with desk.ledger.begin() as connection:
        heartbeat.end(connection, pass_id, exit_code=report.exit_code, now=desk.clock.now())
    return report


def work(
    desk: Desk,
    packs: Sequence[VendorPack],
    report: PassReport,
    *,
    settled: Settled,
    identifiers: Mapping[str, Identifier],
    due: Collection[VendorPack],
) -> None:
    """Each vendor's turn: files, then the POs of those in `due`, then restatements, then what is said of it.

    One vendor's trouble stops no other.
    """
    for pack in packs:
        drop = intake.Drop(
            [file for file in settled.files if file.entry.inbox.vendor == pack.vendor],
            [wait for wait in settled.waiting if wait.inbox.vendor == pack.vendor],
        )
        turn = _VendorTurn(desk, pack, report)
        try:
            turn.ship_classes()
            turn.files(drop, identifiers[pack.vendor])
            if pack in due:
                turn.orders()
            turn.restate()
            turn.overdue()
            turn.end()
            turn.notes(drop.waiting)
        except LedgerError:
            raise
        except UserError as error:
            report.problems.append(Problem(pack.vendor, error.message, error.fix))
        except OSError as error:
            fix = "Mend the folder; the work is kept and goes on with the next pass."
            report.problems.append(
                Problem(pack.vendor, f"{error.filename or 'a file'}: {error.strerror or error}", fix)
            )


def _wait_for_open_answers(desk: Desk) -> bool:
    """Wait until the next restatement is due; False where none is owed, or the desk is told to stop."""
    with desk.ledger.read() as connection:
        due = calls.next_restatement(connection)
    if due is None:
        return False
    desk.clock.sleep(max(0, due - desk.clock.now()) / SECOND)
    return not desk.stop.is_set()


def quarantine(desk: Desk) -> int:
    """How long a call whose answer was lost may still land, in microseconds."""
    return round(desk.workspace.settings.retailops.quarantine * SECOND)
