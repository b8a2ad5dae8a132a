from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filebridge.columns import NO_INSTANT, Hashes, TextColumn, hash_text, pack, text_column, unpack
from filebridge.ledger import calls, fold
from filebridge.ledger.calls import CallAnswer
from filebridge.ledger.quantities import known_quantities, newest_of, restatement, retire, stale_records
from filebridge.ledger.schema import CallState
from filebridge.mapping.mapped import RowRuns
from filebridge.planning.known import KnownQuantities
from filebridge.planning.plan import Action, Plan, PlannedCall

NO_ROWS = RowRuns(*(np.empty(0, dtype=np.int32),) * 4)


def weak_hash(column: TextColumn) -> Hashes:
    """Three hashes for all the texts there are, in three ranges."""
    return (hash_text(column) % np.uint64(3)) << np.uint64(61)


@dataclass(frozen=True)
class Told:
    """What is known of a VPC, as a plain tuple to compare."""

    quantity: int
    unit_cost: str
    active: str
    order_at: int
    confirmed_at: int
    of_feed: bool
    arrival: int


def as_dict(known: KnownQuantities) -> dict[str, Told]:
    columns = (
        known.quantities.tolist(),
        known.unit_costs.to_pylist(),
        known.actives.to_pylist(),
        known.order_at.tolist(),
        known.confirmed_at.tolist(),
        known.of_feed.tolist(),
        known.arrivals.tolist(),
    )
    vpcs = known.vpcs.to_pylist()
    assert len(set(vpcs)) == len(vpcs)
    return {vpc: Told(*facts) for vpc, *facts in zip(vpcs, *columns, strict=True)}


@dataclass(frozen=True)
class Statement:
    """A call in a story: what it says of which VPC, and the columns that it has."""

    values: dict[str, tuple[int, str, str, int]]
    has: frozenset[str]
    order_at: int
    arrival: int
    feed: str
    state: CallState


statements = st.builds(
    Statement,
    values=st.dictionaries(
        st.sampled_from(["A", "B", "C", "D", "a", "", "VPC-0000000000000000017", "Ä"]),
        st.tuples(
            st.integers(0, 5),
            st.sampled_from(["", "1.5"]),
            st.sampled_from(["", "0", "1"]),
            st.integers(-1, 4),
        ),
        min_size=1,
    ),
    has=st.frozensets(st.sampled_from(["unit_cost", "active", "as_of"])),
    order_at=st.integers(0, 4),
    arrival=st.integers(1, 3),
    feed=st.sampled_from(["nord", "sued"]),
    state=st.sampled_from([CallState.CONFIRMED] * 4 + [CallState.REFUSED, CallState.UNCERTAIN]),
)


def block_of(statement: Statement, block: Callable[..., bytes]) -> bytes:
    values = statement.values.values()
    more: dict[str, list[Any]] = {
        "unit_cost": [cost for _, cost, _, _ in values],
        "active": [active for _, _, active, _ in values],
        "as_of": [NO_INSTANT if as_of < 0 else as_of for *_, as_of in values],
    }
    columns = {name: column for name, column in more.items() if name in statement.has}
    return block([*statement.values], [quantity for quantity, *_ in values], range(len(values)), **columns)


def write(office: Any, told: list[Statement], block: Callable[..., bytes], *, after: int = 0) -> None:
    """Write calls into the ledger: into an empty one, or after so many earlier ones."""
    with office.ledger.begin() as connection:
        if not after:
            connection.exec_driver_sql("DELETE FROM call_block")
            connection.exec_driver_sql("DELETE FROM call")
        for number, statement in enumerate(told, start=after):
            planned = PlannedCall(
                Action.UPDATE,
                len(statement.values),
                0,
                block_of(statement, block),
                order_at=statement.order_at,
            )
            calls.add_calls(
                connection, [planned], vendor="acme", feed=statement.feed, arrival=statement.arrival, now=0
            )
            call_id = connection.exec_driver_sql("SELECT last_insert_rowid()").scalar_one()
            calls.mark_sending(connection, [call_id], 0)
            calls.record_answers(connection, [CallAnswer(call_id, statement.state, 100 + number)])


def naive(told: list[Statement], feed: str) -> dict[str, Told]:
    """The same by a dictionary: each thing that was said of a VPC, the newest of each kind."""
    said: dict[str, list[tuple[tuple[int, int, int], int, str, str, str]]] = {}
    for number, statement in enumerate(told):
        if statement.state is not CallState.CONFIRMED:
            continue
        for vpc, (quantity, cost, active, as_of) in statement.values.items():
            time = as_of if "as_of" in statement.has and as_of >= 0 else statement.order_at
            said.setdefault(vpc, []).append(
                (
                    (time, statement.arrival, number),
                    quantity,
                    cost if "unit_cost" in statement.has else "",
                    active if "active" in statement.has else "",
                    statement.feed,
                )
            )
    known = {}
    for vpc, facts in said.items():
        facts.sort(key=lambda fact: fact[0])
        (time, arrival, number), quantity, *_ = facts[-1]
        known[vpc] = Told(
            quantity,
            next((cost for _, _, cost, _, _ in reversed(facts) if cost), ""),
            next((active for _, _, _, active, _ in reversed(facts) if active), ""),
            time,
            100 + number,
            any(fact[4] == feed for fact in facts),
            arrival,
        )
    return known


