"""`VendorStatus`: how things stand for one vendor, collected from the ledger and its outbox."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import sqlalchemy as sa

from filebridge.clock import SECOND
from filebridge.ledger.files import FileRow, files
from filebridge.ledger.po_waits import WaitingPo, pos_that_wait
from filebridge.ledger.rows import outcomes_of
from filebridge.ledger.schema import (
    FileState,
    OrderFileState,
    OrderState,
    arrival,
    channel,
    file,
    order_file,
    purchase_order,
)
from filebridge.outcomes import FileStatus, Outcome
from filebridge.rejects import CATALOGUE
from filebridge.replies import REPLIES
from filebridge.replies.receipt import FOR_ITS_ROWS
from filebridge.replies.wording import sentence

EXPLAIN_AFTER: Final = 120 * SECOND
_LAST: Final = 10
_LISTED: Final = 20
_SPOKEN_OF: Final = 30 * 24 * 3600 * SECOND
"""How long what nobody has mended is spoken of: reject files, refused files, POs that are gone or refused."""
TROUBLES: Final = {"key_refused": "it refused the API key", "unreachable": "it could not be reached"}
"""What stands between FileBridge and RetailOps, in words."""
_TAKEN: Final = (FileStatus.ACCEPTED, FileStatus.ACCEPTED_WITH_REJECTS, FileStatus.DUPLICATE)
_RESTS: Final = (FileState.SETTLED, FileState.REPLIED, FileState.DONE)


@dataclass(frozen=True)
class RecentFile:
    """One of the last files, and what came of its rows. `status` is None while it is being read."""

    id: str
    name: str
    received_at: int
    rows: int
    status: FileStatus | None
    outcomes: dict[Outcome, int]
    message: str = ""


@dataclass(frozen=True)
class HeldFile:
    """A file that waits for a person."""

    id: str
    name: str
    code: str
    message: str


@dataclass(frozen=True)
class OpenRejects:
    """A reject file that lies in `replies/` and was not dropped back yet.

    `reject_file` is the one to correct, below `replies/`: the workbook, where there is one beside a CSV.
    `whole`: none of the file's rows was taken.
    """

    name: str
    reject_file: str
    received_at: int
    whole: bool = False


@dataclass(frozen=True)
class RefusedFile:
    """A file that was refused as a whole, so that it is to be sent again; no later one of its name was taken."""

    id: str
    name: str
    received_at: int
    code: str
    message: str


@dataclass(frozen=True)
class HeldOrder:
    """A PO that could not be laid out or marked. `in_file`: a PO file holds it, as it is or as it was."""

    po: str
    code: str
    message: str
    in_file: bool = False

    @property
    def said(self) -> str:
        """What stands against it, in a sentence that names the PO."""
        own = f"PO {self.po}"
        if self.code == "refused_by_retailops":
            return sentence(f"{own} is in a PO file, but {self.message.replace(own, 'it', 1)}")
        why = self.message.removeprefix(f"{own}, ").replace(f"{own} has", "it has", 1)
        what = f"The change of {own}" if self.in_file else own
        return sentence(f"{what} could not be written to a file: {why}")

    @property
    def fix(self) -> str:
        """What to do."""
        if self.code == "refused_by_retailops":
            return "Ask the retailer before you ship it."
        return CATALOGUE[self.code].fix if self.code in CATALOGUE else ""


@dataclass(frozen=True)
class GoneOrder:
    """A PO that a file holds and that RetailOps has no longer."""

    po: str
    message: str


@dataclass(frozen=True)
class OverduePo:
    """A PO that waits for its other rows longer than its mapping's `hold_for`, which ended at `until`."""

    of: WaitingPo
    until: int


@dataclass(frozen=True)
class WaitingFile:
    """A file that is still in the inbox."""

    name: str
    first_seen_at: int
    reason: str


@dataclass(frozen=True)
class RecentOrderFile:
    """One of the last PO files. `taken_at` is the first look at which the vendor had taken it."""

    name: str
    pos: int
    staged_at: int
    state: OrderFileState
    taken_at: int | None


