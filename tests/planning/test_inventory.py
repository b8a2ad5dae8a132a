"""What is sent of an inventory file, and what is not: told what is known, decided without asking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebridge.clock import SECOND
from filebridge.columns import as_ints, hash_text, int_array, long_array, text_column, unpack
from filebridge.mapping.mapped import BY_RECORD, MappedFile, RowRuns, inventory_schema
from filebridge.mapping.model import Mapping
from filebridge.outcomes import OUTCOME_BY_CODE, OUTCOME_CODES, Outcome
from filebridge.planning.inventory import FileFacts, find, plan_inventory
from filebridge.planning.known import KnownFeed, KnownQuantities, nothing_known
from filebridge.planning.plan import Plan
from filebridge.tables.table import ReadHow

HOUR = 3600 * SECOND
NOW = 1_800_000_000 * SECOND
FILE = FileFacts(sha256="new", received_at=NOW, now=NOW)
SECOND_FILE = KnownFeed(applied_files=1, last_id="f1", last_sha256="old", last_rows=4)


def inventory(**keys: object) -> Mapping:
    return Mapping.model_validate(
        {"document": "inventory", "fields": {"vpc": "SKU", "quantity": "Qty"}, **keys}
    )


def a_file(
    quantities: dict[str, int],
    *,
    rejected: Sequence[str] = (),
    unread: int = 0,
    as_of: list[int] | None = None,
) -> tuple[MappedFile, list[pa.RecordBatch]]:
    """A mapped file: these quantities from row 2 on, then a rejected row for each VPC of `rejected`."""
    fields = ("vpc", "quantity", *(["as_of"] if as_of else []))
    columns = [
        text_column(list(quantities)),
        int_array(np.array(list(quantities.values()), np.int32)),
        *([long_array(np.array(as_of, np.int64))] if as_of else []),
    ]
    count, bad = len(quantities), len(rejected) + unread
    rows = np.arange(2, 2 + count + bad, dtype=np.int32)
    outcomes = np.array([BY_RECORD] * count + [OUTCOME_CODES[Outcome.REJECTED]] * bad, np.int32)
    records = np.array([*range(count), *[-1] * bad], np.int32)
    mapped = MappedFile(
        document="inventory",
        fields=fields,
        headers=("SKU", "Qty"),
        how=ReadHow("csv"),
        rows=count + bad,
        records=count,
        rejects=bad,
        runs=RowRuns.of_rows(rows, outcomes, records),
        keys_unread=unread,
        rejected_keys=tuple(rejected),
    )
    return mapped, [pa.RecordBatch.from_arrays(columns, schema=inventory_schema(fields))]


def known(
    quantities: dict[str, int], *, order_at: int = NOW - HOUR, confirmed_at: int = NOW - HOUR
) -> KnownQuantities:
    vpcs = text_column(list(quantities))
    hashes = hash_text(vpcs)
    order = np.argsort(hashes, kind="stable")
    count = len(quantities)
    return KnownQuantities(
        hashes=hashes[order],
        vpcs=vpcs.take(int_array(order.astype(np.int32))),
        quantities=np.array(list(quantities.values()), np.int32)[order],
        unit_costs=text_column([""] * count),
        actives=text_column([""] * count),
        order_at=np.full(count, order_at, np.int64),
        confirmed_at=np.full(count, confirmed_at, np.int64),
        of_feed=np.ones(count, np.bool_),
        doubtful=np.empty(0, np.uint64),
    )


def planned(
    quantities: dict[str, int],
    *,
    before: KnownQuantities | None = None,
    feed: KnownFeed = SECOND_FILE,
    file: FileFacts = FILE,
    mapping: Mapping | None = None,
    rejected: Sequence[str] = (),
    unread: int = 0,
    as_of: list[int] | None = None,
) -> Plan:
    mapped, batches = a_file(quantities, rejected=rejected, unread=unread, as_of=as_of)
    return plan_inventory(
        mapped, batches, file=file, mapping=mapping or inventory(), known=before or nothing_known(), feed=feed
    )


def sent(plan: Plan) -> dict[str, int]:
    found: dict[str, int] = {}
    for call in plan.calls:
        batch = unpack(call.block)
        found |= dict(
            zip(batch.column("vpc").to_pylist(), as_ints(batch.column("quantity")).tolist(), strict=True)
        )
    return found


def outcomes(plan: Plan) -> dict[int, str]:
    rows, codes, _ = plan.runs.rows()
    words = ["call" if code == BY_RECORD else OUTCOME_BY_CODE[code].value for code in codes]
    return dict(zip(rows.tolist(), words, strict=True))


def test_the_first_file_of_a_feed_is_sent_whole() -> None:
    plan = planned({"A": 1, "B": 0}, feed=KnownFeed())
    assert sent(plan) == {"A": 1, "B": 0}
    assert outcomes(plan) == {2: "call", 3: "call"}


def test_a_thousand_records_make_one_call_and_one_more_makes_two() -> None:
    plan = planned({f"V{number}": number for number in range(1001)}, feed=KnownFeed())
    assert [(call.records, call.rows) for call in plan.calls] == [(1000, 1000), (1, 1)]


def test_only_what_differs_from_the_confirmed_quantity_is_sent() -> None:
    plan = planned({"A": 1, "B": 7, "C": 3}, before=known({"A": 1, "B": 2}))
    assert sent(plan) == {"B": 7, "C": 3}
    assert outcomes(plan) == {2: "unchanged", 3: "call", 4: "call"}


def renewed(plan: Plan) -> list[str]:
    return [vpc for block in plan.renewed for vpc in unpack(block).column("vpc").to_pylist()]


def test_a_value_that_is_given_again_without_a_call_is_written_down_for_its_time() -> None:
    plan = planned({"A": 1, "B": 7}, before=known({"A": 1, "B": 2}), as_of=[NOW - 60, NOW])
    assert renewed(plan) == ["A"]
    assert unpack(plan.renewed[0]).column("as_of").to_pylist() == [NOW - 60]
    older = planned({"A": 1}, before=known({"A": 1}), as_of=[NOW - 2 * HOUR])
    assert renewed(older) == []


def test_a_zero_for_being_absent_that_is_zero_already_is_written_down_too() -> None:
    zeroing = inventory(covers="everything", missing="zero", guard="off")
    plan = planned({"A": 1}, before=known({"A": 1, "B": 0, "C": 3}), mapping=zeroing)
    assert sorted(renewed(plan)) == ["A", "B"]
    assert sent(plan) == {"C": 0}
    keeping = planned(
        {"A": 1}, before=known({"A": 1, "B": 0}), mapping=inventory(covers="everything", guard="off")
    )
    assert renewed(keeping) == ["A"]


def test_a_value_confirmed_longer_ago_than_restate_every_is_stated_again() -> None:
    stale = known({"A": 1}, order_at=NOW - 21 * HOUR, confirmed_at=NOW - 21 * HOUR)
    assert sent(planned({"A": 1}, before=stale)) == {"A": 1}
    assert sent(planned({"A": 1}, before=stale, mapping=inventory(restate_every="2d"))) == {}


def test_send_all_and_force_state_everything_again() -> None:
    assert sent(planned({"A": 1}, before=known({"A": 1}), mapping=inventory(send="all"))) == {"A": 1}
    assert sent(planned({"A": 1}, before=known({"A": 1}), file=replace(FILE, forced=True))) == {"A": 1}


def test_a_value_older_than_the_confirmed_one_is_superseded_and_of_equal_times_the_later_arrival_wins() -> (
    None
):
    newer = known({"A": 9}, order_at=NOW + 1)
    assert outcomes(planned({"A": 1}, before=newer)) == {2: "superseded"}
    assert sent(planned({"A": 1}, before=known({"A": 9}, order_at=NOW))) == {"A": 1}


def test_the_time_of_a_row_decides_for_that_row() -> None:
    before = known({"A": 9, "B": 9}, order_at=NOW - HOUR)
    plan = planned({"A": 1, "B": 2}, before=before, as_of=[NOW - 2 * HOUR, NOW - 60 * SECOND])
    assert outcomes(plan) == {2: "superseded", 3: "call"}


def test_nothing_is_unchanged_while_another_answer_for_its_vpc_is_open() -> None:
    before = known({"A": 1, "B": 2})
    doubtful = hash_text(text_column(["A"]))
    assert sent(planned({"A": 1, "B": 2}, before=replace(before, doubtful=doubtful))) == {"A": 1}


def test_a_vpc_absent_from_a_file_that_covers_everything_keeps_its_quantity_unless_it_is_to_be_zeroed() -> (
    None
):
    before = known({"A": 1, "B": 2, "C": 0, "D": 4, "E": 5})
    given_file = {"A": 1, "D": 4, "E": 5}
    assert sent(planned(given_file, before=before, mapping=inventory(covers="everything"))) == {}
    plan = planned(given_file, before=before, mapping=inventory(covers="everything", missing="zero"))
    assert sent(plan) == {"B": 0}
    assert (plan.zeroed, plan.calls[0].rows) == (1, 0)


def test_a_vpc_whose_row_was_rejected_is_present_and_an_unread_vpc_stops_all_zeroing() -> None:
    zero = inventory(covers="everything", missing="zero")
    before = known({"A": 1, "B": 2, "C": 3, "D": 4})
    assert sent(planned({"A": 1, "C": 3}, before=before, mapping=zero, rejected=["B"])) == {"D": 0}
    plan = planned({"A": 1, "C": 3, "D": 4}, before=before, mapping=zero, unread=1)
    assert sent(plan) == {}
    assert (plan.zeroed, plan.zeroing_refused) == (0, True)


def test_a_file_that_takes_too_many_stocked_vpcs_to_zero_is_held_and_a_person_may_let_it_go() -> None:
    before = known({"A": 1, "B": 2, "C": 3, "D": 0})
    plan = planned({"A": 0, "B": 0, "C": 3, "D": 0}, before=before)
    assert plan.hold and plan.hold.code == "guard"
    assert "2 of the feed's 3 stocked VPCs" in plan.hold.message
    assert (plan.calls, set(outcomes(plan).values())) == ((), {"held"})
    let_go = planned({"A": 0, "B": 0, "C": 3, "D": 0}, before=before, file=replace(FILE, released=True))
    assert sent(let_go) == {"A": 0, "B": 0}


def test_a_file_that_covers_everything_and_lost_half_its_rows_is_held_but_not_the_first_of_its_feed() -> None:
    everything = inventory(covers="everything")
    held = planned({"A": 1}, before=known({"A": 1}), mapping=everything)
    assert held.hold and "1 row, the last one had 4" in held.hold.message
    assert planned({}, mapping=everything).hold
    assert not planned({"A": 1}, mapping=everything, feed=KnownFeed()).hold
    assert not planned({"A": 1}, mapping=inventory()).hold
    assert not planned({"A": 1}, mapping=inventory(covers="everything", guard="off")).hold


def test_a_file_from_the_future_is_held_and_its_bad_rows_stay_rejected() -> None:
    plan = planned({"A": 1}, as_of=[NOW + HOUR], rejected=["B"])
    assert plan.hold and plan.hold.code == "future_date"
    assert outcomes(plan) == {2: "held", 3: "rejected"}
    assert not planned({"A": 1}, as_of=[NOW + 14 * 60 * SECOND]).hold


def test_the_guard_counts_only_what_this_feed_has_set() -> None:
    before = known({"A": 1, "B": 2, "C": 3})
    others = replace(before, of_feed=np.zeros(3, np.bool_))
    assert sent(planned({"A": 0, "B": 0, "C": 0}, before=others)) == {"A": 0, "B": 0, "C": 0}


def test_a_correction_meets_no_guard_counts_as_changes_and_keeps_the_time_of_its_file() -> None:
    before = known({"A": 1, "B": 2, "C": 3, "D": 4}, order_at=NOW - HOUR)
    everything = inventory(covers="everything", missing="zero")
    correction = replace(FILE, correction=True, order_at=NOW - 2 * HOUR)
    assert outcomes(planned({"A": 0}, before=before, mapping=everything, file=correction)) == {
        2: "superseded"
    }
    same_time = replace(FILE, correction=True, order_at=NOW - HOUR)
    plan = planned({"A": 0, "B": 0, "C": 0}, before=before, mapping=everything, file=same_time)
    assert (sent(plan), plan.order_at) == ({"A": 0, "B": 0, "C": 0}, NOW - HOUR)


def test_the_bytes_of_the_last_file_are_a_duplicate_only_if_no_call_results() -> None:
    same = replace(FILE, sha256="old")
    assert planned({"A": 1}, before=known({"A": 1}), file=same).duplicate_of == "f1"
    assert planned({"A": 2}, before=known({"A": 1}), file=same).duplicate_of == ""


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (("SKU", "Qty"), []),
        ((), []),
        (("Qty", "SKU"), ["the columns stand in another order"]),
        (("SKU", "Qty", "Site"), ["gone: Site"]),
        (("SKU", "Stock"), ["gone: Stock; new: Qty"]),
    ],
)
def test_a_header_that_is_not_that_of_the_last_file_is_a_notice(
    before: tuple[str, ...], said: list[str]
) -> None:
    plan = planned({"A": 1}, feed=replace(SECOND_FILE, headers=before, last_rows=0))
    assert [note.code for note in plan.notes] == ["header_changed"] * len(said)
    assert all(text in note.message for note, text in zip(plan.notes, said, strict=True))


@pytest.mark.parametrize(
    ("on_reject", "refused"),
    [
        ("send_good", False),
        ("reject_file", True),
        ({"reject_file_above": "40%"}, True),
        ({"reject_file_above": "50%"}, False),
    ],
)
def test_bad_rows_keep_the_whole_file_back_where_the_mapping_says_so(
    on_reject: object, refused: bool
) -> None:
    plan = planned({"A": 1}, mapping=inventory(on_reject=on_reject), rejected=["B"], feed=KnownFeed())
    assert bool(plan.refused) is refused
    assert set(outcomes(plan).values()) == ({"rejected"} if refused else {"call", "rejected"})


def test_two_vpcs_with_one_hash_are_told_apart() -> None:
    before = known({"A": 1, "B": 2, "C": 3})
    one_hash = replace(before, hashes=np.zeros(3, np.uint64))
    asked = text_column(["C", "X", "A", "B"])
    places, found = find(one_hash, asked, np.zeros(4, np.uint64))
    assert found.tolist() == [True, False, True, True]
    assert before.vpcs.take(int_array(places[found])).to_pylist() == ["C", "A", "B"]


@given(
    st.dictionaries(st.text(max_size=4), st.integers(0, 3), max_size=30),
    st.dictionaries(st.text(max_size=4), st.integers(0, 3), max_size=30),
)
def test_planning_again_after_every_answer_was_a_confirmation_gives_an_empty_plan(
    before: dict[str, int], quantities: dict[str, int]
) -> None:
    zero = inventory(covers="everything", missing="zero", guard="off")
    first = planned(quantities, before=known(before), mapping=zero)
    confirmed = {**before, **sent(first)}
    again = planned(quantities, before=known(confirmed, order_at=NOW, confirmed_at=NOW), mapping=zero)
    assert again.calls == ()
    assert set(outcomes(again).values()) <= {"unchanged"}
    assert sum(plan_rows for plan_rows in first.runs.lengths) == len(quantities)