class TestTheFold:
    @pytest.mark.parametrize("hash_of", [hash_text, weak_hash], ids=["usual", "weak"])
    @given(told=st.lists(statements, max_size=8))
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_is_what_a_dictionary_would_say(
        self, office: Any, block: Any, hash_of: Any, told: list[Statement]
    ) -> None:
        write(office, told, block)
        with office.ledger.read() as connection:
            known = known_quantities(connection, "acme", "nord", hash_of=hash_of)
            others = known_quantities(connection, "zenith", "nord", hash_of=hash_of)
            some = newest_of(connection, "acme", text_column(["A", "nobody", "Ä", "A"]), hash_of=hash_of)
        expected = naive(told, "nord")
        assert as_dict(known) == expected
        assert (np.sort(known.hashes) == known.hashes).all()
        assert (known.hashes == hash_of(known.vpcs)).all()
        doubted = {vpc for one in told if one.state is CallState.UNCERTAIN for vpc in one.values}
        assert set(known.doubtful.tolist()) == set(hash_of(text_column([*doubted])).tolist())
        assert len(others) == 0
        assert {vpc: fact.quantity for vpc, fact in as_dict(some).items()} == {
            vpc: fact.quantity for vpc, fact in expected.items() if vpc in ("A", "Ä")
        }

    @pytest.mark.parametrize("hash_of", [hash_text, weak_hash], ids=["usual", "weak"])
    @given(told=st.lists(statements, max_size=8), at_once=st.integers(1, 9))
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_comes_to_the_same_in_small_parts(
        self, block: Any, hash_of: Any, told: list[Statement], at_once: int
    ) -> None:
        confirmed = [
            fold.ConfirmedCall(
                number, one.order_at, one.arrival, 100 + number, one.feed == "nord", block_of(one, block)
            )
            for number, one in enumerate(told)
        ]
        nothing = np.empty(0, dtype=np.uint64)
        whole, parts = (
            as_dict(fold.fold(confirmed, doubtful=nothing, hash_of=hash_of, **how))
            for how in ({}, {"at_once": at_once})
        )
        assert parts == whole

    @given(
        told=st.lists(statements, max_size=8), cut=st.integers(0, 8), feed=st.sampled_from(["nord", "sued"])
    )
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_stays_the_same_without_the_calls_that_decide_nothing_any_more(
        self, office: Any, block: Any, told: list[Statement], cut: int, feed: str
    ) -> None:
        write(office, told[:cut], block)
        with office.ledger.begin() as connection:
            retire(connection, known_quantities(connection, "acme", feed))
        write(office, told[cut:], block, after=cut)
        with office.ledger.read() as connection:
            for asked in ("nord", "sued"):
                assert as_dict(known_quantities(connection, "acme", asked)) == naive(told, asked)

    def test_passes_over_the_nights_before_the_last(self, office: Any, one: Any) -> None:
        for night in range(5):
            with office.ledger.begin() as connection:
                known = known_quantities(connection, "acme", "inventory")
                retired = retire(connection, known)
            assert retired == (1 if night > 1 else 0)
            office.deliver(office.plan(Plan((one("V", night),), NO_ROWS)))
        with office.ledger.read() as connection:
            assert as_dict(known_quantities(connection, "acme", "inventory"))["V"].quantity == 4

    def test_of_equal_times_the_later_arrival_wins_though_it_was_sent_first(
        self, office: Any, one: Any
    ) -> None:
        held, later = office.claim(), office.claim()
        for file_id, quantity in ((later, 5), (held, 9)):
            office.plan(Plan((one("V", quantity),), NO_ROWS), file_id=file_id)
            office.deliver(file_id)
        with office.ledger.read() as connection:
            known = as_dict(known_quantities(connection, "acme", "inventory"))
        assert (known["V"].quantity, known["V"].arrival) == (5, 2)


class TestRenewal:
    """A value that a file gives again needs no call, and yet no older file may beat it."""

    def renew(self, office: Any, vpc: str, at: int) -> str:
        vpcs = pa.RecordBatch.from_arrays([text_column([vpc])], schema=pa.schema([("vpc", pa.string())]))
        file_id: str = office.plan(Plan((), NO_ROWS, order_at=at, renewed=(pack(vpcs),)))
        return file_id

    def test_is_the_time_of_a_value_and_not_its_confirmation(self, office: Any, one: Any) -> None:
        office.deliver(office.plan(Plan((one("A", 5),), NO_ROWS)))
        with office.ledger.read() as connection:
            before = as_dict(known_quantities(connection, "acme", "inventory"))["A"]
        self.renew(office, "A", before.order_at + 10)
        self.renew(office, "nobody", before.order_at + 10)
        with office.ledger.read() as connection:
            after = as_dict(known_quantities(connection, "acme", "inventory"))
        assert after == {"A": replace(before, order_at=before.order_at + 10, arrival=before.arrival + 1)}

    def test_loses_against_a_later_call(self, office: Any, one: Any) -> None:
        self.renew(office, "A", -1)
        office.deliver(office.plan(Plan((one("A", 5),), NO_ROWS)))
        with office.ledger.read() as connection:
            assert as_dict(known_quantities(connection, "acme", "inventory"))["A"].order_at >= 0

    def test_is_dropped_once_it_decides_nothing_any_more(self, office: Any, one: Any) -> None:
        office.deliver(office.plan(Plan((one("A", 5),), NO_ROWS)))
        first, second = self.renew(office, "A", 1_000), self.renew(office, "A", 2_000)
        with office.ledger.begin() as connection:
            known = known_quantities(connection, "acme", "inventory")
            assert known.spent_renewals == (first,)
            retire(connection, known)
            kept = connection.exec_driver_sql("SELECT file_id FROM renewal").scalars().all()
        assert kept == [second]


