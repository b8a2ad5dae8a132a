"""A line more in a carriers.yaml, or one line changed; not a character besides, comments and spaces included.

The places come from the parser's marks, and the outcome is loaded again before anybody may write it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ruamel.yaml import YAML

from filebridge.documents.ship_classes import Target, plain_word, written_line
from filebridge.errors import ConfigError, UserError
from filebridge.mapping.load import CARRIERS_FILE, VENDOR_FILE, load_pack

_HEAD: Final = """\
# The vendor's words for carriers, and RetailOps' ship class for each: {class: its name}, or its id.
# Words are compared without case, spaces and punctuation.
"""


def with_line(text: str, place: str, word: str, target: Target, *, replace: bool = False) -> str:
    """The text of a carriers.yaml with a line for `word`; comments, order and spelling of the others are kept.

    An empty `text` is a file that is not there yet. A line of the same word (compared without case, spaces and
    punctuation) is changed only with `replace`. Raises UserError where there is one, or where the outcome would not
    be the old lines and this one; ConfigError where the file as it is cannot be loaded.
    """
    before = load_lines(text, place)
    same = [found for found in before if plain_word(found) == plain_word(word)]
    if same and not replace:
        there = "; ".join(written_line(found, before[found]) for found in same)
        raise UserError(
            f"{place} has a line for this word already: {there}",
            fix="--replace writes the new one in its place.",
        )
    expected = {**before, **dict.fromkeys(same or [word], target)}
    changed = _edited(text, same, word, target)
    try:
        after = load_lines(changed, place)
    except ConfigError as error:
        raise _unsure(place, word, target) from error
    if list(after.items()) != list(expected.items()):
        raise _unsure(place, word, target)
    return changed


def load_lines(text: str, place: str) -> Mapping[str, Target]:
    """The lines of a carriers.yaml, as the vendor pack's own loader reads them. Raises ConfigError."""
    folder, _, vendor = place.rpartition("/")[0].rpartition("/")
    files = {VENDOR_FILE: 'vendor_id: "0"\n', CARRIERS_FILE: text}
    return load_pack(files, vendor, folder=folder).carriers or {}


def _edited(text: str, same: list[str], word: str, target: Target) -> str:
    mark, body = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    top = YAML(typ="safe", pure=True, plug_ins=[]).compose(body)
    ending = "\r\n" if "\r\n" in body else "\n"
    if top is None:
        head = body if body.strip() else _HEAD
        return f"{mark}{head}{'' if head.endswith(ending) else ending}{written_line(word, target)}{ending}"
    if same:
        # From the end, so that the places of earlier lines stay right.
        for key, value in reversed(top.value):
            if key.value in same:
                body = _spliced(body, value.start_mark.index, _end_of(value), _value(target))
        return mark + body
    at = _end_of(top.value[-1][1]) if top.value else top.start_mark.index + 1
    if top.flow_style:
        return mark + _spliced(body, at, at, f"{', ' if top.value else ''}{written_line(word, target)}")
    line_end = body.find("\n", at)
    head = body if line_end < 0 else body[: line_end + 1]
    indent = " " * top.start_mark.column
    line = f"{'' if line_end >= 0 else ending}{indent}{written_line(word, target)}{ending}"
    return f"{mark}{head}{line}{body[len(head) :]}"


def _end_of(node: Any) -> int:
    """Where the last character of a node is over; a block ends with its last value, not with what follows it."""
    if isinstance(node.value, list) and node.value and not node.flow_style:
        return _end_of(node.value[-1][1])
    return int(node.end_mark.index)


def _spliced(text: str, start: int, end: int, between: str) -> str:
    return text[:start] + between + text[end:]


def _value(target: Target) -> str:
    return written_line("", target).partition(": ")[2]


def _unsure(place: str, word: str, target: Target) -> UserError:
    return UserError(
        f"The line could not be written into {place} without changing others, so nothing was changed.",
        fix=f"Write it by hand: {written_line(word, target)}",
    )
