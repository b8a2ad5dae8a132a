"""`Receipt`: our answer to a file, a pure function of the ledger (DESIGN section 9)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import orjson
import sqlalchemy as sa

from filebridge.clock import iso
from filebridge.columns import as_ints, unpack
from filebridge.ledger.calls import counts_of
from filebridge.ledger.files import FileRow, file_row
from filebridge.ledger.po_waits import carriers_of, waiting_in
from filebridge.ledger.rows import every_row, outcomes_of, rejected_rows, rows_of_calls, status_of_file
from filebridge.ledger.schema import CallState
from filebridge.mapping.mapped import BY_RECORD, MappedFile, RowRuns
from filebridge.outcomes import OUTCOME_BY_CODE, OUTCOME_CODES, FileStatus, Outcome, status_of, tally
from filebridge.planning.plan import Hold, Plan, hold_of
from filebridge.rejects import Note, Reject

FOR_ITS_ROWS: Final = "too_many_rejects"
"""The one code of a file that is refused for what its rows hold: they are corrected in its reject file."""
LISTED: Final = 100
"""Reasons that a receipt lists; the reject file has them all."""

_REJECTED: Final = OUTCOME_CODES[Outcome.REJECTED]


@dataclass(frozen=True)
class HeldPo:
    """A PO of which rows of the file are kept: `code` and `message` say for what they wait.

    `rows` are those of this file, told of the first LISTED POs. `since` is when the first rows of the PO came, of
    any file, and `until` how long they may wait; microseconds UTC, None where that is not known or not limited.
    """

    po: str
    code: str
    message: str
    rows: tuple[int, ...] = ()
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True)
class Receipt:
    """What became of one file. Times are microseconds UTC, None where no call was sent.

    `outcomes` add up to `rows`. `rejects` are the first LISTED reasons, in order of rows. `reject_file` is the
    one in the sender's format, below `replies/`; empty where there is none.
    """

    file_id: str
    name: str
    sha256: str
    received_at: int
    rows: int
    vendor: str
    document: str
    mapping: str
    status: FileStatus
    outcomes: Mapping[Outcome, int]
    rejects: tuple[Reject, ...] = ()
    reject_file: str = ""
    zeroed: int = 0
    zeroing_refused: bool = False
    notes: tuple[Note, ...] = ()
    calls: int = 0
    first_call_at: int | None = None
    last_call_at: int | None = None
    held_for: Hold | None = None
    waiting: tuple[HeldPo, ...] = ()
    """The POs of which rows wait, where that is not for a decision on the file as a whole."""
    carried_by: tuple[str, ...] = ()
    """Files, each `NAME (ID)`, in whose calls rows of this one went, or go."""
    refused: bool = False
    """There is a reason against the file as a whole: the first of `notes`."""
    corrects: str = ""
    preview: bool = False
    unjudged: int = 0
    """In a preview: rows that are pending because RetailOps must be asked before they can be judged."""

    @property
    def rejected(self) -> int:
        """Rows that were rejected."""
        return self.outcomes.get(Outcome.REJECTED, 0)

    @property
    def is_sent_again(self) -> bool:
        """Whether it was refused, or given up, as a whole: what mends that is to send it again, if anything."""
        return self.refused and self.status is FileStatus.REJECTED and self.notes[0].code != FOR_ITS_ROWS

    def as_json(self) -> dict[str, Any]:
        """The receipt as its JSON, keys in their stable order; what is not there is null."""
        held = self.held_for
        receipt: dict[str, Any] = {
            "file": {
                "id": self.file_id,
                "name": self.name,
                "sha256": self.sha256,
                "received_at": iso(self.received_at),
                "rows": self.rows,
            },
            "vendor": self.vendor,
            "document": self.document or None,
            "mapping": self.mapping or None,
            "status": self.status.value,
            "outcomes": {outcome.value: count for outcome, count in self.outcomes.items()},
            "rejects": [reject_as_json(reject) for reject in self.rejects],
            "reject_file": self.reject_file or None,
            "zeroed": {"count": self.zeroed, "refused": self.zeroing_refused},
            "notes": [{"code": note.code, "message": note.message} for note in self.notes],
            "calls": {
                "count": self.calls,
                "first": _instant(self.first_call_at),
                "last": _instant(self.last_call_at),
            },
            "held_for": {"code": held.code, "message": held.message} if held else None,
        }
        if self.waiting:
            receipt["waiting"] = [_waiting_as_json(one) for one in self.waiting[:LISTED]]
        return {"preview": True, **receipt} if self.preview else receipt

    def to_bytes(self) -> bytes:
        """The receipt as a JSON file: UTF-8, indented, with a line end at its end."""
        return orjson.dumps(self.as_json(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def build_receipt(
    connection: sa.Connection, file_id: str, *, hold_for: Mapping[str, int] = MappingProxyType({})
) -> Receipt:
    """The receipt of a file as its rows are now. Raises KeyError where there is no such file.

    `hold_for` says, by feed, how long rows may wait for the others of their PO, in microseconds.
    """
    found = file_row(connection, file_id)
    outcomes = outcomes_of(connection, file_id)
    calls = counts_of(connection, file_id)
    status = status_of_file(connection, file_id)
    reasons: Iterator[Reject] = iter(())
    if outcomes.get(Outcome.REJECTED):
        reasons = (reason for row in rejected_rows(connection, file_id) for reason in row.reasons)
    is_held = outcomes.get(Outcome.HELD) or status is FileStatus.HELD
    return Receipt(
        file_id=found.id,
        name=found.name,
        sha256=found.sha256,
        received_at=found.received_at,
        rows=found.rows,
        vendor=found.vendor,
        document=found.document,
        mapping=found.mapping,
        status=status,
        outcomes=outcomes,
        rejects=tuple(islice(reasons, LISTED)),
        reject_file=found.reject_file,
        zeroed=found.zeroed,
        zeroing_refused=found.zeroing_refused,
        notes=_notes(found),
        calls=calls.count,
        first_call_at=calls.first_at,
        last_call_at=calls.last_at,
        held_for=_held_for(connection, found) if is_held else None,
        waiting=tuple(_waiting(connection, file_id, hold_for)) if outcomes.get(Outcome.HELD) else (),
        carried_by=tuple(_carried_by(connection, file_id)) if found.document != "inventory" else (),
        refused=bool(found.code),
        corrects=found.corrects,
    )


def _carried_by(connection: sa.Connection, file_id: str) -> Iterator[str]:
    carriers = carriers_of(connection, file_id).values()
    sent = (one for one in carriers if one.state is not CallState.WAITING and one.file_id != file_id)
    yield from dict.fromkeys(f"{one.file_name} ({one.file_id})" for one in sent if one.file_id)


def _held_for(connection: sa.Connection, found: FileRow) -> Hold | None:
    if found.hold_code:
        return Hold(found.hold_code, found.hold_message)
    held = every_row(connection, found.id, outcomes=(Outcome.HELD,))
    reasons = dict.fromkeys((reason.code, reason.message) for row in held for reason in row.reasons)
    return hold_of([Hold(code, message) for code, message in reasons])


def _waiting(connection: sa.Connection, file_id: str, hold_for: Mapping[str, int]) -> Iterator[HeldPo]:
    found = waiting_in(connection, file_id)
    listed = [call_id for one in found[:LISTED] for call_id in one.call_ids]
    rows = rows_of_calls(connection, file_id, listed) if listed else {}
    for one in found:
        own = sorted({row for call_id in one.call_ids for row in rows.get(call_id, ())})
        waits = one.of
        yield HeldPo(waits.po, waits.code, waits.message, tuple(own), waits.since, waits.until(hold_for))


def receipt_of_plan(
    mapped: MappedFile,
    plan: Plan,
    *,
    file_id: str,
    name: str,
    sha256: str,
    received_at: int,
    vendor: str,
    mapping: str,
    rejects: Iterable[Reject],
    corrects: str = "",
) -> Receipt:
    """The receipt that `preview` prints: what would become of a file, without a ledger.

    `rejects` are the reasons found while mapping, in any order. A row whose call is planned is pending.
    """
    refused = plan.refused or mapped.refused
    runs = plan.foreseen()
    outcomes = tally(
        (OUTCOME_BY_CODE[code], int(length))
        for code, length in zip(runs.outcomes.tolist(), runs.lengths.tolist(), strict=True)
    )
    notes = (*((Note(*refused),) if refused else ()), *mapped.notes, *plan.notes)
    return Receipt(
        file_id=file_id,
        name=name,
        sha256=sha256,
        received_at=received_at,
        rows=mapped.rows,
        vendor=vendor,
        document=mapped.document,
        mapping=mapping,
        status=status_of(
            outcomes, refused=refused is not None and not outcomes, duplicate=bool(plan.duplicate_of)
        ),
        outcomes=outcomes,
        rejects=tuple(islice(_with_reason_of_file(rejects, plan.runs, refused), LISTED)),
        zeroed=plan.zeroed,
        zeroing_refused=plan.zeroing_refused,
        notes=_with_duplicate(notes, plan.duplicate_of),
        calls=sum(call.is_sent for call in plan.calls),
        held_for=plan.hold or hold_of([call.waits for call in plan.calls if call.waits]),
        waiting=tuple(_waiting_in_plan(plan)),
        refused=refused is not None,
        corrects=corrects,
        preview=True,
        unjudged=len({reject.row for reject in plan.rejects if reject.code == "not_fetched"}),
    )


def _waiting_in_plan(plan: Plan) -> Iterator[HeldPo]:
    rows, codes, records = plan.runs.rows()
    rows, records = rows[codes == BY_RECORD], records[codes == BY_RECORD]
    told = 0
    for call in plan.calls:
        if call.waits is None:
            continue
        own: tuple[int, ...] = ()
        if told < LISTED:
            own = tuple(rows[np.isin(records, as_ints(unpack(call.block).column("record")))].tolist())
        told += 1
        yield HeldPo(call.pos[0], call.waits.code, call.waits.message, own)


def reject_as_json(reject: Reject) -> dict[str, Any]:
    """One reason as receipts show it."""
    return {
        "row": reject.row,
        "column": reject.column or None,
        "code": reject.code,
        "message": reject.message,
        "value": reject.value,
    }


def _waiting_as_json(one: HeldPo) -> dict[str, Any]:
    return {
        "po": one.po,
        "code": one.code,
        "message": one.message,
        "rows": list(one.rows),
        "since": _instant(one.since),
        "until": _instant(one.until),
    }


def _with_reason_of_file(
    rejects: Iterable[Reject], runs: RowRuns, refused: tuple[str, str] | None
) -> Iterator[Reject]:
    """The reasons in order of rows; a rejected row that has none of its own has that of the whole file."""
    own = sorted(rejects, key=lambda reject: reject.row)
    if refused is None:
        return iter(own)
    rows, codes, _ = runs.rows()
    named = {reject.row for reject in own}
    rest = (Reject(row, *refused) for row in rows[codes == _REJECTED].tolist() if row not in named)
    return iter(sorted((*own, *islice(rest, LISTED)), key=lambda reject: reject.row))


def _notes(found: FileRow) -> tuple[Note, ...]:
    of_file = (Note(found.code, found.message),) if found.code else ()
    return _with_duplicate((*of_file, *found.notes), found.duplicate_of)


def _with_duplicate(notes: Sequence[Note], duplicate_of: str) -> tuple[Note, ...]:
    """The notes, with the one that names the file whose bytes came again."""
    if not duplicate_of or any(note.code == "duplicate_file" for note in notes):
        return tuple(notes)
    message = (
        f"The bytes are those of the file {duplicate_of}, the last one applied: there was nothing to send."
    )
    return (*notes, Note("duplicate_file", message))


def _instant(micros: int | None) -> str | None:
    return None if micros is None else iso(micros)
