"""Words for POs that wait."""

import pytest

from filebridge.clock import SECOND
from filebridge.replies.receipt import HeldPo
from filebridge.replies.waits import close_command, duration, for_what, named, row_words, standing_of


def partial(po: str, message: str = "") -> HeldPo:
    return HeldPo(
        po, "partial_shipment", message or f"PO {po} waits for its other rows: 1 unit of A to come."
    )


def refused(po: str) -> HeldPo:
    message = f"The vendor refuses item 4 of PO {po}. There is no call for that: tell the retailer; nothing is sent."
    return HeldPo(po, "refused_by_vendor", message)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([2], "row 2"),
        ([2, 3], "rows 2, 3"),
        ([2, 3, 4], "rows 2 to 4"),
        ([2, 3, 4, 9], "rows 2 to 4 and 9"),
        ([1, 3, 5, 7, 9, 10], "rows 1, 3, 5, 7 and 2 more"),
        ([1200, 1201, 1202], "rows 1,200 to 1,202"),
    ],
)
def test_rows_are_named_short(rows: list[int], words: str) -> None:
    assert row_words(rows) == words


def test_pos_are_named_each_once_and_beyond_five_counted() -> None:
    assert named(["D1"]) == "D1"
    assert named(["D1", "D2", "D1"]) == "D1 and D2"
    assert named([f"D{number}" for number in range(1, 8)]) == "D1, D2, D3, D4, D5 and 2 more"


def test_what_waits_is_counted_by_what_it_waits_for() -> None:
    assert standing_of([]) == ""
    assert standing_of([partial("D1")]) == "1 PO waits for its other rows"
    assert standing_of([partial("D1"), partial("D2"), refused("D3")]) == (
        "2 POs wait for their other rows, and 1 PO is refused or back-ordered by the vendor"
    )


def test_for_what_a_po_waits_is_said_without_what_is_said_of_all() -> None:
    assert for_what(partial("D1")) == "1 unit of A to come."
    accepted = "PO D1 waits for its other rows: it is accepted as a whole, and 2 units of A to come."
    assert for_what(partial("D1", accepted)) == "2 units of A to come."
    assert for_what(refused("D1")) == "The vendor refuses item 4."
    assert for_what(partial("D1", "The file that it was to go with was given up.")) == (
        "The file that it was to go with was given up."
    )


def test_a_command_can_be_pasted_into_a_shell() -> None:
    assert close_command("D1") == "filebridge orders close D1 --short"
    assert close_command("D 1; rm") == "filebridge orders close 'D 1; rm' --short"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(172_800, "2 days"), (129_600, "36 hours"), (60, "1 minute"), (90, "90 seconds"), (0.5, "0.5 seconds")],
)
def test_a_length_of_time_is_said_as_a_mapping_states_it(seconds: float, words: str) -> None:
    assert duration(round(seconds * SECOND)) == words
