"""Words, times and counts for the screen, and the JSON shapes that several commands share. Nothing heavy here."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from filebridge.clock import SECOND, from_micros, iso
from filebridge.errors import UserError
from filebridge.replies.wording import count_of, plain

if TYPE_CHECKING:
    from filebridge.ledger.files import FileRow
    from filebridge.ledger.orders import OrderFileRow
    from filebridge.outcomes import FileStatus, Outcome
    from filebridge.workspace import Workspace

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_YEAR: Final = 300 * 86_400 * SECOND
NOTHING_YET: Final = "Nothing has come in yet. Drop a file into the inbox, then: filebridge run"


def when(micros: int | None) -> str:
    """An instant by this machine's clock, `2026-11-23 06:00`; a dash where it has not come."""
    return "-" if micros is None else f"{from_micros(micros).astimezone():%Y-%m-%d %H:%M}"


def short(micros: int | None, now: int) -> str:
    """As `when`, for a table: `24 Nov 22:48`, with the year where that is long ago or far ahead."""
    if micros is None or abs(now - micros) > _YEAR:
        return when(micros)
    moment = from_micros(micros).astimezone()
    return f"{moment.day:>2} {_MONTHS[moment.month - 1]} {moment:%H:%M}"


def sentence(text: str) -> str:
    """Text with a full stop, where it has no end of its own."""
    return text if not text or text.endswith((".", "!", "?", "…")) else f"{text}."


def instant(micros: int | None) -> str | None:
    """An instant as JSON."""
    return None if micros is None else iso(micros)


def ago(micros: int, now: int) -> str:
    """How long ago an instant was: `12 seconds ago`, `3 hours ago`."""
    seconds = max(0, (now - micros) // SECOND)
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            return f"{count_of(int(seconds // size), word)} ago"
    return f"{count_of(int(seconds), 'second')} ago"


def counts(outcomes: Mapping[Outcome, int]) -> str:
    """Outcomes of a file, short: `1,200 delivered, 3 rejected`."""
    return ", ".join(f"{count:,} {outcome.value}" for outcome, count in outcomes.items())


def standing(status: FileStatus | None) -> str:
    """A file's status in words a person reads."""
    return status.value.replace("_", " ") if status else "taken, not worked through yet"


def shown(text: str) -> str:
    """Somebody else's text, harmless to a terminal, on one line."""
    return plain(text)


def local_zone() -> str:
    """Name of this machine's zone, for the head of a column of times."""
    return from_micros(0).astimezone().tzname() or str(UTC)


def file_as_json(row: FileRow, outcomes: Mapping[Outcome, int]) -> dict[str, Any]:
    """A file as `files --json` lists it."""
    return {
        "id": row.id,
        "received_at": iso(row.received_at),
        "vendor": row.vendor,
        "document": row.document or None,
        "name": row.name,
        "rows": row.rows,
        "status": row.status.value if row.status else None,
        "state": row.state.value,
        "outcomes": {outcome.value: count for outcome, count in outcomes.items()},
        "held_for": {"code": row.hold_code, "message": row.hold_message} if row.hold_code else None,
        "reject_file": row.reject_file or None,
    }


def order_file_as_json(row: OrderFileRow) -> dict[str, Any]:
    """A PO file as JSON."""
    return {
        "vendor": row.vendor,
        "name": row.name,
        "kind": row.kind,
        "state": row.state.value,
        "pos": row.pos,
        "rows": row.rows,
        "sha256": row.sha256,
        "written_at": instant(row.staged_at),
        "published_at": instant(row.published_at),
        "marked_at": instant(row.marked_at),
        "notes": list(row.notes),
    }


def zone_of(workspace: Workspace, vendor: str) -> str:
    """A vendor's zone; UTC where its pack is gone or broken: what happened can be shown all the same."""
    from filebridge.errors import ConfigError

    try:
        return workspace.load_pack(vendor).settings.time_zone
    except ConfigError:
        return "UTC"


def must_have_vendor(workspace: Workspace) -> None:
    """Raises UserError where there is no vendor to work for."""
    if not workspace.vendors():
        raise UserError(
            f"There is no vendor to work for: {workspace.mappings} holds no vendor's folder.",
            fix="Make one, with a vendor.yaml; `filebridge init DIR` writes an example.",
        )


def chosen(workspace: Workspace, vendors: Sequence[str] | None) -> tuple[str, ...] | None:
    """The vendors that were asked for; None for all. Raises UserError for one that there is none of."""
    if not vendors:
        return None
    known = workspace.vendors()
    for vendor in vendors:
        if vendor not in known:
            near = difflib.get_close_matches(vendor, known, n=1)
            meant = f"Did you mean {near[0]}? " if near else ""
            there = f"There are: {', '.join(known)}." if known else "There is none yet in mappings/."
            raise UserError(f"There is no vendor {vendor!r}.", fix=meant + there)
    return tuple(dict.fromkeys(vendors))
