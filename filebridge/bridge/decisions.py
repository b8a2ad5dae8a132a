"""What people decided: written down as requests, and carried out once by whoever holds the workspace."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filebridge.bridge.desk import Desk, open_desk
from filebridge.clock import Clock, from_micros
from filebridge.errors import FileBridgeError, UserError
from filebridge.ledger import files, po_calls, requests
from filebridge.ledger.requests import RequestRow
from filebridge.ledger.schema import OrderFileState
from filebridge.milestones import reached
from filebridge.outcomes import FileStatus

if TYPE_CHECKING:
    import sqlalchemy as sa

    from filebridge.ledger.orders import OrderFileRow
    from filebridge.mapping.pack import VendorPack
    from filebridge.workspace import Workspace


BETWEEN_POS = "\n"
"""Between the POs of one request: no PO number holds it."""
NOT_DONE = "Not done: "
"""Before the result of a decision that could not be carried out."""


def carry_out(desk: Desk, packs: dict[str, VendorPack]) -> None:
    """Carry out every open request, in the order in which they were made; each gets its result in a sentence."""
    with desk.ledger.read() as connection:
        waiting = requests.open_requests(connection)
    for request in waiting:
        try:
            if request.kind == "resend":
                result = _resend(desk, packs, request)
            elif request.kind == "close":
                result = _close(desk, request)
            else:
                result = _decide(desk, request)
        except FileBridgeError as error:
            result = f"{NOT_DONE}{error}"
        with desk.ledger.begin() as connection:
            requests.finish(connection, request.id, now=desk.clock.now(), result=result)
        reached("request.finished", str(request.id))


def _decide(desk: Desk, request: RequestRow) -> str:
    with desk.ledger.begin() as connection:
        row = files.find_file(connection, request.subject)
        decide = {"release": _release, "discard": _discard, "retry": _retry}[request.kind]
        result = decide(connection, row, request, desk.clock.now())
        # With what was decided: after a kill between the two it would be found done, and said not to be.
        requests.finish(connection, request.id, now=desk.clock.now(), result=result)
    return result


def _release(connection: sa.Connection, row: files.FileRow, request: RequestRow, now: int) -> str:
    from filebridge.ledger import plans
    from filebridge.replies.waits import close_command

    if row.hold_code and plans.retry(connection, row.id):
        return f"{row.name} ({row.id}) is let go: its held calls are sent."
    if row.hold_code and plans.reopen(connection, row.id, released=True):
        return f"{row.name} ({row.id}) is let go."
    waits = po_calls.waiting_calls(connection, file_id=row.id)
    if waits:
        raise UserError(
            f"Rows of {row.name} ({row.id}) wait for PO {waits[0].po}: {waits[0].message}",
            fix=f"`{close_command(waits[0].po)}` sends what is there of it; `discard` gives the rows up.",
        )
    raise UserError(f"{row.name} ({row.id}) is not held: {_standing(row)}.")


def _discard(connection: sa.Connection, row: files.FileRow, request: RequestRow, now: int) -> str:
    from filebridge.ledger import plans

    # Rows may wait in a file of which others are delivered.
    waits = row.hold_code or po_calls.waiting_calls(connection, file_id=row.id)
    after = plans.discard(connection, row.id, message=f"Discarded by {request.asked_by}.", now=now)
    if not waits and row.status not in {FileStatus.HELD, FileStatus.PENDING}:
        raise UserError(f"Nothing of {row.name} ({row.id}) waits: {_standing(row)}.")
    return f"{row.name} ({row.id}) is given up; it is now {after}."


def _retry(connection: sa.Connection, row: files.FileRow, request: RequestRow, now: int) -> str:
    from filebridge.ledger import plans

    if plans.retry(connection, row.id):
        return f"The held calls of {row.name} ({row.id}) are sent again."
    if row.status is FileStatus.REJECTED and plans.reopen(connection, row.id):
        return f"{row.name} ({row.id}) is read again, by the mapping as it is now."
    raise UserError(
        f"Nothing of {row.name} ({row.id}) can be tried again: {_standing(row)}.",
        fix="Correct its reject file and drop that, if rows were rejected.",
    )


def _standing(row: files.FileRow) -> str:
    return f"it is {row.status}" if row.status else "it was not read yet"


def _resend(desk: Desk, packs: dict[str, VendorPack], request: RequestRow) -> str:
    from filebridge import orders

    vendor, _, named = request.subject.partition("/")
    pos = named.split(BETWEEN_POS)
    pack = packs.get(vendor)
    if pack is None:
        raise UserError(f"There is no vendor {vendor}.")
    outbox = desk.workspace.outbox / vendor
    done = _resent_already(desk, vendor, pos, request.asked_at)
    rest = [po for po in pos if po not in done]
    staged = {row.id: row for row in done.values()}.values()
    written = [
        orders.publish_staged(desk.ledger, outbox, row, desk.clock)
        if row.state is OrderFileState.STAGED
        else row
        for row in staged
    ]
    if rest:
        written += orders.resend(desk.ledger, pack, outbox, rest, desk.clock)
    stuck = [row.name for row in written if row.state is OrderFileState.STAGED]
    if stuck:
        raise UserError(
            f"{', '.join(stuck)} is ready, but a file of that name lies in the outbox.",
            fix="Move that away; the next `filebridge run` puts ours there.",
        )
    what = f"PO {pos[0]} is" if len(pos) == 1 else f"POs {', '.join(pos)} are"
    return f"{what} written again: {', '.join(row.name for row in written)}."


def _resent_already(desk: Desk, vendor: str, pos: Sequence[str], since: int) -> dict[str, OrderFileRow]:
    """Files that hold one of these POs again since then, by PO: a kill came before the request was finished."""
    from filebridge.ledger.orders import files_holding

    found: dict[str, OrderFileRow] = {}
    with desk.ledger.read() as connection:
        for po in pos:
            for row in files_holding(connection, vendor, po):
                if row.kind == "resend" and row.staged_at > since:
                    found[po] = row
    return found


def _close(desk: Desk, request: RequestRow) -> str:
    from filebridge.bridge.knowing import known_pos
    from filebridge.ledger import calls, po_calls
    from filebridge.planning.closing import close_short
    from filebridge.retailops import wire

    vendor, _, po = request.subject.partition("/")
    known = known_pos(desk.ledger, vendor, [po]).known.get(po)
    planned = close_short(known, wire) if known else []
    if not planned:
        raise UserError(
            f"Nothing of PO {po} waits for its other rows.",
            fix="`filebridge status` lists what waits. A PO that is not shipped at all is for the retailer to cancel.",
        )
    now = desk.clock.now()
    result = (
        f"PO {po} is closed short: what files have said of it is sent, and what they have not is given up."
    )
    with desk.ledger.begin() as connection:
        joins = [call_id for call in planned for call_id in call.joins]
        newest = calls.call_row(connection, max(joins))
        for call in planned:
            # A date joins nothing: it goes with the acceptance before it.
            newest = calls.call_row(connection, max(call.joins)) if call.joins else newest
            calls.add_calls(
                connection,
                [call],
                vendor=vendor,
                now=now,
                feed=newest.feed,
                file_id=newest.file_id,
                arrival=newest.arrival,
            )
        po_calls.reopen_carried(connection, joins)
        requests.finish(connection, request.id, now=now, result=result)
    return result


def close_subject(vendor: str, po: str) -> str:
    """The subject of a request to close a vendor's PO short."""
    return f"{vendor}/{po}"


