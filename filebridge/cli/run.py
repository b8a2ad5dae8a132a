"""`filebridge run`: one pass over everything that is due."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from filebridge.cli import report
from filebridge.cli.surroundings import current


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def run(
        only: str = typer.Option(
            "in,out", "--only", metavar="in,out", help="Only files that come in, or only POs that go out."
        ),
        vendor: Annotated[
            list[str] | None, typer.Option("--vendor", metavar="V", help="Only this vendor. May be repeated.")
        ] = None,
        settle: bool = typer.Option(False, "--settle", help="Wait until no call is without its answer."),
    ) -> int:
        """Do all that is due, once: files in, purchase orders out.

        Made for the night: it asks nothing, and says with its exit code how it went. 0 all done, 1 something needs
        a person, 2 wrong set-up, 3 RetailOps not reached (work is kept), 4 another FileBridge is at work here.

        Example: filebridge run
        """
        from filebridge.bridge.early import look_early
        from filebridge.cli import render
        from filebridge.cli.interrupt import interruptible
        from filebridge.cli.log import write_log
        from filebridge.cli.progress import bars
        from filebridge.reader import Reader

        here = current()
        workspace = here.workspace()
        render.must_have_vendor(workspace)
        vendors = render.chosen(workspace, vendor)
        ways = _ways(only)
        with (
            interruptible(here.clock) as interrupt,
            workspace.lock(now=datetime.now(UTC)),
            Reader() as reader,
            bars() as progress,
        ):
            write_log(workspace.logs)
            settler = (
                look_early(workspace, reader, vendors=vendors, clock=here.clock) if "in" in ways else None
            )
            from filebridge.bridge.desk import open_desk
            from filebridge.bridge.passes import run_pass
            from filebridge.cli import outcome

            with open_desk(
                workspace, reader=reader, clock=here.clock, stop=interrupt.stop, progress=progress
            ) as desk:
                done = run_pass(
                    desk,
                    vendors=vendors,
                    inbound="in" in ways,
                    outbound="out" in ways,
                    by="run",
                    settle=settle,
                    settler=settler,
                )
        code = interrupt.exit_code if interrupt.number else done.exit_code
        if here.json:
            report.print_json({**outcome.as_json(done), "exit_code": code})
        elif outcome.is_terminal():
            outcome.print_tables(done)
        else:
            outcome.print_lines(done)
        outcome.say_rest(done)
        if interrupt.number:
            report.say("Interrupted. Nothing is lost: the next run continues where this one stopped.")
        elif outcome.is_terminal() and not (done.files or done.order_files or code):
            report.say("Nothing was due.")
        return code


def _ways(only: str) -> set[str]:
    from filebridge.errors import UserError

    ways = {way.strip() for way in only.split(",") if way.strip()}
    if not ways or not ways <= {"in", "out"}:
        raise UserError(f"--only takes `in`, `out`, or both as `in,out`; not {only!r}.")
    return ways
