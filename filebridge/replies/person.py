"""`NAME.receipt.txt`: the receipt as a person reads it. First what happened, then what to do, then the details."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from filebridge.outcomes import PASSING, FileStatus, Outcome
from filebridge.rejects import CATALOGUE, Reject
from filebridge.replies.receipt import Receipt
from filebridge.replies.wording import (
    count_of,
    heading,
    local_time,
    plain,
    says_what_to_do,
    sentence,
    table_lines,
    to_bytes,
    told_apart,
    wrapped,
)

SHOWN: Final = 25
"""Reasons that the text lists; the reject file has all."""

_MEANING: Final[Mapping[Outcome, str]] = MappingProxyType(
    {
        Outcome.DELIVERED: "sent, and RetailOps confirmed it",
        Outcome.UNCHANGED: "RetailOps has this value already; nothing was sent",
        Outcome.SUPERSEDED: "a newer value was given already; nothing was sent",
        Outcome.REJECTED: "not taken; the reasons are below",
        Outcome.HELD: "waiting; for what is said below",
        Outcome.PENDING: "not sent yet",
        Outcome.UNCERTAIN: "sent, but the answer was lost; FileBridge finds out by itself",
    }
)
_DONE: Final = (Outcome.DELIVERED, Outcome.UNCHANGED, Outcome.SUPERSEDED)


def receipt_text(
    receipt: Receipt,
    *,
    time_zone: str,
    twin: str = "",
    by_code: Mapping[str, int] = MappingProxyType({}),
    folder: str = "",
) -> bytes:
    """The receipt in plain text, at most 100 columns wide but for a path that is longer.

    `time_zone` is the vendor's; `twin` names the workbook beside a reject file in CSV, below `replies/`;
    `by_code` counts the reasons of the reject file. `folder` is where the reject file lies, for a reader who has
    not found this text beside it.
    """
    lines = [
        *wrapped(headline(receipt)),
        *_counts(receipt),
        *_what_to_do(receipt, twin, folder),
        *_reasons(receipt, by_code),
        *_notes(receipt),
        *_details(receipt, time_zone),
    ]
    return to_bytes(lines)


def headline(receipt: Receipt) -> str:
    """What happened, in one sentence."""
    name, rows, status = plain(receipt.name), receipt.rows, receipt.status
    if status is FileStatus.PENDING:
        waiting = sum(receipt.outcomes.get(outcome, 0) for outcome in PASSING)
        if receipt.preview:
            return f"{name} would be taken: {count_of(waiting, 'row')} of {rows:,} would be sent."
        return f"{name} is not finished: {count_of(waiting, 'row')} of {rows:,} have no answer from RetailOps yet."
    if status is FileStatus.REJECTED:
        why = f" {sentence(_refusal(receipt)[0])}" if receipt.refused else ""
        all_rows = {0: ".", 1: ": its only row was rejected."}.get(
            rows, f": all {rows:,} rows were rejected."
        )
        return f"Nothing of {name} was taken{all_rows}{why}"
    if status is FileStatus.HELD:
        why = f" {sentence(receipt.held_for.message)}" if receipt.held_for else ""
        return f"{name} is waiting for a person, and nothing of it was sent.{why}"
    if status is FileStatus.DUPLICATE:
        return f"{name} is the same file again, byte for byte: there was nothing to send."
    if not rows:
        return f"{name} has no rows: there was nothing to send."
    if receipt.rejected:
        done = sum(receipt.outcomes.get(outcome, 0) for outcome in _DONE)
        verb = "was" if receipt.rejected == 1 else "were"
        rest = (
            ""
            if done + receipt.rejected < rows
            else f"; the other {done:,} {'is' if done == 1 else 'are'} done"
        )
        return f"{receipt.rejected:,} of the {count_of(rows, 'row')} of {name} {verb} not taken{rest}."
    if receipt.outcomes.get(Outcome.HELD):
        held = receipt.outcomes[Outcome.HELD]
        verb = "is" if held == 1 else "are"
        return f"{name} is done, but for {count_of(held, 'row')} of {rows:,} that {verb} waiting."
    if receipt.outcomes.get(Outcome.UNCHANGED) == rows:
        return (
            f"{name} is done: RetailOps had {'its only row' if rows == 1 else f'all {rows:,} rows'} already."
        )
    return f"{name} is done: {'its only row' if rows == 1 else f'all {rows:,} rows'}."


def _counts(receipt: Receipt) -> Iterator[str]:
    """The outcomes as a sum."""
    if not receipt.rows:
        return
    width = len(f"{receipt.rows:,}")
    yield ""
    for outcome, count in receipt.outcomes.items():
        is_whole = outcome is Outcome.REJECTED and receipt.is_sent_again
        meaning = "not taken, for the reason above" if is_whole else _MEANING[outcome]
        yield f"  {count:>{width},}  {outcome.value:<10}  {meaning}"
    if len(receipt.outcomes) > 1:
        yield "  " + "-" * width
        yield f"  {receipt.rows:>{width},}  {'row' if receipt.rows == 1 else 'rows'} in the file"
    if receipt.zeroed:
        yield ""
        verb = "is not in the file and was" if receipt.zeroed == 1 else "are not in the file and were"
        yield f"  {count_of(receipt.zeroed, 'VPC')} that this feed has set before {verb} set to 0."
    if receipt.zeroing_refused:
        yield ""
        yield from wrapped(
            "VPCs that are not in the file were left as they are, not set to 0: the VPC of some row could not "
            "be read, so nobody can tell whether it is there.",
            indent="  ",
        )


def _refusal(receipt: Receipt) -> tuple[str, str]:
    """Why a file was refused whole, and what to do about it: the message's own advice, else that of its code."""
    found, advice = told_apart(receipt.notes[0].message)
    return found or advice, advice or _fix(receipt.notes[0].code)


