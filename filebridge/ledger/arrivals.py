"""Arrivals: names that lie in an inbox, since when, and why they are still there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from filebridge.ledger.connect import change_many
from filebridge.ledger.schema import arrival

_SEEN = """
    INSERT INTO arrival (vendor, name_bytes, name, first_seen_at, seen_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (vendor, name_bytes) DO UPDATE SET seen_at = excluded.seen_at
"""


@dataclass(frozen=True)
class ArrivalRow:
    """A name in a vendor's inbox. `reason` says why it is still there; `explained`: the sender was told so."""

    vendor: str
    name_bytes: bytes
    name: str
    first_seen_at: int
    seen_at: int
    reason: str
    explained: bool


@dataclass(frozen=True)
class Look:
    """What one look into an inbox found: the names that are there, and those that have gone since the last."""

    there: tuple[ArrivalRow, ...]
    gone: tuple[ArrivalRow, ...]


def look(connection: sa.Connection, vendor: str, entries: Iterable[tuple[bytes, str]], now: int) -> Look:
    """Write down what lies in the vendor's inbox now, as (name as the file system has it, printable name).

    Names that are no longer there are forgotten: one that comes again is a new arrival.
    """
    present = dict(entries)
    gone = tuple(row for row in arrivals(connection, vendor) if row.name_bytes not in present)
    change_many(
        connection,
        "DELETE FROM arrival WHERE vendor = ? AND name_bytes = ?",
        [(vendor, row.name_bytes) for row in gone],
    )
    change_many(
        connection, _SEEN, [(vendor, name_bytes, name, now, now) for name_bytes, name in present.items()]
    )
    return Look(there=arrivals(connection, vendor), gone=gone)


def arrivals(connection: sa.Connection, vendor: str) -> tuple[ArrivalRow, ...]:
    """The names in a vendor's inbox, first seen first, then by name."""
    found = connection.execute(
        sa.select(arrival).where(arrival.c.vendor == vendor).order_by(arrival.c.first_seen_at, arrival.c.name)
    )
    return tuple(ArrivalRow(*row) for row in found)


def set_reason(connection: sa.Connection, vendor: str, name_bytes: bytes, reason: str) -> None:
    """Write down why a name is still in the inbox; another reason than before is to be explained anew."""
    connection.execute(
        sa.update(arrival)
        .where(arrival.c.vendor == vendor, arrival.c.name_bytes == name_bytes, arrival.c.reason != reason)
        .values(reason=reason, explained=False)
    )


def set_explained(connection: sa.Connection, vendor: str, name_bytes: bytes) -> None:
    """Write down that the sender was told why the file is still in the inbox."""
    connection.execute(
        sa.update(arrival)
        .where(arrival.c.vendor == vendor, arrival.c.name_bytes == name_bytes)
        .values(explained=True)
    )
