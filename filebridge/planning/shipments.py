"""What is to be sent of a shipments file: rows become packages, packages one Complete a PO. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from filebridge.documents.po_rows import PoRow
from filebridge.documents.ship_classes import Carriers, ShipClass
from filebridge.mapping.values import damage_of
from filebridge.outcomes import Outcome
from filebridge.planning.joining import Joined, Line, join_waiting, wait_for_rest
from filebridge.planning.known import KnownFeed
from filebridge.planning.known_pos import (
    COMPLETE,
    Completion,
    KnownPo,
    Shipped,
    summed,
    units,
    waiting_record,
)
from filebridge.planning.plan import Action, Hold, Plan
from filebridge.planning.po_file import PoFile, PoGroup
from filebridge.planning.po_items import read_items, reject_beyond

_Line = Line[Shipped]


def plan_shipments(file: PoFile, carriers: Carriers | None, feed: KnownFeed) -> Plan:
    """The plan of one shipments file. `carriers` is None where no ship classes were fetched yet (preview)."""
    for group in file.groups():
        known = file.known_po(group)
        if known is not None:
            _plan_po(file, group, known, carriers)
    return file.plan(feed)


def _plan_po(file: PoFile, group: PoGroup, known: KnownPo, carriers: Carriers | None) -> None:
    done = _newest(known.completions)
    is_done = done is not None or known.status == COMPLETE
    lines = _lines(file, group, known, carriers, is_done=is_done)
    if is_done:
        _compare(file, group, known, lines, done)
        return
    if any(line.said.ship_class_id == _NOT_FETCHED for line in lines):
        if not file.reject_rest(group):
            for row in group.rows:
                message = "The ship classes are not fetched yet; `run` asks RetailOps for them."
                file.leave(row, "not_fetched", message)
        return
    joined = join_waiting(file, [(waiting, waiting.shipped()) for waiting in known.shipments_waiting], lines)
    _check_packages(file, joined, lines)
    reject_beyond(
        file,
        group,
        known,
        [(line.row, line.said.vpc, line.said.quantity) for line in joined.lines],
        elsewhere=summed((said.vpc, said.quantity) for said in joined.before),
        files=joined.files,
    )
    if file.reject_rest(group):
        return
    file.replaces += joined.replaces
    missing = _missing(known, joined.whole())
    if missing and file.feed.partial == "hold":
        hold = Hold("partial_shipment", f"PO {group.po} waits for its other rows: {missing} to come.")
        wait_for_rest(file, group, Action.COMPLETE, joined, hold)
    else:
        # A PO that is shipped can be accepted no more: what an acknowledgement left open is past.
        file.replaces += [waiting.call_id for waiting in known.acknowledgements_waiting]
        body = file.wire.complete_body(group.po, packages_of(joined.whole()))
        file.send(group, group.rows, Action.COMPLETE, body, joined.joins)


def packages_of(
    lines: Iterable[Shipped],
) -> list[tuple[int | str, str, list[tuple[str, int]]]]:
    """Packages in the order of their first lines: class id, tracking number, units of VPCs."""
    found: dict[tuple[str, str], list[Shipped]] = {}
    for line in lines:
        found.setdefault(_parcel(line), []).append(line)
    return [
        (
            of_one[0].ship_class_id,
            of_one[0].tracking_number,
            list(summed((line.vpc, line.quantity) for line in of_one).items()),
        )
        for of_one in found.values()
    ]


def _parcel(line: Shipped) -> tuple[str, str]:
    """What makes lines one package: the vendor's own name of it, else its tracking number."""
    return ("package", line.package) if line.package else ("tracking", line.tracking_number)


# What rows say

_NOT_FETCHED = "\0"
"""In place of a class id, while no ship classes are known."""


def _lines(
    file: PoFile, group: PoGroup, known: KnownPo, carriers: Carriers | None, *, is_done: bool
) -> list[_Line]:
    """What the rows of a PO ship. Of one that is done no ship class is asked for: it may be gone by now."""
    stated = read_items(file, group, known, needs_quantity=True)
    of_row: dict[int, list[tuple[str, int]]] = {}
    for one in stated:
        of_row.setdefault(one.row.row, []).append((one.item.vpc, one.quantity))
    lines: list[_Line] = []
    for row in group.rows:
        ship_class = "" if is_done else _class_of(file, row, carriers)
        counts = of_row.get(row.row, [])
        parcels = _split(file, row, sum(count for _, count in counts))
        if ship_class is None or not parcels:
            continue
        if len(parcels) > 1:
            counts = [(vpc, 1) for vpc, count in counts for _ in range(count)]
            pairs = list(zip(parcels, counts, strict=False))
        else:
            pairs = [(parcels[0], one) for one in counts]
        lines += [
            Line(row, Shipped(vpc, count, parcel, ship_class, row.package)) for parcel, (vpc, count) in pairs
        ]
    return lines


