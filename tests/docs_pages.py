"""Writes the reference pages of docs/ that come from the program itself: `make docs`.

`python -m tests.docs_pages` writes them; with `--check` it names those that are out of date, and ends with 1. What
examples become is worked out by the program's own rules, so that the pages cannot say otherwise.
"""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from textwrap import indent

from pydantic import BaseModel

from filebridge.clock import iso
from filebridge.documents.fields import DOCUMENT_FIELDS, FieldKind
from filebridge.errors import FileRefused
from filebridge.mapping import model
from filebridge.mapping.load import load_mapping
from filebridge.mapping.order_fields import ITEM_FIELDS, ORDER_FIELDS
from filebridge.mapping.steps import field_rule
from filebridge.mapping.values import CellFault
from filebridge.outcomes import PASSING, FileStatus, Outcome
from filebridge.rejects import CATALOGUE, Of
from filebridge.sandbox import ASSUMPTIONS, DEFAULT_KEY, KINDS
from filebridge.tables.open import open_table
from filebridge.workspace import settings

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
FRAMES = Path(__file__).with_name("docs_frames")
NOTICE = "<!-- Written by `make docs` (tests/docs_pages.py): change it there. -->\n"
ARRIVED_AT = 1_795_503_600_000_000
"""When the files of the examples arrived: 2026-11-24 07:00 UTC, midnight in Denver."""

# Words of the reference


KINDS_OF_VALUE = {
    model.Seconds: "duration",
    model.Share: "percentage",
    model.Words: "word or list",
    model.Character: "one character",
    model.Filled: "text",
    model.Zone: "time zone",
    model.Pattern: "pattern",
    settings.Size: "size",
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
}

SAYS = {
    ("Mapping", "document"): "`inventory`; the others are checked, and processed by a later version",
    ("Mapping", "read"): "how to read the file, [below](#read)",
    ("Mapping", "guard"): "what a file may change before a person is asked, [below](#guard)",
    ("OrderLayout", "document"): "`purchase-orders`",
    ("OrderLayout", "write"): "the form of the files, [below](#write)",
    ("OrderLayout", "submit"): "when RetailOps is told that the POs were taken, [below](#submit)",
    ("Write", "format"): "of the files",
    ("Write", "one_file_per"): "one file for all POs of a run, or one for each",
    ("Write", "rows_per"): "`po` puts the items of a PO into one row, parted by a comma and a blank",
    ("Write", "encoding"): "of CSV files",
    ("Write", "delimiter"): "between the cells of a CSV file",
    ("Write", "quoting"): "of CSV files: where it is needed, every cell, or never",
    ("Write", "line_end"): "of CSV files",
    ("Write", "header"): "whether the first row holds the headers",
    ("Write", "when_empty"): "`write`: a file with only its header where no PO is due",
    ("Column", "upper"): "to upper case",
    ("Vendor", "orders"): "when POs are fetched, and which, [below](#orders)",
    ("Vendor", "expect"): "feeds whose silence is said",
    ("Vendor", "alerts"): "Apprise URLs",
    ("Vendor", "remote"): "a remote folder to fetch from and deliver to",
    ("Expectation", "document"): "whose file is awaited",
    ("Folders", "inbox"): "where vendors drop files",
    ("Folders", "outbox"): "where PO files and replies appear",
    ("Folders", "archive"): "originals and replies",
    ("Folders", "mappings"): "the vendor packs",
}
"""What the models do not say of a key themselves."""

LATER = {
    ("Mapping", "stale_after"),
    ("Mapping", "partial"),
    ("Mapping", "hold_for"),
    ("FieldSteps", "split"),
    ("Vendor", "expect"),
    ("Vendor", "alerts"),
    ("Vendor", "remote"),
    ("Settings", "alerts"),
    ("Retention", "days"),
}
"""Keys that are read and checked, and that this version does nothing with yet."""


def kind_of(hint: object) -> str:
    """What a key takes, in words."""
    for kind, words in KINDS_OF_VALUE.items():
        if hint == kind:
            return words
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return ", ".join(f"`{part}`" for part in parts)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(kind_of(part) for part in parts if part is not type(None))
    if origin is typing.Annotated:
        return kind_of(parts[0])
    if origin is dict:
        return "`{name: …}`"
    if origin is tuple:
        return "list"
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return "keys below"
    raise TypeError(f"no words for {hint}")


