"""The way in, as a unit of work: process one file, from its copy to its archive."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filebridge import archive, replies
from filebridge.bridge.desk import Desk
from filebridge.delivery import Delivery, Trouble, deliver
from filebridge.errors import FileRefused
from filebridge.intake.claim import copy_of
from filebridge.ledger import files, plans, quantities, rows
from filebridge.ledger.files import FileRow
from filebridge.ledger.schema import FileState
from filebridge.mapping.match import own_layout_mapping
from filebridge.milestones import reached
from filebridge.outcomes import FileStatus, Outcome
from filebridge.planning.inventory import InventoryFile, plan_inventory
from filebridge.reader import NeedsOriginals, Original, ReadFile, ReadJob

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
        return bool(self.outcomes.get(Outcome.REJECTED)) or self.status in {FileStatus.REJECTED, FileStatus.HELD}


def process_file(desk: Desk, pack: VendorPack, file_id: str, feed: FeedMapping | None = None) -> FileResult:
    """Bring one claimed file as far as it goes now: read, plan, deliver, reply, archive.

    Each step is written down before the next, so that after a kill the same call goes on where it stopped.
    `feed` is the mapping that takes the file by its name; None where only its content can tell.
    """
    row = _row(desk, file_id)
    delivery = Delivery()
    if row.state is FileState.TAKEN:
        _read_and_plan(desk, pack, row, feed)
        row = _row(desk, file_id)
    if row.state is FileState.PLANNED:
        delivery = _deliver(desk, pack, row)
        row = _row(desk, file_id)
    if row.state in {FileState.PLANNED, FileState.SETTLED}:
        replies.write_replies(
            desk.ledger,
            file_id,
            outbox=desk.workspace.outbox / pack.vendor,
            original=original_path(desk, row),
            clock=desk.clock,
        )
        _move(desk, row, FileState.SETTLED, FileState.REPLIED)
        row = _row(desk, file_id)
    if row.state is FileState.REPLIED:
        _archive(desk, row)
    return _result(desk, file_id, delivery)


def plan_file(desk: Desk, row: FileRow, read: ReadFile) -> None:
    """Decide what is to be done with a file that was read, and write it down before its first call."""
    ledger, feed = desk.ledger, read.feed
    with ledger.read() as connection:
        known = quantities.known_quantities(connection, row.vendor, feed.feed)
        known_feed = files.known_feed(connection, row.vendor, feed.feed, row.seq)
        order_at = files.file_row(connection, read.corrects).order_at if read.corrects else None
    plan = plan_inventory(
        read.mapped,
        read.records(),
        file=InventoryFile(
            sha256=row.sha256,
            received_at=row.received_at,
            now=desk.clock.now(),
            correction=bool(read.corrects),
            order_at=order_at,
            released=row.released,
            forced=row.forced,
        ),
        mapping=feed.mapping,
        known=known,
        feed=known_feed,
    )
    with ledger.begin() as connection:
        plans.save_plan(
            connection,
            row.id,
            read.mapped,
            plan,
            read.rejects(),
            feed=feed.feed,
            mapping=feed.path,
            mapping_sha256=feed.sha256,
            now=desk.clock.now(),
            corrects=read.corrects,
        )
    reached("file.planned", row.id)


def original_path(desk: Desk, row: FileRow) -> Path:
    """Where a file's bytes are: its copy while it is worked on, else its original in the archive."""
    if row.archived_at:
        return archive.original_of(desk.workspace.archive, row)
    return copy_of(desk.workspace.work, row.id, row.name_bytes)


def _read_and_plan(desk: Desk, pack: VendorPack, row: FileRow, feed: FeedMapping | None) -> None:
    with desk.ledger.begin() as connection:
        count = files.count_read(connection, row.id)
    try:
        if count > MOST_READS and row.status is None:
            raise FileRefused("unsafe_file", f"Reading the file did not come to an end {MOST_READS} times.")
        plan_file(desk, row, _read(desk, pack, row, feed or pack.of_feed(row.feed)))
    except FileRefused as refused:
        with desk.ledger.begin() as connection:
            plans.save_refusal(
                connection,
                row.id,
                refused.code,
                str(refused),
                document=feed.mapping.document if feed else "",
                feed=feed.feed if feed else "",
                mapping=feed.path if feed else "",
                mapping_sha256=feed.sha256 if feed else "",
            )
        reached("file.refused", row.id)


def _read(desk: Desk, pack: VendorPack, row: FileRow, feed: FeedMapping | None) -> ReadFile:
    job = ReadJob(
        path=original_path(desk, row),
        name=row.name,
        spool=desk.workspace.state / "spool" / row.id,
        vendor_id=pack.settings.vendor_id,
        vendor_zone=pack.settings.time_zone,
        received_at=row.received_at,
        feed=feed,
    )
    try:
        return desk.reader.read(job)
    except NeedsOriginals as needs:
        originals = {file_id: _original(desk, pack, file_id) for file_id in needs.file_ids}
        return desk.reader.read(ReadJob(**{**vars(job), "originals": originals}))


def _original(desk: Desk, pack: VendorPack, file_id: str) -> Original:
    """The file that a reject file belongs to, with the mapping of its feed as it is now."""
    with desk.ledger.read() as connection:
        try:
            row = files.file_row(connection, file_id)
        except KeyError:
            row = None
    if row is None or row.vendor != pack.vendor:
        raise FileRefused(
            "unknown_reject_file",
            f"The file says that it corrects {file_id}, which is no file of {pack.vendor}.",
            fix="Drop the original file again, corrected.",
        )
    feed = pack.of_feed(row.feed) or (own_layout_mapping(row.document, row.headers) if not row.mapping else None)
    path = original_path(desk, row)
    if feed is None or not path.exists():
        raise FileRefused(
            "unknown_reject_file",
            f"The file corrects {row.name} ({file_id}), whose {'mapping' if feed is None else 'original'} is gone.",
            fix="Drop the original file again, corrected.",
        )
    return Original(path=path, name=row.name, feed=feed)


def _deliver(desk: Desk, pack: VendorPack, row: FileRow) -> Delivery:
    delivery = deliver(
        desk.ledger,
        desk.channel(pack),
        clock=desk.clock,
        file_id=row.id,
        on_progress=lambda done, total: desk.progress(row.name, done, total),
        stop=desk.stop,
    )
    with desk.ledger.begin() as connection:
        plans.settle(connection, row.id, desk.clock.now())
    reached("file.settled", row.id)
    return delivery


def _archive(desk: Desk, row: FileRow) -> None:
    archive.archive(desk, row)


def _move(desk: Desk, row: FileRow, before: FileState, after: FileState) -> None:
    with desk.ledger.begin() as connection:
        files.set_state(connection, row.id, (before,), after)
    reached(f"file.{after.value}", row.id)


def _row(desk: Desk, file_id: str) -> FileRow:
    with desk.ledger.read() as connection:
        return files.file_row(connection, file_id)


def _result(desk: Desk, file_id: str, delivery: Delivery) -> FileResult:
    with desk.ledger.read() as connection:
        row = files.file_row(connection, file_id)
        return FileResult(
            file_id=row.id,
            vendor=row.vendor,
            name=row.name,
            status=rows.status_of_file(connection, file_id),
            rows=row.rows,
            outcomes=rows.outcomes_of(connection, file_id),
            trouble=delivery.trouble,
            message=delivery.message,
        )
