"""What is to be sent of an acknowledgements or a submissions file: POs accepted, with their dates, or submitted.

Both finalise something of a whole PO, so that a PO of which a file names only a part waits for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from filebridge.documents.po_rows import PoRow
from filebridge.outcomes import Outcome
from filebridge.planning.joining import Line, join_waiting, wait_for_rest
from filebridge.planning.known import KnownFeed
from filebridge.planning.known_pos import (
    ACCEPTED,
    SUBMITTED,
    Acknowledged,
    KnownPo,
    Mark,
    Waiting,
    summed,
    units,
    waiting_record,
)
from filebridge.planning.plan import Action, Hold, Plan
from filebridge.planning.po_file import PoFile, PoGroup, PoRecord
from filebridge.planning.po_items import read_items, reject_beyond
from filebridge.planning.ship_dates import dated_records, items_of, new_dates

_STATUSES: Final = ("accepted", "backordered", "rejected")


_Line = Line[Acknowledged]


@dataclass
class _Outgoing:
    """What goes out in as few calls as can be."""

    marks: list[PoRecord] = field(default_factory=list)
    dates: list[PoRecord] = field(default_factory=list)
    joins: dict[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Kind:
    """Which call, and what of a PO tells that it was made."""

    action: Action
    done: frozenset[str]
    word: str
    needs_quantity: bool

    def newest_mark(self, known: KnownPo) -> Mark | None:
        marks = known.acceptances if self.action is Action.MARK_ACCEPTED else known.submissions
        return marks[-1] if marks else None

    def waiting_of(self, known: KnownPo) -> tuple[Waiting, ...]:
        accepts = self.action is Action.MARK_ACCEPTED
        return known.acknowledgements_waiting if accepts else known.submissions_waiting


_ACCEPT: Final = _Kind(Action.MARK_ACCEPTED, ACCEPTED, "accepted", needs_quantity=True)
_SUBMIT: Final = _Kind(Action.MARK_SUBMITTED, SUBMITTED, "submitted", needs_quantity=False)


def plan_acknowledgements(file: PoFile, feed: KnownFeed) -> Plan:
    """The plan of one acknowledgements file."""
    return _plan(file, feed, _ACCEPT)


def plan_submissions(file: PoFile, feed: KnownFeed) -> Plan:
    """The plan of one submissions file."""
    return _plan(file, feed, _SUBMIT)


def _plan(file: PoFile, feed: KnownFeed, kind: _Kind) -> Plan:
    out = _Outgoing()
    for group in file.groups():
        known = file.known_po(group)
        if known is not None:
            _plan_po(file, group, known, kind, out)
    file.send_together(kind.action, out.marks, out.joins)
    # After the acceptances: a date of a PO that is not accepted yet may be lost with its next change.
    file.send_together(Action.UPDATE_EST_SHIP_DATE, out.dates, {})
    return file.plan(feed)


def _plan_po(file: PoFile, group: PoGroup, known: KnownPo, kind: _Kind, out: _Outgoing) -> None:
    lines = _lines(file, group, known, kind)
    if kind.newest_mark(known) is not None or known.status in kind.done:
        _already(file, group, known, lines, kind=kind, out=out)
        return
    waits = [(waiting, waiting.acknowledged()) for waiting in kind.waiting_of(known)]
    joined = join_waiting(
        file, waits, lines, room={str(item.po_item_id): item.quantity for item in known.items}
    )
    vpcs = {str(item.po_item_id): item.vpc for item in known.items}
    reject_beyond(
        file,
        group,
        known,
        [(line.row, vpcs[line.said.item_id], line.said.quantity) for line in joined.lines],
        elsewhere=summed(
            (vpcs.get(said.item_id, f"item {said.item_id}"), said.quantity) for said in joined.before
        ),
        files=joined.files,
    )
    if file.reject_rest(group):
        return
    file.replaces += joined.replaces
    whole = joined.whole()
    hold = _hold(file, group, known, whole, kind)
    if hold is not None:
        wait_for_rest(file, group, kind.action, joined, hold)
        return
    file.carry(group, group.rows)
    items = items_of(known, whole)
    out.marks.append(PoRecord(group.number, group.po, file.wire.mark_record(group.po, items)))
    out.joins[group.po] = joined.joins
    out.dates += dated_records(file.wire, group.number, known, whole)


def _lines(file: PoFile, group: PoGroup, known: KnownPo, kind: _Kind) -> list[_Line]:
    statuses = {row.row: _status_of(file, row) for row in group.rows}
    refusing = {row for row, status in statuses.items() if status in {"backordered", "rejected"}}
    return [
        Line(
            one.row,
            Acknowledged(
                str(one.item.po_item_id), one.quantity, one.row.estimated_ship_date, statuses[one.row.row]
            ),
        )
        for one in read_items(file, group, known, needs_quantity=kind.needs_quantity, refusing=refusing)
    ]


def _status_of(file: PoFile, row: PoRow) -> str:
    status = row.status.strip().casefold() or "accepted"
    if status not in _STATUSES:
        message = (
            f"{row.status!r} is no status of an acknowledgement: write accepted, backordered or rejected, or add it "
            "to `values:` of the mapping."
        )
        file.reject(row, "not_in_crosswalk", message, field="status", value=row.status)
    return status


def _has_no_call(said: Acknowledged) -> bool:
    """Whether a vendor says what RetailOps can only be told by a person."""
    return said.status == "rejected" or (said.status == "backordered" and said.ships_at is None)


def _hold(
    file: PoFile, group: PoGroup, known: KnownPo, lines: Sequence[Acknowledged], kind: _Kind
) -> Hold | None:
    """Why nothing is sent of the PO yet."""
    refused = [line.item_id for line in lines if line.status == "rejected"]
    late = [line.item_id for line in lines if _has_no_call(line) and line.status != "rejected"]
    if refused or late:
        what = "refuses" if refused else "has back-ordered, without a date,"
        vpcs = {str(item.po_item_id): item.vpc for item in known.items}
        items = ", ".join(
            f"{vpcs.get(one, '')} (item {one})".strip() for one in dict.fromkeys(refused or late)
        )
        return Hold(
            "refused_by_vendor",
            f"The vendor {what} {items} of PO {group.po}. There is no call for that: tell the retailer; nothing is "
            "sent of the PO.",
        )
    totals = summed((line.item_id, line.quantity) for line in lines)
    short = [(item, item.quantity - totals.get(str(item.po_item_id), 0)) for item in known.items]
    missing = ", ".join(f"{units(count)} of {item.vpc}" for item, count in short if count > 0)
    if missing and file.feed.partial == "hold":
        return Hold(
            "partial_shipment",
            f"PO {group.po} waits for its other rows: it is {kind.word} as a whole, and {missing} to come.",
        )
    return None


def _already(
    file: PoFile,
    group: PoGroup,
    known: KnownPo,
    lines: Sequence[_Line],
    *,
    kind: _Kind,
    out: _Outgoing,
) -> None:
    """Rows of a PO that is marked already, or is being marked: a date may be new."""
    mark = kind.newest_mark(known)
    vpcs = {str(item.po_item_id): item.vpc for item in known.items}
    reject_beyond(
        file, group, known, [(line.row, vpcs[line.said.item_id], line.said.quantity) for line in lines]
    )
    refusals = [line for line in lines if _has_no_call(line.said)]
    for line in refusals:
        message = (
            f"PO {group.po} is {kind.word} already, and that cannot be taken back here: tell the retailer."
        )
        file.reject(line.row, "too_many_units", message, field="status", value=line.row.status)
    if mark is not None:
        stated = summed((line.said.item_id, line.said.quantity) for line in lines)
        for line in lines:
            if stated[line.said.item_id] > mark.units.get(line.said.item_id, 0) and line not in refusals:
                message = (
                    f"PO {group.po} was {kind.word} with {units(mark.units.get(line.said.item_id, 0))} of item "
                    f"{line.said.item_id}, and that is final."
                )
                file.reject(line.row, "too_many_units", message, field="quantity")
    if file.reject_rest(group):
        return
    said = [line.said for line in lines]
    dates = new_dates(known, said, again=file.facts.forced)
    if dates:
        file.carry(group, group.rows)
        out.dates += dated_records(file.wire, group.number, known, dates)
    elif mark is not None and mark.is_open:
        file.follow(group, group.rows, kind.action, waiting_record(group.po, said), mark.call_id)
    else:
        file.settle(group.rows, Outcome.UNCHANGED)
