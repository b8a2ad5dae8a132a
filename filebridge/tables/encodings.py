"""Which encoding a text is in: byte order mark, strict UTF-8, UTF-16 without a mark, else the likeliest.

What is chosen is used strictly: a byte that does not fit is a refusal, never a replacement character.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from filebridge.errors import FileRefused

PIECE: Final = 1 << 20
_ENOUGH_WORDS: Final = 5
_ENOUGH: Final = 12_000
"""Bytes of lines with letters outside ASCII that a guess is made from."""

MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SINGLE_BYTE: Final = ("cp1252", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp850", "mac_roman")
_MULTI_BYTE: Final = ("cp932", "gb18030", "big5", "euc_jp", "euc_kr")
_COMMON_PAGES: Final = {
    "cp932": ((0x81, 0x84), (0x88, 0x97)),
    "euc_jp": ((0xA1, 0xA8), (0xB0, 0xCF)),
    "gb18030": ((0xA1, 0xA3), (0xB0, 0xD7)),
    "big5": ((0xA1, 0xC6),),
    "euc_kr": ((0xA1, 0xA3), (0xB0, 0xC8)),
}
"""Lead bytes of the signs in common use, by encoding."""
_ISO: Final = tuple(f"iso8859-{number}" for number in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16))
TRANSCODABLE: Final = frozenset({"ascii", "utf-8", "latin-1", *_SINGLE_BYTE, *_ISO})
"""Encodings in which a line feed, a quote and a delimiter are the bytes that they are in ASCII."""


@dataclass(frozen=True)
class Encoding:
    """The encoding of a text: its Python name, the length of its byte order mark, and how sure that is.

    `mark` is the byte order mark's length in bytes; `why` says what unsureness there is, for the receipt.
    """

    name: str
    mark: int = 0
    confidence: float = 1.0
    why: str = ""


def declared_encoding(stream: BinaryIO, name: str) -> Encoding:
    """The encoding that was declared. A byte order mark that says another is a refusal (`wrong_encoding`)."""
    stream.seek(0)
    head = stream.read(4)
    plain = codecs.lookup(name).name.replace("_", "-")
    plain = {"utf-8-sig": "utf-8", "iso8859-1": "latin-1"}.get(plain, plain)
    for mark, marked in MARKS:
        if head.startswith(mark):
            if plain not in (marked, marked.rsplit("-", 1)[0] if marked != "utf-8" else marked):
                raise FileRefused(
                    "wrong_encoding",
                    f"The file begins with the byte order mark of {marked}, and the mapping says {name}.",
                    fix=f"Write `read: {{encoding: {marked}}}`, or leave the encoding out.",
                )
            return Encoding(marked, mark=len(mark))
    return Encoding({"utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(plain, plain))


def detect_encoding(stream: BinaryIO) -> Encoding:
    """The encoding of a whole stream, which is read once, in pieces."""
    stream.seek(0)
    head = stream.read(4096)
    for mark, marked in MARKS:
        if head.startswith(mark):
            return Encoding(marked, mark=len(mark))
    if (wide := utf16_without_mark(head)) is not None:
        return wide
    if is_utf8(stream):
        return Encoding("utf-8")
    return _legacy(stream)


def is_utf8(stream: BinaryIO) -> bool:
    """Whether a stream is valid UTF-8 (or ASCII) from its start to its end."""
    stream.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    open_character = False
    try:
        while piece := stream.read(PIECE):
            if open_character or not piece.isascii():
                decoder.decode(piece)
                open_character = decoder.getstate()[0] != b""
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def utf16_without_mark(head: bytes) -> Encoding | None:
    """UTF-16 by its zero bytes: nearly every other byte of a text in Latin letters is one."""
    half = len(head) // 2
    if half < 2:
        return None
    for name, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[0::2])):
        others = head[0::2] if name == "utf-16-le" else head[1::2]
        if zeros.count(0) > 0.6 * half and not others.count(0):
            return Encoding(name, confidence=0.9, why=f"UTF-16 without a byte order mark, read as {name}")
    return None


def _telling_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines with bytes outside ASCII, as many as make a guess good."""
    stream.seek(0)
    got = 0
    for line in stream:
        if not line.isascii():
            got += len(line)
            yield line[:_ENOUGH]
            if got > _ENOUGH:
                return


def _legacy(stream: BinaryIO) -> Encoding:
    """The likeliest encoding of a text that is no UTF-8."""
    sample = b"".join(_telling_lines(stream))
    _refuse_mixture(sample)
    scores: list[tuple[float, int, str, str]] = []
    for order, name in enumerate((*_SINGLE_BYTE, *_suggested(sample), *_MULTI_BYTE)):
        try:
            text = sample.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
        score = _oddity(text, name) + (0.02 if order >= 1 else 0.0)
        if name in ("cp850", "mac_roman", "cp1254"):
            score += 0.15
        scores.append((score, order, name, text))
    if not scores:
        raise FileRefused(
            "wrong_encoding",
            "The text is neither UTF-8 nor any other encoding that FileBridge tries.",
            fix="Say which with `read: {encoding: …}`, or save the file as UTF-8.",
        )
    scores.sort()
    best, _, name, text = scores[0]
    rivals = [other for score, _, other, said in scores[1:] if score < best + 0.1 and said != text]
    # A few letters are no evidence for an encoding that few files are in.
    is_proven = (
        name == "cp1252" or len({word for word in _WORD.findall(text) if not word.isascii()}) >= _ENOUGH_WORDS
    )
    if rivals or best > 0.5 or not is_proven:
        other = rivals[0] if rivals else "another"
        return Encoding(name, confidence=0.6, why=f"read as {name}, and it could be {other}")
    return Encoding(name, confidence=0.9, why=f"read as {name}")