class TestDoubt:
    def test_is_of_vpcs_in_calls_of_other_files_without_an_answer(self, office: Any, one: Any) -> None:
        own, other, done = (office.plan(Plan((one(vpc, 1),), NO_ROWS)) for vpc in ("A", "B", "C"))
        office.deliver(other, CallState.UNCERTAIN)
        office.deliver(done, CallState.REFUSED)
        with office.ledger.read() as connection:
            without_own = known_quantities(connection, "acme", "inventory", but_file=own)
            all_of_them = known_quantities(connection, "acme", "inventory")
        assert without_own.doubtful.tolist() == hash_text(text_column(["B"])).tolist()
        assert all_of_them.doubtful.tolist() == sorted(hash_text(text_column(["A", "B"])).tolist())


class TestRestatement:
    def test_carries_the_newest_values_and_changes_nothing_but_when_they_were_confirmed(
        self, office: Any, block: Any
    ) -> None:
        first = PlannedCall(
            Action.UPDATE, 2, 0, block(["A", "B"], [1, 2], [0, 1], unit_cost=["3", ""]), order_at=10
        )
        second = PlannedCall(Action.UPDATE, 1, 0, block(["A"], [7], [0]), order_at=20)
        files = [office.plan(Plan((call,), NO_ROWS)) for call in (first, second)]
        uncertain, _ = [office.deliver(file_id)[0] for file_id in files]
        with office.ledger.begin() as connection:
            before = as_dict(known_quantities(connection, "acme", "inventory"))
            call = restatement(newest_of(connection, "acme", text_column(["A", "B"])))
            restated = calls.add_restatement(connection, uncertain, call, now=2_000)
            calls.mark_sending(connection, [restated], 2_000)
            calls.record_answers(connection, [CallAnswer(restated, CallState.CONFIRMED, 2_001)])
            after = as_dict(known_quantities(connection, "acme", "inventory"))
        batch = unpack(call.block)
        stated = dict(zip(batch.column("vpc").to_pylist(), batch.column("quantity").to_pylist(), strict=True))
        assert stated == {"A": 7, "B": 2}
        assert (call.records, call.rows) == (2, 0)
        values = ("quantity", "unit_cost", "active", "order_at", "of_feed")
        for vpc in ("A", "B"):
            assert [getattr(after[vpc], name) for name in values] == [
                getattr(before[vpc], name) for name in values
            ]
        assert after["B"].confirmed_at == 2_001

    def test_does_not_beat_a_value_of_the_same_time_that_arrived_later(self, office: Any, one: Any) -> None:
        early, late = (office.plan(Plan((one("V", quantity),), NO_ROWS)) for quantity in (1, 2))
        (first,) = office.deliver(early)
        with office.ledger.begin() as connection:
            call = restatement(newest_of(connection, "acme", text_column(["V"])))
            restated = calls.add_restatement(connection, first, call, now=2_000)
        office.deliver(late)
        with office.ledger.begin() as connection:
            calls.mark_sending(connection, [restated], 2_000)
            calls.record_answers(connection, [CallAnswer(restated, CallState.CONFIRMED, 2_001)])
            assert as_dict(known_quantities(connection, "acme", "inventory"))["V"].quantity == 2


class TestStaleRecords:
    def test_are_those_that_are_older_than_what_was_confirmed(self, office: Any, block: Any) -> None:
        told = PlannedCall(Action.UPDATE, 3, 0, block(["A", "B", "C"], [1, 2, 3], [0, 1, 2]), order_at=50)
        file_id = office.plan(Plan((told,), NO_ROWS))
        office.deliver(file_id)
        batch = unpack(block(["A", "B", "C", "D"], [0] * 4, range(4), as_of=[49, 50, NO_INSTANT, 1]))
        arrival = office.row(file_id).seq
        with office.ledger.read() as connection:
            known = known_quantities(connection, "acme", "inventory")
            nothing = known_quantities(connection, "zenith", "inventory")
        assert stale_records(known, batch, 51, arrival=arrival).tolist() == [True, False, False, False]
        assert stale_records(known, batch, 51, arrival=arrival - 1).tolist() == [True, True, False, False]
        assert stale_records(nothing, batch, 51, arrival=arrival).tolist() == [False] * 4
