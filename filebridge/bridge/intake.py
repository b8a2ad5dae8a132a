"""From the drop folders to claimed files: look, settle, identify, order, claim, take the name out."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from filebridge.bridge.desk import Desk
from filebridge.intake.claim import ClaimedFile, claim
from filebridge.intake.identify import Correction, Identifier, Peeked
from filebridge.intake.look import Inbox, Look, Waiting, inboxes_of, scan, waiting
from filebridge.intake.order import Turn, order_of
from filebridge.intake.release import Release, recover_claims, release_name
from filebridge.intake.settle import SettledFile
from filebridge.intake.trigger import remove_trigger
from filebridge.ledger import files
from filebridge.ledger.schema import FileState
from filebridge.mapping.pack import FeedMapping
from filebridge.milestones import reached
from filebridge.reader import ReadJob

if TYPE_CHECKING:
    from pathlib import Path

    from filebridge.mapping.pack import VendorPack


@dataclass(frozen=True)
class Taken:
    """A file whose copy is ours and recorded. `feed` is None where only its content tells (a correction)."""

    file_id: str
    feed: FeedMapping | None


@dataclass
class Drop:
    """What one look at one vendor's folders found: settled files in no order yet, and why others stay."""

    settled: list[SettledFile] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)


def inboxes(desk: Desk, pack: VendorPack) -> tuple[Inbox, ...]:
    """The vendor's drop folders."""
    return inboxes_of(pack.vendor, desk.workspace.drop_folders(pack.vendor))


def look(desk: Desk, packs: Sequence[VendorPack]) -> list[Look]:
    """One look at the drop folders of these vendors."""
    return [scan(inbox) for pack in packs for inbox in inboxes(desk, pack)]


def of_nobody(desk: Desk) -> list[Waiting]:
    """What lies in the inbox outside every vendor's folder, where there are several vendors or none."""
    vendors = desk.workspace.vendors()
    if len(vendors) == 1:
        return []
    inbox = Inbox("", desk.workspace.inbox, own=False, others=frozenset(vendors))
    found = scan(inbox)
    fix = (
        f"Move it into one of {', '.join(f'{inbox.path.name}/{vendor}/' for vendor in vendors)}"
        if vendors
        else ""
    )
    entries = [
        waiting(entry, "no_vendor", "Nobody can tell whose file this is: it lies in no vendor's folder.", fix)
        for entry in found.entries
    ]
    return [*entries, *found.strays]


def identifier(desk: Desk, pack: VendorPack) -> Identifier:
    """Says whose files are, by this pack; workbooks are looked into in the reader process."""

    def peek_workbook(path: Path) -> Peeked | None:
        seen = desk.reader.peek(path, path.name)
        return Peeked(seen.headers, seen.sheet, seen.corrects) if seen else None

    settings = desk.workspace.settings.intake
    return Identifier(
        pack,
        peek_workbook=peek_workbook,
        clock=desk.clock,
        settle_seconds=settings.settle,
        max_size=settings.max_size,
    )


def recover(desk: Desk, packs: Sequence[VendorPack]) -> None:
    """Finish the claims that a kill left half done, and sweep copies that the ledger does not know."""
    with desk.ledger.read() as connection:
        unfinished = [row for pack in packs for row in files.unsettled_files(connection, pack.vendor)]
    claimed = [row for row in unfinished if row.state is FileState.CLAIMED]

    def find(file_id: str) -> files.FileRow | None:
        with desk.ledger.read() as connection:
            try:
                return files.file_row(connection, file_id)
            except KeyError:
                return None

    recovery = recover_claims(
        [inbox for pack in packs for inbox in inboxes(desk, pack)],
        work=desk.workspace.work,
        unfinished=claimed,
        find=find,
    )
    with desk.ledger.begin() as connection:
        for file_id in recovery.released:
            files.set_state(connection, file_id, (FileState.CLAIMED,), FileState.TAKEN)


def take(desk: Desk, pack: VendorPack, identifier: Identifier, drop: Drop) -> Iterator[Taken]:
    """Claim what is settled and wanted, in its order; what is not is added to `drop.waiting`.

    Each is claimed when it is asked for: what nobody asks for stays in the inbox as it is.
    """
    wanted: dict[SettledFile, FeedMapping | None] = {}
    stuck = _stuck_names(desk, pack.vendor)
    for settled in drop.settled:
        found = identifier.identify(settled.entry)
        if settled.entry.name_bytes in stuck:
            drop.waiting.append(_not_removable(settled))
        elif isinstance(found, Waiting):
            drop.waiting.append(found)
        else:
            wanted[settled] = None if isinstance(found, Correction) else found

    def document_of(settled: SettledFile) -> str:
        feed = wanted[settled]
        return feed.mapping.document if feed else "inventory"

    for turn in order_of(wanted, document_of):
        claimed = _claim(desk, pack, turn, wanted[turn.file])
        if isinstance(claimed, Waiting):
            drop.waiting.append(claimed)
            if claimed.code == "in_use":
                identifier.put_off(turn.file.entry, claimed)
        elif claimed:
            yield Taken(claimed, wanted[turn.file])


def _claim(desk: Desk, pack: VendorPack, turn: Turn, feed: FeedMapping | None) -> str | Waiting:
    claimed = claim(
        turn.file,
        work=desk.workspace.work,
        file_id=files.new_file_id(random.SystemRandom()),
        clock=desk.clock,
        max_size=desk.workspace.settings.intake.max_size,
    )
    if isinstance(claimed, Waiting):
        return claimed
    # Reading changes nothing: a large file is read while its claim is finished, and all else is imported.
    job = ReadJob.of(
        pack,
        path=claimed.copy,
        name=claimed.name,
        spool=desk.spool_of(claimed.file_id),
        received_at=claimed.received_at,
        feed=feed,
    )
    desk.reader.begin(job)
    with desk.ledger.begin() as connection:
        files.record_claim(connection, _claim_row(claimed), note=turn.note)
    reached("file.recorded", claimed.file_id)
    if release_name(claimed) is Release.STUCK:
        return _not_removable(turn.file)
    with desk.ledger.begin() as connection:
        files.set_state(connection, claimed.file_id, (FileState.CLAIMED,), FileState.TAKEN)
    reached("file.taken", claimed.file_id)
    if turn.file.entry.trigger is not None:
        remove_trigger(claimed.inbox, turn.file.entry.trigger, claimed.file_id)
    return claimed.file_id


def _stuck_names(desk: Desk, vendor: str) -> set[bytes]:
    """Names whose copy is recorded and which may not be removed: what lies there was taken already."""
    with desk.ledger.read() as connection:
        owed = files.unsettled_files(connection, vendor)
    return {row.name_bytes for row in owed if row.state is FileState.CLAIMED}


def _not_removable(settled: SettledFile) -> Waiting:
    return waiting(
        settled.entry,
        "not_removable",
        "FileBridge has copied this file and may not remove it from the inbox; nothing of it is sent before that.",
        "Give FileBridge's user the right to write in the inbox.",
    )


def _claim_row(claimed: ClaimedFile) -> files.ClaimRow:
    return files.ClaimRow(
        id=claimed.file_id,
        vendor=claimed.vendor,
        name=claimed.name,
        name_bytes=claimed.name_bytes,
        sha256=claimed.sha256,
        size=claimed.size,
        modified_at=claimed.modified_at,
        received_at=claimed.received_at,
    )
