"""Owner files: `~$NAME` of Excel and `.~lock.NAME#` of LibreOffice say that somebody has NAME open."""

from __future__ import annotations

import os
import stat
from typing import Final

from filebridge.intake.folders import READ_NO_LINK
from filebridge.intake.names import printable

_EXCEL: Final = b"~$"
_OFFICE: Final = (b".~lock.", b"#")
_ENOUGH: Final = 512


def owned_name(name: bytes) -> bytes | None:
    """The name of the file that an owner file speaks of; None where `name` is no owner file's."""
    before, after = _OFFICE
    if name.startswith(before) and name.endswith(after):
        return name[len(before) : -len(after)] or None
    if name.startswith(_EXCEL):
        return name[len(_EXCEL) :] or None
    return None


def read_owner(folder: int, name: bytes) -> str:
    """Who has the file open, as far as the owner file says: a name, or empty."""
    try:
        file = os.open(name, READ_NO_LINK, dir_fd=folder)
    except OSError:
        return ""
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return ""
        start = os.read(file, _ENOUGH)
    except OSError:
        return ""
    finally:
        os.close(file)
    return _excel_user(start) if name.startswith(_EXCEL) else _office_user(start)


def _excel_user(start: bytes) -> str:
    """Excel's: a length, then the name in the writer's code page, which is only shown where it is ASCII."""
    name = start[1 : 1 + start[0]] if start else b""
    return printable(name.strip(b"\0 ")) if name.isascii() else "?"


def _office_user(start: bytes) -> str:
    """LibreOffice's: the user's name, login, machine and time, parted by commas."""
    user, login, *_ = (part.strip() for part in (start + b",,").split(b",")[:3])
    return printable(user or login)
