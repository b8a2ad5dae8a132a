"""`filebridge rows ID`: what became of each row of a file."""

from __future__ import annotations

import shutil
import sys
import tempfile
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from filebridge.cli import report
from filebridge.cli.surroundings import current

if TYPE_CHECKING:
    import sqlalchemy as sa

    from filebridge.ledger.files import FileRow
    from filebridge.ledger.rows import RowOutcome
    from filebridge.outcomes import Outcome

SHOWN = 100


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def rows(
        file_id: str = typer.Argument(metavar="ID", help="The file's id, or its first letters."),
        outcome: Annotated[
            list[str] | None,
            typer.Option(
                "--outcome",
                metavar="O",
                help="Only rows that ended so: rejected, delivered, held … May be repeated.",
            ),
        ] = None,
        limit: int = typer.Option(
            -1,
            "--limit",
            metavar="N",
            min=-1,
            show_default=False,
            help=f"How many at most: {SHOWN} on screen, else all; 0 for all.",
        ),
    ) -> None:
        """List the rows of a file, and why some did not go.

        Every reason of a row is listed. Rows are counted as a spreadsheet shows them, the header included.

        Example: filebridge rows fk2m --outcome rejected
        """
        from filebridge.cli import render
        from filebridge.ledger import files
        from filebridge.ledger import rows as known_rows

        here = current()
        wanted = _outcomes(outcome or [])
        most = limit if limit > 0 else None if limit == 0 or here.json else SHOWN
        listed: list[RowOutcome] = []
        went_with: dict[int, str] = {}
        with tempfile.SpooledTemporaryFile(max_size=1 << 22, mode="w+", encoding="utf-8") as spool:
            # Who reads from the ledger keeps its writers waiting, and who reads from us may take its time.
            with here.ledger() as ledger, ledger.read() as connection:
                row = files.find_file(connection, file_id)
                found = islice(known_rows.every_row(connection, row.id, outcomes=wanted), most)
                if here.json:
                    head = {"file": {"id": row.id, "name": row.name, "vendor": row.vendor, "rows": row.rows}}
                    entries = (entry for one in found for entry in one.as_json())
                    report.write_json_list(head, "rows", entries, spool)
                else:
                    listed = list(found)
                    went_with = _went_with(connection, row)
            if here.json:
                spool.seek(0)
                shutil.copyfileobj(spool, sys.stdout)
                return
        _print(listed, went_with)
        if not listed:
            report.say(f"{render.shown(row.name)} has no such row.")
        elif most is not None and len(listed) == most:
            report.say(f"These are the first {most:,} of {row.rows:,}; --limit 0 shows all.")


def _went_with(connection: sa.Connection, of: FileRow) -> dict[int, str]:
    """Of rows that a call of another file carries: with which file they went."""
    from filebridge.cli.render import shown
    from filebridge.ledger import po_waits
    from filebridge.ledger import rows as known_rows

    if of.document == "inventory":
        return {}
    carriers = po_waits.carriers_of(connection, of.id)
    rows = known_rows.rows_of_calls(connection, of.id, list(carriers)) if carriers else {}
    return {
        row: f"In one call with {shown(carrier.file_name)} ({carrier.file_id})."
        for call_id, carrier in carriers.items()
        if carrier.file_id != of.id
        for row in rows.get(call_id, ())
    }


def _print(listed: list[RowOutcome], went_with: dict[int, str]) -> None:
    from filebridge.cli import render

    if not listed:
        return
    table = report.table("#Row", "=Outcome", "Column", "Found", "=Code", "Why")
    table.collapse_padding = True
    for row in listed:
        if not row.reasons:
            table.add_row(f"{row.row:,}", row.outcome.value, "", "", "", went_with.get(row.row, ""))
        for reason in row.reasons:
            table.add_row(
                f"{row.row:,}",
                row.outcome.value,
                render.shown(reason.column),
                render.shown(reason.value)[:40],
                reason.code,
                render.shown(reason.message),
            )
    report.console().print(table)


def _outcomes(words: list[str]) -> tuple[Outcome, ...] | None:
    from filebridge.errors import UserError
    from filebridge.outcomes import Outcome

    known = {outcome.value: outcome for outcome in Outcome}
    for word in words:
        if word not in known:
            raise UserError(f"There is no outcome {word!r}.", fix=f"There are: {', '.join(known)}.")
    return tuple(known[word] for word in words) or None
