"""Column code says of any text exactly what the cell rule says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filebridge.columns import TextColumn, as_ints, as_longs, text_column
from filebridge.documents.fields import DOCUMENT_FIELDS, FieldKind
from filebridge.mapping.by_column import (
    ColumnReader,
    constant_column,
    date_like_places,
    differs_from,
    joined_column,
    texts_of,
)
from filebridge.mapping.judge import Decision, Evidence
from filebridge.mapping.model import FieldSteps
from filebridge.mapping.steps import UNSTATED, FieldRule, field_rule
from filebridge.mapping.values import CellFault, looks_like_date
from filebridge.tables.table import Kind

SPECS = {spec.name: spec for spec in DOCUMENT_FIELDS["inventory"]}

ODD = [
    "", " ", "\t", "\u00a0", "\x1f", "0", "00", "7", "12", "00012", "999999999", "9999999999", "2147483648",
    "-3", "3-", "(3)", "12.00", "12,00", "12.", ".5", "1,000", "1.000", "1.204,00", "1,204.00", "18.90", "18,90",
    "0.10", "00.10", "1.2.3", "1..2", "1.5,5", "100.0", "10.00", "0.00", " 18.90 ", "1.23E+17", "A1.23E+17",
    "E+17", "e+17", "1e+10", "A+B", "#####", "#1", "NA", "null", "NULL", "OOS", "oos", "IS", "İS", "ﬁ", "FI",
    "1-Mar", "12-Mar", "Mar-12", "MAR-1", "yes", "No", "2026-11-20", "2026-11-20T06:00:00Z", "20.11.2026",
    "04/05/2026", "25/03/2026", "Größe", "\u2003A", "A\u200b", "\ufeffA", "é", "A\nB", "1 204", "٣", "１２",
]  # fmt: skip
texts = st.one_of(
    st.sampled_from(ODD),
    st.text(alphabet="0123456789.,-+ ()E#'", max_size=14),
    st.text(max_size=8),
    st.tuples(
        st.sampled_from(["", " ", "\u00a0", "\t"]), st.sampled_from(ODD), st.sampled_from(["", " ", "\x85"])
    ).map("".join),
)
QUANTITY_STEPS: list[dict[str, Any]] = [
    {},
    {"strip": False},
    {"buffer": 2, "max": 999},
    {"min": 0},
    {"min": -5},
    {"min": 3_000_000_000},
    {"max": -1},
    {"values": {"IS": "100", "OOS": "0", "12": "13", "fi": "4"}},
    {"values": {"IS": "100"}, "else": "reject"},
    {"empty": ["NULL", "00"], "default": "5"},
    {"number": {"decimal": ",", "thousands": "."}},
    {"pattern": r"(\d+)"},
    {"replace": {"1": "2"}},
]
VPC_STEPS: list[dict[str, Any]] = [
    {},
    {"strip": False},
    {"empty": ["NULL", "é"]},
    {"values": {"oos": "1E+22", "fi": "x", "ß": "y"}},
    {"upper": True},
    {"default": "none"},
    {"pattern": "^(.)"},
]
COST_STEPS: list[dict[str, Any]] = [
    {},
    {"strip": False},
    {"number": {"decimal": ",", "thousands": "."}},
    {"number": {"decimal": "."}},
    {"empty": ["0"]},
    {"default": "1.50"},
]
AS_OF_STEPS: list[dict[str, Any]] = [{}, {"date": ["%d/%m/%Y", "%m/%d/%Y"]}, {"date": "%d.%m.%Y"}]
CASES = [
    *(("quantity", steps) for steps in QUANTITY_STEPS),
    *(("vpc", steps) for steps in VPC_STEPS),
    *(("unit_cost", steps) for steps in COST_STEPS),
    *(("as_of", steps) for steps in AS_OF_STEPS),
    ("active", {}),
    ("active", {"values": {"IS": "yes", "OOS": "no"}}),
]


def rule_of(name: str, steps: dict[str, Any], *, per_total: bool = False) -> FieldRule:
    return field_rule(
        SPECS[name],
        FieldSteps(column="X", **steps),
        vendor_zone="America/Denver",
        arrived_at=1_795_000_000_000_000,
        per_total=per_total,
    )


def sliced(cells: list[str]) -> TextColumn:
    """The cells as a slice of a longer column, as a reader may hand it over."""
    return text_column(["before", "é", *cells, "after"]).slice(2, len(cells))


def by_cells(rule: FieldRule, cells: list[str], kinds: list[Kind]) -> tuple[list[object], Evidence]:
    evidence = Evidence()
    values: list[object] = []
    for text, kind in zip(cells, kinds, strict=True):
        read = rule.read(text, kind)
        if read.judges:
            evidence.take(read.fits)
        unstated = UNSTATED.get(rule.spec.kind, "")
        values.append(unstated if read.value is None else read.value)
    return values, evidence


def by_column(rule: FieldRule, cells: list[str], kinds: list[Kind]) -> tuple[list[object], Evidence]:
    reader = ColumnReader(rule)
    given_kinds = np.array(kinds, dtype=np.uint8) if any(kinds) else None
    read = reader.read(sliced(cells), given_kinds)
    assert read.values.null_count == 0
    if rule.spec.kind is FieldKind.QUANTITY:
        values: list[object] = as_ints(read.values).tolist()
    elif rule.spec.kind is FieldKind.INSTANT:
        values = as_longs(read.values).tolist()
    else:
        values = list(texts_of(read.values))
    assert len(values) == len(cells)
    for place, fault in read.faults.items():
        values[place] = fault
    return values, reader.evidence


@pytest.mark.parametrize(("name", "steps"), CASES)
@given(cells=st.lists(texts, max_size=12))
@settings(max_examples=60)
def test_a_column_is_read_as_its_cells_are(name: str, steps: dict[str, Any], cells: list[str]) -> None:
    rule = rule_of(name, steps)
    kinds = [Kind.TEXT] * len(cells)
    expected, evidence = by_cells(rule, cells, kinds)
    found, gathered = by_column(rule, cells, kinds)
    assert found == expected
    assert gathered.is_open == evidence.is_open
    assert gathered.decide(rule.candidates) == evidence.decide(rule.candidates)


@pytest.mark.parametrize(("name", "steps"), CASES)
def test_every_odd_text_is_read_alike_alone_and_among_others(name: str, steps: dict[str, Any]) -> None:
    rule = rule_of(name, steps)
    for cells in (ODD, ODD[::-1], *([text] for text in ODD)):
        expected, _ = by_cells(rule, cells, [Kind.TEXT] * len(cells))
        assert by_column(rule, cells, [Kind.TEXT] * len(cells))[0] == expected


@pytest.mark.parametrize("name", ["quantity", "vpc", "unit_cost", "as_of", "active"])
@given(pairs=st.lists(st.tuples(texts, st.sampled_from(Kind)), max_size=10))
@settings(max_examples=60)
def test_a_workbooks_column_is_read_as_its_cells_are(name: str, pairs: list[tuple[str, Kind]]) -> None:
    rule = rule_of(name, {})
    cells, kinds = [text for text, _ in pairs], [kind for _, kind in pairs]
    expected, evidence = by_cells(rule, cells, kinds)
    found, gathered = by_column(rule, cells, kinds)
    assert found == expected
    assert gathered.decide(rule.candidates) == evidence.decide(rule.candidates)


@given(cells=st.lists(texts, max_size=10), steps=st.sampled_from([{}, {"min": 0, "buffer": 3}]))
def test_under_a_total_too(cells: list[str], steps: dict[str, Any]) -> None:
    rule = rule_of("quantity", steps, per_total=True)
    kinds = [Kind.TEXT] * len(cells)
    assert by_column(rule, cells, kinds)[0] == by_cells(rule, cells, kinds)[0]


@given(cells=st.lists(texts, max_size=10), better=st.booleans())
def test_under_a_decision_too(cells: list[str], better: bool) -> None:
    decision = Decision(frozenset({(0, 1) if better else (1, 0)}))
    kinds = [Kind.TEXT] * len(cells)
    for name in ("quantity", "unit_cost"):
        rule = rule_of(name, {}).decided(decision)
        assert by_column(rule, cells, kinds)[0] == by_cells(rule, cells, kinds)[0]


def test_a_reader_says_the_same_of_later_chunks() -> None:
    reader = ColumnReader(rule_of("quantity", {}))
    for _ in range(3):
        read = reader.read(text_column(["12.00", "x", "5"]), None)
        assert as_ints(read.values).tolist()[::2] == [12, 5]
        assert list(read.faults) == [1]


@given(
    st.lists(st.one_of(texts, st.from_regex(r"[0-9A-M]{1,3}-[A-Za-z0-9]{1,3}", fullmatch=True)), max_size=10)
)
def test_date_like_identifiers_are_found_as_by_cell(cells: list[str]) -> None:
    expected = [place for place, text in enumerate(cells) if looks_like_date(text)]
    assert date_like_places(sliced(cells)).tolist() == expected


@given(st.lists(st.text(max_size=6), max_size=8))
def test_texts_come_back_as_they_went_in(cells: list[str]) -> None:
    assert texts_of(sliced(cells)) == cells


def test_joined_cells_are_as_bad_as_their_worst_part() -> None:
    rule = field_rule(
        SPECS["vpc"],
        FieldSteps(join=["A", "B"], **{"with": "-"}),
        vendor_zone="UTC",
        arrived_at=0,
    )
    columns = [text_column(["S", "12", "7", "#REF!"]), text_column(["1", "34", "2026-03-01", "2"])]
    kinds = [
        np.array([Kind.TEXT, Kind.NUMBER, Kind.BOOLEAN, Kind.ERROR], dtype=np.uint8),
        np.array([Kind.NUMBER, Kind.NUMBER, Kind.DATE, Kind.TEXT], dtype=np.uint8),
    ]
    joined, worst = joined_column(rule, columns, kinds)
    assert texts_of(joined) == ["S-1", "12-34", "7-2026-03-01", "#REF!-2"]
    assert worst is not None
    assert worst.tolist() == [Kind.TEXT, Kind.TEXT, Kind.DATE, Kind.ERROR]
    read = ColumnReader(rule).read(joined, worst)
    assert {place: fault.code for place, fault in read.faults.items()} == {
        2: "damaged_identifier",
        3: "error_cell",
    }


def test_a_constant_fills_a_column() -> None:
    assert texts_of(constant_column(rule_of("active", {}), "1", 3)) == ["1", "1", "1"]
    assert as_ints(constant_column(rule_of("quantity", {}), None, 2)).tolist() == [-1, -1]


def test_only_stated_vendors_can_differ() -> None:
    assert differs_from(text_column(["27", "", "28"]), "27").to_pylist() == [False, False, True]


def test_a_fault_is_told_for_every_place_that_has_it() -> None:
    read = ColumnReader(rule_of("quantity", {})).read(text_column(["x", "1", "x"]), None)
    assert list(read.faults) == [0, 2]
    assert all(isinstance(fault, CellFault) for fault in read.faults.values())
