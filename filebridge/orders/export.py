"""PO files: laid out, staged, written down, published; change files and files that are sent again."""

from __future__ import annotations

import codecs
import hashlib
import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final
from zoneinfo import ZoneInfo

from filebridge import outbox as box
from filebridge.clock import Clock, from_micros
from filebridge.errors import UserError
from filebridge.ledger import orders as known_orders
from filebridge.ledger.connect import Ledger
from filebridge.ledger.orders import ExportRow, OrderFileRow, OrderRow
from filebridge.ledger.schema import OrderFileState, OrderState
from filebridge.mapping.layout import LaidOut, Unfit, header_of, lay_out
from filebridge.mapping.model import OrderLayout, Write
from filebridge.mapping.names import fill_name, with_mark
from filebridge.mapping.pack import VendorPack
from filebridge.milestones import reached
from filebridge.orders.fetch import is_to_be_submitted, read_order
from filebridge.planning.orders import Candidate, choose, in_files
from filebridge.retailops.reading import instant_of
from filebridge.tables.write import UnwritableCell, write_delimited, write_workbook

logger = logging.getLogger("filebridge.orders")

FOLDER: Final = "orders"
"""Where PO files are published, below the vendor's outbox."""
DONE: Final = ".done"
_LINE_ENDS: Final = {"crlf": "\r\n", "lf": "\n"}
_AFTER_THE_MARK: Final = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}


def export(
    ledger: Ledger, pack: VendorPack, outbox: Path, clock: Clock, *, only_changes: bool = False
) -> tuple[OrderFileRow, ...]:
    """Write files for the POs in the ledger that are due and told to nobody yet, change files first.

    Each file is staged, then written down with its POs and its number in one transaction, then published. A
    PO that cannot be laid out is held alone (`OrderState.HELD`); the others go. A file whose name is taken in
    the outbox stays STAGED, which the row that is returned says. Works from the ledger alone: `fetch` before.
    """
    layout = pack.orders
    if layout is None:
        return ()
    now = clock.now()
    choice = choose(_candidates(ledger, pack), now=now)
    written: list[OrderFileRow] = []
    per = layout.write.one_file_per
    for group in in_files(choice.changed, one_file_per=per):
        written += _write_group(ledger, pack, outbox, clock, kind="change", group=group)
    if only_changes:
        return tuple(written)
    groups = in_files(choice.new, one_file_per=per)
    if not groups and layout.write.when_empty == "write" and per == "run":
        groups = ((),)
    for group in groups:
        written += _write_group(ledger, pack, outbox, clock, kind="order", group=group)
    return tuple(written)


def resend(
    ledger: Ledger, pack: VendorPack, outbox: Path, pos: Collection[str], clock: Clock
) -> tuple[OrderFileRow, ...]:
    """Write POs to the outbox once more, as `NAME_resend1…` of the file that held them last; marks nothing.

    Raises UserError where one of them is in no file yet, or changed since: then nothing is written.
    """
    if pack.orders is None:
        raise UserError(f"{pack.vendor} has no purchase-orders.yaml, so that no PO file can be written.")
    with ledger.read() as connection:
        rows = known_orders.orders_named(connection, pack.vendor, pos)
        last = {po: known_orders.files_holding(connection, pack.vendor, po) for po in rows}
    for po in pos:
        _check_resendable(po, rows.get(po))
    candidates = []
    for po in pos:
        order = read_order(rows[po].record)
        if isinstance(order, str):
            raise UserError(f"{order}, so that it cannot be laid out again.")
        row = rows[po]
        held = [one for one in last[po] if one.kind != "resend"]
        candidates.append(Candidate(order, row.revision, row.exported_revision, row.number, held[-1].name))
    written: list[OrderFileRow] = []
    for group in in_files(candidates, one_file_per=pack.orders.write.one_file_per):
        written += _write_group(ledger, pack, outbox, clock, kind="resend", group=group)
    return tuple(written)


def publish_staged(ledger: Ledger, outbox: Path, row: OrderFileRow, clock: Clock) -> OrderFileRow:
    """Publish a file that is written down as STAGED, and write that down; the row as it is then.

    Still staged: it is published now. Gone: it was. The `.done` file follows in the same manner. Where the
    name is taken in the outbox the row stays as it is. Raises UserError where this is not the outbox that it
    was staged in.
    """
    folder = outbox / FOLDER
    try:
        for name in (row.name, row.name + DONE) if row.done_file else (row.name,):
            if box.still_staged(outbox, name):
                box.publish(box.Staged(outbox, name, row.sha256, row.size), folder)
                reached("order_file.published" if name == row.name else "order_file.done_published", row.id)
    except FileExistsError:
        logger.info("%s already lies in the outbox", row.name, extra={"vendor": row.vendor})
        return row
    now = clock.now()
    with ledger.begin() as connection:
        known_orders.move_file(connection, row.id, OrderFileState.PUBLISHED, now=now)
    reached("order_file.marked_published", row.id)
    return replace(row, state=OrderFileState.PUBLISHED, published_at=now)


