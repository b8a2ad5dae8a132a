"""The careful reader of delimited text: the csv module in strict mode, with row numbers of its own.

It differs from the csv module in what people see in a spreadsheet: any of LF, CR LF and a lone CR ends a line,
comments count as rows but are none, and spaces outside the quotes of a quoted cell are no part of it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from filebridge.errors import FileRefused

CTRL_Z = "\x1a"
_LONGEST_RECORD = 4_000_000
"""Characters of one record beyond which an open quote is taken for one that never closes."""


@dataclass(frozen=True)
class Dialect:
    """How cells stand in lines. `quote` and `escape` are one character or empty, `comment` a prefix or empty."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    comment: str = ""

    @cached_property
    def spaced_quote(self) -> re.Pattern[str]:
        """A quote at the start of a cell with blanks before it: the csv module takes it for a character."""
        return re.compile(f"(?:^|{re.escape(self.delimiter)}) +{re.escape(self.quote)}")

    @cached_property
    def spaced_cell(self) -> re.Pattern[str]:
        """A whole quoted cell with blanks before its quote, within one line."""
        quote, delimiter = re.escape(self.quote), re.escape(self.delimiter)
        return re.compile(f" +{quote}((?:[^{quote}]|{quote}{quote})*){quote} *(?={delimiter}|[\r\n]*$)")


class Records:
    """The records of some lines, as (row, cells). `row` counts as a spreadsheet does.

    `lines` keep their line ends. Raises FileRefused: `incomplete_file` where a quoted cell never closes,
    `unreadable_file` where something stands between a closing quote and the next delimiter, or for a NUL.
    """

    def __init__(self, lines: Iterable[str], dialect: Dialect, *, first_row: int = 1) -> None:
        self._lines = iter(lines)
        self._dialect = dialect
        self._row = first_row - 1
        self._pulled: list[str] = []
        self.consumed = 0
        """Characters of all lines up to the end of the last record that was given out."""

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        dialect = self._dialect
        reader = csv.reader(
            self._feed(),
            delimiter=dialect.delimiter,
            quotechar=dialect.quote or None,
            quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
            escapechar=dialect.escape or None,
            strict=True,
        )
        spaced = f" {dialect.quote}" if dialect.quote and dialect.delimiter != " " else ""
        pulled = self._pulled
        while True:
            try:
                cells = next(reader)
                if spaced and (spaced in pulled[0] or len(pulled) > 1) and self._is_spaced():
                    cells = self._read_by_hand()
            except StopIteration:
                return
            except csv.Error:
                cells = self._read_by_hand()
            self._row += 1
            self.consumed += len(pulled[0]) if len(pulled) == 1 else sum(map(len, pulled))
            pulled.clear()
            yield self._row, cells

    def _feed(self) -> Iterator[str]:
        """Lines for the csv module, which takes as many as a record has; comments stay behind."""
        comment, pulled = self._dialect.comment, self._pulled
        for found in self._lines:
            line = found
            if comment and not pulled and line.startswith(comment):
                self._row += 1
                self.consumed += len(line)
                continue
            if "\0" in line:
                raise FileRefused(
                    "unreadable_file",
                    f"There is a NUL byte in row {self._row + 1}: this is no text table, or it is damaged.",
                    fix="Export the file again.",
                    place=f"row {self._row + 1}",
                )
            if line[-1:] == CTRL_Z:
                line = line.rstrip(CTRL_Z)
                if not line:
                    continue
            pulled.append(line)
            yield line

    def _is_spaced(self) -> bool:
        return any(self._dialect.spaced_quote.search(line) for line in self._pulled)

    def _read_by_hand(self) -> list[str]:
        """The record that begins with the lines pulled so far, cell by cell, taking more lines as needed."""
        text = "".join(self._pulled)
        cells: list[str] = []
        at = 0
        while True:
            cell, at, text = self._cell(text, at)
            cells.append(cell)
            if not text.startswith(self._dialect.delimiter, at):
                break
            at += len(self._dialect.delimiter)
        return cells

    def _cell(self, text: str, at: int) -> tuple[str, int, str]:
        """One cell from `at`: its text, where it ends, and the record's text (longer, if lines were taken)."""
        quote = self._dialect.quote
        if quote and text.startswith(quote, at):
            return self._quoted_cell(text, at + 1)
        if quote and (spaced := self._dialect.spaced_cell.match(text, at)):
            return spaced[1].replace(quote * 2, quote), spaced.end(), text
        return self._plain_cell(text, at)

    def _plain_cell(self, text: str, at: int) -> tuple[str, int, str]:
        delimiter, escape = self._dialect.delimiter, self._dialect.escape
        parts: list[str] = []
        while at < len(text) and text[at] not in "\r\n" and not text.startswith(delimiter, at):
            if escape and text[at] == escape and at + 1 < len(text):
                at += 1
            parts.append(text[at])
            at += 1
        return "".join(parts), at, text

    def _quoted_cell(self, text: str, at: int) -> tuple[str, int, str]:
        quote, escape = self._dialect.quote, self._dialect.escape
        parts: list[str] = []
        while True:
            if at >= len(text):
                text += self._one_more_line(len(text))
            elif escape and text[at] == escape and at + 1 < len(text):
                parts.append(text[at + 1])
                at += 2
            elif text[at] != quote:
                stop = at + 1
                while stop < len(text) and text[stop] != quote and text[stop] != escape:
                    stop += 1
                parts.append(text[at:stop])
                at = stop
            elif text.startswith(quote, at + 1):
                parts.append(quote)
                at += 2
            else:
                return "".join(parts), self._after_quote(text, at + 1), text

    def _after_quote(self, text: str, at: int) -> int:
        """Where the cell ends whose closing quote stands before `at`: blanks are all that may follow it."""
        while text.startswith(" ", at) and self._dialect.delimiter != " ":
            at += 1
        if at >= len(text) or text[at] in "\r\n" or text.startswith(self._dialect.delimiter, at):
            return at
        row = self._row + 1
        raise FileRefused(
            "unreadable_file",
            f"Row {row} has {text[at]!r} right after a closing quote, so nobody can tell where its cells end.",
            fix='Double the quotes inside quoted cells (""), or declare `read: {quote: none}`.',
            place=f"row {row}",
        )

    def _one_more_line(self, length: int) -> str:
        line = next(self._lines, None)
        if line is None or length > _LONGEST_RECORD:
            row = self._row + 1
            raise FileRefused(
                "incomplete_file",
                f"A quoted cell opens in row {row} and never closes.",
                fix="Send the file again, whole; if the quote is only a character, declare `read: {quote: none}`.",
                place=f"row {row}",
            )
        if line[-1:] == CTRL_Z:
            line = line.rstrip(CTRL_Z)
        self._pulled.append(line)
        return line
