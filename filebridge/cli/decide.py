"""`filebridge release`, `discard`, `retry`: what a person decides of a file."""

from __future__ import annotations

import typer

from filebridge.cli import report
from filebridge.cli.surroundings import current

_ID = typer.Argument(metavar="ID", help="The file's id, or its first letters.")


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command()
    def release(file_id: str = _ID) -> int:
        """Let a held file go: you looked at it, and it is right.

        The next run sends it, or the watch that is at work.

        Example: filebridge release fk2m
        """
        return _decide("release", file_id)

    @app.command()
    def discard(file_id: str = _ID) -> int:
        """Give a held file up: nothing more of it is sent.

        Its receipt and its reject file say so.

        Example: filebridge discard fk2m
        """
        return _decide("discard", file_id)

    @app.command()
    def retry(file_id: str = _ID) -> int:
        """Try a file again, once what stopped it is mended.

        That is one that was refused as a whole, or whose calls were held.

        Example: filebridge retry fk2m
        """
        return _decide("retry", file_id)


def _decide(kind: str, file_id: str) -> int:
    from filebridge.bridge.decisions import decide
    from filebridge.ledger.files import find_file

    here = current()
    with here.ledger() as ledger, ledger.read() as connection:
        row = find_file(connection, file_id)
    decided = decide(here.workspace(), kind, row.id, clock=here.clock)
    if here.json:
        report.print_json(
            {
                "id": row.id,
                "name": row.name,
                "decision": kind,
                "done": decided.done,
                "ok": decided.ok,
                "result": decided.result,
            }
        )
        return 0 if decided.ok else 2
    report.say(decided.result)
    if decided.ok and decided.done and kind != "discard":
        report.say("The next `filebridge run` goes on with it, or the watch that is at work.")
    return 0 if decided.ok else 2
