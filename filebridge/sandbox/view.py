"""The page of the sandbox: what RetailOps would show its people, as plain text."""

from collections import Counter

from filebridge.sandbox.calls import RecordedCall
from filebridge.sandbox.settings import Settings
from filebridge.sandbox.state import State
from filebridge.sandbox.values import whole_number

_SHOWN = 25


def page(state: State, calls: list[RecordedCall], settings: Settings, *, waiting: int, faults: int) -> str:
    """POs by status, the latest quantities, the last calls; never the key."""
    with state.lock:
        parts = [
            "RetailOps sandbox. Everything here is made up; nothing leaves this machine.",
            f"Answers held: {waiting}. Faults waiting: {faults}. Settings: {_settings(settings)}",
            _pos(state),
            _advice(state),
        ]
    return "\n\n".join([*parts, _calls(calls)]) + "\n"


def _settings(settings: Settings) -> str:
    shown = settings.as_json()
    return ", ".join(f"{name}={value}" for name, value in shown.items())


def _pos(state: State) -> str:
    counts = Counter(str(po["status"]) for po in state.pos.values())
    lines = [
        "PURCHASE ORDERS: " + (", ".join(f"{n} {status}" for status, n in sorted(counts.items())) or "none")
    ]
    for po in list(state.pos.values())[:_SHOWN]:
        units = sum(whole_number(item.get("quantity")) or 0 for item in po["items"])
        lines.append(
            f"  {po['po']:<14} vendor {po['vendor_id']!s:<6} {po['status']:<10} "
            f"{len(po['items'])} items, {units} units, due {po.get('date_submit', '-')}"
        )
    return "\n".join([*lines, *_rest(len(state.pos))])


def _advice(state: State) -> str:
    lines = [f"INVENTORY ADVICE: {len(state.advice)} VPCs"]
    for (vendor_id, vpc), record in list(state.advice.items())[-_SHOWN:]:
        lines.append(f"  vendor {vendor_id:<6} {vpc!r:<24} {record.get('quantity')}")
    return "\n".join([*lines, *_rest(len(state.advice))])


def _calls(calls: list[RecordedCall]) -> str:
    lines = [f"CALLS: {len(calls)}"]
    for call in calls[-_SHOWN:]:
        fault = f" fault {', '.join(call.faults)}" if call.faults else ""
        status = call.status if call.status is not None else "no answer"
        lines.append(
            f"  #{call.seq:<5} {call.received_at:%H:%M:%S} {call.action or call.path} {status}, "
            f"{call.effect_count} changes{fault}"
        )
    return "\n".join([*lines, *_rest(len(calls))])


def _rest(count: int) -> list[str]:
    return [f"  … {count - _SHOWN} more"] if count > _SHOWN else []
