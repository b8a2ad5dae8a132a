"""Purchase orders, the files that hold them, and which revision of a PO each file holds."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Final

import orjson
import sqlalchemy as sa

from filebridge.ledger.connect import change_many, insert_many, portions
from filebridge.ledger.po_calls import pos_of_file
from filebridge.ledger.schema import (
    OrderFileState,
    OrderState,
    order_export,
    order_file,
    purchase_order,
    sequence,
)
from filebridge.planning.plan import Action

EVERY_STATUS: Final = ("open", "ready", "submitted", "accepted", "receiving", "complete")
"""The statuses of a PO, in the order in which it goes through them (the wire document, section 6)."""

Items = tuple[tuple[int | str, str, int], ...]
"""(po_item_id, vpc, quantity) of each item; the id as RetailOps sent it, number or text."""


@dataclass(frozen=True)
class OrderRow:
    """A PO as the ledger knows it. Times are microseconds UTC.

    `revision` is that of `record`, `exported_revision` that of the newest file which holds the PO, empty
    where none does; `number` counts the revisions in files, 0 before the first. `date_submit` is None where
    the record has none that can be read.
    """

    vendor: str
    po: str
    state: OrderState
    status: str
    date_submit: int | None
    revision: str
    number: int
    exported_revision: str
    packed_record: bytes
    items: Items
    code: str
    message: str
    first_seen_at: int
    seen_at: int
    marked_at: int | None = None

    @cached_property
    def record(self) -> dict[str, Any]:
        """The PO as RetailOps sent it last; a number that was no whole one as its text."""
        found = orjson.loads(zlib.decompress(self.packed_record))
        assert isinstance(found, dict)
        return found

    @property
    def is_exported(self) -> bool:
        """Whether some revision of it is in a file."""
        return bool(self.exported_revision)

    @property
    def has_changed(self) -> bool:
        """Whether it is in a file, and is no longer as that file says."""
        return self.is_exported and self.revision != self.exported_revision


@dataclass(frozen=True)
class OrderFileRow:
    """A PO file as the ledger knows it. Times are microseconds UTC, None where not yet."""

    id: str
    vendor: str
    sequence: int
    name: str
    kind: str
    """`order`, `change` or `resend`."""
    state: OrderFileState
    sha256: str
    size: int
    rows: int
    pos: int
    done_file: bool
    submit: str
    notes: tuple[dict[str, str], ...]
    staged_at: int
    published_at: int | None = None
    marked_at: int | None = None
    gone_at: int | None = None

    @property
    def is_for_marking(self) -> bool:
        """Whether its POs are marked submitted for it: not those of a file sent again, nor on a submission."""
        return bool(self.pos) and self.kind != "resend" and self.submit != "on_submission"


@dataclass(frozen=True)
class ExportRow:
    """A PO in a file: which revision, and exactly the items that the file holds."""

    order_file_id: str
    vendor: str
    po: str
    number: int
    revision: str
    items: Items


def pack_record(record: object) -> bytes:
    """A PO's record as the ledger keeps it."""
    return zlib.compress(orjson.dumps(record, default=str))


# Purchase orders


def order_row(connection: sa.Connection, vendor: str, po: str) -> OrderRow | None:
    """One PO of a vendor, None where it was never seen."""
    found = _orders(connection, purchase_order.c.vendor == vendor, purchase_order.c.po == po)
    return found[0] if found else None


def orders_of(
    connection: sa.Connection, vendor: str, *, states: Collection[OrderState] = ()
) -> list[OrderRow]:
    """A vendor's POs by `date_submit`, then PO; in some states, or all."""
    conditions = [purchase_order.c.vendor == vendor]
    if states:
        conditions.append(purchase_order.c.state.in_([state.value for state in states]))
    return _orders(connection, *conditions)


def orders_in_question(connection: sa.Connection, vendor: str) -> list[OrderRow]:
    """The vendor's POs that something stands against: held ones, and those in a file that RetailOps lacks."""
    return _orders(connection, purchase_order.c.vendor == vendor, purchase_order.c.code != "")


def orders_named(connection: sa.Connection, vendor: str, pos: Collection[str]) -> dict[str, OrderRow]:
    """Those of these POs that the ledger knows, by PO."""
    found: dict[str, OrderRow] = {}
    for some in portions(sorted(pos)):
        rows = _orders(connection, purchase_order.c.vendor == vendor, purchase_order.c.po.in_(some))
        found.update((row.po, row) for row in rows)
    return found


def put_orders(connection: sa.Connection, rows: Collection[OrderRow]) -> None:
    """Write down POs as they are now, in place of what was known of them."""
    change_many(
        connection,
        "DELETE FROM purchase_order WHERE vendor=? AND po=?",
        [(row.vendor, row.po) for row in rows],
    )
    columns = [column.name for column in purchase_order.c]
    insert_many(connection, purchase_order, columns, (_values(row) for row in rows))


