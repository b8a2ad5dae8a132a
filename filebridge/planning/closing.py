"""A PO that a person closes short: what waits of it is sent as if it were all. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from filebridge.planning.known_pos import Acknowledged, KnownPo, Shipped, Waiting
from filebridge.planning.plan import Action, PlannedCall
from filebridge.planning.po_file import PoRecord, Wire, block_of
from filebridge.planning.ship_dates import dated_records, items_of
from filebridge.planning.shipments import packages_of

_OF_NO_ROW: Final = -1
"""The rows are those of the calls that it carries along."""


def close_short(known: KnownPo, wire: Wire) -> list[PlannedCall]:
    """The calls that send what waits of a PO for its other rows, in the order of its way; none where nothing does.

    What waits for another reason, such as an item that the vendor refuses, stays.
    """
    calls: list[PlannedCall] = []
    waits = _partial(known.submissions_waiting)
    if waits:
        said: list[Acknowledged] = [line for one in waits for line in one.acknowledged()]
        calls.append(
            _call(known, Action.MARK_SUBMITTED, [wire.mark_record(known.po, items_of(known, said))], waits)
        )
    waits = _partial(known.acknowledgements_waiting)
    if waits:
        said = [line for one in waits for line in one.acknowledged()]
        calls.append(
            _call(known, Action.MARK_ACCEPTED, [wire.mark_record(known.po, items_of(known, said))], waits)
        )
        dates = dated_records(wire, _OF_NO_ROW, known, said)
        if dates:
            calls.append(_call(known, Action.UPDATE_EST_SHIP_DATE, [date.text for date in dates], ()))
    waits = _partial(known.shipments_waiting)
    if waits:
        shipped: list[Shipped] = [line for one in waits for line in one.shipped()]
        calls.append(
            _call(known, Action.COMPLETE, [wire.complete_body(known.po, packages_of(shipped))], waits)
        )
    return calls


def _partial(waits: Sequence[Waiting]) -> tuple[Waiting, ...]:
    return tuple(one for one in waits if one.code == "partial_shipment")


def _call(known: KnownPo, action: Action, texts: Sequence[str], waits: Sequence[Waiting]) -> PlannedCall:
    records = [PoRecord(_OF_NO_ROW, known.po, text) for text in texts]
    return PlannedCall(
        action=action,
        records=len(records),
        rows=0,
        block=block_of(records),
        pos=(known.po,),
        joins=tuple(one.call_id for one in waits),
    )
