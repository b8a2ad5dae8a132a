"""SIGTERM and Ctrl-C end `run` and `watch` within seconds, and nothing is sent twice unseen."""

from __future__ import annotations

import json
import signal
import time
from typing import Any

import pytest

UPDATE = "Product.ExternalSku.update"
SOON = 7.0
"""Seconds: five, and some for a machine that does other things."""


def end(process: Any, number: int = signal.SIGTERM) -> tuple[int, str, float]:
    """Ask a command to end: its exit code, what it said, and how long that took."""
    began = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=40)
    return process.returncode, out + err, time.monotonic() - began


def states(trade: Any) -> list[str]:
    """How the calls of the workspace stand in its ledger."""
    import sqlite3

    connection = sqlite3.connect(trade.root / ".filebridge" / "ledger.db")
    try:
        return [state for (state,) in connection.execute("SELECT state FROM call ORDER BY id")]
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow)]
)
def test_a_run_whose_call_hangs_ends_within_seconds(trade: Any, number: int, code: int) -> None:
    trade.settings(timeout=60)
    trade.sandbox.faults.add(kind="hold", action=UPDATE)
    trade.drop("stock.csv")
    running = trade.start("run")
    trade.sandbox.wait_until_held(timeout=30)
    ended, said, seconds = end(running, number)
    assert ended == code
    assert "Nothing is lost" in said and "Traceback" not in said
    assert seconds < SOON
    # The call was applied, and its answer lost: it is in doubt, and its value is stated again.
    assert states(trade) == ["uncertain"]
    trade.sandbox.release()
    assert trade.command("run")[0] == 0
    assert trade.is_done("stock.csv")
    bodies = [json.loads(call.body)["records"] for call in trade.calls()]
    assert len(bodies) == 2 and bodies[0] == bodies[1]


def test_a_watch_whose_call_hangs_ends_within_seconds(trade: Any, until: Any) -> None:
    trade.settings(timeout=60)
    trade.sandbox.faults.add(kind="hold", action=UPDATE)
    watching = trade.start("watch")
    trade.drop("stock.csv")
    trade.sandbox.wait_until_held(timeout=30)
    code, said, seconds = end(watching)
    assert code == 0
    assert "Nothing is lost" in said and "Traceback" not in said
    assert seconds < SOON
    trade.sandbox.release()
    assert trade.command("run")[0] == 0
    assert trade.is_done("stock.csv")


def test_a_read_that_hangs_does_not_keep_a_watch_from_ending(trade: Any) -> None:
    trade.settings(timeout=60)
    trade.write(
        "mappings/acme/purchase-orders.yaml", "document: purchase-orders\ncolumns: {PO: po, Item: vpc}\n"
    )
    trade.sandbox.faults.add(kind="slow", action="Vendor.PO.fetch", seconds=50)
    watching = trade.start("watch")
    trade.sandbox.wait_for_calls(1, action="Vendor.PO.fetch", timeout=30)
    code, said, seconds = end(watching)
    assert code == 143
    assert "Nothing is lost" in said and "Traceback" not in said
    assert seconds < SOON


def test_a_call_that_is_answered_in_time_is_counted(trade: Any) -> None:
    trade.sandbox.faults.add(kind="slow", action=UPDATE, seconds=1)
    trade.drop("stock.csv")
    running = trade.start("run")
    trade.sandbox.wait_for_calls(1, action=UPDATE, timeout=30)
    code, _, _ = end(running)
    assert code == 143
    assert states(trade) == ["confirmed"]


def test_an_idle_watch_ends_at_once_with_0(trade: Any, until: Any) -> None:
    watching = trade.start("watch")
    until((trade.root / ".filebridge" / "heartbeat").exists)
    time.sleep(1)
    code, said, seconds = end(watching)
    assert code == 0 and seconds < SOON
    assert "Ended." in said
    assert not (trade.root / ".filebridge" / "heartbeat").exists()
