"""`open_table`: bytes to a `Table`. What a file is, its bytes say, not its name."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import BinaryIO, Final

from filebridge.errors import FileRefused
from filebridge.tables.table import ReadOptions, Table
from filebridge.tables.text import open_delimited

_ZIP: Final = b"PK\x03\x04"
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OTHER: Final = (
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF-", "a PDF document"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an XZ archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"{\\rtf", "a document of a word processor (RTF)"),
)
_MARKUP: Final = re.compile(rb"\s*<(?:!doctype|html|head|body|table|\?xml|!--|[a-z][\w:.-]*(?:\s[^<>]*)?>)", re.IGNORECASE)
_JSON: Final = re.compile(rb'\s*(?:\{\s*"[^"\r\n]*"\s*:|\[\s*(?:[\[{]|\]))')
_WORKBOOK_NAMES: Final = frozenset({".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"})
WORKBOOKS: Final = frozenset({"xlsx", "xlsm", "xls", "xlsb", "ods"})


def open_table(stream: BinaryIO, *, name: str, options: ReadOptions) -> Table:
    """Opens a seekable stream as a table.

    `name` is only used to say that a file is not what its name says. Raises FileRefused with `empty_file`,
    `unreadable_file`, `wrong_encoding`, `incomplete_file`, `unsafe_file`, `too_large` or `missing_column`.
    """
    stream.seek(0)
    head = stream.read(4096)
    if not head:
        raise FileRefused("empty_file", "The file has no bytes.", fix="Send it again.")
    suffix = PurePosixPath(name).suffix.lower()
    if head.startswith((_ZIP, b"PK\x05\x06", _OLE)):
        raise FileRefused("unreadable_file", "workbooks")
    _refuse_what_is_no_table(head)
    if suffix in _WORKBOOK_NAMES or options.format in WORKBOOKS:
        wanted = suffix.lstrip(".") if suffix in _WORKBOOK_NAMES else options.format
        raise FileRefused(
            "unreadable_file",
            f"The file is text, no workbook as its name or the mapping says ({wanted}).",
            fix="Give it a name that ends in .csv, or save it as a workbook.",
        )
    return open_delimited(stream, options=options)


def _refuse_what_is_no_table(head: bytes) -> None:
    """Refuses bytes that are plainly something else than a table."""
    for start, what in _OTHER:
        if head.startswith(start):
            raise _no_table(what)
    text = head.removeprefix(b"\xef\xbb\xbf")
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = text.replace(b"\0", b"")[2:]
    if _MARKUP.match(text):
        raise _no_table("HTML or XML")
    if _JSON.match(text):
        raise _no_table("JSON")


def _no_table(what: str) -> FileRefused:
    return FileRefused(
        "unreadable_file", f"The file is {what}, not a table.", fix="Save it again as CSV or XLSX."
    )
