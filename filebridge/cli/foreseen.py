"""Calls that `preview` foresees, PO by PO, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from filebridge.replies.wording import count_of, plain

if TYPE_CHECKING:
    from filebridge.cli.surroundings import Surroundings


def names_of(here: Surroundings, vendor: str) -> Mapping[str, str]:
    """The names of a vendor's ship classes by their ids, as the ledger has them."""
    from filebridge.ledger import ship_classes

    with here.ledger_or_none() as ledger:
        if ledger is None:
            return {}
        with ledger.read() as connection:
            known = ship_classes.known(connection, vendor)
    return {one.id_text: one.name for one in known.classes} if known else {}


def lines_of(calls: Iterable[Mapping[str, Any]], names: Mapping[str, str], zone: str) -> Iterator[str]:
    """A line for each PO of each call: `complete D2700003: 1 package, 2 units, UPS Ground`.

    `calls` are those of `Previewed.calls`: `action` and `body`; `names` those of ship classes by id, `zone` the one
    in which dates are said.
    """
    for call in calls:
        body = call["body"]
        match call["action"]:
            case "complete":
                yield _completed(body, names)
            case "mark_accepted":
                yield from (f"accept {_named(one)}: {_units(one)}" for one in body["records"])
            case "mark_submitted":
                yield from (f"mark {_named(one)} as submitted: {_units(one)}" for one in body["records"])
            case "update_est_ship_date":
                for one in body["records"]:
                    moment = datetime.fromisoformat(one["estimated_ship_date"]).astimezone(ZoneInfo(zone))
                    yield f"ship date of {_named(one)}: {moment:%Y-%m-%d}, {_units(one)}"


def _completed(body: Mapping[str, Any], names: Mapping[str, str]) -> str:
    packages = body["packages"]
    units = sum(item["quantity"] for package in packages for item in package["items"])
    classes = dict.fromkeys(
        plain(names.get(str(package["ship_class_id"]), f"ship class {package['ship_class_id']}"))
        for package in packages
    )
    return (
        f"complete {_named(body)}: {count_of(len(packages), 'package')}, {count_of(units, 'unit')}, "
        f"{', '.join(classes)}"
    )


def _named(record: Mapping[str, Any]) -> str:
    return plain(str(record["po"]))


def _units(record: Mapping[str, Any]) -> str:
    items = record["items"]
    units = count_of(sum(item["quantity"] for item in items), "unit")
    return units if len(items) == 1 else f"{units} of {len(items):,} items"
