"""Replies on their way out: reject files first, the receipt last, so that who sees it finds what it names.

May be stopped anywhere and done again: a reject file that is already there with the same content is known by
it, and is not written as a second one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import IO, BinaryIO, Final

import orjson
import sqlalchemy as sa

from filebridge import milestones
from filebridge.ledger.connect import Ledger
from filebridge.ledger.files import file_row, set_reject_file
from filebridge.ledger.rows import rejected_rows
from filebridge.outbox import STAGING, Staged, publish, stage
from filebridge.rejects import Reject
from filebridge.replies import REPLIES
from filebridge.replies.person import receipt_text
from filebridge.replies.receipt import Receipt, build_receipt
from filebridge.replies.reject_file import (
    RejectRequest,
    has_twin,
    suffix_of,
    write_reject_csv,
    write_reject_xlsx,
)
from filebridge.tables.table import Table

_LONGEST_NAME: Final = 200
"""Bytes of a reply's name before its ending: with that, and a file id, it stays below a file system's 255."""
_IN_MEMORY: Final = 4 << 20

OpenOriginal = Callable[[], AbstractContextManager[Table]]
"""Opens the original as the table that its rows were mapped from; for a correction that is a `CorrectionTable`."""


@dataclass(frozen=True)
class WrittenReplies:
    """What was published for one file. `reject_files` holds the sender's form first; there may be none."""

    receipt: Receipt
    reject_files: tuple[Path, ...]
    receipt_text: Path
    receipt_json: Path

    @property
    def paths(self) -> tuple[Path, ...]:
        """All of them, for the archive."""
        return (*self.reject_files, self.receipt_text, self.receipt_json)


def reply_folder(outbox: Path, name: str) -> Path:
    """Where the replies to a file lie, whose name is below its vendor's inbox: always below `replies/`."""
    return outbox.joinpath(
        REPLIES, *(_safe(part) for part in PurePosixPath(name).parent.parts if part.strip("./"))
    )


def reply_name(name: str) -> str:
    """The NAME of `NAME.receipt.json`: the file's own, unless it is too long or cannot stand in a folder."""
    return _safe(PurePosixPath(name).name)


def _safe(part: str) -> str:
    """One component of a path, as it can be made anywhere. Two names that differ stay different."""
    plain = "".join(
        "_" if mark in "/\\" or unicodedata.category(mark) in ("Cc", "Cs") else mark for mark in part
    )
    if plain.strip(".") and plain == part and len(os.fsencode(plain)) <= _LONGEST_NAME:
        return plain
    short = plain.encode("utf-8")[: _LONGEST_NAME - 9].decode("utf-8", "ignore")
    return f"{short.strip('.') or 'file'}~{hashlib.sha256(part.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def write_replies(
    ledger: Ledger,
    file_id: str,
    *,
    outbox: Path,
    original: OpenOriginal,
    time_zone: str = "UTC",
    hold_for: Mapping[str, int] = MappingProxyType({}),
) -> WrittenReplies:
    """Publish the replies to a file below `outbox`/replies: reject files, then the texts, the JSON last.

    `outbox` is the vendor's. The newest receipt of a name replaces the older one, a reject file never does.
    `time_zone` is the vendor's; `hold_for` says, by feed, how long rows may wait for the others of their PO, in
    microseconds. Raises FileRefused where the original cannot be read again, OSError where the
    outbox cannot be written.
    """
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as kept:
        spool = _Spool(kept)
        # A reader of the ledger keeps its writers waiting: take the reasons out at once, write the files after.
        with ledger.read() as connection:
            receipt = build_receipt(connection, file_id, hold_for=hold_for)
            how = file_row(connection, file_id).how
            if receipt.rejected:
                spool.take(connection, file_id)
        folder, name = reply_folder(outbox, receipt.name), reply_name(receipt.name)
        rejects: tuple[Path, ...] = ()
        if receipt.rejected and how is not None:
            with original() as table:
                rejects = _publish_rejects(outbox, folder / name, receipt, table=table, spool=spool)
    if rejects:
        below = [path.relative_to(outbox / REPLIES).as_posix() for path in rejects]
        with ledger.begin() as connection:
            set_reject_file(connection, file_id, below[0])
        milestones.reached("reject_file.recorded", file_id)
        receipt = replace(receipt, reject_file=below[0])
    twin = next((path.name for path in rejects[1:]), "")
    text = receipt_text(receipt, time_zone=time_zone, twin=twin, by_code=spool.by_code)
    text_path = _publish_newest(outbox, folder, f"{name}.receipt.txt", text)
    milestones.reached("receipt.text_published", file_id)
    json_path = _publish_newest(outbox, folder, f"{name}.receipt.json", receipt.to_bytes())
    milestones.reached("receipt.published", file_id)
    return WrittenReplies(receipt, rejects, text_path, json_path)


