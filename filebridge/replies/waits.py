"""POs that wait, in words: for what, until when, and what a person can do."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol

from filebridge.clock import SECOND
from filebridge.ledger.po_waits import REFUSED
from filebridge.planning.plan import Action
from filebridge.replies.receipt import HeldPo, Receipt
from filebridge.replies.wording import count_of, heading, plain, sentence, short_time, wrapped

OF_A_PO: Final = frozenset({"partial_shipment", REFUSED})
"""Codes of what is held PO by PO; other holds are of a file as a whole."""
NAMED: Final = 5
"""POs that one sentence names."""
_SHOWN_ROWS: Final = 4
_LISTED: Final = 20
_OF_THE_WHOLE: Final = re.compile(r"^it is \w+ as a whole, and ")
WHAT_WAITS: Final = {
    Action.COMPLETE: "shipment",
    Action.MARK_ACCEPTED: "acceptance",
    Action.MARK_SUBMITTED: "submission",
}


class Waits(Protocol):
    """A PO that waits: of a vendor, of a file, or of a plan."""

    @property
    def po(self) -> str:
        """Its number."""

    @property
    def code(self) -> str:
        """For what it waits: a code of the catalogue."""

    @property
    def message(self) -> str:
        """The same in a sentence."""


def for_what(one: Waits) -> str:
    """What is still to come, or what the vendor refuses, without the words that are said of each such PO."""
    message, po = plain(one.message), plain(one.po)
    if one.code == REFUSED:
        # What there is to be done is said once, of all of them.
        return message.partition(" There is no call for that")[0].replace(f" of PO {po}", "", 1)
    said = _OF_THE_WHOLE.sub("", message.removeprefix(f"PO {po} waits for its other rows: "))
    return said[0].upper() + said[1:] if said else "Its other rows."


def close_command(po: str) -> str:
    """The command that sends what is there of a PO."""
    return f"filebridge orders close {shlex.quote(plain(po))} --short"


def named(pos: Iterable[str], *, most: int = NAMED) -> str:
    """Numbers of POs, the first few by name: `D1, D2 and D3`; `D1, D2 and 40 more`."""
    told = [plain(po) for po in dict.fromkeys(pos)]
    if len(told) > most:
        return f"{', '.join(told[:most])} and {len(told) - most:,} more"
    *first, last = told
    return f"{', '.join(first)} and {last}" if first else last


def wait_for_rows(count: int) -> str:
    """`1 PO waits for its other rows`, `2 POs wait for their other rows`."""
    return f"{count_of(count, 'PO')} {'waits for its' if count == 1 else 'wait for their'} other rows"


def are_refused(count: int) -> str:
    """`1 PO is refused or back-ordered by the vendor`."""
    return f"{count_of(count, 'PO')} {'is' if count == 1 else 'are'} refused or back-ordered by the vendor"


def standing_of(waits: Sequence[Waits]) -> str:
    """How many wait for what: `1 PO waits for its other rows, and 2 POs are refused or …`; empty for none."""
    partial, refused = apart(waits)
    parts = [
        *([wait_for_rows(len(partial))] if partial else []),
        *([are_refused(len(refused))] if refused else []),
    ]
    return ", and ".join(parts)


def apart(waits: Iterable[Waits]) -> tuple[list[str], list[str]]:
    """The POs that wait for their other rows, and those that the vendor refuses or has back-ordered."""
    found: tuple[dict[str, None], dict[str, None]] = ({}, {})
    for one in waits:
        found[one.code == REFUSED][one.po] = None
    return list(found[0]), list(found[1])


def row_words(rows: Sequence[int]) -> str:
    """Rows in order, short: `row 2`, `rows 2 to 5, 9 and 12 more`."""
    runs: list[list[int]] = []
    for row in rows:
        if runs and row == runs[-1][-1] + 1:
            runs[-1].append(row)
        else:
            runs.append([row])
    words = [f"{run[0]:,}" if len(run) == 1 else _range(run) for run in runs[:_SHOWN_ROWS]]
    more = sum(map(len, runs[_SHOWN_ROWS:]))
    told = f"{', '.join(words)} and {more:,} more" if more else named(words)
    return f"{'row' if len(rows) == 1 else 'rows'} {told}"


def _range(run: Sequence[int]) -> str:
    return f"{run[0]:,}{' to ' if len(run) > 2 else ', '}{run[-1]:,}"


def duration(micros: int) -> str:
    """A length of time as a mapping states it: `2 days`, `36 hours`, `90 seconds`."""
    seconds = micros / SECOND
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            return count_of(int(seconds // size), word)
    return count_of(int(seconds), "second") if seconds == int(seconds) else f"{seconds:g} seconds"


# On a receipt


def steps_of_refused_pos(receipt: Receipt) -> Iterator[str]:
    """What to do about POs that the vendor refuses or has back-ordered."""
    _, refused = apart(receipt.waiting)
    if not refused or receipt.preview:
        return
    one = len(refused) == 1
    yield (
        f"Tell the retailer of {'PO' if one else 'the POs'} {named(refused)}, which the vendor refuses or has "
        f"back-ordered: RetailOps has no call for that, and nothing is sent of {'it' if one else 'them'}. The list:  "
        "filebridge exceptions"
    )


def steps_of_waiting_pos(receipt: Receipt) -> Iterator[str]:
    """What to do about POs that wait for their other rows: nothing, or close them."""
    partial, _ = apart(receipt.waiting)
    if not partial or receipt.preview:
        return
    if len(partial) == 1:
        yield (
            f"PO {plain(partial[0])} goes by itself when its other rows come, in any file. If they do not come, send "
            f"what is there:  {close_command(partial[0])}"
        )
        return
    yield (
        f"{len(partial):,} POs go by themselves when their other rows come, in any file. If those of one do not come, "
        "send what is there of it with its command below."
    )


def waits_lines(receipt: Receipt, zone: str, width: int) -> Iterator[str]:
    """The POs that wait, the first of them one by one."""
    partial = [one for one in receipt.waiting if one.code != REFUSED]
    refused = [one for one in receipt.waiting if one.code == REFUSED]
    if partial:
        yield from heading("POs that wait for their other rows")
        for one in partial[:_LISTED]:
            yield from wrapped(_told(one, zone), indent="      ", first="  ", width=width)
            if len(partial) > 1 and not receipt.preview:
                yield f"      {close_command(one.po)}"
        if len(partial) > _LISTED:
            yield f"  and {len(partial) - _LISTED:,} more."
    if refused:
        yield from heading("POs that the vendor refuses or has back-ordered")
        for one in refused[:_LISTED]:
            yield from wrapped(_told(one, zone), indent="      ", first="  ", width=width)
        if len(refused) > _LISTED:
            yield f"  and {len(refused) - _LISTED:,} more."


def _told(one: HeldPo, zone: str) -> str:
    rows = f", {row_words(one.rows)}" if one.rows else ""
    until = f" It may wait until {short_time(one.until, zone)} ({zone})." if one.until else ""
    return f"{plain(one.po)}{rows}: {sentence(for_what(one))}{until}"
