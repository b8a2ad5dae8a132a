"""POs as rows: every value as RetailOps sent it, in the vendor's layout; what cannot stand there is said."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebridge.documents.purchase_orders import PoItem, PurchaseOrder, revision_of
from filebridge.mapping.layout import LaidOut, Unfit, header_of, lay_out, mapped_fields
from filebridge.mapping.load import load_layout
from filebridge.mapping.model import OrderLayout
from filebridge.retailops.reading import SentNumber, instant_of

DENVER = ZoneInfo("America/Denver")


def layout_of(columns: str, write: str = "", rest: str = "") -> OrderLayout:
    return load_layout(
        f"document: purchase-orders\ncolumns: {{{columns}}}\nwrite: {{{write}}}\n{rest}\n", "layout.yaml"
    )


def order_of(*items: dict[str, Any], **values: Any) -> PurchaseOrder:
    found = items or ({"po_item_id": 1, "vpc": "00120", "quantity": 2},)
    lines = tuple(PoItem(item["po_item_id"], item["vpc"], item["quantity"]) for item in found)
    record = {"po": "D1", "status": "ready", "items": list(found)} | values
    return PurchaseOrder(str(record["po"]), "ready", 0, lines, record)


def laid(order: PurchaseOrder, layout: OrderLayout) -> LaidOut | Unfit:
    return lay_out(order, layout, zone=DENVER, read_instant=instant_of)


def cell(value: object, steps: str = "", write: str = "", rest: str = "") -> str:
    """The one cell of a column that shows the PO's field `note`."""
    result = laid(order_of(note=value), layout_of(f"N: {{field: note{steps}}}", write, rest))
    assert isinstance(result, LaidOut), result
    return result.rows[0][0]


def unfit(value: object, write: str = "", rest: str = "", field: str = "note") -> tuple[str, str]:
    result = laid(order_of(**{field: value}), layout_of(f"N: {field}", write, rest))
    assert isinstance(result, Unfit), result
    return result.code, result.message


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  as it is ", "  as it is "),
        ("00123", "00123"),
        ("4.50", "4.50"),
        (SentNumber("4.50"), "4.50"),
        (7, "7"),
        (True, "true"),
        (False, "false"),
        (None, ""),
        ("", ""),
        (["a", "b"], "a, b"),
    ],
)
def test_a_value_stands_as_retailops_sent_it(value: object, expected: str) -> None:
    assert cell(value) == expected


def test_nested_fields_constants_and_missing_ones() -> None:
    order = order_of(
        ship_address={"postal_code": "02109", "company": None}, ship_service={"name": "Standard"}
    )
    layout = layout_of(
        "Zip: ship_address.postal_code, Co: ship_address.company, Via: ship_service.name, "
        'Src: {value: "007"}, None: not_there.at_all, Deep: ship_service.name.more'
    )
    assert laid(order, layout) == LaidOut("D1", (("02109", "", "Standard", "007", "", ""),))


def test_a_row_for_each_item_or_one_for_the_po() -> None:
    items = (
        {"po_item_id": 1, "vpc": "00120", "quantity": 2, "sku": None},
        {"po_item_id": 2, "vpc": "TG-7", "quantity": 1, "sku": "S7"},
    )
    columns = "PO: po, Item: vpc, Qty: quantity, Sku: sku, Id: po_item_id"
    by_item = laid(order_of(*items), layout_of(columns))
    by_po = laid(order_of(*items), layout_of(columns, "rows_per: po"))
    single = laid(order_of(items[0]), layout_of(columns, "rows_per: po"))
    assert by_item == LaidOut("D1", (("D1", "00120", "2", "", "1"), ("D1", "TG-7", "1", "S7", "2")))
    assert by_po == LaidOut("D1", (("D1", "00120, TG-7", "2, 1", ", S7", "1, 2"),))
    assert single == LaidOut("D1", (("D1", "00120", "2", "", "1"),))


def test_a_name_that_po_and_item_share_is_the_pos_unless_it_says_items() -> None:
    order = order_of({"po_item_id": 1, "vpc": "A", "quantity": 1, "note": "of item"}, note="of PO")
    assert laid(order, layout_of("A: note, B: items.note")) == LaidOut("D1", (("of PO", "of item"),))


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [
        ("2026-11-16T17:00:00Z", "%m/%d/%Y", "11/16/2026"),
        ("2026-11-17T06:30:00Z", "%Y-%m-%d %H:%M", "2026-11-16 23:30"),
        ("2026-11-17 06:30:00", "%d.%m.%y", "16.11.26"),
        ("2026-11-17T06:30:00+0000", "%H%M", "2330"),
        ("2026-11-17", "%d.%m.%Y", "17.11.2026"),
        (1_795_435_200, "%Y-%m-%d %H", "2026-11-23 05"),
        ("", "%Y", ""),
        (None, "%Y", ""),
    ],
)
def test_dates_are_in_the_vendors_zone_and_a_day_is_that_day(value: object, form: str, expected: str) -> None:
    assert cell(value, f', date: "{form}"') == expected


