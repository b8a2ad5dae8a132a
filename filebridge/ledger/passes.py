"""Passes: when FileBridge went over everything due, and whether it still does."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from filebridge.ledger.schema import work_pass


@dataclass(frozen=True)
class PassRow:
    """One pass. `by` is run or watch and its process id; one that was killed has no `ended_at`."""

    id: int
    by: str
    started_at: int
    beat_at: int
    ended_at: int | None
    exit_code: int | None


def begin(connection: sa.Connection, by: str, now: int) -> int:
    """Write down that a pass begins; its id."""
    result = connection.execute(sa.insert(work_pass).values(by=by, started_at=now, beat_at=now))
    pass_id: int = result.inserted_primary_key[0]  # type: ignore[index]
    return pass_id


def beat(connection: sa.Connection, pass_id: int, now: int) -> None:
    """Write down that the pass is still at work."""
    connection.execute(sa.update(work_pass).where(work_pass.c.id == pass_id).values(beat_at=now))


def end(connection: sa.Connection, pass_id: int, now: int, exit_code: int) -> None:
    """Write down that the pass has ended, and with which exit code."""
    connection.execute(
        sa.update(work_pass)
        .where(work_pass.c.id == pass_id)
        .values(beat_at=now, ended_at=now, exit_code=exit_code)
    )


def last(connection: sa.Connection, *, ended: bool = False) -> PassRow | None:
    """The latest pass, or with `ended` the latest that came to its end; None before the first."""
    query = sa.select(work_pass).order_by(work_pass.c.id.desc()).limit(1)
    found = connection.execute(query.where(work_pass.c.ended_at.is_not(None)) if ended else query).first()
    return PassRow(*found) if found else None
