"""One file read, mapped and checked whole, in a bounded child process where it is a workbook or large.

Whatever a vendor's file does to a parser happens in the child: it may be killed, run out of memory or time, and
becomes a refusal of that file. The child is told what to do by this side's pickle; it answers in JSON and Arrow
files, so that nothing that a vendor wrote is ever unpickled here.
"""

from filebridge.reader.child import IN_PLACE_BYTES, Reader, serve
from filebridge.reader.here import opened_again, read_here
from filebridge.reader.job import NeedsOriginals, Original, ReadFile, ReadJob, Seen

__all__ = [
    "IN_PLACE_BYTES",
    "NeedsOriginals",
    "Original",
    "ReadFile",
    "ReadJob",
    "Reader",
    "Seen",
    "opened_again",
    "read_here",
    "serve",
]
