"""`filebridge`, and `python -m filebridge`."""

from __future__ import annotations

import gc
import logging
import os
import sys


def main() -> None:
    """Run the command line and end with its exit code."""
    # What is imported stays: looking through it again and again is a tenth of a short command's time.
    gc.set_threshold(500_000, 20, 20)
    # Threads that wait for the network and the one that keeps the journal hand over to each other all the time.
    sys.setswitchinterval(0.001)
    from filebridge.cli.app import run

    code = run(sys.argv[1:])
    # Everything is closed by now; taking apart what was imported would only take time (0.13 s).
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            code = code or 1
    os._exit(code)


if __name__ == "__main__":
    main()
