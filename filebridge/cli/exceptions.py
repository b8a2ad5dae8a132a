"""`filebridge exceptions`: what no call exists for, as a list for the retailer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from filebridge.cli import report
from filebridge.cli.surroundings import current

if TYPE_CHECKING:
    import sqlalchemy as sa

    from filebridge.ledger.po_calls import PoCall


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def exceptions(
        vendor: str = typer.Option("", "--vendor", metavar="V", help="Only this vendor's."),
    ) -> None:
        """List the POs that a vendor refuses or has back-ordered: RetailOps has no call for that.

        Send the list to the retailer. A PO leaves it once a later file accepts it, or its file is discarded.

        Example: filebridge exceptions --json
        """
        from filebridge.cli.render import instant, short, shown

        here = current()
        found: list[dict[str, Any]] = []
        with here.ledger_or_none() as ledger:
            if ledger is not None:
                with ledger.read() as connection:
                    found = _listed(connection, vendor)
        if here.json:
            for one in found:
                one["since"] = instant(one["since"])
            report.print_json({"exceptions": found})
            return
        if not found:
            report.say("No PO is refused or back-ordered.")
            return
        table = report.table("=PO", "Vendor", "=Since", "Items", "File")
        for one in found:
            items = ", ".join(
                f"{item['quantity']} of {item['vpc']} {item['status']}" for item in one["items"]
            )
            table.add_row(
                shown(one["po"]),
                one["vendor"],
                short(one["since"], here.clock.now()),
                shown(items),
                shown(one["file"]),
            )
        report.console().print(table)
        report.say("Nothing is sent of these POs: tell the retailer.")


def _listed(connection: sa.Connection, vendor: str) -> list[dict[str, Any]]:
    from filebridge.ledger import orders, po_calls, po_waits

    refused = [one for one in po_waits.pos_that_wait(connection, vendor or None) if one.is_refused]
    kept = {call.id: call for call in po_calls.waiting_calls(connection, vendor or None)}
    listed = []
    for one in refused:
        row = orders.order_row(connection, one.vendor, one.po)
        vpcs = {str(item[0]): item[1] for item in row.items} if row else {}
        newest = one.kept[-1]
        listed.append(
            {
                "po": one.po,
                "vendor": one.vendor,
                "since": one.since,
                "reason": one.message,
                "items": [item for rows in one.kept for item in _items(kept[rows.call_id], vpcs)],
                "file": newest.file_name,
                "file_id": newest.file_id,
            }
        )
    return listed


def _items(call: PoCall, vpcs: dict[str, str]) -> list[dict[str, Any]]:
    from filebridge.planning.known_pos import Waiting

    said = Waiting(call.id, call.file_name, call.records[0]).acknowledged()
    return [
        {
            "po_item_id": one.item_id,
            "vpc": vpcs.get(one.item_id, ""),
            "quantity": one.quantity,
            "status": one.status,
        }
        for one in said
    ]
