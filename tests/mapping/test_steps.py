"""The steps of a field, in the documented order."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from filebridge.documents.fields import DOCUMENT_FIELDS
from filebridge.mapping.model import FieldSteps
from filebridge.mapping.steps import FieldRule, field_rule
from filebridge.mapping.values import CellFault
from filebridge.tables.table import Kind

SPECS = {spec.name: spec for spec in DOCUMENT_FIELDS["inventory"]}
ARRIVED_AT = round(datetime(2026, 11, 23, 18, 30, tzinfo=UTC).timestamp()) * 1_000_000


def rule(name: str, *, per_total: bool = False, **steps: Any) -> FieldRule:
    source = {} if steps.keys() & {"value", "file_name", "join"} else {"column": "X"}
    return field_rule(
        SPECS[name],
        FieldSteps(**source, **steps),
        vendor_zone="America/Denver",
        arrived_at=ARRIVED_AT,
        per_total=per_total,
    )


def cell(name: str, text: str, kind: Kind = Kind.TEXT, **steps: Any) -> object:
    """The value of a cell, or the code of its fault."""
    value = rule(name, **steps).cell(text, kind)
    return value.code if isinstance(value, CellFault) else value


def test_white_space_is_stripped_unless_the_mapping_says_otherwise() -> None:
    assert cell("vpc", "\t A 1\u00a0\n") == "A 1"
    assert cell("vpc", " A1 ", strip=False) == " A1 "
    assert cell("vpc", "   ", strip=False) == "required"


def test_the_steps_are_taken_in_the_documented_order() -> None:
    steps: dict[str, Any] = {
        "pattern": r"Stk: (.*)",
        "replace": {"#": ""},
        "upper": True,
        "empty": ["N/A"],
        "values": {"LOW": "3"},
        "buffer": 2,
        "max": 999,
        "default": "7",
    }
    assert cell("quantity", " Stk: #low ", **steps) == 1
    assert cell("quantity", "Stk: #n/a", **steps) == 7
    assert cell("quantity", "Stk: 5000", **steps) == 999
    assert cell("quantity", "", **steps) == 7


def test_a_pattern_gives_its_first_group_or_the_whole_match() -> None:
    assert cell("quantity", "12 pcs", pattern=r"(\d+) pcs") == 12
    assert cell("quantity", "ca. 12", pattern=r"\d+") == 12
    assert cell("quantity", "call", pattern=r"(\d+) pcs") == "bad_number"
    assert cell("as_of", "call", pattern=r"\d+") == "bad_date"
    assert cell("vpc", "call", pattern=r"\d+") == "required"
    assert cell("quantity", "", pattern=r"\d+", default="0") == 0


def test_a_cell_that_a_pattern_does_not_fit_is_told_the_pattern() -> None:
    fault = rule("vpc", pattern=r"^\d+$").cell("call")
    assert isinstance(fault, CellFault)
    assert fault.code == "required"
    assert r"'call' does not match the pattern `^\d+$`, so it gives no vpc." in fault.message


def test_replace_takes_every_place_and_its_lines_in_order() -> None:
    assert cell("vpc", "a-b-c", replace={"-": ".", ".": ""}) == "abc"


def test_empty_words_are_compared_without_case() -> None:
    assert cell("vpc", "null", empty=["NULL"]) == "required"
    assert cell("unit_cost", "n/a", empty=["N/A"]) is None
    assert cell("vpc", "NULLA", empty=["NULL"]) == "NULLA"


def test_crosswalk_words_are_compared_exactly_then_without_case() -> None:
    values = {"is": "1", "IS": "100", "10+": "10"}
    assert cell("quantity", "IS", values=values) == 100
    assert cell("quantity", "iS", values=values) == 1
    assert cell("quantity", " 10+ ", values=values) == 10
    assert cell("quantity", "14", values=values) == 14


def test_a_word_that_the_crosswalk_lacks_is_kept_rejected_or_constant() -> None:
    assert cell("quantity", "few", values={"OOS": "0"}) == "bad_number"
    assert cell("active", "X", values={"A": "1"}, **{"else": "reject"}) == "not_in_crosswalk"
    assert cell("quantity", "few", values={"OOS": "0"}, **{"else": "5"}) == 5


def test_an_empty_cell_skips_the_crosswalk() -> None:
    assert cell("quantity", "", values={"OOS": "0"}, **{"else": "5"}) == "required"
    assert cell("quantity", "-", values={"-": ""}, default="4") == 4


def test_what_the_crosswalk_says_is_written_as_we_write_it() -> None:
    assert cell("quantity", "x", values={"x": "1.000"}, number={"decimal": ",", "thousands": "."}) == 1
    assert rule("quantity", values={"x": "1000"}).read("x").judges is False


def test_a_default_is_for_an_empty_cell_and_meets_no_buffer() -> None:
    assert cell("quantity", " ", default="5", buffer=2, max=3) == 5
    assert cell("quantity", "x", default="5") == "bad_number"
    assert cell("unit_cost", "", default="1.50") == "1.5"


def test_an_empty_cell_is_a_fault_only_where_the_field_is_required() -> None:
    assert cell("vpc", "") == "required"
    assert cell("quantity", "  ") == "required"
    assert cell("unit_cost", "") is None
    assert cell("active", "") is None
    assert cell("as_of", "") is None


@pytest.mark.parametrize("name", ["vpc", "quantity", "unit_cost", "active", "as_of", "vendor_id"])
def test_error_cells_and_formulas_without_a_value_are_refused_in_any_field(name: str) -> None:
    assert cell(name, "#REF!", Kind.ERROR, default="1") == "error_cell"
    assert cell(name, "", Kind.NO_VALUE, default="1") == "formula_without_value"


def test_a_spreadsheets_damage_to_an_identifier_is_refused_before_any_step() -> None:
    assert cell("vpc", "1.23E+17") == "damaged_identifier"
    assert cell("vpc", " 1.23E+17 ", pattern=r"\d") == "damaged_identifier"
    assert cell("vpc", "#####", values={"#####": "A"}) == "damaged_identifier"
    assert cell("vpc", "SKU:1.23E+17", replace={"SKU:": ""}) == "damaged_identifier"
    assert cell("vpc", "123456789012345680", Kind.DAMAGED) == "damaged_identifier"
    assert cell("vpc", "2026-03-01", Kind.DATE) == "damaged_identifier"
    assert cell("vpc", "123456789012345678") == "123456789012345678"


@pytest.mark.parametrize("text", ["1E5", "219E01", "NA", "NULL", "TRUE", "nan", "1-Mar", "00123", "007"])
def test_identifiers_are_text(text: str) -> None:
    assert cell("vpc", text) == text
    assert cell("vpc", text, Kind.NUMBER) == text


def test_a_numeric_cell_has_a_decimal_point_whatever_the_format_says() -> None:
    german = {"number": {"decimal": ",", "thousands": "."}}
    assert cell("unit_cost", "1.234", Kind.NUMBER, **german) == "1.234"
    assert cell("quantity", "1.204", Kind.NUMBER) == "bad_number"
    assert cell("quantity", "1204", Kind.NUMBER, **german) == 1204
    assert rule("unit_cost").read("18.9", Kind.NUMBER).judges is False


def test_a_numeric_cell_beyond_15_digits_is_out_of_range_or_clamped() -> None:
    assert cell("quantity", "99999999999999999", Kind.DAMAGED) == "out_of_range"
    assert cell("quantity", "99999999999999999", Kind.DAMAGED, max=999) == 999


def test_below_zero_is_refused_unless_min_is_given() -> None:
    assert cell("quantity", "-3", buffer=2) == "out_of_range"
    assert cell("quantity", "(3)", min=0) == 0
    assert cell("quantity", "3-", min=0, buffer=2) == 0


def test_under_a_total_the_quantity_rules_wait() -> None:
    assert cell("quantity", "5", per_total=True, buffer=2, max=3) == 5
    assert cell("quantity", "-5", per_total=True) == "out_of_range"
    assert cell("quantity", "-5", per_total=True, min=0) == -5
    assert cell("quantity", "9999999999", per_total=True, max=3) == "out_of_range"


def test_a_date_cell_of_a_workbook_needs_no_format() -> None:
    noon = round(datetime(2026, 11, 20, 19, tzinfo=UTC).timestamp()) * 1_000_000
    end_of_day = noon + (12 * 3600 * 1_000_000) - 1
    assert cell("as_of", "2026-11-20", Kind.DATE, date="%d.%m.%Y") == end_of_day
    assert cell("as_of", "2026-11-20", date="%d.%m.%Y") == "bad_date"
    assert cell("as_of", "2026-11-20T12:00:00", Kind.DATE) == noon


def test_the_time_zone_step_beats_the_vendors() -> None:
    at = round(datetime(2026, 11, 20, 6, tzinfo=UTC).timestamp()) * 1_000_000
    assert cell("as_of", "2026-11-20T06:00", time_zone="UTC") == at
    assert cell("as_of", "2026-11-19T23:00") == at


def test_a_file_name_gives_the_first_group_of_its_pattern() -> None:
    dated = rule("as_of", file_name=r"_(\d{8}_\d{4})", date="%Y%m%d_%H%M", time_zone="UTC")
    read = dated.constant("stock_20261120_0600.csv")
    assert read is not None
    assert read.value == round(datetime(2026, 11, 20, 6, tzinfo=UTC).timestamp()) * 1_000_000
    missed = dated.constant("stock.csv")
    assert missed is not None
    assert isinstance(missed.value, CellFault)
    assert missed.value.code == "bad_date"
    assert "stock.csv" in missed.value.message


def test_a_constant_takes_the_steps_too() -> None:
    read = rule("quantity", value="1.000").constant("any.csv")
    assert read is not None
    assert read.value == 1
    assert rule("quantity").constant("any.csv") is None


def test_joined_cells_are_empty_only_together() -> None:
    joined = rule("vpc", join=["A", "B"], **{"with": "-"})
    assert joined.joined((" A1 ", "B ")) == "A1-B"
    assert joined.joined(("A1", "")) == "A1-"
    assert joined.joined((" ", "")) == ""
