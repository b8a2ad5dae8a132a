"""What `carriers` shows of a vendor's words, and what `carriers learn` writes."""

from __future__ import annotations

import stat
from typing import Any

import pytest

from filebridge.bridge.carriers import DAY, carriers_of, refresh
from filebridge.bridge.desk import open_desk
from filebridge.ledger.connect import open_ledger
from filebridge.ledger.schema import file, row_reject

CARRIERS = """\
# Acme's words
GRD: {class: "UPS Ground"}   # as they print it
2DAY: 5
FDX: {class: "FedEx Ground"}
OLD: 4711
"""


@pytest.fixture
def acme(workspace: Any) -> Any:
    workspace.write("mappings/acme/carriers.yaml", CARRIERS)
    return workspace


def text_of(workspace: Any) -> str:
    path = workspace.folder / "mappings/acme/carriers.yaml"
    return str(path.read_text(encoding="utf-8"))


def reject(workspace: Any, *words: str, column: str = "carrier") -> None:
    """Write down that rows of a shipments file, taken just now, named these carriers."""
    import time

    now = time.time_ns() // 1000
    ledger = open_ledger(f"sqlite:///{workspace.folder}/.filebridge/ledger.db")
    with ledger.begin() as connection:
        named: dict[str, Any] = {"id": "f1", "vendor": "acme", "document": "shipments", "name": "s.csv"}
        named |= {"name_bytes": b"s.csv", "sha256": "", "size": 1, "modified_at": now, "received_at": now}
        connection.execute(file.insert().values(**named, state="done"))
        for row, word in enumerate(words, 2):
            rejected = {"file_id": "f1", "row": row, "number": row, "column": column, "value": word}
            connection.execute(row_reject.insert().values(**rejected, code="not_in_crosswalk", message="?"))
    ledger.close()


def test_each_word_is_shown_with_its_class_and_each_line_that_means_none_is_explained(acme: Any) -> None:
    ended = acme.read("carriers")
    assert ended.code == 0
    assert "GRD" in ended.out
    assert "UPS Ground" in ended.out
    assert 'has the line `"OLD": 4711`, but RetailOps has no ship class of the id "4711".' in ended.out
    assert "with the ids 7 and 113" in ended.out
    assert "--all lists them" in ended.err
    assert "FedEx 2Day" in acme.read("carriers", "--all").out
    (document,) = acme.read("carriers", "--json").json["vendors"]
    assert [(line["word"], line["id"], line["problem"] is None) for line in document["lines"]] == [
        ("GRD", 62, True),
        ("2DAY", 5, True),
        ("FDX", None, False),
        ("OLD", None, False),
    ]
    assert len(document["problems"]) == 2
    assert document["unknown"] == []
    assert {"id": 114, "name": "LTL"} in document["unused"]


def test_the_list_is_asked_for_once_and_again_only_when_told(acme: Any, retailops: Any) -> None:
    action = "Constant.Ship.CarrierClass.fetch"
    assert "not known yet" in acme.read("carriers", "--offline").err
    for options, calls in (([], 1), ([], 1), (["--offline"], 1), (["--refresh"], 2)):
        assert acme.read("carriers", *options).code == 0
        assert len(retailops.calls(action)) == calls
    assert acme.read("carriers", "--offline", "--refresh").code == 2


def test_rejected_words_are_shown_with_the_class_that_is_spelled_most_like_them(acme: Any) -> None:
    assert acme.read("carriers").code == 0
    reject(acme, "UPS NEXT DAY", "UPS NEXT DAY", "grd.", "UPS 2nd day air", "it's odd")
    (document,) = acme.read("carriers", "--json").json["vendors"]
    assert [(word["word"], word["rows"]) for word in document["unknown"]] == [
        ("UPS NEXT DAY", 2),
        ("it's odd", 1),
    ]
    assert document["unknown"][0]["nearest"][0]["name"] == "UPS Next Day Air"
    assert "UPS NEXT DAY" in acme.read("carriers").out
    proposed = acme.read("carriers", "learn")
    assert proposed.out.splitlines()[0] == "filebridge carriers learn 'UPS NEXT DAY' 57 --vendor acme"
    assert "look at each" in proposed.err
    assert acme.read("carriers", "learn", "UPS NEXT DAY", "57", "--vendor", "acme").code == 0
    left = acme.read("carriers", "learn", "--json").json["proposed"]
    assert [word["word"] for word in left] == ["it's odd"]


