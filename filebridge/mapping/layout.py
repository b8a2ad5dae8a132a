"""Purchase orders as rows in the vendor's layout (DESIGN section 7, purchase-orders.yaml). Pure.

Each PO is laid out for itself: one that cannot be is `Unfit`, and holds up none of the others. A cell takes
these steps: the value as RetailOps sent it, `date`, `values`, `upper`, `default`; then what the form demands,
which alters no identifier and cuts nothing. With `rows_per: po` the values of several items stand in one cell,
joined by a comma and a blank, in the order of the items.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from filebridge.documents.purchase_orders import (
    PurchaseOrder,
    is_identifier,
    is_of_item,
    item_values_of,
    text_of,
    value_of,
)
from filebridge.mapping.model import Column, OrderLayout, Write
from filebridge.rejects import Note

ReadInstant = Callable[[object], int | None]
"""Microseconds UTC of an instant as RetailOps writes it, None where it is none."""

MAX_CELL: Final = 32_767
"""Characters of a workbook's cell, as a spreadsheet counts them: in UTF-16."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BETWEEN_ITEMS: Final = ", "
_NOT_IN_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_RUNS: Final = ("=", "+", "-", "@", "\t", "\r")
_NUMBER: Final = re.compile(r"[+-]?(\d+([.,]\d+)*|[.,]\d+)%?")
_TELEPHONE: Final = re.compile(r"\+?[\d][\d ().\-/]{4,}(\s*(x|ext\.?)\s*\d+)?", re.IGNORECASE)
_CLOSEST: Final[Mapping[str, str]] = {
    **dict(zip("ŁłØøĐđðÐĦħıŊŋŦŧ", "LlOoDddDHhiNnTt", strict=True)),
    **{"Þ": "Th", "þ": "th", "ß": "ss", "ẞ": "SS", "Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe", "€": "EUR"},
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("‘’‚‛′ʼ´`", "'"),
    **dict.fromkeys("“”„‟″", '"'),
    **{"«": '"', "»": '"', "‹": "'", "›": "'", "•": "*", "·": ".", "×": "x", "÷": "/", "⁄": "/"},
    **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", ""),
}


@dataclass(frozen=True)
class LaidOut:
    """A PO as rows of the file: one cell for each column. `notes` say what was altered, and of which PO."""

    po: str
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Unfit:
    """Why a PO cannot be laid out: a code of the catalogue, and a sentence without a customer's name."""

    po: str
    code: str
    message: str


@dataclass
class _Cells:
    """One PO on its way through its layout: what is said of it, and the first reason against it."""

    order: PurchaseOrder
    layout: OrderLayout
    zone: ZoneInfo
    read_instant: ReadInstant
    notes: dict[str, Note] = field(default_factory=dict)
    unfit: Unfit | None = None

    def say(self, code: str, header: str, message: str) -> None:
        said = f"PO {self.order.po}, column {header}: {message}"
        self.notes.setdefault(said, Note(code, said))

    def refuse(self, code: str, header: str, message: str) -> None:
        if self.unfit is None:
            self.unfit = Unfit(self.order.po, code, f"PO {self.order.po}, column {header}: {message}")


def mapped_fields(layout: OrderLayout) -> tuple[str, ...]:
    """The fields of the PO and its items that the layout shows, in order of columns."""
    return tuple(column.field for column in layout.columns.values() if column.field is not None)


def header_of(layout: OrderLayout) -> tuple[str, ...]:
    """The headers, in order of columns, with the closest characters that the encoding has."""
    return tuple(
        "".join(_closest(one, layout.write.encoding) or "?" for one in header)
        if layout.write.format == "csv"
        else header
        for header in layout.columns
    )


def lay_out(
    order: PurchaseOrder, layout: OrderLayout, *, zone: ZoneInfo, read_instant: ReadInstant
) -> LaidOut | Unfit:
    """The rows of one PO: one for each item, or one in all (`rows_per`). `zone` is the vendor's."""
    cells = _Cells(order, layout, zone, read_instant)
    count = 1 if layout.write.rows_per == "po" else len(order.items)
    columns = [_column(cells, header, column, count) for header, column in layout.columns.items()]
    if cells.unfit is not None:
        return cells.unfit
    return LaidOut(order.po, tuple(zip(*columns, strict=True)), tuple(cells.notes.values()))


def _column(cells: _Cells, header: str, column: Column, count: int) -> list[str]:
    """The cells of one column, `count` of them."""
    if column.value is not None:
        return [_fit(cells, header, column, column.value)] * count
    name = column.field or ""
    order = cells.order
    values = item_values_of(order, name) if is_of_item(order, name) else (value_of(order, name),) * count
    texts = [_translated(column, _text(cells, header, column, value)) for value in values]
    if len(texts) > count:
        texts = [_BETWEEN_ITEMS.join(texts) if any(texts) else ""]
    return [_fit(cells, header, column, text) for text in texts]


