"""A file about POs at work: each row's end, PO by PO, and the plan that comes of them.

A PO is sent whole or not at all: where one of its rows is rejected, the others are too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa

from filebridge.columns import int_array, pack, text_column
from filebridge.documents.po_rows import PoRow
from filebridge.mapping.headers import ResolvedColumns, resolve_columns
from filebridge.mapping.mapped import BY_RECORD, MappedFile, RowRuns
from filebridge.mapping.model import Mapping as Feed
from filebridge.outcomes import OUTCOME_CODES, Outcome
from filebridge.planning.batches import MOST_RECORDS
from filebridge.planning.guards import TEST_VENDOR, header_changes, too_many_rejects
from filebridge.planning.known import FileFacts, KnownFeed
from filebridge.planning.known_pos import KnownPo, KnownPos
from filebridge.planning.plan import Action, Hold, Plan, PlannedCall
from filebridge.rejects import Reject

Items = Sequence[tuple[int | str, int]]
"""(po_item_id as RetailOps sent it, units)."""


class Wire(Protocol):
    """How records are written for RetailOps: `retailops.wire`."""

    def mark_record(self, po: str, items: Items, /) -> str:
        """A record of MarkSubmitted and MarkAccepted."""
        ...

    def ship_date_record(self, po: str, at: int, items: Items, /) -> str:
        """A record of UpdateEstShipDate; `at` is microseconds UTC."""
        ...

    def complete_body(
        self, po: str, packages: Sequence[tuple[int | str, str, Sequence[tuple[str, int]]]], /
    ) -> str:
        """The body of Complete: packages of class id, tracking number, and units of VPCs."""
        ...


@dataclass(frozen=True)
class PoRecord:
    """One record of a call to be: the PO's number in the file, the PO, and the record as it is sent."""

    number: int
    po: str
    text: str


@dataclass
class PoGroup:
    """The rows of one PO that could be read, and what the past says of it."""

    number: int
    po: str
    rows: list[PoRow]
    bad_row: int = 0
    """A row of this PO that could not be read, 0 where there is none."""


