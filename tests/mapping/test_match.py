"""Which mapping takes a file: one, none, or several, each said in a sentence."""

from __future__ import annotations

import unicodedata

import pytest

from filebridge.mapping.load import load_pack
from filebridge.mapping.match import (
    Ambiguous,
    Unmatched,
    match_file,
    own_layout_document,
    patterns_of,
)
from filebridge.mapping.pack import FeedMapping, VendorPack


def pack(**matches: str) -> VendorPack:
    """A vendor with one inventory mapping a keyword: feed, then its `match:` line (empty: none)."""
    files = {"vendor.yaml": "vendor_id: 1\n"}
    for feed, match in matches.items():
        files[f"{feed}.yaml"] = "document: inventory\nfields: {vpc: SKU, quantity: Qty}\n" + match
    return load_pack(files, "acme")


def taken_by(path: str, found: VendorPack) -> str:
    match = match_file(path, found)
    return match.feed if isinstance(match, FeedMapping) else type(match).__name__


@pytest.mark.parametrize(
    ("pattern", "path", "takes"),
    [
        ("inventory*.csv", "inventory_1120.csv", True),
        ("inventory*.csv", "INVENTORY_1120.CSV", True),
        ("Lagerliste*.csv", "lagerliste.csv", True),
        ("inventory*.csv", "east/inventory.csv", False),
        ("*", "a/b.csv", False),
        ("stock/*.xlsx", "stock/a.xlsx", True),
        ("stock/*.xlsx", "Stock/A.XLSX", True),
        ("stock/*.xlsx", "stock/old/a.xlsx", False),
        ("stock/**", "stock/old/a.xlsx", True),
        ("**/inventory*.csv", "inventory.csv", True),
        ("**/inventory*.csv", "a/b/inventory.csv", True),
        ("**/inventory*.csv", "a/b/myinventory.csv", False),
        ("stock_?.csv", "stock_a.csv", True),
        ("stock_?.csv", "stock_ab.csv", False),
        ("stock_[0-9].csv", "stock_7.csv", True),
        ("stock_[!0-9].csv", "stock_7.csv", False),
        ("stock (final).csv", "stock (final).csv", True),
        ("a+b.csv", "aab.csv", False),
        ("stock[.csv", "stock[.csv", True),
        ("straße.csv", "STRASSE.csv", True),
    ],
)
def test_a_pattern_takes_names_without_case_and_stays_in_its_folder(pattern: str, path: str, takes: bool):
    assert taken_by(path, pack(stock=f"match: ['{pattern}']\n")) == ("stock" if takes else "Unmatched")


def test_two_spellings_of_an_accent_are_one_name():
    found = pack(stock="match: ['é*.csv']\n")
    assert taken_by(unicodedata.normalize("NFD", "É1.csv"), found) == "stock"


def test_a_name_that_is_no_utf8_is_compared_too():
    assert taken_by("caf\udce9.csv", pack(stock="match: ['caf*.csv']\n")) == "stock"


def test_the_first_pattern_that_takes_a_file_is_enough():
    assert taken_by("b.csv", pack(stock="match: ['a*.csv', 'b*.csv']\n")) == "stock"


def test_two_mappings_of_one_file_are_ambiguous_and_both_named():
    match = match_file("inventory_east.csv", pack(all="match: 'inventory*'\n", east="match: '*east.csv'\n"))
    assert isinstance(match, Ambiguous)
    assert match.reason == "2 mappings take this file: mappings/acme/all.yaml and mappings/acme/east.yaml"
    assert [found.feed for found in match.mappings] == ["all", "east"]


def test_a_stray_names_the_nearest_pattern():
    match = match_file(
        "inventry_1120.csv", pack(stock="match: 'inventory*.csv'\n", east="match: 'east/*.xlsx'\n")
    )
    assert match == Unmatched(
        "no mapping takes this file; the nearest pattern is `inventory*.csv` of mappings/acme/stock.yaml",
        "inventory*.csv",
    )


def test_a_file_in_a_folder_is_told_that_the_pattern_stays_in_the_inbox():
    match = match_file("east/inventory.csv", pack(stock="match: 'inventory*.csv'\n"))
    assert isinstance(match, Unmatched)
    assert match.reason.endswith("which takes files of the inbox itself and not of its folders")


def test_a_vendor_without_mappings_is_said():
    match = match_file("a.csv", load_pack({"vendor.yaml": "vendor_id: 1\n"}, "acme"))
    assert match == Unmatched("the vendor acme has no mapping of files that come in")


