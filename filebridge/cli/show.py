"""`filebridge show ID`: what became of one file, down to the call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import typer

from filebridge.cli import report
from filebridge.cli.surroundings import current

if TYPE_CHECKING:
    from filebridge.ledger.calls import CallRow
    from filebridge.ledger.files import FileRow
    from filebridge.workspace import Workspace


SHOWN: Final = 20


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def show(
        file_id: str = typer.Argument(metavar="ID", help="The file's id, or its first letters."),
        every_call: bool = typer.Option(
            False, "--all", help=f"List every call; else of more than {SHOWN} those that were not confirmed."
        ),
    ) -> None:
        """Show what became of one file: its receipt, and each call.

        The id stands in `filebridge files`, on the receipt, and in every reject file.

        Example: filebridge show fk2m
        """
        from filebridge.ledger import calls, files
        from filebridge.replies.receipt import build_receipt

        here = current()
        with here.ledger() as ledger, ledger.read() as connection:
            row = files.find_file(connection, file_id)
            receipt = build_receipt(connection, row.id)
            found = calls.calls_of(connection, file_id=row.id)
        if here.json:
            report.print_json(
                {
                    "receipt": receipt.as_json(),
                    "archived_at": row.archived_at or None,
                    "calls": [_as_json(call) for call in found],
                }
            )
            return
        from filebridge.cli.render import zone_of
        from filebridge.replies.person import receipt_text

        workspace = here.workspace()
        zone, (folder, twin) = zone_of(workspace, row.vendor), _rejects_of(workspace, row)
        text = receipt_text(receipt, time_zone=zone, folder=folder, twin=twin)
        print(text.decode("utf-8").replace("\r\n", "\n"))
        _print_calls(found, here.clock.now(), every_call=every_call)
        if row.archived_at:
            print(f"Original and replies: {workspace.archive / row.archived_at}")


def _rejects_of(workspace: Workspace, row: FileRow) -> tuple[str, str]:
    """The folder of a file's reject file, as seen from the workspace, and its workbook; each empty where none is."""
    if not row.reject_file:
        return "", ""
    place = workspace.replies_of(row.vendor) / row.reject_file
    copies = workspace.archive / row.archived_at if row.archived_at else place.parent
    workbook = f"{place.name.removesuffix('.csv')}.xlsx"
    has_twin = place.suffix == ".csv" and any((there / workbook).exists() for there in (place.parent, copies))
    folder = place.parent
    shown = folder.relative_to(workspace.root) if folder.is_relative_to(workspace.root) else folder
    return f"{shown}/", workbook if has_twin else ""


def _print_calls(found: list[CallRow], now: int, *, every_call: bool) -> None:
    from filebridge.cli import render
    from filebridge.ledger.schema import CallState

    if not found:
        print("No call to RetailOps was needed.")
        return
    listed = found
    if len(found) > SHOWN and not every_call:
        listed = [call for call in found if call.state is not CallState.CONFIRMED]
    table = report.table(
        "#Call",
        f"=Sent ({render.local_zone()})",
        "=Action",
        "#Records",
        "#Rows",
        "=State",
        "#Tries",
        "#HTTP",
        "RetailOps' words",
    )
    for call in listed:
        table.add_row(
            str(call.id),
            render.short(call.sent_at, now),
            call.action.value,
            f"{call.records:,}",
            f"{call.rows:,}",
            call.state.value,
            str(call.attempts),
            str(call.http_status or "-"),
            render.shown(call.answer),
        )
    if listed:
        report.console().print(table)
    if len(listed) < len(found):
        records = sum(call.records for call in found if call.state is CallState.CONFIRMED)
        print(
            f"{len(found) - len(listed):,} calls with {records:,} records were confirmed; --all lists each."
        )


def _as_json(call: CallRow) -> dict[str, Any]:
    from filebridge.cli.render import instant

    return {
        "id": call.id,
        "action": call.action.value,
        "state": call.state.value,
        "records": call.records,
        "rows": call.rows,
        "attempts": call.attempts,
        "http_status": call.http_status,
        "answer": call.answer or None,
        "planned_at": instant(call.planned_at),
        "sent_at": instant(call.sent_at),
        "answered_at": instant(call.answered_at),
        "restate_at": instant(call.restate_at),
        "part_of": call.parent_id,
    }
