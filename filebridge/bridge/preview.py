"""`preview`: the way of a file up to its plan, which is then printed. Nothing is written, nobody is asked."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filebridge.bridge.deciding import Decider
from filebridge.clock import Clock
from filebridge.columns import as_ints, unpack
from filebridge.errors import FileRefused, UserError
from filebridge.intake.wholeness import would_wait
from filebridge.ledger.connect import has_ledger, read_ledger
from filebridge.ledger.rows import RowOutcome
from filebridge.mapping.mapped import BY_RECORD, REJECTS_SCHEMA, MappedFile, RowRuns
from filebridge.mapping.match import Ambiguous, Unmatched, match_file
from filebridge.outcomes import OUTCOME_BY_CODE, Outcome
from filebridge.planning.known import FileFacts
from filebridge.planning.plan import Hold, Plan, PlannedCall
from filebridge.reader import Reader, ReadFile
from filebridge.rejects import Reject
from filebridge.replies.receipt import Receipt, receipt_of_plan
from filebridge.retailops.wire import body_of

if TYPE_CHECKING:
    from filebridge.ledger.connect import Ledger
    from filebridge.mapping.pack import FeedMapping, VendorPack
    from filebridge.workspace import Workspace


@dataclass(frozen=True)
class Previewed:
    """What would become of a file: its receipt, its calls with the very bodies, and each row's outcome."""

    receipt: Receipt
    plan: Plan
    vendor_id: str
    reasons: dict[int, list[Reject]]

    def calls(self) -> Iterator[dict[str, Any]]:
        """Each call: action, body as it would be sent, and the rows whose outcome is its answer."""
        rows_of = _rows_of_records(self.plan.runs)
        for call in self.plan.calls:
            if not call.is_sent:
                continue
            batch = unpack(call.block)
            records = as_ints(batch.column("record")).tolist()
            yield {
                "action": call.action.value,
                "body": json.loads(self.body(call)),
                "rows": sorted(row for record in records for row in rows_of.get(record, ())),
            }

    def body(self, call: PlannedCall) -> bytes:
        """The body of a call, byte for byte as `run` sends it."""
        return body_of(call.action, unpack(call.block), vendor_id=self.vendor_id)

    @property
    def rows(self) -> Iterator[RowOutcome]:
        """Each row's outcome, with its reasons; a reason against the whole file is that of rows without their own."""
        whole = self.plan.refused or (self.plan.hold and (self.plan.hold.code, self.plan.hold.message))
        waiting = self.plan.waiting()
        for row, code, record in zip(*(part.tolist() for part in self.plan.runs.rows()), strict=True):
            waits = waiting.get(record) if code == BY_RECORD else None
            outcome = Outcome.PENDING if code == BY_RECORD else OUTCOME_BY_CODE[code]
            reasons = tuple(self.reasons.get(row, ()))
            if waits:
                outcome, reasons = Outcome.HELD, (Reject(row, waits.code, waits.message),)
            elif not reasons and whole and outcome in {Outcome.REJECTED, Outcome.HELD}:
                reasons = (Reject(row, *whole),)
            yield RowOutcome(row, outcome, reasons)

    def as_json(self) -> dict[str, Any]:
        """The document of `preview --json` (DESIGN section 8)."""
        rows = [entry for row in self.rows for entry in row.as_json()]
        return {**self.receipt.as_json(), "plan": list(self.calls()), "rows": rows}


