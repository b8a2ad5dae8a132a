"""The inventory protocol, searched exhaustively (FAILURES 3.6).

Three files of one VPC, of rising age keys, arrive in any of the six orders, each at any moment. Up to three
crashes at any step; two calls whose answer is lost, applied, not applied or landing later, but within the
quarantine. A call is journalled before it is sent; a crash in between loses its answer. A value whose call was
lost is sent again unless a newer one was confirmed meanwhile; and after the quarantine the newest confirmed
value is stated once more. Limits: one VPC, one feed; nothing lands after the quarantine.

Wrong is: OLDER BEATS NEWER (confirmed values go back in time), WRONG STOCK (all is at rest, and RetailOps does
not hold the value of the newest file).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import Any, NamedTuple

import pytest

CRASHES, LOST_ANSWERS = 3, 2


class World(NamedTuple):
    """RetailOps, the inbox, the ledger, and where the process is. A value is the age key of its file, 0 none."""

    arriving: tuple[int, ...]
    inbox: tuple[int, ...] = ()
    stock: int = 0
    late: int | None = None
    confirmed: int = 0
    went_back: bool = False
    call: int = 0
    state: str = "-"
    restating: bool = False
    doubtful: bool = False
    at: str = "rest"
    crashes: int = CRASHES
    lost: int = LOST_ANSWERS


Steps = Iterator[tuple[str, World]]


@dataclass(frozen=True)
class Protocol:
    """The protocol as built; each switch makes it one of the known-bad variants."""

    no_restatement: bool = False
    by_arrival: bool = False

    def world(self, w: World) -> Steps:
        if w.arriving:
            file = w.arriving[0]
            yield f"file {file} arrives", w._replace(arriving=w.arriving[1:], inbox=(*w.inbox, file))
        if w.late is not None:
            yield "late call lands", w._replace(stock=w.late, late=None)
        if w.crashes and w.at != "rest":
            yield "crash", w._replace(at="rest", crashes=w.crashes - 1)

    def process(self, w: World) -> Steps:
        yield from getattr(self, f"at_{w.at}")(w)

    def at_rest(self, w: World) -> Steps:
        if w.inbox or w.state != "-" or (w.doubtful and not self.no_restatement):
            yield "start", w._replace(at="recover")

    def at_recover(self, w: World) -> Steps:
        if w.state == "sending":
            yield "answer lost", w._replace(state="uncertain", doubtful=True)
        else:
            yield "recovered", w._replace(at="work")

    def at_work(self, w: World) -> Steps:
        """One call is open at a time for a VPC: it is settled before the next file is planned."""
        if w.state in ("planned", "uncertain"):
            if w.confirmed > w.call and not self.by_arrival:
                yield "superseded", w._replace(state="-", call=0, restating=False)
            else:
                yield "journal", w._replace(state="sending", at="send")
        elif w.inbox:
            yield from self.plan(w)
        elif w.doubtful and not self.no_restatement and w.late is None:
            # The quarantine is over: whatever was to land has landed.
            yield "restate", w._replace(call=w.confirmed, state="planned", restating=True, doubtful=False)
        else:
            yield "done", w._replace(at="rest")

    def plan(self, w: World) -> Steps:
        file, rest = w.inbox[0], w.inbox[1:]
        if file <= w.confirmed and not self.by_arrival:
            yield f"file {file} is superseded", w._replace(inbox=rest)
        else:
            yield f"plan file {file}", w._replace(inbox=rest, call=file, state="planned", restating=False)

    def at_send(self, w: World) -> Steps:
        went_back = w.went_back or w.call < w.confirmed
        answered = w._replace(
            confirmed=w.call, call=0, state="-", restating=False, went_back=went_back, at="work"
        )
        yield "confirmed", answered._replace(stock=w.call)
        if w.lost:
            open_call = w._replace(state="uncertain", doubtful=True, lost=w.lost - 1, at="work")
            yield "lost", open_call
            yield "applied, answer lost", open_call._replace(stock=w.call)
            if w.late is None:
                yield "will land late", open_call._replace(late=w.call)
        if w.crashes:
            yield "crash after it was applied", w._replace(stock=w.call, at="rest", crashes=w.crashes - 1)
            if w.late is None:
                yield "crash, and it lands late", w._replace(late=w.call, at="rest", crashes=w.crashes - 1)

    def steps(self, w: World) -> Steps:
        yield from self.process(w)
        yield from self.world(w)

    def fair(self, w: World) -> Steps:
        """No more faults: files arrive, answers come, what is late lands, nothing crashes."""
        for label, world in self.steps(w):
            if world.lost == w.lost and world.crashes == w.crashes:
                yield label, world

    def judge(self, w: World) -> str:
        is_at_rest = not any(True for _ in self.process(w)) and not w.arriving and w.late is None
        if is_at_rest and w.stock != 3:
            return "WRONG STOCK"
        return "OLDER BEATS NEWER" if w.went_back else ""


ORDERS = list(permutations((1, 2, 3)))


@pytest.mark.parametrize("arriving", ORDERS)
def test_the_stock_ends_as_the_newest_file_says_whatever_happens(
    search: Callable[..., Any], arriving: tuple[int, ...]
) -> None:
    protocol = Protocol()
    found = search(World(arriving), protocol.steps, protocol.judge, protocol.fair)
    assert found.violations == {}
    assert found.states > 1_000


def test_without_the_closing_restatement_a_late_call_leaves_the_wrong_stock(
    search: Callable[..., Any],
) -> None:
    protocol = Protocol(no_restatement=True)
    found = search(World((1, 2, 3)), protocol.steps, protocol.judge)
    assert "WRONG STOCK" in found.violations


def test_in_order_of_arrival_an_older_file_beats_a_newer_one(search: Callable[..., Any]) -> None:
    protocol = Protocol(by_arrival=True)
    found = search(World((3, 1, 2), crashes=0, lost=0), protocol.steps, protocol.judge)
    assert {"OLDER BEATS NEWER", "WRONG STOCK"} <= found.violations.keys()