def _text(cells: _Cells, header: str, column: Column, value: object) -> str:
    """The value as text; a date in the vendor's zone. A day without a time is that day in every zone."""
    text = text_of(value)
    if column.date is None or not text.strip():
        return text
    try:
        day = _day_of(text.strip())
        if day is not None:
            return day.strftime(column.date)
        micros = cells.read_instant(value)
        if micros is not None:
            return (_EPOCH + timedelta(microseconds=micros)).astimezone(cells.zone).strftime(column.date)
    except (ValueError, OverflowError):
        pass  # the 31st of June, or a year that no calendar has: no date either
    cells.refuse("incomplete_po", header, f"RetailOps sent {text[:40]!r}, which is no date")
    return ""


def _day_of(text: str) -> date | None:
    """A day without a time, in either of ISO 8601's forms; None for all else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _translated(column: Column, text: str) -> str:
    """Crosswalk, upper case and default, in this order; an empty value skips the first two."""
    word = text.strip()
    if column.values and word:
        folded = {key.casefold(): value for key, value in column.values.items()}
        text = column.values.get(word, folded.get(word.casefold(), text))
    if column.upper:
        text = text.upper()
    return column.default if column.default is not None and not text.strip() else text


# What the form demands


def _fit(cells: _Cells, header: str, column: Column, text: str) -> str:
    """A cell that the file can hold, or a reason against the PO."""
    if not text:
        return text
    identifier = is_identifier(column.field or "")
    layout = cells.layout
    if layout.write.format == "xlsx":
        return _fit_workbook(cells, header, text)
    if "\0" in text:
        cells.refuse("unencodable", header, "U+0000 cannot stand in a text file")
    text = _encodable(cells, header, text, layout.write, identifier=identifier)
    if layout.write.quoting == "none":
        _check_unquoted(cells, header, text, layout.write)
    if column.field is None:
        return text
    return _guarded(cells, header, text, layout.formulas, identifier=identifier)


def _fit_workbook(cells: _Cells, header: str, text: str) -> str:
    length = len(text.encode("utf-16-le", "surrogatepass")) // 2
    if length > MAX_CELL:
        cells.refuse(
            "too_long", header, f"{length:,} characters; a workbook's cell holds {MAX_CELL:,}, nothing is cut"
        )
    found = _NOT_IN_XML.search(text)
    if found:
        cells.refuse("unencodable", header, f"{_shown(found[0])} cannot stand in a workbook")
    return text


def _encodable(cells: _Cells, header: str, text: str, write: Write, *, identifier: bool) -> str:
    """The text in characters that the encoding has; where none is close, or none may be changed, a reason."""
    if _has(text, write.encoding):
        return text
    if not identifier:
        text = unicodedata.normalize("NFC", text)
    made = []
    for one in text:
        near = _closest(one, write.encoding)
        if near == one:
            made.append(one)
            continue
        if identifier or near is None or write.unencodable == "hold":
            why = "; an identifier is never changed" if identifier else ""
            cells.refuse("unencodable", header, f"{write.encoding} has no {_shown(one)}{why}")
            return ""
        cells.say(
            "unencodable", header, f"{write.encoding} has no {_shown(one)}, {near or 'nothing'!r} was written"
        )
        made.append(near)
    return "".join(made)


def _closest(character: str, encoding: str) -> str | None:
    """What comes closest to a character in an encoding: itself, a likeness, its base letter; None: nothing."""
    if _has(character, encoding):
        return character
    likeness = _CLOSEST.get(character)
    if likeness is None:
        apart = unicodedata.normalize("NFKD", character)
        likeness = "".join(_CLOSEST.get(one, one) for one in apart if not unicodedata.combining(one))
        if not likeness and not unicodedata.combining(character):
            return None
    return likeness if _has(likeness, encoding) else None


def _has(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _check_unquoted(cells: _Cells, header: str, text: str, write: Write) -> None:
    for mark, name in ((write.delimiter, "the delimiter"), ("\n", "a line break"), ("\r", "a line break")):
        if mark in text:
            cells.refuse(
                "unquotable", header, f"the text holds {name}, and `quoting: none` has no quotes for it"
            )


def _guarded(cells: _Cells, header: str, text: str, policy: str, *, identifier: bool) -> str:
    """Text that a spreadsheet would run, by the policy. An identifier goes as it is, and that is said."""
    if policy == "exact" or not text.startswith(_RUNS):
        return text
    if _NUMBER.fullmatch(text) or _TELEPHONE.fullmatch(text):
        return text
    if policy == "reject":
        cells.refuse(
            "formula_text", header, f"the text begins with {_shown(text[0])}: a spreadsheet would run it"
        )
        return text
    if identifier:
        cells.say(
            "formula_text", header, f"the identifier begins with {_shown(text[0])} and was left as it is"
        )
        return text
    return "'" + text


def _shown(character: str) -> str:
    return character if character.isprintable() else f"U+{ord(character):04X}"