def _candidates(ledger: Ledger, pack: VendorPack) -> list[Candidate]:
    """The POs that may go into a file: new ones that wait to be taken, and those in a file that changed.

    One whose file is not published yet waits for that: its change must not reach the vendor before it.
    """
    with ledger.read() as connection:
        staged = known_orders.staged_pos(connection, pack.vendor)
        rows = [
            row
            for row in known_orders.orders_of(
                connection,
                pack.vendor,
                states=(OrderState.SEEN, OrderState.EXPORTED, OrderState.MARKED, OrderState.HELD),
            )
            if (row.has_changed and row.status != "complete" and row.po not in staged)
            or (not row.is_exported and is_to_be_submitted(row.status, pack))
        ]
        bases = known_orders.first_files(connection, pack.vendor, [row.po for row in rows if row.is_exported])
    found = []
    for row in rows:
        order = read_order(row.record)
        if not isinstance(order, str):
            found.append(
                Candidate(order, row.revision, row.exported_revision, row.number, bases.get(row.po, ""))
            )
    return found


def _check_resendable(po: str, row: OrderRow | None) -> None:
    if row is None:
        raise UserError(f"PO {po} is not known here.", fix="`filebridge orders` lists the POs that are.")
    if not row.is_exported:
        raise UserError(f"PO {po} is in no file yet.", fix="`filebridge run` writes it as soon as it is due.")
    if row.has_changed:
        raise UserError(
            f"PO {po} has changed since it was written.", fix="`filebridge run` writes its change file."
        )


def _write_group(
    ledger: Ledger,
    pack: VendorPack,
    outbox: Path,
    clock: Clock,
    *,
    kind: str,
    group: Sequence[Candidate],
) -> list[OrderFileRow]:
    """One file of the POs of a group that can be laid out; the others are held. None where none can."""
    layout = pack.orders
    assert layout is not None
    zone = ZoneInfo(pack.settings.time_zone)
    laid: list[tuple[Candidate, LaidOut]] = []
    unfit: list[Unfit] = []
    for candidate in group:
        result = lay_out(candidate.order, layout, zone=zone, read_instant=instant_of)
        if isinstance(result, Unfit):
            unfit.append(result)
        else:
            laid.append((candidate, result))
    if unfit and kind == "resend":
        raise UserError(unfit[0].message)
    if unfit:
        with ledger.begin() as connection:
            for one in unfit:
                known_orders.move_orders(
                    connection, pack.vendor, [one.po], OrderState.HELD, code=one.code, message=one.message
                )
    if group and not laid:
        return []
    row = _stage(ledger, pack, outbox, clock, kind=kind, laid=laid)
    return [publish_staged(ledger, outbox, row, clock)]


def _stage(
    ledger: Ledger,
    pack: VendorPack,
    outbox: Path,
    clock: Clock,
    *,
    kind: str,
    laid: Sequence[tuple[Candidate, LaidOut]],
) -> OrderFileRow:
    """Stage a file, then write it down with its POs, their new revision and its number in one transaction."""
    layout = pack.orders
    assert layout is not None
    number, name = _number_and_name(ledger, pack, clock, kind, [one for one, _ in laid])
    rows = [cells for _, one in laid for cells in one.rows]
    staged = _stage_files(outbox, name, layout, rows)
    reached("order_file.staged", name)
    row = OrderFileRow(
        id=_file_id(pack.vendor, name),
        vendor=pack.vendor,
        sequence=number,
        name=name,
        kind=kind,
        state=OrderFileState.STAGED,
        sha256=staged.sha256,
        size=staged.size,
        rows=len(rows),
        pos=len(laid),
        done_file=layout.write.done_file,
        submit=layout.submit,
        notes=tuple({"code": note.code, "message": note.message} for _, one in laid for note in one.notes),
        staged_at=clock.now(),
    )
    _record(ledger, pack, row, [one for one, _ in laid])
    reached("order_file.recorded", row.id)
    return row


