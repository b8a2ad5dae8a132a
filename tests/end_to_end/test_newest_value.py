"""Of a VPC the newest value stands, and only what RetailOps confirmed counts as known."""

from __future__ import annotations

from typing import Any

from filebridge.sandbox.faults import Fault

PACK = {"inventory.yaml": 'document: inventory\nmatch: ["stock*"]\nfields: {vpc: SKU, quantity: Qty}\n'}


def test_corrected_rows_do_not_beat_what_a_newer_file_said_meanwhile(house: Any) -> None:
    house.pack(PACK)
    house.drop("stock-1.csv", "SKU,Qty\nA,1\nB,many\nC,many\n")
    house.run()
    [name] = [name for name in house.replies() if name.endswith(".rejects.csv")]
    reject_file = house.replies()[name]
    house.clock.move(60)
    house.drop("stock-2.csv", "SKU,Qty\nB,7\n")
    house.run()
    house.clock.move(60)
    house.drop(name, reject_file.replace(b"many", b"4"))
    [file] = house.run().files
    assert file.outcomes == {"superseded": 1, "delivered": 1}
    assert house.sandbox.state.quantities("27") == {"A": 1, "B": 7, "C": 4}


def test_a_value_whose_answer_is_owed_is_not_known_yet(house: Any) -> None:
    house.pack(PACK)
    house.sandbox.faults.add(Fault("drop_before", action="update", times=2))
    house.drop("stock-1.csv", "SKU,Qty\nA,5\n")
    house.drop("stock-2.csv", "SKU,Qty\nA,5\n")
    first, second = house.run().files
    assert (first.outcomes, second.outcomes) == ({"uncertain": 1}, {"pending": 1})
    house.clock.move(60)
    house.run()
    assert house.receipt("stock-2.csv")["outcomes"] == {"delivered": 1}
    assert house.sandbox.state.quantities("27") == {"A": 5}
