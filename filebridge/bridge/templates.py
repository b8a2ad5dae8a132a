"""Workbooks to fill in by hand, in FileBridge's own layout: what stands in them, for each document."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from filebridge.ledger.schema import CallState, OrderState
from filebridge.planning.plan import Action

if TYPE_CHECKING:
    import sqlalchemy as sa

    from filebridge.ledger.orders import OrderRow
    from filebridge.mapping.pack import VendorPack

DOCUMENTS: Final = ("inventory", "shipments", "acknowledgements", "ship-dates", "submissions")
STATUSES: Final = ("accepted", "backordered", "rejected")


class Holds(StrEnum):
    """What the cells of a column are."""

    TEXT = "text"
    COUNT = "count"
    """Text too, so that nothing is made of it; set to the right."""
    DATE = "date"


@dataclass(frozen=True)
class Column:
    """One column: a field's name, what belongs in it, and whether that is for the person to write."""

    field: str
    says: str
    width: int
    holds: Holds = Holds.TEXT
    to_fill: bool = False
    choices: tuple[str, ...] = ()
    may_differ: bool = False
    """Whether other words than the choices are taken too."""


@dataclass(frozen=True)
class Template:
    """A workbook to fill in. `rows` are what is known, each as wide as `columns` or shorter."""

    document: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...] = ()
    pos: int = 0
    """How many purchase orders the rows are of."""

    @property
    def headers(self) -> list[str]:
        """The names of its columns."""
        return [column.field for column in self.columns]


_PO: Final = Column("po", "The purchase order's number, as it stands in the PO file.", 18)
_VPC: Final = Column("vpc", "Your product code, as it stands in the PO file.", 20)
_ITEM: Final = Column(
    "po_item_id", "RetailOps' number of the line: it tells two lines of one product apart.", 14
)
_ORDERED: Final = "Units. Filled in is what was ordered; write less where it is less"
_SHIPS: Final = "The day on which it will leave, as a date."

_COLUMNS: Final[Mapping[str, tuple[Column, ...]]] = {
    "inventory": (
        Column("vpc", "Your product code.", 24),
        Column(
            "quantity", "Units on hand now, a whole number: the level, not the change.", 12, Holds.COUNT, True
        ),
        Column("unit_cost", "Cost of one unit, such as 18.90. May be left empty.", 12, Holds.COUNT),
        Column(
            "active", "1 where the product is offered, 0 where it is not. May be left empty.", 10, Holds.COUNT
        ),
    ),
    "shipments": (
        _PO,
        _VPC,
        Column("quantity", f"{_ORDERED}, and copy the row for a second parcel.", 10, Holds.COUNT),
        Column(
            "tracking_number",
            "The parcel's tracking number. Rows with the same number are one parcel. "
            "Delete the rows of what is not shipped yet.",
            28,
            to_fill=True,
        ),
        Column("carrier", "Carrier and service: choose one.", 30, to_fill=True),
        Column("shipped_at", "The day on which it left, as a date. May be left empty.", 13, Holds.DATE, True),
    ),
    "acknowledgements": (
        _PO,
        _VPC,
        Column("quantity", f"{_ORDERED}.", 10, Holds.COUNT),
        Column(
            "status",
            "accepted, backordered or rejected. Empty means accepted: delete the rows that you do not answer yet.",
            15,
            to_fill=True,
            choices=STATUSES,
        ),
        Column("estimated_ship_date", f"{_SHIPS} May be left empty.", 21, Holds.DATE, True),
    ),
    "ship-dates": (
        _PO,
        _VPC,
        Column("quantity", f"{_ORDERED}.", 10, Holds.COUNT),
        Column(
            "estimated_ship_date",
            f"{_SHIPS} Delete the rows for which there is none.",
            21,
            Holds.DATE,
            True,
        ),
    ),
    "submissions": (
        Column("po", f"{_PO.says} Delete the rows of orders that you have not taken over.", 18),
        _VPC,
        Column("quantity", "Units, as they were ordered.", 10, Holds.COUNT),
    ),
}


