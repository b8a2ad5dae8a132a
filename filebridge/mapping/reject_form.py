"""The form of a reject file: our columns beside the sender's own, and how cells are shown (DESIGN section 9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from filebridge.mapping.spelling import scientific
from filebridge.tables.rows import loose
from filebridge.tables.table import Kind, ReadHow

FB_ROW: Final = "fb_row"
FB_COLUMN: Final = "fb_column"
FB_CODE: Final = "fb_code"
FB_MESSAGE: Final = "fb_message"
FB_FILE: Final = "fb_file"
FB_REST: Final = "fb_rest"
FB_COLUMNS: Final = (FB_ROW, FB_COLUMN, FB_CODE, FB_MESSAGE, FB_FILE)
"""The columns that follow the sender's own in a reject file; `fb_rest` after them where a row is ragged."""

BETWEEN: Final = "; "
"""Between several columns in `fb_column` and several codes in `fb_code`."""

LONGEST_CELL: Final = 32_767
"""Characters that a cell of a workbook holds."""

NAMES: Final = {loose(name): name for name in (*FB_COLUMNS, FB_REST)}
WORKBOOKS: Final = frozenset({"xlsx", "xlsm", "xls", "xlsb", "ods"})


def fb_places(headers: Sequence[str]) -> dict[str, int]:
    """Where each `fb_` column stands, compared without case and spaces."""
    found: dict[str, int] = {}
    for place, header in enumerate(headers):
        if name := NAMES.get(loose(header)):
            found.setdefault(name, place)
    return found


def named_columns(text: str, headers: Sequence[str]) -> frozenset[int]:
    """Places of the columns that an `fb_column` cell names. Headers may themselves hold what stands between."""
    found: set[int] = set()
    rest = text.strip()
    by_length = sorted({header.strip() for header in headers if header.strip()}, key=len, reverse=True)
    while rest:
        name = next(
            (name for name in by_length if rest == name or rest.startswith(name + BETWEEN.strip())), None
        )
        if name is None:
            name, _, _ = rest.partition(BETWEEN.strip())
        found.update(
            place for place, header in enumerate(headers) if loose(header) == loose(name) and loose(name)
        )
        rest = rest[len(name) :].removeprefix(BETWEEN.strip()).strip()
    return frozenset(found)


def written(text: str, kind: int) -> str:
    """A cell of the original as a reject file shows it: a number that was rounded as `9.4E+21`."""
    return scientific(text) if kind == Kind.DAMAGED else text


def surplus_of(cells: Sequence[str], width: int, delimiter: str) -> str:
    """What `fb_rest` says of a ragged row. While it is filled, the row stays ragged."""
    rest = list(cells[width:])
    while rest and not rest[-1].strip():
        rest.pop()
    if rest:
        return (delimiter or ",").join(rest)
    if len(cells) < width:
        missing = width - len(cells)
        what = "1 cell is" if missing == 1 else f"{missing} cells are"
        return f"({what} missing; empty this cell when the row is right)"
    return "(what stands above is not known; empty this cell when the row is right)"


def form_of(original: ReadHow) -> ReadHow:
    """The form of a reject file, given how its original is read: the sender's own, its header in the first row.

    The reject file of a workbook is XLSX, that of a fixed-width file CSV. Cells are quoted, unless the sender
    has neither quotes nor another way to write a delimiter within a cell.
    """
    if original.format in WORKBOOKS:
        return ReadHow(format="xlsx")
    is_fixed = original.format == "fixed"
    return ReadHow(
        format="csv",
        encoding=original.encoding or "utf-8",
        delimiter="," if is_fixed or not original.delimiter else original.delimiter,
        quote=original.quote or ('"' if is_fixed or original.escape else ""),
        escape="" if is_fixed else original.escape,
        line_end=original.line_end,
        bom=original.bom,
    )
