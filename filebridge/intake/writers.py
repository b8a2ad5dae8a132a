"""Whether somebody has a file open for writing, asked of the file system where it can say.

Linux grants a read lease only on a file that nobody has open for writing. It does so for our own files (or with
CAP_LEASE), on local file systems. Everywhere else nothing is known, and nothing is said.
"""

from __future__ import annotations

import errno
import fcntl
import signal
import sys


def has_writer(file: int) -> bool:
    """Whether the file system says that an open file has a writer, mapped memory included. False: not known."""
    if sys.platform != "linux":
        return False
    try:
        # A writer who opens the file while we have the lease has a signal sent to us: one that does nothing.
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False
