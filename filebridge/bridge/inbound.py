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
from filebridge.delivery import Delivery, Trouble, deliver
from filebridge.errors import FileRefused
from filebridge.ledger import files, plans, quantities, rows
from filebridge.ledger.files import FileRow
from filebridge.ledger.schema import FileState
from filebridge.milestones import reached
from filebridge.outcomes import FileStatus, Outcome
from filebridge.planning.known import FileFacts
from filebridge.replies.publish import WrittenReplies, write_replies

if TYPE_CHECKING:
    from filebridge.mapping.pack import FeedMapping, VendorPack

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

    @property
    def needs_a_person(self) -> bool:
        """Something of it was rejected, or is held by a guard."""
        return bool(self.outcomes.get(Outcome.REJECTED)) or self.status in {
            FileStatus.REJECTED,
            FileStatus.HELD,
        }


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
    if work.row.state is FileState.TAKEN:
        work.read_and_plan(feed)
    if work.row.state is FileState.PLANNED:
        delivery = work.deliver() if send else delivery
        work.settle()
    written = work.reply()
    if work.row.state is FileState.SETTLED:
        work.file_away(written)
    return work.result(delivery)


@dataclass(frozen=True)
class _Work:
    """One file at work."""

    desk: Desk
    pack: VendorPack
    decider: Decider
    file_id: str

    @property
    def row(self) -> FileRow:
        """The file as the ledger has it now."""
        with self.desk.ledger.read() as connection:
            return files.file_row(connection, self.file_id)

    def read_and_plan(self, feed: FeedMapping | None) -> None:
        """Read and check the whole file, decide, and write that down before its first call."""
        row = self.row
        feed = feed or (None if row.corrects else self.decider.feed_of(row))
        with self.desk.ledger.begin() as connection:
            count = files.count_read(connection, row.id)
        try:
            if count > MOST_READS and row.status is None:
                raise FileRefused(
                    "unsafe_file", f"Reading the file did not come to an end {MOST_READS} times."
                )
            self._plan(row, feed)
        except FileRefused as refused:
            self._refuse(refused, feed)
        rmtree(self.desk.spool_of(self.file_id), ignore_errors=True)

    def _plan(self, row: FileRow, feed: FeedMapping | None) -> None:
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
        plan, known = self.decider.plan(read, facts)
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
        )

    def settle(self) -> None:
        """Write down the file's status; settled, where no row waits for an answer any more."""
        with self.desk.ledger.begin() as connection:
            plans.settle(connection, self.file_id, self.desk.clock.now())
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

    def result(self, delivery: Delivery) -> FileResult:
        with self.desk.ledger.read() as connection:
            row = files.file_row(connection, self.file_id)
            return FileResult(
                file_id=row.id,
                vendor=row.vendor,
                name=row.name,
                status=rows.status_of_file(connection, self.file_id),
                rows=row.rows,
                outcomes=rows.outcomes_of(connection, self.file_id),
                trouble=delivery.trouble,
                message=delivery.message,
            )


def _copy(path: Path, target: BinaryIO) -> None:
    """Copy a published reply, unless its reader has taken it in this very moment."""
    with suppress(FileNotFoundError), path.open("rb") as source:
        copyfileobj(source, target)
