"""Files: what came in, and how far each has come.

What is to be done with a file is written down in `plans`; what became of its rows is read in `rows`.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import sqlalchemy as sa

from filebridge.errors import UserError
from filebridge.ledger.schema import FileState, file
from filebridge.outcomes import FileStatus
from filebridge.planning.known import FIRST_FILE, KnownFeed
from filebridge.rejects import Note
from filebridge.tables.table import ReadHow

# No vowel, so no word, no `nan` and no exponent; nothing that is taken for something else when read aloud.
_LETTERS: Final = "bcdfghjkmnpqrstvwxyz"
_ALPHABET: Final = _LETTERS + "23456789"

_OWED: Final = tuple(state.value for state in FileState if state is not FileState.DONE)
_APPLIED: Final = (FileStatus.ACCEPTED.value, FileStatus.ACCEPTED_WITH_REJECTS.value)


@dataclass(frozen=True)
class ClaimRow:
    """A file whose copy is safe in the work folder. Times are microseconds UTC."""

    id: str
    vendor: str
    name: str
    """Below the vendor's inbox, printable."""
    name_bytes: bytes
    """As the file system has it."""
    sha256: str
    size: int
    modified_at: int
    received_at: int


@dataclass(frozen=True)
class FileRow:
    """A file as the ledger knows it.

    `status` is None until it is planned, `how` until it was read. `seq` rises with each claim. Times are
    microseconds UTC.
    """

    seq: int
    id: str
    vendor: str
    document: str
    feed: str
    mapping: str
    mapping_sha256: str
    name: str
    name_bytes: bytes
    sha256: str
    size: int
    modified_at: int
    received_at: int
    state: FileState
    status: FileStatus | None
    rows: int
    order_at: int
    code: str
    message: str
    hold_code: str
    hold_message: str
    released: bool
    forced: bool
    duplicate_of: str
    corrects: str
    zeroed: int
    zeroing_refused: bool
    headers: tuple[str, ...]
    how: ReadHow | None
    notes: tuple[Note, ...]
    reads: int
    settled_at: int | None
    reject_file: str
    archived_at: str


def new_file_id(source: random.Random) -> str:
    """A file id: ten characters from `f`, which no spreadsheet reads as a number or a date."""
    return "f" + source.choice(_LETTERS) + "".join(source.choices(_ALPHABET, k=8))


def record_claim(connection: sa.Connection, claim: ClaimRow, *, note: Note | None = None) -> int:
    """Write down that a file's copy is safe; its number in order of arrival. `note` is one of its arrival."""
    notes = [asdict(note)] if note else []
    result = connection.execute(
        sa.insert(file).values(**asdict(claim), state=FileState.CLAIMED, claim_notes=notes)
    )
    seq: int = result.inserted_primary_key[0]  # type: ignore[index]
    return seq


def set_state(
    connection: sa.Connection, file_id: str, from_states: Collection[FileState], to_state: FileState
) -> bool:
    """Move a file on, if it is in one of `from_states`; whether it was."""
    result = connection.execute(
        sa.update(file).where(file.c.id == file_id, file.c.state.in_(from_states)).values(state=to_state)
    )
    return bool(result.rowcount)


def count_read(connection: sa.Connection, file_id: str) -> int:
    """Count a read before it starts, so that a file which kills its reader is known by it; how many now."""
    connection.execute(sa.update(file).where(file.c.id == file_id).values(reads=file.c.reads + 1))
    return int(connection.execute(sa.select(file.c.reads).where(file.c.id == file_id)).scalar_one())


def forget_reads(connection: sa.Connection, file_id: str) -> None:
    """The file was read to its end, and will be again: what it waits for is no harm of its own."""
    connection.execute(sa.update(file).where(file.c.id == file_id).values(reads=0))


def set_reject_file(connection: sa.Connection, file_id: str, name: str) -> None:
    """Write down the name of the file's reject file, below `replies/`."""
    connection.execute(sa.update(file).where(file.c.id == file_id).values(reject_file=name))


def set_archived(connection: sa.Connection, file_id: str, folder: str) -> None:
    """Write down the folder below `archive/` that holds the file's original and replies."""
    connection.execute(sa.update(file).where(file.c.id == file_id).values(archived_at=folder))