def default_of(name: str, field: typing.Any, hint: object) -> str:
    """What stands for a key that is left out."""
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ("", (), {}) or isinstance(value, BaseModel):
        return ""
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    kind = kind_of(hint)
    if "duration" in kind:
        return f"`{duration(value)}`"
    if "percentage" in kind:
        return f"`{value:.0%}`"
    if kind == "size":
        return f"`{value // 1_000_000}MB`"
    if isinstance(value, tuple):
        return ", ".join(f"`{part}`" for part in value)
    return f"`{value}`"


def duration(seconds: float) -> str:
    """Seconds as a person writes them: `20h`, `2m`, `5s`."""
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds >= 2 * size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


def keys(
    owner: type[BaseModel], *, under: str = "", only: str = "", environment: bool = False
) -> Iterator[tuple[str, ...]]:
    """The rows of the table of a model's keys."""
    hints = typing.get_type_hints(owner, include_extras=True)
    for name, field in owner.model_fields.items():
        if only and name != only:
            continue
        says = field.description or SAYS.get((owner.__name__, name), "")
        if not says:
            raise ValueError(f"{owner.__name__}.{name} has no description")
        if (owner.__name__, name) in LATER:
            says += " *(checked; used by a later version)*"
        key = f"{under}{field.alias or name}"
        variable = (f"`FILEBRIDGE_{key.replace('.', '__').upper()}`",) if environment else ()
        yield (
            f"`{key}`",
            kind_of(hints[name]),
            default_of(name, field, hints[name]),
            says.replace("|", "\\|"),
            *variable,
        )


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    head = list(head)
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join(cell.replace("\n", " ") for cell in row) for row in rows]
    return "".join(f"| {line} |\n" for line in lines)


def keys_table(owner: type[BaseModel]) -> str:
    """The table of a model's keys."""
    return table(("key", "takes", "left out", "says"), keys(owner))


# Examples of field steps, worked out

STEP_EXAMPLES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("column", "The short form names the header alone.", "vpc: SKU", ("00120", "")),
    (
        "column",
        "Of several headers the first that exists is read. Headers are compared without case, spaces and "
        "punctuation: `qty. avail` is `Qty Avail`.",
        "quantity:\n  column: [Qty Avail, On Hand]",
        ("12", "12,00", "-3", "ca. 5"),
    ),
    (
        "value",
        "A constant instead of a column.",
        "active: {value: yes}",
        (),
    ),
    (
        "file_name",
        "A pattern on the file's name; its first group.",
        'as_of: {file_name: "_(\\\\d{8})", date: "%Y%m%d"}',
        ("inventory_20261123.csv",),
    ),
    (
        "join",
        "Several columns, with text between them.",
        'vpc: {join: [Brand, Item], with: "-"}',
        ("ACM|00120", "|"),
    ),
    (
        "strip",
        "White space at both ends goes, unless this is false.",
        "vpc: {column: SKU, strip: false}",
        (" 00120 ",),
    ),
    (
        "pattern",
        "A regular expression; the value is its first group, or the whole match where it has none.",
        'vpc: {column: Item, pattern: "^([A-Z0-9-]+)"}',
        ("W-77 Helmet", "helmet"),
    ),
    (
        "replace",
        "Each text is replaced wherever it stands.",
        'vpc: {column: SKU, replace: {" ": "", "_": "-"}}',
        ("W _77",),
    ),
    ("upper", "To upper case; `lower` the other way.", "vpc: {column: SKU, upper: true}", ("w-77",)),
    ("lower", "To lower case.", "vpc: {column: SKU, lower: true}", ("W-77",)),
    (
        "empty",
        "Words that mean an empty cell, compared without case.",
        "unit_cost: {column: Cost, empty: [n/a, TBD]}",
        ("N/A", "18.90"),
    ),
    (
        "values",
        "A crosswalk, compared exactly and then without case. An empty cell skips it.",
        "quantity:\n  column: Stock\n  values: {In Stock: 100, Out of Stock: 0, 10+: 10}",
        ("in stock", "10+", "7", "ask us"),
    ),
    (
        "else",
        "For a word that the crosswalk lacks: `keep` goes on with the word itself, `reject` rejects the row, "
        "anything else is the value.",
        "quantity:\n  column: Stock\n  values: {In Stock: 100}\n  else: reject",
        ("In Stock", "soon"),
    ),
    (
        "number",
        "How numbers are written. Left out, the whole column decides: a cell with one possible reading speaks "
        "for it, and where none does, an open cell is rejected with the line to add.",
        'unit_cost: {column: EK-Preis, number: {decimal: ",", thousands: "."}}',
        ("1.189,50", "119,00"),
    ),
    (
        "date",
        "A format, or several. Days are `%d`, months `%m`, years `%Y`. Where two formats read a column "
        "differently and nothing in it decides, the rows are rejected. A date cell of a workbook needs none.",
        'as_of: {column: Date, date: "%d.%m.%Y %H:%M"}',
        ("23.11.2026 18:30", "11/23/2026"),
    ),
    (
        "time_zone",
        "Of the dates in this column, where it is not the vendor's.",
        'as_of: {column: Date, date: "%Y-%m-%d %H:%M", time_zone: Europe/Berlin}',
        ("2026-11-23 18:30",),
    ),
    (
        "buffer",
        "Taken off the quantity, which never falls below 0.",
        "quantity: {column: Qty, buffer: 2}",
        ("12", "1"),
    ),
    (
        "min",
        "Smaller quantities become this. Without it a negative quantity is rejected.",
        "quantity: {column: Qty, min: 0}",
        ("-3", "4"),
    ),
    ("max", "Larger quantities become this.", "quantity: {column: Qty, max: 999}", ("12000",)),
    ("default", "For an empty cell.", "quantity: {column: Qty, default: 0}", ("", "4")),
)