def test_learn_writes_the_line_and_keeps_the_file_otherwise(acme: Any) -> None:
    path = acme.folder / "mappings/acme/carriers.yaml"
    path.chmod(0o640)
    ended = acme.read("carriers", "learn", "UPS 3 Day", "ups ground")
    assert ended.code == 0
    assert ended.out == 'mappings/acme/carriers.yaml: "UPS 3 Day": {class: "UPS Ground"}\n'
    assert text_of(acme) == CARRIERS + '"UPS 3 Day": {class: "UPS Ground"}\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    again = acme.read("carriers", "learn", "ups-3-day", "60")
    assert again.code == 2
    assert 'has a line for this word already: "UPS 3 Day": {class: "UPS Ground"}' in again.err
    replaced = acme.read("carriers", "learn", "ups-3-day", "113", "--replace", "--json").json
    assert replaced == {
        "vendor": "acme",
        "file": "mappings/acme/carriers.yaml",
        "line": '"UPS 3 Day": 113',
        "id": 113,
        "name": "FedEx Ground",
    }
    assert text_of(acme) == CARRIERS + '"UPS 3 Day": 113\n'
    assert [entry.name for entry in path.parent.iterdir() if entry.name.startswith(".")] == []


def test_learn_makes_the_file_where_there_is_none(workspace: Any) -> None:
    assert workspace.read("carriers", "learn", "GRD", "62").code == 0
    assert text_of(workspace).endswith('"GRD": {class: "UPS Ground"}\n')
    assert workspace.read("carriers", "--json").json["vendors"][0]["lines"][0]["id"] == 62


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["DHL", "FedEx Ground"], "with the ids 7 and 113. Give the id of the one that is meant."),
        (["DHL", "DHL Express"], 'RetailOps has no ship class of the id or name "DHL Express".'),
        (["DHL", "9999"], "RetailOps has no ship class of the id or name"),
        (["DHL"], "CLASS is missing"),
        (["DHL", "62", "--vendor", "acne"], "Did you mean acme?"),
    ],
)
def test_learn_refuses_what_it_would_have_to_guess(acme: Any, arguments: list[str], said: str) -> None:
    ended = acme.read("carriers", "learn", *arguments)
    assert ended.code == 2
    assert said in ended.err
    assert text_of(acme) == CARRIERS


def test_learn_asks_whose_word_it_is(acme: Any) -> None:
    acme.write("mappings/zenith/vendor.yaml", 'vendor_id: "28"\n')
    acme.write("mappings/zenith/carriers.yaml", "")
    ended = acme.read("carriers", "learn", "DHL", "62")
    assert ended.code == 2
    assert "--vendor: acme, zenith" in ended.err


def test_a_vendor_without_use_for_carriers_is_shown_only_when_named(workspace: Any) -> None:
    assert "No vendor has a carriers.yaml" in workspace.read("carriers").err
    assert "has no lines" in workspace.read("carriers", "--vendor", "acme").out


GROUND = {"id": 62, "name": "UPS Ground"}
SECOND = {"id": "5", "name": "FedEx 2Day"}


def test_a_pass_is_told_once_what_a_new_list_makes_of_the_lines(house: Any) -> None:
    state = house.sandbox.state
    state.set_ship_classes([GROUND, SECOND])
    house.pack({"carriers.yaml": "GRD: 62\n2DAY: 5\n"})
    pack = house.workspace.load_pack("acme")
    with open_desk(house.workspace, reader=house.reader, clock=house.clock) as desk:
        assert carriers_of(desk.ledger, pack) is None
        assert refresh(desk, pack) == []
        found = carriers_of(desk.ledger, pack)
        assert found is not None
        assert found.place == "mappings/acme/carriers.yaml"
        assert getattr(found.of_word("grd"), "name", None) == "UPS Ground"

        state.set_ship_classes([{"id": 62, "name": "UPS Surface"}])
        house.clock.move(86_000)
        assert refresh(desk, pack) == []
        house.clock.move(401)
        said = refresh(desk, pack)
        assert [note.code for note in said] == ["ship_class_gone", "ship_class_gone"]
        assert "is now named UPS Surface; it was UPS Ground." in said[0].message
        assert "the ship class FedEx 2Day (id 5) is gone from RetailOps." in said[1].message
        assert refresh(desk, pack, older_than=0) == []

        state.set_ship_classes([])
        (note,) = refresh(desk, pack, older_than=0)
        assert "lists no ship class at all" in note.message
        kept = carriers_of(desk.ledger, pack)
        assert kept is not None
        assert kept.classes


def test_a_pack_without_use_for_classes_asks_for_none_unless_forced(house: Any) -> None:
    house.pack({})
    pack = house.workspace.load_pack("acme")
    with open_desk(house.workspace, reader=house.reader, clock=house.clock) as desk:
        assert refresh(desk, pack, older_than=DAY) == []
        assert carriers_of(desk.ledger, pack) is None
        refresh(desk, pack, forced=True)
        assert carriers_of(desk.ledger, pack) is not None
