"""What goes wrong outside, for real, from the command line: nothing is lost, and the next run goes on."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

STOCK = "SKU,Qty\nA,5\n00120,7\n"
DELIVERED = {"A": 5, "00120": 7}
UPDATE = "/product/externalsku/update~2.json"
PO = {
    "po": "D1",
    "vendor_id": 27,
    "status": "ready",
    "date_submit": "2026-01-20T17:00:00Z",
    "items": [{"po_item_id": 1, "vpc": "A", "quantity": 2}],
}


def test_a_wrong_key_rejects_nothing_and_the_right_one_goes_on(
    office: Callable[..., Any], retailops: Any
) -> None:
    made = office()
    made.write("inbox/acme/stock.csv", STOCK)
    code, _, said = made.run("run", key="not-the-key")
    assert code == 3 and "not-the-key" not in said
    assert made.receipt("stock.csv")["outcomes"] == {"pending": 2}

    assert made.run("run")[0] == 0
    assert (made.receipt("stock.csv")["status"], retailops.quantities()) == ("accepted", DELIVERED)


def test_without_a_network_work_is_kept(office: Callable[..., Any], retailops: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        made = office(base_url=f"'http://127.0.0.1:{taken.getsockname()[1]}'")
        made.write("inbox/acme/stock.csv", STOCK)
        assert made.run("run")[0] == 3
    assert made.receipt("stock.csv")["outcomes"] == {"pending": 2}

    assert office().run("run")[0] == 0
    assert (made.receipt("stock.csv")["status"], retailops.quantities()) == ("accepted", DELIVERED)


def test_a_call_that_timed_out_is_delivered_and_stated_once_more_later(
    office: Callable[..., Any], retailops: Any
) -> None:
    made = office(timeout="1s", deadline="2s", quarantine="3s")
    made.write("inbox/acme/stock.csv", STOCK)
    retailops.ask("faults", {"kind": "timeout_after", "action": "update", "seconds": 4})
    assert made.run("run", "--only", "in")[0] == 0
    assert made.receipt("stock.csv")["outcomes"] == {"delivered": 2}
    assert len(retailops.calls()) == 2

    assert made.run("run", "--only", "in", "--settle")[0] == 0
    bodies = [
        {one["vpc"]: one["quantity"] for one in json.loads(body)["records"]} for _, body in retailops.calls()
    ]
    assert bodies == [DELIVERED] * 3
    assert made.run("run", "--only", "in", "--settle")[0] == 0
    assert len(retailops.calls()) == 3


def test_two_at_once_do_the_work_once(office: Callable[..., Any], retailops: Any) -> None:
    made = office()
    made.write("inbox/acme/stock.csv", STOCK)
    retailops.ask("faults", {"kind": "hold", "action": "update"})
    first = made.start("run")
    while not retailops.ask("state")["held"]:
        assert first.poll() is None, first.communicate()
        time.sleep(0.02)
    code, _, said = made.run("run")
    assert code == 4 and str(first.pid) in said
    assert made.run("status")[0] == 0
    retailops.ask("release", {})
    first.communicate(timeout=60)
    assert first.returncode == 0
    assert [path for path, _ in retailops.calls() if path == UPDATE] == [UPDATE]


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
