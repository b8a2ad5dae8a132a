"""`check` and the ledger: what is wrong with it is said, and nothing is sent without it."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest


def ledger_of(workspace: Any) -> Path:
    return workspace.folder / ".filebridge" / "ledger.db"


def test_check_finds_nothing_wrong_with_a_ledger_that_is_well(traded: Any) -> None:
    ended = traded.read("check", "--offline")
    assert (ended.code, ended.out.splitlines()[-1]) == (0, "All is well.")


@pytest.mark.parametrize("content", [b"", b"not a ledger" * 1000])
def test_check_says_that_the_ledger_is_no_good(traded: Any, content: bytes) -> None:
    ledger_of(traded).write_bytes(content)
    ended = traded.read("check", "--offline")
    assert ended.code == 2 and "All is well." not in ended.out
    assert str(ledger_of(traded)) in ended.out and "check --rebuild" in ended.out
    (problem,) = traded.read("check", "--offline", "--json").json["problems"]
    assert problem["place"] == "ledger"


def test_check_looks_at_every_page(traded: Any) -> None:
    content = bytearray(ledger_of(traded).read_bytes())
    for page in range(8192, len(content), 4096):
        content[page : page + 64] = os.urandom(64)
    ledger_of(traded).write_bytes(content)
    ended = traded.read("check", "--offline")
    assert ended.code == 2 and "is damaged" in ended.out


def test_check_says_that_the_ledger_is_locked(traded: Any) -> None:
    other = sqlite3.connect(ledger_of(traded), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    ended = traded.read("check", "--offline")
    other.close()
    assert ended.code == 2
    assert "is locked by another program" in ended.out and "nothing is lost" in ended.out


def test_check_works_beside_a_running_watch(workspace: Any, wait_until: Any) -> None:
    process = workspace.start("watch")
    wait_until(ledger_of(workspace).exists)
    workspace.drop("inventory-1.csv", "A,1")
    for _ in range(5):
        ended = workspace.read("check", "--offline")
        assert (ended.code, ended.out) == (0, "All is well.\n")
        time.sleep(0.1)
    assert workspace.end(process).code == 0


def test_a_ledger_that_is_gone_stops_the_work(traded: Any, retailops: Any) -> None:
    ledger_of(traded).unlink()
    calls = len(retailops.calls())
    dropped = traded.drop("inventory-9.csv", "00120,5", "0417,42", "W-1,9", "W-2,7")
    for command in ("run", "watch"):
        ended = traded.filebridge(command)
        assert ended.code == 2
        assert "is gone" in ended.err and "check --rebuild" in ended.err
    assert traded.read("status").code == 2
    assert traded.read("check", "--offline").code == 2
    assert len(retailops.calls()) == calls
    assert dropped.exists() and not ledger_of(traded).exists()


def test_a_new_workspace_gets_its_ledger(workspace: Any) -> None:
    assert workspace.read("check", "--offline").code == 0
    assert not ledger_of(workspace).exists()
    assert workspace.filebridge("run").code == 0
    assert ledger_of(workspace).exists()