def _what_to_do(receipt: Receipt, twin: str, folder: str) -> Iterator[str]:
    yield from heading("What to do")
    steps = [*_steps_of_hold(receipt), *_steps_of_rejects(receipt, twin, folder)]
    if not steps and receipt.preview and receipt.status is FileStatus.PENDING:
        steps = ["Drop the file into the inbox to have it taken; this was only a look ahead."]
    if not steps and receipt.status is FileStatus.PENDING:
        steps = [
            "Nothing. FileBridge goes on by itself, and writes this receipt again when the last row is settled."
        ]
    if receipt.is_sent_again:
        steps = [*_steps_of_refusal(receipt)]
    if len(steps) < 2:
        yield from wrapped(steps[0] if steps else "Nothing.", indent="  ")
        return
    for number, step in enumerate(steps, start=1):
        yield from wrapped(step, first=f"  {number}. ", indent="     ")


def _steps_of_hold(receipt: Receipt) -> Iterator[str]:
    held = receipt.held_for
    if held is None or receipt.preview:
        return
    yield "Look at the file, and at what it waits for, as said above."
    if held.code in ("partial_shipment", "refused_by_vendor", "too_many_refusals"):
        yield _fix(held.code).replace("ID", receipt.file_id)
        return
    yield f"If it is right, let it go:  filebridge release {receipt.file_id}"
    yield f"If it is not, give it up:  filebridge discard {receipt.file_id}"


def _steps_of_refusal(receipt: Receipt) -> Iterator[str]:
    advice = _refusal(receipt)[1]
    yield advice
    if receipt.notes[0].code != "discarded" and not advice.startswith(("Drop ", "Send ")):
        yield "Then drop the file into the inbox again."


def _steps_of_rejects(receipt: Receipt, twin: str, folder: str) -> Iterator[str]:
    if not receipt.reject_file:
        return
    name, workbook = plain(_last(receipt.reject_file)), plain(_last(twin))
    place = f", in {plain(folder)}" if folder else ", beside this file"
    if workbook:
        yield (
            f"Open {workbook}{place}: the rows that did not go, with the bad cells marked. "
            f"({name} holds the same rows for programs; a spreadsheet would spoil its long numbers and leading zeros.)"
        )
    elif name.endswith(".xlsx"):
        yield f"Open {name}{place}: the rows that did not go, with the bad cells marked."
    else:
        yield (
            f"Open {name}{place}: the rows that did not go, and why. In a spreadsheet, do not double-click it, "
            "which spoils long numbers and leading zeros: start with an empty sheet, import the file (in Excel: Data, "
            "From Text/CSV; in LibreOffice: Sheet, Insert Sheet From File), and choose the type Text for every column."
        )
    yield (
        "Correct the cells. Leave the columns that begin with fb_ as they are; delete a row that is not to be sent."
    )
    if any(reject.code == "ragged_row" for reject in receipt.rejects):
        yield (
            "Of a row that does not fit the header, what is left over stands in fb_rest: put it into the columns "
            "where it belongs, then empty fb_rest."
        )
    yield "Save it, and drop it into the inbox: only its rows are processed, as a part of this file."


