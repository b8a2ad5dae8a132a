"""Whether a settled file is whole: what is not stays in the inbox, with what was seen and what to do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from filebridge.intake.look import Entry, Waiting, opened_entry, waiting
from filebridge.tables.table import ReadOptions
from filebridge.tables.whole import Cut, Stop, why_cut

if TYPE_CHECKING:
    from filebridge.mapping.pack import FeedMapping


def why_not_whole(entry: Entry, feed: FeedMapping | None) -> Waiting | None:
    """Why a file of this feed is not taken yet; None where it is whole, or its sender says so (`NAME.done`).

    `feed` is None for a reject file that comes back. Of a file that cannot be opened nothing is said: the claim
    does.
    """
    if entry.is_said_whole:
        return None
    try:
        with opened_entry(entry) as stream:
            status = os.fstat(stream.fileno())
            found = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
            cut = cut_of(stream, entry.name, feed) if found == entry.signature else None
    except OSError:
        return None
    return waiting(entry, "incomplete_file", cut.message, remedy(cut, entry.name, feed)) if cut else None


def cut_of(stream: BinaryIO, name: str, feed: FeedMapping | None) -> Cut | None:
    """Where a file stops short, read as its mapping reads it; None where it looks whole."""
    if feed is None:
        # How a reject file that comes back is quoted, its original says; here only its last line end counts.
        return why_cut(stream, name=name, options=ReadOptions(quote="none"))
    read = feed.mapping.read
    needs_line_end = read.last_line_end == "required"
    return why_cut(stream, name=name, options=read.options(), needs_line_end=needs_line_end)


def would_wait(path: Path, feed: FeedMapping | None) -> str:
    """Why the file at `path` would not be taken, in a sentence; empty where it would be."""
    trigger = path.with_name(path.name + ".done")
    if trigger.is_file() and trigger.stat().st_ctime_ns >= path.stat().st_ctime_ns:
        return ""
    with path.open("rb") as stream:
        cut = cut_of(stream, path.name, feed)
    return cut.message if cut else ""


def remedy(cut: Cut, name: str, feed: FeedMapping | None) -> str:
    """What to do about a file that is not whole."""
    again = "Send it again, whole."
    where = f" in {feed.path}" if feed and feed.path else ""
    if cut.stop is Stop.WORKBOOK:
        return again
    if cut.stop is Stop.QUOTE:
        return f"{again} If the quote is only a character, write `read: {{quote: none}}`{where}."
    done = f"put an empty file {name.rpartition('/')[2]}.done beside it, which says that it is whole"
    if not where:
        return f"{again} If it is whole, {done}."
    return (
        f"{again} If it is whole, {done}; where its system never ends the last line, "
        f"write `read: {{last_line_end: optional}}`{where}."
    )
