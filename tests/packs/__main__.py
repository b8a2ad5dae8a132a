"""`make packs`: every vendor pack against the installed command line and the sandbox, one line each."""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from driver import VENDORS, PackBroken, drive


def main() -> int:
    """Try each pack; 1 where one is broken."""
    packs = sorted(path for path in VENDORS.iterdir() if path.is_dir())
    chosen = sys.argv[1:]
    held = broken = 0
    for pack in packs:
        if chosen and pack.name not in chosen:
            continue
        started = time.monotonic()
        try:
            drive(pack)
        except PackBroken as error:
            broken += 1
            print(f"{pack.name:<14} BROKEN: {error}")
            continue
        held += 1
        print(f"{pack.name:<14} holds ({time.monotonic() - started:.1f} s)", flush=True)
    print(f"packs: {held} hold, {broken} failing")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
