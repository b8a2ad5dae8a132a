"""`status` shows life while a watch is at work on something long, and an idle watch costs next to nothing."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from filebridge.workspace.heartbeat import beating, last_beat

UPDATE = "Product.ExternalSku.update"


def test_a_watch_in_a_long_call_shows_life(trade: Any, until: Any) -> None:
    trade.settings(timeout=60)
    trade.sandbox.faults.add(kind="hold", action=UPDATE)
    watching = trade.start("watch")
    trade.drop("stock.csv")
    trade.sandbox.wait_until_held(timeout=30)
    # As if the turn had begun long ago: what the ledger has of it is old.
    age_the_beat_in_the_ledger(trade.root)
    shown = json.loads(trade.command("status", "--json")[1])
    assert shown["watching"] is True
    assert "FileBridge is watching" in trade.command("status")[1]
    watching.kill()
    watching.communicate()
    heart = trade.root / ".filebridge" / "heartbeat"
    an_hour_ago = time.time() - 3600
    os.utime(heart, (an_hour_ago, an_hour_ago))
    assert json.loads(trade.command("status", "--json")[1])["watching"] is False


def age_the_beat_in_the_ledger(root: Path) -> None:
    import sqlite3

    connection = sqlite3.connect(root / ".filebridge" / "ledger.db", timeout=20)
    with connection:
        connection.execute("UPDATE pass SET beat_at = beat_at - 3600000000")
    connection.close()


def test_the_heart_beats_for_as_long_as_the_block_runs(tmp_path: Path) -> None:
    with beating(tmp_path, by="watch 1", every=0.02):
        first = wait_for_beat(tmp_path, after=0)
        assert wait_for_beat(tmp_path, after=first) > first
        assert last_beat(tmp_path, by="watch 2") is None
    assert last_beat(tmp_path, by="watch 1") is None


def test_the_beat_of_another_pass_is_replaced_and_a_folder_that_is_gone_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "heartbeat").write_text("watch 1", encoding="utf-8")
    with beating(tmp_path, by="watch 2", every=0.02):
        wait_for_beat(tmp_path, after=0)
    with beating(tmp_path / "gone", by="watch 2", every=0.02):
        time.sleep(0.05)


def wait_for_beat(folder: Path, *, after: int) -> int:
    name = "watch 2" if (folder / "heartbeat").exists() and "2" in (folder / "heartbeat").read_text() else ""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for by in filter(None, (name, "watch 1", "watch 2")):
            seen = last_beat(folder, by=by)
            if seen is not None and seen > after:
                return seen
        time.sleep(0.01)
    raise AssertionError("no beat")


@pytest.mark.slow
def test_an_idle_watch_costs_next_to_nothing(trade: Any, until: Any) -> None:
    trade.settings(scan="10s")
    watching = trade.start("watch")
    until((trade.root / ".filebridge" / "heartbeat").exists)
    time.sleep(5)
    before = cpu_seconds(watching.pid)
    time.sleep(20)
    used = cpu_seconds(watching.pid) - before
    assert used / 20 < 0.03, f"{used:.2f} s of CPU in 20 s"


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
