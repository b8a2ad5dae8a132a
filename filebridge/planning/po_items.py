"""Which items of a PO a row speaks of, and how many units of each. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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


def read_items(
    file: PoFile,
    group: PoGroup,
    known: KnownPo,
    *,
    needs_quantity: bool,
    refusing: Collection[int] = (),
) -> tuple[Stated, ...]:
    """What the rows of a PO say of its items; what cannot be told is rejected.

    A row without item and quantity speaks of every item at its ordered quantity. One that names an item without
    a quantity means the ordered one, or is rejected under `needs_quantity`; said twice, either is one statement.
    Units of a VPC that several items have fill them one after the other, as far as no row names one by its id.
    0 units of the rows `refusing` are all that was ordered: the vendor ships none of it.
    """
    found: list[Stated] = []
    left = {id(item): item.quantity for item in known.items}
    told: set[tuple[object, ...]] = set()
    for row in sorted(group.rows, key=lambda row: not row.po_item_id):
        items = known.items if row.is_whole_po else _named(file, row, known)
        refuses = row.row in refusing and row.quantity == 0
        quantity = None if refuses else row.quantity
        if row.is_whole_po or (items and quantity is None and (refuses or not needs_quantity)):
            if not any(item.quantity for item in items):
                message = f"Nothing is left of that on PO {row.po}; it holds {known.holds()}."
                file.reject(row, "unknown_item", message, field="po", value=row.po)
            elif row.says not in told:
                told.add(row.says)
                found += [Stated(row, item, item.quantity) for item in items if item.quantity]
        elif items and quantity is None:
            message = "The cell is empty; quantity (units) is required where a row names an item."
            file.reject(row, "required", message, field="quantity")
        elif items and quantity == 0:
            message = "0 units: leave the row out where there is nothing of the item."
            file.reject(row, "out_of_range", message, field="quantity", value="0")
        elif items and quantity is not None:
            found += _filled(row, items, quantity, left)
    _reject_beyond_items(file, group, known, found)
    place = {row.row: number for number, row in enumerate(group.rows)}
    return tuple(sorted(found, key=lambda one: place[one.row.row]))


def reject_beyond(
    file: PoFile,
    group: PoGroup,
    known: KnownPo,
    stated: Sequence[tuple[PoRow, str, int]],
    *,
    elsewhere: Mapping[str, int] = MappingProxyType({}),
    files: Sequence[str] = (),
) -> None:
    """Reject every row of a VPC of which more units are stated than the PO holds.

    `stated` are rows with a VPC and units; `elsewhere` units of a VPC that wait from earlier `files`. Where those
    alone are more than the PO holds (it has changed since), no row of it can go.
    """
    for vpc, before in elsewhere.items():
        if before > known.ordered(vpc):
            message = (
                f"{units(before)} of {vpc} wait from {', '.join(files)}, and the PO holds {known.ordered(vpc):,} by "
                "now. Drop all rows of the PO again, or discard what waits."
            )
            for row in group.rows:
                file.reject(row, "conflicting_rows", message, field="po", value=group.po)
    totals = summed((vpc, count) for _, vpc, count in stated)
    for vpc, total in totals.items():
        ordered, before = known.ordered(vpc), elsewhere.get(vpc, 0)
        if total + before <= ordered:
            continue
        also = f", and {units(before)} wait from {', '.join(files)}" if before else ""
        fix = " If this stands in their place, discard what waits and drop this again." if before else ""
        message = (
            f"The file says {units(total)} of {vpc} for PO {group.po}{also}; the PO holds {ordered:,}: "
            f"{known.holds()}.{fix}"
        )
        for row in dict.fromkeys(row for row, own, _ in stated if own == vpc):
            value = "" if row.quantity is None else str(row.quantity)
            file.reject(row, "too_many_units", message, field="quantity", value=value)


def _reject_beyond_items(file: PoFile, group: PoGroup, known: KnownPo, stated: Sequence[Stated]) -> None:
    """Reject the rows that name an item by its id, and more units of it than it has, though its VPC has room."""
    by_id = [one for one in stated if one.row.po_item_id]
    totals = summed((str(one.item.po_item_id), one.quantity) for one in by_id)
    for item in known.items:
        total = totals.get(str(item.po_item_id), 0)
        if not item.quantity < total <= known.ordered(item.vpc):
            continue
        message = (
            f"The file says {units(total)} of item {item.po_item_id} for PO {group.po}, which has "
            f"{item.quantity:,}; the PO holds {known.holds()}."
        )
        for row in dict.fromkeys(one.row for one in by_id if one.item is item):
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
