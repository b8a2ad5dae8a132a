"""Golden cases: a vendor's file as it was sent, and the exact calls, receipt and reject file that come of it.

Each file is previewed before it is dropped, and what comes of it must be what `preview` said.

A case is a folder `golden/<vendor>/<case>/`, named after its trouble:

    why.txt        what must come of it, in a sentence
    mapping/       the vendor pack
    known.json     what was before: steps, and `sandbox` for settings of the pretended RetailOps
    in/            the file; without it the last step names it (a reject file dropped back, a held file released)
    calls.json     bodies of its calls, sorted
    receipt.json   its receipt, without ids, hashes and times
    rejects.csv    its reject file, byte for byte but for the file id; the cells of one that is a workbook

Steps are `{"drop": {name: text}}`, `{"wait": seconds}`, `{"release": name}`, and `{"drop_back": reject file,
"cells": {"B2": text}}`, which corrects cells (as a spreadsheet names them) and drops the result.
`pytest tests/test_golden.py --accept` writes expectations that are missing, and never changes one.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path.parent for path in GOLDEN.glob("*/*/why.txt"))
EXPECTED = ("calls.json", "receipt.json", "rejects.csv")
KNOWN = {"why.txt", "mapping", "known.json", "in", *EXPECTED}
VOLATILE = ("sha256", "received_at")


@pytest.mark.parametrize("case", CASES, ids=[f"{case.parent.name}/{case.name}" for case in CASES])
def test_a_file_ends_as_its_case_says(case: Path, house: Any, request: pytest.FixtureRequest) -> None:
    assert {path.name for path in case.iterdir()} <= KNOWN
    found = dict(_play(case, house))
    if request.config.getoption("--accept"):
        for name in found.keys() - {path.name for path in case.iterdir()}:
            (case / name).write_bytes(found[name])
    wanted = {name: (case / name).read_bytes() for name in EXPECTED if (case / name).exists()}
    assert wanted.keys() == found.keys(), "an expectation is missing, or not used"
    for name, content in wanted.items():
        assert found[name].decode("latin-1") == content.decode("latin-1"), name


def test_every_folder_below_golden_is_a_case() -> None:
    assert [path for path in GOLDEN.glob("*/*") if path not in CASES] == []


def _play(case: Path, house: Any) -> Iterator[tuple[str, bytes]]:
    """Play a case in a house of its own; its expectations as they turn out, by name."""
    vendor = case.parent.name
    house.pack({path.name: path.read_bytes() for path in (case / "mapping").iterdir()}, vendor)
    known = json.loads((case / "known.json").read_text()) if (case / "known.json").exists() else {}
    house.sandbox.settings = house.sandbox.settings.changed(known.get("sandbox", {}))
    steps = [*known.get("steps", [])]
    if (case / "in").exists():
        steps.append({"drop": {path.name: path.read_bytes() for path in sorted((case / "in").iterdir())}})
    ids: dict[str, str] = {}
    for step in steps:
        before = len(house.bodies())
        name = _take(step, house, vendor, ids)
    result = house.receipt(name, vendor)
    _check_counts(result, house.rows(result["file"]["id"]))
    # Calls go out side by side, so that their order is chance.
    yield "calls.json", _as_json([json.loads(body) for body in sorted(house.bodies()[before:])], {})
    yield "receipt.json", _as_json(_without_times(result), ids)
    if result["reject_file"]:
        yield "rejects.csv", _named(_as_csv(house.replies(vendor)[result["reject_file"]]), ids)


def _take(step: dict[str, Any], house: Any, vendor: str, ids: dict[str, str]) -> str:
    """Take one step and run; the name of the file that it was about."""
    name = ""
    if "wait" in step:
        house.clock.move(step["wait"])
        return name
    if "release" in step:
        name = step["release"]
        house.decide("release", {name: file_id for file_id, name in ids.items()}[name])
    if "drop_back" in step:
        name = step["drop_back"]
        report = house.run_as_previewed(name, _corrected(house.replies(vendor)[name], step["cells"]), vendor)
    elif "drop" in step:
        [(name, content)] = step["drop"].items()
        report = house.run_as_previewed(name, content, vendor)
    else:
        report = house.run()
    ids |= {file.file_id: file.name for file in report.files}
    house.clock.move(1)
    return name


def _corrected(content: bytes, cells: dict[str, str]) -> bytes:
    """A reject file in which a person has written these cells."""
    if content.startswith(b"PK"):
        from openpyxl import load_workbook

        book = load_workbook(BytesIO(content))
        for place, text in cells.items():
            book.active[place] = text
        saved = BytesIO()
        book.save(saved)
        return saved.getvalue()
    rows = list(csv.reader(StringIO(content.decode("utf-8-sig"), newline="")))
    for place, text in cells.items():
        rows[int(place[1:]) - 1][ord(place[0]) - ord("A")] = text
    written = StringIO(newline="")
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()


def _without_times(receipt: dict[str, Any]) -> dict[str, Any]:
    file = {key: value for key, value in receipt["file"].items() if key not in VOLATILE}
    return receipt | {"file": file, "calls": receipt["calls"]["count"]}


def _check_counts(receipt: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    assert sum(receipt["outcomes"].values()) == receipt["file"]["rows"]
    each = {row["row"]: row["outcome"] for row in rows}
    assert {one: [*each.values()].count(one) for one in each.values()} == receipt["outcomes"]


def _as_json(value: Any, ids: dict[str, str]) -> bytes:
    return _named((json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode(), ids)


def _named(content: bytes, ids: dict[str, str]) -> bytes:
    """With the names of files in the place of their ids, which differ each time."""
    for file_id, name in ids.items():
        content = content.replace(file_id.encode(), f"<id of {name}>".encode())
    return content


def _as_csv(content: bytes) -> bytes:
    """A reject file as text: a workbook as the texts of its cells."""
    if not content.startswith(b"PK"):
        return content
    from openpyxl import load_workbook

    written = StringIO(newline="")
    rows = load_workbook(BytesIO(content)).active.iter_rows(values_only=True)
    csv.writer(written, lineterminator="\n").writerows(
        [["" if cell is None else cell for cell in row] for row in rows]
    )
    return written.getvalue().encode()
