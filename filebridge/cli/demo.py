"""`filebridge demo`: the whole dealing of a vendor, in a temporary workspace, against the sandbox."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from filebridge.cli import report
from filebridge.cli.surroundings import current

if TYPE_CHECKING:
    from filebridge.sandbox import RecordedCall


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def demo() -> int:
        """Show the whole dealing of one vendor, with files good, bad and ugly: stock, orders, dates, shipments.

        It trades with a stand-in for RetailOps on this machine, in a temporary folder that is left for you to look
        at. Nothing leaves this machine, and no key is needed.

        Example: filebridge demo
        """
        from filebridge.cli import demo_scene
        from filebridge.cli.demo_story import SCENES
        from filebridge.cli.demo_telling import Stopped, Telling
        from filebridge.cli.interrupt import interruptible

        root = Path(tempfile.mkdtemp(prefix="filebridge-demo-"))
        with interruptible(current().clock) as interrupt, demo_scene.make_sandbox() as sandbox:
            demo_scene.make_workspace(root, sandbox.url)
            told = Telling(root, sandbox, interrupt.stop, silent=current().json)
            try:
                for scene in SCENES:
                    scene(told)
            except Stopped:
                report.say(f"Interrupted; what was done so far is in {root}.")
                return interrupt.exit_code
        if current().json:
            report.print_json(
                {
                    "workspace": str(root),
                    "passes": told.passes,
                    "calls": [_call_as_json(call) for call in told.calls],
                }
            )
        return 0


def _call_as_json(call: RecordedCall) -> dict[str, Any]:
    return {"action": call.action, "path": call.path, "body": call.body.decode(), "status": call.status}
