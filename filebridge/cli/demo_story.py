"""The scenes of `demo`, in order. What a scene says of results it has looked up; where that differs, it fails."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from filebridge.cli import demo_scene, report
from filebridge.cli.demo_scene import VENDOR, VENDOR_ID
from filebridge.cli.demo_telling import Telling
from filebridge.cli.surroundings import current
from filebridge.replies.wording import count_of

_STOCK: Final = ("inventory.csv", "warehouse/stock.xlsx")
_AM, _PM, _LATE = "shipped-am.csv", "shipped-pm.csv", "shipped-late.csv"


def _stock_and_orders(told: Telling) -> None:
    from filebridge.cli.render import sentence

    demo_scene.drop_stock(told.root)
    told.scene(
        "Acme drops its stock, and its purchase orders come back",
        "In its inbox lie a stock list, a workbook of the other warehouse, and a file that nobody knows.",
    )
    done = told.run(ends_with=1)
    told.say(told.headline("warehouse/stock.xlsx"))
    told.points(told.reasons("warehouse/stock.xlsx"))
    for one in done.waiting:
        told.say(f"{one.name} stays in the inbox. {sentence(one.message)}")
    told.show(_order_file(told), lines=3)
    delivered = sum(told.ends(name).get("delivered", 0) for name in _STOCK)
    quantities = told.sandbox.state.quantities(VENDOR_ID)
    pos = _pos(told)
    told.claim(
        "RetailOps has the stock of {}, and knows that {} were taken.",
        (count_of(len(quantities), "product"), _count(told, pos, "submitted")),
        (count_of(delivered, "product"), count_of(demo_scene.ORDERS, "order")),
    )


def _accepted(told: Telling) -> None:
    pos = _pos(told)
    path = demo_scene.drop_accepted(told.root, pos, now=datetime.now(UTC))
    told.scene("Acme accepts the orders, and says when they will ship")
    told.show(path)
    said = {row["PO"]: datetime.strptime(row["Ships On"], "%m/%d/%Y").date() for row in _rows(path)}
    told.run(ends_with=0)
    told.show_orders(*pos)
    known = [told.po(po) for po in pos]
    agreed = [
        po["po"]
        for po in known
        if po["status"] == "accepted" and po.get("estimated_ship_date", "")[:10] == f"{said[po['po']]}"
    ]
    told.claim(
        "It has {} as accepted, each with the date that Acme gave.",
        count_of(len(agreed), "order"),
        count_of(len(said), "order"),
    )


def _first_shipments(told: Telling) -> None:
    done, partial, damaged, *_ = pos = _pos(told)
    path = demo_scene.drop_first_shipments(told.root, pos)
    told.scene("The first parcels leave: half of one order is missing, one row is damaged")
    told.show(path)
    told.run(ends_with=1)
    told.say(told.headline(_AM))
    told.points(told.reasons(_AM))
    held = told.receipt(_AM)["held_for"] or {}
    told.expect("It is held for {}.", held.get("code"), "partial_shipment")
    told.claim("{} waits:", count_of(told.ends(_AM).get("held", 0), "row"), "1 row")
    told.points([held["message"]])
    told.expect("Its rows: {}.", told.ends(_AM), {"delivered": 1, "rejected": 2, "held": 1})
    told.show_orders(done, partial, damaged)
    told.claim(
        "{} is complete; of the other two RetailOps was told {}.",
        (_count(told, pos, "complete"), _times(told.completions(partial)[0] + told.completions(damaged)[0])),
        ("1 order", "nothing"),
    )


def _corrected(told: Telling) -> None:
    damaged = _pos(told)[2]
    reject_file = told.replies(f"{_AM}.rejects.csv")
    told.expect(
        "There is {} in the outbox.", "a reject file" if reject_file.exists() else "none", "a reject file"
    )
    path = demo_scene.drop_corrected(told.root, reject_file)
    told.scene(
        "The damaged row is corrected in the reject file, and that is dropped back",
        f"The reject file in outbox/acme/replies/ has the rows of {damaged}, and why. The clerk enters",
        "the tracking number again.",
    )
    told.show(path)
    told.run(ends_with=0)
    told.show_orders(damaged)
    told.claim(
        f"{damaged} is {{}}: all {{}} of the reject file are delivered.",
        (told.po(damaged)["status"], count_of(told.ends(path.name).get("delivered", 0), "row")),
        ("complete", "2 rows"),
    )


def _rest_shipped(told: Telling) -> None:
    _, partial, _, other, _ = pos = _pos(told)
    path = demo_scene.drop_later_shipments(told.root, pos)
    told.scene("The rest leaves: the order that waited is finished")
    told.show(path)
    told.run(ends_with=0)
    told.show_orders(partial, other)
    calls, effects = told.completions(partial)
    told.claim(
        f"{partial} came in two files. RetailOps got {{}} with both parcels, and completed it {{}}.",
        (count_of(calls, "call"), _times(effects)),
        ("1 call", "once"),
    )
    told.expect(f"{{}} of {partial} are there.", len(told.po(partial)["packages"]), 2)
    told.expect("Its rows: {}.", told.ends(_PM), {"delivered": 3})
    told.claim(
        f"The row of {_AM} that waited has its end too; its receipt now says: {{}}.",
        told.ends(_AM),
        {"delivered": 2, "rejected": 2},
    )


def _lost_answer(told: Telling) -> None:
    last = _pos(told)[4]
    path = demo_scene.drop_last_shipment(told.root, _pos(told))
    told.scene(
        "The line breaks while an order is completed",
        "RetailOps does what it is told, but its answer is lost, and nothing gets through any more.",
    )
    told.show(path)
    told.sandbox.faults.add(kind="drop_after", action="complete")
    told.sandbox.faults.add(kind="drop_before", times=0)
    done = told.run(ends_with=3)
    told.points(done.troubles.values())
    told.say(told.headline(_LATE))
    told.claim(f"RetailOps has {last} as {{}}; FileBridge cannot know.", told.po(last)["status"], "complete")
    told.expect("Its rows: {}.", told.ends(_LATE), {"uncertain": 1})
    told.say("The line is mended. FileBridge sends nothing again before it has looked:")
    told.sandbox.faults.clear()
    told.run(ends_with=0)
    told.say(told.headline(_LATE))
    told.expect("Its rows: {}.", told.ends(_LATE), {"delivered": 1})
    calls, effects = told.completions(last)
    told.claim(
        f"RetailOps got {{}} to complete {last}, and completed it {{}}.",
        (count_of(calls, "call"), _times(effects)),
        ("1 call", "once"),
    )


def _all_zero(told: Telling) -> None:
    from filebridge.bridge.decisions import decide

    path = demo_scene.drop_all_zero(told.root)
    told.scene("Acme's system has lost its figures: every product at zero")
    (file, *_) = told.run(ends_with=1).files
    held = told.receipt(path.name)["held_for"] or {}
    told.points([held.get("message", "")])
    told.claim(
        "Nothing of it is sent ({}) until a person has looked. It is right:",
        told.ends(path.name),
        {"held": 11},
    )
    decided = decide(told.workspace(), "release", file.file_id, clock=current().clock)
    told.command(f"release {file.file_id}", [decided.result])
    told.run(ends_with=0)
    told.expect("Its rows: {}.", told.ends(path.name), {"delivered": 9, "unchanged": 2})


def _where_to_look(told: Telling) -> None:
    told.scene("Where to look")
    archived = sorted((told.root / "archive").rglob("*.receipt.json"))
    receipts = [json.loads(path.read_bytes()) for path in archived]
    rows = sum(receipt["file"]["rows"] for receipt in receipts)
    ends = sum(sum(receipt["outcomes"].values()) for receipt in receipts)
    told.claim(
        f"{count_of(len(receipts), 'file')} came in with {count_of(rows, 'row')}; their receipts tell the end of {{}}.",
        count_of(ends, "row"),
        count_of(rows, "row"),
    )
    told.claim(
        "RetailOps has {} as complete.",
        _count(told, _pos(told), "complete"),
        count_of(demo_scene.ORDERS, "order"),
    )
    told.say(f"Everything is in {told.root}, which stays there until you delete it:")
    told.print(
        "  outbox/acme/orders/      the purchase orders",
        "  outbox/acme/replies/     receipts and reject files: what the vendor is told",
        "  outbox/acme/STATUS.txt   how things stand, for who has only this folder",
        "  archive/                 every original, with its replies",
        "Try next:",
    )
    shown = f"show {told.receipt(_AM)['file']['id']}"
    told.print(*(f"  {report.program()} -C {told.root} {words}" for words in ("status", "orders", shown)))


SCENES: Final[tuple[Callable[[Telling], None], ...]] = (
    _stock_and_orders,
    _accepted,
    _first_shipments,
    _corrected,
    _rest_shipped,
    _lost_answer,
    _all_zero,
    _where_to_look,
)


def _order_file(told: Telling) -> Path:
    """The one file of purchase orders."""
    found = sorted((told.root / "outbox" / VENDOR / "orders").glob("*.csv"))
    told.expect("There is {} of orders.", count_of(len(found), "file"), "1 file")
    return found[0]


def _pos(told: Telling) -> list[str]:
    """The numbers of the orders, as the vendor finds them in its file."""
    return list(dict.fromkeys(row["PO Number"] for row in _rows(_order_file(told))))


def _count(told: Telling, pos: list[str], status: str) -> str:
    """How many of some POs have a status at RetailOps, in words."""
    return count_of(sum(told.po(po)["status"] == status for po in pos), "order")


def _times(count: int) -> str:
    return {0: "nothing", 1: "once"}.get(count, f"{count:,} times")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
