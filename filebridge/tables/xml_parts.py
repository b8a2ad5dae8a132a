"""XML parts of an archive through expat: a DOCTYPE is a refusal, and entities are never expanded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final
from xml.parsers import expat

from filebridge.tables.admission import Archive, unsafe
from filebridge.tables.sheets import damaged

_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")


def parse(archive: Archive, part: str, start: Callable[..., Any], end: Callable[..., Any], text: Any = None) -> None:
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
