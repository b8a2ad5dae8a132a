"""What a pass says of one vendor beside its receipts: waiting notes, and STATUS.txt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from filebridge.bridge.desk import Desk
from filebridge.bridge.overdue import hold_for
from filebridge.clock import SECOND
from filebridge.intake.waiting import due_notes
from filebridge.ledger import arrivals
from filebridge.replies import REPLIES
from filebridge.replies.publish import write_note
from filebridge.replies.status_page import write_status_page
from filebridge.replies.vendor_status import vendor_status

if TYPE_CHECKING:
    from filebridge.intake.look import Waiting
    from filebridge.mapping.pack import VendorPack


_PASSING = frozenset({"still_changing", "in_use"})
"""Why a file may stay in the inbox without that anybody has to do something."""


def write(desk: Desk, pack: VendorPack, waiting: Sequence[Waiting]) -> list[Waiting]:
    """Write the notes that are due, take away those whose cause is gone, and write STATUS.txt anew.

    Gives the files that are seen for the first time to stay until a person does something.
    """
    outbox = desk.workspace.outbox / pack.vendor
    now, explain_after = desk.clock.now(), desk.workspace.settings.intake.explain_after
    with desk.ledger.begin() as connection:
        look = arrivals.look(connection, pack.vendor, [(wait.name_bytes, wait.name) for wait in waiting], now)
    due = due_notes(
        waiting,
        there=look.there,
        gone=look.gone,
        now=now,
        explain_after_seconds=explain_after,
        time_zone=pack.settings.time_zone,
    )
    for note in due.write:
        text = "\r\n".join(note.lines) + "\r\n"
        write_note(outbox, note.name, text.encode())
        with desk.ledger.begin() as connection:
            arrivals.set_reason(connection, pack.vendor, note.name_bytes, note.reason)
            arrivals.set_explained(connection, pack.vendor, note.name_bytes)
    for name in due.remove:
        (outbox / REPLIES / name).unlink(missing_ok=True)
    with desk.ledger.read() as connection:
        status = vendor_status(
            connection,
            pack.vendor,
            outbox=outbox,
            now=now,
            time_zone=pack.settings.time_zone,
            explain_after=round(explain_after * SECOND),
            hold_for=hold_for(pack),
        )
    write_status_page(outbox, status)
    first_seen = {row.name_bytes for row in look.there if row.first_seen_at == now}
    return [wait for wait in waiting if wait.code not in _PASSING and wait.name_bytes in first_seen]
