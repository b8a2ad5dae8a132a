"""Where POs stand at RetailOps: what an uncertain mark of theirs is settled by (FAILURES 3.4)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from filebridge.delivery.refusals import Part
from filebridge.errors import CallRefused
from filebridge.ledger.orders import EVERY_STATUS, STATUS_AFTER
from filebridge.ledger.schema import CallState
from filebridge.planning.plan import Action
from filebridge.retailops.client import RetailOps
from filebridge.retailops.reading import po_of, status_of


class Standing(StrEnum):
    """What a PO's status means for a mark of it."""

    NOT_APPLIED = "not_applied"
    APPLIED = "applied"
    """Or the PO is further on its way than that."""
    GONE = "gone"
    """Cancelled, or in no status at all."""


@dataclass(frozen=True)
class Found:
    """How a PO stands, and a sentence that says so."""

    standing: Standing
    sentence: str


_ENDS: Final[Mapping[Standing, CallState]] = {
    Standing.APPLIED: CallState.CONFIRMED,
    Standing.GONE: CallState.DROPPED,
    Standing.NOT_APPLIED: CallState.PLANNED,
}
_CANCELLED: Final = ("canceled", "cancelled")


def look_up(client: RetailOps, vendor_id: str, action: Action, pos: Set[str]) -> dict[str, Found]:
    """How each of these POs stands now, as against a mark that is not repeated blind.

    Raises RetailOpsUnreachable, KeyRefused, CallRefused.
    """
    found: dict[str, Found] = {}
    for standing, statuses in _asked(action):
        found.update(_ask(client, vendor_id, statuses, standing, wanted=pos - found.keys()))
    # RetailOps may have another word for it; a PO that is nowhere else is gone all the same.
    with contextlib.suppress(CallRefused):
        found.update(_ask(client, vendor_id, _CANCELLED, Standing.GONE, wanted=pos - found.keys()))
    gone = Found(Standing.GONE, "RetailOps has no such PO any more, in any status.")
    return {po: found.get(po, gone) for po in pos}


def parts_by_look(found: Sequence[Found]) -> list[Part]:
    """The records of a mark by how their POs stand: applied ones are confirmed, gone ones dropped."""
    by_end: dict[tuple[CallState, str], list[int]] = {}
    for place, one in enumerate(found):
        words = one.sentence if one.standing is Standing.GONE else ""
        by_end.setdefault((_ENDS[one.standing], words), []).append(place)
    return [Part(places, state, words) for (state, words), places in by_end.items()]


def _asked(action: Action) -> Iterator[tuple[Standing, tuple[str, ...]]]:
    """What statuses mean, in the order of asking: most look-ups end with the first two.

    Complete POs come last, since they only grow in number.
    """
    first = EVERY_STATUS.index(STATUS_AFTER[action])
    yield Standing.NOT_APPLIED, EVERY_STATUS[:first]
    if EVERY_STATUS[first:-1]:
        yield Standing.APPLIED, EVERY_STATUS[first:-1]
    yield Standing.APPLIED, EVERY_STATUS[-1:]


def _ask(
    client: RetailOps, vendor_id: str, statuses: tuple[str, ...], standing: Standing, *, wanted: Set[str]
) -> dict[str, Found]:
    if not wanted:
        return {}
    found: dict[str, Found] = {}
    for record in client.fetch_orders(vendor_id, statuses, wanted=wanted):
        po = po_of(record)
        if po in wanted:
            status = status_of(record) or statuses[0]
            found[po] = Found(standing, f"RetailOps has PO {po} in status {status}.")
    return found
