"""Names of files that others gave: any bytes are possible, and people read them.

The bytes are the name. For people and for the ledger's text there is a printable form (`printable`), for our
own folders and replies a harmless one (`safe_name`).
"""

from __future__ import annotations

import hashlib
import os
import re
from typing import Final

_IGNORED: Final = re.compile(rb"(?is).*\.(?:part|filepart|tmp|crdownload)|\..*|~\$.*|readme(?:\.txt|\.md)?")
"""Temporary, hidden, an owner file (`.~lock.NAME#` is hidden as well), or what explains the folder."""
_TRIGGER: Final = b".done"
_UNSAFE: Final = re.compile(r"[^\w .,()\[\]{}+=@#&!$%\'~^`;-]")
_DEVICES: Final = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))]
)
_LONGEST: Final = 160
"""Bytes of a safe name, so that `.<file id>.rejects.xlsx` still fits behind it."""


def printable(name: bytes) -> str:
    r"""A name as people read it, and as patterns and the ledger's text have it; no two names share one.

    What cannot be shown is escaped: a byte that is no UTF-8 as `\xe9`, a control or direction character as
    `\u000a`, the backslash itself as two.
    """
    text = os.fsdecode(name)
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(map(_shown, text))


def _shown(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if character == "\\":
        return "\\\\"
    if character.isprintable():
        return character
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def is_ignored(name: bytes) -> bool:
    """Whether a file or folder of this name (one component) is never an arrival: temporary, hidden, a README."""
    return _IGNORED.fullmatch(name) is not None


def triggered_name(name: bytes) -> bytes | None:
    """The name that a trigger file (`NAME.done`, in any case) speaks of; None where `name` is no trigger file's."""
    return name[: -len(_TRIGGER)] if name.lower().endswith(_TRIGGER) and len(name) > len(_TRIGGER) else None


def safe_name(name: bytes) -> str:
    """The last component of a name, fit for our own folders and for replies on any file system.

    A harmless name stays as it is. Of another, what could do harm becomes `_`, and eight digits of its hash
    stand before the ending, so that two names never become one. At most 160 bytes.
    """
    leaf = name.rpartition(b"/")[2]
    text = os.fsdecode(leaf)
    plain = _UNSAFE.sub("_", text.encode("utf-8", "replace").decode()).lstrip(".-~ ").rstrip(". ")
    stem, dot, ending = plain.rpartition(".")
    if not dot or len(ending) > 10:
        stem, dot, ending = plain, "", ""
    if plain == text and len(leaf) <= _LONGEST and stem.partition(".")[0].lower() not in _DEVICES:
        return text
    tail = f"-{hashlib.sha256(leaf).hexdigest()[:8]}{dot}{ending}"
    return (_cut(stem, _LONGEST - len(tail.encode())) or "file") + tail


def safe_path(name: bytes) -> str:
    """A name below the inbox with every component made safe: where its replies lie below `replies/`."""
    return "/".join(safe_name(part) for part in name.split(b"/"))


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode(errors="ignore")


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts `stock2.csv` before `stock10.csv`, and without case."""
    return tuple(
        (0, int(part), part) if part.isdecimal() else (1, 0, part)
        for part in re.split(r"([0-9]+)", name.casefold())
        if part
    )
