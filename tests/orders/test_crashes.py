"""A crash after any recorded step: the next pass ends with the same files and one submission each."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from filebridge import milestones
from filebridge.ledger.schema import OrderFileState, OrderState
from filebridge.sandbox import Fault

STEPS = (
    "orders.fetched",
    "order_file.staged",
    "order_file.recorded",
    "order_file.published",
    "order_file.done_published",
    "order_file.marked_published",
    "order_file.marks_planned",
    "orders.answers_taken",
    "order_file.marked",
)
LAYOUT = (
    "document: purchase-orders\n"
    "columns: {PO: po, Item: vpc, Qty: quantity}\n"
    "write: {one_file_per: po, done_file: true, header: false}\n"
)
CHANGED = [{"po_item_id": 11, "vpc": "00120", "quantity": 5}]


class Crash(BaseException):
    """The process ends here."""


@contextmanager
def crashing(step: str, nth: int) -> Iterator[list[str]]:
    """Raise Crash the n-th time that `step` is reached; the steps that were."""
    seen: list[str] = []

    def watch(reached: str) -> None:
        seen.append(reached)
        if reached == step and seen.count(step) == nth:
            raise Crash

    milestones.observe(watch)
    try:
        yield seen
    finally:
        milestones._observers.remove(watch)


def run_with_crash(one: Any, step: str, nth: int) -> bool:
    """One pass that crashes there; whether it came so far."""
    with crashing(step, nth):
        try:
            one.run()
        except Crash:
            one.restart()
            return True
    return False


def rows_of(files: dict[str, str]) -> Counter[str]:
    return Counter(line for text in files.values() for line in text.splitlines())


@pytest.mark.parametrize(("nth", "vendor_takes_files"), [(1, False), (1, True), (2, True)])
@pytest.mark.parametrize("step", STEPS)
def test_every_po_is_in_one_file_and_marked_once(
    trade: Callable[..., Any], po: Callable[..., Any], step: str, nth: int, vendor_takes_files: bool
) -> None:
    one = trade(po("D1"), po("D2"), layout=LAYOUT)
    crashed = run_with_crash(one, step, nth)
    assert crashed or nth == 2
    got = one.take() if vendor_takes_files else {}
    told = rows_of(got if vendor_takes_files else one.files())
    assert all(told[f"{number},TG-7,1"] for number in ("D1", "D2") if one.status(number) == "submitted")
    one.run()
    files = list(got) + list(one.files())
    assert Counter(files) == Counter(
        f"PO_acme_{number:06d}.csv{end}" for number in (1, 2) for end in ("", ".done")
    )
    rows = rows_of(got) + rows_of(one.files())
    assert rows == Counter(["D1,00120,2", "D1,TG-7,1", "D2,00120,2", "D2,TG-7,1"])
    effects = [effect.key for effect in one.sandbox.state.effects]
    assert sorted(effects) == ["D1", "D2"]
    assert {row.state for row in one.order_files()} == {OrderFileState.MARKED}
    assert {one.order(number).state for number in ("D1", "D2")} == {OrderState.MARKED}
    assert not list((one.outbox / ".filebridge").glob("*.csv"))


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("step", STEPS)
def test_a_change_meanwhile_reaches_the_vendor_in_a_change_file(
    trade: Callable[..., Any], po: Callable[..., Any], step: str, nth: int
) -> None:
    one = trade(po("D1"), layout=LAYOUT)
    one.sandbox.faults.add(Fault("edit_po", action="mark_submitted", when="before", po="D1", items=CHANGED))
    run_with_crash(one, step, nth)
    one.run()
    one.run()
    assert one.files()["PO_acme_000001_rev2.csv"] == "D1,00120,5\r\n"
    assert rows_of(one.files()) == Counter(["D1,00120,2", "D1,TG-7,1", "D1,00120,5"])
    assert [effect.key for effect in one.sandbox.state.effects] == ["D1"]


@pytest.mark.parametrize("step", STEPS)
def test_a_change_after_the_crash_is_told_before_or_with_the_mark(
    trade: Callable[..., Any], po: Callable[..., Any], step: str
) -> None:
    one = trade(po("D1"), layout=LAYOUT)
    run_with_crash(one, step, 1)
    if one.status("D1") == "ready":
        one.sandbox.state.change_po("D1", items=CHANGED)
    one.run()
    newest = list(rows_of({name: text for name, text in one.files().items() if "rev2" in name}))
    assert newest in ([], ["D1,00120,5"])
    if one.sandbox.state.po("D1")["items"] == CHANGED:
        assert "D1,00120,5" in rows_of(one.files())
    assert [effect.key for effect in one.sandbox.state.effects] == ["D1"]
