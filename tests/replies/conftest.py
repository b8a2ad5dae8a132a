"""A ledger with files in it, and an outbox for their replies."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from filebridge.columns import int_array, pack, text_column
from filebridge.ledger.calls import CallAnswer, calls_of, mark_sending, record_answers
from filebridge.ledger.connect import Ledger, open_ledger
from filebridge.ledger.files import ClaimRow, record_claim
from filebridge.ledger.plans import save_plan, save_refusal, settle
from filebridge.ledger.schema import CallState
from filebridge.mapping.mapped import BY_RECORD, REJECTS_SCHEMA, MappedFile, RowRuns
from filebridge.outcomes import OUTCOME_CODES, Outcome
from filebridge.planning.plan import Action, Hold, Plan, PlannedCall
from filebridge.rejects import Note, Reject
from filebridge.replies.publish import WrittenReplies, write_replies
from filebridge.tables.open import open_table
from filebridge.tables.table import ReadOptions, Table, read_again

DETECT = ReadOptions()
RECEIVED = 1_795_500_000_000_000
"""2026-11-24T06:00:00Z."""


@dataclass
class House:
    """A vendor's outbox, its ledger and its archive."""

    folder: Path
    ledger: Ledger
    now: int = RECEIVED

    @property
    def outbox(self) -> Path:
        return self.folder / "outbox" / "acme"

    @property
    def replies(self) -> Path:
        return self.outbox / "replies"

    def archived(self, file_id: str) -> Path:
        return self.folder / "archive" / file_id

    def claim(self, file_id: str, name: str, content: bytes) -> None:
        self.archived(file_id).parent.mkdir(parents=True, exist_ok=True)
        self.archived(file_id).write_bytes(content)
        claim = ClaimRow(
            id=file_id,
            vendor="acme",
            name=name,
            name_bytes=name.encode("utf-8", "surrogateescape"),
            sha256=sha256(content).hexdigest(),
            size=len(content),
            modified_at=self.now,
            received_at=self.now,
        )
        with self.ledger.begin() as connection:
            record_claim(connection, claim)

    def file(
        self,
        file_id: str,
        name: str,
        content: bytes,
        rejects: Iterable[Reject] = (),
        *,
        options: ReadOptions = DETECT,
        deliver: bool = True,
        hold: Hold | None = None,
        refused: tuple[str, str] | None = None,
        notes: tuple[Note, ...] = (),
        duplicate_of: str = "",
        zeroed: int = 0,
        corrects: str = "",
        table: Table | None = None,
    ) -> None:
        """Claim, plan and settle a file: rows without a reason are delivered by one call, or unchanged."""
        self.claim(file_id, name, content)
        found = list(rejects)
        if table is None:
            with self.archived(file_id).open("rb") as stream:
                mapped = self._mapped(open_table(stream, name=name, options=options), found, notes)
        else:
            mapped = self._mapped(table, found, notes)
        plan = self._plan(mapped, deliver=deliver, hold=hold, refused=refused)
        plan = replace(plan, duplicate_of=duplicate_of, zeroed=zeroed)
        with self.ledger.begin() as connection:
            save_plan(
                connection,
                file_id,
                mapped,
                plan,
                [_reject_batch(found)],
                feed="inventory",
                mapping="mappings/acme/inventory.yaml",
                mapping_sha256="0" * 64,
                now=self.now,
                corrects=corrects,
            )
            settle(connection, file_id, self.now)

    def _mapped(self, table: Table, rejects: list[Reject], notes: tuple[Note, ...]) -> MappedFile:
        rows: list[int] = []
        for chunk in table.chunks([0]):
            rows += [*chunk.rows.tolist(), *(fault.row for fault in chunk.faults)]
        rows.sort()
        bad = {reject.row for reject in rejects}
        good = [row for row in rows if row not in bad]
        place = {row: number for number, row in enumerate(good)}
        runs = RowRuns.of_rows(
            np.array(rows, dtype=np.int32),
            np.array(
                [OUTCOME_CODES[Outcome.REJECTED] if row in bad else BY_RECORD for row in rows], dtype=np.int32
            ),
            np.array([place.get(row, -1) for row in rows], dtype=np.int32),
        )
        return MappedFile(
            document="inventory",
            fields=("vpc", "quantity"),
            headers=table.headers,
            how=table.how,
            rows=len(rows),
            records=len(good),
            rejects=len(rejects),
            runs=runs,
            notes=notes,
        )

    def _plan(
        self, mapped: MappedFile, *, deliver: bool, hold: Hold | None, refused: tuple[str, str] | None
    ) -> Plan:
        if refused:
            return Plan(calls=(), runs=mapped.runs.all_as(Outcome.REJECTED), refused=refused)
        if hold:
            runs = mapped.runs.all_as(Outcome.HELD, but=(Outcome.REJECTED,))
            return Plan(calls=(), runs=runs, hold=hold)
        if not deliver or not mapped.records:
            runs = mapped.runs.all_as(Outcome.UNCHANGED, but=(Outcome.REJECTED,))
            return Plan(calls=(), runs=runs)
        count = mapped.records
        records = pa.RecordBatch.from_arrays(
            [
                text_column([str(number) for number in range(count)]),
                int_array(np.arange(count, dtype=np.int32)),
            ],
            names=["vpc", "record"],
        )
        call = PlannedCall(Action.UPDATE, records=count, rows=count, block=pack(records))
        return Plan(calls=(call,), runs=mapped.runs)

    def answer(self, file_id: str, state: CallState, words: str = "") -> None:
        """All planned calls of the file are sent, and get this answer."""
        with self.ledger.begin() as connection:
            ids = [call.id for call in calls_of(connection, file_id=file_id)]
            mark_sending(connection, ids, self.now)
            answers = [CallAnswer(call_id, state, self.now + 2_000_000, 200, words) for call_id in ids]
            record_answers(connection, answers)
            settle(connection, file_id, self.now)

    def refuse(self, file_id: str, name: str, content: bytes, code: str, message: str) -> None:
        """A file that could not be read at all."""
        self.claim(file_id, name, content)
        with self.ledger.begin() as connection:
            save_refusal(connection, file_id, code, message)
            settle(connection, file_id, self.now)

    @contextmanager
    def original(self, file_id: str, name: str, options: ReadOptions) -> Iterator[Table]:
        with self.archived(file_id).open("rb") as stream:
            how = open_table(stream, name=name, options=options).how
            yield open_table(stream, name=name, options=read_again(options, how))

    def reply(
        self,
        file_id: str,
        name: str,
        options: ReadOptions = DETECT,
        table: Table | None = None,
    ) -> WrittenReplies:
        @contextmanager
        def handed() -> Iterator[Table]:
            assert table is not None
            yield table

        return write_replies(
            self.ledger,
            file_id,
            outbox=self.outbox,
            original=handed if table is not None else lambda: self.original(file_id, name, options),
            time_zone="America/Denver",
        )


def _reject_batch(rejects: list[Reject]) -> pa.RecordBatch:
    rows = int_array(np.array([reject.row for reject in rejects], dtype=np.int32))
    texts = [
        text_column([getattr(reject, name) for reject in rejects])
        for name in ("column", "code", "message", "value")
    ]
    return pa.RecordBatch.from_arrays([rows, *texts], schema=REJECTS_SCHEMA)


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger as it is made, to be copied: making one takes a while."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    open_ledger(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def house(tmp_path: Path, empty_ledger: Path) -> Iterator[House]:
    (tmp_path / "outbox" / "acme").mkdir(parents=True)
    shutil.copy(empty_ledger, tmp_path / "ledger.db")
    ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.db")
    yield House(tmp_path, ledger)
    ledger.close()