def write_page(outbox: Path, name: str, content: bytes) -> Path:
    """Publish a page such as STATUS.txt in the vendor's outbox, in the place of the one that lies there."""
    return _publish_newest(outbox, outbox, name, content)


def write_note(outbox: Path, name: str, content: bytes) -> Path:
    """Publish a note below the vendor's `replies/`, in the place of the one that lies there."""
    place = outbox / REPLIES / name
    return _publish_newest(outbox, place.parent, place.name, content)


def _publish_newest(outbox: Path, folder: Path, name: str, content: bytes) -> Path:
    return publish(stage(outbox, name, lambda stream: _write_all(stream, content)), folder, replace=True)


def _write_all(stream: BinaryIO, content: bytes) -> None:
    stream.write(content)


class _Spool:
    """The reasons of a file's rejected rows, kept out of memory beyond a few megabytes."""

    def __init__(self, kept: IO[bytes]) -> None:
        self._file = kept
        self.by_code: Counter[str] = Counter()
        self.rows = 0

    def take(self, connection: sa.Connection, file_id: str) -> None:
        """Copy the reasons out of the ledger."""
        for found in rejected_rows(connection, file_id):
            self.rows += 1
            self.by_code.update(reason.code for reason in found.reasons)
            reasons = [[reason.code, reason.message, reason.column, reason.value] for reason in found.reasons]
            self._file.write(orjson.dumps([found.row, reasons]) + b"\n")

    def reasons(self) -> Iterator[tuple[int, tuple[Reject, ...]]]:
        """The rows in order, each with its reasons."""
        self._file.seek(0)
        for line in self._file:
            row, reasons = orjson.loads(line)
            yield row, tuple(Reject(row, *reason) for reason in reasons)


def _publish_rejects(
    outbox: Path, place: Path, receipt: Receipt, *, table: Table, spool: _Spool
) -> tuple[Path, ...]:
    """Publish the reject file, and its twin where the sender's form is CSV; where they are.

    A file that is to be sent again as a whole has no twin: nobody corrects its rows. `place` is the folder of the
    replies and the name that they begin with.
    """
    folder, name = place.parent, place.name

    def request() -> RejectRequest:
        return RejectRequest(
            receipt.file_id, receipt.received_at, table, spool.reasons(), spool.by_code["ragged_row"] > 0
        )

    writers: dict[str, Callable[[BinaryIO], None]] = {}
    if suffix_of(table.how) == "csv":
        writers["csv"] = lambda stream: write_reject_csv(stream, request())
    is_corrected = not receipt.is_sent_again
    if not writers or (is_corrected and has_twin(spool.rows, len(table.headers))):
        writers["xlsx"] = lambda stream: write_reject_xlsx(stream, request())
    stem = fresh = next(
        stem
        for stem in _stems(name, receipt.file_id)
        if not any(_is_there(folder / f"{stem}.{end}") for end in writers)
    )
    staged = {end: stage(outbox, f"{stem}.{end}", write) for end, write in writers.items()}
    milestones.reached("reject_file.staged", receipt.file_id)
    for earlier in _stems(name, receipt.file_id):
        if earlier == fresh:
            break
        # A stop between publishing and writing that down leaves our own file there, perhaps without its twin.
        if all(_is_free_or_same(folder / f"{earlier}.{end}", one) for end, one in staged.items()):
            staged = {end: _renamed(one, f"{earlier}.{end}", folder) for end, one in staged.items()}
            stem = earlier
            break
    for end, one in staged.items():
        if stem == fresh or not _is_there(folder / one.name):
            publish(one, folder)
            milestones.reached(f"reject_file.{end}_published", receipt.file_id)
    return tuple(folder / f"{stem}.{end}" for end in staged)


def _stems(name: str, file_id: str) -> Iterator[str]:
    """Names for a reject file, without their ending, in the order in which they are tried."""
    yield f"{name}.rejects"
    yield f"{name}.{file_id}.rejects"
    for number in count(2):
        yield f"{name}.{file_id}-{number}.rejects"


def _is_there(path: Path) -> bool:
    return os.path.lexists(path)


def _is_free_or_same(path: Path, staged: Staged) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return True
    if not stat.S_ISREG(found.st_mode) or found.st_size != staged.size:
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == staged.sha256


def _renamed(staged: Staged, name: str, folder: Path) -> Staged:
    """The same staged content under another name; nothing where a file of that name is there already."""
    held = staged.outbox / STAGING / staged.name
    try:
        if _is_there(folder / name):
            return replace(staged, name=name)
        with held.open("rb") as source:
            return stage(staged.outbox, name, lambda stream: shutil.copyfileobj(source, stream))
    finally:
        held.unlink()
