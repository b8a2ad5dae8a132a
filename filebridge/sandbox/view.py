"""What RetailOps would show its people: as one JSON object, and as a page of plain text made from it."""

import copy
import json
from collections import Counter
from typing import Any

from filebridge.sandbox.calls import RecordedCall
from filebridge.sandbox.state import State
from filebridge.sandbox.values import Json, as_text, id_text, whole_number

SHOWN = 25


def look(state: State, calls: list[RecordedCall], *, shown: int = SHOWN) -> Json:
    """POs with their packages, the latest quantities, the last calls: the newest `shown` of each, and counts.

    Never a key: what a call was made with is not in its record.
    """
    with state.lock:
        names = {id_text(one["id"]): one["name"] for one in state.ship_classes}
        pos = list(state.pos.values())
        advised = {
            (effect.vendor_id, effect.key): effect.at
            for effect in state.effects
            if "quantity" in effect.value
        }
        return {
            "pos": [_po(one, names) for one in _last(pos, shown)],
            "po_counts": dict(sorted(Counter(str(po["status"]) for po in pos).items())),
            "quantities": [
                {
                    "vendor_id": vendor_id,
                    "vpc": vpc,
                    "quantity": record.get("quantity"),
                    "at": advised.get((vendor_id, vpc)),
                }
                for (vendor_id, vpc), record in _last(list(state.advice.items()), shown)
            ],
            "quantity_count": len(state.advice),
            "calls": [_call(call) for call in _last(calls, shown)],
            "call_count": len(calls),
            "ship_class_count": len(names),
        }


def _last(all_of_it: list[Any], shown: int) -> list[Any]:
    return all_of_it[-shown:] if shown else []


def _po(po: Json, class_names: dict[str | None, str]) -> Json:
    """A PO as it stands, its packages with the name that their class has now (None: no such class any more)."""
    packages = [
        one | {"ship_class_name": class_names.get(id_text(one.get("ship_class_id")))}
        for one in po.get("packages", [])
    ]
    units = sum(whole_number(item.get("quantity")) or 0 for item in po["items"])
    return copy.deepcopy(po | {"units": units, "packages": packages})


def _call(call: RecordedCall) -> Json:
    return {
        "seq": call.seq,
        "received_at": call.received_at.isoformat().replace("+00:00", "Z"),
        "action": call.action or call.path,
        "status": call.status,
        "error": _error_in(call.answer),
        "effect_count": call.effect_count,
        "faults": list(call.faults),
    }


def _error_in(answer: bytes) -> str | None:
    if b'"ERROR"' not in answer:
        return None
    try:
        return str(json.loads(answer)["ERROR"])
    except (ValueError, RecursionError, KeyError, TypeError):
        return None


def page(seen: Json, *, about: str) -> str:
    """The page for what `look` gave; `about` is a line on the sandbox itself."""
    parts = [
        "RetailOps sandbox. Everything here is made up; nothing leaves this machine.",
        about,
        _pos(seen),
        _quantities(seen),
        _calls(seen),
        "The same as JSON: /_sandbox/view. More of each: ?shown=N. What is assumed: /_sandbox/assumptions.",
    ]
    return "\n\n".join(parts) + "\n"


def _pos(seen: Json) -> str:
    counts = seen["po_counts"]
    lines = ["PURCHASE ORDERS: " + (", ".join(f"{n} {status}" for status, n in counts.items()) or "none")]
    for po in seen["pos"]:
        date = f", ships {_plain(po['estimated_ship_date'])}" if po.get("estimated_ship_date") else ""
        lines.append(
            f"  {_plain(po['po']):<14} vendor {_plain(po['vendor_id']):<6} {_plain(po['status']):<10} "
            f"{len(po['items'])} items, {po['units']} units, due {_plain(po.get('date_submit', '-'))}{date}"
        )
        if po.get("accepted_items"):
            lines.append("      accepted: " + _counted(po["accepted_items"], "po_item_id"))
        lines += [_package(package) for package in po["packages"]]
    return "\n".join([*lines, *_rest(sum(counts.values()), seen["pos"])])


def _package(package: Json) -> str:
    name = package["ship_class_name"] or "no such class any more"
    return (
        f"      package {_plain(package.get('tracking_number'))}: {_plain(name)} "
        f"({_plain(package.get('ship_class_id'))}), {_plain(package.get('unit_count'))} units: "
        f"{_counted(package.get('items'), 'vpc')}"
    )


def _counted(items: Any, name: str) -> str:
    listed = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return ", ".join(f"{_plain(item.get(name))} x {_plain(item.get('quantity'))}" for item in listed)


def _quantities(seen: Json) -> str:
    lines = [f"INVENTORY ADVICE: {seen['quantity_count']} VPCs"]
    lines += [
        f"  vendor {one['vendor_id']:<6} {one['vpc']!r:<24} {_plain(one['quantity']):<8} {one['at'] or ''}".rstrip()
        for one in seen["quantities"]
    ]
    return "\n".join([*lines, *_rest(seen["quantity_count"], seen["quantities"])])


def _calls(seen: Json) -> str:
    lines = [f"CALLS since it was started: {seen['call_count']}"]
    for call in seen["calls"]:
        fault = f" fault {', '.join(call['faults'])}" if call["faults"] else ""
        status = call["status"] if call["status"] is not None else "no answer"
        error = f": {_plain(call['error'])}" if call["error"] else ""
        lines.append(
            f"  #{call['seq']:<5} {call['received_at'][11:19]} {_plain(call['action'])} {status}, "
            f"{call['effect_count']} changes{fault}{error}"
        )
    return "\n".join([*lines, *_rest(seen["call_count"], seen["calls"])])


def _plain(value: Any) -> str:
    """A value as one line of text: what a call sent may hold line breaks."""
    text = as_text(value)
    return repr(value) if text is None or not text.isprintable() else text


def _rest(count: int, shown: list[Any]) -> list[str]:
    return [f"  … {count - len(shown)} earlier ones"] if count > len(shown) else []
