"""The way of a file up to its plan: what `run` goes on from, and what `preview` prints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from filebridge.archive import folder_of
from filebridge.errors import FileRefused
from filebridge.intake.claim import copy_of
from filebridge.intake.names import safe_name
from filebridge.ledger import files, quantities
from filebridge.ledger.files import FileRow
from filebridge.mapping.match import match_file, own_layout_mapping
from filebridge.mapping.pack import FeedMapping
from filebridge.planning.inventory import plan_inventory
from filebridge.planning.known import FIRST_FILE, FileFacts, KnownQuantities, nothing_known
from filebridge.reader import NeedsOriginals, Original, ReadFile, ReadJob, opened_again

if TYPE_CHECKING:
    from filebridge.ledger.connect import Ledger
    from filebridge.mapping.pack import VendorPack
    from filebridge.planning.plan import Plan
    from filebridge.reader import Reader
    from filebridge.tables.table import Table
    from filebridge.workspace import Workspace

T = TypeVar("T")
_LONGEST_CHAIN = 50
"""A correction of a correction of …: each link is a file in the archive."""


@dataclass(frozen=True)
class Decider:
    """Reads one vendor's files and decides what is to be done with them.

    `ledger` is None before the first pass: then nothing is known. It is only read from.
    """

    workspace: Workspace
    ledger: Ledger | None
    reader: Reader
    pack: VendorPack

    def read(
        self, path: Path, *, name: str, spool: Path, received_at: int, feed: FeedMapping | None
    ) -> ReadFile:
        """Read a file by its mapping, or by what its headers say. Raises FileRefused."""
        job = ReadJob.of(self.pack, path=path, name=name, spool=spool, received_at=received_at, feed=feed)
        return self._with_originals(lambda found: self.reader.read(replace(job, originals=found)))

    def plan(
        self, read: ReadFile, file: FileFacts, *, file_id: str = "", unknown: frozenset[str] = frozenset()
    ) -> tuple[Plan, KnownQuantities]:
        """What is to be done with a file that was read, and what was known when that was decided.

        `unknown` are POs that RetailOps was asked for and has not. What files before `file_id` have said counts;
        left out, what all files have said.
        """
        known, feed, order_at = nothing_known(), FIRST_FILE, None
        is_inventory = read.mapped.document == "inventory"
        if self.ledger is not None:
            with self.ledger.read() as connection:
                if is_inventory:
                    known = quantities.known_quantities(connection, self.pack.vendor, read.feed.feed)
                feed = files.known_feed(connection, self.pack.vendor, read.feed.feed, file.seq)
                order_at = files.file_row(connection, read.corrects).order_at if read.corrects else None
        facts = replace(file, correction=bool(read.corrects), order_at=order_at)
        if not is_inventory:
            # What a large inventory file does not need is not imported before its first call.
            from filebridge.bridge.po_files import plan_po_file

            plan = plan_po_file(
                self.ledger, self.pack, read, facts=facts, feed=feed, file_id=file_id, unknown=unknown
            )
            return plan, known
        plan = plan_inventory(
            read.mapped, read.records(), file=facts, mapping=read.feed.mapping, known=known, feed=feed
        )
        return plan, known

    def original(self, row: FileRow) -> Path:
        """Where a file's bytes are: its copy while it is worked on, else its original in the archive."""
        copy = copy_of(self.workspace.work, row.id, row.name_bytes)
        if copy.exists():
            return copy
        # A kill may have come between filing it away and writing that down.
        folder = row.archived_at or folder_of(row.vendor, file_id=row.id, received_at=row.received_at)
        return self.workspace.archive / folder / safe_name(row.name_bytes)

    def feed_of(self, row: FileRow) -> FeedMapping | None:
        """The mapping of a file's feed as it is now; None where the feed has none any more.

        A file that no mapping was found for yet, or that was not read yet, is looked up by its name.
        """
        if not row.document:
            found = match_file(row.name, self.pack)
            return found if isinstance(found, FeedMapping) else None
        if not row.mapping:
            return own_layout_mapping(row.document, row.headers)
        return self.pack.of_feed(row.feed)

    @contextmanager
    def opened(self, row: FileRow) -> Iterator[Table]:
        """A file as the table that its rows were mapped from. Raises FileRefused where it cannot be any more.

        Its mapping may be gone or renamed: what is known of how it was read is enough for that.
        """
        feed = self.feed_of(row) or own_layout_mapping(row.document, row.headers)
        original = self._as_original(row, feed)
        with ExitStack() as stack:
            yield self._with_originals(lambda found: stack.enter_context(opened_again(original, found)))

    def _with_originals(self, attempt: Callable[[dict[str, Original]], T]) -> T:
        """What `attempt` gives, once it is handed the files that it turns out to need."""
        found: dict[str, Original] = {}
        for _ in range(_LONGEST_CHAIN):
            try:
                return attempt(found)
            except NeedsOriginals as needs:
                found |= {file_id: self._original(file_id) for file_id in needs.file_ids}
        raise FileRefused(
            "unknown_reject_file", "The file corrects a correction of a correction, and so on, too often."
        )

    def _original(self, file_id: str) -> Original:
        """The file that a reject file belongs to. Raises FileRefused where it is not this vendor's, or gone."""
        row = self._row(file_id)
        if row is None or row.vendor != self.pack.vendor:
            raise FileRefused(
                "unknown_reject_file",
                f"The file says that it corrects {file_id[:20]}, which is no file of {self.pack.vendor}.",
                fix="Drop the original file again, corrected.",
            )
        return self._as_original(row, self.feed_of(row))

    def _as_original(self, row: FileRow, feed: FeedMapping | None) -> Original:
        path = self.original(row)
        if feed is None or row.how is None or not path.exists():
            gone = "mapping" if feed is None else "original"
            raise FileRefused(
                "unknown_reject_file",
                f"The {gone} of {row.name} ({row.id}) is gone.",
                fix="Drop the original file again, corrected.",
            )
        return Original(path=path, name=row.name, feed=feed, how=row.how)

    def _row(self, file_id: str) -> FileRow | None:
        if self.ledger is None:
            return None
        with self.ledger.read() as connection:
            try:
                return files.file_row(connection, file_id)
            except KeyError:
                return None
