"""Plans written down before the first call, and settled when the last row has its end.

Also what a person decides of a file that waits: let it go, try it again, or give it up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any, Final

import sqlalchemy as sa

from filebridge.columns import Batch, as_ints, pack
from filebridge.ledger.calls import add_calls, move
from filebridge.ledger.connect import insert_many
from filebridge.ledger.files import file_row
from filebridge.ledger.po_calls import part_again, reopen_carried
from filebridge.ledger.rows import outcomes_of, runs_of, status_of_file
from filebridge.ledger.schema import (
    CallState,
    FileState,
    call,
    call_block,
    call_po,
    file,
    renewal,
    row_block,
    row_reject,
)
from filebridge.mapping.mapped import MappedFile, RowRuns
from filebridge.outcomes import OUTCOME_CODES, FileStatus, Outcome
from filebridge.planning.plan import Plan
from filebridge.rejects import Reject

_REJECT_COLUMNS: Final = ("file_id", "row", "number", "column", "code", "message", "value")
_HELD: Final = OUTCOME_CODES[Outcome.HELD]


def save_plan(
    connection: sa.Connection,
    file_id: str,
    mapped: MappedFile,
    plan: Plan,
    rejects: Iterable[Batch],
    *,
    feed: str,
    mapping: str,
    mapping_sha256: str,
    now: int,
    corrects: str = "",
) -> FileStatus:
    """Write down all that is to be done with a file, before its first call; its status.

    `rejects` are batches of row, column, code, message, value. Replaces an earlier plan of which nothing was
    sent; raises ValueError where something was.
    """
    row = file_row(connection, file_id)
    _forget_plan(connection, file_id)
    code, message = plan.refused or mapped.refused or ("", "")
    connection.execute(
        sa.update(file)
        .where(file.c.id == file_id)
        .values(
            document=mapped.document,
            feed=feed,
            mapping=mapping,
            mapping_sha256=mapping_sha256,
            state=FileState.PLANNED,
            rows=mapped.rows,
            order_at=plan.order_at,
            code=code,
            message=message,
            hold_code=plan.hold.code if plan.hold else "",
            hold_message=plan.hold.message if plan.hold else "",
            duplicate_of=plan.duplicate_of,
            corrects=corrects or row.corrects,
            zeroed=plan.zeroed,
            zeroing_refused=plan.zeroing_refused,
            headers=list(mapped.headers),
            how=asdict(mapped.how),
            notes=[asdict(note) for note in (*mapped.notes, *plan.notes)],
            settled_at=None,
        )
    )
    _save_runs(connection, file_id, plan.runs)
    insert_many(connection, row_reject, _REJECT_COLUMNS, _reject_rows(file_id, rejects, plan.rejects))
    insert_many(
        connection,
        renewal,
        ("file_id", "number", "vendor", "arrival", "order_at", "block"),
        (
            (file_id, number, row.vendor, row.seq, plan.order_at, block)
            for number, block in enumerate(plan.renewed)
        ),
    )
    add_calls(connection, plan.calls, vendor=row.vendor, feed=feed, file_id=file_id, arrival=row.seq, now=now)
    move(
        connection,
        plan.replaces,
        (CallState.WAITING,),
        CallState.SUPERSEDED,
        now=now,
        answer=f"{row.name} went on with the PO",
    )
    joined = (call_id for planned in plan.calls for call_id in planned.joins)
    reopen_carried(connection, [*joined, *plan.replaces])
    return _write_status(connection, file_id)


def save_refusal(
    connection: sa.Connection,
    file_id: str,
    code: str,
    message: str,
    *,
    document: str = "",
    feed: str = "",
    mapping: str = "",
    mapping_sha256: str = "",
) -> FileStatus:
    """Write down that a file is refused as a whole, before any of its rows could be read; its status."""
    _forget_plan(connection, file_id)
    connection.execute(
        sa.update(file)
        .where(file.c.id == file_id)
        .values(
            state=FileState.PLANNED,
            document=document,
            feed=feed,
            mapping=mapping,
            mapping_sha256=mapping_sha256,
            rows=0,
            code=code,
            message=message,
            hold_code="",
            hold_message="",
            duplicate_of="",
            settled_at=None,
        )
    )
    return _write_status(connection, file_id)


def settle(connection: sa.Connection, file_id: str, now: int) -> FileStatus:
    """Write down a file's status; where no row is in a passing state any more, the file is settled.

    A file with calls that were held for the number of their refusals is held for that.
    """
    held, answer = connection.execute(
        sa.select(sa.func.sum(call.c.rows), sa.func.max(call.c.answer)).where(
            call.c.file_id == file_id, call.c.state == CallState.HELD
        )
    ).one()
    if held:
        # A row may stand in two calls, an acceptance and its date.
        held = min(held, outcomes_of(connection, file_id).get(Outcome.HELD, 0))
        connection.execute(
            sa.update(file)
            .where(file.c.id == file_id, file.c.hold_code == "")
            .values(
                hold_code="too_many_refusals",
                hold_message=f"RetailOps refused so many records that {held} rows could not be told apart: {answer}",
            )
        )
    status = _write_status(connection, file_id)
    if status is not FileStatus.PENDING:
        connection.execute(
            sa.update(file)
            .where(file.c.id == file_id, file.c.state == FileState.PLANNED)
            .values(state=FileState.SETTLED, settled_at=now)
        )
    return status


def reopen(connection: sa.Connection, file_id: str, *, released: bool = False, forced: bool = False) -> bool:
    """Have a file that rests planned anew from its bytes, as a person has decided; whether it can be.

    `released` lets a held one go, `forced` states everything again. A file of which something was sent is not
    planned anew: what became of its calls would be forgotten.
    """
    if _was_sent(connection, file_id):
        return False
    values: dict[str, Any] = {"state": FileState.TAKEN, "settled_at": None}
    values |= {name: True for name, wanted in (("released", released), ("forced", forced)) if wanted}
    result = connection.execute(
        sa.update(file).where(file.c.id == file_id, file.c.settled_at.is_not(None)).values(**values)
    )
    return bool(result.rowcount)


def retry(connection: sa.Connection, file_id: str) -> int:
    """Have the held calls of a file sent again, as a person has decided; how many there are."""
    result = connection.execute(
        sa.update(call)
        .where(call.c.file_id == file_id, call.c.state == CallState.HELD)
        .values(state=CallState.PLANNED)
    )
    if result.rowcount:
        connection.execute(
            sa.update(file)
            .where(file.c.id == file_id)
            .values(state=FileState.PLANNED, settled_at=None, hold_code="", hold_message="")
        )
    return int(result.rowcount)


def discard(connection: sa.Connection, file_id: str, *, message: str, now: int) -> FileStatus:
    """Give up what waits of a file, as a person has decided: its held rows are rejected as `discarded`.

    `message` says who did. Rows that have another end keep it, and a file of which nothing waits stays as it
    is. Returns the status of the file.
    """
    row, runs = file_row(connection, file_id), runs_of(connection, file_id)
    parted = part_again(connection, file_id)
    states = (CallState.HELD, CallState.PLANNED, CallState.WAITING)
    # Rows that say again what waits in another file wait with it.
    waits = sa.select(call.c.id).where(call.c.state == CallState.WAITING)
    follows = (call.c.state == CallState.JOINED) & call.c.parent_id.in_(waits)
    dropped = connection.execute(
        sa.select(call.c.id).where(call.c.file_id == file_id, call.c.state.in_(states) | follows)
    )
    ids = list(dropped.scalars())
    move(
        connection,
        ids,
        (*states, CallState.JOINED),
        CallState.DROPPED,
        now=now,
        answer=message,
    )
    reopen_carried(connection, [*parted, *ids])
    if not ids and not row.hold_code:
        return row.status or FileStatus.PENDING
    outcomes = runs.outcomes.copy()
    outcomes[outcomes == _HELD] = OUTCOME_CODES[Outcome.REJECTED]
    _save_runs(connection, file_id, RowRuns(runs.first_rows, runs.lengths, outcomes, runs.first_records))
    connection.execute(
        sa.update(file)
        .where(file.c.id == file_id)
        .values(
            state=FileState.PLANNED,
            code="discarded",
            message=message,
            hold_code="",
            hold_message="",
            settled_at=None,
        )
    )
    return settle(connection, file_id, now)


def _forget_plan(connection: sa.Connection, file_id: str) -> None:
    if _was_sent(connection, file_id):
        raise ValueError(f"file {file_id} has calls that were sent: it cannot be planned anew")
    part_again(connection, file_id)
    own = sa.select(call.c.id).where(call.c.file_id == file_id)
    for apart in (call_block, call_po):
        connection.execute(sa.delete(apart).where(apart.c.call_id.in_(own)))
    for table in (call, row_reject, row_block, renewal):
        connection.execute(sa.delete(table).where(table.c.file_id == file_id))


def _was_sent(connection: sa.Connection, file_id: str) -> bool:
    was_sent = (call.c.attempts > 0) | (call.c.state == CallState.JOINED)
    sent = sa.select(call.c.id).where(call.c.file_id == file_id, was_sent).limit(1)
    return connection.execute(sent).first() is not None


def _save_runs(connection: sa.Connection, file_id: str, runs: RowRuns) -> None:
    connection.execute(sa.delete(row_block).where(row_block.c.file_id == file_id))
    connection.execute(sa.insert(row_block).values(file_id=file_id, runs=pack(runs.batch())))


def _reject_rows(
    file_id: str, batches: Iterable[Batch], found: Iterable[Reject]
) -> Iterator[tuple[object, ...]]:
    number = 0
    for batch in batches:
        rows = as_ints(batch.column("row")).tolist()
        texts = (batch.column(name).to_pylist() for name in ("column", "code", "message", "value"))
        for row, column, code, message, value in zip(rows, *texts, strict=True):
            number += 1
            yield file_id, row, number, column, code, message, value
    for reject in found:
        number += 1
        yield file_id, reject.row, number, reject.column, reject.code, reject.message, reject.value


def _write_status(connection: sa.Connection, file_id: str) -> FileStatus:
    status = status_of_file(connection, file_id)
    connection.execute(sa.update(file).where(file.c.id == file_id).values(status=status))
    return status
