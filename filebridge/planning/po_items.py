"""Which items of a PO a row speaks of, and how many units of each. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from filebridge.documents.po_rows import PoRow
from filebridge.documents.purchase_orders import PoItem
from filebridge.planning.known_pos import KnownPo, summed, units
from filebridge.planning.po_file import PoFile, PoGroup


@dataclass(frozen=True, slots=True)
class Stated:
    """What one row says of one item of its PO."""

    row: PoRow
    item: PoItem
    quantity: int


def read_items(file: PoFile, group: PoGroup, known: KnownPo, *, needs_quantity: bool) -> tuple[Stated, ...]:
    """What the rows of a PO say of its items; what cannot be told is rejected.

    A row without item and quantity speaks of every item at its ordered quantity. One that names an item without
    a quantity means the ordered one, or is rejected under `needs_quantity`. Units of a VPC that several items
    have fill them one after the other.
    """
    found: list[Stated] = []
    left = {id(item): item.quantity for item in known.items}
    whole: PoRow | None = None
    for row in group.rows:
        if row.is_whole_po:
            if whole is not None and _says_the_same(whole, row):
                continue
            whole = whole or row
            found += [Stated(row, item, item.quantity) for item in known.items]
            continue
        items = _named(file, row, known)
        if not items:
            continue
        quantity = row.quantity
        if quantity is None and needs_quantity:
            message = "The cell is empty; quantity (units) is required where a row names an item."
            file.reject(row, "required", message, field="quantity")
        elif quantity == 0:
            message = "0 units: leave the row out where there is nothing of the item."
            file.reject(row, "out_of_range", message, field="quantity", value="0")
        elif quantity is None:
            found += [Stated(row, item, item.quantity) for item in items]
        else:
            found += _filled(row, items, quantity, left)
    return tuple(found)


def reject_beyond(
    file: PoFile,
    group: PoGroup,
    known: KnownPo,
    stated: Sequence[tuple[PoRow, str, int]],
    *,
    elsewhere: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Reject every row of a VPC of which more units are stated than the PO holds.

    `stated` are rows with a VPC and units; `elsewhere` units of a VPC that wait from earlier files.
    """
    totals = summed((vpc, count) for _, vpc, count in stated)
    for vpc, total in totals.items():
        ordered, before = known.ordered(vpc), elsewhere.get(vpc, 0)
        if total + before <= ordered:
            continue
        also = f", and {units(before)} wait from an earlier file" if before else ""
        message = (
            f"The file says {units(total)} of {vpc} for PO {group.po}{also}; the PO holds {ordered:,}: "
            f"{known.holds()}."
        )
        for row in dict.fromkeys(row for row, own, _ in stated if own == vpc):
            value = "" if row.quantity is None else str(row.quantity)
            file.reject(row, "too_many_units", message, field="quantity", value=value)


def _named(file: PoFile, row: PoRow, known: KnownPo) -> tuple[PoItem, ...]:
    """The items that a row names by its VPC or item id; none where it names none that the PO has."""
    if not row.vpc and not row.po_item_id:
        message = "The row states a quantity and no item; say of which, by its vpc or po_item_id."
        file.reject(row, "required", message, field="vpc")
        return ()
    items = known.items
    if row.po_item_id:
        items = tuple(item for item in items if str(item.po_item_id) == row.po_item_id)
        what, field, value = f"item {row.po_item_id}", "po_item_id", row.po_item_id
        if items and row.vpc and items[0].vpc != row.vpc:
            message = f"Item {row.po_item_id} of PO {row.po} is {items[0].vpc}, and the row says {row.vpc}."
            file.reject(row, "unknown_item", message, field="vpc", value=row.vpc)
            return ()
    else:
        items = tuple(item for item in items if item.vpc == row.vpc)
        what, field, value = row.vpc, "vpc", row.vpc
    if not items:
        message = f"PO {row.po} has no {what}; it holds {known.holds()}."
        file.reject(row, "unknown_item", message, field=field, value=value)
    return items


def _filled(row: PoRow, items: Sequence[PoItem], quantity: int, left: dict[int, int]) -> list[Stated]:
    """Units over the items of one VPC, as far as they have room; what is beyond stands with the last."""
    found: list[Stated] = []
    rest = quantity
    for item in items:
        taken = rest if item is items[-1] else min(rest, max(left[id(item)], 0))
        if taken:
            left[id(item)] -= taken
            rest -= taken
            found.append(Stated(row, item, taken))
    return found


def _says_the_same(one: PoRow, other: PoRow) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in PoRow.__slots__ if name != "row")
