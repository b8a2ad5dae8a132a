"""Rules across rows, against the same rules said row by row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebridge.columns import Batch, int_array, text_column
from filebridge.documents import groups
from filebridge.documents.adding import TotalRule
from filebridge.documents.inventory import Duplicates, InventoryRows
from filebridge.documents.settled import PASSED_OVER, REJECTED, Refusal

SCHEMA = pa.schema([("vpc", pa.string()), ("quantity", pa.int32()), ("unit_cost", pa.string())])


class Row(NamedTuple):
    vpc: str
    quantity: int
    unit_cost: str


Fate = tuple[str, Row | None]
"""What a row ends as: sent with a record, rejected, passed over."""


def batch_of(rows: list[Row]) -> Batch:
    return pa.RecordBatch.from_arrays(
        [
            text_column([row.vpc for row in rows]),
            int_array(np.array([row.quantity for row in rows], dtype=np.int32)),
            text_column([row.unit_cost for row in rows]),
        ],
        schema=SCHEMA,
    )


def finish(total: int) -> int | tuple[str, str]:
    return total if total < 1000 else ("out_of_range", f"{total} is too large.")


def settled(
    rows: list[Row], duplicates: Duplicates, rejected: Iterable[str] = (), size: int = 3
) -> list[Fate]:
    """What each row ends as, by columns."""
    gathered = InventoryRows(duplicates, TotalRule(finish, True) if duplicates == "sum" else None)
    batches = [batch_of(rows[first : first + size]) for first in range(0, len(rows), size)]
    for batch in batches:
        gathered.add(batch)
    keys = list(rejected)
    gathered.refuse(keys, [100] * len(keys))
    refusals: list[Refusal] = []
    found = gathered.settle(
        rows_of=lambda: np.arange(2, len(rows) + 2, dtype=np.int32),
        reread=lambda: iter(batches),
        refuse=refusals.extend,
    )
    if found.fates is None:
        assert not refusals
        return [("sent", row) for row in rows]
    assert found.records is not None
    records = [Row(**record) for batch in found.records() for record in batch.to_pylist()]
    refused = [refusal.record for refusal in refusals]
    assert sorted(refused) == np.flatnonzero(found.fates == REJECTED).tolist()
    assert all(refusal.vpc == rows[refusal.record].vpc for refusal in refusals)
    assert set(found.fates[found.fates >= 0].tolist()) == set(range(len(records)))
    names = {REJECTED: "rejected", PASSED_OVER: "passed over"}
    return [(names[fate], None) if fate < 0 else ("sent", records[fate]) for fate in found.fates.tolist()]


def by_hand(rows: list[Row], duplicates: Duplicates, rejected: Iterable[str] = ()) -> list[Fate]:
    """What each row ends as, said row by row."""
    fates: list[Fate] = []
    for row in rows:
        same = [other for other in rows if other.vpc == row.vpc]
        smallest = min(other.quantity for other in same)
        of_smallest = {other for other in same if other.quantity == smallest}
        if duplicates == "sum":
            total = sum(other.quantity for other in same)
            bad = row.vpc in rejected or len({other.unit_cost for other in same}) > 1
            bad = bad or (len(same) > 1 and not isinstance(finish(total), int))
            fates.append(("rejected", None) if bad else ("sent", row._replace(quantity=total)))
        elif duplicates == "reject":
            fates.append(("rejected", None) if len(set(same)) > 1 else ("sent", row))
        elif duplicates == "last":
            fates.append(("sent", row) if row == same[-1] else ("passed over", None))
        elif len(of_smallest) > 1:
            fates.append(("rejected", None))
        else:
            fates.append(("sent", row) if row in of_smallest else ("passed over", None))
    return fates


some_rows = st.lists(
    st.builds(
        Row,
        vpc=st.sampled_from(["A", "a", "B", "Ä", "00", "0"]),
        quantity=st.sampled_from([0, 1, 2, 600]),
        unit_cost=st.sampled_from(["", "", "1.5"]),
    ),
    max_size=10,
)


@pytest.mark.parametrize("duplicates", ["reject", "last", "min", "sum"])
@given(rows=some_rows, rejected=st.sets(st.sampled_from(["A", "B", "Z"])), size=st.integers(1, 4))
def test_rows_of_one_vpc_end_as_the_rules_say(
    duplicates: Duplicates, rows: list[Row], rejected: set[str], size: int
) -> None:
    assert settled(rows, duplicates, rejected, size) == by_hand(rows, duplicates, rejected)


@pytest.mark.parametrize("duplicates", ["reject", "last", "min", "sum"])
def test_a_file_taken_in_parts_ends_as_one_taken_whole(
    duplicates: Duplicates, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [Row(str(number * 7 % 50), number % 3, "") for number in range(200)]
    whole = settled(rows, duplicates, {"7"}, size=30)
    monkeypatch.setattr(groups, "_RECORDS_OF_A_PART", 20)
    monkeypatch.setattr(groups, "_AT_A_TIME", 2)
    assert settled(rows, duplicates, {"7"}, size=30) == whole == by_hand(rows, duplicates, {"7"})


@given(rows=some_rows)
def test_the_order_of_rows_matters_under_last_alone(rows: list[Row]) -> None:
    for duplicates in ("reject", "min", "sum"):
        forth: list[Any] = settled(rows, duplicates)
        back: list[Any] = settled(rows[::-1], duplicates)
        assert forth == back[::-1]


def test_vpcs_that_differ_in_case_are_counted_and_a_few_are_named() -> None:
    rows = [Row(name, 1, "") for number in range(5) for name in (f"x{number}", f"X{number}")]
    gathered = InventoryRows("reject")
    gathered.add(batch_of(rows))
    found = gathered.settle(
        rows_of=lambda: np.arange(10, dtype=np.int32), reread=lambda: iter([batch_of(rows)]), refuse=list
    )
    (note,) = found.notes
    assert note.message == (
        "VPCs that differ only in upper and lower case count as different: x0 and X0, x1 and X1, x2 and X2, and 2 more."
    )
