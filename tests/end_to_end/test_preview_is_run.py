"""What `preview` prints is what `run` then does: the same bodies, and the same end of every row that needs no call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

VENDORS = Path(__file__).parents[1] / "packs" / "vendors"
PACKS = sorted(
    pack.name
    for pack in VENDORS.iterdir()
    if {
        line
        for path in pack.glob("mappings/*.yaml")
        for line in path.read_text().splitlines()
        if "document:" in line
    }
    == {"document: inventory"}
)


@pytest.mark.parametrize("vendor", PACKS)
def test_every_sample_of_a_vendor_is_sent_as_previewed(vendor: str, house: Any) -> None:
    pack = VENDORS / vendor
    house.pack({path.name: path.read_bytes() for path in (pack / "mappings").iterdir()}, vendor)
    expect = json.loads((pack / "expect.json").read_text())
    runs = expect.get("runs") or [sorted(expect["files"])]
    for name in (name for names in runs for name in names):
        house.run_as_previewed(name, (pack / "files" / name).read_bytes(), vendor)
        house.clock.move(600)
    assert len(house.bodies()) > 0
