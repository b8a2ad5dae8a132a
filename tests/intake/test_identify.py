"""Whose a file is: by name first, then by a peek."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from filebridge.intake.identify import Correction, Identified, Identifier, Peeked
from filebridge.intake.look import Entry, Inbox, Waiting, scan
from filebridge.mapping.model import Mapping, Vendor
from filebridge.mapping.pack import FeedMapping, VendorPack

EMPTY_ZIP = b"PK\x05\x06" + bytes(18)


def feed(name: str, match: str) -> FeedMapping:
    mapping = Mapping.model_validate(
        {"document": "inventory", "match": [match], "fields": {"vpc": "SKU", "quantity": "Qty"}}
    )
    return FeedMapping(name, f"mappings/acme/{name}.yaml", mapping, "0" * 64)


PACK = VendorPack(
    "acme",
    "mappings/acme",
    Vendor(vendor_id="27"),
    (feed("inventory", "inventory*.csv"), feed("nightly", "*nightly.csv")),
)


class Workbooks:
    """Peeks at workbooks as the reader process does, and counts how often."""

    def __init__(self, answer: Peeked | None = None) -> None:
        self.answer = answer
        self.paths: list[Path] = []

    def __call__(self, path: Path) -> Peeked | None:
        self.paths.append(path)
        return self.answer


def identify(inbox: Inbox, workbooks: Workbooks | None = None) -> Identified:
    (entry,) = scan(inbox).entries
    return Identifier(PACK, peek_workbook=workbooks or Workbooks()).identify(entry)


def put(inbox: Inbox, name: str, content: str | bytes) -> None:
    path = inbox.path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def test_a_name_that_one_mapping_takes_needs_no_peek(inbox: Inbox) -> None:
    put(inbox, "inventory_2026.csv", EMPTY_ZIP)
    workbooks = Workbooks()
    found = identify(inbox, workbooks)
    assert isinstance(found, FeedMapping) and found.feed == "inventory"
    assert workbooks.paths == []


def test_a_file_that_no_mapping_takes_is_told_the_nearest_pattern(inbox: Inbox) -> None:
    put(inbox, "inventry.csv", "SKU,Qty\nA,1\n")
    found = identify(inbox)
    assert isinstance(found, Waiting)
    assert (found.code, found.message) == (
        "no_mapping",
        "No mapping takes this file; the nearest pattern is `inventory*.csv` of mappings/acme/inventory.yaml.",
    )
    assert found.fix == "Rename the file, or add its name to `match:` of a mapping."


def test_a_file_that_two_mappings_take_is_told_which(inbox: Inbox) -> None:
    put(inbox, "inventory-nightly.csv", "SKU,Qty\nA,1\n")
    found = identify(inbox)
    assert isinstance(found, Waiting) and found.code == "ambiguous_mapping"
    assert "mappings/acme/inventory.yaml and mappings/acme/nightly.yaml" in found.message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_in_our_own_layout_is_known_by_its_headers(inbox: Inbox, encoding: str) -> None:
    put(inbox, "stock.csv", ("vpc,quantity\r\n" + "A,1\r\n" * 40_000).encode(encoding))
    found = identify(inbox)
    assert isinstance(found, FeedMapping) and found.feed == "own-inventory"


@pytest.mark.parametrize("name", ["stock.csv.rejects.csv", "inventory-nightly.csv", "deep/down/x.txt"])
def test_a_reject_file_that_comes_back_is_known_wherever_it_lies_and_whatever_its_name(
    inbox: Inbox, name: str
) -> None:
    put(
        inbox,
        name,
        "SKU,Qty,fb_row,fb_column,fb_code,fb_message,fb_file\nA,1,2,Qty,bad_number,x,fbcdfghjkm\n",
    )
    assert identify(inbox) == Correction(("fbcdfghjkm",))


def test_a_workbook_is_peeked_at_by_the_reader(inbox: Inbox) -> None:
    put(inbox, "book.xlsx", EMPTY_ZIP)
    workbooks = Workbooks(Peeked(("vpc", "quantity"), "Inventory"))
    identifier = Identifier(PACK, peek_workbook=workbooks)
    found = identifier.identify(scan(inbox).entries[0])
    assert isinstance(found, FeedMapping) and found.feed == "own-inventory"
    assert workbooks.paths == [inbox.path / "book.xlsx"]


def test_a_stray_is_peeked_at_once_and_again_when_it_has_changed(inbox: Inbox) -> None:
    put(inbox, "book.xlsx", b"PK\x03\x04")
    workbooks = Workbooks()
    identifier = Identifier(PACK, peek_workbook=workbooks)
    for _ in range(3):
        assert isinstance(identifier.identify(scan(inbox).entries[0]), Waiting)
    assert len(workbooks.paths) == 1
    put(inbox, "book.xlsx", b"PK\x03\x04 longer")
    for _ in range(2):
        assert isinstance(identifier.identify(scan(inbox).entries[0]), Waiting)
    assert len(workbooks.paths) == 2


@pytest.mark.parametrize("content", [b"", b"\0\1\2\3", b"%PDF-1.7", b'"open quote\n' * 9, os.urandom(70_000)])
def test_what_is_no_table_is_a_stray(inbox: Inbox, content: bytes) -> None:
    put(inbox, "x.csv", content)
    found = identify(inbox)
    assert isinstance(found, Waiting) and found.code == "no_mapping"


def test_a_file_that_became_a_pipe_or_a_link_is_not_peeked_at(inbox: Inbox, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("vpc,quantity\nA,1\n")
    for name in ("link.csv", "pipe.csv"):
        put(inbox, name, "x")
    entries: tuple[Entry, ...] = scan(inbox).entries
    for name in ("link.csv", "pipe.csv"):
        (inbox.path / name).unlink()
    (inbox.path / "link.csv").symlink_to(secret)
    os.mkfifo(inbox.path / "pipe.csv")
    identifier = Identifier(PACK, peek_workbook=Workbooks())
    assert all(isinstance(identifier.identify(entry), Waiting) for entry in entries)