@dataclass(frozen=True)
class VendorStatus:
    """How things stand for one vendor. Times are microseconds UTC.

    `trouble` is what stands between FileBridge and RetailOps since `trouble_since`; empty where all is well.
    Lists hold at most 20 entries; what is beyond them is in the counts beside them.
    """

    vendor: str
    looked_at: int
    time_zone: str
    recent: tuple[RecentFile, ...] = ()
    held: tuple[HeldFile, ...] = ()
    rejects: tuple[OpenRejects, ...] = ()
    refused: tuple[RefusedFile, ...] = ()
    held_orders: tuple[HeldOrder, ...] = ()
    gone_orders: tuple[GoneOrder, ...] = ()
    refused_pos: tuple[WaitingPo, ...] = ()
    """POs that the vendor refuses or has back-ordered: a person must tell the retailer."""
    overdue_pos: tuple[OverduePo, ...] = ()
    waiting_pos: tuple[WaitingPo, ...] = ()
    """POs that wait for their other rows, and may; nobody has to do anything."""
    waiting_pos_count: int = 0
    waiting: tuple[WaitingFile, ...] = ()
    recent_orders: tuple[RecentOrderFile, ...] = ()
    more: int = 0
    """Things that wait for a person and are not listed."""
    trouble: str = ""
    trouble_since: int | None = None
    orders_fetched_at: int | None = None


def vendor_status(
    connection: sa.Connection,
    vendor: str,
    *,
    outbox: Path,
    now: int,
    time_zone: str,
    explain_after: int = EXPLAIN_AFTER,
    hold_for: Mapping[str, int] = MappingProxyType({}),
) -> VendorStatus:
    """How things stand for a vendor, from the ledger and from what still lies in `outbox` (the vendor's).

    `hold_for` says, by feed, how long rows may wait for the others of their PO, in microseconds.
    """
    held = _held(connection, vendor)
    rejects = _open_rejects(connection, vendor, outbox / REPLIES, now)
    refused = _refused(connection, vendor, now)
    held_orders = _held_orders(connection, vendor)
    gone_orders = _gone_orders(connection, vendor, now)
    waiting = _waiting(connection, vendor, now - explain_after)
    refused_pos, overdue_pos, waiting_pos = _waiting_pos(connection, vendor, hold_for, now)
    well = sa.select(channel.c.trouble, channel.c.since, channel.c.fetched_at).where(
        channel.c.vendor == vendor
    )
    trouble, since, fetched_at = connection.execute(well).one_or_none() or ("", None, None)
    lists = (held, rejects, refused, held_orders, gone_orders, refused_pos, overdue_pos, waiting)
    return VendorStatus(
        vendor=vendor,
        looked_at=now,
        time_zone=time_zone,
        recent=tuple(_recent(connection, row) for row in files(connection, vendor=vendor, limit=_LAST)),
        held=tuple(held[:_LISTED]),
        rejects=tuple(rejects[:_LISTED]),
        refused=tuple(refused[:_LISTED]),
        held_orders=tuple(held_orders[:_LISTED]),
        gone_orders=tuple(gone_orders[:_LISTED]),
        refused_pos=tuple(refused_pos[:_LISTED]),
        overdue_pos=tuple(overdue_pos[:_LISTED]),
        waiting_pos=tuple(waiting_pos[:_LISTED]),
        waiting_pos_count=len(waiting_pos),
        waiting=tuple(waiting[:_LISTED]),
        recent_orders=tuple(_recent_orders(connection, vendor)),
        more=sum(max(0, len(found) - _LISTED) for found in lists),
        trouble=trouble,
        trouble_since=since if trouble else None,
        orders_fetched_at=fetched_at,
    )


def _recent(connection: sa.Connection, row: FileRow) -> RecentFile:
    message = row.message if row.code else row.hold_message
    outcomes = outcomes_of(connection, row.id) if row.status else {}
    return RecentFile(row.id, row.name, row.received_at, row.rows, row.status, outcomes, message)


def _held(connection: sa.Connection, vendor: str) -> list[HeldFile]:
    rows = connection.execute(
        sa.select(file.c.id, file.c.name, file.c.hold_code, file.c.hold_message)
        .where(file.c.vendor == vendor, file.c.hold_code != "", file.c.state.in_(_RESTS))
        .order_by(file.c.seq.desc())
    )
    return [HeldFile(*row) for row in rows]


def _open_rejects(connection: sa.Connection, vendor: str, replies: Path, now: int) -> list[OpenRejects]:
    """Reject files that still lie there, of files that nothing corrects yet, the newest first."""
    later = file.alias()
    corrected = sa.select(later.c.corrects).where(later.c.vendor == vendor, later.c.corrects != "")
    rows = connection.execute(
        sa.select(file.c.name, file.c.reject_file, file.c.received_at, file.c.status)
        .where(
            file.c.vendor == vendor,
            file.c.reject_file != "",
            file.c.code.in_(["", FOR_ITS_ROWS]),
            file.c.received_at > now - _SPOKEN_OF,
            file.c.id.not_in(corrected),
        )
        .order_by(file.c.seq.desc())
    )
    return [
        OpenRejects(name, to_correct(replies, reject_file), received_at, status == FileStatus.REJECTED)
        for name, reject_file, received_at, status in rows
        if os.path.lexists(replies / reject_file)
    ]


