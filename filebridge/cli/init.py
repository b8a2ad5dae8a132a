"""`filebridge init`: a new workspace."""

from __future__ import annotations

from pathlib import Path

import typer

from filebridge.cli import report
from filebridge.cli.surroundings import current


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def init(
        folder: str = typer.Argument(".", metavar="[DIR]", help="Where; the current folder if left out."),
    ) -> None:
        """Make a workspace: folders, settings, an example vendor.

        Example: filebridge init trading
        """
        from filebridge.workspace import Workspace

        target = current().folder / folder
        workspace = Workspace.create(target)
        if current().json:
            report.print_json({"workspace": str(workspace.root), "vendors": list(workspace.vendors())})
            return
        report.say(f"Made a workspace in {workspace.root}")
        report.say("Next:")
        report.say("  1. copy mappings/acme/ to a folder of your vendor's name, and edit the files in it")
        report.say("  2. put your API key into RETAILOPS_API_KEY, or into a file that filebridge.yaml names")
        report.say(f"  3. {report.program()} -C {_shown(target)} check")


def _shown(folder: Path) -> str:
    return str(folder) if str(folder) != "." else "."
