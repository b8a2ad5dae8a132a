"""`NAME.receipt.txt`: the receipt as a person reads it. First what happened, then what to do, then the details."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from filebridge.outcomes import PASSING, FileStatus, Outcome
from filebridge.rejects import CATALOGUE, Reject
from filebridge.replies.receipt import Receipt
from filebridge.replies.waits import (
    OF_A_PO,
    standing_of,
    steps_of_refused_pos,
    steps_of_waiting_pos,
    waits_lines,
)
from filebridge.replies.wording import (
    WIDTH,
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
        Outcome.HELD: "kept, and not sent yet; why stands below",
        Outcome.PENDING: "not sent yet",
        Outcome.UNCERTAIN: "sent, but the answer was lost; FileBridge finds out by itself",
    }
)
_NARROWEST: Final = 60
_LONG: Final = 120
"""Marks of a message that is not said again of the next row."""
_OF_POS: Final[Mapping[Outcome, str]] = MappingProxyType(
    {
        Outcome.UNCHANGED: "RetailOps was told this already; nothing was sent",
        Outcome.SUPERSEDED: "a later file says it anew; nothing was sent",
    }
)
"""What two of them mean in a file about POs, which states no values."""
_DONE: Final = (Outcome.DELIVERED, Outcome.UNCHANGED, Outcome.SUPERSEDED)


def receipt_text(
    receipt: Receipt,
    *,
    time_zone: str,
    twin: str = "",
    by_code: Mapping[str, int] = MappingProxyType({}),
    folder: str = "",
    in_inbox: bool = False,
    width: int = WIDTH,
) -> bytes:
    """The receipt in plain text, at most `width` columns wide but for a path that is longer.

    `time_zone` is the vendor's; `twin` names the workbook beside a reject file in CSV, below `replies/`;
    `by_code` counts the reasons of the reject file. `folder` is where the reject file lies, for a reader who has
    not found this text beside it. `in_inbox`: the file of a preview lies in the inbox already.
    """
    width = max(width, _NARROWEST)
    lines = [
        *wrapped(headline(receipt), width=width),
        *_counts(receipt, width),
        *_what_to_do(receipt, twin=twin, folder=folder, in_inbox=in_inbox, width=width),
        *waits_lines(receipt, time_zone, width),
        *_reasons(receipt, by_code, width),
        *_notes(receipt, width),
        *_details(receipt, time_zone, width),
    ]
    return to_bytes(lines)


def headline(receipt: Receipt) -> str:
    """What happened, in one sentence."""
    name, rows, status = plain(receipt.name), receipt.rows, receipt.status
    if status is FileStatus.PENDING:
        passing = sum(receipt.outcomes.get(outcome, 0) for outcome in PASSING)
        if receipt.preview:
            return _foreseen(receipt, passing)
        verb = "has" if passing == 1 else "have"
        return f"{name} is not finished: {count_of(passing, 'row')} of {rows:,} {verb} no answer from RetailOps yet."
    if status is FileStatus.REJECTED:
        why = f" {sentence(_refusal(receipt)[0])}" if receipt.refused else ""
        all_rows = {0: ".", 1: ": its only row was rejected."}.get(
            rows, f": all {rows:,} rows were rejected."
        )
        return f"Nothing of {name} was taken{all_rows}{why}"
    if status is FileStatus.HELD and not _waits_by_po(receipt):
        why = f" {sentence(receipt.held_for.message)}" if receipt.held_for else ""
        return f"{name} is waiting for a person, and nothing of it was sent.{why}"
    if status is FileStatus.DUPLICATE:
        return f"{name} is the same file again, byte for byte: there was nothing to send."
    if not rows:
        return f"{name} has no rows: there was nothing to send."
    if receipt.rejected or receipt.outcomes.get(Outcome.HELD):
        return _in_part(receipt)
    if receipt.outcomes.get(Outcome.UNCHANGED) == rows:
        return (
            f"{name} is done: RetailOps had {'its only row' if rows == 1 else f'all {rows:,} rows'} already."
        )
    return f"{name} is done: {'its only row' if rows == 1 else f'all {rows:,} rows'}."


def _in_part(receipt: Receipt) -> str:
    """What happened to a file of which rows were rejected, or wait."""
    name, rows, waits = plain(receipt.name), receipt.rows, standing_of(receipt.waiting)
    held = receipt.outcomes.get(Outcome.HELD, 0)
    if receipt.rejected:
        done = sum(receipt.outcomes.get(outcome, 0) for outcome in _DONE)
        verb = "was" if receipt.rejected == 1 else "were"
        rest = f"; {waits}" if waits else ""
        if done + receipt.rejected == rows:
            rest = f"; the other {done:,} {'is' if done == 1 else 'are'} done"
        return f"{receipt.rejected:,} of the {count_of(rows, 'row')} of {name} {verb} not taken{rest}."
    if held == rows and waits:
        kept = "would be taken, and nothing of it sent yet" if receipt.preview else "was taken, and is kept"
        return f"{name} {kept}: {waits}."
    if waits:
        return f"{name} is done, but for {count_of(held, 'row')} of {rows:,}: {waits}."
    return f"{name} is done, but for {count_of(held, 'row')} of {rows:,} that {'is' if held == 1 else 'are'} waiting."


def _waits_by_po(receipt: Receipt) -> bool:
    """Whether what is held of a file is held PO by PO, not as a whole."""
    return receipt.held_for is None or receipt.held_for.code in OF_A_PO


def _foreseen(receipt: Receipt, passing: int) -> str:
    """What would become of a file of which rows would be sent."""
    name, unjudged, sent = plain(receipt.name), receipt.unjudged, passing - receipt.unjudged
    asks = "RetailOps must be asked first, which a preview does not do"
    if not sent:
        verb = "is" if unjudged == 1 else "are"
        return f"{name} would be taken; {count_of(unjudged, 'row')} of {receipt.rows:,} {verb} not judged: {asks}."
    parts = [f"{count_of(sent, 'row')} of {receipt.rows:,} would be sent"]
    if receipt.waiting:
        parts.append(standing_of(receipt.waiting))
    if unjudged:
        parts.append(f"{unjudged:,} cannot be judged: {asks}")
    return f"{name} would be taken: {'; '.join(parts)}."


def _counts(receipt: Receipt, columns: int) -> Iterator[str]:
    """The outcomes as a sum."""
    if not receipt.rows:
        return
    width = len(f"{receipt.rows:,}")
    yield ""
    for outcome, count in receipt.outcomes.items():
        start = f"  {count:>{width},}  {outcome.value:<10}  "
        yield from wrapped(_meaning(receipt, outcome), first=start, indent=" " * len(start), width=columns)
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
            width=columns,
        )


def _meaning(receipt: Receipt, outcome: Outcome) -> str:
    if outcome is Outcome.REJECTED and receipt.is_sent_again:
        return "not taken, for the reason above"
    if outcome is Outcome.HELD and not receipt.waiting:
        return "waiting for a person, for the reason above"
    of_pos = _OF_POS if receipt.document not in ("", "inventory") else {}
    return of_pos.get(outcome, _MEANING[outcome])


def _refusal(receipt: Receipt) -> tuple[str, str]:
    """Why a file was refused whole, and what to do about it: the message's own advice, else that of its code."""
    found, advice = told_apart(receipt.notes[0].message)
    return found or advice, advice or _fix(receipt.notes[0].code)