def step_example(says: str, text: str, cells: tuple[str, ...]) -> str:
    """One example of a field step: its YAML, and what cells become under it."""
    name = text.partition(":")[0]
    others = "".join(f"  {other}: X\n" for other in ("vpc", "quantity") if other != name)
    found = load_mapping(
        f"document: inventory\nfields:\n{others}{indent(text, '  ')}\n", "m"
    )
    spec = next(one for one in DOCUMENT_FIELDS["inventory"] if one.name == name)
    steps = found.fields[name]
    rule = field_rule(
        spec, steps, vendor_zone="America/Denver", arrived_at=ARRIVED_AT
    )
    rows = []
    for cell in cells or ("",):
        if steps.value is not None or steps.file_name is not None:
            read = rule.constant(cell)
            assert read is not None
            value = read.value
        else:
            value = rule.cell(rule.joined(tuple(cell.split("|"))) if steps.join else cell)
        rows.append((" and ".join(map(_shown, cell.split("|"))), _became(value, spec.kind)))
    head = "name of the file" if steps.file_name else "cells" if steps.join else "cell"
    body = f"{says}\n\n```yaml fields\n{text}\n```\n\n"
    if steps.value is not None:
        return body + f"Every row has {rows[0][1]}.\n"
    return body + table((head, "becomes"), rows)


def _shown(text: str) -> str:
    return f"`{text}`" if text else "(empty)"


def _became(value: object, kind: FieldKind) -> str:
    if isinstance(value, CellFault):
        return f"rejected, `{value.code}`: {value.message}".replace("|", "\\|")
    if value is None:
        return "(empty)"
    if kind is FieldKind.INSTANT:
        return f"`{iso(typing.cast(int, value))}`"
    return f"`{value}`"


# Examples of `read:`, worked out

READ_EXAMPLES: tuple[tuple[str, str, str, str], ...] = (
    ("format", "What a file is, its bytes say. XLS, XLSB, ODS and XLSM are read only where they are named.", "format: ods", ""),
    ("encoding", "Left out: byte order mark, strict UTF-8, else detected and said on the receipt.", "encoding: cp1252", ""),
    ("delimiter", "A tab is written in double quotes.", 'delimiter: ";"', "SKU;Qty\nW-1;3\n"),
    ("quote", "`none` where a quote is an ordinary character.", "quote: none", 'SKU,Qty\nPIPE 3",4\n'),
    ("escape", "The character before an escaped one.", 'delimiter: ","\nescape: "\\\\"', "SKU,Qty\nW\\,1,3\n"),
    ("comment", "Lines that start so are no rows of the table, but they count as rows.", 'comment: "#"', "# made at night\nSKU,Qty\nW-1,3\n"),
    ("sheet", "Name, pattern, or number from 1.", 'sheet: "Stock*"', ""),
    ("header_row", "The row of the header, as a spreadsheet counts.", "header_row: 3", "Acme\nStock report\nSKU,Qty\nW-1,3\n"),
    ("header_row", "Without a header the columns are A, B, C …", "header_row: none", "W-1,3\nW-2,4\n"),
    ("columns", "Positions of a fixed-width file, counted in characters from 1.", "format: fixed\ncolumns: {SKU: 1-6, Qty: 7-10}", "W-1      3\n00120   12\n"),
    ("skip_rows", "Rows whose first filled cell matches are left out: totals, footers.", 'skip_rows: "^(Total|Report run)"', "SKU,Qty\nW-1,3\nTotal,3\n"),
    ("hidden", "Hidden rows and columns of a workbook: `include` (and say so), `skip`, or `refuse` the file.", "hidden: skip", ""),
    ("fill_down", "Columns in which an empty cell means: as above.", "fill_down: [Group]", "Group,SKU,Qty\nLamps,W-1,3\n,W-2,4\n"),
)  # fmt: skip


