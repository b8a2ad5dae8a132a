"""The calls of a shipment: the list of carrier classes, and Vendor.PO.Complete."""

from collections import Counter
from typing import Any

from filebridge.sandbox.exchange import Exchange, Refused, check_status, find_po
from filebridge.sandbox.values import Json, as_text, id_text, is_true, whole_number

COMPLETABLE = frozenset({"submitted", "accepted"})


def fetch_ship_classes(exchange: Exchange) -> Json:
    """Constant.Ship.CarrierClass.fetch v1 (section 5.5; request documented, `id` and `name` seen).

    Without `all` the classes that have an `active` which is not true are left out (inferred).
    """
    is_whole = is_true(exchange.body.get("all"))
    classes = exchange.state.ship_classes
    return {"success": 1, "records": [one for one in classes if is_whole or is_true(one.get("active", 1))]}


def complete_po(exchange: Exchange) -> Json:
    """Vendor.PO.Complete v1: one PO, all its packages, submitted or accepted to complete (section 5.4).

    The shape and the target are documented; that a package's `unit_count` is the sum of its items was seen
    with a sister call; which checks RetailOps makes is assumed. A tracking number is any text: RetailOps'
    own sample pairs a UPS number with what seems a FedEx class.
    """
    body = exchange.body
    po, held = find_po(exchange, body.get("po"))
    check_status(po, str(held["status"]).lower(), COMPLETABLE)
    packages = body.get("packages")
    if not isinstance(packages, list) or not packages or not all(isinstance(one, dict) for one in packages):
        raise Refused(f"PO {po} packages must be an array of objects, not empty")
    ordered: Counter[str] = Counter()
    for item in held["items"]:
        ordered[as_text(item.get("vpc")) or ""] += whole_number(item.get("quantity")) or 0
    shipped: Counter[str] = Counter()
    for index, package in enumerate(packages):
        shipped += _units_of(exchange, f"PO {po} package idx {index}: ", package, ordered)
    _compare_units(po, ordered, shipped, is_short_allowed=exchange.settings.short_complete == "accept")
    exchange.state.complete_po(po, body, call_seq=exchange.call_seq, action=exchange.action, at=exchange.at)
    return {"success": 1}


def _units_of(exchange: Exchange, where: str, package: Json, ordered: Counter[str]) -> Counter[str]:
    """The units of one package by VPC; refuses what is wrong with it."""
    if as_text(package.get("tracking_number")) is None:
        raise Refused(f"{where}tracking_number is required")
    class_id = id_text(package.get("ship_class_id"))
    if class_id is None or not exchange.state.has_ship_class(class_id):
        raise Refused(f"{where}invalid ship_class_id {package.get('ship_class_id')}")
    items: Any = package.get("items")
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise Refused(f"{where}items must be an array of objects, not empty")
    units: Counter[str] = Counter()
    for item in items:
        vpc = as_text(item.get("vpc"))
        if vpc is None or vpc not in ordered:
            raise Refused(f"{where}invalid vpc {item.get('vpc')}: not on the PO")
        quantity = whole_number(item.get("quantity"))
        if quantity is None or quantity < 1:
            raise Refused(f"{where}invalid quantity of vpc {vpc}")
        units[vpc] += quantity
    if whole_number(package.get("unit_count")) != units.total():
        raise Refused(f"{where}unit_count {package.get('unit_count')}, its items have {units.total()}")
    return units


def _compare_units(po: str, ordered: Counter[str], shipped: Counter[str], *, is_short_allowed: bool) -> None:
    """Refuse more than was ordered, and less where that is set; lines of one VPC count together."""
    for vpc, units in ordered.items():
        is_short = shipped[vpc] < units and not is_short_allowed
        if shipped[vpc] > units or is_short:
            raise Refused(f"PO {po} vpc {vpc}: {shipped[vpc]} units, the PO has {units}")