def preview(
    workspace: Workspace, path: Path, vendor: str | None = None, *, clock: Clock, reader: Reader
) -> Previewed:
    """What would become of the file at `path`, dropped now. Raises UserError where no vendor's mapping takes it."""
    path = path.absolute()
    if not path.is_file():
        raise UserError(f"There is no file {path}.")
    pack = _pack_of(workspace, path, vendor)
    name = _name_in(workspace, path, pack.vendor)
    with _ledger(workspace) as ledger, tempfile.TemporaryDirectory(prefix="filebridge-preview-") as folder:
        decider = Decider(workspace, ledger, reader, pack)
        facts = FileFacts(
            sha256=_sha256(path), received_at=clock.now(), now=clock.now(), test=pack.settings.test
        )
        feed = _feed_of(name, pack)
        try:
            read = decider.read(
                path, name=name, spool=Path(folder) / "spool", received_at=facts.received_at, feed=feed
            )
        except FileRefused as refused:
            mapped = MappedFile.unread(feed.mapping.document if feed else "")
            plan = Plan(calls=(), runs=mapped.runs, refused=(refused.code, str(refused)))
            reasons, mapping, corrects = {}, feed.path if feed else "", ""
        else:
            mapped = read.mapped
            # A reject file that comes back is no feed's own: only its last line end counts.
            cut = would_wait(path, None if read.corrects else read.feed)
            plan = _plan_to_wait(mapped, cut) if cut else decider.plan(read, facts)[0]
            reasons, mapping, corrects = _reasons(read, plan), read.feed.path, read.corrects
    receipt = receipt_of_plan(
        mapped,
        plan,
        file_id="",
        name=name,
        sha256=facts.sha256,
        received_at=facts.received_at,
        vendor=pack.vendor,
        mapping=mapping,
        rejects=[
            reject for row in sorted(reasons) for reject in reasons[row] if reject.code != "not_fetched"
        ],
        corrects=corrects,
    )
    return Previewed(receipt, plan, pack.settings.vendor_id, reasons)


def _plan_to_wait(mapped: MappedFile, why: str) -> Plan:
    """The plan of a file that would not be taken: it would wait in the inbox, and nothing of it be sent."""
    runs = mapped.runs.all_as(Outcome.HELD, but=(Outcome.REJECTED,))
    return Plan(calls=(), runs=runs, hold=Hold("incomplete_file", f"It would wait in the inbox. {why}"))


def _reasons(read: ReadFile, plan: Plan) -> dict[int, list[Reject]]:
    """Why rows cannot go, or not yet, by row."""
    reasons: dict[int, list[Reject]] = defaultdict(list)
    for batch in read.rejects():
        columns = {column: batch.column(column).to_pylist() for column in REJECTS_SCHEMA.names}
        for row, column, code, message, value in zip(
            *(columns[key] for key in ("row", "column", "code", "message", "value")), strict=True
        ):
            reasons[row].append(Reject(row, code, message, column, value))
    for reject in plan.rejects:
        reasons[reject.row].append(reject)
    return reasons


def _pack_of(workspace: Workspace, path: Path, vendor: str | None) -> VendorPack:
    """The vendor whose file it is: the one that is named, the one in whose inbox it lies, or the only one."""
    vendors = workspace.vendors()
    if vendor is None:
        vendor = next((one for one in vendors if path.is_relative_to(workspace.inbox_of(one))), None)
    if vendor is None and len(vendors) == 1:
        vendor = vendors[0]
    if vendor is None:
        fix = (
            f"Say which with --vendor: {', '.join(vendors)}."
            if vendors
            else "Make a vendor pack in mappings/."
        )
        raise UserError(f"Nobody can tell whose file {path.name} is.", fix=fix)
    return workspace.load_pack(vendor)


def _name_in(workspace: Workspace, path: Path, vendor: str) -> str:
    inbox = workspace.inbox_of(vendor)
    return path.relative_to(inbox).as_posix() if path.is_relative_to(inbox) else path.name


def _feed_of(name: str, pack: VendorPack) -> FeedMapping | None:
    """The mapping that takes the file by its name; None where its headers may still tell."""
    match = match_file(name, pack)
    if isinstance(match, Ambiguous):
        raise UserError(match.reason, fix="Narrow `match:` of one of them.")
    return None if isinstance(match, Unmatched) else match


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def _ledger(workspace: Workspace) -> Iterator[Ledger | None]:
    if not has_ledger(workspace.ledger_url):
        yield None
        return
    ledger = read_ledger(workspace.ledger_url)
    try:
        yield ledger
    finally:
        ledger.close()


def _rows_of_records(runs: RowRuns) -> dict[int, list[int]]:
    rows, codes, records = (part.tolist() for part in runs.rows())
    found: dict[int, list[int]] = defaultdict(list)
    for row, code, record in zip(rows, codes, records, strict=True):
        if code == BY_RECORD:
            found[record].append(row)
    return found
