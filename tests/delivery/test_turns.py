"""Whose turn it is: what becomes of each record of a call about POs."""

import pytest

from filebridge.delivery.refusals import Part
from filebridge.delivery.turns import parts_by_turn
from filebridge.ledger import po_turns
from filebridge.ledger.po_turns import Standing
from filebridge.ledger.schema import CallState
from filebridge.planning.plan import Action

SAID = "the PO was not accepted, so that its ship date was not sent"


@pytest.mark.parametrize(
    ("state", "part"),
    [
        (CallState.CONFIRMED, Part([0])),
        (CallState.REFUSED, Part([0], CallState.SUPERSEDED, SAID)),
        (CallState.DROPPED, Part([0], CallState.SUPERSEDED, SAID)),
        (CallState.HELD, Part([0], CallState.HELD, "invalid po")),
        (CallState.PLANNED, Part([0], stays=True)),
        (CallState.SENDING, Part([0], stays=True)),
        (CallState.UNCERTAIN, Part([0], stays=True)),
        (CallState.WAITING, Part([0], stays=True)),
    ],
)
def test_a_date_goes_as_its_acceptance_went(state, part):
    assert parts_by_turn(["D1"], frozenset(), {"D1": Standing(state, "invalid po")}) == [part]


def test_records_with_one_end_stand_together():
    acceptances = {"D2": Standing(CallState.REFUSED, "no"), "D4": Standing(CallState.CONFIRMED, "")}
    assert parts_by_turn(["D1", "D2", "D3", "D4", "D1"], frozenset({"D3", "D2"}), acceptances) == [
        Part([0, 3, 4]),
        Part([1], CallState.SUPERSEDED, SAID),
        Part([2], stays=True),
    ]


def test_a_date_that_waits_for_another_file_stays_though_its_po_is_accepted():
    accepted = {"D1": Standing(CallState.CONFIRMED, "")}
    assert parts_by_turn(["D1"], frozenset({"D1"}), accepted) == [Part([0], stays=True)]


@pytest.fixture
def two_acceptances(book):
    """A file that accepts D1 and D2, and one whose acceptances say the same and are joined to its call."""
    first = book.plan_pos(book.said.accepted("D1", "D2"))
    second = book.plan_pos(
        book.said.accepted("D1"), book.said.accepted("D2"), book.said.ship_dates("D1", "D2", day=4)
    )
    with book.ledger.begin() as connection:
        connection.exec_driver_sql("UPDATE call SET state='joined', parent_id=1 WHERE id IN (2, 3)")
    return first, second


def standings(book, file_id):
    with book.ledger.read() as connection:
        found = po_turns.standings(connection, file_id, Action.MARK_ACCEPTED)
    return {po: one.state.value for po, one in found.items()}


def test_an_acceptance_that_another_call_carries_stands_as_that_part_of_it_which_is_about_the_po(
    book, two_acceptances
):
    first, second = two_acceptances
    assert standings(book, second) == {"D1": "planned", "D2": "planned"}
    book.add("D1", status="submitted")
    book.add("D2", status="canceled")
    assert book.deliver(file_id=second).states == {CallState.PLANNED: 1}
    book.deliver(file_id=first)
    assert book.states_by_po(first) == {"D1": "confirmed", "D2": "refused"}
    assert standings(book, second) == {"D1": "confirmed", "D2": "refused"}
    assert book.deliver(file_id=second).states == {CallState.CONFIRMED: 1, CallState.SUPERSEDED: 1}
    assert book.sent()[-1] == ["D1"]
