"""What a rebuilt ledger is filled with: files as their receipts tell of them, and POs as told to their vendors.

Nothing here is exact where the receipts are not: how many rows had which outcome is known, which rows had it only of
those that a receipt lists.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import quote

import numpy as np
import sqlalchemy as sa

from filebridge.columns import pack
from filebridge.ledger import orders as known_orders
from filebridge.ledger.connect import insert_many
from filebridge.ledger.orders import ExportRow, OrderFileRow, OrderRow
from filebridge.ledger.schema import (
    FileState,
    OrderFileState,
    OrderState,
    file,
    row_block,
    row_reject,
    sequence,
)
from filebridge.mapping.mapped import MappedFile, RowRuns
from filebridge.outcomes import OUTCOME_CODES, PASSING, FileStatus, Outcome
from filebridge.rejects import Note, Reject

_LOST: Final = (
    "The ledger was rebuilt while this row waited, and what it waited for is lost: drop the file again."
)
_UNLISTED: Final = "The ledger was rebuilt; why this row was rejected, the reject file of then says."
_FIRST_ROW: Final = 2
_LATER: Final = ("submitted", "accepted", "receiving", "complete")


@dataclass(frozen=True)
class ReceiptFacts:
    """A file of the archive, as its receipt tells of it. Times are microseconds UTC; `folder` is below archive/.

    `waiting` are the rows that waited for other rows; there may be more than the receipt lists.
    """

    file_id: str
    vendor: str
    folder: str
    name: str
    name_bytes: bytes
    sha256: str
    size: int
    modified_at: int
    received_at: int
    settled_at: int
    rows: int
    document: str
    feed: str
    mapping: str
    mapping_sha256: str
    status: FileStatus
    outcomes: Mapping[Outcome, int]
    rejects: tuple[Reject, ...]
    reject_file: str
    zeroed: int
    zeroing_refused: bool
    code: str
    message: str
    hold_code: str
    hold_message: str
    duplicate_of: str
    notes: tuple[Note, ...]
    waiting: tuple[int, ...]

    @property
    def is_planned_anew(self) -> bool:
        """Whether nothing of it was sent and all of it waited for other files: then its bytes say everything."""
        return bool(self.outcomes) and set(self.outcomes) == {Outcome.HELD} and not self.hold_code

    @property
    def lost(self) -> int:
        """How many rows had no end yet, and have none of their own any more."""
        if self.hold_code or self.is_planned_anew:
            return 0
        return sum(self.outcomes.get(outcome, 0) for outcome in (Outcome.HELD, *PASSING))


def add_file(connection: sa.Connection, facts: ReceiptFacts) -> None:
    """Write a file down as its receipt has it. Rows that are lost are given up, each with a reason that says so."""
    anew = facts.is_planned_anew
    connection.execute(
        sa.insert(file).values(
            id=facts.file_id,
            vendor=facts.vendor,
            document=facts.document,
            feed=facts.feed,
            mapping=facts.mapping,
            mapping_sha256=facts.mapping_sha256,
            name=facts.name,
            name_bytes=facts.name_bytes,
            sha256=facts.sha256,
            size=facts.size,
            modified_at=facts.modified_at,
            received_at=facts.received_at,
            state=(FileState.TAKEN if anew else FileState.DONE).value,
            rows=facts.rows,
            order_at=facts.received_at,
            code=facts.code,
            message=facts.message,
            hold_code=facts.hold_code,
            hold_message=facts.hold_message,
            duplicate_of=facts.duplicate_of,
            zeroed=facts.zeroed,
            zeroing_refused=facts.zeroing_refused,
            notes=[asdict(note) for note in facts.notes],
            status="" if anew else _status(facts).value,
            settled_at=None if anew else facts.settled_at,
            reject_file=facts.reject_file,
            archived_at=facts.folder,
        )
    )
    if not anew and facts.outcomes:
        _add_rows(connection, facts)


def set_read(connection: sa.Connection, file_id: str, mapped: MappedFile, *, corrects: str) -> None:
    """Write down how a file was read now: what its reject file is read by when it comes back."""
    connection.execute(
        sa.update(file)
        .where(file.c.id == file_id)
        .values(how=asdict(mapped.how), headers=list(mapped.headers), corrects=corrects)
    )


def _status(facts: ReceiptFacts) -> FileStatus:
    """The receipt's, unless rows of it waited: those are given up."""
    if not facts.lost:
        return facts.status
    gone = facts.lost + facts.outcomes.get(Outcome.REJECTED, 0)
    return FileStatus.REJECTED if gone == facts.rows else FileStatus.ACCEPTED_WITH_REJECTS


