"""Marks: which POs RetailOps is told are submitted, what came of it, and whether they are still as told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson
import pyarrow as pa
import sqlalchemy as sa

from filebridge import outbox as box
from filebridge.clock import SECOND, Clock
from filebridge.columns import pack as pack_block
from filebridge.columns import text_column, unpack
from filebridge.ledger import calls as journal
from filebridge.ledger import orders as known_orders
from filebridge.ledger.calls import OPEN_STATES, CallRow
from filebridge.ledger.connect import Ledger
from filebridge.ledger.orders import ExportRow, OrderFileRow, OrderRow
from filebridge.ledger.schema import CallState, OrderFileState, OrderState
from filebridge.mapping.pack import VendorPack
from filebridge.milestones import reached
from filebridge.orders.export import DONE, FOLDER, export, publish_staged
from filebridge.orders.fetch import OrderSource, fetch, look_again
from filebridge.planning.batches import MOST_RECORDS
from filebridge.planning.plan import Action, PlannedCall
from filebridge.retailops.wire import mark_record

BETWEEN_LOOKS: Final = 60 * SECOND
"""A file is picked up when it is gone at two looks so far apart: a program may rename it to and fro."""

_ENDED: Final = (CallState.CONFIRMED, CallState.REFUSED, CallState.DROPPED)


def recover(ledger: Ledger, pack: VendorPack, outbox: Path, clock: Clock) -> tuple[OrderFileRow, ...]:
    """Finish what an ended pass left, from the ledger alone; the files that were published now.

    Staged files that the ledger does not know go; those that it does are published, if they are not yet;
    the answers to marks are taken in. To be called before anything else is staged in this outbox. Raises
    UserError where this is not the outbox that a file was staged in.
    """
    with ledger.read() as connection:
        files = known_orders.files_of(
            connection, pack.vendor, states=(OrderFileState.STAGED, OrderFileState.PUBLISHED)
        )
    swept = box.sweep(outbox, {name for row in files for name in (row.name, row.name + DONE)})
    if swept:
        reached("outbox.swept", pack.vendor)
    published = tuple(
        publish_staged(ledger, outbox, row, clock) for row in files if row.state is OrderFileState.STAGED
    )
    _take_answers(ledger, pack.vendor, clock.now())
    return published


def plan_marks(
    ledger: Ledger,
    client: OrderSource,
    pack: VendorPack,
    outbox: Path,
    clock: Clock,
    *,
    named: Collection[str] = (),
) -> tuple[str, ...]:
    """Plan the marks that published files are owed; the ids of the files that have calls to be delivered.

    POs that were not seen since their file was published are read again first. One that changed gets its
    change file, and what that holds is marked; one that is gone is said and not marked. A mark that was
    planned earlier and not sent is planned anew where a PO of it has changed. One that was gone, and is back as
    its file says, is marked for that file. What an ended pass marked and did not verify is verified first.
    POs that are `named` in a file of the vendor were picked up, wherever their own file lies. Raises what
    `fetch` raises.
    """
    verify(ledger, client, pack, outbox, clock)
    if pack.settings.test:
        return ()
    with ledger.begin() as connection:
        known_orders.reopen_owed(connection, pack.vendor)
    files = _due_files(ledger, pack, outbox, clock, named)
    if any(file.is_unseen for file in files):
        fetch(ledger, client, pack, clock)
        export(ledger, pack, outbox, clock, only_changes=True)
        files = _due_files(ledger, pack, outbox, clock, named)
    now = clock.now()
    with ledger.begin() as connection:
        open_ones = tuple(file.row.id for file in files if _plan(connection, file, now))
    reached("order_file.marks_planned", pack.vendor)
    return open_ones


def verify(
    ledger: Ledger, client: OrderSource, pack: VendorPack, outbox: Path, clock: Clock
) -> tuple[OrderFileRow, ...]:
    """Read again what was marked, and finish its files; the change files that this made needful.

    Only files all of whose calls have an answer are verified; the others wait for the next pass. A change
    file whose POs still wait for their mark is for `plan_marks`. Raises what `RetailOps.fetch_orders` raises.
    """
    _take_answers(ledger, pack.vendor, clock.now())
    answered = [file for file in _published(ledger, pack.vendor) if file.is_answered]
    pos = [one.po for file in answered for one in file.newest]
    if not answered:
        return ()
    if pos:
        look_again(ledger, client, pack, pos, clock)
    written = export(ledger, pack, outbox, clock, only_changes=True)
    ids = {file.row.id for file in answered}
    now = clock.now()
    finished = [file for file in _published(ledger, pack.vendor) if file.row.id in ids and not file.owed]
    with ledger.begin() as connection:
        for file in finished:
            known_orders.move_file(connection, file.row.id, OrderFileState.MARKED, now=now)
    for file in finished:
        reached("order_file.marked", file.row.id)
    return written


@dataclass(frozen=True)
class _Published:
    """A published file, the POs whose newest revision it holds, and its calls."""

    row: OrderFileRow
    newest: tuple[ExportRow, ...]
    orders: dict[str, OrderRow]
    calls: tuple[CallRow, ...]
    pos_of_call: dict[int, tuple[str, ...]]

    @property
    def owed(self) -> tuple[ExportRow, ...]:
        """What is to be marked: POs that are still as this file says, and that nobody has marked."""
        return tuple(
            one
            for one in self.newest
            if self.orders[one.po].state is OrderState.EXPORTED and not self.orders[one.po].has_changed
        )

    @property
    def open_calls(self) -> tuple[CallRow, ...]:
        return tuple(call for call in self.calls if call.state in (*OPEN_STATES, CallState.HELD))

    @property
    def is_answered(self) -> bool:
        """Whether there were calls, all of them have an answer, and nothing is left to be marked."""
        return bool(self.calls) and not self.open_calls and not self.owed

    @property
    def is_unseen(self) -> bool:
        """Whether a PO is to be marked, and was not seen since the file was published."""
        published_at = self.row.published_at or 0
        return any(self.orders[one.po].seen_at <= published_at for one in self.owed)


def _published(ledger: Ledger, vendor: str) -> list[_Published]:
    with ledger.read() as connection:
        return _published_in(connection, vendor)


def _published_in(connection: sa.Connection, vendor: str) -> list[_Published]:
    found = []
    for row in known_orders.files_of(connection, vendor, states=(OrderFileState.PUBLISHED,)):
        exports = [] if row.kind == "resend" else known_orders.exports_of(connection, row.id)
        orders = known_orders.orders_named(connection, vendor, [one.po for one in exports])
        newest = tuple(one for one in exports if one.po in orders and orders[one.po].number == one.number)
        calls = tuple(journal.calls_of(connection, order_file_id=row.id))
        blocks = journal.blocks(connection, [call.id for call in calls])
        pos = {call_id: _pos_in(block) for call_id, block in blocks.items()}
        found.append(_Published(row, newest, orders, calls, pos))
    return found


def _pos_in(block: bytes) -> tuple[str, ...]:
    batch = unpack(block)
    return tuple(orjson.loads(record)["po"] for record in batch.column(0).to_pylist())


def _take_answers(ledger: Ledger, vendor: str, now: int) -> None:
    """Tell the POs what came of their marks, the newest of each. Only those that still wait: it is done once."""
    if not any(file.calls and file.newest for file in _published(ledger, vendor)):
        return
    with ledger.begin() as connection:
        for file in _published_in(connection, vendor):
            waiting = {one.po for one in file.newest if file.orders[one.po].state is OrderState.EXPORTED}
            newest = {po: call.id for call in file.calls for po in file.pos_of_call[call.id]}
            for call in file.calls:
                if call.state in _ENDED:
                    pos = [po for po in file.pos_of_call[call.id] if po in waiting and newest[po] == call.id]
                    _take_answer(connection, vendor, call, [file.orders[po] for po in pos], now)
    reached("orders.answers_taken", vendor)


def _take_answer(
    connection: sa.Connection, vendor: str, call: CallRow, orders: Sequence[OrderRow], now: int
) -> None:
    if call.state is CallState.CONFIRMED:
        marked_at = call.answered_at or now
        pos = [order.po for order in orders]
        known_orders.move_orders(connection, vendor, pos, OrderState.MARKED, marked_at=marked_at)
        return
    for order in orders:
        if call.state is CallState.DROPPED:
            known_orders.move_orders(
                connection,
                vendor,
                [order.po],
                OrderState.VANISHED,
                code="vanished",
                message=f"PO {order.po} is gone from RetailOps before it could be marked submitted",
            )
        elif not order.has_changed:
            # One that changed is refused for that: its change file, and the mark of it, are on their way.
            message = f"RetailOps refused to mark PO {order.po} as submitted: {call.answer}"
            known_orders.move_orders(
                connection,
                vendor,
                [order.po],
                OrderState.HELD,
                code="refused_by_retailops",
                message=message,
            )


def _due_files(
    ledger: Ledger, pack: VendorPack, outbox: Path, clock: Clock, named: Collection[str]
) -> list[_Published]:
    """The published files whose POs may be marked now, by the rule that each was written under."""
    return [
        file
        for file in _published(ledger, pack.vendor)
        if any(one.po in named for one in file.newest) or _is_due(ledger, file.row, outbox, clock.now())
    ]


def _is_due(ledger: Ledger, row: OrderFileRow, outbox: Path, now: int) -> bool:
    """Whether a file's POs may be marked. Under `when_picked_up` this is a look, and is written down.

    A file that was finished once was picked up: its trace is gone, and nobody looks for it again.
    """
    if row.submit != "when_picked_up" or row.marked_at is not None:
        return True
    gone_at = row.gone_at
    if not box.is_taken(outbox, outbox / FOLDER, row.name):
        gone_at = None
    elif gone_at is None:
        gone_at = now
    if gone_at != row.gone_at:
        with ledger.begin() as connection:
            known_orders.note_gone(connection, row.id, gone_at)
    return gone_at is not None and now - gone_at >= BETWEEN_LOOKS


def _plan(connection: sa.Connection, file: _Published, now: int) -> bool:
    """Plan what a file is owed; whether it has calls to be delivered. One without any is finished."""
    if file.row.submit == "on_submission":
        known_orders.move_file(connection, file.row.id, OrderFileState.MARKED, now=now)
        return False
    owed = {one.po for one in file.owed}
    stale = [
        call.id
        for call in file.calls
        if call.state is CallState.PLANNED and not owed.issuperset(file.pos_of_call[call.id])
    ]
    journal.move(
        connection,
        stale,
        [CallState.PLANNED],
        CallState.SUPERSEDED,
        now=now,
        answer="a PO of this call changed before it could be sent",
    )
    kept = [call for call in file.open_calls if call.id not in stale]
    covered = {po for call in kept for po in file.pos_of_call[call.id]}
    records = {
        one.po: mark_record(one.po, [(item_id, quantity) for item_id, _, quantity in one.items])
        for one in file.owed
        if one.po not in covered
    }
    journal.add_calls(
        connection, _calls(records, now), vendor=file.row.vendor, now=now, order_file_id=file.row.id
    )
    if not file.calls and not records:
        known_orders.move_file(connection, file.row.id, OrderFileState.MARKED, now=now)
    return bool(records) or any(call.state in OPEN_STATES for call in kept)


def _calls(records: Mapping[str, str], now: int) -> list[PlannedCall]:
    """The calls that carry these records, by PO."""
    pos = tuple(records)
    portions = (pos[start : start + MOST_RECORDS] for start in range(0, len(pos), MOST_RECORDS))
    return [
        PlannedCall(
            action=Action.MARK_SUBMITTED,
            records=len(some),
            rows=0,
            block=pack_block(
                pa.RecordBatch.from_arrays([text_column([records[po] for po in some])], names=["records"])
            ),
            order_at=now,
            pos=some,
        )
        for some in portions
    ]
