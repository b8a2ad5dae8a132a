"""`python -m filebridge.sandbox`: see `filebridge.sandbox.command`."""

import sys

from filebridge.sandbox.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