def _reasons(receipt: Receipt, by_code: Mapping[str, int]) -> Iterator[str]:
    whole = (receipt.notes[0].code, receipt.notes[0].message) if receipt.is_sent_again else ("", "")
    # What is said of the whole file at the top is not said again of each row.
    own = [reject for reject in receipt.rejects if (reject.code, reject.message) != whole]
    by_code = {code: count for code, count in by_code.items() if code != whole[0]}
    shown = own[:SHOWN]
    if not shown:
        return
    yield from heading("Why rows were not taken")
    if len(by_code) > 1:
        for code, count in sorted(by_code.items(), key=lambda item: -item[1]):
            yield f"  {count:>9,}  {code:<22}  {CATALOGUE[code].title}"
        yield ""
    rows = [(f"{reject.row:,}", reject.column, reject.value, sentence(reject.message)) for reject in shown]
    column, found = (
        min(most, max(least, *(len(plain(row[place])) for row in rows)))
        for place, least, most in ((1, 6, 18), (2, 5, 22))
    )
    width = max(3, *(len(row[0]) for row in rows))
    yield from table_lines(
        ("Row", "Column", "Found", "What is wrong"),
        rows,
        widths=(width, column, found, 98 - 6 - width - column - found),
        right=(0,),
    )
    more = sum(by_code.values()) - len(shown) if by_code else len(own) - len(shown)
    if more > 0:
        yield ""
        yield f"  and {count_of(more, 'more reason')}" + (
            ", in the reject file." if receipt.reject_file else "."
        )
    yield from _advice(shown)


def _advice(shown: Sequence[Reject]) -> Iterator[str]:
    """What to do, once a code, where some reason of that code does not say it itself."""
    silent = dict.fromkeys(reject.code for reject in shown if not says_what_to_do(reject.message))
    if silent:
        yield ""
    for code in silent:
        yield from wrapped(_fix(code), first=f"  {code}: ", indent="    ")


def _notes(receipt: Receipt) -> Iterator[str]:
    notes = receipt.notes[1:] if receipt.refused else receipt.notes
    if not notes:
        return
    yield from heading("Notes")
    for note in notes:
        yield from wrapped(f"{sentence(note.message)} ({note.code})", first="  - ", indent="    ")


def _details(receipt: Receipt, time_zone: str) -> Iterator[str]:
    yield from heading("Details")
    known = {
        "File": plain(receipt.name),
        "File id": receipt.file_id,
        "Received": local_time(receipt.received_at, time_zone),
        "Vendor": receipt.vendor,
        "Document": receipt.document or "not known",
        "Mapping": receipt.mapping or ("FileBridge's own layout" if receipt.document else "none"),
        "Corrects": f"rows of the file {receipt.corrects}" if receipt.corrects else "",
        "Status": receipt.status.value,
        "Calls": _calls(receipt, time_zone),
        "SHA-256": receipt.sha256,
    }
    for name, value in known.items():
        if value:
            yield f"  {name:<9} {value}"


def _calls(receipt: Receipt, time_zone: str) -> str:
    if receipt.first_call_at is None or receipt.last_call_at is None:
        return "none was sent" if not receipt.preview else f"{count_of(receipt.calls, 'call')} would be sent"
    return f"{receipt.calls:,}, the last answered {local_time(receipt.last_call_at, time_zone)}"


def _fix(code: str) -> str:
    return CATALOGUE[code].fix if code in CATALOGUE else ""


def _last(name: str) -> str:
    return name.rpartition("/")[2]
