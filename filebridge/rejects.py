"""The catalogue of codes: why a file, a row or a hold is what it is.

Codes are stable words (DESIGN section 9): more may be added, these keep their meaning. The message of a reject
says what was found and where; `fix` says what to do. docs/outcomes.md is generated from this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Of(StrEnum):
    """What a code speaks of."""

    FILE = "file"
    ROW = "row"
    HOLD = "hold"
    ORDER = "order"


@dataclass(frozen=True)
class Code:
    """One entry of the catalogue."""

    code: str
    of: Of
    title: str
    fix: str


def _catalogue(*entries: Code) -> Mapping[str, Code]:
    return MappingProxyType({entry.code: entry for entry in entries})


_FILE: Final = (
    (
        "empty_file",
        "The file has no rows",
        "Export it again; if it is meant to be empty, nothing is to be done.",
    ),
    (
        "no_mapping",
        "No mapping takes this file",
        "Rename the file, or add its name to `match:` of a mapping.",
    ),
    ("ambiguous_mapping", "Two mappings take this file", "Narrow `match:` of one of them."),
    ("incomplete_file", "The file is cut short", "Send it again, whole."),
    (
        "unreadable_file",
        "The file is damaged, encrypted, or not what its name says",
        "Save it again as CSV or XLSX.",
    ),
    (
        "wrong_encoding",
        "The text is in another encoding",
        "Say which with `read: {encoding: …}`, or save it as UTF-8.",
    ),
    (
        "unsafe_file",
        "The file is not a plain file, or is built to do harm",
        "Send the data as a plain CSV or XLSX.",
    ),
    ("too_large", "The file is larger than `intake.max_size`", "Split it, or raise `intake.max_size`."),
    (
        "missing_column",
        "A mapped column is not in the file",
        "Restore the header, or add it to the mapping's aliases.",
    ),
    ("duplicate_column", "Two columns have the header that the mapping names", "Give each its own header."),
    ("header_changed", "The header is not the one of the last file", "Nothing, as long as it is meant so."),
    (
        "guard",
        "The file changes more than the guard allows",
        "Look at it, then `filebridge release ID` or `discard ID`.",
    ),
    (
        "future_date",
        "The file says that it is from the future",
        "Correct its date, or `filebridge release ID`.",
    ),
    ("duplicate_file", "The bytes are those of the last file of this feed", "Nothing is to be done."),
    (
        "too_many_rejects",
        "More rows are bad than `on_reject` allows",
        "Correct the rows and send the file again.",
    ),
    (
        "similar_keys",
        "Identifiers differ only in upper and lower case",
        "Nothing, as long as it is meant so.",
    ),
    (
        "date_like_identifier",
        "An identifier looks like a date that a spreadsheet has made of it",
        "Compare it with its source; format the column as text.",
    ),
    (
        "judged_by_column",
        "How a column writes its numbers or dates was judged by its cells",
        "Nothing; or declare `number:` or `date:` in the mapping.",
    ),
    ("discarded", "A person discarded the file", "Nothing is to be done."),
    (
        "unknown_reject_file",
        "The file has `fb_` columns that belong to no file in the archive",
        "Drop the original file again, corrected.",
    ),
)
_HOLD: Final = (
    (
        "test_vendor",
        "The vendor is on test, so nothing is sent",
        "Take `test: true` out of vendor.yaml, then release the file.",
    ),
    (
        "partial_shipment",
        "The other rows of the PO are missing",
        "Send them, in any file; or send what is there: `filebridge orders close PO --short`.",
    ),
    (
        "refused_by_vendor",
        "The vendor refuses the PO, or has back-ordered it without a date; there is no call for that",
        "Tell the retailer: `filebridge exceptions` prints the list. A later file that accepts the PO sends it.",
    ),
    (
        "too_many_refusals",
        "RetailOps refused more records than could be told apart in one file",
        "Read RetailOps' words in `filebridge show ID`, then `filebridge retry ID`.",
    ),
)
_ROW: Final = (
    ("required", "A required cell is empty, or does not fit its `pattern:`", "Fill the cell, or correct it."),
    (
        "bad_number",
        "Not a number that can be read in one way",
        "Write plain digits, or declare `number:` in the mapping.",
    ),
    ("out_of_range", "A number outside what is allowed", "Correct the number."),
    ("bad_date", "Not a date of the declared format", "Write the date as the mapping says."),
    ("ambiguous_date", "A date that can be read in two ways", "Declare one format in `date:`."),
    (
        "damaged_identifier",
        "A spreadsheet has damaged the identifier",
        "Format the column as text and enter the identifier again from its source.",
    ),
    (
        "not_in_crosswalk",
        "The word is not in the crosswalk",
        "Correct it, or add it: to `values:` of the mapping, or a carrier with `filebridge carriers learn`.",
    ),
    ("wrong_vendor", "The row belongs to another vendor", "Drop it in that vendor's folder."),
    (
        "ragged_row",
        "The row has more or fewer cells than the header",
        "Quote cells that contain the delimiter.",
    ),
    ("error_cell", "The cell holds a spreadsheet error", "Repair the formula and save the workbook."),
    (
        "formula_without_value",
        "The formula has no stored value",
        "Open the workbook, recalculate, and save it.",
    ),
    (
        "conflicting_rows",
        "Two rows say different things of one key",
        "Keep one of them, or have them say the same; `duplicates:` of an inventory mapping decides it for all.",
    ),
    (
        "unknown_po",
        "RetailOps does not know the PO",
        "Correct the PO number; if it is right, ask the retailer whether the PO was cancelled.",
    ),
    ("unknown_item", "The PO does not hold the item", "Correct the item; the message lists those of the PO."),
    (
        "too_many_units",
        "More units than the PO holds, or than are left of it",
        "Correct the quantity, or delete the row where it was sent before.",
    ),
    ("cannot_split", "The cell's parts do not fit the units", "Write one row a parcel, with its own units."),
    (
        "not_fetched",
        "Not looked up yet: preview asks nobody",
        "Run it; or have RetailOps asked alone, with `filebridge orders fetch` and `filebridge carriers`.",
    ),
    (
        "group_rejected",
        "Another row of its group was rejected",
        "Correct the row that the message names, and drop that and this one back together.",
    ),
    (
        "refused_by_retailops",
        "RetailOps refused it",
        "Read RetailOps' own words in the message; drop the row back once that is mended.",
    ),
)
_ORDER: Final = (
    (
        "unencodable",
        "A character that the output encoding lacks",
        "Write `encoding: utf-8`, or `unencodable: closest`.",
    ),
    (
        "too_long",
        "Text that is too long for a cell",
        "Leave the column out, or ask the retailer to shorten it.",
    ),
    (
        "vanished",
        "The PO is in a file, and RetailOps has it no longer",
        "Do not ship it; ask the retailer whether it was cancelled.",
    ),
    (
        "unquotable",
        "Text that cannot stand in the file without quotes",
        "Write `quoting: minimal`, or leave the column out.",
    ),
    (
        "formula_text",
        "Text that a spreadsheet would run",
        "Write `formulas: neutralise` or `exact`, or ask the retailer.",
    ),
    ("incomplete_po", "RetailOps sent the PO without something that is needed", "Ask the retailer."),
    (
        "ship_class_gone",
        "A ship class of carriers.yaml vanished, was renamed, or shares its name with another now",
        "See `filebridge carriers`, and correct the line with `filebridge carriers learn WORD CLASS --replace`.",
    ),
)

CATALOGUE: Final = _catalogue(
    *(Code(code, Of.FILE, title, fix) for code, title, fix in _FILE),
    *(Code(code, Of.HOLD, title, fix) for code, title, fix in _HOLD),
    *(Code(code, Of.ROW, title, fix) for code, title, fix in _ROW),
    *(Code(code, Of.ORDER, title, fix) for code, title, fix in _ORDER),
)


@dataclass(frozen=True)
class Reject:
    """One reason why a row cannot go. `row` as a spreadsheet shows it; `column` is the vendor's header.

    `value` is the cell as it was found (cut to 200 characters), `""` where the reason has no cell.
    """

    row: int
    code: str
    message: str
    column: str = ""
    value: str = ""

    def __post_init__(self) -> None:
        if self.code not in CATALOGUE:
            raise ValueError(f"{self.code} is no code of the catalogue")


@dataclass(frozen=True)
class Note:
    """Something worth saying about a file that is no reason to reject: `{"code", "message"}` on the receipt."""

    code: str
    message: str
    row: int = 0
