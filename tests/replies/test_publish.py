"""How replies reach the outbox: the receipt last, a reject file never twice, whatever stops the process."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebridge import milestones
from filebridge.ledger.files import file_row
from filebridge.ledger.schema import CallState
from filebridge.rejects import Reject
from filebridge.replies.publish import reply_folder, reply_name

if TYPE_CHECKING:
    from conftest import House

STOCK = b"SKU,Qty\n001,5\n002,x\n003,7\n"
BAD = Reject(3, "bad_number", "'x' is no number", column="Qty", value="x")
STEPS = (
    "reject_file.staged",
    "reject_file.csv_published",
    "reject_file.xlsx_published",
    "reject_file.recorded",
    "receipt.text_published",
    "receipt.published",
)


class Killed(BaseException):
    """What stands in a test for a process that is gone."""


def published(house: House) -> dict[str, str]:
    return {
        path.relative_to(house.replies).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(house.replies.rglob("*"))
        if path.is_file()
    }


def test_the_receipt_comes_last_and_names_a_reject_file_that_is_there(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(milestones, "_observers", [seen.append])
    house.file("fbcd234567", "sub/folder/stock.csv", STOCK, [BAD])
    written = house.reply("fbcd234567", "stock.csv")
    assert tuple(seen) == STEPS
    receipt = json.loads(written.receipt_json.read_bytes())
    assert receipt["reject_file"] == "sub/folder/stock.csv.rejects.csv"
    assert sorted(published(house)) == [
        "sub/folder/stock.csv.receipt.json",
        "sub/folder/stock.csv.receipt.txt",
        "sub/folder/stock.csv.rejects.csv",
        "sub/folder/stock.csv.rejects.xlsx",
    ]
    with house.ledger.read() as connection:
        assert file_row(connection, "fbcd234567").reject_file == receipt["reject_file"]
    assert written.paths[-1] == written.receipt_json
    assert not list((house.outbox / ".filebridge").iterdir())


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("with_older", [False, True])
def test_stopped_at_any_step_the_next_run_ends_with_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch, step: str, with_older: bool
) -> None:
    if with_older:
        house.file("faaa234567", "stock.csv", STOCK, [BAD])
        house.reply("faaa234567", "stock.csv")

    def stop(reached: str) -> None:
        if reached == step:
            raise Killed

    house.file("fbcd234567", "stock.csv", STOCK, [BAD])
    monkeypatch.setattr(milestones, "_observers", [stop])
    with pytest.raises(Killed):
        house.reply("fbcd234567", "stock.csv")
    monkeypatch.setattr(milestones, "_observers", [])
    house.reply("fbcd234567", "stock.csv")
    first = published(house)
    stem = "stock.csv.fbcd234567.rejects" if with_older else "stock.csv.rejects"
    assert {f"{stem}.csv", f"{stem}.xlsx"} <= set(first)
    assert len(first) == (6 if with_older else 4)
    house.reply("fbcd234567", "stock.csv")
    assert published(house) == first


def test_a_reject_file_is_never_overwritten_and_the_newest_receipt_replaces_the_older(house: House) -> None:
    for file_id in ("fbcd234567", "fccd234567"):
        house.file(file_id, "stock.csv", STOCK, [BAD])
        house.reply(file_id, "stock.csv")
    assert sorted(published(house)) == [
        "stock.csv.fccd234567.rejects.csv",
        "stock.csv.fccd234567.rejects.xlsx",
        "stock.csv.receipt.json",
        "stock.csv.receipt.txt",
        "stock.csv.rejects.csv",
        "stock.csv.rejects.xlsx",
    ]
    assert b"fbcd234567" in (house.replies / "stock.csv.rejects.csv").read_bytes()
    receipt = json.loads((house.replies / "stock.csv.receipt.json").read_bytes())
    assert (receipt["file"]["id"], receipt["reject_file"]) == (
        "fccd234567",
        "stock.csv.fccd234567.rejects.csv",
    )


def test_more_rejects_of_the_same_file_make_a_further_reject_file(house: House) -> None:
    house.file("fbcd234567", "stock.csv", STOCK, [BAD])
    house.reply("fbcd234567", "stock.csv")
    house.answer("fbcd234567", CallState.REFUSED, "Unknown SKU")
    written = house.reply("fbcd234567", "stock.csv")
    assert [path.name for path in written.reject_files] == [
        "stock.csv.fbcd234567.rejects.csv",
        "stock.csv.fbcd234567.rejects.xlsx",
    ]
    assert len(written.reject_files[0].read_text().splitlines()) == 4


def test_a_link_or_a_folder_in_the_place_of_a_reject_file_is_left_alone(house: House) -> None:
    house.replies.mkdir()
    secret = house.folder / "secret"
    secret.write_text("kept")
    (house.replies / "stock.csv.rejects.csv").symlink_to(secret)
    (house.replies / "stock.csv.fbcd234567.rejects.xlsx").mkdir()
    house.file("fbcd234567", "stock.csv", STOCK, [BAD])
    written = house.reply("fbcd234567", "stock.csv")
    assert written.reject_files[0].name == "stock.csv.fbcd234567-2.rejects.csv"
    assert secret.read_text() == "kept"


def test_more_rows_than_a_person_corrects_get_no_workbook_and_a_word_on_how_to_open_the_csv(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filebridge.replies.reject_file.MOST_TWIN_ROWS", 1)
    house.file("fbcd234567", "stock.csv", STOCK, [BAD, Reject(2, "bad_number", "no", column="Qty")])
    written = house.reply("fbcd234567", "stock.csv")
    assert [path.name for path in written.reject_files] == ["stock.csv.rejects.csv"]
    text = " ".join(written.receipt_text.read_text("utf-8").split())
    assert "Open stock.csv.rejects.csv, beside this file" in text
    assert "choose the type Text for every column" in text


def test_a_file_without_rejects_has_receipts_only(house: House) -> None:
    house.file("fbcd234567", "stock.csv", STOCK)
    house.answer("fbcd234567", CallState.CONFIRMED)
    house.reply("fbcd234567", "stock.csv")
    assert sorted(published(house)) == ["stock.csv.receipt.json", "stock.csv.receipt.txt"]


def test_a_file_that_could_not_be_read_has_receipts_only(house: House) -> None:
    house.refuse("fbcd234567", "scan.pdf", b"%PDF", "unreadable_file", "The file is a PDF document.")
    house.reply("fbcd234567", "scan.pdf")
    assert sorted(published(house)) == ["scan.pdf.receipt.json", "scan.pdf.receipt.txt"]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..", "a" * 250 + ".csv", "sub/../../x.csv", "\x1b[2J.csv", "-rf.csv"]
)
def test_a_hostile_name_stays_below_replies(house: House, name: str) -> None:
    house.file("fbcd234567", name, STOCK, [BAD])
    written = house.reply("fbcd234567", "stock.csv")
    for path in written.paths:
        assert house.replies in path.resolve().parents
        assert path.exists()


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=300)


@given(NAMES)
def test_every_name_gives_a_reply_name_that_a_folder_can_hold(name: str) -> None:
    found = reply_name(name)
    assert found not in ("", ".", "..")
    assert "/" not in found
    assert len(os.fsencode(f"{found}.fbcd234567-99.rejects.xlsx")) <= 255
    outbox = Path("/outbox/acme")
    assert (outbox / "replies") in (reply_folder(outbox, name) / "x").parents
    assert ".." not in reply_folder(outbox, name).parts


def test_two_long_names_that_differ_at_their_end_keep_their_own_replies() -> None:
    assert reply_name("a" * 240 + "1.csv") != reply_name("a" * 240 + "2.csv")
