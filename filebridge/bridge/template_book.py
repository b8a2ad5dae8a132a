"""A template as a workbook: text cells, lists to choose from, and a word on what belongs where."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, BinaryIO, Final

from filebridge.bridge.templates import Column, Holds, Template

BLANK_ROWS: Final = 1000
"""Rows that are text cells before anything is typed into them, so that 00120 stays 00120."""
_LONGEST_LIST: Final = 255
"""Characters of a list that Excel takes within the rule itself."""
_LONGEST_HINT: Final = 255
_SOME_DAY: Final = datetime(2000, 1, 1)
"""Written as the time of creation: the same rows give the same bytes, on any day."""
_EARLIEST: Final = date(2000, 1, 1)
_CHOICES_SHEET: Final = "choices"

_KNOWN_HEAD, _FILL_HEAD = "#44546A", "#1F6F54"
_TO_FILL, _LINE, _NEXT_PO = "#FFF8DC", "#D9DEE4", "#8A97A6"


def write_template(stream: BinaryIO, template: Template) -> None:
    """Write the workbook. Its first sheet has the document's name, by which FileBridge knows it again."""
    import xlsxwriter

    with xlsxwriter.Workbook(stream, {"constant_memory": True}) as book:
        book.set_properties({"created": _SOME_DAY, "title": template.document, "author": "FileBridge"})
        _Sheet(book, template).write()


class _Sheet:
    """The sheet that is filled in, and the hidden one that its longer lists stand on."""

    def __init__(self, book: Any, template: Template) -> None:
        self.book = book
        self.template = template
        self.page = book.add_worksheet(template.document)
        self.last = len(template.rows) + BLANK_ROWS
        self.formats: dict[tuple[object, ...], Any] = {}

    def write(self) -> None:
        """Set up the sheet, then write its rows from the top: each is out of memory once the next begins."""
        page, columns = self.page, self.template.columns
        page.freeze_panes(1, 0)
        page.ignore_errors({"number_stored_as_text": "A1:XFD1048576", "two_digit_text_year": "A1:XFD1048576"})
        page.set_landscape()
        page.fit_to_pages(1, 0)
        page.repeat_rows(0)
        page.set_footer(f"&L{self.template.document}&RPage &P of &N")
        page.set_row(0, 24)
        for place, column in enumerate(columns):
            page.set_column(place, place, column.width, self._cell(column))
            page.write_string(0, place, column.field, self._head(column))
            page.write_comment(0, place, column.says, _comment_of(column))
            self._guide(place, column)
        self._rows()

    def _rows(self) -> None:
        before = ""
        for row, cells in enumerate(self.template.rows, 1):
            is_next = self.template.pos > 0 and row > 1 and cells[0] != before
            before = cells[0]
            for place, column in enumerate(self.template.columns):
                text = cells[place] if place < len(cells) else ""
                form = self._cell(column, is_known=True, is_next=is_next)
                if text:
                    self.page.write_string(row, place, text, form)
                else:
                    self.page.write_blank(row, place, None, form)
        for row in range(len(self.template.rows) + 1, self.last + 1):
            for place, column in enumerate(self.template.columns):
                self.page.write_blank(row, place, None, self._cell(column))

    def _cell(self, column: Column, *, is_known: bool = False, is_next: bool = False) -> Any:
        look: dict[str, object] = {"num_format": "yyyy-mm-dd" if column.holds is Holds.DATE else "@"}
        look |= _aligned(column)
        if is_known:
            look |= {"bottom": 1, "bottom_color": _LINE}
            look |= {"bg_color": _TO_FILL, "left": 1, "left_color": _LINE} if column.to_fill else {}
            look |= {"top": 1, "top_color": _NEXT_PO} if is_next else {}
        return self._format(look)

    def _head(self, column: Column) -> Any:
        return self._format(
            {
                "num_format": "@",
                "bold": True,
                "font_color": "#FFFFFF",
                "bg_color": _FILL_HEAD if column.to_fill else _KNOWN_HEAD,
                "valign": "vcenter",
                **_aligned(column),
            }
        )

    def _format(self, look: dict[str, object]) -> Any:
        key = tuple(sorted(look.items()))
        if key not in self.formats:
            self.formats[key] = self.book.add_format(look)
        return self.formats[key]

    def _guide(self, place: int, column: Column) -> None:
        """The rule of a column: its list, or that it is a date; and what belongs there, beside the chosen cell."""
        rule: dict[str, object] = {}
        if column.choices:
            rule = {"validate": "list", "source": self._source(column)}
            rule |= {
                "error_type": "warning" if column.may_differ else "stop",
                "error_title": "Not in the list",
            }
            other = (
                "Another word is taken where carriers.yaml has a line for it." if column.may_differ else ""
            )
            rule["error_message"] = other or f"Choose one of: {', '.join(column.choices)}."
        elif column.holds is Holds.DATE:
            rule = {"validate": "date", "criteria": ">=", "value": _EARLIEST, "error_title": "Not a date"}
            rule["error_message"] = "Write a date as your spreadsheet does, such as 2026-11-24."
        elif column.to_fill:
            rule = {"validate": "any"}
        if rule:
            rule |= {"input_title": column.field, "input_message": column.says[:_LONGEST_HINT]}
            self.page.data_validation(1, place, self.last, place, rule)

    def _source(self, column: Column) -> object:
        choices = column.choices
        if len(",".join(choices)) <= _LONGEST_LIST and not any("," in choice for choice in choices):
            return list(choices)
        sheet = self.book.add_worksheet(_CHOICES_SHEET)
        sheet.set_column(0, 0, 40)
        for row, choice in enumerate(choices):
            sheet.write_string(row, 0, choice)
        sheet.hide()
        return f"={_CHOICES_SHEET}!$A$1:$A${len(choices)}"


def _aligned(column: Column) -> dict[str, object]:
    if column.holds is Holds.DATE:
        return {"align": "center"}
    return {"align": "right" if column.holds is Holds.COUNT else "left", "indent": 1}


def _comment_of(column: Column) -> dict[str, object]:
    lines = 2 + len(column.says) // 34
    return {"author": "FileBridge", "width": 230, "height": 18 * lines, "font_size": 9, "color": "#FFFFE8"}
