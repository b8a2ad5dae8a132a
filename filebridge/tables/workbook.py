"""`WorkbookTable`: one sheet of a workbook as a table, whatever the workbook's format."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from filebridge.errors import FileRefused
from filebridge.position import column_letter
from filebridge.rejects import Note
from filebridge.tables.rows import Row, Sieve
from filebridge.tables.sheet_layout import HEAD_ROWS, SheetLayout, holds_table, lay_out
from filebridge.tables.sheets import SheetFacts, SheetPart, Workbook
from filebridge.tables.table import Chunk, Notes, ReadHow, ReadOptions


@dataclass
class WorkbookTable(Notes):
    """One sheet of a workbook. Each pass of `chunks` reads the sheet from its start."""

    headers: tuple[str, ...]
    how: ReadHow
    workbook: Workbook
    sheet: SheetPart
    layout: SheetLayout
    options: ReadOptions

    def chunks(self, columns: Sequence[int]) -> Iterator[Chunk]:
        facts = SheetFacts()
        sieve = Sieve.of(self.headers, columns, self.options)
        yield from sieve.chunks(self._rows(facts))
        if not sieve.rows:
            self.say(Note("empty_file", "The sheet has a header and no rows."))
        self._say_hidden(facts)

    def _rows(self, facts: SheetFacts) -> Iterator[Row]:
        """The rows below the header, cut to the columns of the table and as wide as it is."""
        places = self.layout.columns
        first, width = (places[0], len(places)) if places else (0, 0)
        is_whole = places == tuple(range(first, first + width))
        end = first + width
        for row, cells, kinds in self.workbook.rows(
            self.sheet, facts, skip_hidden=self.options.hidden == "skip"
        ):
            if row <= self.layout.header_row:
                continue
            gap = end - len(cells)
            if gap < 0 and is_whole and any(cell.strip() for cell in cells[end:]):
                self._say_beyond(row, end)
            padded = [*cells, *[""] * gap] if gap > 0 else cells
            of = kinds and kinds + bytes(gap) if gap > 0 else kinds
            if is_whole:
                yield row, padded[first:end], of and of[first:end]
            else:
                yield row, [padded[at] for at in places], of and bytes(of[at] for at in places)

    def _say_beyond(self, row: int, end: int) -> None:
        if not any(note.code == "values_beyond_header" for note in self.found):
            last = column_letter(end - 1)
            message = f"From row {row} on there are values right of column {last}; they were left out."
            self.say(Note("values_beyond_header", message, row))

    def _say_hidden(self, facts: SheetFacts) -> None:
        treated = "left out" if self.options.hidden == "skip" else "read like the others"
        columns = facts.hidden_columns & set(range(max(self.layout.columns, default=0) + 1))
        if facts.hidden_rows:
            self.say(
                Note("hidden_rows", f"The sheet has {facts.hidden_rows} hidden rows; they were {treated}.")
            )
        if columns:
            names = ", ".join(column_letter(at) for at in sorted(columns))
            self.say(Note("hidden_columns", f"The sheet has hidden columns ({names}); they were {treated}."))
        if self.options.hidden == "refuse" and (facts.hidden_rows or columns):
            raise FileRefused(
                "unreadable_file",
                "The sheet has hidden rows or columns, and the mapping says `hidden: refuse`.",
                fix="Unhide or delete them, or declare `read: {hidden: include}`.",
            )


@dataclass(frozen=True)
class _Choice:
    """A sheet that was chosen, its first rows, and how sure the choice is."""

    sheet: SheetPart
    head: list[Row]
    facts: SheetFacts
    confidence: float = 1.0
    doubt: str = ""


def open_workbook(workbook: Workbook, *, format_name: str, options: ReadOptions) -> WorkbookTable:
    """Opens the sheet that `options` name, or the one that holds the table."""
    choice = _named_sheet(workbook, options) if options.sheet else _sheet_with_table(workbook, options)
    skip = re.compile(options.skip_rows) if options.skip_rows else None
    layout = lay_out(choice.head, options.header_row, skip)
    if options.hidden == "skip":
        layout = _without(layout, choice.facts.hidden_columns)
    if not layout.columns:
        raise FileRefused(
            "empty_file", f"The sheet {choice.sheet.name} has no filled cell.", fix="Export it again."
        )
    if layout.header_row and not layout.headers:
        raise FileRefused(
            "missing_column",
            f"Row {layout.header_row}, which `header_row` names, is blank or not there.",
            fix="Correct `header_row`; rows are counted as a spreadsheet shows them.",
        )
    headers = layout.headers or tuple(column_letter(at) for at in layout.columns)
    detected = [
        key
        for key, told in (("sheet", options.sheet), ("header_row", options.header_row is not None))
        if not told
    ]
    how = ReadHow(
        format=format_name,
        sheet=choice.sheet.name,
        header_row=layout.header_row,
        quote="",
        confidence=min(choice.confidence, layout.confidence),
        detected=tuple(detected),
    )
    table = WorkbookTable(headers, how, workbook, choice.sheet, layout, options)
    for doubt in (*([choice.doubt] if choice.doubt else []), *layout.doubts):
        table.say(Note("unsure", f"Not sure how to read the workbook: {doubt}. Declare it under `read:`."))
    return table


def _without(layout: SheetLayout, hidden: set[int]) -> SheetLayout:
    kept = [place for place, at in enumerate(layout.columns) if at not in hidden]
    return SheetLayout(
        layout.header_row,
        tuple(layout.headers[place] for place in kept) if layout.headers else (),
        tuple(layout.columns[place] for place in kept),
        layout.confidence,
        layout.doubts,
    )


def _head(workbook: Workbook, sheet: SheetPart, options: ReadOptions) -> tuple[list[Row], SheetFacts]:
    facts = SheetFacts()
    if not sheet.part:
        return [], facts
    rows = workbook.rows(sheet, facts, skip_hidden=options.hidden == "skip")
    return list(islice(rows, HEAD_ROWS)), facts


def _named_sheet(workbook: Workbook, options: ReadOptions) -> _Choice:
    """The sheet of this name, pattern or number."""
    wanted = options.sheet or ""
    names = [sheet.name for sheet in workbook.sheets]
    exact = [sheet for sheet in workbook.sheets if sheet.name == wanted]
    alike = [
        sheet for sheet in workbook.sheets if fnmatch.fnmatchcase(sheet.name.casefold(), wanted.casefold())
    ]
    by_number = (
        [workbook.sheets[int(wanted) - 1]]
        if wanted.isdecimal() and 0 < int(wanted) <= len(workbook.sheets)
        else []
    )
    found = exact or alike or by_number
    if not found:
        raise FileRefused(
            "unreadable_file",
            f"The workbook has no sheet {wanted}; it has {', '.join(names)}.",
            fix="Correct `sheet` under `read:`, or rename the sheet.",
        )
    head, facts = _head(workbook, found[0], options)
    if len(found) == 1:
        return _Choice(found[0], head, facts)
    others = ", ".join(sheet.name for sheet in found)
    return _Choice(found[0], head, facts, 0.5, f"`sheet: {wanted}` fits several sheets ({others})")


def _sheet_with_table(workbook: Workbook, options: ReadOptions) -> _Choice:
    """The one visible sheet that holds a table; else the first that holds anything."""
    heads = [(sheet, *_head(workbook, sheet, options)) for sheet in workbook.sheets if not sheet.is_hidden]
    tables = [found for found in heads if holds_table(found[1])]
    if len(tables) == 1:
        return _Choice(*tables[0])
    if tables:
        names = ", ".join(sheet.name for sheet, _, _ in tables)
        return _Choice(*tables[0], 0.5, f"several sheets hold a table ({names})")
    filled = [found for found in heads if found[1]]
    if not filled:
        filled = [(sheet, *_head(workbook, sheet, options)) for sheet in workbook.sheets if sheet.is_hidden]
        filled = [found for found in filled if found[1]]
    if not filled:
        raise FileRefused("empty_file", "No sheet of the workbook has a filled cell.", fix="Export it again.")
    if len(filled) == 1:
        return _Choice(*filled[0])
    names = ", ".join(sheet.name for sheet, _, _ in filled)
    return _Choice(*filled[0], 0.5, f"it is not plain which sheet holds the table ({names})")
