"""Requests: a person's decisions, written down by any command, carried out once by whoever holds the lock."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from filebridge.ledger.schema import request


@dataclass(frozen=True)
class RequestRow:
    """A decision. `subject` is a file id, or VENDOR/PO. `result` is a sentence once it is done."""

    id: int
    kind: str
    subject: str
    asked_at: int
    asked_by: str
    done_at: int | None
    result: str


def ask(connection: sa.Connection, kind: str, subject: str, *, now: int, by: str) -> int:
    """Write down a decision; its id. The same decision, still open, is not written down twice."""
    waiting = connection.execute(
        sa.select(request.c.id).where(
            request.c.kind == kind, request.c.subject == subject, request.c.done_at.is_(None)
        )
    ).scalar()
    if waiting is not None:
        return int(waiting)
    result = connection.execute(
        sa.insert(request).values(kind=kind, subject=subject, asked_at=now, asked_by=by)
    )
    request_id: int = result.inserted_primary_key[0]  # type: ignore[index]
    return request_id


def open_requests(connection: sa.Connection) -> list[RequestRow]:
    """The decisions that are not carried out yet, in the order of asking."""
    return _select(connection, request.c.done_at.is_(None))


def request_row(connection: sa.Connection, request_id: int) -> RequestRow:
    """One decision. Raises KeyError where there is none of that id."""
    found = _select(connection, request.c.id == request_id)
    if not found:
        raise KeyError(request_id)
    return found[0]


def finish(connection: sa.Connection, request_id: int, *, now: int, result: str) -> bool:
    """Write down that a decision is carried out, and what came of it; whether it was still open."""
    changed = connection.execute(
        sa.update(request)
        .where(request.c.id == request_id, request.c.done_at.is_(None))
        .values(done_at=now, result=result)
    )
    return bool(changed.rowcount)


def _select(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> list[RequestRow]:
    found = connection.execute(sa.select(request).where(condition).order_by(request.c.id))
    return [RequestRow(*row) for row in found]
