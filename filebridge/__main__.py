"""`filebridge`, and `python -m filebridge`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and end with its exit code."""
    from filebridge.cli.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
