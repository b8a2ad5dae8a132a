"""Whether a settled file is whole: what is not stays in the inbox, with what was seen and what to do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from filebridge.intake.look import Entry, Waiting, opened_entry, waiting
from filebridge.tables.table import ReadOptions
from filebridge.tables.whole import why_cut

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
            why = why_cut_of(stream, entry.name, feed) if found == entry.signature else ""
    except OSError:
        return None
    return waiting(entry, "incomplete_file", why, remedy(entry.name, feed)) if why else None


def why_cut_of(stream: BinaryIO, name: str, feed: FeedMapping | None) -> str:
    """The sentence that says where the file stops short, read as its mapping reads it; empty: it looks whole."""
    if feed is None:
        # How a reject file that comes back is quoted, its original says; here only its last line end counts.
        return why_cut(stream, name=name, options=ReadOptions(quote="none"))
    read = feed.mapping.read
    needs_line_end = read.last_line_end == "required"
    return why_cut(stream, name=name, options=read.options(), needs_line_end=needs_line_end)


def is_waited_for(path: Path, feed: FeedMapping | None) -> str:
    """What `why_cut_of` says of the file at `path`, trigger file considered."""
    trigger = path.with_name(path.name + ".done")
    if trigger.is_file() and trigger.stat().st_ctime_ns >= path.stat().st_ctime_ns:
        return ""
    with path.open("rb") as stream:
        return why_cut_of(stream, path.name, feed)


def remedy(name: str, feed: FeedMapping | None) -> str:
    """What to do about a file that is not whole."""
    done = f"an empty file {name.rpartition('/')[2]}.done beside it, which says that it is whole"
    if feed is None or not feed.path:
        return f"Send it again, whole. If it is whole, put {done}."
    return (
        f"Send it again, whole. If it is whole, put {done}; where its system never ends the last line, "
        f"write `read: {{last_line_end: optional}}` in {feed.path}."
    )