def _suggested(sample: bytes) -> list[str]:
    """What charset-normalizer takes the text for; it proposes, the scores below decide."""
    from charset_normalizer import from_bytes

    best = from_bytes(sample).best()
    tried = (*_SINGLE_BYTE, *_MULTI_BYTE, "ascii")
    if best is None or best.encoding in tried or best.encoding.startswith("utf"):
        return []
    return [best.encoding]


def _refuse_mixture(sample: bytes) -> None:
    """Refuses a text that is UTF-8 in some lines and something else in others."""
    valid = broken = 0
    for line in sample.splitlines():
        try:
            line.decode("utf-8")
            valid += 1
        except UnicodeDecodeError:
            broken += 1
    if valid and broken and valid * 4 >= broken:
        raise FileRefused(
            "wrong_encoding",
            "Some lines of the file are UTF-8 and some are not: two encodings in one file.",
            fix="Save the whole file as UTF-8.",
        )


_COMMON_SIGNS: Final = frozenset("’‘´“”„«»–—…®™°²³º€£©§¡¿·•\u00a0、。「」・（）：")
_WORD: Final = re.compile(r"[^\W\d_]+")
_INSIDE: Final = re.compile(
    r"(?<=[^\W\d_])[^\w\s\x00-\x7f’‘´–·](?=[^\W\d_])"
    r"|(?<=[^\W\d_])[^\w\s\x00-\x7f’‘´“”»–—…®™°²³º©·•]"
    r"|[^\w\s\x00-\x7f’‘„“”«»–—…©®§¿¡·•](?=[^\W\d_])"
)
"""Signs that stand beside letters, or between them, where people write none."""
_ALPHABETS: Final = tuple(
    map(
        frozenset,
        (
            "äöüß",
            "àâæçéèêëîïôœùûüÿ",
            "áéíñóúü",
            "àáâãçéêíóôõúü",
            "àèéìíîòóùú",
            "åäöæøéü",
            "áéíóúëïöüè",
            "áðéíóúýþæö",
            "ąćęłńóśźż",
            "áčďéěíňóřšťúůýž",
            "áäčďéíĺľňóôŕšťúýž",
            "áéíóöőúüű",
            "ăâîşţșț",
            "čćđšž",
            "çğıöşüâîû",
        ),
    )
)
"""The letters outside ASCII of languages in Latin script: those of one text are mostly of one of them."""


def _script(letter: str) -> str:
    code = ord(letter)
    if code < 0x80:
        return "ascii"
    if code < 0x250 or 0x1E00 <= code < 0x1F00:
        return "latin"
    if code < 0x400:
        return "greek"
    if code < 0x530:
        return "cyrillic"
    return "wide" if code >= 0x1100 else "other"


def _oddity(text: str, codec: str) -> float:
    """How odd a text reads, from 0: symbols inside words, scripts mixed in a word, words of accents alone."""
    outside = sum(letter >= "\x80" for letter in text)
    if not outside:
        return 0.0
    odd = 3.0 * len(_INSIDE.findall(text))
    odd += 2.0 * sum("\u2500" <= sign < "\u2600" for sign in text)
    odd += 0.3 * sum(sign >= "\x80" and not sign.isalpha() and sign not in _COMMON_SIGNS for sign in text)
    odd += 5.0 * sum("\x80" <= letter < "\xa0" or "\ue000" <= letter < "\uf900" for letter in text)
    for word in _WORD.findall(text):
        if not word.isascii():
            odd += _oddity_of_word(word, codec)
    letters = {sign for sign in text.lower() if "\x80" <= sign < "\u0250" and sign.isalpha()}
    return odd / outside + (0.0 if any(letters <= alphabet for alphabet in _ALPHABETS) else 0.3)


def _oddity_of_word(word: str, codec: str) -> float:
    scripts = Counter(map(_script, word))
    latin = scripts["latin"]
    mixed = [name for name in ("greek", "cyrillic", "wide") if scripts[name]]
    odd = 0.0
    if mixed and (scripts["ascii"] or latin or len(mixed) > 1):
        odd += 2.0 * sum(scripts[name] for name in mixed)
    if latin and len(word) >= 3 and latin * 4 >= len(word) * 3:
        odd += 1.0 * latin
    if (
        len(word) > 1
        and not word.isupper()
        and not word.istitle()
        and not word.islower()
        and "wide" not in scripts
    ):
        odd += 2.0 * sum(letter.isupper() and letter >= "\x80" for letter in word[1:])
    if word.isupper() and scripts["cyrillic"]:
        # The one eight-bit Cyrillic read as the other has its cases swapped.
        odd += 0.08 * len(word)
    if scripts["wide"]:
        odd += 0.8 * _rare(word, codec)
    return odd


def _rare(word: str, codec: str) -> int:
    """Signs that everyday text of an East Asian encoding hardly has: those outside its pages of common signs."""
    pages = _COMMON_PAGES.get(codec, ())
    rare = 0
    for sign in word:
        if sign >= "\u1100":
            coded = sign.encode(codec, "replace")
            rare += len(coded) != 2 or not any(first <= coded[0] <= last for first, last in pages)
    return rare
