"""`STATUS.txt`: how things stand for one vendor, for a reader who has only the outbox folder.

Rewritten at each pass: what it says first is when FileBridge last looked.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from filebridge.ledger.po_waits import WaitingPo
from filebridge.ledger.schema import OrderFileState
from filebridge.outcomes import PASSING, FileStatus, Outcome
from filebridge.rejects import CATALOGUE
from filebridge.replies import REPLIES
from filebridge.replies.publish import write_page
from filebridge.replies.vendor_status import (
    TROUBLES,
    GoneOrder,
    HeldFile,
    HeldOrder,
    OpenRejects,
    OverduePo,
    RecentFile,
    RecentOrderFile,
    RefusedFile,
    VendorStatus,
    WaitingFile,
)
from filebridge.replies.waits import WHAT_WAITS, close_command, for_what
from filebridge.replies.wording import (
    cut,
    heading,
    local_time,
    plain,
    sentence,
    short_time,
    table_lines,
    to_bytes,
    told_apart,
    why_waiting,
    wrapped,
)

STATUS_NAME: Final = "STATUS.txt"


def write_status_page(outbox: Path, status: VendorStatus) -> Path:
    """Publish STATUS.txt in the vendor's outbox, in the place of the last one."""
    return write_page(outbox, STATUS_NAME, status_text(status))


def status_text(status: VendorStatus) -> bytes:
    """The page: at most 100 columns, with line ends that every Notepad shows."""
    title = f"FileBridge, vendor {status.vendor}"
    lines = [
        title,
        "=" * len(title),
        "",
        f"FileBridge last looked on {local_time(status.looked_at, status.time_zone)}.",
        "It writes this page at each look: if that is long ago, FileBridge is not running.",
        *_channel_lines(status),
        *_waiting_for_reader(status),
        *_waiting_for_rows(status),
        *_last_files(status),
        *_last_orders(status),
    ]
    return to_bytes(lines)


def _channel_lines(status: VendorStatus) -> Iterator[str]:
    if not status.trouble:
        return
    since = (
        "" if status.trouble_since is None else f" since {local_time(status.trouble_since, status.time_zone)}"
    )
    yield ""
    when = "the key is corrected" if status.trouble == "key_refused" else "RetailOps answers again"
    yield from wrapped(
        f"RETAILOPS CANNOT BE USED{since}: {sentence(TROUBLES.get(status.trouble, status.trouble))} Nothing is lost: "
        f"what is to be sent is kept, and FileBridge goes on when {when}."
    )


def _waiting_for_reader(status: VendorStatus) -> Iterator[str]:
    yield from heading("Waits for you")
    entries = [
        *(_held_lines(held) for held in status.held),
        *(_reject_lines(found, status.time_zone) for found in status.rejects),
        *(_refused_lines(found, status.time_zone) for found in status.refused),
        *(_order_lines(order) for order in status.held_orders),
        *(_gone_lines(order) for order in status.gone_orders),
        *(_refused_po_lines(one) for one in status.refused_pos),
        *(_overdue_lines(one, status.time_zone) for one in status.overdue_pos),
        *(_inbox_lines(found, status.time_zone) for found in status.waiting),
    ]
    if not entries:
        yield "  Nothing."
    for number, (said, *steps) in enumerate(entries, start=1):
        yield from wrapped(said, first=f"{number:>3}. ", indent="     ")
        for step in steps:
            yield from wrapped(step, first="       - ", indent="         ")
    if status.more:
        yield f"     and {status.more:,} more: `filebridge status` lists them."


def _waiting_for_rows(status: VendorStatus) -> Iterator[str]:
    if not status.waiting_pos:
        return
    yield from heading("Purchase orders that wait for their other rows")
    yield "  Nothing is to be done as long as those come; they may be in any file."
    yield ""
    rows = [
        (plain(one.po), WHAT_WAITS[one.action], short_time(one.since, status.time_zone), for_what(one))
        for one in status.waiting_pos
    ]
    width = min(24, max(2, *(len(row[0]) for row in rows)))
    yield from table_lines(
        ("PO", "Waits with", "Since", "What is still to come"),
        rows,
        widths=(width, 10, 16, 98 - width - 10 - 16 - 6),
    )
    more = status.waiting_pos_count - len(rows)
    if more:
        yield f"  and {more:,} more."


def _refused_po_lines(one: WaitingPo) -> list[str]:
    return [
        f"PO {one.po}: {sentence(for_what(one))}",
        "Tell the retailer; nothing is sent of the PO. `filebridge exceptions` lists all such POs.",
    ]


def _overdue_lines(one: OverduePo, zone: str) -> list[str]:
    waits = one.of
    return [
        f"PO {waits.po}: its {WHAT_WAITS[waits.action]} waits since {short_time(waits.since, zone)} for its other "
        f"rows, and was to wait no longer than {short_time(one.until, zone)}. {sentence(for_what(waits))}",
        "Send the other rows, in any file.",
        f"Or, where they do not come, send what is there:  {close_command(waits.po)}",
    ]


