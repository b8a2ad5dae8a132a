"""`open_table`: bytes to a `Table`. What a file is, its bytes say, not its name."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import BinaryIO, Final

from filebridge.errors import FileRefused
from filebridge.rejects import Note
from filebridge.tables.admission import Archive
from filebridge.tables.fixed_width import open_fixed_width
from filebridge.tables.sheets import Workbook
from filebridge.tables.table import ReadOptions, Table
from filebridge.tables.text import open_delimited
from filebridge.tables.workbook import open_workbook

_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
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
_MARKUP: Final = re.compile(
    rb"\s*<(?:!doctype|!--|\?xml|(?:[a-z][\w.-]*:)?[a-z][\w.-]*(?:\s[^<>]*)?/?>)", re.IGNORECASE
)
_JSON: Final = re.compile(rb'\s*(?:\{\s*"[^"\r\n]*"\s*:|\[\s*(?:[\[{]|\]))')
_NAMED_ONLY: Final = ("xls", "xlsb", "ods", "xlsm")
WORKBOOKS: Final = ("xlsx", *_NAMED_ONLY)
_ODS: Final = b"application/vnd.oasis.opendocument.spreadsheet"


def open_table(stream: BinaryIO, *, name: str, options: ReadOptions) -> Table:
    """Opens a seekable stream as a table.

    `name` is only used to say that a file is not what its name says. Raises FileRefused with `empty_file`,
    `unreadable_file`, `wrong_encoding`, `incomplete_file`, `unsafe_file`, `too_large` or `missing_column`.
    """
    stream.seek(0)
    head = stream.read(4096)
    if not head:
        raise FileRefused("empty_file", "The file has no bytes.", fix="Send it again.")
    suffix = PurePosixPath(name).suffix.lower().lstrip(".")
    found = format_of(stream)
    if found:
        return _open_workbook(stream, found, suffix, options)
    refuse_what_is_no_table(head)
    if suffix in WORKBOOKS or options.format in WORKBOOKS:
        said = f"its name says .{suffix}" if suffix in WORKBOOKS else f"the mapping says {options.format}"
        raise FileRefused(
            "unreadable_file",
            f"The file is text, and {said}.",
            fix="Give it a name that ends in .csv, or save it as a workbook.",
        )
    if options.format == "fixed" or options.columns:
        return open_fixed_width(stream, options=options)
    return open_delimited(stream, options=options)


def format_of(stream: BinaryIO) -> str:
    """The format of a workbook by its bytes (xlsx, xlsm, xlsb, ods, xls); empty for what is no workbook.

    Raises FileRefused for archives without a workbook, and for encrypted or damaged ones.
    """
    stream.seek(0)
    head = stream.read(8)
    if head.startswith(_OLE):
        return _format_of_compound(stream)
    if not head.startswith(_ZIP):
        return ""
    archive = Archive(stream)
    if "xl/workbook.bin" in archive:
        return "xlsb"
    if "mimetype" in archive and archive.read("mimetype").startswith(_ODS):
        return "ods"
    return "xlsm" if "xl/vbaProject.bin" in archive else "xlsx"


def _format_of_compound(stream: BinaryIO) -> str:
    """What is in an _OLE compound file, by the names of its streams."""
    stream.seek(0)
    content = stream.read(64 << 20)
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise FileRefused(
            "unreadable_file", "The workbook is encrypted with a password.", fix="Save it without a password."
        )
    if "Workbook".encode("utf-16-le") in content or "Book\0".encode("utf-16-le") in content:
        return "xls"
    raise FileRefused(
        "unreadable_file",
        "The file is an old Office document, and there is no workbook in it.",
        fix="Save the table as CSV or XLSX.",
    )


def _open_workbook(stream: BinaryIO, found: str, suffix: str, options: ReadOptions) -> Table:
    """Opens a workbook whose format is allowed: XLSX always, the others only where the mapping names them."""
    if found not in ("xlsx", options.format):
        raise FileRefused(
            "unreadable_file",
            f"The file is an {found.upper()} workbook, which is only read where the mapping says so.",
            fix=f"Add `read: {{format: {found}}}` to the mapping, or save the file as XLSX.",
        )
    workbook = _workbook(stream, found)
    if options.format not in (None, found):
        raise FileRefused(
            "unreadable_file",
            f"The file is an {found.upper()} workbook, and the mapping says {options.format}.",
            fix=f"Write `read: {{format: {found}}}`, or send the file as {options.format}.",
        )
    table = open_workbook(workbook, format_name=found, options=options)
    if suffix and suffix != found:
        table.say(
            Note("name_differs", f"The file is an {found.upper()} workbook, and its name ends in .{suffix}.")
        )
    return table


def _workbook(stream: BinaryIO, found: str) -> Workbook:
    if found == "ods":
        from filebridge.tables.ods import Ods

        return Ods(Archive(stream))
    if found == "xlsb":
        from filebridge.tables.xlsb import Xlsb

        return Xlsb(Archive(stream))
    if found == "xls":
        from filebridge.tables.xls import Xls

        return Xls(stream)
    from filebridge.tables.xlsx import Xlsx

    return Xlsx(Archive(stream))


def refuse_what_is_no_table(head: bytes) -> None:
    """Refuses bytes that are plainly something else than a table."""
    for start, what in _OTHER:
        if head.startswith(start):
            raise _no_table(what)
    text = head.removeprefix(b"\xef\xbb\xbf")
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = text[2:].replace(b"\0", b"")
    if _MARKUP.match(text):
        raise _no_table("HTML or XML")
    if _JSON.match(text):
        raise _no_table("JSON")


def _no_table(what: str) -> FileRefused:
    return FileRefused(
        "unreadable_file", f"The file is {what}, not a table.", fix="Save it again as CSV or XLSX."
    )
