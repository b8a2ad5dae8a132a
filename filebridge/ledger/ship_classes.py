"""Ship classes as RetailOps listed them last, for each vendor's key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from filebridge.documents.ship_classes import ShipClass, former_names
from filebridge.ledger.schema import ship_classes


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
