"""The calls that are simulated: a table.

To add a call: write a function that takes an `Exchange` and returns the answer, and name it in `CALLS`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from filebridge.sandbox.advice import update_external_skus
from filebridge.sandbox.exchange import Exchange
from filebridge.sandbox.orders import fetch_pos, mark_accepted, mark_submitted, update_est_ship_dates
from filebridge.sandbox.shipping import complete_po, fetch_ship_classes
from filebridge.sandbox.values import Json


@dataclass(frozen=True, slots=True)
class Call:
    """One entry of the table; without `perform` it is known at RetailOps and not simulated here."""

    name: str
    version: int
    short: str
    perform: Callable[[Exchange], Json] | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """What a path says: the action's canonical name ("" where there is none), version, table entry."""

    action: str
    version: int
    call: Call | None


def find_route(path: str) -> Route:
    """Find the action of a path such as `/Vendor/PO/Fetch~1.json` (section 1, documented).

    Case does not matter; a version that is left out, or is no number, is 1.
    """
    base = path.partition("?")[0].strip("/")
    if not base.lower().endswith(".json"):
        return Route("", 1, None)
    dotted, _, version_text = base[: -len(".json")].replace("/", ".").partition("~")
    version = int(version_text) if version_text.isascii() and version_text.isdigit() else 0
    version = version or 1
    name = _CANONICAL.get(dotted.lower(), "")
    return Route(name, version, _BY_PATH.get((name, version)))


def find_actions(word: str) -> frozenset[str]:
    """The canonical names that `update`, `fetch` or a full name in any case means; empty where none does."""
    return frozenset(call.name for call in CALLS if word.lower() in (call.short, call.name.lower()))


CALLS: tuple[Call, ...] = (
    Call("Product.ExternalSku.update", 2, "update", update_external_skus),
    Call("Vendor.PO.fetch", 1, "fetch", fetch_pos),
    Call("Vendor.PO.MarkSubmitted", 1, "mark_submitted", mark_submitted),
    Call("Product.ExternalSku.update", 1, "update_v1"),
    Call("Vendor.PO.MarkAccepted", 1, "mark_accepted", mark_accepted),
    Call("Vendor.PO.UpdateEstShipDate", 1, "update_est_ship_date", update_est_ship_dates),
    Call("Vendor.PO.Complete", 1, "complete", complete_po),
    Call("Vendor.PO.CompleteDS", 1, "complete_ds"),
    Call("Vendor.PO.SubmitPartialTracking", 1, "submit_partial_tracking"),
    Call("Constant.Ship.CarrierClass.fetch", 1, "carriers", fetch_ship_classes),
)

_CANONICAL = {call.name.lower(): call.name for call in CALLS}
_BY_PATH = {(call.name, call.version): call for call in CALLS}
