"""What is in the inbox is found, whatever becomes of the events that tell of it."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import pytest
from watchdog.observers.api import BaseObserver

UPDATE = "Product.ExternalSku.update"


def test_files_that_lie_there_at_the_start_are_taken(trade: Any, until: Any) -> None:
    trade.settings(scan="20s")
    trade.drop("stock.csv")
    trade.drop("stock.csv", vendor="zeta")
    with trade.watching():
        until(lambda: trade.is_done("stock.csv") and trade.is_done("stock.csv", vendor="zeta"))


def test_an_event_wakes_the_scan_long_before_its_time(trade: Any, until: Any) -> None:
    trade.settings(scan="60s")
    with trade.watching():
        until(lambda: trade.reports)
        trade.drop("stock.csv")
        until(lambda: trade.is_done("stock.csv"), seconds=15)


def test_without_events_the_scan_finds_it(trade: Any, until: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BaseObserver, "queue_event", lambda *_: None, raising=False)
    monkeypatch.setattr(BaseObserver, "dispatch_events", lambda self, queue: queue.get(timeout=1))
    with trade.watching():
        until(lambda: trade.reports)
        trade.drop("stock.csv")
        until(lambda: trade.is_done("stock.csv"))


def test_polling_finds_it(trade: Any, until: Any) -> None:
    trade.settings(poll="true")
    with trade.watching():
        until(lambda: trade.reports)
        trade.drop("stock.csv")
        until(lambda: trade.is_done("stock.csv"))


def test_polling_may_be_chosen_while_it_watches(trade: Any, until: Any) -> None:
    with trade.watching():
        until(lambda: trade.reports)
        trade.settings(poll="true")
        trade.drop("stock.csv")
        until(lambda: trade.is_done("stock.csv"))
        trade.settings(poll="false")
        trade.drop("stock-2.csv", quantity=6)
        until(lambda: trade.is_done("stock-2.csv"))


def test_an_inbox_that_is_replaced_is_watched_on(trade: Any, until: Any) -> None:
    inbox = trade.root / "inbox" / "acme"
    with trade.watching():
        trade.drop("stock-1.csv")
        until(lambda: trade.is_done("stock-1.csv"))
        inbox.rename(inbox.with_name("acme-old"))
        trade.drop("stock-2.csv", quantity=6)
        until(lambda: trade.is_done("stock-2.csv"))


def test_an_inbox_that_is_mounted_over_is_watched_on_and_what_was_below_is_not_lost(
    trade: Any, until: Any
) -> None:
    inbox = trade.root / "inbox" / "acme"
    inbox.mkdir(parents=True)
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "none", str(inbox)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("this machine lets nobody mount")
    subprocess.run(["umount", str(inbox)], check=True)
    with trade.watching():
        trade.drop("stock-1.csv")
        until(lambda: trade.is_done("stock-1.csv"))
        subprocess.run(["mount", "-t", "tmpfs", "none", str(inbox)], check=True)
        try:
            trade.drop("stock-2.csv", quantity=6)
            until(lambda: trade.is_done("stock-2.csv"))
        finally:
            subprocess.run(["umount", "-l", str(inbox)], check=True)
        trade.drop("stock-3.csv", quantity=7)
        until(lambda: trade.is_done("stock-3.csv"))


def test_a_second_copy_refuses_with_4_and_changes_nothing(trade: Any, until: Any) -> None:
    watching = trade.start("watch")
    until((trade.root / ".filebridge" / "lock.holder").exists)
    for command in ("watch", "run"):
        code, _, said = trade.command(command)
        assert code == 4
        assert str(watching.pid) in said
    trade.drop("stock.csv")
    until(lambda: trade.is_done("stock.csv"))
    assert len([call for call in trade.sandbox.calls if call.action == UPDATE]) == 1