def _held_lines(held: HeldFile) -> list[str]:
    said = f"{held.name} is held, nothing of it was sent: {sentence(held.message)}"
    if held.code == "too_many_refusals":
        return [said, CATALOGUE[held.code].fix.replace("ID", held.id)]
    return [
        said,
        f"If it is right, let it go:  filebridge release {held.id}",
        f"If it is not, give it up:  filebridge discard {held.id}",
    ]


def _reject_lines(found: OpenRejects, zone: str) -> list[str]:
    what = "none of its rows was taken" if found.whole else "some of its rows were not taken"
    return [
        f"{found.name}, received {short_time(found.received_at, zone)}: {what}.",
        f"Correct them in {REPLIES}/{found.reject_file} and drop that file into the inbox.",
    ]


def _refused_lines(found: RefusedFile, zone: str) -> list[str]:
    said, fix = told_apart(found.message)
    fix = fix or CATALOGUE[found.code].fix
    received = short_time(found.received_at, zone)
    return [f"{found.name}, received {received}, was refused: {sentence(said or found.message)}", fix]


def _order_lines(order: HeldOrder) -> list[str]:
    return [order.said, *([order.fix] if order.fix else [])]


def _gone_lines(order: GoneOrder) -> list[str]:
    return [sentence(order.message), CATALOGUE["vanished"].fix]


def _inbox_lines(found: WaitingFile, zone: str) -> list[str]:
    since = short_time(found.first_seen_at, zone)
    return [f"{found.name} is still in the inbox (since {since}): {why_waiting(found.reason)}"]


def _last_files(status: VendorStatus) -> Iterator[str]:
    yield from heading("The last files")
    if not status.recent:
        yield "  None has come in yet."
        return
    rows = [
        (short_time(found.received_at, status.time_zone), found.name, f"{found.rows:,}", _what_came_of(found))
        for found in status.recent
    ]
    width = min(34, max(8, *(len(plain(row[1])) for row in rows)))
    yield from table_lines(
        ("Received", "File", "Rows", "What came of it"),
        rows,
        widths=(16, width, 9, 98 - 16 - width - 9 - 6),
        right=(2,),
    )


def _what_came_of(found: RecentFile) -> str:
    if found.status is None:
        return "taken, not worked through yet"
    if found.status is FileStatus.DUPLICATE:
        return "the same file again; nothing to send"
    counts = found.outcomes
    if found.status is FileStatus.REJECTED and not counts:
        return f"refused: {sentence(found.message)}"
    done = sum(
        counts.get(outcome, 0) for outcome in (Outcome.DELIVERED, Outcome.UNCHANGED, Outcome.SUPERSEDED)
    )
    passing = sum(counts.get(outcome, 0) for outcome in PASSING)
    held = counts.get(Outcome.HELD, 0)
    parts = (
        (done, "all done" if done == found.rows else f"{done:,} done"),
        (counts.get(Outcome.REJECTED, 0), f"{counts.get(Outcome.REJECTED, 0):,} not taken"),
        # Rows of POs that wait, unless a person is asked about the file as a whole.
        (held, f"{held:,} {'held' if found.message else 'waiting'}"),
        (passing, f"{passing:,} not sent yet"),
    )
    said = ", ".join(words for count, words in parts if count) or "no rows"
    is_told_above = found.status is FileStatus.HELD or not found.message
    return said if is_told_above else f"{said}: {sentence(found.message)}"


def _last_orders(status: VendorStatus) -> Iterator[str]:
    if status.orders_fetched_at is None and not status.recent_orders:
        return
    yield from heading("Purchase orders")
    if status.orders_fetched_at is not None:
        yield f"  Last fetched on {local_time(status.orders_fetched_at, status.time_zone)}."
    if not status.recent_orders:
        yield "  No file was written yet."
        return
    rows = [
        (cut(found.name, 40), f"{found.pos:,}", _order_state(found, status)) for found in status.recent_orders
    ]
    width = max(4, *(len(row[0]) for row in rows))
    yield ""
    yield from table_lines(
        ("File", "POs", "How it stands"), rows, widths=(width, 5, 98 - width - 5 - 4), right=(1,)
    )


def _order_state(found: RecentOrderFile, status: VendorStatus) -> str:
    if found.state is OrderFileState.STAGED:
        return "about to be put into orders/"
    said = f"written on {short_time(found.staged_at, status.time_zone)}"
    if found.taken_at:
        said += f", taken by {short_time(found.taken_at, status.time_zone)}"
    return said if found.state is OrderFileState.MARKED else f"{said}; RetailOps is still to be told"