def to_correct(replies: Path, reject_file: str) -> str:
    """The one of a file's reject files that a person corrects, below `replies`: the workbook, if it is there."""
    workbook = f"{reject_file.removesuffix('.csv')}.xlsx"
    return workbook if reject_file.endswith(".csv") and os.path.lexists(replies / workbook) else reject_file


def _refused(connection: sa.Connection, vendor: str, now: int) -> list[RefusedFile]:
    """Files that were refused whole, the newest of each name first, unless a later one of that name was taken."""
    later = file.alias()
    rests = (later.c.code != "") | later.c.status.in_(_TAKEN)
    overtaken = sa.exists().where(
        later.c.vendor == vendor, later.c.name == file.c.name, later.c.seq > file.c.seq, rests
    )
    rows = connection.execute(
        sa.select(file.c.id, file.c.name, file.c.received_at, file.c.code, file.c.message)
        .where(
            file.c.vendor == vendor,
            file.c.status == FileStatus.REJECTED,
            file.c.code.not_in(["", "discarded", FOR_ITS_ROWS]),
            file.c.received_at > now - _SPOKEN_OF,
            ~overtaken,
        )
        .order_by(file.c.seq.desc())
    )
    return [RefusedFile(*row) for row in rows]


def _gone_orders(connection: sa.Connection, vendor: str, now: int) -> list[GoneOrder]:
    rows = connection.execute(
        sa.select(purchase_order.c.po, purchase_order.c.message)
        .where(
            purchase_order.c.vendor == vendor,
            purchase_order.c.code == "vanished",
            purchase_order.c.seen_at > now - _SPOKEN_OF,
        )
        .order_by(purchase_order.c.po)
    )
    return [GoneOrder(*row) for row in rows]


def _waiting_pos(
    connection: sa.Connection, vendor: str, hold_for: Mapping[str, int], now: int
) -> tuple[list[WaitingPo], list[OverduePo], list[WaitingPo]]:
    """POs that are refused or back-ordered, those that wait too long, and those that may wait; the oldest first."""
    refused: list[WaitingPo] = []
    overdue: list[OverduePo] = []
    waiting: list[WaitingPo] = []
    for one in pos_that_wait(connection, vendor):
        until = one.until(hold_for)
        if one.is_refused:
            # Longer than that it stands in `filebridge exceptions` alone: nothing tells us what came of it.
            if one.since > now - _SPOKEN_OF:
                refused.append(one)
        elif until is not None and until < now:
            overdue.append(OverduePo(one, until))
        else:
            waiting.append(one)
    return refused, overdue, waiting


def _held_orders(connection: sa.Connection, vendor: str) -> list[HeldOrder]:
    rows = connection.execute(
        sa.select(
            purchase_order.c.po,
            purchase_order.c.code,
            purchase_order.c.message,
            purchase_order.c.exported_revision != "",
        )
        .where(purchase_order.c.vendor == vendor, purchase_order.c.state == OrderState.HELD)
        .order_by(purchase_order.c.po)
    )
    return [HeldOrder(*row) for row in rows]


def _waiting(connection: sa.Connection, vendor: str, before: int) -> list[WaitingFile]:
    rows = connection.execute(
        sa.select(arrival.c.name, arrival.c.first_seen_at, arrival.c.reason)
        .where(arrival.c.vendor == vendor, arrival.c.explained | (arrival.c.first_seen_at < before))
        .order_by(arrival.c.first_seen_at, arrival.c.name)
    )
    return [WaitingFile(*row) for row in rows]


def _recent_orders(connection: sa.Connection, vendor: str) -> Iterator[RecentOrderFile]:
    rows = connection.execute(
        sa.select(
            order_file.c.name,
            order_file.c.pos,
            order_file.c.staged_at,
            order_file.c.state,
            order_file.c.gone_at,
        )
        .where(order_file.c.vendor == vendor)
        .order_by(order_file.c.staged_at.desc(), order_file.c.sequence.desc())
        .limit(5)
    )
    for name, pos, staged_at, state, gone_at in rows:
        yield RecentOrderFile(name, pos, staged_at, OrderFileState(state), gone_at)