def _add_rows(connection: sa.Connection, facts: ReceiptFacts) -> None:
    counts = dict(facts.outcomes)
    ends: dict[int, Outcome] = {}
    reasons = list(facts.rejects)
    for row in dict.fromkeys(reject.row for reject in facts.rejects):
        if counts.get(Outcome.REJECTED, 0):
            ends[row] = Outcome.REJECTED
            counts[Outcome.REJECTED] -= 1
    lost = [row for row in facts.waiting if row not in ends][: facts.lost]
    ends |= dict.fromkeys(lost, Outcome.REJECTED)
    rest = (row for row in range(_FIRST_ROW, _FIRST_ROW + facts.rows + len(ends)) if row not in ends)
    without: list[int] = []
    for outcome, count in counts.items():
        is_lost = bool(facts.lost) and (outcome in PASSING or outcome is Outcome.HELD)
        left = count - (len(lost) if outcome is Outcome.HELD and is_lost else 0)
        for _ in range(max(left, 0)):
            row = next(rest)
            ends[row] = Outcome.REJECTED if is_lost else outcome
            if is_lost:
                lost.append(row)
            elif outcome is Outcome.REJECTED and not facts.code:
                without.append(row)
    reasons += [Reject(row, "discarded", _LOST) for row in lost]
    reasons += [Reject(row, "discarded", _UNLISTED) for row in without]
    rows = np.array(sorted(ends), dtype=np.int32)
    codes = np.array([OUTCOME_CODES[ends[row]] for row in rows.tolist()], dtype=np.int32)
    runs = RowRuns.of_rows(rows, codes, np.full(len(rows), -1, dtype=np.int32))
    connection.execute(sa.insert(row_block).values(file_id=facts.file_id, runs=pack(runs.batch())))
    insert_many(
        connection,
        row_reject,
        ("file_id", "row", "number", "column", "code", "message", "value"),
        (
            (facts.file_id, one.row, number, one.column, one.code, one.message, one.value)
            for number, one in enumerate(sorted(reasons, key=lambda reject: reject.row))
        ),
    )


def told_already(rows: Collection[OrderRow]) -> list[OrderRow]:
    """The POs that RetailOps has as submitted or further: their vendor has them."""
    return [row for row in rows if row.status in _LATER and row.revision and row.state is OrderState.SEEN]


def add_told(
    connection: sa.Connection, vendor: str, told: Sequence[OrderRow], *, name: str, last: int, now: int
) -> None:
    """Write POs down as told and marked, in a file called `name` that stands for those which are not known.

    PO files go on with the number after `last`. A PO that changes from now on gets its change file.
    """
    if last:
        connection.execute(sa.insert(sequence).values(vendor=vendor, last=last))
    if not told:
        return
    row = OrderFileRow(
        id=f"po-rebuilt-{vendor}",
        vendor=vendor,
        sequence=last,
        name=name,
        kind="order",
        state=OrderFileState.MARKED,
        sha256="",
        size=0,
        rows=0,
        pos=len(told),
        done_file=False,
        submit="on_submission",
        notes=(),
        staged_at=now,
        published_at=now,
        marked_at=now,
        gone_at=now,
    )
    exports = [ExportRow(row.id, vendor, one.po, 1, one.revision, one.items) for one in told]
    known_orders.add_file(connection, row, exports)
    known_orders.put_orders(
        connection,
        [
            replace(one, state=OrderState.MARKED, number=1, exported_revision=one.revision, marked_at=now)
            for one in told
        ],
    )


def last_numbers(path: Path) -> dict[str, int]:
    """The numbers of the newest PO files by vendor, as far as a damaged ledger still tells them."""
    try:
        with closing(
            sqlite3.connect(f"file:{quote(bytes(path))}?mode=ro&immutable=1", uri=True)
        ) as connection:
            found = connection.execute("SELECT vendor, last FROM sequence").fetchall()
    except (sqlite3.Error, UnicodeDecodeError):
        return {}
    return {vendor: last for vendor, last in found if isinstance(vendor, str) and isinstance(last, int)}