def test_what_is_no_date_holds_the_po() -> None:
    result = laid(order_of(note="2026-02-31"), layout_of('N: {field: note, date: "%Y"}'))
    assert result == Unfit(
        "D1", "incomplete_po", "PO D1, column N: RetailOps sent '2026-02-31', which is no date"
    )


@pytest.mark.parametrize(
    ("value", "steps", "expected"),
    [
        ("FedEx Ground ", ", values: {FedEx Ground: FDXG}", "FDXG"),
        ("fedex ground", ", values: {FedEx Ground: FDXG}", "FDXG"),
        ("Other", ", values: {FedEx Ground: FDXG}", "Other"),
        ("", ', values: {"": X}, default: none', "none"),
        ("ground", ", values: {ground: gnd}, upper: true", "GND"),
        (None, ", upper: true, default: std", "std"),
    ],
)
def test_crosswalk_upper_case_and_default_follow_in_this_order(
    value: object, steps: str, expected: str
) -> None:
    assert cell(value, steps) == expected


# Formulas


@pytest.mark.parametrize("text", ["=1+1", "+cmd|x", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=", "+1+2"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe_in_csv(text: str) -> None:
    assert cell(text) == "'" + text
    assert cell(text, rest="formulas: exact") == text
    assert cell(text, write="format: xlsx") == text
    assert unfit(text, rest="formulas: reject")[0] == "formula_text"


@pytest.mark.parametrize(
    "text",
    ["-5", "+3.5", "-1,234.50", "+1 617 555 0188", "+49 (211) 555-014", "617 555 0188", "plain", "-.5"],
)
def test_numbers_and_telephone_numbers_stay(text: str) -> None:
    assert cell(text) == text
    assert cell(text, rest="formulas: reject") == text


@pytest.mark.parametrize("field", ["po", "vpc", "sku", "order_id", "ship_address.postal_code"])
def test_an_identifier_goes_as_it_is_and_that_is_said(field: str) -> None:
    item = {"po_item_id": 1, "vpc": "=V1", "quantity": 1, "sku": "=V1"}
    order = order_of(item, po="=V1", order_id="=V1", ship_address={"postal_code": "=V1"})
    result = laid(order, layout_of(f"N: {field}"))
    assert isinstance(result, LaidOut)
    assert result.rows == (("=V1",),)
    assert [note.code for note in result.notes] == ["formula_text"]
    assert result.notes[0].message.endswith("the identifier begins with = and was left as it is")


# Encodings


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        ("Łódź", "cp1252", "Lódz"),
        ("Łódź", "ascii", "Lodz"),
        ("Größe", "ascii", "Grosse"),
        ("Größe", "cp1252", "Größe"),
        ("e\u0301", "cp1252", "é"),
        ("“5–6” …", "ascii", '"5-6" ...'),
        ("a\u200bb\u00a0c", "ascii", "ab c"),
        ("5 €", "latin-1", "5 EUR"),
        ("ﬁn ½", "ascii", "fin 1/2"),
    ],
)
def test_the_closest_character_is_written_and_said(text: str, encoding: str, expected: str) -> None:
    result = laid(order_of(note=text), layout_of("N: note", f"encoding: {encoding}"))
    assert isinstance(result, LaidOut)
    assert result.rows == ((expected,),)
    assert all(note.code == "unencodable" for note in result.notes)


def test_what_was_written_in_place_is_said_of_each_character_once() -> None:
    result = laid(order_of(note="ŁŁ"), layout_of("N: note", "encoding: cp1252"))
    assert isinstance(result, LaidOut)
    assert [note.message for note in result.notes] == ["PO D1, column N: cp1252 has no Ł, 'L' was written"]


