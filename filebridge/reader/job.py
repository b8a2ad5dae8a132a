"""What is to be read, and what was: the words between a file's reader and whoever asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from filebridge.reader.spool import batches_of

if TYPE_CHECKING:
    from filebridge.columns import Batch
    from filebridge.mapping.mapped import MappedFile
    from filebridge.mapping.pack import FeedMapping, VendorPack
    from filebridge.tables.table import ReadHow


@dataclass(frozen=True)
class Original:
    """An archived file whose reject file may come back: where it lies, its name, and how it is read."""

    path: Path
    name: str
    feed: FeedMapping
    how: ReadHow


@dataclass(frozen=True)
class ReadJob:
    """What is to be read. `feed` is None where only the headers can tell (our own layout, a correction).

    `received_at` is microseconds UTC. `originals` are the files that the vendor's reject files belong to, by
    file id: a job that turns out to be a correction of others fails with `NeedsOriginals`.
    """

    path: Path
    name: str
    spool: Path
    vendor_id: str
    vendor_zone: str
    received_at: int
    feed: FeedMapping | None = None
    originals: Mapping[str, Original] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        pack: VendorPack,
        *,
        path: Path,
        name: str,
        spool: Path,
        received_at: int,
        feed: FeedMapping | None,
    ) -> ReadJob:
        """The job of reading one file of a vendor."""
        zone, vendor_id = pack.settings.time_zone, pack.settings.vendor_id
        return cls(
            path, name, spool, vendor_id=vendor_id, vendor_zone=zone, received_at=received_at, feed=feed
        )


@dataclass(frozen=True)
class Seen:
    """What a workbook shows of itself. `corrects` is None but for a reject file that comes back."""

    headers: tuple[str, ...]
    sheet: str = ""
    corrects: tuple[str, ...] | None = None


@dataclass(frozen=True)
class ReadFile:
    """A file that was read: what it is mapped to, and the mapping that it was read by.

    `feed` is that of the job, that of the original for a correction (`corrects` is the original's id), or
    FileBridge's own layout. The records lie in `spool`.
    """

    mapped: MappedFile
    feed: FeedMapping
    spool: Path
    corrects: str = ""

    def records(self) -> Iterator[Batch]:
        """The records, batch by batch, in record order."""
        return batches_of(self.spool / "records.arrow")

    def rejects(self) -> Iterator[Batch]:
        """The reasons why rows cannot go: row, column, code, message, value."""
        return batches_of(self.spool / "rejects.arrow")


class NeedsOriginals(Exception):
    """The file is a reject file that came back; the files that it corrects must be handed in."""

    def __init__(self, file_ids: Iterable[str]) -> None:
        super().__init__("a correction needs its originals")
        self.file_ids = tuple(file_ids)