def _values(row: OrderRow) -> tuple[object, ...]:
    values = {item.name: getattr(row, item.name) for item in fields(row)}
    values["record"] = values.pop("packed_record")
    values["state"] = row.state.value
    values["items"] = orjson.dumps(row.items).decode()
    return tuple(values[column.name] for column in purchase_order.c)


def move_orders(
    connection: sa.Connection,
    vendor: str,
    pos: Iterable[str],
    state: OrderState,
    *,
    code: str = "",
    message: str = "",
    marked_at: int | None = None,
) -> None:
    """Move POs to a state, with why. `marked_at` is kept where None is given."""
    values: dict[str, Any] = {"state": state.value, "code": code, "message": message}
    if marked_at is not None:
        values["marked_at"] = marked_at
    for some in portions(list(pos)):
        connection.execute(
            sa.update(purchase_order)
            .where(purchase_order.c.vendor == vendor, purchase_order.c.po.in_(some))
            .values(values)
        )


STATUS_AFTER: Final[Mapping[Action, str]] = {
    Action.MARK_SUBMITTED: "submitted",
    Action.MARK_ACCEPTED: "accepted",
    Action.COMPLETE: "complete",
}
"""What RetailOps has a PO as, once it has confirmed a call."""


def note_answers(connection: sa.Connection, vendor: str, file_id: str, now: int) -> None:
    """Take in what a vendor's file made of POs: the status that they have now, as confirmed."""
    for action, status in STATUS_AFTER.items():
        for some in portions(pos_of_file(connection, file_id, action)):
            values: dict[str, Any] = {"status": status}
            if action is Action.MARK_SUBMITTED:
                values |= {"state": OrderState.MARKED.value, "code": "", "message": "", "marked_at": now}
            earlier = EVERY_STATUS[: EVERY_STATUS.index(status)]
            connection.execute(
                sa.update(purchase_order)
                .where(
                    purchase_order.c.vendor == vendor,
                    purchase_order.c.po.in_(some),
                    purchase_order.c.status.in_(earlier),
                )
                .values(values)
            )


# PO files


def last_sequence(connection: sa.Connection, vendor: str) -> int:
    """The number of the vendor's newest PO file, 0 before the first."""
    found = connection.execute(sa.select(sequence.c.last).where(sequence.c.vendor == vendor)).scalar()
    return int(found or 0)


def advance_sequence(connection: sa.Connection, vendor: str, number: int) -> None:
    """Take `number` for a PO file. Raises ValueError unless it is the next one."""
    last = last_sequence(connection, vendor)
    if number != last + 1:
        raise ValueError(f"the PO file after {last} cannot be number {number}")
    if last:
        statement = sa.update(sequence).where(sequence.c.vendor == vendor).values(last=number)
        connection.execute(statement)
    else:
        connection.execute(sa.insert(sequence).values(vendor=vendor, last=number))


def add_file(connection: sa.Connection, row: OrderFileRow, exports: Sequence[ExportRow]) -> None:
    """Write down a PO file and what it holds."""
    values = {item.name: getattr(row, item.name) for item in fields(row)}
    connection.execute(
        sa.insert(order_file).values({**values, "state": row.state.value, "notes": list(row.notes)})
    )
    insert_many(
        connection,
        order_export,
        ("order_file_id", "vendor", "po", "number", "revision", "items"),
        (
            (
                one.order_file_id,
                one.vendor,
                one.po,
                one.number,
                one.revision,
                orjson.dumps(one.items).decode(),
            )
            for one in exports
        ),
    )


def file_row(connection: sa.Connection, order_file_id: str) -> OrderFileRow:
    """One PO file. Raises KeyError where there is none of that id."""
    found = _files(connection, order_file.c.id == order_file_id)
    if not found:
        raise KeyError(order_file_id)
    return found[0]


def files_of(
    connection: sa.Connection, vendor: str, *, states: Collection[OrderFileState] = ()
) -> list[OrderFileRow]:
    """A vendor's PO files in the order of writing; in some states, or all."""
    conditions = [order_file.c.vendor == vendor]
    if states:
        conditions.append(order_file.c.state.in_([state.value for state in states]))
    return _files(connection, *conditions)


def file_named(connection: sa.Connection, vendor: str, name: str) -> OrderFileRow | None:
    """The vendor's PO file of that name, None where there is none.

    Names that differ only in case count as one: on many shares they are.
    """
    found = _files(
        connection, order_file.c.vendor == vendor, sa.func.lower(order_file.c.name) == name.lower()
    )
    return found[0] if found else None


def move_file(connection: sa.Connection, order_file_id: str, state: OrderFileState, *, now: int) -> None:
    """Move a PO file to PUBLISHED or MARKED, and note when."""
    when = {OrderFileState.PUBLISHED: "published_at", OrderFileState.MARKED: "marked_at"}[state]
    connection.execute(
        sa.update(order_file)
        .where(order_file.c.id == order_file_id)
        .values({"state": state.value, when: now})
    )


