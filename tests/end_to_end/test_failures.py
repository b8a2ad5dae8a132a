"""What goes wrong outside, for real, from the command line: nothing is lost, and the next run goes on."""

from __future__ import annotations

import json
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

STOCK = "SKU,Qty\nA,5\n00120,7\n"
DELIVERED = {"A": 5, "00120": 7}
UPDATE = "/product/externalsku/update~2.json"


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


def test_a_ledger_that_another_program_locks_for_a_while_is_waited_for(
    office: Callable[..., Any], retailops: Any
) -> None:
    made = office()
    assert made.run("run")[0] == 0
    made.write("inbox/acme/stock.csv", STOCK)
    with _locked(made) as other:
        process = made.start("run")
        time.sleep(3)
        assert process.poll() is None
        other.execute("ROLLBACK")
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert (made.receipt("stock.csv")["status"], retailops.quantities()) == ("accepted", DELIVERED)


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_a_ledger_that_stays_locked_is_a_sentence_and_nothing_is_lost(
    office: Callable[..., Any], retailops: Any
) -> None:
    made = office(quarantine="1s")
    assert made.run("run")[0] == 0
    made.write("inbox/acme/stock.csv", STOCK)
    with _locked(made):
        code, _, said = made.run("run")
    assert code == 2 and "is locked by another program" in said and "nothing is lost" in said
    assert (made.root / "inbox/acme/stock.csv").exists() and retailops.quantities() == {}

    # Locked while a call is on its way: its answer cannot be written down, so that its values are stated again.
    retailops.ask("faults", {"kind": "hold", "action": "update"})
    process = made.start("run")
    while not retailops.ask("state")["held"]:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    with _locked(made):
        retailops.ask("release", {})
        _, said = process.communicate(timeout=90)
    assert process.returncode == 2 and "is locked by another program" in said
    assert made.run("run", "--settle")[0] == 0
    assert made.receipt("stock.csv")["outcomes"] == {"delivered": 2}
    assert retailops.quantities() == DELIVERED


@contextmanager
def _locked(made: Any) -> Iterator[sqlite3.Connection]:
    """Another program that has the ledger for itself, as a viewer or a backup may."""
    other = sqlite3.connect(made.root / ".filebridge/ledger.db", isolation_level=None, timeout=30)
    try:
        other.execute("BEGIN EXCLUSIVE")
        yield other
    finally:
        other.close()
