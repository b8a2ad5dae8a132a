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
    from filebridge.cli.render import shown

    for file in done.files:
        yield f"{file.vendor}/{shown(file.name)} ({file.file_id}): {_file_words(file, none=_no_rows(file))}"
        yield from (f"  {words}" for words in waits_of(file))
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
    from filebridge.cli.render import shown

    table = report.table("File", "=Id", "#Rows", "What became of it")
    for file in files:
        table.add_row(
            f"{file.vendor}/{shown(file.name)}",
            file.file_id,
            f"{file.rows:,}",
            "\n".join([_file_words(file), *waits_of(file)]),
        )
    report.keep_whole(table, "File", beside=48)
    return table


def _no_rows(file: FileResult) -> str:
    from filebridge.outcomes import FileStatus

    return "its purchase orders are to be looked up" if file.status is FileStatus.PENDING else "no rows"


def _file_words(file: FileResult, *, none: str = "") -> str:
    """What became of a file, `none` of one without rows; of one that was answered before, what is new of it."""
    from filebridge.cli.render import counts, standing

    ended = counts(file.outcomes) or none
    now = "now " if file.is_answered_again else ""
    return f"{now}{standing(file.status)}{f': {ended}' if ended else ''}"


def waits_of(file: FileResult) -> list[str]:
    """What waits of a file, PO by PO: `1 PO waits for its other rows: D2700001`."""
    if not (file.waiting_pos or file.refused_pos):
        return []
    from filebridge.replies.waits import are_refused, named, wait_for_rows

    return [
        *([f"{wait_for_rows(len(file.waiting_pos))}: {named(file.waiting_pos)}"] if file.waiting_pos else []),
        *([f"{are_refused(len(file.refused_pos))}: {named(file.refused_pos)}"] if file.refused_pos else []),
    ]


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
        yield from _rest_of_file(file)
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


def _rest_of_file(file: FileResult) -> Iterator[str]:
    from filebridge.cli.render import shown
    from filebridge.outcomes import Outcome

    if file.is_held:
        yield f"{shown(file.name)} is held. Why: filebridge show {file.file_id}"
        yield f"  It is right: filebridge release {file.file_id}    It is not: filebridge discard {file.file_id}"
        return
    if not file.needs_a_person:
        return
    if file.status.value == "rejected" or file.outcomes.get(Outcome.REJECTED):
        what = "nothing of it was" if file.status.value == "rejected" else "some rows were not"
        yield f"{shown(file.name)}: {what} taken."
        where = f"    To correct: outbox/{file.vendor}/replies/" if file.outcomes else ""
        yield f"  Why: filebridge show {file.file_id}{where}"
    if file.refused_pos:
        yield f"{shown(file.name)}: tell the retailer of what the vendor refuses or has back-ordered."
        yield "  The list: filebridge exceptions"


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
        "answered_again": file.is_answered_again,
        "waiting_pos": list(file.waiting_pos),
        "refused_pos": list(file.refused_pos),
    }
