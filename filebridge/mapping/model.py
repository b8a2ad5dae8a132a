"""The YAML of a vendor pack as frozen types (DESIGN section 7). Unknown keys are errors.

Every scalar arrives as text; these models turn it into what it means, and nobody sees a dict afterwards.
Descriptions are the reference: `filebridge schema` and docs/mapping-reference.md are generated from them.
"""

from __future__ import annotations

import collections.abc
import re
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from filebridge.mapping.durations import parse_duration, parse_share
from filebridge.tables.table import ReadOptions

DOCUMENTS = ("inventory", "shipments", "acknowledgements", "ship-dates", "submissions", "purchase-orders")
Document = Literal[
    "inventory", "shipments", "acknowledgements", "ship-dates", "submissions", "purchase-orders"
]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{value!r} is no time zone; write one such as America/Denver") from error
    return value


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"`{value}` is no pattern: {error}") from error
    return value


def _duration(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else value


def _share(value: Any) -> Any:
    return parse_share(value) if isinstance(value, str) else value


def _one_character(value: Any) -> Any:
    if not isinstance(value, str) or len(value) == 1:
        return value
    if value == "\\t" or value.casefold() == "tab":
        raise ValueError(f'`{value}` is no tab; write "\\t" in double quotes: only there \\t means one')
    raise ValueError(f"{value!r} is not one character")


def _filled(value: Any) -> Any:
    if isinstance(value, str) and not value.strip():
        raise ValueError("it is empty")
    return value


def _time_of_day(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError(f"{value!r} is no time of day; write one such as 06:00")
    return value


_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _days(value: Any) -> Any:
    if isinstance(value, str) and not all(part.strip() in _DAYS for part in re.split("[-,]", value)):
        raise ValueError(f"{value!r} are no days; write mon-fri or mon,thu, of {', '.join(_DAYS)}")
    return value


Words = Annotated[tuple[str, ...], BeforeValidator(_as_list, json_schema_input_type=str | list[str])]
Character = Annotated[str, BeforeValidator(_one_character)]
Filled = Annotated[str, BeforeValidator(_filled)]
Zone = Annotated[str, BeforeValidator(_zone)]
Pattern = Annotated[str, BeforeValidator(_pattern)]
Seconds = Annotated[float, BeforeValidator(_duration, json_schema_input_type=str)]
Share = Annotated[float, BeforeValidator(_share, json_schema_input_type=str)]


class Strict(BaseModel):
    """Frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    elsewhere: ClassVar[collections.abc.Mapping[str, str]] = {}
    """Keys that people look for here, and what to write instead."""


class Read(Strict):
    """How to read the file. Each key is detected when it is left out."""

    format: Literal["csv", "xlsx", "fixed", "xls", "xlsb", "ods", "xlsm"] | None = Field(
        None, description="csv, xlsx or fixed; xls, xlsb, ods and xlsm only when named here"
    )
    encoding: str | None = Field(None, description="for instance utf-8, cp1252 or utf-16")
    delimiter: Character | None = Field(None, description="between the cells of a text table")
    quote: str | None = Field(None, description="the quote character, or none")
    escape: Character | None = Field(None, description="the character before an escaped one")
    comment: str | None = Field(None, description="lines that start with this are comments")
    sheet: str | None = Field(None, description="name, pattern (Stock*) or number (from 1) of the sheet")
    header_row: Annotated[int, Field(ge=1)] | Literal["none"] | None = Field(
        None, description="row of the header, from 1; none: the columns are A, B, C …"
    )
    columns: dict[str, str] = Field(
        default_factory=dict, description="fixed width: first and last position of each column, such as 1-10"
    )
    skip_rows: Pattern | None = Field(None, description="rows whose first filled cell matches are left out")
    hidden: Literal["include", "skip", "refuse"] = Field("include", description="hidden rows and columns")
    fill_down: Words = Field((), description="columns in which an empty cell means: as above")
    last_line_end: Literal["required", "optional"] = Field(
        "required", description="optional: a text file is whole without a line end after its last line"
    )

    @field_validator("encoding")
    @classmethod
    def _encoding_is_known(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                "".encode(value)
            except LookupError as error:
                raise ValueError(f"{value!r} is no encoding; write one such as utf-8 or cp1252") from error
        return value

    @field_validator("quote")
    @classmethod
    def _quote_is_one_character(cls, value: str | None) -> str | None:
        if value is not None and value != "none" and len(value) != 1:
            raise ValueError(f"{value!r} is no quote; write one character, or none")
        return value

    @field_validator("columns")
    @classmethod
    def _positions_are_ranges(cls, value: dict[str, str]) -> dict[str, str]:
        for name, span in value.items():
            match = re.fullmatch(r"\s*(\d+)\s*-\s*(\d+)\s*", span)
            if not match or not 1 <= int(match[1]) <= int(match[2]):
                raise ValueError(f"{name}: {span!r} is no range of positions; write first-last, such as 1-10")
        return value

    @model_validator(mode="after")
    def _fixed_width_names_its_columns(self) -> Read:
        if self.format == "fixed" and not self.columns:
            raise ValueError("a fixed-width file needs `columns:` with the positions of each column")
        return self

    def options(self) -> ReadOptions:
        """These keys as the readers take them."""
        spans = {name: tuple(int(part) for part in span.split("-")) for name, span in self.columns.items()}
        return ReadOptions(
            format=self.format,
            encoding=self.encoding,
            delimiter=self.delimiter,
            quote=self.quote,
            escape=self.escape,
            comment=self.comment,
            sheet=self.sheet,
            header_row=0 if self.header_row == "none" else self.header_row,
            columns={name: (first, last) for name, (first, last) in spans.items()},
            skip_rows=self.skip_rows,
            hidden=self.hidden,
            fill_down=self.fill_down,
        )


class NumberFormat(Strict):
    """The marks of a number."""

    decimal: Character = Field(".", description="decimal mark")
    thousands: str = Field("", description="thousands mark; empty: none", max_length=1)

    @model_validator(mode="after")
    def _two_marks(self) -> NumberFormat:
        if self.decimal == self.thousands:
            raise ValueError(f"`{self.decimal}` cannot be both the decimal and the thousands mark")
        return self


class FieldSteps(Strict):
    """Where a field's value comes from, and the steps it takes, in the order of these keys."""

    column: Words = Field((), description="the column's header, or aliases: the first that exists is read")
    value: str | None = Field(None, description="a constant instead of a column")
    file_name: Pattern | None = Field(
        None, description="a pattern on the file's name instead of a column; its first group"
    )
    join: Words = Field((), description="several columns, joined by `with`")
    with_: str = Field("", alias="with", description="what stands between joined cells")
    strip: bool = Field(True, description="take white space off both ends")
    pattern: Pattern | None = Field(
        None, description="a pattern; the value is its first group, or the whole match"
    )
    replace: dict[str, str] = Field(
        default_factory=dict, description="{from: to}, each replaced wherever it stands"
    )
    split: Words = Field((), description="marks between several values in one cell")
    upper: bool = Field(False, description="to upper case")
    lower: bool = Field(False, description="to lower case")
    empty: Words = Field((), description="words that mean an empty cell")
    values: dict[str, str] | str | None = Field(
        None, description="crosswalk: {word: value}, or the name of a file beside the mapping"
    )
    else_: str = Field(
        "keep", alias="else", description="for a word that the crosswalk lacks: reject, keep, or a constant"
    )
    number: NumberFormat | None = Field(
        None, description="decimal and thousands mark; else judged by the whole column"
    )
    date: Words = Field((), description="format or formats of a date, as in %d.%m.%Y")
    time_zone: Zone | None = Field(None, description="zone of the dates; else the vendor's")
    buffer: int | None = Field(None, ge=0, description="taken off the quantity; not below 0")
    min: int | None = Field(None, description="smaller quantities become this")
    max: int | None = Field(None, description="larger quantities become this")
    default: str | None = Field(None, description="for an empty cell")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str | list) else value

    @model_validator(mode="after")
    def _one_source(self) -> FieldSteps:
        sources = [bool(self.column), self.value is not None, self.file_name is not None, bool(self.join)]
        if sum(sources) != 1:
            raise ValueError("a field needs exactly one of column, value, file_name and join")
        return self


class Guard(Strict):
    """What a file may change before a person is asked."""

    max_row_drop: Share = Field(
        0.5, description="of a feed that covers everything: by how much its rows may fall"
    )
    max_zeroed: Share = Field(0.4, description="how many of the feed's stocked VPCs may go to zero")


class RejectAbove(Strict):
    """Rejects the whole file above a share of bad rows."""

    reject_file_above: Share = Field(description="share of bad rows above which the whole file is rejected")


class Mapping(Strict):
    """One document type of one vendor: which files, how to read them, and what their columns mean."""

    elsewhere: ClassVar[collections.abc.Mapping[str, str]] = {
        "columns": "Write `fields:` with lines `our field: THEIR HEADER`; fixed-width positions are in `read:`.",
        "write": "It is for PO files; how files that come in are read is `read:`.",
    }

    document: Document
    match: Words = Field((), description="globs below inbox/VENDOR/")
    read: Read = Field(default_factory=Read)
    fields: dict[str, FieldSteps] = Field(default_factory=dict, description="our field: the vendor's column")
    covers: Literal["changes", "everything"] = Field("changes", description="what the file lists")
    missing: Literal["keep", "zero", "hold"] = Field(
        "keep", description="VPCs absent from a file that covers everything"
    )
    duplicates: Literal["reject", "last", "sum", "min"] = Field(
        "reject", description="rows of one VPC that differ"
    )
    send: Literal["changed", "all"] = Field(
        "changed", description="changed: only what differs from what RetailOps confirmed"
    )
    restate_every: Seconds = Field(72000.0, description="send: changed states a value again after this time")
    stale_after: Seconds | None = Field(None, description="said when advice was not renewed for this long")
    guard: Guard | Literal["off"] = Field(default_factory=Guard)
    on_reject: Literal["send_good", "reject_file"] | RejectAbove = Field(
        "send_good", description="what bad rows do to good ones"
    )
    partial: Literal["hold", "send"] = Field("hold", description="a PO of which only a part is in the file")
    hold_for: Seconds | None = Field(None, description="how long a partial shipment waits before it is said")


class Column(Strict):
    """One column of a PO file."""

    field: str | None = Field(None, description="field of the PO or item as RetailOps sends it")
    value: str | None = Field(None, description="a constant")
    date: str | None = Field(None, description="format of a date, in the vendor's zone")
    values: dict[str, str] | None = Field(None, description="crosswalk from RetailOps' word to the vendor's")
    upper: bool = False
    default: str | None = Field(None, description="for an empty value")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"field": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_source(self) -> Column:
        if (self.field is None) == (self.value is None):
            raise ValueError("a column needs exactly one of field and value")
        return self


class Write(Strict):
    """The form of PO files."""

    format: Literal["csv", "xlsx"] = "csv"
    name: str = Field("", description="{vendor}, {now:%Y%m%d}, {sequence:06d} and, with one file a PO, {po}")
    one_file_per: Literal["run", "po"] = "run"
    rows_per: Literal["item", "po"] = "item"
    encoding: str = "utf-8"
    unencodable: Literal["closest", "hold"] = Field(
        "closest", description="characters that the encoding lacks"
    )
    delimiter: Character = ","
    quoting: Literal["minimal", "all", "none"] = "minimal"
    line_end: Literal["crlf", "lf"] = "crlf"
    header: bool = True
    sheet: str = Field(
        "Purchase orders", description="name of the sheet in a workbook", min_length=1, max_length=31
    )
    done_file: bool = Field(False, description="write NAME.done after the file")
    when_empty: Literal["skip", "write"] = "skip"

    _encoding_is_known = field_validator("encoding")(Read._encoding_is_known.__func__)  # type: ignore[attr-defined]

    @field_validator("sheet")
    @classmethod
    def _sheet_can_be_named(cls, value: str) -> str:
        found = re.search(r"[\[\]:*?/\\]|\A'|'\Z", value)
        if found:
            raise ValueError(f"{value!r} is no name of a sheet: {found[0]!r} cannot stand there")
        return value

    @model_validator(mode="after")
    def _delimiter_can_be_written(self) -> Write:
        try:
            self.delimiter.encode(self.encoding)
        except UnicodeEncodeError as error:
            raise ValueError(f"{self.encoding} has no {self.delimiter!r}, the delimiter") from error
        return self

    @property
    def name_template(self) -> str:
        """The name template, with its default for the format."""
        return self.name or f"PO_{{vendor}}_{{sequence:06d}}.{self.format}"


class OrderLayout(Strict):
    """`document: purchase-orders`: how PO files are laid out and when POs are marked submitted."""

    elsewhere: ClassVar[collections.abc.Mapping[str, str]] = {
        "fields": "Write `columns:` with lines `THEIR HEADER: field of the PO`, such as `PO Number: po`.",
        "read": "It is for files that come in; how PO files are written is `write:`.",
        "match": "It is for files that come in; the name of PO files is `write: {name: …}`.",
    }

    document: Literal["purchase-orders"]
    write: Write = Field(default_factory=Write)
    columns: dict[str, Column] = Field(description="header: field of the PO or item", min_length=1)
    formulas: Literal["neutralise", "exact", "reject"] = Field(
        "neutralise", description="text that a spreadsheet would run, in CSV"
    )
    submit: Literal["when_written", "when_picked_up", "on_submission"] = "when_written"


class OrderSchedule(Strict):
    """When POs are fetched, and which."""

    every: Seconds | None = Field(None, description="for `watch`; `run` always fetches")
    cron: str | None = Field(None, description="for `watch`, in the vendor's zone")
    status: Words = Field(
        ("ready",), description="ready, or [open, ready] where the retailer does not submit POs"
    )


class Expectation(Strict):
    """A feed whose silence is an event."""

    document: Document
    by: Annotated[str, BeforeValidator(_time_of_day)] = Field(
        description="time of day in the vendor's zone, such as 06:00"
    )
    days: Annotated[str, BeforeValidator(_days)] = Field("mon-sun", description="such as mon-fri")


class Remote(Strict):
    """A remote folder to fetch from and deliver to."""

    url: str
    in_: str = Field("", alias="in")
    out: str = ""
    key_file: str | None = None
    known_hosts: str | None = None


class Vendor(Strict):
    """`vendor.yaml`: who the vendor is."""

    vendor_id: Filled = Field(description="the vendor's id at RetailOps, as text")
    time_zone: Zone = Field("UTC", description="zone of the vendor's dates")
    api_key_file: str | None = Field(
        None, description="file with this vendor's API key; else the workspace's"
    )
    test: bool = Field(False, description="true: everything but the last step; nothing is sent")
    orders: OrderSchedule = Field(default_factory=OrderSchedule)
    changes_after_submit: bool = Field(
        False, description="RetailOps' vendor setting `Change POs after submit`"
    )
    expect: tuple[Expectation, ...] = ()
    alerts: Words = ()
    remote: Remote | None = None
