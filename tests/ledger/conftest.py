"""A ledger in a folder of its own, and files and calls to write into it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from filebridge.columns import int_array, long_array, pack, text_column
from filebridge.ledger import calls, files, plans
from filebridge.ledger.calls import CallAnswer
from filebridge.ledger.connect import Ledger, open_ledger
from filebridge.ledger.schema import CallState
from filebridge.mapping.mapped import BY_RECORD, MappedFile, RowRuns
from filebridge.outcomes import OUTCOME_CODES, Outcome
from filebridge.planning.plan import Action, Plan, PlannedCall
from filebridge.tables.table import ReadHow


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A new ledger's file: making one for each test takes longer than most tests."""
    path = tmp_path_factory.mktemp("empty") / "ledger.db"
    open_ledger(f"sqlite:///{path}").close()
    return path.read_bytes()


@pytest.fixture
def ledger(url: str, tmp_path: Path, empty_ledger: bytes) -> Iterator[Ledger]:
    (tmp_path / "ledger.db").write_bytes(empty_ledger)
    ledger = open_ledger(url)
    yield ledger
    ledger.close()


def update_block(
    vpcs: Sequence[str], quantities: Sequence[int], records: Sequence[int], **more: Sequence[Any]
) -> bytes:
    """The block of an `update` call; `more` are unit_cost, active (text) and as_of."""
    columns = [("vpc", text_column(vpcs)), ("quantity", int_array(np.array(quantities, dtype=np.int32)))]
    columns += [(name, text_column(more[name])) for name in ("unit_cost", "active") if name in more]
    if "as_of" in more:
        columns.append(("as_of", long_array(np.array(more["as_of"], dtype=np.int64))))
    columns.append(("record", int_array(np.array(records, dtype=np.int32))))
    schema = pa.schema([(name, column.type) for name, column in columns])
    return pack(pa.RecordBatch.from_arrays([column for _, column in columns], schema=schema))


def update_call(
    vpcs: Sequence[str],
    quantities: Sequence[int] | None = None,
    *,
    first_record: int = 0,
    order_at: int = 100,
    rows: int | None = None,
    **more: Sequence[Any],
) -> PlannedCall:
    block = update_block(
        vpcs, quantities or [7] * len(vpcs), range(first_record, first_record + len(vpcs)), **more
    )
    return PlannedCall(
        Action.UPDATE, len(vpcs), len(vpcs) if rows is None else rows, block, order_at=order_at
    )


def runs_by_record(rows: int, first_row: int = 2) -> RowRuns:
    """So many rows, each with the outcome of its own record."""
    numbers = np.arange(rows, dtype=np.int32)
    return RowRuns.of_rows(numbers + first_row, np.full(rows, BY_RECORD, dtype=np.int32), numbers)


def mapped_file(rows: int, **more: Any) -> MappedFile:
    facts: dict[str, Any] = {
        "document": "inventory",
        "fields": ("vpc", "quantity"),
        "headers": ("SKU", "Qty"),
        "how": ReadHow("csv", encoding="utf-8", delimiter=","),
        "rows": rows,
        "records": rows,
        "rejects": 0,
        "runs": runs_by_record(rows),
    }
    return MappedFile(**{**facts, **more})


def _reject_batch(*reasons: tuple[int, str, str, str, str]) -> Any:
    """Reasons as (row, column, code, message, value)."""
    rows, *texts = zip(*reasons, strict=True) if reasons else ((), (), (), (), ())
    columns = [int_array(np.array(rows, dtype=np.int32)), *(text_column(text) for text in texts)]
    return pa.RecordBatch.from_arrays(columns, names=["row", "column", "code", "message", "value"])


