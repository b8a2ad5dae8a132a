"""The way out, as a unit of work: fetch one vendor's orders, write their files, and mark them submitted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from filebridge import orders
from filebridge.bridge.desk import Desk
from filebridge.delivery import Channel, Delivery, Trouble, deliver
from filebridge.errors import CallRefused, KeyRefused, RetailOpsUnreachable
from filebridge.ledger import orders as known_orders
from filebridge.ledger.schema import OrderFileState
from filebridge.rejects import Note

if TYPE_CHECKING:
    from collections.abc import Collection

    from filebridge.ledger.orders import OrderFileRow
    from filebridge.mapping.pack import VendorPack

_ROUNDS = 5
"""Change files may call for marks of their own; a PO set that changes faster waits for the next pass."""


@dataclass
class OrdersResult:
    """What one pass made of a vendor's POs: the files that were written, and what must be said."""

    files: list[OrderFileRow] = field(default_factory=list)
    said: list[Note] = field(default_factory=list)
    trouble: Trouble | None = None
    message: str = ""


def fetch_orders(desk: Desk, pack: VendorPack) -> OrdersResult:
    """Take the vendor's POs out: fetch, write, publish, read again, mark submitted, verify.

    Restartable from the ledger alone; nothing is done twice. With `test: true` POs are fetched and nothing is
    written. What this pass found to stand against a PO is said, also where it ends in trouble.
    """
    result = OrdersResult()
    stood = orders.in_question(desk.ledger, pack)
    try:
        _take_out(desk, pack, result)
    except (RetailOpsUnreachable, CallRefused) as error:
        result.trouble, result.message = Trouble.UNREACHABLE, str(error)
    except KeyRefused as error:
        result.trouble, result.message = Trouble.KEY_REFUSED, str(error)
    result.said += [note for note in orders.in_question(desk.ledger, pack) if note not in stood]
    result.said += _unpublished(desk, pack)
    return result


def _take_out(desk: Desk, pack: VendorPack, result: OrdersResult) -> None:
    ledger, clock, outbox = desk.ledger, desk.clock, desk.workspace.outbox / pack.vendor
    result.files += orders.recover(ledger, pack, outbox, clock)
    fetched = orders.fetch(ledger, desk.channel(pack).client, pack, clock)
    result.said += fetched.said
    if pack.settings.test:
        return
    result.files += orders.export(ledger, pack, outbox, clock)
    _mark(desk, pack, result)


def mark_named(desk: Desk, pack: VendorPack, pos: Collection[str]) -> tuple[OrderFileRow, ...]:
    """Mark the POs of files that hold these submitted, where that is owed: a vendor's file names them.

    RetailOps takes no acceptance of a PO that is not submitted. Returns the change files that this made
    needful. Raises RetailOpsUnreachable, KeyRefused, CallRefused.
    """
    result = OrdersResult()
    result.files += orders.recover(desk.ledger, pack, desk.workspace.outbox / pack.vendor, desk.clock)
    _mark(desk, pack, result, named=pos)
    if result.trouble is Trouble.KEY_REFUSED:
        raise KeyRefused(result.message)
    if result.trouble:
        raise RetailOpsUnreachable(result.message)
    return tuple(result.files)


def _mark(desk: Desk, pack: VendorPack, result: OrdersResult, *, named: Collection[str] = ()) -> None:
    ledger, clock, outbox = desk.ledger, desk.clock, desk.workspace.outbox / pack.vendor
    channel = desk.channel(pack)
    for _ in range(_ROUNDS):
        due = orders.plan_marks(ledger, channel.client, pack, outbox, clock, named=named)
        if not due or desk.stop.is_set():
            break
        for order_file_id in due:
            delivery = _deliver_marks(desk, channel, order_file_id)
            if delivery.trouble or (delivery.stopped and delivery.message):
                result.trouble = delivery.trouble or Trouble.UNREACHABLE
                result.message = delivery.message
                return
        result.files += orders.verify(ledger, channel.client, pack, outbox, clock)


def _deliver_marks(desk: Desk, channel: Channel, order_file_id: str) -> Delivery:
    """Send the marks of one PO file. Where others may wait and not one call is answered, that is left for later."""
    if desk.is_hasty:
        first = deliver(
            desk.ledger,
            channel,
            clock=desk.clock,
            order_file_id=order_file_id,
            stop=desk.stop,
            until=desk.until(),
        )
        if not first.stopped or first.message or desk.stop.is_set():
            return first
    return deliver(desk.ledger, channel, clock=desk.clock, order_file_id=order_file_id, stop=desk.stop)


def _unpublished(desk: Desk, pack: VendorPack) -> list[Note]:
    with desk.ledger.read() as connection:
        staged = known_orders.files_of(connection, pack.vendor, states=(OrderFileState.STAGED,))
    return [
        Note("name_taken", f"{row.name} is ready, but a file of that name lies in the outbox: move it away.")
        for row in staged
    ]