def _class_of(file: PoFile, row: PoRow, carriers: Carriers | None) -> int | str | None:
    """The id of a row's ship class; None where it is rejected."""
    word, field = (row.ship_class_id, "ship_class_id") if row.ship_class_id else (row.carrier, "carrier")
    if not word:
        message = "The cell is empty; the carrier, or the ship_class_id, is required."
        file.reject(row, "required", message, field="carrier")
        return None
    if carriers is None:
        return _NOT_FETCHED
    found = carriers.of_id(word) if field == "ship_class_id" else carriers.of_word(word)
    if isinstance(found, ShipClass):
        return found.id
    file.reject(row, "not_in_crosswalk", found, field=field, value=word)
    return None


def _split(file: PoFile, row: PoRow, count: int) -> list[str]:
    """The tracking numbers of a row: one, or one for each of its units; none where it is rejected."""
    steps = file.feed.fields.get("tracking_number")
    marks = steps.split if steps else ()
    if not marks:
        return [row.tracking_number]
    parts = re.split("|".join(re.escape(mark) for mark in marks), row.tracking_number)
    parcels = [part.strip() for part in parts if part.strip()]
    faults = [fault for fault in map(damage_of, parcels) if fault]
    if faults:
        fault = faults[0]
        file.reject(row, fault.code, fault.message, field="tracking_number", value=row.tracking_number)
        return []
    if not parcels:
        message = "The cell holds no tracking number between its marks."
        file.reject(row, "required", message, field="tracking_number", value=row.tracking_number)
    elif len(parcels) > 1 and count and len(parcels) != count:
        message = (
            f"The cell names {len(parcels)} parcels and the row {units(count)}: nobody can tell which units are in "
            "which parcel. Write one row a parcel."
        )
        file.reject(row, "cannot_split", message, field="tracking_number", value=row.tracking_number)
        return []
    return parcels


def _check_packages(file: PoFile, joined: Joined[Shipped], lines: Sequence[_Line]) -> None:
    """Reject the rows of a package of which different things are said, be it by an earlier file that waits."""
    rows_of: dict[tuple[str, str], list[PoRow]] = {}
    for line in lines:
        rows_of.setdefault(_parcel(line.said), []).append(line.row)
    said_of: dict[tuple[str, str], list[Shipped]] = {}
    for said in [*joined.before, *(line.said for line in lines)]:
        said_of.setdefault(_parcel(said), []).append(said)
    units_of = summed((_parcel(said), said.quantity) for said in joined.whole())
    for parcel, found in rows_of.items():
        rows, name = list(dict.fromkeys(found)), parcel[1]
        for field, attribute, words in _ONE_A_PACKAGE:
            values = sorted({str(getattr(said, attribute)) for said in said_of[parcel]})
            if len(values) > 1:
                message = f"The rows of package {name} name {len(values)} {words}: {', '.join(values)}."
                if field == "carrier":
                    carriers = dict.fromkeys(row.carrier or row.ship_class_id for row in rows)
                    message += f" This file says {', '.join(carriers)}."
                for row in rows:
                    file.reject(row, "conflicting_rows", message, field=field, value=getattr(row, field))
        for row in rows:
            if row.unit_count is not None and row.unit_count != units_of[parcel]:
                message = (
                    f"unit_count says {units(row.unit_count)}, and the rows of package {name} are "
                    f"{units_of[parcel]:,}."
                )
                file.reject(row, "conflicting_rows", message, field="unit_count", value=str(row.unit_count))


_ONE_A_PACKAGE: Final = (
    ("tracking_number", "tracking_number", "tracking numbers"),
    ("carrier", "ship_class_id", "ship classes"),
)
"""Our field, what a line keeps of it, and the word for several."""


# Beside what is known


def _newest(completions: Sequence[Completion]) -> Completion | None:
    return completions[-1] if completions else None


def _compare(
    file: PoFile, group: PoGroup, known: KnownPo, lines: Sequence[_Line], done: Completion | None
) -> None:
    """Rows of a PO that is complete, or is being completed: they say what was, or there is no room for them."""
    completed = done.units if done else {}
    stated = summed((line.said.key, line.said.quantity) for line in lines)
    beyond = {key[1] for key, count in stated.items() if count > completed.get(key, 0)}
    when = (
        "is complete at RetailOps, though no file here completed it"
        if done is None
        else (f"{'is being' if done.is_open else 'was'} completed with other rows than this")
    )
    for row in group.rows:
        vpcs = {line.said.vpc for line in lines if line.row is row}
        if vpcs & beyond and not file.is_rejected(row):
            message = f"PO {group.po} {when}: nothing is left of it to be shipped."
            file.reject(row, "too_many_units", message, field="quantity")
    same = [row for row in group.rows if not file.is_rejected(row)]
    if done and done.is_open and same:
        record = waiting_record(group.po, [line.said for line in lines if line.row in same])
        file.follow(group, same, Action.COMPLETE, record, done.call_id)
    else:
        file.settle(same, Outcome.UNCHANGED)


def _missing(known: KnownPo, shipped: Sequence[Shipped]) -> str:
    """What of the PO no row ships, in words; empty where nothing is missing."""
    totals = summed((line.vpc, line.quantity) for line in shipped)
    ordered = summed((item.vpc, item.quantity) for item in known.items)
    short = {vpc: count - totals.get(vpc, 0) for vpc, count in ordered.items()}
    return ", ".join(f"{units(count)} of {vpc}" for vpc, count in short.items() if count > 0)
