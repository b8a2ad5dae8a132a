"""XML parts of an archive through expat: a DOCTYPE is a refusal, and entities are never expanded."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from typing import Any, Final
from xml.parsers import expat

from filebridge.tables.admission import Archive, unsafe
from filebridge.tables.sheets import damaged

_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")


def parse(
    archive: Archive, part: str, start: Callable[..., Any], end: Callable[..., Any], text: Any = None
) -> None:
    """Runs a whole part through expat. Element names come without their namespace prefix."""
    for _ in parse_in_pieces(archive, part, start, end, text):
        pass


def parse_in_pieces(
    archive: Archive, part: str, start: Callable[..., Any], end: Callable[..., Any], text: Any = None
) -> Iterator[None]:
    """Runs a part through expat, giving way after each piece."""
    parser = new_parser(start, end, text)
    for piece in archive.pieces(part):
        feed(parser, piece, part)
        yield
    feed(parser, b"", part, is_final=True)
    yield


def new_parser(start: Callable[..., Any], end: Callable[..., Any], text: Any = None) -> expat.XMLParserType:
    """A parser that refuses a DOCTYPE and gives text in one go."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def feed(parser: expat.XMLParserType, piece: bytes, part: str, *, is_final: bool = False) -> None:
    """Gives a parser more of a part. Raises FileRefused `unreadable_file` where it is no well-formed XML."""
    try:
        parser.Parse(piece, is_final)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise damaged(f"The workbook's part {part} is no well-formed XML.") from error


def _refuse_doctype(*_: object) -> None:
    raise unsafe("The workbook's XML has a DOCTYPE, which no spreadsheet writes.")


def local(name: str) -> str:
    """An element's name without its namespace prefix."""
    return name.rpartition(":")[2]


def unescape(text: str) -> str:
    """Text in which a spreadsheet wrote a character as `_x000D_`."""
    return _ESCAPED.sub(_character, text) if "_x" in text else text


def _character(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    # Half of a surrogate pair is no character.
    return match[0] if 0xD800 <= code < 0xE000 else chr(code)


def nothing(_: str) -> None:
    """A handler for ends that are of no interest."""


def relations(archive: Archive, part: str) -> list[tuple[str, str, str]]:
    """The (kind, id, target) of a part of relations; none where there is no such part."""
    found: list[tuple[str, str, str]] = []
    folder = posixpath.dirname(posixpath.dirname(part))

    def start(name: str, attributes: dict[str, str]) -> None:
        if local(name) == "Relationship" and attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "")
            path = target if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            found.append(
                (attributes.get("Type", "").rpartition("/")[2], attributes.get("Id", ""), path.lstrip("/"))
            )

    if part in archive:
        parse(archive, part, start, nothing)
    return found