def reopen_owed(connection: sa.Connection, vendor: str) -> None:
    """Take finished files up again that hold a PO which waits for its mark once more: it was gone, or unreadable.

    Not those whose POs a submission marks. When they were published and finished stays as it was.
    """
    holding = (
        sa.select(order_export.c.order_file_id)
        .join(
            purchase_order,
            sa.and_(
                purchase_order.c.vendor == order_export.c.vendor,
                purchase_order.c.po == order_export.c.po,
                purchase_order.c.number == order_export.c.number,
            ),
        )
        .where(purchase_order.c.vendor == vendor, purchase_order.c.state == OrderState.EXPORTED.value)
    )
    connection.execute(
        sa.update(order_file)
        .where(
            order_file.c.id.in_(holding),
            order_file.c.state == OrderFileState.MARKED.value,
            order_file.c.kind != "resend",
            order_file.c.submit != "on_submission",
        )
        .values(state=OrderFileState.PUBLISHED.value)
    )


def note_gone(connection: sa.Connection, order_file_id: str, gone_at: int | None) -> None:
    """Note when a published file was first seen to be taken; None: it is there after all."""
    connection.execute(sa.update(order_file).where(order_file.c.id == order_file_id).values(gone_at=gone_at))


def exports_of(connection: sa.Connection, order_file_id: str) -> list[ExportRow]:
    """What a PO file holds, in the order of PO."""
    return _exports(connection, order_export.c.order_file_id == order_file_id)


def marked_in(connection: sa.Connection, order_file_id: str) -> int:
    """How many of the POs that a PO file holds are marked submitted, for it or for a later file."""
    found = connection.execute(
        sa.select(sa.func.count())
        .select_from(order_export)
        .join(
            purchase_order,
            sa.and_(
                purchase_order.c.vendor == order_export.c.vendor, purchase_order.c.po == order_export.c.po
            ),
        )
        .where(
            order_export.c.order_file_id == order_file_id, purchase_order.c.state == OrderState.MARKED.value
        )
    )
    return int(found.scalar_one())


def files_holding(connection: sa.Connection, vendor: str, po: str) -> list[OrderFileRow]:
    """The PO files that hold a PO, oldest first."""
    holding = sa.select(order_export.c.order_file_id).where(
        order_export.c.vendor == vendor, order_export.c.po == po
    )
    return _files(connection, order_file.c.id.in_(holding))


def staged_pos(connection: sa.Connection, vendor: str) -> set[str]:
    """The POs of files that are not published yet."""
    found = connection.execute(
        sa.select(order_export.c.po)
        .join(order_file, order_file.c.id == order_export.c.order_file_id)
        .where(order_file.c.vendor == vendor, order_file.c.state == OrderFileState.STAGED.value)
    )
    return set(found.scalars())


def first_files(connection: sa.Connection, vendor: str, pos: Collection[str]) -> dict[str, str]:
    """The name of the file that held each of these POs first, by PO."""
    found: dict[str, str] = {}
    for some in portions(sorted(pos)):
        rows = connection.execute(
            sa.select(order_export.c.po, order_file.c.name)
            .join(order_file, order_file.c.id == order_export.c.order_file_id)
            .where(order_export.c.vendor == vendor, order_export.c.po.in_(some), order_file.c.kind == "order")
            .order_by(order_file.c.staged_at.desc())
        )
        found.update((row.po, row.name) for row in rows)
    return found


# Rows


def _orders(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[OrderRow]:
    found = connection.execute(
        sa.select(purchase_order)
        .where(*conditions)
        .order_by(purchase_order.c.date_submit, purchase_order.c.po)
    )
    return [_order(dict(row)) for row in found.mappings()]


def _order(row: dict[Any, Any]) -> OrderRow:
    row["packed_record"] = row.pop("record")
    return OrderRow(**{**row, "state": OrderState(row["state"]), "items": _items(row["items"])})


def _files(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[OrderFileRow]:
    found = connection.execute(
        sa.select(order_file)
        .where(*conditions)
        .order_by(order_file.c.staged_at, order_file.c.sequence, order_file.c.name)
    )
    return [
        OrderFileRow(**{**row, "state": OrderFileState(row["state"]), "notes": tuple(row["notes"])})
        for row in found.mappings()
    ]


def _exports(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[ExportRow]:
    found = connection.execute(sa.select(order_export).where(*conditions).order_by(order_export.c.po))
    return [ExportRow(**{**row, "items": _items(row["items"])}) for row in found.mappings()]


def _items(stored: Sequence[Sequence[Any]]) -> Items:
    return tuple((item[0], item[1], item[2]) for item in stored)
