"""XLSX and XLSM as a stream of rows, by an expat parser of our own.

One pass gives value, type, number format and formula of each cell, which no reader of spreadsheets gives
together. A DOCTYPE anywhere is a refusal, entities are never expanded, and memory holds the shared strings and
a piece of the sheet.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Final

from filebridge.errors import FileRefused
from filebridge.tables.admission import Archive
from filebridge.tables.number_formats import Format, builtin_format, parse_format
from filebridge.tables.rows import Row
from filebridge.tables.sheets import SheetFacts, SheetPart, damaged
from filebridge.tables.xlsx_sheet import SheetReader
from filebridge.tables.xml_parts import local, nothing, parse, relations, unescape

_STORED_RESULT: Final = re.compile(rb"</(?:\w+:)?f>\s*<(?:\w+:)?v>[^<]|<(?:\w+:)?f[^>]*/>\s*<(?:\w+:)?v>[^<]")


class Xlsx:
    """An XLSX or XLSM. Raises FileRefused for what is none, is damaged, or is built to do harm."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        if archive.repeated:
            raise damaged(
                f"The workbook's archive holds {archive.repeated[0]} twice: nobody can say which is meant."
            )
        self.main = self._main_part()
        self.from_1904 = False
        self.sheets = self._read_sheets()
        self._formats: list[Format] | None = None
        self._strings: list[str] | None = None
        self._calculated: dict[str, bool] = {}

    def _main_part(self) -> str:
        for kind, _, target in relations(self._archive, "_rels/.rels"):
            if kind == "officeDocument":
                return target
        if "xl/workbook.xml" in self._archive:
            return "xl/workbook.xml"
        raise FileRefused(
            "unreadable_file",
            "The file is a ZIP archive, and there is no workbook in it.",
            fix="Take the table out of the archive and send that.",
        )

    def _read_sheets(self) -> list[SheetPart]:
        folder, file = posixpath.split(self.main)
        found = relations(self._archive, f"{folder}/_rels/{file}.rels")
        self._by_kind = {kind: target for kind, _, target in found}
        targets = {identity: (kind, target) for kind, identity, target in found}
        sheets: list[SheetPart] = []

        def start(name: str, attributes: dict[str, str]) -> None:
            if local(name) == "workbookPr":
                self.from_1904 = attributes.get("date1904", "").lower() in ("1", "true", "on")
            elif local(name) == "sheet":
                identity = next((text for key, text in attributes.items() if local(key) == "id"), "")
                kind, target = targets.get(identity, ("", ""))
                hidden = attributes.get("state", "visible") != "visible"
                if not target:
                    raise damaged(
                        f"The workbook names the sheet {attributes.get('name', '')}, and it is not there."
                    )
                sheets.append(
                    SheetPart(attributes.get("name", ""), target if kind == "worksheet" else "", hidden)
                )

        parse(self._archive, self.main, start, nothing)
        return sheets

    @property
    def formats(self) -> list[Format]:
        """The number format of each cell style."""
        if self._formats is None:
            self._formats = self._read_formats()
        return self._formats

    def _read_formats(self) -> list[Format]:
        codes: dict[int, Format] = {}
        styles: list[int] = []
        above: list[str] = []

        def start(name: str, attributes: dict[str, str]) -> None:
            name = local(name)
            if name == "numFmt" and above and above[-1] == "numFmts":
                codes[int(attributes.get("numFmtId", "0"))] = parse_format(attributes.get("formatCode", ""))
            elif name == "xf" and above and above[-1] == "cellXfs":
                styles.append(int(attributes.get("numFmtId", "0")))
            above.append(name)

        part = self._by_kind.get("styles", "xl/styles.xml")
        if part in self._archive:
            parse(self._archive, part, start, lambda _: above.pop())
        return [codes.get(number) or builtin_format(number) for number in styles]

    @property
    def strings(self) -> list[str]:
        """The shared strings, as text."""
        if self._strings is None:
            part = self._by_kind.get("sharedStrings", "xl/sharedStrings.xml")
            self._strings = self._read_strings(part) if part in self._archive else []
        return self._strings

    def _read_strings(self, part: str) -> list[str]:
        strings: list[str] = []
        texts: list[str] = []
        state = {"t": False, "phonetic": False}

        def start(name: str, _: dict[str, str]) -> None:
            name = local(name)
            if name == "si":
                texts.clear()
            elif name == "rPh":
                state["phonetic"] = True
            elif name == "t":
                state["t"] = not state["phonetic"]

        def end(name: str) -> None:
            name = local(name)
            if name == "si":
                strings.append(unescape("".join(texts)))
            elif name == "rPh":
                state["phonetic"] = False
            elif name == "t":
                state["t"] = False

        def text(piece: str) -> None:
            if state["t"]:
                texts.append(piece)

        parse(self._archive, part, start, end, text)
        return strings

    def _is_calculated(self, part: str) -> bool:
        """Whether any formula of a sheet has a stored result.

        Some programs write an empty result for a formula that gives an empty text, others for every formula,
        since they calculate nothing.
        """
        if part not in self._calculated:
            rest = b""
            self._calculated[part] = False
            for piece in self._archive.pieces(part):
                if _STORED_RESULT.search(rest + piece):
                    self._calculated[part] = True
                    break
                rest = piece[-200:]
        return self._calculated[part]

    def rows(self, sheet: SheetPart, facts: SheetFacts, *, skip_hidden: bool = False) -> Iterator[Row]:
        """The rows of a sheet that hold something, cells from column A on, as wide as the row is filled."""
        reader = SheetReader(
            self.strings,
            self.formats,
            facts,
            lambda: self._is_calculated(sheet.part),
            from_1904=self.from_1904,
            skip_hidden=skip_hidden,
        )
        yield from reader.rows(self._archive.pieces(sheet.part), sheet.part)
