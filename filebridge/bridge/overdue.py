"""POs that wait for their other rows longer than their mapping says: each is said once, when it comes to that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from filebridge.clock import SECOND
from filebridge.ledger.po_waits import pos_that_wait
from filebridge.rejects import Note
from filebridge.replies.waits import WHAT_WAITS, close_command, duration, for_what, named
from filebridge.replies.wording import sentence, short_time

if TYPE_CHECKING:
    import sqlalchemy as sa

    from filebridge.mapping.pack import VendorPack

_EACH: Final = 5
"""POs that are said one by one; what is beyond is said in one sentence."""


def hold_for(pack: VendorPack) -> Mapping[str, int]:
    """How long rows may wait for the others of their PO, in microseconds, by feed; of those that say it."""
    return {
        found.feed: round(found.mapping.hold_for * SECOND)
        for found in pack.mappings
        if found.mapping.hold_for is not None
    }


def newly_overdue(connection: sa.Connection, pack: VendorPack, *, since: int, now: int) -> list[Note]:
    """A note for each PO of the vendor that has waited too long, where that was not so at `since` yet.

    Times are microseconds UTC: `since` is when the vendor was looked at last, `now` this look.
    """
    limits = hold_for(pack)
    if not limits:
        return []
    zone = pack.settings.time_zone
    waits = [(one, one.until(limits)) for one in pos_that_wait(connection, pack.vendor)]
    new = [(one, until) for one, until in waits if until is not None and since <= until < now]
    notes = []
    for one, until in new[:_EACH]:
        said = (
            f"PO {one.po}: its {WHAT_WAITS[one.action]} waits for its other rows since "
            f"{short_time(one.since, zone)}, longer than {duration(until - one.since)}. {sentence(for_what(one))} "
            f"Send them, or what is there:  {close_command(one.po)}"
        )
        notes.append(Note("partial_shipment", said))
    if len(new) > _EACH:
        rest = named(one.po for one, _ in new[_EACH:])
        said = f"Also overdue with their other rows: {rest}. `filebridge status` lists them."
        notes.append(Note("partial_shipment", said))
    return notes
