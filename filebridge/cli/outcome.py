"""What one pass did, for the screen, for a log, and as JSON: shared by `run`, `watch` and `demo`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from filebridge.cli import report

if TYPE_CHECKING:
    from rich.table import Table

    from filebridge.bridge.inbound import FileResult
    from filebridge.bridge.passes import PassReport
    from filebridge.ledger.orders import OrderFileRow


def as_json(done: PassReport) -> dict[str, Any]:
    """A pass as `run --json` prints it."""
    from filebridge.cli.render import order_file_as_json

    return {
        "exit_code": done.exit_code,
        "files": [_file_as_json(file) for file in done.files],
        "order_files": [
            {**order_file_as_json(row), "pos_marked": done.marked[row.id]} for row in done.order_files
        ],
        "said": [{"code": note.code, "message": note.message} for note in done.said],
        "waiting": [
            {
                "vendor": one.inbox.vendor,
                "name": one.name,
                "code": one.code,
                "message": one.message,
                "fix": one.fix,
            }
            for one in done.waiting
        ],
        "troubles": dict(done.troubles),
        "problems": [vars(problem) for problem in done.problems],
    }


def print_tables(done: PassReport) -> None:
    """What came in and what went out, as tables on standard output."""
    console = report.console()
    if done.files:
        console.print(file_table(done.files))
    if done.order_files:
        console.print(order_table(done))


def print_lines(done: PassReport, *, at: str = "") -> None:
    """A line a file, for logs and mails: what came in and what went out."""
    for line in lines_of(done):
        report.print_line(f"{at}{line}")


def lines_of(done: PassReport) -> Iterator[str]:
    """The lines that `print_lines` prints."""
    from filebridge.cli.render import counts, shown, standing

    for file in done.files:
        ended = counts(file.outcomes) or "no rows"
        yield f"{file.vendor}/{shown(file.name)} ({file.file_id}): {standing(file.status)}: {ended}"
    for row in done.order_files:
        yield f"{row.vendor}/orders/{row.name}: {_order_words(row, done.marked[row.id])}"


def say_rest(done: PassReport) -> None:
    """What a person must know besides, on standard error: held, rejected, waiting, not reached."""
    for line in rest_of(done):
        report.say(line)


def rest_of(done: PassReport) -> list[str]:
    """The lines that `say_rest` says."""
    return list(_rest(done))


def file_table(files: list[FileResult]) -> Table:
    """The files of a pass."""
    from filebridge.cli.render import counts, shown, standing

    table = report.table("File", "=Id", "#Rows", "What became of it")
    for file in files:
        ended = counts(file.outcomes)
        table.add_row(
            f"{file.vendor}/{shown(file.name)}",
            file.file_id,
            f"{file.rows:,}",
            f"{standing(file.status)}: {ended}" if ended else standing(file.status),
        )
    report.keep_whole(table, "File", beside=48)
    return table


def order_table(done: PassReport) -> Table:
    """The PO files of a pass."""
    table = report.table("PO file", "#POs", "#Rows", "What became of it")
    for row in done.order_files:
        words = _order_words(row, done.marked[row.id])
        table.add_row(f"{row.vendor}/orders/{row.name}", f"{row.pos:,}", f"{row.rows:,}", words)
    report.keep_whole(table, "PO file", beside=40)
    return table


def _order_words(row: OrderFileRow, marked: int) -> str:
    """What became of a PO file, `marked` of whose POs are marked submitted."""
    from filebridge.replies.wording import count_of

    what = {"order": "", "change": "changes of ", "resend": "sent again: "}[row.kind]
    return f"{what}{count_of(row.pos, 'PO')}, {_how_far(row, marked)}"


def _how_far(row: OrderFileRow, marked: int) -> str:
    if row.state.value == "staged":
        return "ready, not put into orders/ yet"
    if not row.is_for_marking or (row.state.value == "published" and not marked):
        return "written"
    if marked >= row.pos:
        return "written and marked submitted"
    told = f"{marked:,} marked submitted, {row.pos - marked:,} not" if marked else "none marked submitted"
    return f"written; {told}"


def _rest(done: PassReport) -> Iterator[str]:
    from filebridge.cli.render import sentence, shown

    for file in done.files:
        if file.status.value == "held":
            yield f"{shown(file.name)} is held. Why: filebridge show {file.file_id}"
            yield f"  It is right: filebridge release {file.file_id}    It is not: filebridge discard {file.file_id}"
        elif file.needs_a_person:
            what = "nothing of it was" if file.status.value == "rejected" else "some rows were not"
            yield f"{shown(file.name)}: {what} taken."
            where = f"    To correct: outbox/{file.vendor}/replies/" if file.outcomes else ""
            yield f"  Why: filebridge show {file.file_id}{where}"
    for note in done.said:
        yield shown(note.message)
    for one in done.waiting:
        yield f"{one.inbox.vendor or 'inbox'}/{shown(one.name)} stays in the inbox: {sentence(shown(one.message))}"
        if one.fix:
            yield f"  {one.fix}"
    for problem in done.problems:
        yield str(problem)
    for vendor, trouble in done.troubles.items():
        yield f"{vendor}: {sentence(trouble)}"
        yield "  Nothing is lost: what is to be sent is kept, and the next run goes on with it."


def is_terminal() -> bool:
    """Whether a person is looking on."""
    return sys.stdout.isatty()


def _file_as_json(file: FileResult) -> dict[str, Any]:
    return {
        "id": file.file_id,
        "vendor": file.vendor,
        "name": file.name,
        "status": file.status.value,
        "rows": file.rows,
        "outcomes": {outcome.value: count for outcome, count in file.outcomes.items()},
        "message": file.message or None,
    }