@pytest.mark.parametrize(
    ("name", "takes"),
    [
        ("inventory.csv", True),
        ("Inventory 2026-11-20.xlsx", True),
        ("INVENTORY_A.TXT", True),
        ("inventory.tsv", True),
        ("inventory.xls", False),
        ("stock.csv", False),
        ("east/inventory.csv", False),
    ],
)
def test_a_mapping_without_match_takes_files_named_like_its_document(name: str, takes: bool):
    assert taken_by(name, pack(stock="")) == ("stock" if takes else "Unmatched")


def test_a_mapping_without_match_takes_the_workbooks_that_it_names():
    found = pack(stock="read: {format: xls}\n")
    assert taken_by("inventory.xls", found) == "stock"
    assert patterns_of(found.mappings[0].mapping) == ("inventory*.xls",)


def test_a_pattern_comes_before_a_mapping_without_match():
    found = pack(east="match: 'inventory_east*'\n", rest="")
    assert taken_by("inventory_east.csv", found) == "east"
    assert taken_by("inventory_west.csv", found) == "rest"


@pytest.mark.parametrize("name", ["ship-dates.csv", "Ship Dates 47.xlsx", "ship_dates.csv", "shipdates.csv"])
def test_ship_dates_are_spelled_in_every_way(name: str):
    found = load_pack(
        {
            "vendor.yaml": "vendor_id: 1\n",
            "dates.yaml": "document: ship-dates\nfields: {po: PO, estimated_ship_date: Ships}\n",
        },
        "acme",
    )
    assert taken_by(name, found) == "dates"


SHIPMENT = ["po", "vpc", "quantity", "carrier", "tracking_number"]


@pytest.mark.parametrize(
    ("name", "headers", "sheet", "document"),
    [
        ("anything.csv", ["vpc", "quantity"], "", "inventory"),
        ("anything.csv", ["VPC", "Quantity", "Unit Cost", "as_of", ""], "", "inventory"),
        ("anything.csv", SHIPMENT, "", "shipments"),
        ("anything.csv", ["po", "vpc", "quantity", "ship_class_id", "tracking_number"], "", "shipments"),
        ("inventory.csv", ["vpc", "quantity", "fb_row", "fb_code"], "", "inventory"),
        ("acknowledgements.csv", ["po", "vpc", "quantity"], "", "acknowledgements"),
        ("submissions_1.csv", ["po", "vpc", "quantity"], "", "submissions"),
        ("Ship Dates 47.xlsx", ["po", "estimated_ship_date"], "", "ship-dates"),
        ("anything.xlsx", ["po", "estimated_ship_date"], "ship-dates", "ship-dates"),
        ("anything.csv", ["po", "tracking_number", "carrier"], "", "shipments"),
    ],
)
def test_our_own_field_names_need_no_mapping(name: str, headers: list[str], sheet: str, document: str):
    found = own_layout_document(name, headers, sheet)
    assert found is not None
    assert found.feed == f"own-{document}"
    assert found.mapping.document == document


@pytest.mark.parametrize(
    ("name", "headers", "sheet"),
    [
        ("anything.csv", ["po", "estimated_ship_date"], ""),
        ("anything.csv", ["po", "vpc", "quantity"], ""),
        ("anything.csv", ["vpc", "quantity", "vendor_name"], ""),
        ("anything.csv", ["vpc"], ""),
        ("anything.csv", ["vpc", "quantity", "Quantity"], ""),
        ("anything.csv", [], ""),
        ("inventory.csv", SHIPMENT, ""),
        ("shipments.csv", ["po", "tracking_number"], ""),
        ("submissions.csv", ["po", "vpc", "quantity"], "acknowledgements"),
        ("purchase-orders.csv", ["po", "vpc", "quantity"], ""),
    ],
)
def test_what_does_not_say_one_document_is_not_guessed(name: str, headers: list[str], sheet: str):
    assert own_layout_document(name, headers, sheet) is None


def test_the_fields_of_our_own_layout_name_the_headers_as_they_stand():
    found = own_layout_document("inventory.csv", ["VPC", "Quantity", "As of"])
    assert found is not None
    fields = found.mapping.fields
    assert {name: steps.column for name, steps in fields.items()} == {
        "vpc": ("VPC",),
        "quantity": ("Quantity",),
        "as_of": ("As of",),
    }
    assert "%Y-%m-%d" in fields["as_of"].date
    again = own_layout_document("inventory.csv", ["VPC", "Quantity", "As of"])
    assert again == found
