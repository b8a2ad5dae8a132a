"""Where a file stops short, told by its bytes alone: cut at every byte, in every way to write it."""

from __future__ import annotations

import codecs
from io import BytesIO
from pathlib import Path

import pytest

from filebridge.tables.table import ReadOptions
from filebridge.tables.whole import why_cut

FILES = Path(__file__).parent / "files"
QUOTED = 'SKU,Name,Qty\r\n"A-1","Lamp, 5"" high\r\nwith stand",120\r\nA-2,"",1300\r\n'


def why(content: bytes, name: str = "a.csv", *, needs_line_end: bool = True, **options: object) -> str:
    cut = why_cut(BytesIO(content), name=name, options=ReadOptions(**options), needs_line_end=needs_line_end)
    return cut.message if cut else ""


@pytest.mark.parametrize(
    "coded",
    [
        QUOTED.encode(),
        codecs.BOM_UTF8 + QUOTED.replace("Lamp", "Läuchte").encode(),
        QUOTED.encode("utf-16"),
        codecs.BOM_UTF16_BE + QUOTED.encode("utf-16-be"),
        QUOTED.replace(",", "\t").encode("cp1252"),
        QUOTED.replace("\r\n", "\n").encode(),
        QUOTED.replace("\r\n", "\r").encode(),
    ],
    ids=["csv", "utf-8 mark", "utf-16-le", "utf-16-be", "tab", "lf", "cr"],
)
def test_a_text_cut_at_any_byte_but_a_line_end_is_seen(coded: bytes) -> None:
    assert why(coded) == ""
    unseen = [coded[:end] for end in range(len(coded)) if not why(coded[:end])]
    wide = coded.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    texts = {part.decode("utf-16" if wide else "cp1252").removeprefix("ï»¿") for part in unseen}
    # An empty file has nothing to be cut; the line end within quotes is none of a record.
    ends = [text for text in texts if text]
    assert len({text.rstrip("\r\n") for text in ends}) == 2
    assert all(text[-1] in "\r\n" and text.count('"') % 2 == 0 for text in ends)


@pytest.mark.parametrize("name", ["price_formats.xlsx", "biff8_stock.xls", "stock.xlsb", "typed_cells.ods"])
def test_a_workbook_cut_at_any_byte_is_seen(name: str) -> None:
    path = FILES / name
    content = path.read_bytes()
    assert why(content, path.name) == ""
    step = max(1, len(content) // 500)
    for end in (*range(1, 400), *range(400, len(content), step), len(content) - 1):
        assert why(content[:end], path.name), end


def test_what_is_seen_is_said_without_a_cell() -> None:
    assert why(b"SKU,Name,Qty\nA-1,Lamp,120\nA-2,Sec") == (
        "It may be cut short: its last line, line 3, does not end with a line end; "
        "it has 2 cells, and the header 3."
    )
    assert why(b"SKU,Qt") == "It may be cut short: its only line does not end with a line end."
    assert why(b'SKU,Qty\n"A-1,120\n') == "A quoted cell opens in row 2 and never closes."


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (b"", {}),
        (b'SKU,Name\nA-1,5" lamp\n', {}),
        (b'SKU;Name\n"A-1;x\n', {"quote": "none"}),
        (b"SKU,Qty\r\nA-1,12\r\n\x1a", {}),
        (b"A-1     12\nA-2     13\n", {"format": "fixed", "columns": {"SKU": (1, 8), "Qty": (9, 10)}}),
        (b"%PDF-1.7 and what follows", {}),
        (b"<html><table><tr><td>A-1</td></tr></table>", {}),
    ],
    ids=["empty", "inches", "no quotes", "ctrl-z", "fixed", "pdf", "html"],
)
def test_what_is_whole_or_refused_for_another_reason_does_not_wait(
    content: bytes, options: dict[str, object]
) -> None:
    assert why(content, **options) == ""


def test_a_last_line_without_an_end_is_whole_where_the_mapping_says_so() -> None:
    assert why(b"SKU,Qty\nA-1,120", needs_line_end=False) == ""
    assert why(b'SKU,Qty\nA-1,"120', needs_line_end=False) != ""
