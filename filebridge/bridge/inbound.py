"""The way in, as a unit of work: process one file, from its copy to its archive."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import copyfileobj, rmtree
from typing import TYPE_CHECKING, BinaryIO

from filebridge.archive import archive_file, folder_of
from filebridge.bridge.deciding import Decider
from filebridge.bridge.desk import Desk
from filebridge.bridge.overdue import hold_for
from filebridge.delivery import Delivery, Trouble, deliver
from filebridge.errors import CallRefused, FileRefused, KeyRefused, RetailOpsUnreachable
from filebridge.ledger import files, plans, quantities, rows
from filebridge.ledger import orders as known_orders
from filebridge.ledger.files import FileRow
from filebridge.ledger.po_waits import waiting_in
from filebridge.ledger.schema import FileState
from filebridge.milestones import reached
from filebridge.outcomes import FileStatus, Outcome
from filebridge.planning.known import FileFacts
from filebridge.replies.publish import WrittenReplies, write_replies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filebridge.ledger.orders import OrderFileRow
    from filebridge.mapping.pack import FeedMapping, VendorPack
    from filebridge.reader import ReadFile

MOST_READS = 3
"""A file that brought its reader down so often, and never came through, is not read again."""


@dataclass(frozen=True)
class FileResult:
    """What one pass made of a file. `outcomes` add up to `rows`."""

    file_id: str
    vendor: str
    name: str
    status: FileStatus
    rows: int
    outcomes: dict[Outcome, int]
    trouble: Trouble | None = None
    message: str = ""
    needs_a_person: bool = False
    """Something of it was rejected now, or is held for a person; rows that wait for their other rows do not count."""
    order_files: tuple[OrderFileRow, ...] = ()
    """Change files of POs that were read again for it."""
    is_held: bool = False
    """It waits for a person's decision on the file as a whole."""
    is_answered_again: bool = False
    """It was answered in an earlier pass, and its answer is another now: a later file, or a person, went on with it."""
    waiting_pos: tuple[str, ...] = ()
    """POs of which rows wait for their other rows."""
    refused_pos: tuple[str, ...] = ()
    """POs that the vendor refuses or has back-ordered: nothing is sent of them."""
    is_cut: bool = False
    """The time of the vendor's turn was over in the middle of its calls, and it got no answer yet.

    `message` is then why its calls had no answer, empty where some had.
    """


def process_file(
    desk: Desk, pack: VendorPack, file_id: str, feed: FeedMapping | None = None, *, send: bool = True
) -> FileResult:
    """Bring one claimed file as far as it goes now: read, plan, deliver, reply, archive.

    Each step is written down before the next, so that after a kill the same call goes on where it stopped.
    `feed` is the mapping that takes the file by its name; None where only its content can tell. Without
    `send` its calls wait for the next pass.
    """
    work = _Work(desk, pack, Decider(desk.workspace, desk.ledger, desk.reader, pack), file_id)
    delivery = Delivery()
    before: dict[Outcome, int] = {}
    again = bool(work.row.archived_at)
    if work.row.state is FileState.TAKEN:
        try:
            work.read_and_plan(feed, send=send)
        except (RetailOpsUnreachable, CallRefused) as error:
            return work.unread(Trouble.UNREACHABLE, str(error))
        except KeyRefused as error:
            return work.unread(Trouble.KEY_REFUSED, str(error))
        except _NotNow:
            return work.unread(None, "")
    else:
        before = work.outcomes()
    if work.row.state is FileState.PLANNED:
        delivery = work.deliver() if send else delivery
        if delivery.stopped and not desk.stop.is_set():
            # Others have their turn first: it is answered when it is through.
            return work.result(delivery, before, again=again, is_cut=True)
        work.settle()
    written = work.reply()
    if work.row.state is FileState.SETTLED:
        work.file_away(written)
    return work.result(delivery, before, again=again)


class _NotNow(Exception):
    """A file needs to ask RetailOps before it can be planned, and may not in this pass."""