@dataclass
class PoFile:
    """What is told of the file, and what is found out of each of its rows."""

    mapped: MappedFile
    rows: Sequence[PoRow]
    facts: FileFacts
    feed: Feed
    known: KnownPos
    wire: Wire
    calls: list[PlannedCall] = field(default_factory=list)
    replaces: list[int] = field(default_factory=list)
    _ends: dict[int, int] = field(default_factory=dict)
    _rejects: dict[int, list[Reject]] = field(default_factory=dict)
    _carried: dict[int, int] = field(default_factory=dict)
    _headers: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._headers = _headers_of(self.mapped, self.feed)

    def groups(self) -> Iterator[PoGroup]:
        """The POs of the file in the order of their first rows."""
        bad = dict(zip(self.mapped.rejected_keys, self.mapped.rejected_key_rows, strict=True))
        found: dict[str, PoGroup] = {}
        for row in self.rows:
            group = found.get(row.po)
            if group is None:
                group = found[row.po] = PoGroup(len(found), row.po, [], bad.get(row.po, 0))
            group.rows.append(row)
        yield from found.values()

    def known_po(self, group: PoGroup) -> KnownPo | None:
        """The group's PO; None where there is none, which its rows are then told."""
        known = self.known.known.get(group.po)
        if known is not None:
            return known
        for row in group.rows:
            if group.po in self.known.unknown:
                message = f"RetailOps has no PO {group.po} of this vendor; it may have been cancelled."
                self.reject(row, "unknown_po", message, field="po", value=row.po)
            else:
                self.leave(row, "not_fetched", f"PO {group.po} is not looked up yet; `run` asks RetailOps.")
        if group.po in self.known.unknown:
            self.reject_rest(group)
        return None

    # What becomes of rows

    def reject(self, row: PoRow, code: str, message: str, *, field: str = "", value: str = "") -> None:
        """A row cannot go, for this reason; it may have several."""
        reject = Reject(row.row, code, message, self._headers.get(field, ""), value[:200])
        self._rejects.setdefault(row.row, []).append(reject)
        self._ends[row.row] = OUTCOME_CODES[Outcome.REJECTED]

    def leave(self, row: PoRow, code: str, message: str) -> None:
        """A row cannot be judged before something is looked up (preview alone)."""
        self._rejects.setdefault(row.row, []).append(Reject(row.row, code, message))
        self._ends[row.row] = OUTCOME_CODES[Outcome.PENDING]

    def settle(self, rows: Sequence[PoRow], outcome: Outcome) -> None:
        """Rows have their end without a call."""
        for row in rows:
            self._ends[row.row] = OUTCOME_CODES[outcome]

    def is_rejected(self, row: PoRow) -> bool:
        """Whether something stands against the row already."""
        return row.row in self._rejects

    def reject_rest(self, group: PoGroup) -> bool:
        """Where a row of the PO is rejected, its others are, too; whether that is so."""
        bad = group.bad_row or next((row.row for row in group.rows if self.is_rejected(row)), 0)
        if not bad:
            return False
        for row in group.rows:
            if not self.is_rejected(row):
                message = (
                    f"Row {bad} of PO {group.po} was rejected, and a PO is sent whole or not at all. "
                    "Correct that row and drop all rows of the PO."
                )
                self.reject(row, "group_rejected", message)
        return True

    # Calls

    def wait(self, group: PoGroup, rows: Sequence[PoRow], action: Action, record: str, hold: Hold) -> None:
        """Keep what rows say of a PO until more is known."""
        self._carry(group, rows, action, [PoRecord(group.number, group.po, record)], waits=hold)

    def follow(
        self,
        group: PoGroup,
        rows: Sequence[PoRow],
        action: Action,
        record: str,
        call_id: int,
        *,
        waits: Hold | None = None,
    ) -> None:
        """Rows say what a call of an earlier file says, whose answer is owed, or which `waits`: they have its end."""
        self._carry(
            group, rows, action, [PoRecord(group.number, group.po, record)], follows=call_id, waits=waits
        )

    def send(
        self, group: PoGroup, rows: Sequence[PoRow], action: Action, record: str, joins: Sequence[int] = ()
    ) -> None:
        """Send one record in a call of its own, carrying along what waited."""
        self._carry(group, rows, action, [PoRecord(group.number, group.po, record)], joins=tuple(joins))

    def send_together(
        self, action: Action, records: Sequence[PoRecord], joins: Mapping[str, Sequence[int]]
    ) -> None:
        """Send records in as few calls as RetailOps takes; `joins` by PO is what waited of it."""
        rows_of = Counter(self._carried.values())
        for start in range(0, len(records), MOST_RECORDS):
            some = records[start : start + MOST_RECORDS]
            pos = tuple(dict.fromkeys(record.po for record in some))
            self.calls.append(
                PlannedCall(
                    action=action,
                    records=len(some),
                    rows=sum(rows_of[number] for number in {record.number for record in some}),
                    block=block_of(some),
                    order_at=self.facts.received_at,
                    pos=pos,
                    joins=tuple(call_id for po in pos for call_id in joins.get(po, ())),
                )
            )

    def carry(self, group: PoGroup, rows: Sequence[PoRow]) -> None:
        """Rows have the end of the call that carries their PO."""
        for row in rows:
            self._ends[row.row] = BY_RECORD
            self._carried[row.row] = group.number

    def _carry(
        self,
        group: PoGroup,
        rows: Sequence[PoRow],
        action: Action,
        records: Sequence[PoRecord],
        *,
        waits: Hold | None = None,
        follows: int = 0,
        joins: tuple[int, ...] = (),
    ) -> None:
        self.carry(group, rows)
        self.calls.append(
            PlannedCall(
                action=action,
                records=len(records),
                rows=len(rows),
                block=block_of(records),
                order_at=self.facts.received_at,
                pos=(group.po,),
                waits=waits,
                joins=joins,
                follows=follows,
            )
        )

    # The plan

    def plan(self, feed: KnownFeed) -> Plan:
        """The plan, once every PO was looked at."""
        mapped, facts = self.mapped, self.facts
        notes = () if facts.correction else header_changes(mapped.headers, feed)
        runs = self._runs()
        rejects = tuple(reject for row in sorted(self._rejects) for reject in self._rejects[row])
        refused = mapped.refused or too_many_rejects(runs, self.feed)
        if refused:
            everything = runs.all_as(Outcome.REJECTED)
            return Plan(calls=(), runs=everything, refused=refused, notes=notes, rejects=rejects)
        if facts.test:
            held = runs.all_as(Outcome.HELD, but=(Outcome.REJECTED,))
            return Plan(calls=(), runs=held, hold=TEST_VENDOR, notes=notes, rejects=rejects)
        duplicate = not self.calls and not facts.correction and facts.sha256 == feed.last_sha256
        return Plan(
            calls=tuple(self.calls),
            runs=runs,
            order_at=facts.received_at,
            duplicate_of=feed.last_id if duplicate else "",
            notes=notes,
            rejects=rejects,
            replaces=tuple(self.replaces),
        )

    def _runs(self) -> RowRuns:
        rows, outcomes, records = self.mapped.runs.rows()
        outcomes, records = outcomes.copy(), records.copy()
        for place in np.flatnonzero(outcomes == BY_RECORD).tolist():
            row = int(rows[place])
            outcomes[place] = self._ends[row]
            records[place] = self._carried[row] if self._ends[row] == BY_RECORD else -1
        return RowRuns.of_rows(rows, outcomes, records)


def block_of(records: Sequence[PoRecord]) -> bytes:
    """The block of a call that carries these records."""
    numbers = np.array([record.number for record in records], dtype=np.int32)
    return pack(
        pa.RecordBatch.from_arrays(
            [text_column([record.text for record in records]), int_array(numbers)],
            names=["records", "record"],
        )
    )


def _headers_of(mapped: MappedFile, feed: Feed) -> dict[str, str]:
    """The vendor's header of each mapped field, for rejects that name a column."""
    columns = resolve_columns(mapped.headers, feed.fields, has_header=bool(mapped.how.header_row))
    if not isinstance(columns, ResolvedColumns):
        return {}
    return {name: mapped.headers[places[0]] for name, places in columns.places.items() if places}
