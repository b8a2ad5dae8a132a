"""`Table`: a stream of chunks of text columns that know the rows they came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol, TypeAlias

from filebridge.rejects import Note

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from filebridge.columns import Ints, TextColumn

Kinds: TypeAlias = "npt.NDArray[np.uint8]"
"""The `Kind` of each cell of a column."""


class Kind(IntEnum):
    """What a cell was before it became text. A cell of a text file is always TEXT."""

    TEXT = 0
    NUMBER = 1
    """A numeric cell; its text is plain decimal digits, at most 15 significant."""
    DATE = 2
    """A date or time by its cell format; its text is ISO 8601."""
    BOOLEAN = 3
    ERROR = 4
    """A spreadsheet error such as #REF!, by its text."""
    NO_VALUE = 5
    """A formula without a stored result; its text is empty."""
    DAMAGED = 6
    """A number of more than 15 significant digits: the spreadsheet has rounded it."""


@dataclass(frozen=True)
class Fault:
    """A row that is no row of the table: `code` and `message` say why, `cells` are what was found."""

    row: int
    code: str
    message: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Chunk:
    """Some rows of the columns that were asked for.

    `rows` are spreadsheet row numbers (1-based, header, titles and blank lines counted), rising through the
    file. `cells` holds one text column for each asked column, without nulls; `kinds` beside it is None where
    every cell of the column is text. Rows that are blank, comments, or matched by `skip_rows` are in no
    chunk; rows in `faults` are in no column.
    """

    rows: Ints
    cells: tuple[TextColumn, ...]
    kinds: tuple[Kinds | None, ...]
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class ReadOptions:
    """The `read:` keys of DESIGN section 7. None, or an empty value, means: detect it."""

    format: str | None = None
    """csv, xlsx or fixed; xls, xlsb, ods, xlsm only when named."""
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    """One character, or `none`."""
    escape: str | None = None
    comment: str | None = None
    sheet: str | None = None
    """Name, pattern, or number from 1."""
    header_row: int | None = None
    """Row of the header, from 1; 0 says that there is none."""
    columns: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Fixed width: first and last position of each column, from 1."""
    skip_rows: str | None = None
    """Pattern on the row's first filled cell."""
    hidden: str = "include"
    """Hidden rows and columns of a workbook: include, skip or refuse."""
    fill_down: tuple[str, ...] = ()
    """Headers of the columns in which an empty cell means: as above."""


@dataclass(frozen=True)
class ReadHow:
    """How a file is read: what was declared and what was detected.

    `header_row` is the row of the header, 0 where there is none. `confidence` from 0 to 1 is that of the
    least sure detection; 1 where all was declared or certain. `detected` names the keys that were detected.
    """

    format: str
    encoding: str = ""
    delimiter: str = ""
    quote: str = '"'
    escape: str = ""
    comment: str = ""
    sheet: str = ""
    header_row: int = 1
    line_end: str = "\n"
    """Line end of the file's first line: what a reject file is written with."""
    bom: bool = False
    confidence: float = 1.0
    detected: tuple[str, ...] = ()


def read_again(declared: ReadOptions, how: ReadHow) -> ReadOptions:
    """Options with which a file is read as it was: what was detected then is not detected anew."""
    is_text = how.format in ("csv", "fixed")
    return replace(
        declared,
        format=how.format if how.format != "csv" else declared.format,
        encoding=(how.encoding or declared.encoding) if is_text else None,
        delimiter=(how.delimiter or declared.delimiter) if is_text else None,
        quote=(how.quote or "none") if how.format == "csv" else declared.quote,
        escape=how.escape or declared.escape,
        comment=how.comment or declared.comment,
        sheet=how.sheet or declared.sheet,
        header_row=how.header_row,
    )


@dataclass(kw_only=True)
class Notes:
    """What a table has said of its file so far, each thing once, however often it is read."""

    found: list[Note] = field(default_factory=list)

    @property
    def notes(self) -> tuple[Note, ...]:
        return tuple(self.found)

    def say(self, note: Note) -> None:
        """Adds a note, once."""
        if note not in self.found:
            self.found.append(note)


class Table(Protocol):
    """A file as a table. `headers` are as in the file; repeated and empty ones stay as they are."""

    @property
    def headers(self) -> tuple[str, ...]: ...

    @property
    def how(self) -> ReadHow: ...

    @property
    def notes(self) -> tuple[Note, ...]:
        """What is worth saying of the file as a whole; complete only after a whole pass of `chunks`."""
        ...

    def chunks(self, columns: Sequence[int]) -> Iterator[Chunk]:
        """The columns at these 0-based places, chunk by chunk, from the start of the file at each call.

        Raises FileRefused where the file turns out to be cut short, damaged or wrongly encoded.
        """
        ...