def _what_to_do(receipt: Receipt, *, twin: str, folder: str, in_inbox: bool, width: int) -> Iterator[str]:
    yield from heading("What to do")
    steps = [
        *_steps_of_hold(receipt),
        *steps_of_refused_pos(receipt),
        *_steps_of_rejects(receipt, twin, folder),
        *steps_of_waiting_pos(receipt),
    ]
    if receipt.preview:
        steps = [*steps, *_steps_of_preview(receipt, in_inbox)]
    elif receipt.status is FileStatus.PENDING:
        steps.append(
            "Nothing. FileBridge goes on by itself, and writes this receipt again when the last row is settled."
        )
    if receipt.is_sent_again:
        steps = [*_steps_of_refusal(receipt)]
    if len(steps) < 2:
        yield from wrapped(steps[0] if steps else "Nothing.", indent="  ", width=width)
        return
    for number, step in enumerate(steps, start=1):
        yield from wrapped(step, first=f"  {number}. ", indent="     ", width=width)


def _steps_of_preview(receipt: Receipt, in_inbox: bool) -> Iterator[str]:
    if receipt.unjudged:
        yield "To see more here, have RetailOps asked: `filebridge orders fetch`, and `filebridge carriers`."
    if receipt.rejected:
        yield "Correct the rows that are listed below: sent as they are, they would come back in a reject file."
    if receipt.status in {FileStatus.DUPLICATE, FileStatus.ACCEPTED, FileStatus.REJECTED}:
        return
    if receipt.held_for and receipt.held_for.code == "incomplete_file":
        yield "If the file is whole, put an empty file of its name with .done behind it beside it. Else send it again."
        return
    then = "This was only a look ahead."
    yield (
        f"{then} The file lies in the inbox: the next `filebridge run` takes it."
        if in_inbox
        else f"{then} To have the file taken, drop it into the inbox."
    )


