"""Reading a file in this process: by its mapping, as it was read before, or as the correction that it is."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from filebridge.errors import FileRefused
from filebridge.reader.job import NeedsOriginals, Original, ReadFile, ReadJob, Seen
from filebridge.reader.spool import Spool

if TYPE_CHECKING:
    from filebridge.mapping.pack import FeedMapping
    from filebridge.tables.table import ReadHow, Table

ZIP_OR_OLE: Final = (b"PK", b"\xd0\xcf\x11\xe0")
"""How workbooks begin."""


def read_contained(job: ReadJob) -> ReadFile:
    """As `read_here`, but a fault of our own refuses the file, too: it must not stop the files behind this one."""
    try:
        return read_here(job)
    except (FileRefused, NeedsOriginals, MemoryError, OSError):
        raise
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{type(error).__name__}, {Path(frame.filename).name}:{frame.lineno}"
        raise FileRefused(
            "unreadable_file",
            f"FileBridge failed on this file by a fault of its own ({place}).",
            fix="Please send the file and this message to its makers; until then, try the data as plain CSV.",
        ) from error


def read_here(job: ReadJob) -> ReadFile:
    """Read the file in this process. Raises FileRefused, or NeedsOriginals for a correction."""
    from filebridge.mapping.apply import map_table

    spool = Spool(job.spool)
    with ExitStack() as stack:
        opened = _open(job.path, job.name, job.feed, None, originals=job.originals, stack=stack)
        feed = opened.feed or _own_layout(opened.table, job.name)
        mapped = map_table(
            opened.table,
            feed=feed.mapping,
            vendor_id=job.vendor_id,
            vendor_zone=job.vendor_zone,
            file_name=job.name.rpartition("/")[2],
            arrived_at=job.received_at,
            sink=spool,
        )
    spool.close()
    return ReadFile(mapped=mapped, feed=feed, spool=job.spool, corrects=opened.corrects)


@contextmanager
def opened_again(original: Original, originals: Mapping[str, Original]) -> Iterator[Table]:
    """A file as the table that its rows were mapped from, which for a correction is a correction.

    `originals` are the files that it corrects, and those that they correct, by id. Raises NeedsOriginals.
    """
    with ExitStack() as stack:
        yield _open(
            original.path, original.name, original.feed, original.how, originals=originals, stack=stack
        ).table


@dataclass(frozen=True)
class _Opened:
    """A file as a table; for a correction the file that it corrects, and the mapping of that."""

    table: Table
    feed: FeedMapping | None
    corrects: str = ""


def _open(
    path: Path,
    name: str,
    feed: FeedMapping | None,
    how: ReadHow | None,
    *,
    originals: Mapping[str, Original],
    stack: ExitStack,
) -> _Opened:
    """Open a file: by its mapping, as it was read before (`how`), or as the correction that it is."""
    from filebridge.mapping.corrections import correction_of, is_correction, original_ids, reading_of
    from filebridge.tables.open import open_table
    from filebridge.tables.table import ReadOptions, read_again

    stream = stack.enter_context(path.open("rb"))
    plain = _as_reject_file(stream, name)
    if plain is None or not is_correction(plain.headers):
        options = feed.mapping.read.options() if feed else ReadOptions()
        return _Opened(
            open_table(stream, name=name, options=read_again(options, how) if how else options), feed
        )
    ids = original_ids(plain)
    if any(file_id not in originals for file_id in ids):
        raise NeedsOriginals(ids)
    found = {
        file_id: _open(one.path, one.name, one.feed, one.how, originals=originals, stack=stack).table
        for file_id, one in ((file_id, originals[file_id]) for file_id in ids)
    }
    dropped = open_table(stream, name=name, options=reading_of(plain.how, found[ids[0]].how))
    return _Opened(correction_of(dropped, found), originals[ids[0]].feed, ids[0])


def _as_reject_file(stream: BinaryIO, name: str) -> Table | None:
    """The file as it looks without a mapping, where it could be a reject file at all."""
    from filebridge.tables.open import open_table
    from filebridge.tables.table import ReadOptions

    head = stream.read(65536)
    stream.seek(0)
    if not head.startswith(ZIP_OR_OLE) and b"fb_" not in head.replace(b"\0", b"").lower():
        return None
    try:
        return open_table(stream, name=name, options=ReadOptions())
    except FileRefused:
        return None


def _own_layout(table: Table, name: str) -> FeedMapping:
    from filebridge.mapping.match import own_layout_document

    feed = own_layout_document(name, table.headers, table.how.sheet)
    if feed is None:
        raise FileRefused(
            "no_mapping", "No mapping takes this file, and its headers are not FileBridge's own."
        )
    return feed


def look_here(path: Path, name: str) -> Seen:
    """What a file shows of itself. Raises FileRefused where it cannot be read."""
    from filebridge.mapping.corrections import is_correction, original_ids
    from filebridge.tables.open import open_table
    from filebridge.tables.table import ReadOptions

    with path.open("rb") as stream:
        table = open_table(stream, name=name, options=ReadOptions())
        corrects = original_ids(table) if is_correction(table.headers) else None
        return Seen(table.headers, table.how.sheet, corrects)
