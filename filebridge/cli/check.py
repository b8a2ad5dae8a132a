"""`filebridge check`: everything that is wrong with the set-up, and how to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from filebridge.cli import report
from filebridge.cli.surroundings import current

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filebridge.bridge.rebuild import Rebuilt
    from filebridge.errors import Problem


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def check(
        offline: bool = typer.Option(False, "--offline", help="Do not ask RetailOps whether the key works."),
        rebuild: bool = typer.Option(
            False,
            "--rebuild",
            help="Make a new ledger where it is damaged or gone, from archive and RetailOps.",
        ),
    ) -> int:
        """Check YAML files, folders, keys and the ledger; say what to mend.

        Asks RetailOps whether it takes the key. Ends with 2 where something is wrong, with 3 where RetailOps
        cannot be reached. With --rebuild it ends with 1 where a person has to look at something afterwards.

        Example: filebridge check
        """
        if rebuild:
            return _rebuild()
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


def _rebuild() -> int:
    from datetime import UTC, datetime

    from filebridge.bridge.rebuild import rebuild_ledger
    from filebridge.cli.log import write_log

    workspace = current().workspace()
    with workspace.lock(now=datetime.now(UTC)):
        workspace.make_folders()
        write_log(workspace.logs)
        done = rebuild_ledger(workspace, current().clock)
    if current().json:
        report.print_json(vars(done))
    else:
        for line in _told(done):
            print(line)
    needs_a_person = done.to_drop_again or done.unfinished or done.unreadable or done.may_come_twice
    return 1 if needs_a_person else 0


def _told(done: Rebuilt) -> Iterator[str]:
    yield f"A new ledger is made: {done.ledger}"
    if done.kept_as:
        yield f"The old one is kept: {done.kept_as}"
    pos = ", ".join(f"{count} POs of {vendor}" for vendor, count in done.pos.items())
    yield f"It knows {done.files} files from the archive" + (
        f", and {pos} that RetailOps has as taken." if pos else "."
    )
    yield "It does not know the quantities that were confirmed: the next inventory files state all of theirs again."
    for vendor, number in done.next_numbers.items():
        yield f"PO files of {vendor} go on with number {number}."
    yield from _listed("The next run reads again, since all of their rows waited:", done.planned_anew)
    yield from _listed(
        "Drop again, from the archive, these files: what some of their rows waited for is not known any more.",
        done.to_drop_again,
    )
    yield from _listed(
        "These files were under way. Drop them again, unless they lie in the inbox:", done.unfinished
    )
    yield from _listed("Nothing could be told of these folders of the archive:", done.unreadable)
    for vendor, pos_of_vendor in done.may_come_twice.items():
        yield from _listed(
            f"These POs of {vendor} wait to be submitted, and the next run writes them. One that was in a PO file "
            "already comes a second time: tell the vendor, or mark it submitted at RetailOps first.",
            pos_of_vendor,
        )


def _listed(head: str, entries: list[str]) -> Iterator[str]:
    if entries:
        yield head
        yield from (f"  {entry}" for entry in entries)


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
