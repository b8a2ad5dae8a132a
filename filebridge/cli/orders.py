"""`filebridge orders`: purchase orders, and the files that hold them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from filebridge.cli import report
from filebridge.cli.surroundings import Surroundings, current

if TYPE_CHECKING:
    import sqlalchemy as sa

    from filebridge.ledger.orders import OrderFileRow, OrderRow

STATE_WORDS = {
    "seen": "not in a file yet",
    "exported": "in a file",
    "marked": "marked submitted",
    "held": "HELD",
    "vanished": "gone from RetailOps",
}
_VENDOR = typer.Option("", "--vendor", metavar="V", help="Only this vendor's.")


def register(app: typer.Typer) -> None:
    """Add the command and its sub-commands."""
    orders = typer.Typer(
        rich_markup_mode=None,
        no_args_is_help=False,
        help="List purchase orders; or fetch, show, or write one again.\n\n"
        "Example: filebridge orders --vendor acme",
        invoke_without_command=True,
    )
    orders.callback()(_list)
    orders.command("fetch")(_fetch)
    orders.command("show")(_show)
    orders.command("resend")(_resend)
    orders.command("close")(_close)
    app.add_typer(orders, name="orders")


def _list(
    context: typer.Context,
    vendor: str = _VENDOR,
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state",
            metavar="S",
            help="Only these: seen, exported, marked, held, vanished. May be repeated.",
        ),
    ] = None,
    limit: int = typer.Option(
        50, "--limit", metavar="N", min=0, help="How many at most, the latest due; 0 for all."
    ),
) -> None:
    if context.invoked_subcommand is not None:
        return
    here = current()
    vendors, states = _vendors(here, vendor), _states(state or [])
    found: list[tuple[OrderRow, str]] = []
    with here.ledger_or_none() as ledger:
        if ledger is not None:
            with ledger.read() as connection:
                for name in vendors:
                    found += _orders(connection, name, states)
    found.sort(key=lambda pair: (pair[0].date_submit or 0, pair[0].po))
    listed = found[-limit:] if limit else found
    if here.json:
        report.print_json({"orders": [_as_json(row, file) for row, file in listed]})
        return
    if not found:
        report.say(
            "No purchase order fits that."
            if vendor or state
            else "No purchase order was fetched yet: filebridge orders fetch"
        )
        return
    _print(listed, here.clock.now())
    if len(listed) < len(found):
        report.say(f"These are {len(listed):,} of {len(found):,}; --limit 0 shows all.")


def _fetch(vendor: str = _VENDOR) -> int:
    """Read purchase orders from RetailOps; write no file, mark nothing.

    They are read in every status.

    Example: filebridge orders fetch --vendor acme
    """
    from datetime import UTC, datetime

    from filebridge import orders
    from filebridge.bridge.desk import open_desk
    from filebridge.cli.render import shown

    here = current()
    workspace = here.workspace()
    packs = [workspace.load_pack(name) for name in _vendors(here, vendor)]
    seen: dict[str, int] = {}
    with workspace.lock(now=datetime.now(UTC)), open_desk(workspace, clock=here.clock) as desk:
        for pack in packs:
            stood = orders.in_question(desk.ledger, pack)
            fetched = orders.fetch(
                desk.ledger, desk.channel(pack).client, pack, here.clock, every_status=True
            )
            seen[pack.vendor] = fetched.seen
            new = [note for note in orders.in_question(desk.ledger, pack) if note not in stood]
            for note in (*fetched.said, *new):
                report.say(shown(note.message))
    if here.json:
        report.print_json({"fetched": seen})
    else:
        for name, count in seen.items():
            print(f"{name}: {count:,} purchase orders read.")
    return 0


def _show(
    po: str = typer.Argument(metavar="PO", help="The number of the purchase order, such as D123."),
    vendor: str = _VENDOR,
    fetch: bool = typer.Option(
        False, "--fetch", help="Read it from RetailOps anew, whatever is known of it."
    ),
) -> int:
    """Show one purchase order, and the files that hold it.

    One that FileBridge does not know yet is looked up at RetailOps, in every status.

    Example: filebridge orders show D123
    """
    from filebridge.cli.render import shown

    here = current()
    found = None if fetch else _known(here, po, vendor)
    found = found or _looked_up(here, po, vendor)
    order, files = found
    if here.json:
        report.print_json(
            {
                **_as_json(order, files[-1].name if files else ""),
                "files": [_file_as_json(row) for row in files],
                "record": order.record,
            }
        )
        return 0
    _print([(order, files[-1].name if files else "")], here.clock.now())
    items = report.table("#PO item", "VPC", "#Quantity")
    for item_id, vpc, quantity in order.items:
        items.add_row(str(item_id), vpc, f"{quantity:,}")
    report.console().print(items)
    if order.message:
        print(shown(order.message))
    for row in files:
        print(f"{row.name}: {row.kind}, {row.state.value}")
        for note in row.notes:
            if note["message"].startswith(f"PO {order.po}, "):
                print(f"  {shown(note['message'])}")
    return 0


def _resend(
    pos: Annotated[list[str], typer.Argument(metavar="PO...", help="The numbers of the purchase orders.")],
    vendor: str = _VENDOR,
) -> int:
    """Write purchase orders once more, for a vendor who lost their file.

    The new file's name says so (NAME_resend1), and nothing is marked again.

    Example: filebridge orders resend D123 D124
    """
    from filebridge.bridge.decisions import decide, resend_subject

    here = current()
    of_vendor: dict[str, list[str]] = {}
    for po in dict.fromkeys(pos):
        of_vendor.setdefault(_vendor_of(here, po, vendor), []).append(po)
    results = []
    for name, some in of_vendor.items():
        decided = decide(here.workspace(), "resend", resend_subject(name, some), clock=here.clock)
        told = {"vendor": name, "done": decided.done, "ok": decided.ok, "result": decided.result}
        results += [{"po": po, **told} for po in some]
        if not here.json:
            report.say(decided.result)
    if here.json:
        report.print_json({"resent": results})
    return 0 if all(result["ok"] for result in results) else 2


def _close(
    po: str = typer.Argument(metavar="PO", help="The number of the purchase order."),
    short: bool = typer.Option(False, "--short", help="Say that the rest of it does not come."),
    vendor: str = _VENDOR,
) -> int:
    """Close a purchase order short: send what files have said of it, without waiting for the rest.

    The next run sends it, or the watch that is at work. It cannot be taken back.

    Example: filebridge orders close D123 --short
    """
    from filebridge.bridge.decisions import close_subject, decide
    from filebridge.errors import UserError

    here = current()
    found = _known(here, po, vendor)
    if found is None:
        raise UserError(f"No PO {po!r} is known here.", fix="`filebridge orders` lists those that are.")
    if not short:
        raise UserError(
            f"Closing PO {po} sends only what has come of it, which cannot be taken back.",
            fix=f"If the rest does not come: `filebridge orders close {po} --short`.",
        )
    decided = decide(here.workspace(), "close", close_subject(found[0].vendor, po), clock=here.clock)
    if here.json:
        told = {"vendor": found[0].vendor, "done": decided.done, "ok": decided.ok, "result": decided.result}
        report.print_json({"po": po, **told})
    else:
        report.say(decided.result)
        if decided.ok and decided.done:
            report.say("The next `filebridge run` sends it, or the watch that is at work.")
    return 0 if decided.ok else 2


def _vendors(here: Surroundings, vendor: str) -> Sequence[str]:
    from filebridge.cli.render import chosen

    workspace = here.workspace()
    return chosen(workspace, [vendor] if vendor else None) or workspace.vendors()


def _states(words: list[str]) -> tuple[Any, ...]:
    from filebridge.errors import UserError
    from filebridge.ledger.schema import OrderState

    for word in words:
        if word not in STATE_WORDS:
            raise UserError(f"There is no state {word!r}.", fix=f"There are: {', '.join(STATE_WORDS)}.")
    return tuple(OrderState(word) for word in words)


def _orders(connection: sa.Connection, vendor: str, states: tuple[Any, ...]) -> list[tuple[OrderRow, str]]:
    from filebridge.ledger import orders

    rows = orders.orders_of(connection, vendor, states=states)
    files = orders.first_files(connection, vendor, [row.po for row in rows if row.is_exported])
    return [(row, files.get(row.po, "")) for row in rows]


def _known(here: Surroundings, po: str, vendor: str) -> tuple[OrderRow, list[OrderFileRow]] | None:
    from filebridge.ledger import orders

    with here.ledger_or_none() as ledger:
        if ledger is None:
            return None
        with ledger.read() as connection:
            for name in _vendors(here, vendor):
                found = orders.order_row(connection, name, po)
                if found:
                    return found, orders.files_holding(connection, name, po)
    return None


def _looked_up(here: Surroundings, po: str, vendor: str) -> tuple[OrderRow, list[OrderFileRow]]:
    from filebridge import orders
    from filebridge.bridge.desk import open_desk
    from filebridge.errors import UserError
    from filebridge.ledger.orders import files_holding

    workspace = here.workspace()
    names = _vendors(here, vendor)
    with open_desk(workspace, clock=here.clock) as desk:
        for name in names:
            pack = workspace.load_pack(name)
            found = orders.lookup(desk.channel(pack).client, desk.ledger, pack, po, here.clock)
            if found:
                with desk.ledger.read() as connection:
                    return found, files_holding(connection, name, po)
    raise UserError(
        f"Neither FileBridge nor RetailOps knows a PO {po!r} of {', '.join(names) or 'any vendor'}.",
        fix="`filebridge orders` lists those that are known.",
    )


def _vendor_of(here: Surroundings, po: str, vendor: str) -> str:
    """The vendor of a PO that is in a file already. Raises UserError where there is none."""
    from filebridge.errors import UserError

    found = _known(here, po, vendor)
    if found is None or not found[1]:
        raise UserError(
            f"No file holds a PO {po!r}, so none can be written again.", fix="`filebridge orders` lists them."
        )
    return found[0].vendor


def _print(listed: list[tuple[OrderRow, str]], now: int) -> None:
    from filebridge.cli.render import local_zone, short, shown

    table = report.table("=PO", "=Status", f"=Due ({local_zone()})", "How far", "Vendor", "File")
    for row, file in listed:
        table.add_row(
            shown(row.po),
            shown(row.status),
            short(row.date_submit, now),
            _how_far(row),
            row.vendor,
            file or "-",
        )
    report.keep_whole(table, "File", beside=74)
    report.console().print(table)


def _how_far(row: OrderRow) -> str:
    from filebridge.cli.render import shown

    said = STATE_WORDS[row.state.value]
    if row.number > 1:
        said += f", revision {row.number}"
    if row.has_changed:
        said += ", changed since"
    return f"{said}: {shown(row.message)}" if row.code else said


def _as_json(row: OrderRow, file: str) -> dict[str, Any]:
    from filebridge.cli.render import instant

    return {
        "po": row.po,
        "vendor": row.vendor,
        "status": row.status,
        "state": row.state.value,
        "due_at": instant(row.date_submit),
        "file": file or None,
        "revision": row.number,
        "changed": row.has_changed,
        "items": [
            {"po_item_id": item_id, "vpc": vpc, "quantity": quantity} for item_id, vpc, quantity in row.items
        ],
        "code": row.code or None,
        "message": row.message or None,
        "marked_at": instant(row.marked_at),
    }


def _file_as_json(row: OrderFileRow) -> dict[str, Any]:
    from filebridge.cli.render import order_file_as_json

    return order_file_as_json(row)