def read_example(says: str, text: str, sample: str) -> str:
    """One example of a `read:` key, and how a sample is read with it."""
    read = load_mapping(
        f"document: inventory\nread:\n{indent(text, '  ')}\nfields:\n  vpc: SKU\n  quantity: Qty\n", "m"
    ).read
    body = f"{says}\n\n```yaml read\n{text}\n```\n"
    if not sample:
        return body
    opened = open_table(BytesIO(sample.encode()), name="stock.csv", options=read.options())
    rows = []
    for chunk in opened.chunks(range(len(opened.headers))):
        cells = [column.to_pylist() for column in chunk.cells]
        rows += [(str(row), *(_shown(cell) for cell in found)) for row, *found in zip(chunk.rows.tolist(), *cells)]
    return f"{body}\n```text\n{sample}```\n\n{table(('row', *opened.headers), rows)}"


def examples(entries: Iterable[tuple[str, str]]) -> str:
    """Examples under a heading for each key; several of one key share it."""
    lines: list[str] = []
    last = ""
    for name, text in entries:
        if name != last:
            lines.append(f"#### `{name}`\n")
        lines.append(text)
        last = name
    return "\n".join(lines)


# The pages


def mapping_reference() -> str:
    """docs/mapping-reference.md."""
    steps = examples((name, step_example(says, text, cells)) for name, says, text, cells in STEP_EXAMPLES)
    reads = examples((name, read_example(says, text, sample)) for name, says, text, sample in READ_EXAMPLES)
    fields = table(
        ("field", "", "holds", "says"),
        (
            (f"`{one.name}`", "**required**" if one.required else "", one.kind.value, one.says)
            for one in DOCUMENT_FIELDS["inventory"]
        ),
    )
    parts = {
        "MAPPING": keys_table(model.Mapping).replace(", `purchase-orders` |", " |", 1),
        "READ": keys_table(model.Read),
        "READ_EXAMPLES": reads,
        "FIELDS": fields,
        "STEPS": keys_table(model.FieldSteps),
        "STEP_EXAMPLES": steps,
        "NUMBER": keys_table(model.NumberFormat),
        "GUARD": keys_table(model.Guard),
        "ABOVE": keys_table(model.RejectAbove),
        "LAYOUT": keys_table(model.OrderLayout),
        "WRITE": keys_table(model.Write),
        "COLUMN": keys_table(model.Column),
        "PO_FIELDS": ", ".join(f"`{name}`" for name in ORDER_FIELDS),
        "ITEM_FIELDS": ", ".join(f"`{name}`" for name in ITEM_FIELDS),
        "VENDOR": keys_table(model.Vendor),
        "ORDERS": keys_table(model.OrderSchedule),
        "EXPECT": keys_table(model.Expectation),
        "REMOTE": table(("key", "takes", "left out"), (
            (f"`{field.alias or name}`", "text", "**required**" if field.is_required() else "")
            for name, field in model.Remote.model_fields.items()
        )),
        "SETTINGS": table(("key", "takes", "left out", "says", "variable"), settings_rows()),
    }  # fmt: skip
    return _filled("mapping-reference", parts)


def settings_rows() -> Iterator[tuple[str, ...]]:
    """Every setting of filebridge.yaml, with the variable that sets it."""
    for name, field in settings.Settings.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from keys(inner, under=f"{name}.", environment=True)
        else:
            yield from keys(settings.Settings, only=name, environment=True)


