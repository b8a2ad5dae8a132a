"""`VendorTurn`: one vendor's part of a pass, in steps between which other vendors have theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from filebridge.bridge import intake
from filebridge.bridge.desk import Desk
from filebridge.bridge.pass_report import PassReport
from filebridge.errors import (
    CallRefused,
    FileBridgeError,
    FileRefused,
    KeyRefused,
    Problem,
    RetailOpsUnreachable,
)
from filebridge.intake.identify import Identifier
from filebridge.intake.look import Waiting
from filebridge.ledger import calls, channels, files, po_calls
from filebridge.ledger import orders as known_orders
from filebridge.ledger.schema import FileState
from filebridge.outcomes import Outcome

# What works on a file's columns is imported where it is first needed: the reader is at work on a large file then.
if TYPE_CHECKING:
    from filebridge.bridge.inbound import FileResult
    from filebridge.delivery import Trouble
    from filebridge.mapping.pack import FeedMapping, VendorPack

_AWAIT_CALLS: Final = (FileState.TAKEN, FileState.PLANNED)


@dataclass
class VendorTurn:
    """One vendor's part of a pass.

    `resting` is the trouble of a channel that is not tried in this pass: files are taken and planned, and nothing
    is called. `takes_until` is when (monotonic seconds) no more files are taken; None: all are.
    `parked` are files that met a bug, which are left alone by this process.
    """

    desk: Desk
    pack: VendorPack
    report: PassReport
    resting: str = ""
    takes_until: float | None = None
    is_due: bool = False
    parked: set[str] = field(default_factory=set)
    trouble: Trouble | None = None
    trouble_message: str = ""
    must_go_on: bool = False
    """A file is in the middle of its calls: those after it wait for the next pass, in their order."""
    is_partial: bool = False
    """Not all that is settled was taken: the rest is left to the next pass."""
    looked_at: int = field(init=False)
    """When the vendor was looked at before this turn, microseconds UTC; 0: never."""

    def __post_init__(self) -> None:
        with self.desk.ledger.read() as connection:
            self.looked_at = channels.channel_of(connection, self.pack.vendor).tried_at or 0
        if self.resting:
            self.report.troubles[self.pack.vendor] = self.resting

    @property
    def may_call(self) -> bool:
        """Whether the channel is to be used: it is tried once a pass, and not at all while it rests."""
        return self.trouble is None and not self.resting

    def steps(self, drop: intake.Drop, identifier: Identifier) -> Iterator[None]:
        """The whole turn, in steps: after each the other vendors may have theirs."""
        self.ship_classes()
        yield
        yield from self.files(drop, identifier)
        if self.is_due:
            self.orders()
            yield
        self.restate()
        self.overdue()
        self.end()
        if not self.is_partial:
            # What was not looked at may have its note already.
            self.notes(drop.waiting)

    def files(self, drop: intake.Drop, identifier: Identifier) -> Iterator[None]:
        """Go on with files of earlier passes, then take what is new, in order of arrival."""
        with self.desk.ledger.read() as connection:
            owed = files.unsettled_files(connection, self.pack.vendor)
        seen = {row.id for row in owed}
        for row in owed:
            # While the channel rests an earlier file would only get the same answer once more.
            if row.state is not FileState.CLAIMED and not (self.resting and row.state in _AWAIT_CALLS):
                yield from self._process(row.id, None)
        if self.must_go_on:
            self.is_partial = True
            return
        for taken in intake.take(self.desk, self.pack, identifier, drop):
            seen.add(taken.file_id)
            yield from self._process(taken.file_id, taken.feed)
            if self.must_go_on or self._is_time_over():
                self.report.has_more = self.is_partial = True
                break
        if not self.resting:
            yield from self._answer_again(seen)
        self.report.waiting += drop.waiting

    def _is_time_over(self) -> bool:
        return self.takes_until is not None and self.desk.clock.monotonic() >= self.takes_until

    def _answer_again(self, seen: set[str]) -> Iterator[None]:
        """Give files a new answer whose waiting rows a later file has carried along, or said anew."""
        with self.desk.ledger.read() as connection:
            owed = files.unsettled_files(connection, self.pack.vendor)
            carried = po_calls.carried_files(connection, self.pack.vendor)
        for row in owed:
            if row.id not in seen or row.id in carried:
                yield from self._process(row.id, None)

    def ship_classes(self) -> None:
        """Read the ship classes once a day, so that a class which is gone is said before a shipment needs it."""
        if self.desk.stop.is_set() or not self.may_call:
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
        if self.pack.orders is None or self.desk.stop.is_set() or not self.may_call:
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
        if self.desk.stop.is_set() or not self.may_call:
            return
        with self.desk.ledger.read() as connection:
            due = calls.has_restatements(connection, self.pack.vendor, self.desk.clock.now())
        if due:
            from filebridge.delivery import Trouble, restate_due

            delivery = restate_due(
                self.desk.ledger,
                self.desk.channel(self.pack),
                clock=self.desk.clock,
                stop=self.desk.stop,
                until=self.desk.until() if self.desk.is_hasty else None,
            )
            if delivery.trouble:
                self._in_trouble(delivery.trouble, delivery.message)
            elif delivery.stopped and delivery.message:
                self._in_trouble(Trouble.UNREACHABLE, delivery.message)

    def overdue(self) -> None:
        """Say of which POs the other rows have not come in time, since the vendor was last looked at."""
        from filebridge.bridge.overdue import newly_overdue

        now = self.desk.clock.now()
        with self.desk.ledger.read() as connection:
            self.report.said += newly_overdue(connection, self.pack, since=self.looked_at, now=now)

    def _process(self, file_id: str, feed: FeedMapping | None) -> Iterator[None]:
        """Bring a file as far as it goes; where others are to have their turn meanwhile, go on with it then."""
        while not (self.desk.stop.is_set() or self.must_go_on or file_id in self.parked):
            result = self._once(file_id, feed)
            if result is None:
                break
            self.report.order_files += result.order_files
            needed = self.desk.cut_files.pop(file_id, False)
            result = replace(result, needs_a_person=result.needs_a_person or needed)
            if result.is_cut:
                self.desk.cut_files[file_id] = result.needs_a_person
                self._cut_off(result)
                yield
                continue
            self._report(result)
            if result.trouble:
                self._in_trouble(result.trouble, result.message)
            break
        yield

    def _once(self, file_id: str, feed: FeedMapping | None) -> FileResult | None:
        """One go at a file. A bug ends the work on this file alone, which is left alone from then on."""
        from filebridge.bridge.inbound import process_file

        try:
            # A channel in trouble is tried once a pass: the vendor's files stay pending.
            return process_file(self.desk, self.pack, file_id, feed, send=self.may_call)
        except FileRefused as refused:
            # Of a file whose original cannot be read any more no reject file can be made; the others go on.
            self.report.problems.append(Problem(self.pack.vendor, refused.message, refused.fix))
        except (FileBridgeError, OSError):
            raise
        except Exception as error:
            self.parked.add(file_id)
            self.met_bug(error, file_id)
        return None

    def met_bug(self, error: Exception, file_id: str = "") -> None:
        """Say that there is a bug, and write its report file, once."""
        place = f"{self.pack.vendor}: file {file_id}" if file_id else self.pack.vendor
        self.report.bugs += 1
        self.report.problems.append(self.desk.bugs.met(error, logs=self.desk.workspace.logs, place=place))

    def _cut_off(self, result: FileResult) -> None:
        """The time of this turn was over before all calls of the file were through.

        In a pass that takes everything, the file goes on when the others had their turn. In `watch` others may
        have come, so it goes on in the next pass: after a rest, where not one call had an answer.
        """
        if not self.desk.is_hasty:
            return
        if result.message:
            from filebridge.delivery import Trouble

            self._in_trouble(Trouble.UNREACHABLE, result.message)
        else:
            self.must_go_on = True
            self.report.has_more = True

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
        self.trouble_message = message
        self.report.troubles[self.pack.vendor] = message
        with self.desk.ledger.begin() as connection:
            channels.trouble(connection, self.pack.vendor, kind.value, self.desk.clock.now())

    def notes(self, waiting: Sequence[Waiting]) -> None:
        """Write the vendor's waiting notes and its STATUS.txt."""
        from filebridge.bridge import notes

        self.report.strays += notes.write(self.desk, self.pack, waiting)

    def end(self) -> None:
        """Write down that the channel is well, where nothing went wrong."""
        if self.may_call:
            with self.desk.ledger.begin() as connection:
                channels.well(connection, self.pack.vendor, self.desk.clock.now())
