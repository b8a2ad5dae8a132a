"""The way out as one pass of a workspace: what is said of POs, and how the pass ends."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from filebridge.bridge.desk import Desk, open_desk
from filebridge.bridge.passes import PassReport, run_pass
from filebridge.cli.app import run as command
from filebridge.cli.outcome import as_json, print_lines, rest_of
from filebridge.sandbox import DEFAULT_KEY, Fault, Sandbox, State
from filebridge.workspace import Workspace

Make = Callable[..., Any]
VENDOR = 'vendor_id: "27"\nchanges_after_submit: true\n'
COLUMNS = "columns: {PO: po, Item: vpc, Qty: quantity, To: ship_address.addressee}\n"
LAYOUT = f"document: purchase-orders\nwrite: {{encoding: cp1252, unencodable: hold}}\n{COLUMNS}"


class House:
    """A workspace of one vendor, and the RetailOps that its passes ask."""

    def __init__(self, desk: Desk, sandbox: Sandbox) -> None:
        self.desk = desk
        self.sandbox = sandbox

    def run(self) -> PassReport:
        return run_pass(self.desk, inbound=False)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., House]]:
    """Make the one workspace of a test, with some POs."""
    monkeypatch.setenv("RETAILOPS_API_KEY", DEFAULT_KEY)
    opened: list[Any] = []

    def make(*pos: dict[str, Any], layout: str = LAYOUT) -> House:
        sandbox = Sandbox(State(pos)).start()
        opened.append(sandbox.stop)
        (tmp_path / "mappings" / "acme").mkdir(parents=True)
        (tmp_path / "filebridge.yaml").write_text(
            f"retailops: {{base_url: '{sandbox.url}', attempts: 2}}\n", "utf-8"
        )
        (tmp_path / "mappings" / "acme" / "vendor.yaml").write_text(VENDOR, "utf-8")
        (tmp_path / "mappings" / "acme" / "purchase-orders.yaml").write_text(layout, "utf-8")
        context = open_desk(Workspace.open(tmp_path))
        desk = context.__enter__()
        opened.append(lambda: context.__exit__(None, None, None))
        return House(desk, sandbox)

    yield make
    for close in reversed(opened):
        close()


def unfit(po: Make) -> dict[str, Any]:
    """A PO that no file in cp1252 can hold."""
    found: dict[str, Any] = po("D2", ship_address={"addressee": "王小明"})
    return found


def test_a_po_that_is_held_ends_the_pass_with_1_and_is_named_once(house: Make, po: Make) -> None:
    one = house(po("D1"), unfit(po))
    first = one.run()
    assert first.exit_code == 1
    assert [note.message for note in first.said] == [
        "PO D2, column To: cp1252 has no 王. Write `encoding: utf-8`, or `unencodable: closest`."
    ]
    second = one.run()
    assert (second.exit_code, second.said) == (0, [])


def test_a_po_that_lacks_something_is_named(house: Make, po: Make) -> None:
    report = house(po("D1", items=[])).run()
    assert report.exit_code == 1
    assert [note.message for note in report.said] == ["PO D1 has no items. Ask the retailer."]


def test_a_refused_mark_is_named(house: Make, po: Make) -> None:
    one = house(po("D1"))
    one.sandbox.faults.add(Fault("error", action="mark_submitted", text="PO is locked by an agent"))
    report = one.run()
    assert report.exit_code == 1
    assert ["PO is locked by an agent" in note.message for note in report.said] == [True]


def test_a_po_that_is_cancelled_before_its_mark_or_after_it_is_named(house: Make, po: Make) -> None:
    one = house(po("D1"), po("D2"))
    one.sandbox.faults.add(Fault("cancel_po", action="mark_submitted", when="before", po="D1"))
    first = one.run()
    assert [(note.code, "D1" in note.message) for note in first.said] == [("vanished", True)]
    one.sandbox.state.change_po("D2", fields={"status": "canceled"})
    second = one.run()
    assert [(note.code, "D2" in note.message) for note in second.said] == [("vanished", True)]
    assert (first.exit_code, second.exit_code, one.run().exit_code) == (1, 1, 0)


def test_what_was_held_and_written_before_a_trouble_is_said_all_the_same(house: Make, po: Make) -> None:
    one = house(po("D1"), unfit(po))
    one.run()
    one.sandbox.state.add_pos([po("D3", ship_address={"addressee": "小"}), po("D4")])
    one.sandbox.faults.add(Fault("authn", action="mark_submitted"))
    report = one.run()
    assert report.exit_code == 3
    assert [note.code for note in report.said] == ["unencodable"]
    assert [row.name for row in report.order_files] == ["PO_acme_000002.csv"]


def test_a_fetch_that_fails_midway_loses_no_word_of_what_was_done(house: Make, po: Make) -> None:
    one = house(unfit(po), po("D1"))
    reads = _reads_of_a_pass_until_it_exports(one)
    one.sandbox.faults.add(Fault("html_502", action="fetch", on=reads + 1, times=0))
    report = one.run()
    assert report.exit_code == 3
    assert [note.code for note in report.said] == ["unencodable"]
    assert [row.name for row in report.order_files] == ["PO_acme_000001.csv"]


def _reads_of_a_pass_until_it_exports(one: House) -> int:
    """How many calls one fetch makes of these POs: the number that reading them once takes."""
    pack = one.desk.workspace.load_pack("acme")
    before = len(one.sandbox.calls)
    one.desk.channel(pack).client.fetch_orders("27", ("ready", "submitted", "accepted", "receiving"))
    return len(one.sandbox.calls) - before


def test_a_hostile_po_number_cannot_move_the_cursor(house: Make, po: Make) -> None:
    report = house(po("D\x1b[31m1", items=[])).run()
    assert all("\x1b" not in line for line in rest_of(report))


def test_nobody_is_told_of_marks_that_are_not_made(
    house: Make, po: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    one = house(po("D1"), layout=LAYOUT + "submit: on_submission\n")
    one.run()
    print_lines(one.run())
    assert "marked" not in capsys.readouterr().out
    one.sandbox.state.add_pos([po("D2")])
    print_lines(one.run())
    assert capsys.readouterr().out == "acme/orders/PO_acme_000002.csv: 1 PO, written\n"


def test_orders_says_of_each_po_what_stands_against_it(
    house: Make, po: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    one = house(po("D1"), unfit(po))
    one.run()
    one.sandbox.state.change_po("D1", fields={"status": "canceled"})
    one.run()
    assert command(["-C", str(one.desk.workspace.root), "orders"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "marked submitted: PO D1 is gone from RetailOps since it was marked submitted" in said
    assert "HELD: PO D2, column To: cp1252 has no 王" in said


def test_orders_show_says_what_was_altered_for_the_form(
    house: Make, po: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = f"document: purchase-orders\nwrite: {{encoding: cp1252}}\n{COLUMNS}"
    one = house(po("D1", ship_address={"addressee": "Łucja"}), po("D2"), layout=layout)
    one.run()
    for number, altered in (("D1", 1), ("D2", 0)):
        assert command(["-C", str(one.desk.workspace.root), "orders", "show", number]) == 0
        assert capsys.readouterr().out.count("cp1252 has no Ł, 'L' was written") == altered


def test_orders_fetch_names_what_cannot_be_taken_and_writes_nothing(
    house: Make, po: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    one = house(po("D1", items=[]), po("D2"))
    root = one.desk.workspace.root
    assert command(["-C", str(root), "orders", "fetch"]) == 0
    assert "PO D1 has no items" in capsys.readouterr().err
    assert [path for path in (root / "outbox").rglob("*") if path.is_file()] == []


def test_a_pass_says_how_many_pos_are_marked_and_how_many_are_not(
    house: Make, po: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    one = house(po("D1"), po("D2"))
    one.sandbox.faults.add(Fault("cancel_po", action="mark_submitted", when="before", po="D1"))
    report = one.run()
    print_lines(report)
    assert capsys.readouterr().out == (
        "acme/orders/PO_acme_000001.csv: 2 POs, written; 1 marked submitted, 1 not\n"
    )
    assert as_json(report)["order_files"][0]["pos_marked"] == 1
    one.sandbox.state.add_pos([po("D3")])
    one.sandbox.faults.add(Fault("error", action="mark_submitted", text="locked", times=0))
    print_lines(one.run())
    assert capsys.readouterr().out == "acme/orders/PO_acme_000002.csv: 1 PO, written; none marked submitted\n"


def test_a_refused_key_is_said_in_the_same_words_at_the_fetch_and_at_the_mark(house: Make, po: Make) -> None:
    one = house(po("D1"))
    said = []
    for action in ("mark_submitted", "fetch"):
        one.sandbox.faults.add(Fault("authn", action=action))
        said.append(one.run().troubles["acme"])
    assert said[0] == said[1]
    assert said[0].startswith("RetailOps refused the API key: ")


def test_pos_that_are_gone_are_named_with_what_to_do(
    house: Make, po: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    one = house(po("D1"), po("D2"))
    one.run()
    one.sandbox.state.change_po("D1", fields={"status": "canceled"})
    one.run()
    root = one.desk.workspace.root
    told = "PO D1 is gone from RetailOps since it was marked submitted. - Do not ship it; ask the retailer"
    assert told in " ".join((root / "outbox/acme/STATUS.txt").read_text("utf-8").split())
    assert command(["-C", str(root), "status"]) == 0
    assert "Do not ship it" in " ".join(capsys.readouterr().out.split())
    assert command(["-C", str(root), "status", "--json"]) == 0
    (vendor,) = json.loads(capsys.readouterr().out)["vendors"]
    assert [order["po"] for order in vendor["gone_orders"]] == ["D1"]


@pytest.mark.parametrize(("per", "files"), [("run", 1), ("po", 2)])
def test_pos_of_one_file_are_sent_again_in_one_file_where_files_are_for_a_run(
    house: Make, po: Make, capsys: pytest.CaptureFixture[str], per: str, files: int
) -> None:
    layout = f"document: purchase-orders\nwrite: {{one_file_per: {per}}}\n{COLUMNS}"
    one = house(po("D1"), po("D2"), po("D3"), layout=layout)
    one.run()
    root = one.desk.workspace.root
    assert command(["-C", str(root), "orders", "resend", "D1", "D3", "D1", "--json"]) == 0
    resent = json.loads(capsys.readouterr().out)["resent"]
    assert [(told["po"], told["ok"]) for told in resent] == [("D1", True), ("D3", True)]
    written = list((root / "outbox/acme/orders").glob("*_resend*"))
    assert len(written) == files
    if files == 1:
        text = written[0].read_text("utf-8")
        assert ("D1," in text, "D2," in text, "D3," in text) == (True, False, True)


def test_a_name_that_is_taken_is_no_success_and_said_once(
    house: Make, po: Make, capfd: pytest.CaptureFixture[str]
) -> None:
    one = house(po("D1"))
    one.run()
    root = one.desk.workspace.root
    (root / "outbox/acme/orders/PO_acme_000001_resend1.csv").write_text("not ours", "utf-8")
    assert command(["-C", str(root), "orders", "resend", "D1"]) == 2
    said = capfd.readouterr().err
    assert said.count("PO_acme_000001_resend1.csv") == 1
    assert "is ready, but a file of that name lies in the outbox" in said
    assert "written again" not in said
