"""`filebridge check`: everything that is wrong with the set-up, and how to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from filebridge.cli import report
from filebridge.cli.surroundings import current

if TYPE_CHECKING:
    from filebridge.errors import Problem


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def check(
        offline: bool = typer.Option(False, "--offline", help="Do not ask RetailOps whether the key works."),
    ) -> int:
        """Check YAML files, folders, keys and the ledger; say what to mend.

        Asks RetailOps whether it takes the key. Ends with 2 where something is wrong, with 3 where RetailOps
        cannot be reached.

        Example: filebridge check
        """
        from filebridge.bridge.checks import ask_retailops, look_at_ledger
        from filebridge.workspace.checks import notices_of, problems_of

        workspace = current().workspace()
        problems = problems_of(workspace)
        notices = notices_of(workspace)
        of_ledger, worth_knowing = look_at_ledger(workspace)
        problems += of_ledger
        notices += worth_knowing
        unreachable = [] if offline or problems else ask_retailops(workspace)
        return _report([*problems], [*unreachable], [*notices])


def _report(problems: list[Problem], unreachable: list[Problem], notices: list[Problem]) -> int:
    code = 2 if problems else 3 if unreachable else 0
    if current().json:
        groups = {"problems": problems, "unreachable": unreachable, "notices": notices}
        report.print_json({name: [vars(problem) for problem in found] for name, found in groups.items()})
        return code
    for problem in [*problems, *unreachable]:
        print(problem)
    for notice in notices:
        print(f"Worth knowing: {notice}")
    print(_summary(len(problems) + len(unreachable)))
    return code


def _summary(count: int) -> str:
    if not count:
        return "All is well."
    return "1 problem to mend." if count == 1 else f"{count} problems to mend."
