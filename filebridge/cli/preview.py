"""`filebridge preview FILE`: what would happen to each row, with the network off."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from filebridge.cli import report
from filebridge.cli.surroundings import current
from filebridge.outcomes import FileStatus, Outcome

if TYPE_CHECKING:
    from filebridge.bridge.preview import Previewed
    from filebridge.cli.surroundings import Surroundings
    from filebridge.ledger.rows import RowOutcome

SHOWN: Final = 20
_TOLD: Final = (Outcome.PENDING, Outcome.REJECTED)
"""What the receipt tells already."""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def preview(
        file: str = typer.Argument(
            metavar="FILE", help="The file; it may lie anywhere, and stays where it is."
        ),
        vendor: str = typer.Option(
            "",
            "--vendor",
            metavar="V",
            help="Whose file it is; not needed below inbox/V/, nor with only one vendor.",
        ),
    ) -> int:
        """Show what would become of a file, and send nothing.

        It goes the same way as in `run`, up to the first call. Ends with 1 where a row would not be taken.

        Example: filebridge preview inbox/acme/inventory.csv
        """
        from filebridge.bridge.preview import preview as look_ahead
        from filebridge.cli import render
        from filebridge.errors import UserError
        from filebridge.reader import Reader

        here = current()
        workspace = here.workspace()
        render.chosen(workspace, [vendor] if vendor else None)
        path = Path(file)
        if not path.is_file():
            raise UserError(f"There is no file {file}.")
        reader = Reader()
        try:
            previewed = look_ahead(workspace, path, vendor=vendor or None, clock=here.clock, reader=reader)
            if here.json:
                report.print_json(previewed.as_json())
            else:
                zone = render.zone_of(workspace, previewed.receipt.vendor)
                inbox = workspace.inbox_of(previewed.receipt.vendor)
                in_inbox = path.absolute().is_relative_to(inbox)
                _print(previewed, zone, in_inbox=in_inbox)
                _print_calls(previewed, here, zone)
                report.say("Nothing was sent, and the file lies where it was.")
        finally:
            reader.close()
        return 1 if _needs_a_person(previewed.receipt.status) or previewed.receipt.rejected else 0


def _needs_a_person(status: FileStatus) -> bool:
    return status in {FileStatus.REJECTED, FileStatus.HELD}


def _print(previewed: Previewed, zone: str, *, in_inbox: bool) -> None:
    from filebridge.cli import render
    from filebridge.replies.person import receipt_text

    receipt = previewed.receipt
    text = receipt_text(receipt, time_zone=zone, in_inbox=in_inbox, width=report.text_width())
    print(text.decode("utf-8").replace("\r\n", "\n"))
    kept = (row for row in previewed.rows if row.outcome not in _TOLD and not _waits_with_po(row))
    listed = list(islice(kept, SHOWN + 1))
    if listed:
        table = report.table("#Row", "Outcome", "Code", "Why")
        for row in listed[:SHOWN]:
            codes = ", ".join(reason.code for reason in row.reasons)
            why = " ".join(render.shown(reason.message) for reason in row.reasons)
            table.add_row(f"{row.row:,}", row.outcome.value, codes, why)
        report.console().print(table)
    if len(listed) > SHOWN:
        report.say(f"These are the first {SHOWN}; --json has every row.")


def _waits_with_po(row: RowOutcome) -> bool:
    """Whether the receipt tells of the row with its PO."""
    from filebridge.replies.waits import OF_A_PO

    return row.outcome is Outcome.HELD and any(reason.code in OF_A_PO for reason in row.reasons)


def _print_calls(previewed: Previewed, here: Surroundings, zone: str) -> None:
    """What would be sent of each PO, in words. Inventory is a number on the receipt."""
    from filebridge.cli import foreseen

    if previewed.receipt.document == "inventory" or not previewed.receipt.calls:
        return
    lines = foreseen.lines_of(previewed.calls(), foreseen.names_of(here, previewed.receipt.vendor), zone)
    listed = list(islice(lines, SHOWN + 1))
    print("What would be sent\n------------------")
    for line in listed[:SHOWN]:
        print(f"  {line}")
    if len(listed) > SHOWN:
        print(f"  and more: these are the first {SHOWN}; --json has all.")
    print()
