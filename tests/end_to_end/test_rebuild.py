"""A ledger that is damaged or gone is rebuilt from the archive and from RetailOps; nothing is done twice."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from filebridge.bridge.rebuild import Rebuilt, rebuild_ledger
from filebridge.errors import LedgerError, RetailOpsUnreachable, UserError
from filebridge.ledger import files, rows
from filebridge.ledger.connect import read_ledger
from filebridge.ledger.files import FileRow
from filebridge.ledger.health import look_over

PACK = {
    "vendor.yaml": 'vendor_id: "27"\ntime_zone: America/Denver\nchanges_after_submit: true\n',
    "inventory.yaml": 'document: inventory\nmatch: ["stock*"]\nfields: {vpc: SKU, quantity: Qty}\n',
    "shipments.yaml": (
        'document: shipments\nmatch: ["ship*"]\n'
        "fields: {po: PO, vpc: Item, quantity: Qty, tracking_number: Tracking, carrier: Ship Via}\n"
    ),
    "acknowledgements.yaml": (
        'document: acknowledgements\nmatch: ["ack*"]\nfields: {po: PO, vpc: Item, quantity: Qty}\n'
    ),
    "purchase-orders.yaml": "document: purchase-orders\ncolumns: {PO: po, Item: vpc, Qty: quantity}\n",
    "carriers.yaml": 'Brown: {class: "UPS Ground"}\n',
}
STOCK = "SKU,Qty\nA,5\n00120,7\n"
SHIPPED = "PO,Item,Qty,Tracking,Ship Via\n"


class Shop:
    """A house that has traded for a day, and what it knew of its files."""

    def __init__(self, house: Any) -> None:
        self.house, self.state = house, house.sandbox.state
        self.ledger: Path = house.workspace.state / "ledger.db"
        house.pack(PACK)

    def has(self, po: str, *, status: str = "ready", **items: int) -> None:
        lines = [
            {"po_item_id": number, "vpc": vpc, "quantity": count}
            for number, (vpc, count) in enumerate(items.items(), 1)
        ]
        date = "2026-11-20T17:00:00Z"
        self.state.add_pos(
            [{"po": po, "vendor_id": 27, "status": status, "date_submit": date, "items": lines}]
        )

    def run(self, **dropped: str) -> Any:
        for name, text in dropped.items():
            self.house.drop(f"{name}.csv", text)
        self.house.clock.move(60)
        return self.house.run()

    def trade(self) -> None:
        """POs out, an acknowledgement, a whole and a part shipment, stock, and bad stock."""
        for po in ("D1", "D2", "D3"):
            self.has(po, A=2, B=1)
        self.run(stock=STOCK)
        self.run(ack="PO,Item,Qty\nD2,A,2\nD2,B,1\n")
        self.run(ship="".join([SHIPPED, "D1,A,2,1Z1,Brown\n", "D1,B,1,1Z1,Brown\n", "D3,A,2,1Z3,Brown\n"]))
        self.ledger.with_name("backup").write_bytes(self.ledger.read_bytes())
        self.run(stock2="SKU,Qty\nA,6\nB,many\n00120,7\n")

    def told(self) -> dict[str, tuple[Any, ...]]:
        """What the ledger says of each file."""
        ledger = read_ledger(self.house.workspace.ledger_url)
        with ledger.read() as connection:
            found = {
                row.id: (
                    *(row.name, row.vendor, row.document, row.feed, row.sha256, row.size, row.received_at),
                    *(row.status, rows.outcomes_of(connection, row.id), row.archived_at, row.name_bytes),
                )
                for row in files.files(connection)
            }
        ledger.close()
        return found

    def file(self, name: str) -> FileRow:
        ledger = read_ledger(self.house.workspace.ledger_url)
        with ledger.read() as connection:
            (found,) = [row for row in files.files(connection) if row.name == name]
        ledger.close()
        return found

    def rebuild(self) -> Rebuilt:
        with self.house.workspace.lock(now=_now(self.house)):
            return rebuild_ledger(self.house.workspace, self.house.clock)

    def order_files(self) -> dict[str, bytes]:
        folder = self.house.root / "outbox/acme/orders"
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    def status(self, po: str) -> str:
        return str(self.state.po(po)["status"])


def _now(house: Any) -> Any:
    from filebridge.clock import from_micros

    return from_micros(house.clock.now())


def lost(shop: Shop) -> None:
    shop.ledger.unlink()


def emptied(shop: Shop) -> None:
    shop.ledger.write_bytes(b"")


def damaged(shop: Shop) -> None:
    content = bytearray(shop.ledger.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page : page + 100] = b"\xff" * 100
    shop.ledger.write_bytes(content)


def put_back(shop: Shop) -> None:
    """A copy of before the last file came is in its place."""
    shop.ledger.write_bytes(shop.ledger.with_name("backup").read_bytes())


@pytest.fixture
def shop(house: Any) -> Shop:
    made = Shop(house)
    made.trade()
    return made


@pytest.mark.parametrize("harm", [lost, emptied, damaged, put_back])
def test_files_are_known_again_as_their_receipts_tell(shop: Shop, harm: Callable[[Shop], None]) -> None:
    before, ship = shop.told(), shop.file("ship.csv").id
    harm(shop)
    was = shop.ledger.read_bytes() if shop.ledger.exists() else None
    with pytest.raises(LedgerError, match="check --rebuild"):
        look_over(shop.ledger, archive=shop.house.workspace.archive)
    done = shop.rebuild()
    assert look_over(shop.ledger)
    after = shop.told()
    assert {one: told for one, told in after.items() if one != ship} == {
        one: told for one, told in before.items() if one != ship
    }
    assert (done.kept_as.read_bytes() if done.kept_as else None) == was
    assert (done.files, done.pos) == (4, {"acme": 3})
    # Of the part of D3 its other rows are gone from memory.
    (again,) = done.to_drop_again
    assert again.startswith(f"acme/ship.csv ({ship}): 1 rows; ")
    assert Path(again.partition("; ")[2]).read_text().startswith(SHIPPED)
    assert {row["row"]: row["code"] for row in shop.house.rows(ship)} == {2: None, 3: None, 4: "discarded"}
    assert sorted(path.name for path in shop.ledger.parent.iterdir() if "rebuilt" in path.name) == []


def test_nothing_is_done_twice_after_a_rebuild(shop: Shop) -> None:
    written, sent = shop.order_files(), len(shop.house.bodies())
    lost(shop)
    done = shop.rebuild()
    assert done.may_come_twice == {} and len(shop.house.bodies()) == sent
    report = shop.run()
    assert (report.files, report.order_files, report.exit_code) == ([], [], 0)
    assert shop.order_files() == written and len(shop.house.bodies()) == sent

    # D1 is complete, D2 accepted: said once more, nothing of it is sent.
    shop.run(ack2="PO,Item,Qty\nD2,A,2\nD2,B,1\n", ship2=f"{SHIPPED}D1,A,2,1Z1,Brown\nD1,B,1,1Z1,Brown\n")
    assert len(shop.house.bodies()) == sent
    # The part of D3 comes again, and then its rest: it is completed once, with all of it.
    shop.run(ship3=f"{SHIPPED}D3,A,2,1Z3,Brown\n")
    shop.run(ship4=f"{SHIPPED}D3,B,1,1Z3,Brown\n")
    assert shop.status("D3") == "complete"
    assert len(shop.house.bodies()) == sent + 1


def test_the_next_inventory_states_everything_again(shop: Shop) -> None:
    lost(shop)
    shop.rebuild()
    shop.run(stock3="SKU,Qty\nA,6\n00120,7\n")
    assert shop.house.receipt("stock3.csv")["outcomes"] == {"delivered": 2}
    assert shop.state.quantities("27") == {"A": 6, "00120": 7}
    shop.run(stock4="SKU,Qty\nA,6\n00120,8\n")
    assert shop.house.receipt("stock4.csv")["outcomes"] == {"delivered": 1, "unchanged": 1}


def test_a_reject_file_that_was_given_out_before_is_taken_back(shop: Shop) -> None:
    corrected = list(csv.DictReader(StringIO(shop.house.replies()["stock2.csv.rejects.csv"].decode())))
    lost(shop)
    shop.rebuild()
    written = StringIO(newline="")
    writer = csv.DictWriter(written, corrected[0])
    writer.writeheader()
    writer.writerows({**row, "Qty": "9"} for row in corrected)
    shop.run(stock2_rejects=written.getvalue())
    assert shop.state.quantities("27")["B"] == 9

    # Once more: that file is known as a correction, and counts for no file of the feed.
    lost(shop)
    shop.rebuild()
    assert shop.file("stock2_rejects.csv").corrects == shop.file("stock2.csv").id


def test_a_po_that_changes_later_gets_its_change_file_and_numbers_go_on(shop: Shop) -> None:
    lost(shop)
    done = shop.rebuild()
    assert done.next_numbers == {"acme": 4}
    shop.state.change_po("D2", items=[{"po_item_id": 1, "vpc": "A", "quantity": 1}])
    shop.has("D9", A=1)
    shop.run()
    names = set(shop.order_files())
    assert "PO_acme_000004.csv" in names
    assert "acme-before-rebuild_rev2.csv" in names
    assert shop.order_files()["acme-before-rebuild_rev2.csv"].splitlines()[1:] == [b"D2,A,1"]


def test_pos_that_may_have_been_in_a_file_are_named(shop: Shop) -> None:
    shop.has("D7", A=1)
    lost(shop)
    assert shop.rebuild().may_come_twice == {"acme": ["D7"]}


def test_a_file_all_of_whose_rows_waited_is_read_again_by_itself(house: Any) -> None:
    shop = Shop(house)
    shop.has("D1", A=2, B=1, status="submitted")
    shop.run(ship=f"{SHIPPED}D1,A,2,1Z1,Brown\n")
    assert house.receipt("ship.csv")["status"] == "held"
    lost(shop)
    done = shop.rebuild()
    assert [one.partition(" ")[0] for one in done.planned_anew] == ["acme/ship.csv"]
    shop.run(ship2=f"{SHIPPED}D1,B,1,1Z1,Brown\n")
    assert shop.status("D1") == "complete"
    assert house.receipt("ship.csv")["outcomes"] == {"delivered": 1}


def test_a_file_that_the_guard_holds_can_still_be_released(shop: Shop) -> None:
    shop.house.pack({**PACK, "inventory.yaml": PACK["inventory.yaml"] + "covers: everything\n"})
    shop.run(stock7="SKU,Qty\nA,0\n00120,0\nB,0\n")
    held = shop.house.receipt("stock7.csv")
    if held["status"] != "held":
        pytest.skip("the guard lets so small a file pass")
    lost(shop)
    shop.rebuild()
    assert shop.file("stock7.csv").hold_code == held["held_for"]["code"]
    shop.house.decide("release", held["file"]["id"])
    shop.run()
    assert shop.state.quantities("27")["A"] == 0


def test_copies_of_files_that_were_under_way_are_put_aside(shop: Shop) -> None:
    copy = shop.house.workspace.work / "fbcdfghjkm" / "stock9.csv"
    copy.parent.mkdir()
    copy.write_text(STOCK)
    lost(shop)
    (aside,) = shop.rebuild().unfinished
    shop.run()
    assert Path(aside).read_text() == STOCK


def test_without_retailops_all_stays_as_it_is(shop: Shop) -> None:
    damaged(shop)
    before = shop.ledger.read_bytes()
    shop.house.sandbox.stop()
    with pytest.raises(RetailOpsUnreachable):
        shop.rebuild()
    assert shop.ledger.read_bytes() == before
    assert sorted(path.name for path in shop.ledger.parent.iterdir() if "rebuil" in path.name) == []


def test_a_ledger_that_is_well_is_not_rebuilt(shop: Shop) -> None:
    before = shop.ledger.read_bytes()
    with pytest.raises(UserError, match="is in order"):
        shop.rebuild()
    assert shop.ledger.read_bytes() == before


def test_where_there_was_none_nothing_is_rebuilt(house: Any) -> None:
    shop = Shop(house)
    with pytest.raises(UserError, match="nothing to be rebuilt"):
        shop.rebuild()
    assert not shop.ledger.exists()


def test_a_rebuild_that_was_stopped_is_made_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each rename: afterwards there is a ledger, or a refusal, and the next rebuild makes one."""
    real = Path.rename
    made: list[str] = []
    last = [0]

    def stopped(path: Path, target: Path) -> Path:
        made.append(path.name)
        if len(made) == last[0]:
            raise KeyboardInterrupt
        return real(path, target)

    for last[0] in range(1, 7):
        damaged(shop)
        made.clear()
        monkeypatch.setattr(Path, "rename", stopped)
        try:
            shop.rebuild()
        except KeyboardInterrupt:
            monkeypatch.setattr(Path, "rename", real)
            with pytest.raises(LedgerError):
                shop.run()
            shop.rebuild()
        monkeypatch.setattr(Path, "rename", real)
        assert len(shop.told()) == 4
    assert len(made) < last[0]
    kept = shop.ledger.parent.glob("ledger.db.before-rebuild-*")
    assert len(list(kept)) >= 6


def test_the_command_says_what_it_could_not_know(office: Callable[..., Any], retailops: Any) -> None:
    made = office()
    made.write("inbox/acme/stock.csv", STOCK)
    assert made.run("run")[0] == 0
    ledger = made.root / ".filebridge/ledger.db"
    ledger.write_bytes(ledger.read_bytes()[:5000])
    code, _, said = made.run("run")
    assert code == 2 and "is damaged" in said
    code, out, _ = made.run("check", "--rebuild")
    assert code == 0
    assert "It knows 1 files from the archive" in out and "state all of theirs again" in out
    assert "ledger.db.before-rebuild-" in out
    assert made.run("check")[1] == "All is well.\n"
    code, out, _ = made.run("check", "--rebuild")
    assert code == 2
    assert made.run("run")[0] == 0
    assert json.loads(made.run("files", "--json")[1])["files"][0]["status"] == "accepted"
