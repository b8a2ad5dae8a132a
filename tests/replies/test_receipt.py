"""The receipt: our answer to a file, in JSON and in plain text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filebridge.ledger.schema import CallState
from filebridge.mapping.mapped import BY_RECORD, MappedFile, RowRuns
from filebridge.outcomes import OUTCOME_CODES, FileStatus, Outcome
from filebridge.planning.plan import Hold, Plan
from filebridge.rejects import Note, Reject
from filebridge.replies.person import receipt_text
from filebridge.replies.receipt import Receipt, build_receipt, receipt_of_plan
from filebridge.tables.table import ReadHow

if TYPE_CHECKING:
    from conftest import House

RECEIVED = 1_795_500_000_000_000
"""2026-11-24T06:00:00Z."""

STOCK = b"SKU,Qty\n001,5\n002,x\n003,7\n"
BAD = Reject(3, "bad_number", "'x' is no number", column="Qty", value="x")


def receipt_of(house: House, file_id: str) -> Receipt:
    with house.ledger.read() as connection:
        return build_receipt(connection, file_id)


def text_of(receipt: Receipt, **names: str) -> str:
    return receipt_text(receipt, time_zone="America/Denver", **names).decode()


def test_a_receipt_has_the_keys_of_the_contract_in_their_order(house: House) -> None:
    house.file("fbcd234567", "stock.csv", STOCK, [BAD], notes=(Note("header_changed", "A column came."),))
    house.answer("fbcd234567", CallState.CONFIRMED)
    found = receipt_of(house, "fbcd234567")
    assert list(json.loads(found.to_bytes())) == [
        "file", "vendor", "document", "mapping", "status", "outcomes", "rejects", "reject_file", "zeroed",
        "notes", "calls", "held_for",
    ]  # fmt: skip
    said = found.as_json()
    assert said["file"]["received_at"] == "2026-11-24T06:00:00Z"
    assert said["status"] == "accepted_with_rejects"
    assert said["outcomes"] == {"delivered": 2, "rejected": 1}
    assert said["rejects"] == [
        {"row": 3, "column": "Qty", "code": "bad_number", "message": "'x' is no number", "value": "x"}
    ]
    assert said["zeroed"] == {"count": 0, "refused": False}
    assert said["notes"] == [{"code": "header_changed", "message": "A column came."}]
    assert said["calls"] == {"count": 1, "first": "2026-11-24T06:00:00Z", "last": "2026-11-24T06:00:02Z"}
    assert said["held_for"] is None


def test_rows_that_retailops_refused_are_rejected_in_its_own_words(house: House) -> None:
    house.file("fbcd234567", "stock.csv", STOCK, [BAD])
    house.answer("fbcd234567", CallState.REFUSED, "Unknown SKU for vendor")
    found = receipt_of(house, "fbcd234567")
    assert found.status is FileStatus.REJECTED
    assert [(reject.row, reject.code, reject.message) for reject in found.rejects] == [
        (2, "refused_by_retailops", "Unknown SKU for vendor"),
        (3, "bad_number", "'x' is no number"),
        (4, "refused_by_retailops", "Unknown SKU for vendor"),
    ]


def test_a_reason_against_the_whole_file_is_its_first_note_and_that_of_each_row(house: House) -> None:
    reason = ("missing_column", "The column Qty is not there; the file has SKU.")
    house.file(
        "fbcd234567", "stock.csv", b"SKU\n1\n2\n", refused=reason, notes=(Note("header_changed", "n"),)
    )
    found = receipt_of(house, "fbcd234567")
    assert found.status is FileStatus.REJECTED
    assert found.notes[0] == Note(*reason)
    assert [(reject.row, reject.code) for reject in found.rejects] == [
        (2, "missing_column"),
        (3, "missing_column"),
    ]
    house.refuse("fccd234567", "scan.pdf", b"%PDF", "unreadable_file", "The file is a PDF document.")
    unread = receipt_of(house, "fccd234567")
    assert (unread.status, unread.rows, unread.outcomes) == (FileStatus.REJECTED, 0, {})
    assert "Nothing of scan.pdf was taken. The file is a PDF document." in text_of(unread)


def test_at_most_a_hundred_reasons_are_listed(house: House) -> None:
    body = b"SKU,Qty\n" + b"1,x\n" * 150
    house.file("fbcd234567", "stock.csv", body, [Reject(row, "bad_number", "no") for row in range(2, 152)])
    found = receipt_of(house, "fbcd234567")
    assert len(found.rejects) == 100
    assert found.outcomes == {Outcome.REJECTED: 150}


def test_a_held_file_says_for_what_it_waits_and_how_to_let_it_go(house: House) -> None:
    house.file(
        "fbcd234567", "stock.csv", STOCK, hold=Hold("guard", "The file has 3 rows, the last one had 90.")
    )
    found = receipt_of(house, "fbcd234567")
    assert found.status is FileStatus.HELD
    assert found.as_json()["held_for"] == {
        "code": "guard",
        "message": "The file has 3 rows, the last one had 90.",
    }
    text = text_of(found)
    assert text.startswith("stock.csv is waiting for a person, and nothing of it was sent.")
    assert "filebridge release fbcd234567" in text
    assert "filebridge discard fbcd234567" in text


def test_the_same_file_again_names_the_file_that_it_repeats(house: House) -> None:
    house.file("fbcd234567", "stock.csv", STOCK, deliver=False, duplicate_of="fxyz234567")
    found = receipt_of(house, "fbcd234567")
    assert found.status is FileStatus.DUPLICATE
    assert [note.code for note in found.notes] == ["duplicate_file"]
    assert "fxyz234567" in found.notes[0].message


def test_rows_that_are_not_sent_yet_make_the_receipt_pending(house: House) -> None:
    house.file("fbcd234567", "stock.csv", STOCK)
    found = receipt_of(house, "fbcd234567")
    assert (found.status, found.calls, found.outcomes) == (FileStatus.PENDING, 0, {Outcome.PENDING: 3})
    assert "writes this receipt again" in text_of(found)


def test_the_text_says_first_what_happened_then_what_to_do_within_a_hundred_columns(house: House) -> None:
    long = "Ünïcödé " * 60
    rejects = [
        Reject(row, "bad_number", long, column="Quantity on hand " * 9, value=long) for row in range(2, 42)
    ]
    house.file("fbcd234567", "stock.csv", b"SKU,Qty\n" + b"1,x\n" * 60, rejects, zeroed=1)
    house.answer("fbcd234567", CallState.CONFIRMED)
    house.reply("fbcd234567", "stock.csv")
    text = (house.replies / "stock.csv.receipt.txt").read_bytes().decode()
    assert text.startswith("40 of the 60 rows of stock.csv were not taken; the other 20 are done.\r\n")
    assert "\r\n  1. Open stock.csv.rejects.xlsx" in text
    assert "and 15 more reasons, in the reject file." in text
    assert "\n" not in text.replace("\r\n", "")
    assert max(len(line) for line in text.splitlines()) <= 100


def test_no_character_of_a_file_can_rule_the_page(house: House) -> None:
    evil = Reject(3, "bad_number", "bad\x1b[2J\u202e cell\r\nsecond", column="Qty", value="\x00\x07x")
    house.file("fbcd234567", "stock.csv", STOCK, [evil])
    text = text_of(receipt_of(house, "fbcd234567"))
    assert not {"\x1b", "\u202e", "\x00", "\x07"} & set(text)


CODES = st.sampled_from([*OUTCOME_CODES.values(), BY_RECORD])


@settings(max_examples=60, deadline=None)
@given(st.lists(CODES, max_size=40), st.booleans())
def test_the_outcomes_of_a_preview_add_up_to_the_rows(codes: Sequence[int], is_refused: bool) -> None:
    count = len(codes)
    records = np.cumsum([code == BY_RECORD for code in codes]).astype(np.int32) - 1
    runs = RowRuns.of_rows(np.arange(2, count + 2, dtype=np.int32), np.array(codes, dtype=np.int32), records)
    refused = ("too_many_rejects", "Too many.") if is_refused else None
    mapped = MappedFile("inventory", ("vpc",), ("SKU",), ReadHow("csv"), count, 0, 0, runs, refused=refused)
    found = receipt_of_plan(
        mapped,
        Plan(calls=(), runs=runs, refused=refused),
        file_id="",
        name="stock.csv",
        sha256="",
        received_at=RECEIVED,
        vendor="acme",
        mapping="m.yaml",
        rejects=[],
    )
    assert sum(found.outcomes.values()) == count
    assert found.as_json()["preview"] is True
    if is_refused:
        assert len(found.rejects) == found.outcomes.get(Outcome.REJECTED, 0)
    assert text_of(found)


def test_what_to_do_about_a_refused_file_stands_there_once(house: House) -> None:
    said = "The file is a PDF document, not a table. Save it again as CSV or XLSX."
    house.refuse("fbcd234567", "scan.csv", b"%PDF", "unreadable_file", said)
    text = text_of(receipt_of(house, "fbcd234567"))
    assert text.count("Save it again as CSV or XLSX.") == 1
    assert text.startswith("Nothing of scan.csv was taken. The file is a PDF document, not a table.\r\n")
    assert "1. Save it again as CSV or XLSX.\r\n  2. Then drop the file into the inbox again." in text


def test_of_a_file_refused_whole_no_row_is_to_be_corrected(house: House) -> None:
    house.file(
        "fbcd234567", "stock.csv", b"SKU\n1\n2\n", refused=("missing_column", "There is no column 'Qty'.")
    )
    written = house.reply("fbcd234567", "stock.csv")
    assert [path.name for path in written.reject_files] == ["stock.csv.rejects.csv"]
    text = written.receipt_text.read_text("utf-8")
    assert text.count("There is no column 'Qty'.") == 1
    assert "1. Restore the header" in text
    assert "rejects" not in text.replace("rejected", "")


def test_advice_stands_below_the_reasons_once_a_code_and_only_where_none_says_it(house: House) -> None:
    rejects = [
        Reject(2, "bad_number", "'x' is no whole number; write digits only, as in 12.", "Qty", "x"),
        Reject(3, "required", "The cell is empty; vpc is required.", "SKU"),
        Reject(4, "required", "The cell is empty; vpc is required.", "SKU"),
    ]
    house.file("fbcd234567", "stock.csv", STOCK, rejects)
    text = text_of(receipt_of(house, "fbcd234567"))
    assert text.count("  required: Fill the cell, or correct it.\r\n") == 1
    assert "Write plain digits" not in text


def test_away_from_the_replies_the_text_says_where_they_lie(house: House) -> None:
    house.file("fbcd234567", "stock.csv", STOCK, [BAD])
    house.reply("fbcd234567", "stock.csv")
    found = receipt_of(house, "fbcd234567")
    text = " ".join(text_of(found, folder="outbox/acme/replies/", twin="stock.csv.rejects.xlsx").split())
    assert "Open stock.csv.rejects.xlsx, in outbox/acme/replies/: the rows that did not go" in text
    assert "beside this file" not in text


@pytest.mark.parametrize(
    ("outcomes", "says"),
    [
        ({Outcome.DELIVERED: 1}, "stock.csv is done: its only row."),
        ({Outcome.UNCHANGED: 1204}, "stock.csv is done: RetailOps had all 1,204 rows already."),
        (
            {Outcome.DELIVERED: 9, Outcome.REJECTED: 1},
            "1 of the 10 rows of stock.csv was not taken; the other 9 are done.",
        ),
        (
            {Outcome.DELIVERED: 8, Outcome.HELD: 2},
            "stock.csv is done, but for 2 rows of 10 that are waiting.",
        ),
        ({Outcome.REJECTED: 3}, "Nothing of stock.csv was taken: all 3 rows were rejected."),
        ({}, "stock.csv has no rows: there was nothing to send."),
    ],
)
def test_what_happened_is_one_sentence(outcomes: dict[Outcome, int], says: str) -> None:
    from filebridge.outcomes import status_of

    receipt = Receipt(
        "fbcd234567", "stock.csv", "", RECEIVED, sum(outcomes.values()), "acme", "inventory", "m.yaml",
        status_of(outcomes), outcomes,
    )  # fmt: skip
    assert text_of(receipt).startswith(says)