@dataclass
class _Work:
    """One file at work."""

    desk: Desk
    pack: VendorPack
    decider: Decider
    file_id: str
    order_files: tuple[OrderFileRow, ...] = ()

    @property
    def row(self) -> FileRow:
        """The file as the ledger has it now."""
        with self.desk.ledger.read() as connection:
            return files.file_row(connection, self.file_id)

    def outcomes(self) -> dict[Outcome, int]:
        """How many rows have each outcome now."""
        with self.desk.ledger.read() as connection:
            return rows.outcomes_of(connection, self.file_id)

    def unread(self, trouble: Trouble | None, message: str) -> FileResult:
        """The file stays as it was taken: RetailOps must be asked before it can be planned."""
        with self.desk.ledger.begin() as connection:
            files.forget_reads(connection, self.file_id)
        row = self.row
        return FileResult(row.id, row.vendor, row.name, FileStatus.PENDING, 0, {}, trouble, message)

    def read_and_plan(self, feed: FeedMapping | None, *, send: bool) -> None:
        """Read and check the whole file, decide, and write that down before its first call.

        Raises what asking RetailOps raises, for a file about POs; with `send` false it is not asked.
        """
        row = self.row
        feed = feed or (None if row.corrects else self.decider.feed_of(row))
        with self.desk.ledger.begin() as connection:
            count = files.count_read(connection, row.id)
        try:
            if count > MOST_READS and row.status is None:
                raise FileRefused(
                    "unsafe_file", f"Reading the file did not come to an end {MOST_READS} times."
                )
            self._plan(row, feed, send=send)
        except FileRefused as refused:
            self._refuse(refused, feed)
        rmtree(self.desk.spool_of(self.file_id), ignore_errors=True)

    def _plan(self, row: FileRow, feed: FeedMapping | None, *, send: bool) -> None:
        original = self.decider.original(row)
        if not original.exists():
            raise FileRefused(
                "unreadable_file",
                f"The original of {row.name} is in the archive no more.",
                fix="Drop the file again.",
            )
        read = self.decider.read(
            original,
            name=row.name,
            spool=self.desk.spool_of(self.file_id),
            received_at=row.received_at,
            feed=feed,
        )
        facts = FileFacts(
            sha256=row.sha256,
            received_at=row.received_at,
            now=self.desk.clock.now(),
            seq=row.seq,
            released=row.released,
            forced=row.forced,
            test=self.pack.settings.test,
        )
        unknown = self._look_up(read, send=send)
        plan, known = self.decider.plan(read, facts, file_id=row.id, unknown=unknown)
        with self.desk.ledger.begin() as connection:
            plans.save_plan(
                connection,
                row.id,
                read.mapped,
                plan,
                read.rejects(),
                feed=read.feed.feed,
                mapping=read.feed.path,
                mapping_sha256=read.feed.sha256,
                now=self.desk.clock.now(),
                corrects=read.corrects,
            )
            quantities.retire(connection, known)
        reached("file.planned", row.id)

    def _look_up(self, read: ReadFile, *, send: bool) -> frozenset[str]:
        """Ask RetailOps for what planning needs; the POs that it has not."""
        if read.mapped.document == "inventory" or read.mapped.refused:
            return frozenset()
        if not send:
            raise _NotNow
        from filebridge.bridge.po_files import look_up_for

        looked = look_up_for(self.desk, self.pack, read)
        self.order_files += looked.order_files
        return looked.unknown

    def _refuse(self, refused: FileRefused, feed: FeedMapping | None) -> None:
        with self.desk.ledger.begin() as connection:
            plans.save_refusal(
                connection,
                self.file_id,
                refused.code,
                str(refused),
                document=feed.mapping.document if feed else "",
                feed=feed.feed if feed else "",
                mapping=feed.path if feed else "",
                mapping_sha256=feed.sha256 if feed else "",
            )
        reached("file.planned", self.file_id)

    def deliver(self) -> Delivery:
        """Send the calls that have no answer yet."""
        name = self.row.name
        return deliver(
            self.desk.ledger,
            self.desk.channel(self.pack),
            clock=self.desk.clock,
            file_id=self.file_id,
            on_progress=partial(self.desk.progress, name),
            stop=self.desk.stop,
            until=self.desk.until(),
        )

    def settle(self) -> None:
        """Write down the file's status; settled, where no row waits for an answer any more."""
        row, now = self.row, self.desk.clock.now()
        with self.desk.ledger.begin() as connection:
            plans.settle(connection, row.id, now)
            if row.document != "inventory":
                known_orders.note_answers(connection, row.vendor, row.id, now)
        reached("file.settled", self.file_id)

    def reply(self) -> WrittenReplies:
        """Publish the replies as things stand."""
        row = self.row
        return write_replies(
            self.desk.ledger,
            self.file_id,
            outbox=self.desk.workspace.outbox / row.vendor,
            original=partial(self.decider.opened, row),
            time_zone=self.pack.settings.time_zone,
            hold_for=hold_for(self.pack),
        )

    def file_away(self, written: WrittenReplies) -> None:
        """Archive the original with its replies; nothing is owed to the file any more."""
        row = self.row
        rmtree(self.desk.spool_of(self.file_id), ignore_errors=True)
        folder = folder_of(row.vendor, file_id=row.id, received_at=row.received_at)
        archive_file(
            self.decider.original(row),
            self.desk.workspace.archive,
            folder=folder,
            file_id=row.id,
            sha256=row.sha256,
            replies={path.name: partial(_copy, path) for path in written.paths if path.exists()},
        )
        with self.desk.ledger.begin() as connection:
            files.set_archived(connection, row.id, folder)
            files.set_state(connection, row.id, (FileState.SETTLED,), FileState.DONE)
        reached("file.done", row.id)

    def result(
        self, delivery: Delivery, before: Mapping[Outcome, int], *, again: bool, is_cut: bool = False
    ) -> FileResult:
        """What came of it; `before` are the outcomes of its rows at the start of this turn.

        `again`: an earlier pass has answered it.
        """
        with self.desk.ledger.read() as connection:
            row = files.file_row(connection, self.file_id)
            outcomes = rows.outcomes_of(connection, self.file_id)
            waits = waiting_in(connection, self.file_id) if outcomes.get(Outcome.HELD) else []
            status = rows.status_of_file(connection, self.file_id)
        waiting_pos = dict.fromkeys(one.of.po for one in waits if not one.of.is_refused)
        refused_pos = dict.fromkeys(one.of.po for one in waits if one.of.is_refused)
        refused = bool(refused_pos) and outcomes.get(Outcome.HELD, 0) > before.get(Outcome.HELD, 0)
        rejected = outcomes.get(Outcome.REJECTED, 0) > before.get(Outcome.REJECTED, 0)
        return FileResult(
            file_id=row.id,
            vendor=row.vendor,
            name=row.name,
            status=status,
            rows=row.rows,
            outcomes=outcomes,
            trouble=delivery.trouble,
            message=delivery.message,
            needs_a_person=rejected or refused or status is FileStatus.REJECTED or bool(row.hold_code),
            order_files=self.order_files,
            is_held=bool(row.hold_code),
            is_answered_again=again,
            waiting_pos=tuple(waiting_pos),
            refused_pos=tuple(refused_pos),
            is_cut=is_cut,
        )


def _copy(path: Path, target: BinaryIO) -> None:
    """Copy a published reply, unless its reader has taken it in this very moment."""
    with suppress(FileNotFoundError), path.open("rb") as source:
        copyfileobj(source, target)
