"""Where: columns as a spreadsheet names them."""

from __future__ import annotations


def column_letter(index: int) -> str:
    """Name of the column at a 0-based index, as a spreadsheet shows it: 0 is A, 25 is Z, 26 is AA."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name
