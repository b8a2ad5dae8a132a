"""What the planner is told of the POs that a file names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from filebridge.documents.purchase_orders import PoItem

ACCEPTED: Final = frozenset({"accepted", "receiving", "complete"})
"""Statuses of POs that are accepted, or further on their way."""
SUBMITTED: Final = ACCEPTED | {"submitted"}
COMPLETE: Final = "complete"


@dataclass(frozen=True, slots=True)
class Shipped:
    """Units of a VPC in a parcel. `package` is the vendor's own name of the parcel, empty where it has none."""

    vpc: str
    quantity: int
    tracking_number: str
    ship_class_id: int | str
    package: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What makes two statements speak of the same: the parcel and the VPC."""
        return self.tracking_number, self.vpc

    @property
    def about(self) -> tuple[object, ...]:
        """What is said of that beside its units: ship class and package."""
        return self.ship_class_id, self.package


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Units of an item of a PO: accepted, or else what `status` says. `ships_at` is microseconds UTC."""

    item_id: str
    quantity: int
    ships_at: int | None = None
    status: str = "accepted"

    @property
    def key(self) -> str:
        """What makes two statements speak of the same: the item."""
        return self.item_id

    @property
    def about(self) -> tuple[object, ...]:
        """What is said of that beside its units: ship date and status."""
        return self.ships_at, self.status


@dataclass(frozen=True)
class Waiting:
    """What an earlier file says of a PO, and waits: the call that keeps it, that file's name, for what it waits."""

    call_id: int
    file: str
    record: Mapping[str, Any]
    code: str = "partial_shipment"

    def shipped(self) -> tuple[Shipped, ...]:
        """Its lines, where it is of a shipments file."""
        return tuple(Shipped(*line) for line in self.record["lines"])

    def acknowledged(self) -> tuple[Acknowledged, ...]:
        """Its lines, where it is of an acknowledgements or submissions file."""
        return tuple(Acknowledged(*line) for line in self.record["lines"])


def waiting_record(po: str, lines: Sequence[Shipped | Acknowledged]) -> str:
    """The record of a call that waits, as JSON text; `Waiting` reads it back."""
    told = [[getattr(line, name) for name in type(line).__slots__] for line in lines]
    return json.dumps({"po": po, "lines": told}, ensure_ascii=False)


@dataclass(frozen=True)
class Completion:
    """A Complete that was confirmed, or whose answer is owed: units by tracking number and VPC."""

    call_id: int
    is_open: bool
    units: Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class Mark:
    """A MarkAccepted or MarkSubmitted that was confirmed, or whose answer is owed: units by item id."""

    call_id: int
    is_open: bool
    units: Mapping[str, int]


@dataclass(frozen=True)
class KnownPo:
    """A PO as it was last seen, and what files have said of it. Nothing here is newer than the ledger.

    `dates` holds, by item id, the ship dates (microseconds UTC) and units that RetailOps confirmed last.
    `completions`, `acceptances` and `submissions` are in the order of their calls, and so are those that wait.
    """

    po: str
    status: str
    items: tuple[PoItem, ...]
    completions: tuple[Completion, ...] = ()
    acceptances: tuple[Mark, ...] = ()
    submissions: tuple[Mark, ...] = ()
    dates: Mapping[str, frozenset[tuple[int, int]]] = field(default_factory=dict)
    shipments_waiting: tuple[Waiting, ...] = ()
    acknowledgements_waiting: tuple[Waiting, ...] = ()
    submissions_waiting: tuple[Waiting, ...] = ()

    def ordered(self, vpc: str) -> int:
        """Units of a VPC, over all items that have it."""
        return sum(item.quantity for item in self.items if item.vpc == vpc)

    def holds(self) -> str:
        """What the PO holds, for a message."""
        shown = [f"{item.vpc} ({units(item.quantity)}, item {item.po_item_id})" for item in self.items[:8]]
        more = f" and {len(self.items) - 8} more" if len(self.items) > 8 else ""
        return f"{', '.join(shown)}{more}" or "no items that can be read"


@dataclass(frozen=True)
class KnownPos:
    """The POs that a file names. One that is in neither was not looked up; `unknown` ones RetailOps has not."""

    known: Mapping[str, KnownPo] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()


def units(count: int) -> str:
    """`1 unit`, `3 units`."""
    return "1 unit" if count == 1 else f"{count:,} units"


def summed(pairs: Iterable[tuple[Any, int]]) -> dict[Any, int]:
    """Units by key, in the order in which keys come."""
    found: dict[Any, int] = {}
    for key, count in pairs:
        found[key] = found.get(key, 0) + count
    return found