OUTCOMES = {
    Outcome.DELIVERED: "RetailOps confirmed it",
    Outcome.UNCHANGED: "RetailOps was already told this value and confirmed it; nothing was sent",
    Outcome.SUPERSEDED: "a newer file already gave a later value for the same key; nothing was sent",
    Outcome.REJECTED: "it cannot be sent, or RetailOps refused it; code and reason are in the reject file",
    Outcome.HELD: "it waits for a person; the receipt says for what",
    Outcome.PENDING: "not sent yet",
    Outcome.UNCERTAIN: "sent, and the answer was lost; it is settled by stating it again",
}
STATUSES = {
    FileStatus.PENDING: "a row is not sent, or not certain yet",
    FileStatus.REJECTED: "every row was rejected, or the file as a whole",
    FileStatus.HELD: "every row that was not rejected waits for a person",
    FileStatus.DUPLICATE: "no call was needed, and the bytes are those of the feed's latest applied file",
    FileStatus.ACCEPTED_WITH_REJECTS: "some rows were rejected, the others are done",
    FileStatus.ACCEPTED: "all is done",
}
CHAPTERS = {
    Of.FILE: ("Codes of a file", "They speak of the file as a whole. Some refuse it; some are only said, on the receipt."),
    Of.HOLD: ("Codes of what is held", "The file waits for a person. `guard` and `future_date`, above, hold files as well."),
    Of.ROW: ("Codes of a row", "They stand in the reject file, in `fb_code`, with a message in `fb_message`."),
    Of.ORDER: ("Codes of a purchase order", "`filebridge orders`, `filebridge status` and STATUS.txt name them."),
}  # fmt: skip


def outcomes() -> str:
    """docs/outcomes.md."""
    chapters = []
    for of, (title, says) in CHAPTERS.items():
        rows = ((f"`{one.code}`", one.title, one.fix) for one in CATALOGUE.values() if one.of is of)
        chapters.append(f"## {title}\n\n{says}\n\n{table(('code', 'means', 'what to do'), rows)}")
    parts = {
        "OUTCOMES": table(
            ("outcome", "means", ""),
            (
                (f"`{outcome}`", says, "passing" if outcome in PASSING else "")
                for outcome, says in OUTCOMES.items()
            ),
        ),
        "STATUSES": table(("status", "when"), ((f"`{status}`", says) for status, says in STATUSES.items())),
        "CODES": "\n".join(chapters),
    }
    if set(OUTCOMES) != set(Outcome) or set(STATUSES) != set(FileStatus) or set(CHAPTERS) != set(Of):
        raise ValueError("an outcome, a status or a kind of code has no words")
    return _filled("outcomes", parts)


def sandbox() -> str:
    """docs/sandbox.md."""
    parts = {
        "KEY": DEFAULT_KEY,
        "FAULTS": table(
            ("kind", "what happens", "played", "`when` can be chosen"),
            (
                (
                    f"`{name}`",
                    kind.text,
                    "beside the answer" if kind.is_side else f"{kind.when} the call is applied",
                    "" if kind.fixed else "yes",
                )
                for name, kind in KINDS.items()
            ),
        ),
        "ASSUMPTIONS": table(
            ("assumption", "how sure"), ((one.text.replace("|", "\\|"), one.certainty) for one in ASSUMPTIONS)
        ),
    }  # fmt: skip
    return _filled("sandbox", parts)


def _filled(name: str, parts: dict[str, str]) -> str:
    """A page's frame, `docs_frames/NAME.md`, with its generated parts: `@NAME@` alone on a line, or within one."""
    text = (FRAMES / f"{name}.md").read_text(encoding="utf-8")
    for key, part in parts.items():
        if f"@{key}@" not in text:
            raise ValueError(f"{FRAMES.name}/{name}.md has no place for {key}")
        text = text.replace(f"@{key}@", part.rstrip("\n"))
    return NOTICE + text


PAGES = {"mapping-reference.md": mapping_reference, "outcomes.md": outcomes, "sandbox.md": sandbox}


def main(arguments: list[str]) -> int:
    """Write the pages, or check them."""
    stale = []
    for name, make in PAGES.items():
        path, text = DOCS / name, make()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in arguments:
                path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"docs/{name} is out of date: make docs" if "--check" in arguments else f"docs/{name} written")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
