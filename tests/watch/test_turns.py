"""Vendors take turns, and the trouble of one stops no other."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from filebridge import schedule
from filebridge.bridge import inbound, intake
from filebridge.bridge.desk import open_desk
from filebridge.bridge.passes import Pace, PassReport, run_pass, work
from filebridge.intake.settle import Settler
from filebridge.ledger import files
from filebridge.workspace import Workspace

UPDATE = "Product.ExternalSku.update"


def test_in_one_pass_vendors_take_turns_and_each_keeps_its_order(trade: Any) -> None:
    workspace = Workspace.open(trade.root, environment={})
    with open_desk(workspace) as desk:
        packs, _ = workspace.load_packs()
        settler = Settler(0)
        for number in range(4):
            for vendor in ("acme", "zeta"):
                trade.drop(f"stock-{number}.csv", vendor=vendor)
            settled = settler.settle(intake.look(desk, packs), monotonic=number)
        settled = settler.settle(intake.look(desk, packs), monotonic=9)
        report = PassReport()
        identifiers = {pack.vendor: intake.identifier(desk, pack) for pack in packs}
        pace = Pace(slice_seconds=0.0)
        work(desk, packs, report, settled=settled, identifiers=identifiers, due=(), pace=pace)
    served = [(file.vendor, file.name) for file in report.files]
    assert sorted(served) == sorted(
        (vendor, f"stock-{number}.csv") for vendor in ("acme", "zeta") for number in range(4)
    )
    for vendor in ("acme", "zeta"):
        names = [name for whose, name in served if whose == vendor]
        assert names == sorted(names)
    # Never more than two of one vendor before the other has one.
    assert all(len({vendor for vendor, _ in served[at : at + 3]}) == 2 for at in range(len(served) - 3))


def test_many_files_of_one_vendor_do_not_hold_up_another(
    trade: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "PASS_SECONDS", 0.5)
    monkeypatch.setattr(schedule, "SLICE_SECONDS", 0.2)
    for number in range(60):
        trade.drop(f"stock-{number:03}.csv", quantity=number)
    with trade.watching():
        until(lambda: trade.done("acme") > 3)
        trade.drop("stock.csv", vendor="zeta")
        until(lambda: trade.is_done("stock.csv", vendor="zeta"))
        assert trade.done("acme") < 60
        until(lambda: trade.done("acme") == 60, seconds=50)
    # In their order, whatever passes they were taken in: the last one counts.
    assert trade.sandbox.state.quantities("27") == {"A-1": 59}


def test_a_call_of_one_vendor_that_hangs_holds_up_another_for_one_time_out(
    trade: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "SLICE_SECONDS", 0.3)
    trade.settings(timeout=2)
    trade.sandbox.faults.add(kind="hold", action=UPDATE)
    with trade.watching():
        trade.drop("stock.csv")
        trade.sandbox.wait_until_held(timeout=20)
        trade.drop("stock.csv", vendor="zeta")
        until(lambda: trade.is_done("stock.csv", vendor="zeta"))
        # One call had no answer, and was not tried again before zeta had its turn.
        assert [call.fault for call in trade.calls()][:2] == ["hold", None]
        until(lambda: trade.is_done("stock.csv"))
    assert any("answer within 2 s" in report.troubles.get("acme", "") for report in trade.reports)


def test_a_large_file_goes_on_in_turns_and_is_answered_once(
    trade: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "SLICE_SECONDS", 0.2)
    trade.settings(more=", concurrency: 1")
    trade.sandbox.faults.add(kind="slow", action=UPDATE, seconds=0.15, times=0)
    rows = "".join(f"A-{number},{number}\n" for number in range(12_000))
    with trade.watching():
        trade.write("inbox/acme/stock.csv", f"SKU,Qty\n{rows}bad row,x\n")
        trade.sandbox.wait_for_calls(3, action=UPDATE, timeout=30)
        trade.drop("stock.csv", vendor="zeta")
        until(lambda: trade.is_done("stock.csv", vendor="zeta"))
        assert trade.status_of("stock.csv") == ""
        until(lambda: trade.status_of("stock.csv"))
    assert trade.status_of("stock.csv") == "accepted_with_rejects"
    assert len(trade.calls()) == 13
    (told,) = (file for report in trade.reports for file in report.files if file.vendor == "acme")
    assert told.needs_a_person


def test_a_bug_in_a_file_of_one_vendor_is_written_down_once_and_all_else_goes_on(
    trade: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound, "process_file", with_a_bug)
    with trade.watching():
        trade.drop("stock-bad.csv")
        until(lambda: "bug" in trade.problems)
        trade.drop("stock-1.csv")
        trade.drop("stock-1.csv", vendor="zeta")
        until(lambda: trade.is_done("stock-1.csv") and trade.is_done("stock-1.csv", vendor="zeta"))
    reports = list((trade.root / ".filebridge" / "logs").glob("filebridge-bug-*"))
    assert len(reports) == 1
    assert "KeyError" in reports[0].read_text(encoding="utf-8")
    assert SECRET not in reports[0].read_text(encoding="utf-8")
    assert sum(report.bugs for report in trade.reports) == 1


def test_a_run_with_a_bug_serves_the_others_and_ends_with_70(
    trade: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound, "process_file", with_a_bug)
    trade.drop("stock-bad.csv")
    trade.drop("stock-1.csv")
    trade.drop("stock-1.csv", vendor="zeta")
    with open_desk(Workspace.open(trade.root, environment={})) as desk:
        report = run_pass(desk)
    assert report.exit_code == 70
    assert trade.is_done("stock-1.csv") and trade.is_done("stock-1.csv", vendor="zeta")
    monkeypatch.undo()
    with open_desk(Workspace.open(trade.root, environment={})) as desk:
        assert run_pass(desk).exit_code == 0
    assert trade.is_done("stock-bad.csv")


def with_a_bug(desk: Any, pack: Any, file_id: str, *given: Any, **how: Any) -> Any:
    """`process_file`, with a bug that one file shows."""
    with desk.ledger.read() as connection:
        name = files.file_row(connection, file_id).name
    if name == "stock-bad.csv":
        raise KeyError(SECRET)
    return _PROCESS_FILE(desk, pack, file_id, *given, **how)


SECRET = "what the file held"
_PROCESS_FILE = inbound.process_file


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_outbox_that_cannot_be_written_stops_no_other_vendor(trade: Any, until: Any) -> None:
    stops_no_other(trade, until, trade.root / "outbox" / "acme" / "replies")


def test_a_file_in_place_of_the_outbox_stops_no_other_vendor(trade: Any, until: Any) -> None:
    folder = trade.root / "outbox" / "acme" / "replies"
    with trade.watching():
        until(folder.is_dir)
        folder.rename(folder.with_name("away"))
        folder.write_text("no folder", encoding="utf-8")
        trade.drop("stock.csv")
        until(lambda: "replies" in trade.problems)
        trade.drop("stock.csv", vendor="zeta")
        until(lambda: trade.is_done("stock.csv", vendor="zeta"))
        folder.unlink()
        folder.with_name("away").rename(folder)
        until(lambda: trade.is_done("stock.csv"))
    assert len(trade.calls()) == 2


def stops_no_other(trade: Any, until: Any, folder: Path) -> None:
    with trade.watching():
        until(folder.is_dir)
        folder.chmod(0o500)
        try:
            trade.drop("stock.csv")
            until(lambda: "replies" in trade.problems)
            trade.drop("stock.csv", vendor="zeta")
            until(lambda: trade.is_done("stock.csv", vendor="zeta"))
        finally:
            folder.chmod(0o755)
        until(lambda: trade.is_done("stock.csv"))


def test_an_inbox_that_is_gone_is_said_and_stops_no_other_vendor(trade: Any, until: Any) -> None:
    inbox = trade.root / "inbox" / "acme"
    with trade.watching():
        until(lambda: trade.reports)
        inbox.rmdir()
        until(lambda: "is not there" in trade.problems)
        trade.drop("stock.csv", vendor="zeta")
        until(lambda: trade.is_done("stock.csv", vendor="zeta"))
        trade.drop("stock.csv")
        until(lambda: trade.is_done("stock.csv"))
        until(lambda: not trade.reports[-1].problems)


def test_a_ledger_that_another_program_locks_is_waited_for(
    trade: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from filebridge.ledger import connect

    monkeypatch.setattr(connect, "BUSY_SECONDS", 0.2)
    monkeypatch.setattr(connect.open_ledger, "__kwdefaults__", {"clock": None, "busy_seconds": 0.2})
    with trade.watching():
        until(lambda: trade.reports)
        locked, let_go = threading.Event(), threading.Event()
        holder = threading.Thread(target=hold, args=(trade.root, locked, let_go))
        holder.start()
        locked.wait(10)
        trade.drop("stock.csv")
        until(lambda: "locked by another program" in trade.problems)
        let_go.set()
        holder.join()
        until(lambda: trade.is_done("stock.csv"))


def hold(root: Path, locked: threading.Event, let_go: threading.Event) -> None:
    """As a viewer of databases does."""
    import sqlite3

    connection = sqlite3.connect(root / ".filebridge" / "ledger.db", isolation_level=None, timeout=10)
    connection.execute("BEGIN EXCLUSIVE")
    locked.set()
    let_go.wait(30)
    connection.execute("COMMIT")
    connection.close()
