"""What holds of any inventory file, over the whole way in: real folders, a ledger, a sandbox."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

MAPPING = """\
document: inventory
match: ["stock*"]
read: {encoding: utf-8, delimiter: ",", header_row: 1}
fields: {vpc: SKU, quantity: Qty}
"""
PACK = {"inventory.yaml": MAPPING}
VPC = st.text(st.sampled_from("AB0 1E+-.\"'é,;\n"), max_size=6)
QUANTITY = st.one_of(
    st.integers(-3, 12).map(str), st.sampled_from(["", "x", "1,5", "1.0", "#N/A", "1E+20", "NaN", "٣"])
)
ROWS = st.lists(st.tuples(VPC, QUANTITY), max_size=12)
GOOD = st.dictionaries(
    st.text(st.sampled_from("ABC012"), min_size=1, max_size=4), st.integers(0, 50), min_size=1
)
few = settings(max_examples=7, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def csv_of(rows: Any, head: tuple[str, ...] = ("SKU", "Qty")) -> str:
    written = StringIO(newline="")
    csv.writer(written).writerows([head, *rows])
    return written.getvalue()


@few
@given(rows=ROWS, duplicates=st.sampled_from(["reject", "last", "sum", "min"]))
@example(rows=[("A", "1"), ("A", "x"), ("", "2"), ("B", "1"), ("B", "1")], duplicates="reject")
def test_counts_add_up_for_any_table(fresh_house: Any, rows: Any, duplicates: str) -> None:
    with fresh_house({"inventory.yaml": f"{MAPPING}duplicates: {duplicates}\n"}) as house:
        house.drop("stock.csv", csv_of(rows))
        [file] = house.run().files
        receipt = house.receipt("stock.csv")
        each = {row["row"]: row["outcome"] for row in house.rows(file.file_id)}
        filled = [row for row in rows if any(cell.strip() for cell in row)]
        assert sum(receipt["outcomes"].values()) == receipt["file"]["rows"] == len(each) == len(filled)
        assert {one: [*each.values()].count(one) for one in each.values()} == receipt["outcomes"]
        assert not {"pending", "uncertain"} & {*each.values()}


@few
@given(rows=ROWS)
def test_a_second_run_does_nothing(fresh_house: Any, rows: Any) -> None:
    with fresh_house(PACK) as house:
        house.drop("stock.csv", csv_of(rows))
        house.run()
        calls, files = len(house.sandbox.calls), house.replies()
        report = house.run()
        assert (report.files, report.order_files, report.said) == ([], [], [])
        assert (len(house.sandbox.calls), house.replies()) == (calls, files)


@few
@given(one=GOOD, other=GOOD)
def test_files_without_a_shared_key_confirm_the_same_in_either_order(
    fresh_house: Any, one: dict[str, int], other: dict[str, int]
) -> None:
    first = csv_of(one.items())
    second = csv_of((f"Z{vpc}", quantity) for vpc, quantity in other.items())
    ends = []
    for order in ((first, second), (second, first)):
        with fresh_house(PACK) as house:
            outcomes = {}
            for text in order:
                house.drop("stock.csv", text)
                [file] = house.run().files
                outcomes[text] = (file.status, file.outcomes)
            ends.append((outcomes, house.sandbox.state.quantities("27")))
    assert ends[0] == ends[1]


@few
@given(good=GOOD, bad=st.sets(st.text(st.sampled_from("abc"), min_size=1, max_size=3), min_size=1))
def test_a_corrected_reject_file_sends_only_its_rows(fresh_house: Any, good: Any, bad: set[str]) -> None:
    with fresh_house(PACK) as house:
        house.drop("stock.csv", csv_of([*good.items(), *((vpc, "many") for vpc in sorted(bad))]))
        house.run()
        before = len(house.records())
        [name] = [name for name in house.replies() if name.endswith(".rejects.csv")]
        rows = list(csv.reader(StringIO(house.replies()[name].decode(), newline="")))
        for row in rows[1:]:
            row[1] = "4"
        house.drop(name, csv_of(rows[1:], tuple(rows[0])))
        [file] = house.run().files
        assert {record["vpc"]: record["quantity"] for record in house.records()[before:]} == dict.fromkeys(
            bad, 4
        )
        assert file.rows == len(bad)


@few
@given(good=GOOD, data=st.data())
def test_a_file_cut_inside_a_row_sends_nothing_and_stays(fresh_house: Any, good: Any, data: Any) -> None:
    """Cut at a line end it looks whole; at any other byte nothing of it is sent, also none of the rows before."""
    rows = [f'"{vpc}, Ltd",{quantity}\r\n' for vpc, quantity in good.items()]
    before, row = rows[:-1], rows[-1]
    whole = "SKU,Qty\r\n" + "".join(rows)
    cut = "SKU,Qty\r\n" + "".join(before) + row[: data.draw(st.integers(1, len(row) - 1))]
    with fresh_house(PACK) as house:
        path = house.drop("stock.csv", cut)
        report = house.run()
        assert [(wait.code, wait.name) for wait in report.strays] == [("incomplete_file", "stock.csv")]
        assert (path.read_bytes().decode(), house.records()) == (cut, [])
        assert "stock.csv.waiting.txt" in house.replies()
        house.drop("stock.csv", whole)
        house.run()
        assert {record["vpc"] for record in house.records()} == {f"{vpc}, Ltd" for vpc in good}
        assert "stock.csv.waiting.txt" not in house.replies()
