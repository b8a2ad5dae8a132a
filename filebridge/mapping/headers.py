"""Which column of a file is which field: headers compared without case, spaces and punctuation."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from filebridge.mapping.model import FieldSteps

_MOST_LISTED = 40
_LEAST_SHARED = 3


@dataclass(frozen=True)
class ResolvedColumns:
    """For each field that comes from columns, their 0-based places: one, or those of `join` in its order."""

    places: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Unresolved:
    """Why the file cannot be taken: `missing_column` or `duplicate_column`, and all that is wrong at once."""

    code: str
    message: str


def plain_header(header: str) -> str:
    """A header as headers are compared: without case, spaces and punctuation; one of signs alone stays."""
    text = unicodedata.normalize("NFC", header).casefold()
    return "".join(filter(str.isalnum, text)) or text.strip()


def resolve_columns(
    headers: Sequence[str], fields: Mapping[str, FieldSteps], *, has_header: bool = True
) -> ResolvedColumns | Unresolved:
    """The places of the mapped columns among a file's headers; without a header these are A, B, C ….

    A header that is written exactly as in the mapping is taken before one that is only like it.
    """
    places: dict[str, tuple[int, ...]] = {}
    missing: list[str] = []
    twice: list[str] = []
    for name, steps in fields.items():
        wanted = [(alias,) for alias in steps.join] if steps.join else [steps.column] if steps.column else []
        found = []
        for aliases in wanted:
            alias, at = _first_that_exists(headers, aliases)
            if not at:
                missing.append(_missing(name, aliases, headers))
            elif len(at) > 1:
                columns = " and ".join(str(place + 1) for place in at)
                twice.append(f"{alias!r} ({name}) is the header of columns {columns}")
            else:
                found.append(at[0])
        if wanted:
            places[name] = tuple(found)
    if missing:
        return Unresolved("missing_column", _message([*missing, *twice], headers, has_header=has_header))
    if twice:
        return Unresolved("duplicate_column", f"{'; '.join(twice)}. Give each column its own header.")
    return ResolvedColumns(places)


def _first_that_exists(headers: Sequence[str], aliases: Sequence[str]) -> tuple[str, list[int]]:
    for alias in aliases:
        exact = [place for place, header in enumerate(headers) if header.strip() == alias.strip()]
        plain = plain_header(alias)
        alike = [place for place, header in enumerate(headers) if plain_header(header) == plain]
        if exact or alike:
            return alias, exact or alike
    return "", []


def _missing(name: str, aliases: Sequence[str], headers: Sequence[str]) -> str:
    by_plain = {plain_header(header): header for header in headers if header.strip()}
    near: list[str] = []
    for word in (*aliases, name):
        near = near or difflib.get_close_matches(plain_header(word), by_plain, n=1, cutoff=0.6)
    for word in (*aliases, name):
        near = near or _within(plain_header(word), by_plain)
    closest = f"; the closest is {by_plain[near[0]]!r}" if near else ""
    return f"no column {' or '.join(repr(alias) for alias in aliases)} for {name}{closest}"


def _within(word: str, headers: Iterable[str]) -> list[str]:
    """The header that shares the most with a word, one being a part of the other: `qty` of `qtyavailable`."""
    found = [
        header
        for header in headers
        if min(len(header), len(word)) >= _LEAST_SHARED and (header in word or word in header)
    ]
    return sorted(found, key=lambda header: abs(len(header) - len(word)))[:1]


def _message(faults: Sequence[str], headers: Sequence[str], *, has_header: bool) -> str:
    listed = ", ".join(header.strip() or "(empty)" for header in headers[:_MOST_LISTED])
    if len(headers) > _MOST_LISTED:
        listed += f" and {len(headers) - _MOST_LISTED} more"
    found = "The headers found are" if has_header else "The file is read without a header; its columns are"
    return f"The file has {'; '.join(faults)}. {found}: {listed}."
