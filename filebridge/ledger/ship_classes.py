"""Ship classes as RetailOps listed them last, for each vendor's key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from filebridge.documents.ship_classes import ShipClass, former_names
from filebridge.ledger.schema import file, row_reject, ship_classes


@dataclass(frozen=True)
class KnownClasses:
    """The list as it was fetched at `fetched_at` (microseconds UTC), and former names by id.

    `names_before` has those ids that vanished or were renamed since some earlier list.
    """

    fetched_at: int
    classes: tuple[ShipClass, ...]
    names_before: Mapping[str, str]


def save(connection: sa.Connection, vendor: str, classes: Sequence[ShipClass], now: int) -> None:
    """Keep a list in place of the one before, and the names of what it lacks or calls otherwise."""
    before = known(connection, vendor)
    names = former_names(before.classes, classes, before.names_before) if before else {}
    values = {
        "fetched_at": now,
        "classes": [[found.id, found.name, found.active] for found in classes],
        "names_before": names,
    }
    if before is None:
        connection.execute(sa.insert(ship_classes).values(vendor=vendor, **values))
    else:
        connection.execute(sa.update(ship_classes).where(ship_classes.c.vendor == vendor).values(values))


def known(connection: sa.Connection, vendor: str) -> KnownClasses | None:
    """The vendor's list, None where none was ever fetched."""
    row = connection.execute(sa.select(ship_classes).where(ship_classes.c.vendor == vendor)).first()
    if row is None:
        return None
    return KnownClasses(
        row.fetched_at,
        tuple(ShipClass(class_id, name, bool(active)) for class_id, name, active in row.classes),
        row.names_before,
    )


@dataclass(frozen=True)
class UnknownWord:
    """A cell that named no class: in how many rows, and when the latest file came (microseconds UTC)."""

    value: str
    column: str
    rows: int
    last_at: int


def unknown_words(connection: sa.Connection, vendor: str, since: int) -> list[UnknownWord]:
    """What rows of shipments files that came at `since` or later named and no crosswalk knew, the latest first."""
    rows = connection.execute(
        sa.select(
            row_reject.c.value,
            row_reject.c.column,
            sa.func.count().label("rows"),
            sa.func.max(file.c.received_at).label("last_at"),
        )
        .join(file, file.c.id == row_reject.c.file_id)
        .where(
            file.c.vendor == vendor,
            file.c.document == "shipments",
            file.c.received_at >= since,
            row_reject.c.code == "not_in_crosswalk",
            row_reject.c.value != "",
        )
        .group_by(row_reject.c.value, row_reject.c.column)
        .order_by(sa.desc("last_at"), row_reject.c.value)
    )
    return [UnknownWord(*row) for row in rows]