@pytest.mark.parametrize(
    ("text", "write", "field", "message"),
    [
        ("山", "encoding: cp1252", "note", "PO D1, column N: cp1252 has no 山"),
        ("Ł", "encoding: cp1252, unencodable: hold", "note", "PO D1, column N: cp1252 has no Ł"),
        (
            "Ł1",
            "encoding: cp1252",
            "order_id",
            "PO D1, column N: cp1252 has no Ł; an identifier is never changed",
        ),
        ("\x01", "format: xlsx", "note", "PO D1, column N: U+0001 cannot stand in a workbook"),
        ("a\0b", "", "note", "PO D1, column N: U+0000 cannot stand in a text file"),
    ],
)
def test_what_nothing_comes_close_to_holds_the_po(text: str, write: str, field: str, message: str) -> None:
    assert unfit(text, write, field=field) == ("unencodable", message)


@given(text=st.text(max_size=30), encoding=st.sampled_from(["ascii", "cp1252", "latin-1", "shift_jis"]))
def test_whatever_is_laid_out_can_be_written(text: str, encoding: str) -> None:
    result = laid(order_of(note=text), layout_of("N: note", f"encoding: {encoding}"))
    if isinstance(result, LaidOut):
        assert result.rows[0][0].encode(encoding) is not None
        assert "?" not in result.rows[0][0].replace("?", "", text.count("?"))


# Lengths and quotes


def test_nothing_is_cut_in_a_workbook() -> None:
    assert cell("x" * 32_767, write="format: xlsx") == "x" * 32_767
    assert unfit("x" * 32_768, "format: xlsx") == (
        "too_long",
        "PO D1, column N: 32,768 characters; a workbook's cell holds 32,767, nothing is cut",
    )
    assert unfit("😀" * 16_384, "format: xlsx")[0] == "too_long"
    assert cell("x" * 40_000) == "x" * 40_000


@pytest.mark.parametrize("text", ["a,b", "a\nb", "a\rb"])
def test_without_quotes_what_needs_them_holds_the_po(text: str) -> None:
    assert unfit(text, "quoting: none")[0] == "unquotable"
    assert cell('5" pipe', write="quoting: none") == '5" pipe'


def test_headers_take_the_closest_characters_too() -> None:
    assert header_of(layout_of("Straße Łódź: po", "encoding: cp1252")) == ("Straße Lódz",)
    assert header_of(layout_of("Łódź: po", "format: xlsx")) == ("Łódź",)


def test_a_message_never_holds_a_customers_name() -> None:
    _, message = unfit("Jürgen 山", "encoding: cp1252")
    assert "Jürgen" not in message


# Revisions


BASE = {
    "ship_address": {"addressee": "Ana", "postal_code": "02109"},
    "ship_service": {"name": "Standard"},
    "note": "gift",
    "items": [{"po_item_id": 1, "vpc": "A", "quantity": 2, "unit_cost": "4.50"}],
}


def revision(**values: Any) -> str:
    record = BASE | values
    items = record.pop("items")
    layout = layout_of("N: note, C: unit_cost")
    return revision_of(order_of(*items, **record), mapped_fields(layout))


@pytest.mark.parametrize(
    "values",
    [
        {"status": "submitted"},
        {"date_updated": "2026-11-23"},
        {"note_nobody_maps": "x"},
        {"ship_address": {"postal_code": "02109", "addressee": "Ana", "address2": None}},
        {"items": [{"quantity": 2, "vpc": "A", "po_item_id": "1", "unit_cost": SentNumber("4.5")}]},
    ],
)
def test_a_revision_is_the_same_where_the_vendor_need_not_know(values: dict[str, Any]) -> None:
    assert revision(**values) == revision()


@pytest.mark.parametrize(
    "values",
    [
        {"note": "no gift"},
        {"ship_address": {"addressee": "Ana", "postal_code": "2109"}},
        {"ship_service": {"name": "Express"}},
        {"items": [{"po_item_id": 1, "vpc": "A", "quantity": 3, "unit_cost": "4.50"}]},
        {"items": [{"po_item_id": 1, "vpc": "A", "quantity": 2, "unit_cost": "4.60"}]},
        {"items": [{"po_item_id": 2, "vpc": "A", "quantity": 2, "unit_cost": "4.50"}]},
    ],
)
def test_a_revision_is_another_where_the_vendor_must_know(values: dict[str, Any]) -> None:
    assert revision(**values) != revision()


def test_the_order_of_items_and_keys_is_no_revision() -> None:
    one = {"po_item_id": 1, "vpc": "A", "quantity": 2, "unit_cost": "1"}
    two = {"po_item_id": 2, "vpc": "B", "quantity": 1, "unit_cost": "2"}
    assert revision(items=[one, two]) == revision(items=[dict(reversed(two.items())), one])
