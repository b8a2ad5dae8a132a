"""Invented purchase orders: plausible, and full of what breaks files."""

import random
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from filebridge.sandbox.values import Json, as_text, id_text

# VPCs that spreadsheets and careless readers spoil: missing values, zeros, exponents, dates, booleans.
_VPCS = (
    "NA",
    "00120",
    "1E5",
    "MAR-1",
    "TRUE",
    "007",
    "null",
    "12/5",
    "AB 100",
    "+44",
    "=SUM",
    "Ø-9",
    "0",
    "1.10",
)
_NAMES = (
    "Ana Pérez",
    'Jo "Red" Smith',
    "Łukasz Żak",
    "Mary O'Neil",
    "Zoë Brontë",
    "王小明",
    "Null Smith, Jr.",
)
_STREETS = (
    ("418 W Cedar Ave", "Apt 3"),
    ('12 "The Mews"', None),
    ("Straße des 17. Juni 5", "2. Hof\nKlingel Müller"),
    ("PO Box 00120", ""),
    ("1-2 High St; rear", "c/o Smith, J."),
)
_PLACES = (
    ("Boston", "MA", "02134", "United States"),
    ("Holtsville", "NY", "00501", "United States"),
    ("Portland", "ME", "04101-0012", "United States"),
    ("Montréal", "QC", "H2Y 1C6", "Canada"),
    ("Boulder", "CO", "80302", "United States"),
)
_SERVICES = (
    (1, "Standard"),
    (2, "2nd Day Air"),
    (3, "FedEx Ground "),
    (4, "AMZ - Free Economy"),
    (5, "WHITE GLOVE"),
)
_NOTES = (None, "", "Leave at the side door;\nring twice", 'Gift: "for you", no invoice', "Hôtel – réception")


def seed_orders(
    vendor_id: int | str, count: int, seed: int = 1, *, now: datetime | None = None
) -> list[Json]:
    """`count` POs of one vendor in status ready, due before `now` (UTC; left out: the clock's).

    The same seed and time give the same POs. Field names as in section 7 of the wire document (assumed);
    names, places and prices are made up.
    """
    chance = random.Random(f"{vendor_id}/{seed}")
    moment = (now or datetime.now(UTC)).replace(microsecond=0)
    number = int(vendor_id) if str(vendor_id).isdigit() else vendor_id
    return [_order(number, index, chance, moment) for index in range(1, count + 1)]


def seed_more_orders(vendor_id: int | str, count: int, present: Iterable[Json]) -> list[Json]:
    """`count` more POs of a vendor: their numbers go on after the invented ones among those present."""
    pattern = re.compile(rf"D{re.escape(str(vendor_id))}([0-9]{{5,9}})")
    taken = [
        int(match[1])
        for po in present
        if id_text(po.get("vendor_id")) == id_text(vendor_id)
        and (match := pattern.fullmatch(as_text(po.get("po")) or ""))
    ]
    first = max(taken, default=0)
    return seed_orders(vendor_id, first + count)[first:]


def _order(vendor_id: int | str, index: int, chance: random.Random, now: datetime) -> Json:
    submitted_at = now - timedelta(minutes=chance.randint(5, 2880))
    service_id, service = chance.choice(_SERVICES)
    vpcs = chance.sample(_VPCS, chance.choice((1, 2, 2, 3, 4)))
    return {
        "po": f"D{vendor_id}{index:05d}",
        "id": 70_000 + index,
        "vendor_id": vendor_id,
        "vendor_name": f"Vendor {vendor_id}",
        "type": "dropship",
        "status": "ready",
        "date_created": _utc(submitted_at - timedelta(hours=1)),
        "date_submit": _utc(submitted_at),
        "order_id": 900_000 + index,
        "note": chance.choice(_NOTES),
        "ship_service": {"id": service_id, "name": service},
        "ship_address": _address(chance),
        "items": [_item(index * 10 + place, vpc, chance) for place, vpc in enumerate(vpcs)],
    }


def _address(chance: random.Random) -> Json:
    address1, address2 = chance.choice(_STREETS)
    city, state, postal_code, country = chance.choice(_PLACES)
    return {
        "addressee": chance.choice(_NAMES),
        "company": chance.choice((None, "Smith & Sons, Inc.", "Bäckerei Groß")),
        "address1": address1,
        "address2": address2,
        "city": city,
        "state_abbr": state,
        "postal_code": postal_code,
        "country_name": country,
        "phone_number": chance.choice(("303 555 0142", "+1 (617) 555-0100", "05550100")),
    }


def _item(item_id: int, vpc: str, chance: random.Random) -> Json:
    return {
        "po_item_id": item_id,
        "vpc": vpc,
        "quantity": chance.randint(1, 5),
        "sku": f"S-{vpc}",
        "description": chance.choice((f"Item {vpc}", f'Shelf 24", {vpc}', f"Lampe «{vpc}»")),
        "unit_cost": f"{chance.randint(100, 9999) / 100:.2f}",
    }


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
