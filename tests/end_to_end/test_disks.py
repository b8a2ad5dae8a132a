"""Full and read-only disks, for all documents: what was sent is known, what is owed comes later, nothing comes twice.

The disks are small ones of their own, at one of the workspace's folders.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

STOCK = "SKU,Qty\nA,5\n00120,7\n"
DELIVERED = {"A": 5, "00120": 7}
PO = {
    "po": "D1",
    "vendor_id": 27,
    "status": "ready",
    "date_submit": "2026-01-20T17:00:00Z",
    "items": [{"po_item_id": 1, "vpc": "A", "quantity": 2}],
}

PACK = {
    "vendor.yaml": 'vendor_id: "27"\ntime_zone: America/Denver\n',
    "shipments.yaml": (
        'document: shipments\nmatch: ["ship*"]\n'
        "fields: {po: PO, vpc: Item, quantity: Qty, tracking_number: Tracking, carrier: Ship Via}\n"
    ),
    "acknowledgements.yaml": (
        'document: acknowledgements\nmatch: ["ack*"]\nfields: {po: PO, vpc: Item, quantity: Qty}\n'
    ),
    "carriers.yaml": 'Brown: {class: "UPS Ground"}\n',
}
ACK = "PO,Item,Qty\nD1,A,2\nD2,A,2\n"
SHIPPED = "PO,Item,Qty,Tracking,Ship Via\nD1,A,2,1Z1,Brown\nD2,A,1,1Z2,Brown\n"
REST = "PO,Item,Qty,Tracking,Ship Via\nD2,A,1,1Z3,Brown\n"
SUBMITTED = [
    {
        "po": po,
        "vendor_id": 27,
        "status": "submitted",
        "date_submit": "2026-01-20T17:00:00Z",
        "items": [{"po_item_id": 1, "vpc": "A", "quantity": 2}],
    }
    for po in ("D1", "D2")
]


@contextmanager
def full(made: Any, folder: str) -> Iterator[None]:
    """While the block runs, the disk at this folder has no room."""
    filler = made.root / folder / "filler"
    _fill(filler)
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def read_only(made: Any, folder: str) -> Iterator[None]:
    """While the block runs, the disk at this folder takes nothing."""
    _remount(made.root / folder, "ro")
    try:
        yield
    finally:
        _remount(made.root / folder, "rw")


def _remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


@pytest.mark.parametrize(
    ("folder", "harm", "word"),
    [
        pytest.param("outbox", full, "space", id="outbox-full"),
        pytest.param("outbox", read_only, "Read-only", id="outbox-read-only", marks=pytest.mark.slow),
        pytest.param("archive", full, "space", id="archive-full", marks=pytest.mark.slow),
        pytest.param("archive", read_only, "Read-only", id="archive-read-only", marks=pytest.mark.slow),
        pytest.param(".filebridge", full, "", id="state-full", marks=pytest.mark.slow),
        pytest.param(".filebridge", read_only, "", id="state-read-only", marks=pytest.mark.slow),
    ],
)
def test_files_about_pos_come_to_their_end_once_there_is_room(
    office: Callable[..., Any], retailops: Any, folder: str, harm: Any, word: str
) -> None:
    made = office(PACK)
    retailops.ask("pos", SUBMITTED)
    with mounted(made.root / folder, size="1m"):
        assert made.run("run")[0] == 0
        with harm(made, folder):
            made.write("inbox/acme/ack.csv", ACK)
            made.write("inbox/acme/ship.csv", SHIPPED)
            code, _, said = made.run("run")
            assert code not in (0, 70) and word in said, (code, said)
        assert made.run("run")[0] == 0
        made.write("inbox/acme/ship2.csv", REST)
        assert made.run("run")[0] == 0
        _check_done_once(made, retailops)


def _check_done_once(made: Any, retailops: Any) -> None:
    state = {one["po"]: one for one in retailops.ask("state")["pos"]}
    assert {po: one["status"] for po, one in state.items()} == {"D1": "complete", "D2": "complete"}
    parcels = {po: [one["tracking_number"] for one in po_state["packages"]] for po, po_state in state.items()}
    assert {po: sorted(found) for po, found in parcels.items()} == {"D1": ["1Z1"], "D2": ["1Z2", "1Z3"]}
    sent = [path.rpartition("/")[2] for path, _ in retailops.calls() if "fetch" not in path.lower()]
    assert sent == ["MarkAccepted.json", "Complete.json", "Complete.json"]
    assert made.receipt("ack.csv")["outcomes"] == {"delivered": 2}
    assert made.receipt("ship.csv")["outcomes"] == {"delivered": 2}
    assert made.receipt("ship2.csv")["outcomes"] == {"delivered": 1}
    originals = {
        path.name for path in (made.root / "archive/acme").rglob("*.csv") if "receipt" not in path.name
    }
    assert originals == {"ack.csv", "ship.csv", "ship2.csv"}
    assert list((made.root / "inbox/acme").glob("*.csv")) == []
    assert list((made.root / "outbox/acme").rglob("*.part")) == []
    assert all(
        json.loads(path.read_bytes())["file"] for path in (made.root / "outbox").rglob("*.receipt.json")
    )


def test_a_full_disk_loses_nothing(office: Callable[..., Any], retailops: Any) -> None:
    made = office()
    retailops.ask("pos", [PO])
    with mounted(made.root / "outbox", size="300k"):
        assert made.run("run")[0] == 0  # its folders, on the small disk
        retailops.ask("pos", [{**PO, "po": "D2"}])
        filler = made.root / "outbox/filler"
        _fill(filler)
        made.write("inbox/acme/stock.csv", STOCK)
        code, _, said = made.run("run")
        assert code not in (0, 70) and "space" in said, (code, said)
        marked = [one["po"] for one in retailops.ask("state")["pos"] if one["status"] == "submitted"]
        assert marked == ["D1"]

        filler.unlink()
        assert made.run("run")[0] == 0
        _check_all_arrived(made, retailops)


def test_an_outbox_that_cannot_be_written_loses_nothing(office: Callable[..., Any], retailops: Any) -> None:
    made = office()
    retailops.ask("pos", [PO])
    with mounted(made.root / "outbox", size="1m"):
        assert made.run("run")[0] == 0
        retailops.ask("pos", [{**PO, "po": "D2"}])
        subprocess.run(["mount", "-o", "remount,ro", str(made.root / "outbox")], check=True)
        made.write("inbox/acme/stock.csv", STOCK)
        code, _, said = made.run("run")
        assert code not in (0, 70) and "Read-only" in said, (code, said)
        marked = [one["po"] for one in retailops.ask("state")["pos"] if one["status"] == "submitted"]
        assert marked == ["D1"]

        subprocess.run(["mount", "-o", "remount,rw", str(made.root / "outbox")], check=True)
        assert made.run("run")[0] == 0
        _check_all_arrived(made, retailops)


def _check_all_arrived(made: Any, retailops: Any) -> None:
    assert retailops.quantities() == DELIVERED
    assert made.receipt("stock.csv")["outcomes"] == {"delivered": 2}
    assert sorted(path.name for path in (made.root / "outbox/acme/orders").iterdir()) == [
        "PO_acme_000001.csv",
        "PO_acme_000002.csv",
    ]
    assert {one["status"] for one in retailops.ask("state")["pos"]} == {"submitted"}


@contextmanager
def mounted(folder: Path, *, size: str) -> Iterator[None]:
    """A disk of its own at a folder; the test is skipped where this user may not mount one."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "filebridge-test", str(folder)]
    is_root = sys.platform == "linux" and os.geteuid() == 0
    if not is_root or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can only be mounted by root, on Linux")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _fill(path: Path) -> None:
    """Write until the disk is full."""
    with path.open("wb", buffering=0) as stream:
        try:
            while stream.write(b"0" * 4096):
                pass
        except OSError:
            return
