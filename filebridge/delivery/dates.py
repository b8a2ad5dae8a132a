"""Estimated ship dates: the newest that was confirmed for each item of a PO, as a fold over records. Pure.

What a file says of an item replaces all that older files said of it; one file may give an item's units several
dates.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from filebridge.retailops.reading import instant_of
from filebridge.retailops.wire import ship_date_record

Order: TypeAlias = tuple[int, int]
"""What a file is older or newer by: the time that it is given for, microseconds UTC, and its arrival."""
Item: TypeAlias = tuple[str, str]
"""A PO, and the id of one of its items as text."""


@dataclass(frozen=True, slots=True)
class Promise:
    """Units of an item and when they will ship, microseconds UTC. The id is in the type in which it came."""

    item_id: int | str
    quantity: int
    at: int


@dataclass(frozen=True, slots=True)
class Said:
    """What one file said of an item."""

    order: Order
    promises: tuple[Promise, ...]


def fold_dates(confirmed: Iterable[tuple[Order, Iterable[str]]]) -> dict[Item, Said]:
    """What was said last of each item, from the records of confirmed calls with the order of their files."""
    newest: dict[Item, Said] = {}
    for order, records in confirmed:
        for record in records:
            for item, promise in promises_of(record):
                known = newest.get(item)
                if known is None or known.order < order:
                    newest[item] = Said(order, (promise,))
                elif known.order == order and promise not in known.promises:
                    newest[item] = Said(order, (*known.promises, promise))
    return newest


def promises_of(record: str) -> Iterator[tuple[Item, Promise]]:
    """What a record of UpdateEstShipDate says of each item."""
    said = json.loads(record)
    at = instant_of(said["estimated_ship_date"])
    for entry in said["items"]:
        promise = Promise(entry["po_item_id"], entry["quantity"], at or 0)
        yield (said["po"], str(promise.item_id)), promise


def overtaken(record: str, order: Order, newest: Mapping[Item, Said]) -> tuple[int, int]:
    """Of how many of a record's items a newer file's date is confirmed, and of how many not."""
    newer = [item in newest and newest[item].order > order for item, _ in promises_of(record)]
    return sum(newer), len(newer) - sum(newer)


def restated(items: Iterable[Item], newest: Mapping[Item, Said]) -> list[tuple[str, str]]:
    """The records, each after its PO, that state the newest dates of these items once more."""
    by_record: dict[tuple[str, int], list[tuple[int | str, int]]] = {}
    for item in sorted(set(items) & newest.keys()):
        for promise in newest[item].promises:
            by_record.setdefault((item[0], promise.at), []).append((promise.item_id, promise.quantity))
    return [(po, ship_date_record(po, at, units)) for (po, at), units in sorted(by_record.items())]