def blank(document: str) -> Template:
    """The workbook of a document with nothing known in it."""
    return Template(document, _COLUMNS[document])


def filled(connection: sa.Connection, document: str, pack: VendorPack) -> Template:
    """The workbook with what the ledger knows of the vendor: its products, or its open purchase orders.

    Shipments and ship dates have the orders that are submitted or accepted, acknowledgements those that are
    submitted, submissions those that are neither; orders that a call says more of already are left out.
    """
    if document == "inventory":
        return replace(blank(document), rows=_products(connection, pack.vendor))
    return _with_carriers(connection, _with_orders(connection, blank(document), pack), pack)


def _products(connection: sa.Connection, vendor: str) -> tuple[tuple[str, ...], ...]:
    """The VPCs that RetailOps was told of, with their last quantity and cost."""
    from filebridge.ledger.quantities import known_quantities

    known = known_quantities(connection, vendor, "")
    rows = zip(
        known.vpcs.to_pylist(),
        map(str, known.quantities.tolist()),
        known.unit_costs.to_pylist(),
        known.actives.to_pylist(),
        strict=True,
    )
    return tuple(sorted(rows))


def _with_orders(connection: sa.Connection, template: Template, pack: VendorPack) -> Template:
    from filebridge.ledger.orders import orders_of

    orders = orders_of(connection, pack.vendor)
    told = _told(connection, pack.vendor, [order.po for order in orders])
    found = [order for order in orders if _is_asked_for(template.document, order, told[order.po])]
    items = [
        (order.po, str(item_id), vpc, quantity) for order in found for item_id, vpc, quantity in order.items
    ]
    columns, rows = template.columns, [(po, vpc, f"{quantity}") for po, _, vpc, quantity in items]
    if len({row[:2] for row in rows}) < len(rows):
        columns = (*columns[:2], _ITEM, *columns[2:])
        wide = [(po, vpc, item_id, f"{quantity}") for po, item_id, vpc, quantity in items]
        return replace(template, columns=columns, rows=tuple(wide), pos=len(found))
    return replace(template, rows=tuple(rows), pos=len(found))


def _told(connection: sa.Connection, vendor: str, pos: Sequence[str]) -> Mapping[str, set[Action]]:
    """What RetailOps was told, or is about to be told, of some POs."""
    from filebridge.ledger.po_calls import calls_about

    told: dict[str, set[Action]] = defaultdict(set)
    for call in calls_about(connection, vendor, pos):
        if call.state is CallState.CONFIRMED or call.is_open:
            told[call.po].add(call.action)
    return told


def _is_asked_for(document: str, order: OrderRow, told: set[Action]) -> bool:
    """Whether the vendor may be about to say this of the PO. Its status is as it was when it was last seen."""
    if order.state is OrderState.VANISHED or order.code == "vanished" or Action.COMPLETE in told:
        return False
    waits = order.status in {"open", "ready"}
    marked = order.state is OrderState.MARKED or Action.MARK_SUBMITTED in told
    submitted = order.status == "submitted" or (waits and marked)
    accepted = order.status == "accepted" or Action.MARK_ACCEPTED in told
    if document == "submissions":
        return waits and not submitted and not accepted
    if document == "acknowledgements":
        return submitted and not accepted
    return submitted or accepted


def _with_carriers(connection: sa.Connection, template: Template, pack: VendorPack) -> Template:
    """The template whose carriers can be chosen, where RetailOps' ship classes are known."""
    from filebridge.bridge.carriers import read_carriers

    carriers = read_carriers(connection, pack) if "carrier" in template.headers else None
    if carriers is None or not carriers.offered:
        return template
    names = tuple(carriers.written(found) for found in carriers.offered)
    columns = [
        replace(column, choices=names, may_differ=True) if column.field == "carrier" else column
        for column in template.columns
    ]
    return replace(template, columns=tuple(columns))
