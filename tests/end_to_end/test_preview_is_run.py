"""What `preview` prints is what `run` then does: the same bodies, and the same end of every row that needs no call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

VENDORS = Path(__file__).parents[1] / "packs" / "vendors"
PACKS = sorted(
    path.parent.parent.name
    for path in VENDORS.glob("*/mappings/inventory.yaml")
    if (path.parents[1] / "files").exists()
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
