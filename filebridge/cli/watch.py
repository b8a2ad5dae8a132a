"""`filebridge watch`: keep doing what `run` does once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from filebridge.cli import report
from filebridge.cli.surroundings import current

if TYPE_CHECKING:
    from filebridge.bridge.passes import PassReport


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def watch(
        vendor: Annotated[
            list[str] | None, typer.Option("--vendor", metavar="V", help="Only this vendor. May be repeated.")
        ] = None,
    ) -> int:
        """Keep doing what `run` does, as files come. Ctrl-C ends it.

        Purchase orders are fetched on schedule. Every other command works beside it, in another window.

        Example: filebridge watch
        """
        from filebridge.bridge.desk import open_desk
        from filebridge.cli import render
        from filebridge.cli.interrupt import interruptible
        from filebridge.cli.log import write_log
        from filebridge.schedule import watch as keep_working

        here = current()
        workspace = here.workspace()
        render.must_have_vendor(workspace)
        vendors = render.chosen(workspace, vendor)
        log = _Log(here.json)
        with (
            interruptible(here.clock) as interrupt,
            workspace.lock(now=datetime.now(UTC)),
            open_desk(workspace, clock=here.clock, stop=interrupt.stop) as desk,
        ):
            write_log(workspace.logs)
            report.say(
                f"Watching {workspace.inbox} for {', '.join(vendors or workspace.vendors())}. Ctrl-C ends it."
            )
            keep_working(desk, vendors=vendors, on_pass=log.tell)
        if here.json:
            report.print_json({"passes": log.passes, "files": log.files, "order_files": log.order_files})
        report.say("Ended. Nothing is lost: the next `watch` or `run` continues here.")
        return 0


class _Log:
    """What `watch` says: a line a file as it happens; what stays as it is, once."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._said: set[str] = set()
        self.passes = 0
        self.files = 0
        self.order_files = 0

    def tell(self, done: PassReport) -> None:
        """Take in one pass."""
        from filebridge.cli import outcome

        self.passes += 1
        self.files += len(done.files)
        self.order_files += len(done.order_files)
        if not self._as_json:
            outcome.print_lines(done, at=f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S}  ")
        # A file that has just come is changing, and no news; one that stays so gets its note and stands in `status`.
        done.waiting = [wait for wait in done.waiting if wait.code != "still_changing"]
        lines = outcome.rest_of(done)
        for line in lines:
            if line not in self._said:
                report.say(line)
        self._said = set(lines)
