"""STATUS.txt: how things stand, for a reader who has only the outbox folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from filebridge.clock import SECOND
from filebridge.ledger.schema import CallState, OrderFileState, arrival, channel
from filebridge.planning.plan import Hold
from filebridge.rejects import Reject
from filebridge.replies.status_page import status_text, write_status_page
from filebridge.replies.vendor_status import (
    GoneOrder,
    HeldOrder,
    RecentOrderFile,
    VendorStatus,
    WaitingFile,
    vendor_status,
)

if TYPE_CHECKING:
    from conftest import House

RECEIVED = 1_795_500_000_000_000
"""2026-11-24T06:00:00Z."""

STOCK = b"SKU,Qty\n001,5\n002,x\n003,7\n"
BAD = Reject(3, "bad_number", "'x' is no number", column="Qty", value="x")
MINUTE = 60 * SECOND


def status_of(house: House, after: int = 10 * MINUTE) -> VendorStatus:
    with house.ledger.read() as connection:
        return vendor_status(
            connection, "acme", outbox=house.outbox, now=house.now + after, time_zone="America/Denver"
        )


def page(status: VendorStatus) -> str:
    text = status_text(status).decode()
    assert "\n" not in text.replace("\r\n", "")
    assert max(len(line) for line in text.splitlines()) <= 100
    return " ".join(text.split())


def test_it_says_first_when_filebridge_last_looked_in_the_vendors_zone_and_utc(house: House) -> None:
    text = page(status_of(house))
    assert text.startswith(
        "FileBridge, vendor acme ======================= "
        "FileBridge last looked on Mon 23 Nov 2026, 23:10 (America/Denver; 06:10 UTC on 24 Nov)."
    )
    assert "Waits for you ------------- Nothing." in text
    assert "None has come in yet." in text


def test_it_says_what_came_of_the_last_ten_files(house: House) -> None:
    for number in range(12):
        house.file(f"fbcd23456{number:x}", f"stock{number}.csv", STOCK, [BAD])
        house.answer(f"fbcd23456{number:x}", CallState.CONFIRMED)
    house.refuse("fxcd234567", "scan.pdf", b"%PDF", "unreadable_file", "The file is a PDF document.")
    text = page(status_of(house))
    assert "scan.pdf 0 refused: The file is a PDF document." in text
    assert "stock11.csv 3 2 done, 1 not taken" in text
    assert "stock2.csv" not in text


def test_held_files_come_with_the_command_that_lets_them_go(house: House) -> None:
    house.file("fbcd234567", "stock.csv", STOCK, hold=Hold("guard", "The file lost half of its rows"))
    text = page(status_of(house))
    assert "1. stock.csv is held, nothing of it was sent: The file lost half of its rows." in text
    assert "filebridge release fbcd234567" in text


def test_a_reject_file_is_spoken_of_until_it_is_taken_or_dropped_back(house: House) -> None:
    house.file("fbcd234567", "sub/stock.csv", STOCK, [BAD])
    house.reply("fbcd234567", "stock.csv")
    told = "Correct them in replies/sub/stock.csv.rejects.xlsx and drop that file into the inbox."
    assert told in page(status_of(house))
    house.file("fccd234567", "back.csv", STOCK, corrects="fbcd234567")
    assert told not in page(status_of(house))
    house.file("fdcd234567", "more.csv", STOCK, [BAD])
    written = house.reply("fdcd234567", "more.csv")
    assert "more.csv.rejects.xlsx" in page(status_of(house))
    written.reject_files[0].unlink()
    assert "more.csv.rejects.xlsx" not in page(status_of(house))


def test_files_still_in_the_inbox_and_trouble_with_retailops_are_said(house: House) -> None:
    with house.ledger.begin() as connection:
        connection.execute(
            sa.insert(arrival).values(
                vendor="acme", name_bytes=b"new.xlsx", name="new.xlsx", first_seen_at=RECEIVED, seen_at=RECEIVED,
                reason="It is open in Excel.", explained=True,
            )
        )  # fmt: skip
        connection.execute(
            sa.insert(channel).values(vendor="acme", trouble="RetailOps refused the API key.", since=RECEIVED)
        )
    text = page(status_of(house))
    assert "new.xlsx is still in the inbox (since Mon 23 Nov 23:00): It is open in Excel." in text
    assert "RETAILOPS CANNOT BE USED since Mon 23 Nov 2026, 23:00" in text
    assert "RetailOps refused the API key." in text


def test_pos_that_could_not_be_laid_out_and_the_last_po_files_are_said() -> None:
    status = VendorStatus(
        "acme",
        RECEIVED,
        "UTC",
        held_orders=(HeldOrder("D12", "too_long", "PO D12, column Note: too long for a cell"),),
        recent_orders=(
            RecentOrderFile("PO_2.csv", 14, RECEIVED, OrderFileState.MARKED, None),
            RecentOrderFile("PO_1.csv", 3, RECEIVED, OrderFileState.PUBLISHED, RECEIVED),
        ),
        orders_fetched_at=RECEIVED,
        more=3,
    )
    text = page(status)
    assert "PO D12 could not be written to a file: column Note: too long for a cell." in text
    assert "PO_2.csv 14 written on Tue 24 Nov 06:00 PO_1.csv" in text
    assert "written on Tue 24 Nov 06:00, taken by Tue 24 Nov 06:00; RetailOps is still to be told" in text
    assert "and 3 more" in text


def test_a_refused_mark_and_a_po_that_is_gone_are_said_for_what_they_are() -> None:
    refused = HeldOrder(
        "D1", "refused_by_retailops", "RetailOps refused to mark PO D1 as submitted: locked", True
    )
    changed = HeldOrder("D2", "too_long", "PO D2, column Note: too long", True)
    gone = GoneOrder("D3", "PO D3 is gone from RetailOps since it was marked submitted")
    text = page(VendorStatus("acme", RECEIVED, "UTC", held_orders=(refused, changed), gone_orders=(gone,)))
    assert "PO D1 is in a PO file, but RetailOps refused to mark it as submitted: locked." in text
    assert "Ask the retailer before you ship it." in text
    assert "The change of PO D2 could not be written to a file: column Note: too long." in text
    assert "PO D3 is gone from RetailOps since it was marked submitted. - Do not ship it; ask" in text


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        ("key_refused", "it refused the API key. Nothing is lost: what is to be sent is kept, and FileBridge goes on "
                        "when the key is corrected."),
        ("unreachable", "it could not be reached. Nothing is lost: what is to be sent is kept, and FileBridge goes on "
                        "when RetailOps answers again."),
    ],
)  # fmt: skip
def test_trouble_with_retailops_is_said_in_words(trouble: str, says: str) -> None:
    assert says in page(VendorStatus("acme", RECEIVED, "UTC", trouble=trouble, trouble_since=RECEIVED))


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        (
            "no_mapping: No mapping takes this file",
            "No mapping takes this file. Rename the file, or add its name",
        ),
        ("no_mapping: rename it", "Rename it."),
        ("in_use: It is open in Excel: close it", "It is open in Excel: close it."),
        ("It is open in Excel: close it", "It is open in Excel: close it."),
        ("still_changing", "It is still changing."),
        ("", "FileBridge has not taken it yet."),
    ],
)
def test_no_code_stands_in_a_sentence(reason: str, says: str) -> None:
    text = page(VendorStatus("acme", RECEIVED, "UTC", waiting=(WaitingFile("x.csv", RECEIVED, reason),)))
    assert f"x.csv is still in the inbox (since Tue 24 Nov 06:00): {says}" in text


def test_a_file_that_was_refused_whole_is_named_until_a_later_one_of_its_name_is_taken(house: House) -> None:
    pdf = ("unreadable_file", "The file is a PDF document, not a table. Save it again as CSV or XLSX.")
    house.refuse("fbcd234567", "stock.csv", b"%PDF", *pdf)
    house.refuse("fccd234567", "stock.csv", b"%PDF", *pdf)
    house.file(
        "fdcd234567", "other.csv", b"SKU\n1\n", refused=("missing_column", "The file has no column 'Qty'.")
    )
    house.reply("fdcd234567", "other.csv")
    found = status_of(house)
    assert [(one.id, one.code) for one in found.refused] == [
        ("fdcd234567", "missing_column"),
        ("fccd234567", "unreadable_file"),
    ]
    assert not found.rejects
    text = page(found)
    assert (
        "stock.csv, received Mon 23 Nov 23:00, was refused: The file is a PDF document, not a table. - Save"
        in text
    )
    assert "no column 'Qty'. - Restore the header" in text
    house.file("fecd234567", "stock.csv", STOCK, deliver=False)
    assert [one.name for one in status_of(house).refused] == ["other.csv"]
    assert not status_of(house, after=31 * 24 * 60 * MINUTE).refused


def test_of_a_file_all_of_whose_rows_are_bad_that_is_said(house: House) -> None:
    house.file("fbcd234567", "stock.csv", b"SKU,Qty\n1,2\n1,x\n", [Reject(2, "bad_number", "no"), BAD])
    house.reply("fbcd234567", "stock.csv")
    assert "stock.csv, received Mon 23 Nov 23:00: none of its rows was taken." in page(status_of(house))


def test_the_page_replaces_the_last_one(house: House) -> None:
    write_status_page(house.outbox, status_of(house))
    path = write_status_page(house.outbox, status_of(house, 20 * MINUTE))
    assert path == house.outbox / "STATUS.txt"
    assert b"23:20" in path.read_bytes()
