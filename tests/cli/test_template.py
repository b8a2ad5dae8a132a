"""Templates: what stands in them, and that they come back as they were filled in, from any spreadsheet program."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from filebridge.reader.here import read_here
from filebridge.reader.job import ReadJob

openpyxl = pytest.importorskip("openpyxl")

ORDERS = "document: purchase-orders\ncolumns: {PO: po, Item: vpc, Qty: quantity}\n"
TRACKING = ("123456789012345678", "000123", "1Z999AA10123456784", "9400110200881234567890", "1E5")
OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
with_office = pytest.mark.skipif(
    OFFICE is None,
    reason="NO LIBREOFFICE HERE: that templates survive a spreadsheet program was NOT tested; install soffice",
)


@pytest.fixture
def ordered(workspace: Any) -> Any:
    """A workspace whose three POs are in a file and marked submitted, and that knows the ship classes."""
    workspace.write("mappings/acme/purchase-orders.yaml", ORDERS)
    assert workspace.read("run", "--only", "out").code == 0
    assert workspace.read("carriers", "--vendor", "acme").code == 0
    return workspace


def made(workspace: Any, document: str, tmp_path: Path) -> Path:
    target = tmp_path / f"{document} by hand.xlsx"
    ended = workspace.read("template", document, "--vendor", "acme", "-o", str(target))
    assert ended.code == 0, ended.all
    return target


def records_of(path: Path, tmp_path: Path, name: str = "x.xlsx") -> tuple[str, list[dict[str, Any]]]:
    """The document that a file is taken for without a mapping, and its records; no row may be refused."""
    spool = tmp_path / f"spool-{name}"
    job = ReadJob(path, name, spool, vendor_id="27", vendor_zone="America/Denver", received_at=1)
    read = read_here(job)
    assert [batch.to_pylist() for batch in read.rejects()] == []
    return read.mapped.document, [record for batch in read.records() for record in batch.to_pylist()]


def fill(path: Path, **columns: list[Any]) -> None:
    """Write cells of a template as a person does, from the second row on, and save it."""
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    places = {cell.value: cell.column for cell in sheet[1]}
    for name, values in columns.items():
        for row, value in enumerate(values, 2):
            sheet.cell(row, places[name]).value = value
    book.save(path)


def converted(path: Path, ending: str, folder: Path) -> Path:
    """A file as LibreOffice saves it in another format."""
    assert OFFICE
    home = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [OFFICE, "--headless", home, "--convert-to", ending, "--outdir", str(folder), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120, stdin=subprocess.DEVNULL)
    return folder / f"{path.stem}.{ending}"


DOCUMENTS = {
    "inventory": {"vpc": ["00120"], "quantity": ["7"]},
    "shipments": {
        "po": ["D1"],
        "vpc": ["007"],
        "quantity": ["2"],
        "tracking_number": ["00123"],
        "carrier": ["LTL"],
    },
    "acknowledgements": {"po": ["D1"], "vpc": ["007"], "quantity": ["2"], "status": ["backordered"]},
    "ship-dates": {
        "po": ["D1"],
        "vpc": ["007"],
        "quantity": ["2"],
        "estimated_ship_date": [date(2026, 11, 24)],
    },
    "submissions": {"po": ["D1"], "vpc": ["007"], "quantity": ["2"]},
}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_blank_template_is_filled_in_and_known_by_its_sheet(
    here: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, document: str
) -> None:
    (tmp_path / "mappings").mkdir()
    monkeypatch.chdir(tmp_path)
    ended = here("template", document)
    assert ended.code == 0, ended.all
    path = tmp_path / f"{document}.xlsx"
    assert f"Wrote {document}.xlsx: fill in " in ended.err
    fill(path, **DOCUMENTS[document])
    found, (record,) = records_of(path, tmp_path)
    assert found == document
    for field, (value,) in DOCUMENTS[document].items():
        if not isinstance(value, date):
            assert str(record[field]) == value
    assert here("template", document).code == 2


def test_shipments_have_the_open_orders_and_the_carriers_to_choose_from(ordered: Any, tmp_path: Path) -> None:
    path = made(ordered, "shipments", tmp_path)
    book = openpyxl.load_workbook(path)
    sheet, lists = book.worksheets
    assert (sheet.title, lists.sheet_state) == ("shipments", "hidden")
    assert [cell.value for cell in sheet[1]] == [
        *("po", "vpc", "quantity", "tracking_number", "carrier", "shipped_at"),
    ]
    assert all(cell.comment and len(cell.comment.text) > 10 for cell in sheet[1])
    assert sheet.freeze_panes == "A2"
    known = {
        (order["po"], item["vpc"], str(item["quantity"]))
        for order in orders(ordered)
        for item in order["items"]
    }
    rows = [tuple(cell.value for cell in row) for row in sheet.iter_rows(min_row=2) if row[0].value]
    assert {row[:3] for row in rows} == known
    assert len(rows) == len(known)
    assert {row[3:] for row in rows} == {(None, None, None)}
    for column in "ABCDE":
        assert {sheet[f"{column}{row}"].number_format for row in (2, 900)} == {"@"}
    assert sheet["F2"].number_format == "yyyy-mm-dd"
    rules = {str(rule.sqref)[0]: rule for rule in sheet.data_validations.dataValidation}
    assert (rules["E"].type, rules["E"].errorStyle) == ("list", "warning")
    choices = [cell.value for (cell,) in lists.iter_rows()]
    assert rules["E"].formula1 == f"choices!$A$1:$A${len(choices)}"
    assert "UPS Ground" in choices
    assert [choice for choice in choices if choice.startswith("FedEx Ground")] == [
        "FedEx Ground (id 7)",
        "FedEx Ground (id 113)",
    ]


def orders(workspace: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = workspace.read("orders", "--json").json["orders"]
    return found


def test_each_document_has_the_orders_of_its_stage(workspace: Any, tmp_path: Path) -> None:
    workspace.write("mappings/acme/purchase-orders.yaml", ORDERS)
    rows: dict[str, list[int]] = {}
    for command in (["orders", "fetch"], ["run", "--only", "out"]):
        assert workspace.read(*command).code == 0
        for document in ("submissions", "acknowledgements", "ship-dates", "shipments"):
            target = str(tmp_path / f"{document}-{command[0]}.xlsx")
            told = workspace.read("template", document, "--vendor", "acme", "-o", target, "--json").json
            rows.setdefault(document, []).append(told["rows"])
    items = sum(len(order["items"]) for order in orders(workspace))
    assert rows.pop("submissions") == [items, 0]
    assert set(map(tuple, rows.values())) == {(0, items)}


def test_statuses_are_a_list_that_nothing_else_passes(ordered: Any, tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(made(ordered, "acknowledgements", tmp_path)).worksheets[0]
    rules = {str(rule.sqref)[0]: rule for rule in sheet.data_validations.dataValidation}
    assert (rules["D"].formula1, rules["D"].errorStyle) == ('"accepted,backordered,rejected"', None)
    assert (rules["E"].type, sheet["E2"].number_format) == ("date", "yyyy-mm-dd")


def test_two_lines_of_one_product_are_told_apart(ordered: Any, retailops: Any, tmp_path: Path) -> None:
    from filebridge.bridge.templates import filled
    from filebridge.ledger.connect import open_ledger
    from filebridge.ledger.orders import order_row, put_orders
    from filebridge.workspace import Workspace

    pack = Workspace.open(ordered.folder, environment={}).load_pack("acme")
    ledger = open_ledger(f"sqlite:///{ordered.folder}/.filebridge/ledger.db")
    with ledger.begin() as connection:
        row = order_row(connection, "acme", orders(ordered)[0]["po"])
        assert row is not None
        object.__setattr__(row, "items", ((900, "007", 1), ("901", "007", 2)))
        put_orders(connection, [row])
        template = filled(connection, "ship-dates", pack)
    ledger.close()
    assert template.headers == ["po", "vpc", "po_item_id", "quantity", "estimated_ship_date"]
    assert {(row.po, "007", "900", "1"), (row.po, "007", "901", "2")} <= set(template.rows)


def test_the_name_is_one_that_no_mapping_takes(
    ordered: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordered.write(
        "mappings/acme/shipments.yaml",
        "document: shipments\nfields: {po: A, vpc: B, quantity: C, tracking_number: D, carrier: E}\n",
    )
    monkeypatch.chdir(tmp_path)
    assert ordered.read("template", "shipments", "--vendor", "acme", "--json").json["file"] == (
        "by-hand-shipments.xlsx"
    )
    ended = ordered.read("template", "shipments", "--vendor", "acme", "-o", "shipments-1.xlsx")
    assert "mappings/acme/shipments.yaml takes files of this name" in ended.err


def test_the_same_template_has_the_same_bytes(ordered: Any, tmp_path: Path) -> None:
    first = made(ordered, "shipments", tmp_path).read_bytes()
    (tmp_path / "again").mkdir()
    assert made(ordered, "shipments", tmp_path / "again").read_bytes() == first


@with_office
@pytest.mark.parametrize(
    "way",
    [
        pytest.param(("xlsx",), id="xlsx"),
        pytest.param(("ods", "xlsx"), id="ods then xlsx", marks=pytest.mark.slow),
    ],
)
def test_what_was_filled_in_survives_libreoffice_as_text(
    ordered: Any, tmp_path: Path, way: tuple[str, ...]
) -> None:
    path = made(ordered, "shipments", tmp_path)
    count = sum(len(order["items"]) for order in orders(ordered))
    tracking = [TRACKING[row % len(TRACKING)] for row in range(count)]
    carriers = ["FedEx Ground (id 113)", "UPS Ground"] * count
    fill(
        path,
        tracking_number=tracking,
        carrier=carriers[:count],
        shipped_at=[date(2026, 11, 24)] * count,
    )
    before = records_of(path, tmp_path, "before.xlsx")
    for number, ending in enumerate(way):
        folder = tmp_path / f"saved-{number}"
        folder.mkdir()
        path = converted(path, ending, folder)
    document, records = records_of(path, tmp_path, path.name)
    assert (document, records) == before
    assert document == "shipments"
    assert [record["tracking_number"] for record in records] == tracking
    assert [record["carrier"] for record in records] == carriers[:count]
    assert {record["po"] for record in records} == {order["po"] for order in orders(ordered)}
    noon = datetime(2026, 11, 24, 19, tzinfo=UTC)
    assert {record.get("shipped_at", 0) // 1_000_000 for record in records} == {int(noon.timestamp())}
    with zipfile.ZipFile(path) as saved:
        assert b"choices" in saved.read("xl/workbook.xml")


def test_columns_that_nobody_fills_in_do_not_hide_the_header(ordered: Any, tmp_path: Path) -> None:
    document, records = records_of(made(ordered, "acknowledgements", tmp_path), tmp_path)
    assert document == "acknowledgements"
    assert {record["po"] for record in records} == {order["po"] for order in orders(ordered)}


@with_office
def test_what_was_typed_into_the_empty_rows_survives_libreoffice_as_text(
    ordered: Any, tmp_path: Path
) -> None:
    path = made(ordered, "inventory", tmp_path)
    fill(path, vpc=["00120", "123456789012345678", "1E5", "3-4"], quantity=["1", "2", "3", "4"])
    (tmp_path / "saved").mkdir()
    document, records = records_of(converted(path, "xlsx", tmp_path / "saved"), tmp_path)
    assert document == "inventory"
    assert [record["vpc"] for record in records] == ["00120", "123456789012345678", "1E5", "3-4"]