def _steps_of_hold(receipt: Receipt) -> Iterator[str]:
    held = receipt.held_for
    if held is None or held.code in OF_A_PO or receipt.preview:
        return
    yield "Look at the file, and at what it waits for, as said above."
    if held.code == "too_many_refusals":
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


def _reasons(receipt: Receipt, by_code: Mapping[str, int], page: int) -> Iterator[str]:
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
            start = f"  {count:>9,}  {code:<22}  "
            yield from wrapped(CATALOGUE[code].title, first=start, indent=" " * len(start), width=page)
        yield ""
    rows = [
        (f"{reject.row:,}", reject.column, reject.value, message)
        for reject, message in zip(shown, _messages(shown), strict=True)
    ]
    column, found = (
        min(most, max(least, *(len(plain(row[place])) for row in rows)))
        for place, least, most in ((1, 6, 18), (2, 5, 22))
    )
    width = max(3, *(len(row[0]) for row in rows))
    yield from table_lines(
        ("Row", "Column", "Found", "What is wrong"),
        rows,
        widths=(width, column, found, page - 8 - width - column - found),
        right=(0,),
    )
    more = sum(by_code.values()) - len(shown) if by_code else len(own) - len(shown)
    if more > 0:
        yield ""
        yield f"  and {count_of(more, 'more reason')}" + (
            ", in the reject file." if receipt.reject_file else "."
        )
    yield from _advice(shown, page)


def _messages(shown: Sequence[Reject]) -> Iterator[str]:
    """What is wrong with each row; a long message stands there once."""
    first: dict[str, int] = {}
    for reject in shown:
        row = first.setdefault(reject.message, reject.row)
        is_said = row != reject.row and len(reject.message) > _LONG
        yield f"The same as of row {row:,}." if is_said else sentence(reject.message)


def _advice(shown: Sequence[Reject], page: int) -> Iterator[str]:
    """What to do, once a code, where some reason of that code does not say it itself."""
    silent = dict.fromkeys(reject.code for reject in shown if not says_what_to_do(reject.message))
    if silent:
        yield ""
    for code in silent:
        yield from wrapped(_fix(code), first=f"  {code}: ", indent="    ", width=page)


def _notes(receipt: Receipt, width: int) -> Iterator[str]:
    notes = receipt.notes[1:] if receipt.refused else receipt.notes
    if not notes:
        return
    yield from heading("Notes")
    for note in notes:
        yield from wrapped(
            f"{sentence(note.message)} ({note.code})", first="  - ", indent="    ", width=width
        )


def _details(receipt: Receipt, time_zone: str, width: int) -> Iterator[str]:
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
            yield from wrapped(
                value, first=f"  {name:<9} ", indent=" " * 12, width=width, break_long_words=False
            )


def _calls(receipt: Receipt, time_zone: str) -> str:
    if receipt.preview:
        return f"{count_of(receipt.calls, 'call') if receipt.calls else 'none'} would be sent"
    with_others = (
        f"rows of it went with {', '.join(map(plain, receipt.carried_by))}" if receipt.carried_by else ""
    )
    if receipt.last_call_at is None:
        return f"none of its own; {with_others}" if with_others else "none was sent"
    said = f"{receipt.calls:,}, the last answered {local_time(receipt.last_call_at, time_zone)}"
    return f"{said}; {with_others}" if with_others else said


def _fix(code: str) -> str:
    return CATALOGUE[code].fix if code in CATALOGUE else ""


def _last(name: str) -> str:
    return name.rpartition("/")[2]