def resend_subject(vendor: str, pos: Sequence[str]) -> str:
    """The subject of a request to write these POs of a vendor once more, each of them once."""
    return f"{vendor}/{BETWEEN_POS.join(dict.fromkeys(pos))}"


@dataclass(frozen=True)
class Decided:
    """What came of a decision: whether it is carried out already, whether it could be, and a sentence."""

    done: bool
    result: str

    @property
    def ok(self) -> bool:
        """Whether nothing stood against it; `result` says what did."""
        return not self.result.startswith(NOT_DONE)


def decide(
    workspace: Workspace, kind: str, subject: str, *, clock: Clock, wait_seconds: float = 5.0
) -> Decided:
    """Write a decision down, and carry it out at once where nobody holds the workspace.

    Else whoever holds it does; that is waited for a few seconds. Raises UserError where the subject is not
    known. What follows from the decision, such as sending a released file, is the next pass' work.
    """
    with open_desk(workspace, clock=clock) as desk:
        with desk.ledger.begin() as connection:
            if kind not in {"resend", "close"}:
                subject = files.find_file(connection, subject).id
            request_id = requests.ask(connection, kind, subject, now=clock.now(), by=getpass.getuser())
        reached("request.asked", str(request_id))
        until = clock.monotonic() + wait_seconds
        while True:
            with workspace.try_lock(now=from_micros(clock.now())) as held:
                if held:
                    packs, _ = workspace.load_packs()
                    carry_out(desk, {pack.vendor: pack for pack in packs})
            with desk.ledger.read() as connection:
                request = requests.request_row(connection, request_id)
            if request.done_at is not None:
                return Decided(True, request.result)
            if clock.monotonic() >= until:
                return Decided(
                    False, "It is written down; the FileBridge that is at work here will carry it out."
                )
            clock.sleep(0.2)
