"""What the binary formats of spreadsheets (XLS, XLSB) share: packed numbers and error codes."""

from __future__ import annotations

import struct
from typing import Final

_ERRORS: Final = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}


def error_word(code: int) -> str:
    """An error by its code, as a sheet shows it."""
    return _ERRORS.get(code, "#ERROR!")


def unpacked(packed: int) -> float:
    """A number that was packed into 32 bits (RK): 30 bits of it, and whether it was whole or times a hundred."""
    if packed & 2:
        whole = packed >> 2
        value = float(whole - (1 << 30) if whole >= 1 << 29 else whole)
    else:
        (value,) = struct.unpack("<d", struct.pack("<Q", (packed & 0xFFFFFFFC) << 32))
    return value / 100 if packed & 1 else value
