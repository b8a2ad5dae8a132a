"""The examples of the mapping reference: what they become is worked out by the program's own rules."""

from __future__ import annotations

import typing
from collections.abc import Iterable
from io import BytesIO
from textwrap import indent

from filebridge.clock import iso
from filebridge.documents.fields import DOCUMENT_FIELDS, FieldKind
from filebridge.mapping.load import load_mapping
from filebridge.mapping.steps import field_rule
from filebridge.mapping.values import CellFault
from filebridge.tables.open import open_table

ARRIVED_AT = 1_795_503_600_000_000
"""When the files of the examples arrived: 2026-11-24 07:00 UTC, midnight in Denver."""


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    head = list(head)
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join(cell.replace("\n", " ") for cell in row) for row in rows]
    return "".join(f"| {line} |\n" for line in lines)


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
    found = load_mapping(f"document: inventory\nfields:\n{others}{indent(text, '  ')}\n", "m")
    spec = next(one for one in DOCUMENT_FIELDS["inventory"] if one.name == name)
    steps = found.fields[name]
    rule = field_rule(spec, steps, vendor_zone="America/Denver", arrived_at=ARRIVED_AT)
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
    (
        "format",
        "What a file is, its bytes say. XLS, XLSB, ODS and XLSM are read only where they are named.",
        "format: ods",
        "",
    ),
    (
        "encoding",
        "Left out: byte order mark, strict UTF-8, else guessed, and said on the receipt. Where a mapped cell hangs on "
        "the guess, the file is refused with the line to add.",
        "encoding: cp1252",
        "",
    ),
    ("delimiter", "A tab is written in double quotes.", 'delimiter: ";"', "SKU;Qty\nW-1;3\n"),
    ("quote", "`none` where a quote is an ordinary character.", "quote: none", 'SKU,Qty\nPIPE 3",4\n'),
    (
        "escape",
        "The character before an escaped one.",
        'delimiter: ","\nescape: "\\\\"',
        "SKU,Qty\nW\\,1,3\n",
    ),
    (
        "comment",
        "Lines that start so are no rows of the table, but they count as rows.",
        'comment: "#"',
        "# made at night\nSKU,Qty\nW-1,3\n",
    ),
    ("sheet", "Name, pattern, or number from 1.", 'sheet: "Stock*"', ""),
    (
        "header_row",
        "The row of the header, as a spreadsheet counts.",
        "header_row: 3",
        "Acme\nStock report\nSKU,Qty\nW-1,3\n",
    ),
    ("header_row", "Without a header the columns are A, B, C …", "header_row: none", "W-1,3\nW-2,4\n"),
    (
        "columns",
        "Positions of a fixed-width file, counted in characters from 1.",
        "format: fixed\ncolumns: {SKU: 1-6, Qty: 7-10}",
        "W-1      3\n00120   12\n",
    ),
    (
        "skip_rows",
        "Rows whose first filled cell matches are left out: totals, footers.",
        'skip_rows: "^(Total|Report run)"',
        "SKU,Qty\nW-1,3\nTotal,3\n",
    ),
    (
        "hidden",
        "Hidden rows and columns of a workbook: `include` (and say so), `skip`, or `refuse` the file.",
        "hidden: skip",
        "",
    ),
    (
        "fill_down",
        "Columns in which an empty cell means: as above.",
        "fill_down: [Group]",
        "Group,SKU,Qty\nLamps,W-1,3\n,W-2,4\n",
    ),
    (
        "last_line_end",
        "A text file that does not end with a line end may be cut short, so it waits in the inbox. `optional` takes "
        "it, for a system that never ends its last line: then a cut inside the last cell is not seen.",
        "last_line_end: optional",
        "",
    ),
)


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
        rows += [
            (str(row), *(_shown(cell) for cell in found))
            for row, *found in zip(chunk.rows.tolist(), *cells, strict=True)
        ]
    return f"{body}\n```text\n{sample}```\n\n{table(('row', *opened.headers), rows)}"
