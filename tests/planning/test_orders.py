"""Which POs go into a file now, and which share one."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from filebridge.documents.purchase_orders import PoItem, PurchaseOrder
from filebridge.planning.orders import Candidate, choose, in_files


def candidate(po: str, *, due_at: int = 0, **values: Any) -> Candidate:
    order = PurchaseOrder(po, "ready", due_at, (PoItem(1, "A", 1),), {"po": po, "items": []})
    return replace(Candidate(order, revision="r1"), **values)


def names(group: tuple[Candidate, ...]) -> list[str]:
    return [one.order.po for one in group]


def test_due_is_now_or_past() -> None:
    choice = choose(
        [candidate("past", due_at=9), candidate("now", due_at=10), candidate("later", due_at=11)], now=10
    )
    assert names(choice.new) == ["past", "now"]


def test_what_is_in_a_file_goes_again_only_when_it_changed_and_then_due_or_not() -> None:
    same = candidate("same", exported_revision="r1", number=1)
    other = candidate("other", exported_revision="r0", number=1, due_at=99)
    choice = choose([same, other], now=10)
    assert (names(choice.new), names(choice.changed)) == ([], ["other"])


def test_the_order_is_by_date_submit_then_po() -> None:
    choice = choose([candidate("b", due_at=1), candidate("a", due_at=1), candidate("c")], now=1)
    assert names(choice.new) == ["c", "a", "b"]


def test_changes_share_a_file_where_their_first_file_was_the_same() -> None:
    changed = [candidate("a", base="1.csv"), candidate("b", base="2.csv"), candidate("c", base="1.csv")]
    assert [names(group) for group in in_files(changed, one_file_per="run")] == [["a", "c"], ["b"]]
    assert [names(group) for group in in_files(changed, one_file_per="po")] == [["a"], ["b"], ["c"]]


@given(
    pos=st.lists(st.tuples(st.text(min_size=1), st.integers(0, 20), st.sampled_from(["", "r0", "r1"]))),
    now=st.integers(0, 20),
    per=st.sampled_from(["run", "po"]),
)
def test_each_po_is_chosen_at_most_once_and_is_in_one_file(
    pos: list[tuple[str, int, str]], now: int, per: str
) -> None:
    unique = {po: candidate(po, due_at=due, exported_revision=told) for po, due, told in pos}
    choice = choose(unique.values(), now=now)
    chosen = names(choice.new) + names(choice.changed)
    assert len(chosen) == len(set(chosen))
    for part in (choice.new, choice.changed):
        assert sorted(po for group in in_files(part, one_file_per=per) for po in names(group)) == sorted(
            names(part)
        )
    assert all(one.order.date_submit <= now for one in choice.new)
