"""`filebridge files`: what came in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from filebridge.cli import report
from filebridge.cli.surroundings import current

if TYPE_CHECKING:
    from filebridge.ledger.files import FileRow
    from filebridge.outcomes import FileStatus, Outcome


WIDE = 100


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def files(
        vendor: str = typer.Option("", "--vendor", metavar="V", help="Only this vendor's."),
        name: str = typer.Option("", "--name", metavar="TEXT", help="Only names that hold this text."),
        status: Annotated[
            list[str] | None,
            typer.Option(
                "--status",
                metavar="S",
                help="Only these: rejected, held, pending, accepted … May be repeated.",
            ),
        ] = None,
        limit: int = typer.Option(50, "--limit", metavar="N", min=0, help="How many at most; 0 for all."),
    ) -> None:
        """List the files that came in, and what became of each.

        The newest stand first. Look into one with `filebridge show ID`; the first letters of an id will do.

        Example: filebridge files --vendor acme --status rejected
        """
        from filebridge.cli import render
        from filebridge.ledger import files as known_files
        from filebridge.ledger import rows

        here = current()
        render.chosen(here.workspace(), [vendor] if vendor else None)
        statuses = _statuses(status or [])
        with here.ledger_or_none() as ledger:
            found: list[tuple[FileRow, dict[Outcome, int]]] = []
            if ledger is not None:
                with ledger.read() as connection:
                    listed = known_files.files(
                        connection,
                        vendor=vendor or None,
                        name=name or None,
                        statuses=statuses,
                        limit=limit or 1_000_000_000,
                    )
                    found = [(row, rows.outcomes_of(connection, row.id)) for row in listed]
        if here.json:
            report.print_json({"files": [render.file_as_json(row, outcomes) for row, outcomes in found]})
            return
        if not found:
            asked = vendor or name or status
            report.say("No file fits that." if asked else render.NOTHING_YET)
            return
        _print(found, here.clock.now())
        if limit and len(found) == limit:
            report.say(f"These are the newest {limit:,}; --limit shows more.")


def _print(found: list[tuple[FileRow, dict[Outcome, int]]], now: int) -> None:
    from filebridge.cli import render

    console = report.console()
    # In a narrow terminal what became of a file counts for more than what it is.
    several = len({row.document for row, _ in found if row.document}) > 1 and console.width >= WIDE
    columns = ("=Id", f"=Received ({render.local_zone()})", *(["=Document"] if several else []))
    table = report.table(*columns, "File", "#Rows", "What became of it")
    for row, outcomes in found:
        ended = render.counts(outcomes) or row.code.replace("_", " ")
        table.add_row(
            row.id,
            render.short(row.received_at, now),
            *([row.document or "-"] if several else []),
            f"{row.vendor}/{render.shown(row.name)}",
            f"{row.rows:,}",
            f"{render.standing(row.status)}: {ended}" if ended else render.standing(row.status),
        )
    table.collapse_padding = not several
    report.keep_whole(table, "File", beside=64)
    console.print(table)


def _statuses(words: list[str]) -> tuple[FileStatus, ...]:
    from filebridge.errors import UserError
    from filebridge.outcomes import FileStatus

    known = {status.value: status for status in FileStatus}
    for word in words:
        if word not in known:
            raise UserError(f"There is no status {word!r}.", fix=f"There are: {', '.join(known)}.")
    return tuple(known[word] for word in words)