@dataclass
class Office:
    """Writes files and answers into a ledger as the program does; remembers the time."""

    ledger: Ledger
    vendor: str = "acme"
    source: random.Random = field(default_factory=lambda: random.Random(1))
    now: int = 1_000

    def claim(self, name: str = "stock.csv", **more: Any) -> str:
        facts: dict[str, Any] = {
            "id": files.new_file_id(self.source),
            "vendor": self.vendor,
            "name": name,
            "name_bytes": name.encode(),
            "sha256": "0" * 64,
            "size": 10,
            "modified_at": self.now,
            "received_at": self.now,
        }
        claim = files.ClaimRow(**{**facts, **more})
        with self.ledger.begin() as connection:
            files.record_claim(connection, claim)
        return claim.id

    def plan(
        self,
        plan: Plan,
        *,
        file_id: str = "",
        mapped: MappedFile | None = None,
        rejects: Any = (),
        **more: Any,
    ) -> str:
        file_id = file_id or self.claim()
        rows = int(plan.runs.lengths.sum())
        facts = {"feed": "inventory", "mapping": "mappings/acme/inventory.yaml", "mapping_sha256": "1" * 64}
        with self.ledger.begin() as connection:
            plans.save_plan(
                connection,
                file_id,
                mapped or mapped_file(rows),
                plan,
                rejects,
                now=self.now,
                **{**facts, **more},
            )
        return file_id

    def deliver(self, file_id: str, state: CallState = CallState.CONFIRMED, answer: str = "") -> list[int]:
        """Send all planned calls of a file, each with this answer; their ids."""
        with self.ledger.begin() as connection:
            ids = [row.id for row in calls.planned(connection, file_id=file_id)]
            calls.mark_sending(connection, ids, self.now)
            calls.record_answers(
                connection, [CallAnswer(call_id, state, self.now, 200, answer) for call_id in ids]
            )
        return ids

    def settle(self, file_id: str) -> None:
        with self.ledger.begin() as connection:
            plans.settle(connection, file_id, self.now)

    def row(self, file_id: str) -> files.FileRow:
        with self.ledger.read() as connection:
            return files.file_row(connection, file_id)


@pytest.fixture
def office(ledger: Ledger) -> Office:
    return Office(ledger)


@pytest.fixture
def runs() -> Callable[[Sequence[Outcome]], RowRuns]:
    """Rows from row 2 on, each with its own end."""

    def make(outcomes: Sequence[Outcome]) -> RowRuns:
        codes = np.array([OUTCOME_CODES[outcome] for outcome in outcomes], dtype=np.int32)
        rows = np.arange(2, len(codes) + 2, dtype=np.int32)
        return RowRuns.of_rows(rows, codes, np.full(len(codes), -1, dtype=np.int32))

    return make


@pytest.fixture
def one_call() -> Callable[[int], Plan]:
    """A plan of so many rows in one call."""

    def make(rows: int) -> Plan:
        return Plan(
            (update_call([f"V{number}" for number in range(rows)]),), runs_by_record(rows), order_at=100
        )

    return make


@pytest.fixture
def two_calls() -> Callable[[int, int], Plan]:
    """A plan of rows in two calls, so many in each."""

    def make(first: int, second: int) -> Plan:
        vpcs = [f"V{number}" for number in range(first + second)]
        both = (update_call(vpcs[:first]), update_call(vpcs[first:], first_record=first))
        return Plan(both, runs_by_record(first + second), order_at=100)

    return make


@pytest.fixture
def make_call() -> Callable[[Sequence[int]], PlannedCall]:
    """A call that carries these records; the VPC of record 7 is V7."""

    def make(records: Sequence[int]) -> PlannedCall:
        block = update_block([f"V{record}" for record in records], [7] * len(records), records)
        return PlannedCall(Action.UPDATE, len(records), len(records), block, order_at=100)

    return make


@pytest.fixture
def by_record() -> Callable[[int], RowRuns]:
    return runs_by_record


@pytest.fixture
def reject_batch() -> Callable[..., Any]:
    return _reject_batch


@pytest.fixture
def zeroing_plan() -> Plan:
    """Two rows in a call, and a call that sets two VPCs of no row to zero."""
    zeroes = PlannedCall(Action.UPDATE, 2, 0, update_block(["X1", "X2"], [0, 0], [-1, -1]), order_at=100)
    return Plan((update_call(["V0", "V1"]), zeroes), runs_by_record(2), order_at=100, zeroed=2)


@pytest.fixture
def block() -> Callable[..., bytes]:
    return update_block


@pytest.fixture
def one() -> Callable[[str, int], PlannedCall]:
    """A call that says one quantity of one VPC, in no row."""

    def make(vpc: str, quantity: int) -> PlannedCall:
        return PlannedCall(Action.UPDATE, 1, 0, update_block([vpc], [quantity], [-1]), order_at=100)

    return make
