"""A whole file mapped: records, rejects, outcomes, facts."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filebridge.columns import NO_INSTANT
from filebridge.errors import FileRefused
from filebridge.mapping.mapped import BY_RECORD, REJECTS_SCHEMA, RowRuns
from filebridge.outcomes import OUTCOME_CODES, Outcome
from filebridge.tables.open import open_table
from filebridge.tables.table import Chunk, Fault, Kind, ReadHow, ReadOptions

Map = Callable[..., Any]
REJECTED = "rejected"


def micros(*parts: int) -> int:
    return round(datetime(*parts, tzinfo=UTC).timestamp()) * 1_000_000  # type: ignore[misc,arg-type]


def test_plain_rows_become_records_in_order(mapped: Map) -> None:
    found = mapped([["00012", "14"], ["NA", "0"], ["TRUE", "230"], ["1E5", "7"]])
    assert found.records == [
        {"vpc": "00012", "quantity": 14},
        {"vpc": "NA", "quantity": 0},
        {"vpc": "TRUE", "quantity": 230},
        {"vpc": "1E5", "quantity": 7},
    ]
    assert found.outcomes == {2: 0, 3: 1, 4: 2, 5: 3}
    assert (found.file.rows, found.file.records, found.file.rejects) == (4, 4, 0)
    assert found.file.fields == ("vpc", "quantity")
    assert found.file.refused is None


def test_a_header_without_rows_is_a_file_of_no_rows(mapped: Map) -> None:
    found = mapped([])
    assert (found.file.rows, found.file.records, found.file.rejects) == (0, 0, 0)
    assert found.outcomes == {}


def test_all_errors_of_a_row_are_told_one_for_each_field(mapped: Map) -> None:
    found = mapped(
        [["1.23E+17", "x", "-1"], ["A", "1", "2"]],
        headers=("SKU", "Qty", "Cost"),
        fields={"unit_cost": "Cost"},
    )
    assert found.codes == {2: ["damaged_identifier", "bad_number", "out_of_range"]}
    assert [(reject["column"], reject["value"]) for reject in found.rejects] == [
        ("SKU", "1.23E+17"),
        ("Qty", "x"),
        ("Cost", "-1"),
    ]
    assert found.sink.rejected[0].schema == REJECTS_SCHEMA
    assert found.outcomes == {2: REJECTED, 3: 0}
    assert found.file.rejects == 3


def test_a_rejects_value_is_the_cell_as_found_cut_to_200_characters(mapped: Map) -> None:
    found = mapped([["A", " call us "], ["B", "x" * 500]])
    assert [reject["value"] for reject in found.rejects] == [" call us ", "x" * 200]
    assert all(len(reject["message"]) < 200 for reject in found.rejects)


def test_keys_of_rejected_rows_are_present_and_unread_ones_are_counted(mapped: Map) -> None:
    ragged = Fault(5, "ragged_row", "The row has 3 cells, the header has 2.", ("C", "1", "2"))
    found = mapped([["A", "x"], ["", "1"], ["A", "y"], ragged, ["B", "2"]])
    assert found.codes == {2: ["bad_number"], 3: ["required"], 4: ["bad_number"], 5: ["ragged_row"]}
    assert found.file.rejected_keys == ("A",)
    assert found.file.keys_unread == 2
    assert found.file.rows == 5
    assert found.outcomes == {2: REJECTED, 3: REJECTED, 4: REJECTED, 5: REJECTED, 6: 0}


def test_a_ragged_rows_reject_says_what_was_found_and_shows_no_cells(mapped: Map) -> None:
    ragged = Fault(2, "ragged_row", "The row has 3 cells, the header has 2.", ("C", "1", "2"))
    assert mapped([ragged]).rejects == [
        {
            "row": 2,
            "column": "",
            "code": "ragged_row",
            "message": "The row has 3 cells, the header has 2.",
            "value": "",
        }
    ]


def test_rows_of_another_vendor_are_rejected(mapped: Map) -> None:
    found = mapped(
        [["A", "1", "27"], ["B", "2", "28"], ["C", "3", ""], ["D", "4", "Acme"], ["E", "5", "027"]],
        headers=("SKU", "Qty", "Vendor"),
        fields={"vendor_id": {"column": "Vendor", "values": {"acme": "27"}}},
    )
    assert found.codes == {3: ["wrong_vendor"], 6: ["wrong_vendor"]}
    assert found.file.fields == ("vpc", "quantity")
    assert found.rejects[0]["column"] == "Vendor"
    assert "'28'" in found.rejects[0]["message"]


def test_optional_fields_stand_in_the_records_where_they_are_mapped(mapped: Map) -> None:
    found = mapped(
        [["A", "1", "18,90", "yes", "2026-11-20T06:00:00Z"], ["B", "2", "", "", ""]],
        headers=("SKU", "Qty", "Cost", "Offered", "Seen"),
        fields={"unit_cost": "Cost", "active": "Offered", "as_of": "Seen"},
    )
    at = micros(2026, 11, 20, 6)
    assert found.records == [
        {"vpc": "A", "quantity": 1, "unit_cost": "18.9", "active": "1", "as_of": at},
        {"vpc": "B", "quantity": 2, "unit_cost": "", "active": "", "as_of": int(NO_INSTANT)},
    ]
    assert found.file.fields == ("vpc", "quantity", "unit_cost", "active", "as_of")


def test_constants_are_in_every_record(mapped: Map) -> None:
    found = mapped([["A", "1"], ["B", "2"]], fields={"active": {"value": "yes"}})
    assert [record["active"] for record in found.records] == ["1", "1"]


def test_columns_may_be_joined(mapped: Map) -> None:
    found = mapped(
        [["S1", "L", "4"], ["S1", "", "5"], ["", "", "6"]],
        headers=("Style", "Size", "Qty"),
        fields={"vpc": {"join": ["Style", "Size"], "with": "-"}},
    )
    assert found.quantities == {"S1-L": 4, "S1-": 5}
    assert found.codes == {4: ["required"]}
    assert found.rejects[0]["column"] == "Style"


def test_the_time_of_a_file_comes_from_its_name(mapped: Map) -> None:
    as_of = {"file_name": r"_(\d{8}_\d{4})", "date": "%Y%m%d_%H%M"}
    found = mapped([["A", "1"]], fields={"as_of": as_of}, file_name="stock_20261120_0600.csv")
    assert found.file.as_of_file == micros(2026, 11, 20, 13)
    assert found.records == [{"vpc": "A", "quantity": 1}]
    assert found.file.fields == ("vpc", "quantity")


def test_a_file_name_that_holds_no_date_rejects_every_row(mapped: Map) -> None:
    as_of = {"file_name": r"_(\d{8})", "date": "%Y%m%d"}
    found = mapped([["A", "1"], ["B", "x"]], fields={"as_of": as_of}, file_name="stock.csv")
    assert found.codes == {2: ["bad_date"], 3: ["bad_number", "bad_date"]}
    assert found.file.as_of_file is None


def test_a_date_in_a_file_name_counts_until_the_arrival_or_the_end_of_that_day(mapped: Map) -> None:
    as_of = {"file_name": r"_(\d{8})", "date": "%Y%m%d"}
    arrived = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)

    def time_of(name: str) -> int:
        found = mapped([["A", "1"]], fields={"as_of": as_of}, file_name=name, arrived=arrived)
        return int(found.file.as_of_file)

    assert time_of("stock_20261123.csv") == micros(2026, 11, 23, 18, 30)
    assert time_of("stock_20261122.csv") == micros(2026, 11, 23, 7) - 1
    assert time_of("stock_20261124.csv") > micros(2026, 11, 23, 18, 45)


def test_a_guessed_encoding_that_decides_a_mapped_cell_refuses_the_file(mapped: Map) -> None:
    def guessed(text: str) -> Any:
        table = open_table(BytesIO(text.encode("cp1252")), name="stock.csv", options=ReadOptions())
        return mapped([], table=table).file

    refused = guessed("SKU,Qty,Name\nA,1,x\n\xc4,2,x\n")
    assert refused.refused is not None
    assert refused.refused[0] == "wrong_encoding"
    assert "row 3 says in column SKU" in refused.refused[1]
    assert (refused.rows, refused.records) == (2, 0)
    assert guessed("SKU,Qty,Name\nA,1,Gr\xf6\xdfe\n").refused is None


def test_identifiers_that_look_like_dates_are_noted_a_few_and_a_count(mapped: Map) -> None:
    found = mapped(
        [["1-Mar", "1"], ["2-Mar", "1"], ["X", "1"], ["Apr-03", "1"], ["4-May", "1"], ["5-May", "x"]]
    )
    (note,) = found.file.notes
    assert (note.code, note.row) == ("date_like_identifier", 2)
    assert note.message == (
        "5 identifiers look like dates that a spreadsheet has made of them: 1-Mar in row 2, 2-Mar in row 3, Apr-03 "
        "in row 5, and 2 more. Compare them with their source."
    )
    assert found.quantities["1-Mar"] == 1


def test_vpcs_that_differ_in_case_are_different_and_noted(mapped: Map) -> None:
    found = mapped([["ab-1", "1"], ["AB-1", "2"], ["CD-1", "3"], ["ef", "4"]])
    assert found.quantities == {"ab-1": 1, "AB-1": 2, "CD-1": 3, "ef": 4}
    (note,) = found.file.notes
    assert note.code == "similar_keys"
    assert "ab-1 and AB-1" in note.message


# Judged by the whole column


def test_one_deciding_cell_decides_the_numbers_before_and_after_it(mapped: Map) -> None:
    rows = [["A", "1.000"], ["B", "2.000"], ["C", "3.000"], ["D", "1.204,00"], ["E", "4.000"]]
    found = mapped(rows)
    assert found.quantities == {"A": 1000, "B": 2000, "C": 3000, "D": 1204, "E": 4000}
    assert found.sink.restarts == 1
    (note,) = found.file.notes
    assert note.code == "judged_by_column"
    assert "the comma is the decimal mark" in note.message


def test_where_nothing_decides_open_numbers_are_bad_and_the_line_to_add_is_said(mapped: Map) -> None:
    found = mapped([["A", "1,000"], ["B", "12"]])
    assert found.codes == {2: ["bad_number"]}
    assert "number:" in found.rejects[0]["message"]
    assert found.sink.restarts == 0


def test_where_cells_contradict_each_other_each_keeps_its_one_reading(mapped: Map) -> None:
    found = mapped([["A", "1,204.00"], ["B", "1.204,00"], ["C", "1,000"]])
    assert found.quantities == {"A": 1204, "B": 1204}
    assert found.codes == {4: ["bad_number"]}


def test_each_column_is_judged_by_its_own_cells(mapped: Map) -> None:
    found = mapped(
        [["A", "1,000", "1,000"], ["B", "1,204.00", "12,50"]],
        headers=("SKU", "Qty", "Cost"),
        fields={"unit_cost": "Cost"},
    )
    assert found.records == [
        {"vpc": "A", "quantity": 1000, "unit_cost": "1"},
        {"vpc": "B", "quantity": 1204, "unit_cost": "12.5"},
    ]


def test_a_rejected_rows_cell_still_speaks_for_its_column(mapped: Map) -> None:
    found = mapped([["A", "1.000"], ["", "12,00"]])
    assert found.quantities == {"A": 1000}
    assert found.codes == {3: ["required"]}
    assert found.file.rejects == 1


def test_dates_of_two_listed_formats_are_judged_by_the_column(mapped: Map) -> None:
    fields = {"as_of": {"column": "Seen", "date": ["%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"], "time_zone": "UTC"}}
    headers = ("SKU", "Qty", "Seen")
    found = mapped(
        [["A", "1", "04/05/2026 06:00"], ["B", "1", "25/03/2026 06:00"]], headers=headers, fields=fields
    )
    assert [record["as_of"] for record in found.records] == [micros(2026, 5, 4, 6), micros(2026, 3, 25, 6)]
    assert "dates are read by %d/%m/%Y %H:%M" in found.file.notes[0].message
    found = mapped(
        [["A", "1", "04/05/2026 06:00"], ["B", "1", "05/05/2026 06:00"]], headers=headers, fields=fields
    )
    assert found.codes == {2: ["ambiguous_date"]}
    assert found.quantities == {"B": 1}


# Columns


def test_missing_columns_refuse_the_file_and_all_rows_are_counted(mapped: Map) -> None:
    ragged = Fault(3, "ragged_row", "The row has 1 cell.", ("B",))
    found = mapped([["A", "1"], ragged, ["C", "3"]], headers=("Part", "Warehouse"))
    code, message = found.file.refused
    assert code == "missing_column"
    assert "'SKU' for vpc" in message
    assert "'Qty' for quantity" in message
    assert "Part, Warehouse" in message
    assert found.outcomes == {2: REJECTED, 3: REJECTED, 4: REJECTED}
    assert (found.file.rows, found.file.records, found.file.rejects) == (3, 0, 0)
    assert found.file.keys_unread == 3


def test_a_mapped_header_there_twice_refuses_the_file(mapped: Map) -> None:
    found = mapped([["A", "1", "2"]], headers=("SKU", "Qty", "Qty"))
    assert found.file.refused[0] == "duplicate_column"


def _map_shipments() -> None:
    from filebridge.mapping.apply import map_table
    from filebridge.mapping.model import Mapping

    class Nothing:
        headers: tuple[str, ...] = ()
        how = ReadHow(format="csv")
        notes = ()

        def chunks(self, columns: Sequence[int]) -> Iterator[Chunk]:
            return iter(())

    feed = Mapping(document="shipments", fields={})
    map_table(
        Nothing(),
        feed=feed,
        vendor_id="27",
        vendor_zone="UTC",
        file_name="x.csv",
        arrived_at=0,
        sink=None,  # type: ignore[arg-type]
    )


def test_a_file_that_turns_out_to_be_damaged_is_refused_on_the_way(mapped: Map) -> None:
    class CutShort:
        headers = ("SKU", "Qty")
        how = ReadHow(format="csv")
        notes = ()

        def chunks(self, columns: Sequence[int]) -> Iterator[Chunk]:
            raise FileRefused("incomplete_file", "The file ends within quotes.")

    with pytest.raises(FileRefused, match="ends within quotes"):
        mapped([], table=CutShort())


# Rows of one VPC


def test_identical_rows_share_one_record_and_conflicting_ones_are_all_rejected(mapped: Map) -> None:
    rows = [["A", "40"], ["B", "12"], ["A", " 40"], ["B", "15"], ["C", "1"], ["B", "12"]]
    found = mapped(rows)
    assert found.records == [{"vpc": "A", "quantity": 40}, {"vpc": "C", "quantity": 1}]
    assert found.outcomes == {2: 0, 3: REJECTED, 4: 0, 5: REJECTED, 6: 1, 7: REJECTED}
    assert found.codes == {row: ["conflicting_rows"] for row in (3, 5, 7)}
    assert found.rejects[0]["message"] == (
        "3 rows say different things of B: quantity 12 in row 3; quantity 15 in row 5; quantity 12 in row 7. Keep one "
        "of them, or declare `duplicates:` in the mapping."
    )
    assert [(reject["column"], reject["value"]) for reject in found.rejects] == [
        ("Qty", "12"),
        ("Qty", "15"),
        ("Qty", "12"),
    ]
    assert found.file.rejected_keys == ("B",)
    assert found.file.keys_unread == 0


def test_last_and_min_pass_over_the_other_rows(mapped: Map) -> None:
    rows = [["A", "5"], ["A", "7"], ["A", "5"], ["B", "1"], ["B", "2"]]
    last = mapped(rows, duplicates="last")
    assert last.outcomes == {2: 0, 3: "superseded", 4: 0, 5: "superseded", 6: 1}
    assert last.quantities == {"A": 5, "B": 2}
    smallest = mapped(rows, duplicates="min")
    assert smallest.outcomes == {2: 0, 3: "superseded", 4: 0, 5: 1, 6: "superseded"}
    assert smallest.quantities == {"A": 5, "B": 1}


def test_two_smallest_rows_that_differ_otherwise_are_a_conflict(mapped: Map) -> None:
    rows = [["A", "5", "1.5"], ["A", "5", "2.5"], ["A", "9", "1.5"], ["B", "1", "1.5"]]
    found = mapped(rows, headers=("SKU", "Qty", "Cost"), fields={"unit_cost": "Cost"}, duplicates="min")
    assert found.codes == {row: ["conflicting_rows"] for row in (2, 3, 4)}
    assert "quantity 5, unit_cost 1.5 in row 2" in found.rejects[0]["message"]
    assert found.quantities == {"B": 1}


def test_a_good_row_stands_beside_a_rejected_one_of_its_vpc(mapped: Map) -> None:
    for duplicates in ("reject", "last", "min"):
        found = mapped([["A", "x"], ["A", "3"]], duplicates=duplicates)
        assert found.outcomes == {2: REJECTED, 3: 0}
        assert found.file.rejected_keys == ("A",)


def test_under_sum_all_rows_of_a_vpc_share_the_total(mapped: Map) -> None:
    rows = [["A", "12"], ["B", "5"], ["A", "30"], ["A", "0"], ["C", "0"], ["C", "0"]]
    found = mapped(rows, duplicates="sum")
    assert found.records == [
        {"vpc": "A", "quantity": 42},
        {"vpc": "B", "quantity": 5},
        {"vpc": "C", "quantity": 0},
    ]
    assert found.outcomes == {2: 0, 3: 1, 4: 0, 5: 0, 6: 2, 7: 2}


def test_under_sum_one_bad_row_rejects_them_all(mapped: Map) -> None:
    rows = [["A", "12"], ["B", "5"], ["A", "x"], ["A", "3"], ["D", "y"]]
    found = mapped(rows, duplicates="sum")
    assert found.codes == {2: ["group_rejected"], 4: ["bad_number"], 5: ["group_rejected"], 6: ["bad_number"]}
    assert "Row 4 of A was rejected" in found.rejects[0]["message"]
    assert found.quantities == {"B": 5}
    assert found.file.rejected_keys == ("A", "D")


def test_under_sum_the_quantity_rules_apply_to_the_total(mapped: Map) -> None:
    quantity = {"column": "Qty", "buffer": 2, "min": 1, "max": 50}
    rows = [["A", "12"], ["A", "-3"], ["B", "1"], ["C", "40"], ["C", "40"]]
    found = mapped(rows, fields={"quantity": quantity}, duplicates="sum")
    assert found.quantities == {"A": 7, "B": 1, "C": 50}
    rows = [["A", "12"], ["A", "-3"], ["B", "1"]]
    found = mapped(rows, duplicates="sum")
    assert found.codes == {2: ["group_rejected"], 3: ["out_of_range"]}


def test_under_sum_a_total_that_no_quantity_can_hold_rejects_its_rows(mapped: Map) -> None:
    rows = [["A", "2000000000"], ["A", "2000000000"], ["B", "2000000000"]]
    found = mapped(rows, duplicates="sum")
    assert found.codes == {2: ["out_of_range"], 3: ["out_of_range"]}
    assert "4000000000" in found.rejects[0]["message"]
    assert found.quantities == {"B": 2_000_000_000}
    assert found.file.rejected_keys == ("A",)


def test_under_sum_what_cannot_be_added_must_agree_and_the_time_is_the_newest(mapped: Map) -> None:
    rows = [
        ["A", "1", "1.50", "2026-11-20T06:00:00Z"],
        ["B", "1", "1.50", "2026-11-20T06:00:00Z"],
        ["A", "2", "1.5", "2026-11-21T06:00:00Z"],
        ["B", "2", "2.50", "2026-11-20T06:00:00Z"],
        ["C", "3", "", ""],
    ]
    found = mapped(
        rows,
        headers=("SKU", "Qty", "Cost", "Seen"),
        fields={"unit_cost": "Cost", "as_of": "Seen"},
        duplicates="sum",
    )
    assert found.records == [
        {"vpc": "A", "quantity": 3, "unit_cost": "1.5", "as_of": micros(2026, 11, 21, 6)},
        {"vpc": "C", "quantity": 3, "unit_cost": "", "as_of": int(NO_INSTANT)},
    ]
    assert found.codes == {3: ["conflicting_rows"], 5: ["conflicting_rows"]}


def test_a_conflict_of_many_rows_names_a_few(mapped: Map) -> None:
    found = mapped([["A", str(quantity)] for quantity in range(20)])
    assert len(found.rejects) == 20
    assert "quantity 5 in row 7; and 14 rows more" in found.rejects[0]["message"]


def test_only_a_file_with_such_rows_is_spooled_anew(mapped: Map) -> None:
    assert mapped([["A", "1"], ["B", "1"]]).sink.replaced == 0
    assert mapped([["A", "1"], ["B", "1"]], duplicates="sum").sink.replaced == 0
    assert mapped([["A", "1"], ["A", "1"]]).sink.replaced == 1


# Laws

rows_of_a_file = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["A", "B", "b", "C", "", "1E+20", "00", "0"]),
            st.sampled_from(["0", "1", "2", "2.00", "x", "", "-1", "1,000", "12,00"]),
        ).map(list),
        st.just(Fault(0, "ragged_row", "ragged", ())),
    ),
    max_size=12,
)


@given(
    cells=rows_of_a_file,
    duplicates=st.sampled_from(["reject", "last", "min", "sum"]),
    first_row=st.integers(2, 5),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_every_row_has_one_outcome_and_chunks_change_nothing(
    mapped: Map, cells: list[Any], duplicates: str, first_row: int
) -> None:
    numbered = [
        Fault(first_row + place, "ragged_row", "ragged", ()) if isinstance(cell, Fault) else cell
        for place, cell in enumerate(cells)
    ]
    rows = range(first_row, first_row + len(cells))
    whole = mapped(numbered, rows=rows, chunk_rows=100, duplicates=duplicates)
    assert list(whole.outcomes) == list(rows)
    assert whole.file.rows == len(cells)
    for chunk_rows in (1, 2, 5):
        cut = mapped(numbered, rows=rows, chunk_rows=chunk_rows, duplicates=duplicates)
        assert cut.outcomes == whole.outcomes
        assert cut.records == whole.records
        assert Counter(map(str, cut.rejects)) == Counter(map(str, whole.rejects))
        assert set(cut.file.rejected_keys) == set(whole.file.rejected_keys)
        assert cut.file.keys_unread == whole.file.keys_unread
    _adds_up(whole)


def _adds_up(found: Any) -> None:
    """Rejected rows have reasons, others have none; each record has a row; each VPC has one record."""
    rejected = {row for row, outcome in found.outcomes.items() if outcome == REJECTED}
    assert set(found.codes) == rejected
    assert found.file.rejects == len(found.rejects)
    records = {outcome for outcome in found.outcomes.values() if isinstance(outcome, int)}
    assert records == set(range(len(found.records)))
    assert found.file.records == len(found.records)
    keys = [record["vpc"] for record in found.records]
    assert len(keys) == len(set(keys))


def test_runs_of_parts_are_joined_into_as_few_as_can_be() -> None:
    rejected = OUTCOME_CODES[Outcome.REJECTED]

    def part(first: int, length: int, outcome: int, record: int) -> RowRuns:
        return RowRuns(*(np.array([value], dtype=np.int32) for value in (first, length, outcome, record)))

    joined = RowRuns.joined(
        [
            part(5, 2, BY_RECORD, 3),
            part(2, 3, BY_RECORD, 0),
            part(7, 1, rejected, -1),
            part(9, 1, BY_RECORD, 5),
        ]
    )
    assert joined.first_rows.tolist() == [2, 7, 9]
    assert joined.lengths.tolist() == [5, 1, 1]
    assert joined.first_records.tolist() == [0, -1, 5]
    assert RowRuns.joined([]).rows()[0].tolist() == []


def test_kinds_reach_the_rules(mapped: Map) -> None:
    found = mapped(
        [
            [("00417", Kind.NUMBER), ("12", Kind.NUMBER)],
            [("990000000000000000", Kind.DAMAGED), ("3", Kind.NUMBER)],
            ["A", ("#REF!", Kind.ERROR)],
            ["B", ("", Kind.NO_VALUE)],
            ["C", ("7.5", Kind.NUMBER)],
            [("2026-03-01", Kind.DATE), "x"],
        ]
    )
    assert found.quantities == {"00417": 12}
    assert found.codes == {
        3: ["damaged_identifier"],
        4: ["error_cell"],
        5: ["formula_without_value"],
        6: ["bad_number"],
        7: ["damaged_identifier", "bad_number"],
    }


def test_a_long_file_is_one_run(mapped: Map) -> None:
    found = mapped([[f"A{number}", "1"] for number in range(500)], chunk_rows=7)
    assert found.file.runs.lengths.tolist() == [500]


def test_mapping_imports_no_pandas() -> None:
    code = (
        "import sys, runpy; conftest = runpy.run_path(sys.argv[1]);"
        "from filebridge.mapping.apply import map_table; from filebridge.mapping.model import Mapping;"
        "rows = [['A', '1', '1.50'], ['B', 'x', 'NA'], ['A', '2,00', '1.5'], ['C', '1,000', '']] * 3;"
        "fields = {'vpc': 'S', 'quantity': 'Q', 'unit_cost': {'column': 'C', 'empty': ['NA']}};"
        "[map_table(conftest['ListTable'](('S', 'Q', 'C'), rows), vendor_id='27',"
        " feed=Mapping(document='inventory', fields=fields, duplicates=duplicates), vendor_zone='UTC',"
        " file_name='x.csv', arrived_at=0, sink=conftest['ListSink']()) for duplicates in ('reject', 'sum', 'min')];"
        "sys.exit('pandas' in sys.modules)"
    )
    conftest = Path(__file__).with_name("conftest.py")
    subprocess.run([sys.executable, "-c", code, str(conftest)], check=True, timeout=50)