def _record(ledger: Ledger, pack: VendorPack, row: OrderFileRow, held: Sequence[Candidate]) -> None:
    again = 0 if row.kind == "resend" else 1
    exports = [
        ExportRow(
            order_file_id=row.id,
            vendor=row.vendor,
            po=one.order.po,
            number=one.number + again,
            revision=one.revision,
            items=tuple((item.po_item_id, item.vpc, item.quantity) for item in one.order.items),
        )
        for one in held
    ]
    with ledger.begin() as connection:
        known_orders.add_file(connection, row, exports)
        if row.kind == "order":
            known_orders.advance_sequence(connection, row.vendor, row.sequence)
        if row.kind == "resend":
            return
        present = known_orders.orders_named(connection, row.vendor, [one.order.po for one in held])
        known_orders.put_orders(
            connection,
            [
                replace(
                    present[one.order.po],
                    state=_state_in_file(present[one.order.po], pack),
                    number=one.number + again,
                    exported_revision=one.revision,
                    code="",
                    message="",
                )
                for one in held
            ],
        )


def _state_in_file(row: OrderRow, pack: VendorPack) -> OrderState:
    """A PO that was marked stays so; any other is owed its mark as long as RetailOps waits for it."""
    if row.state is OrderState.MARKED:
        return row.state
    waits = is_to_be_submitted(row.status, pack)
    return OrderState.EXPORTED if waits else OrderState.MARKED


def _number_and_name(
    ledger: Ledger, pack: VendorPack, clock: Clock, kind: str, held: Sequence[Candidate]
) -> tuple[int, str]:
    """The sequence number and the name of a file. Changes and files sent again keep the number of the first."""
    layout = pack.orders
    assert layout is not None
    with ledger.read() as connection:
        if kind != "order":
            first = known_orders.file_named(connection, pack.vendor, held[0].base)
            assert first is not None
            mark, count = (
                ("_rev", max(one.number for one in held) + 1) if kind == "change" else ("_resend", 1)
            )
            while known_orders.file_named(connection, pack.vendor, with_mark(first.name, f"{mark}{count}")):
                count += 1
            return first.sequence, with_mark(first.name, f"{mark}{count}")
        number = known_orders.last_sequence(connection, pack.vendor) + 1
        name = _filled(pack, layout.write, clock, number, held)
        if known_orders.file_named(connection, pack.vendor, name):
            name = with_mark(name, f"_{number:06d}")
    return number, name


def _filled(pack: VendorPack, write: Write, clock: Clock, number: int, held: Sequence[Candidate]) -> str:
    now = from_micros(clock.now()).astimezone(ZoneInfo(pack.settings.time_zone))
    po = held[0].order.po if held and write.one_file_per == "po" else ""
    try:
        return fill_name(write.name_template, vendor=pack.vendor, now=now, sequence=number, po=po)
    except ValueError as error:
        raise UserError(
            f"{pack.orders_path}: the PO file cannot be named: {error}.", fix="Mend `write: {name: …}`."
        ) from error


def _file_id(vendor: str, name: str) -> str:
    """Id of a PO file. The ledger holds a name once for a vendor, so that this is unique."""
    return "po-" + hashlib.sha256(f"{vendor}/{name}".encode()).hexdigest()[:12]


def _stage_files(outbox: Path, name: str, layout: OrderLayout, rows: Sequence[Sequence[str]]) -> box.Staged:
    def write(stream: BinaryIO) -> None:
        _write_table(stream, layout, rows)

    try:
        staged = box.stage(outbox, name, write, traced=True)
    except UnwritableCell as error:
        raise UserError(
            f"{name} cannot be written: {error}", fix="Mend `columns:` or `write:` of the PO layout."
        ) from error
    if layout.write.done_file:
        box.stage(outbox, name + DONE, lambda stream: None, traced=True)
    return staged


def _write_table(stream: BinaryIO, layout: OrderLayout, rows: Sequence[Sequence[str]]) -> None:
    write = layout.write
    table = [header_of(layout), *rows] if write.header else list(rows)
    if write.format == "xlsx":
        write_workbook(stream, write.sheet, table, header=write.header)
        return
    # A byte order mark belongs to the start of the file, not to each line.
    stream.write("".encode(write.encoding))
    write_delimited(
        stream,
        table,
        encoding=_AFTER_THE_MARK.get(codecs.lookup(write.encoding).name, write.encoding),
        delimiter=write.delimiter,
        quoting=write.quoting,
        line_end=_LINE_ENDS[write.line_end],
    )
