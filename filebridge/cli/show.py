"""`filebridge show ID`: what became of one file, down to the call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import typer

from filebridge.cli import report
from filebridge.cli.surroundings import current

if TYPE_CHECKING:
    from filebridge.ledger.calls import CallRow
    from filebridge.ledger.files import FileRow
    from filebridge.ledger.po_waits import Carrier
    from filebridge.workspace import Workspace


SHOWN: Final = 20
ACTION_WORDS: Final = {
    "update": "update",
    "mark_submitted": "submit",
    "mark_accepted": "accept",
    "update_est_ship_date": "ship date",
    "complete": "complete",
}
"""Calls as a person names them."""


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
        from filebridge.cli.standing import limits_of
        from filebridge.ledger import calls, files, po_waits
        from filebridge.ledger.schema import CallState
        from filebridge.replies.receipt import build_receipt

        here = current()
        workspace = here.workspace()
        with here.ledger() as ledger, ledger.read() as connection:
            row = files.find_file(connection, file_id)
            receipt = build_receipt(connection, row.id, hold_for=limits_of(workspace, row.vendor))
            found = calls.calls_of(connection, file_id=row.id)
            carriers = po_waits.carriers_of(connection, row.id)
            pos = po_waits.pos_of_calls(connection, row.id)
        if here.json:
            report.print_json(
                {
                    "receipt": receipt.as_json(),
                    "archived_at": row.archived_at or None,
                    "calls": [_as_json(call, pos.get(call.id, []), carriers.get(call.id)) for call in found],
                }
            )
            return
        from filebridge.cli.render import zone_of
        from filebridge.replies.person import receipt_text

        zone, (folder, twin) = zone_of(workspace, row.vendor), _rejects_of(workspace, row)
        text = receipt_text(receipt, time_zone=zone, folder=folder, twin=twin, width=report.text_width())
        print(text.decode("utf-8").replace("\r\n", "\n"))
        listed = found
        if len(found) > SHOWN and not every_call:
            listed = [call for call in found if call.state is not CallState.CONFIRMED]
        if not found:
            print("No call to RetailOps was needed.")
        if listed:
            told = [_told(call, pos.get(call.id, []), carriers.get(call.id), row.id) for call in listed]
            _print_calls(listed, told, here.clock.now())
        if len(listed) < len(found):
            records = sum(call.records for call in found if call.state is CallState.CONFIRMED)
            print(
                f"{len(found) - len(listed):,} calls with {records:,} records were confirmed; --all lists each."
            )
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


def _print_calls(listed: list[CallRow], told: list[tuple[str, str]], now: int) -> None:
    from filebridge.cli import render

    table = report.table(
        "#Call", f"=Sent ({render.local_zone()})", "=Action", "=About", "#Rows", "What came of it"
    )
    # So that all of it is seen in a terminal of 80 columns.
    table.collapse_padding = True
    for call, (about, came) in zip(listed, told, strict=True):
        table.add_row(
            str(call.id),
            render.short(call.sent_at, now),
            ACTION_WORDS[call.action.value],
            about,
            f"{call.rows:,}",
            came,
        )
    report.console().print(table)


def _told(call: CallRow, pos: list[str], carrier: Carrier | None, file_id: str) -> tuple[str, str]:
    """What a call is about, and what came of it, in words."""
    from filebridge.cli.render import shown
    from filebridge.replies.wording import count_of, cut

    about = count_of(call.records, "record")
    if pos:
        about = cut(pos[0], 16) if len(pos) == 1 else count_of(len(pos), "PO")
    if carrier is not None:
        with_it = f"went with {shown(carrier.file_name)} ({carrier.file_id}), call {carrier.call_id}"
        if carrier.file_id == file_id:
            with_it = f"went with call {carrier.call_id}"
        if carrier.state.value == "waiting":
            with_it = with_it.replace("went with", "waits with", 1)
            return about, with_it
        return about, f"{with_it}: {carrier.state.value}"
    words = shown(call.answer)
    if call.state.value == "waiting":
        return about, f"waits, nothing is sent: {words}" if words else "waits, nothing is sent"
    came = call.state.value
    if call.attempts > 1:
        came += f" at try {call.attempts:,}"
    if call.http_status:
        came += f" (HTTP {call.http_status})"
    return about, f"{came}: {words}" if words else came


def _as_json(call: CallRow, pos: list[str], carrier: Carrier | None) -> dict[str, Any]:
    from filebridge.cli.render import instant

    return {
        "id": call.id,
        "action": call.action.value,
        "state": call.state.value,
        "records": call.records,
        "rows": call.rows,
        "attempts": call.attempts,
        "http_status": call.http_status,
        # What a call waited for is no answer once another carries it along.
        "answer": (call.answer or None) if carrier is None else None,
        "planned_at": instant(call.planned_at),
        "sent_at": instant(call.sent_at),
        "answered_at": instant(call.answered_at),
        "restate_at": instant(call.restate_at),
        "part_of": call.parent_id,
        "pos": pos,
        "carried_by": None
        if carrier is None
        else {
            "call": carrier.call_id,
            "state": carrier.state.value,
            "file_id": carrier.file_id or None,
            "file": carrier.file_name or None,
        },
    }