def file_row(connection: sa.Connection, file_id: str) -> FileRow:
    """One file. Raises KeyError where there is none of that id."""
    found = _select(connection, file.c.id == file_id)
    if not found:
        raise KeyError(file_id)
    return found[0]


def find_file(connection: sa.Connection, id_or_prefix: str) -> FileRow:
    """The file with this id, or the only one whose id begins so. Raises UserError where it is none or several."""
    wanted = id_or_prefix.strip().lower()
    found = _select(connection, file.c.id.startswith(wanted, autoescape=True), limit=6) if wanted else []
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(
            f"{len(found)} files or more have an id that begins with {wanted}: {_named(found)}.",
            fix="Write the whole id.",
        )
    latest = files(connection, limit=3)
    if not latest:
        raise UserError("No file has come in yet.", fix="Drop one into the inbox, then `filebridge run`.")
    raise UserError(
        f"No file has the id {id_or_prefix}. The latest are {_named(latest)}.",
        fix="`filebridge files` lists them all.",
    )


def unsettled_files(connection: sa.Connection, vendor: str) -> list[FileRow]:
    """The vendor's files that something is still owed to, in order of arrival."""
    return _select(connection, file.c.vendor == vendor, file.c.state.in_(_OWED))


def files(
    connection: sa.Connection,
    *,
    vendor: str | None = None,
    document: str | None = None,
    name: str | None = None,
    statuses: Collection[FileStatus] = (),
    since: int | None = None,
    limit: int = 50,
) -> list[FileRow]:
    """The newest files that fit all that is asked, newest first; `name` is a part of their name."""
    conditions: list[sa.ColumnElement[bool]] = []
    if vendor is not None:
        conditions.append(file.c.vendor == vendor)
    if document is not None:
        conditions.append(file.c.document == document)
    if name is not None:
        conditions.append(file.c.name.icontains(name, autoescape=True))
    if statuses:
        conditions.append(file.c.status.in_(statuses))
    if since is not None:
        conditions.append(file.c.received_at >= since)
    return _select(connection, *conditions, newest_first=True, limit=limit)


def known_feed(connection: sa.Connection, vendor: str, feed: str, before_seq: int) -> KnownFeed:
    """What is known of a feed before the file with this `seq`.

    Applied are its settled files but for those that were refused or held as a whole, for duplicates, and for
    reject files that came back.
    """
    applied = (
        file.c.vendor == vendor,
        file.c.feed == feed,
        file.c.seq < before_seq,
        file.c.settled_at.is_not(None),
        file.c.status.in_(_APPLIED),
        file.c.corrects == "",
    )
    count = connection.execute(sa.select(sa.func.count()).where(*applied)).scalar_one()
    if not count:
        return FIRST_FILE
    last = _select(connection, *applied, newest_first=True, limit=1)[0]
    return KnownFeed(
        applied_files=count,
        last_id=last.id,
        last_sha256=last.sha256,
        last_rows=last.rows,
        headers=last.headers,
    )


def _named(found: list[FileRow]) -> str:
    return ", ".join(f"{row.id} ({row.name})" for row in found)


def _select(
    connection: sa.Connection,
    *conditions: sa.ColumnElement[bool],
    newest_first: bool = False,
    limit: int | None = None,
) -> list[FileRow]:
    order = file.c.seq.desc() if newest_first else file.c.seq
    found = connection.execute(sa.select(file).where(*conditions).order_by(order).limit(limit))
    return [_row(row) for row in found.mappings()]


def _row(found: Mapping[Any, Any]) -> FileRow:
    facts = dict(found)
    how, notes = facts["how"], facts.pop("claim_notes") + facts["notes"]
    return FileRow(
        **{
            **facts,
            "state": FileState(found["state"]),
            "status": FileStatus(found["status"]) if found["status"] else None,
            "headers": tuple(found["headers"]),
            "how": ReadHow(**{**how, "detected": tuple(how["detected"])}) if how else None,
            "notes": tuple(Note(**note) for note in notes),
        }
    )
