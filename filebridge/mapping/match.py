"""Which mapping is a file's: none, one, or too many, each said in a sentence.

Patterns of `match:` are globs on the path below the vendor's inbox, compared without case. `*` and `?` stop at
a `/`, `**` does not: `inventory*.csv` takes files of the inbox itself, `stock/*.xlsx` those of its folder
`stock`, `**/*.csv` every CSV wherever it lies. A mapping without `match:` takes the files that no pattern of the
vendor takes and that are named like its document: `inventory*`, or for ship dates `ship-dates*`, `ship_dates*`
and the like, with the ending .csv, .txt, .tsv or .xlsx (or the format that its `read:` names).

A file that no mapping takes and whose headers are FileBridge's own field names needs no mapping:
`own_layout_document`.
"""

from __future__ import annotations

import difflib
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from filebridge.documents.fields import DOCUMENT_FIELDS, FieldKind, FieldSpec
from filebridge.mapping.explain import either
from filebridge.mapping.headers import plain_header
from filebridge.mapping.mistakes import missing_choices
from filebridge.mapping.model import FieldSteps, Mapping
from filebridge.mapping.pack import FeedMapping, VendorPack

OWN_FEED: Final = "own-"
"""Before the document, the feed of files in FileBridge's own layout: `own-inventory`."""

_ENDINGS: Final = ("csv", "txt", "tsv", "xlsx")
_TOLD_BY_HEADERS: Final = ("inventory", "shipments")
_ISO_DATES: Final = (
    "%Y-%m-%d",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
)


@dataclass(frozen=True)
class Unmatched:
    """No mapping takes the file. `reason` is a sentence; `nearest` is the pattern that comes closest, or empty."""

    reason: str
    nearest: str = ""


@dataclass(frozen=True)
class Ambiguous:
    """Several mappings take the file: it is held, none is preferred."""

    reason: str
    mappings: tuple[FeedMapping, ...]


Match: TypeAlias = FeedMapping | Unmatched | Ambiguous


def match_file(relative_path: str, pack: VendorPack) -> Match:
    """The mapping that takes a file, by its path below the vendor's inbox (parted by `/`)."""
    path = _plain(relative_path)
    taken = [found for found in pack.mappings if any(_takes(glob, path) for glob in found.mapping.match)]
    if not taken:
        taken = [
            found
            for found in pack.mappings
            if not found.mapping.match and _is_named_like(path, found.mapping)
        ]
    if len(taken) == 1:
        return taken[0]
    if taken:
        files = either([found.path for found in taken], "and")
        return Ambiguous(f"{len(taken)} mappings take this file: {files}", tuple(taken))
    return _unmatched(path, pack)


def _unmatched(path: str, pack: VendorPack) -> Unmatched:
    if not pack.mappings:
        return Unmatched(f"the vendor {pack.vendor} has no mapping of files that come in")
    patterns = {pattern: found for found in pack.mappings for pattern in patterns_of(found.mapping)}
    name = path.rpartition("/")[2]
    near = max(patterns, key=lambda pattern: _likeness(pattern, path, name))
    reason = f"no mapping takes this file; the nearest pattern is `{near}` of {patterns[near].path}"
    if any(_takes(pattern, name) for pattern in patterns) and "/" in path:
        reason += ", which takes files of the inbox itself and not of its folders"
    return Unmatched(reason, near)


def _likeness(pattern: str, path: str, name: str) -> float:
    plain = _plain(pattern)
    subject = path if "/" in plain else name
    return difflib.SequenceMatcher(None, plain.replace("*", ""), subject).ratio() + _takes(plain, name)


def patterns_of(mapping: Mapping) -> tuple[str, ...]:
    """The patterns by which a mapping takes files: its own, or those that stand for the document's name."""
    return mapping.match or tuple(f"{mapping.document}*.{ending}" for ending in _endings(mapping))


def _endings(mapping: Mapping) -> tuple[str, ...]:
    form = mapping.read.format
    if form is None or form in {"csv", "fixed"}:
        return _ENDINGS[:3] if form else _ENDINGS
    return (form,)


def _is_named_like(path: str, mapping: Mapping) -> bool:
    name, _, ending = path.rpartition(".")
    return (
        ending in _endings(mapping)
        and "/" not in name
        and plain_header(name).startswith(plain_header(mapping.document))
    )


def _takes(pattern: str, path: str) -> bool:
    return _compiled(pattern).fullmatch(path) is not None


def _plain(text: str) -> str:
    """One spelling of a path: without case, and with one form of its accents."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    """A glob as a regular expression. `[…]` is a choice of characters, as in every shell."""
    expression, rest = "", _plain(pattern)
    while rest:
        choice = re.match(r"\[(!?)([^\]/]+)\]", rest)
        if rest.startswith("**/"):
            expression, rest = expression + "(?:.*/)?", rest[3:]
        elif rest.startswith("**"):
            expression, rest = expression + ".*", rest[2:]
        elif rest[0] == "*":
            expression, rest = expression + "[^/]*", rest[1:]
        elif rest[0] == "?":
            expression, rest = expression + "[^/]", rest[1:]
        elif choice:
            inside = re.sub(r"([\\\[\]^&~|])", r"\\\1", choice[2])
            expression, rest = expression + f"[{'^/' if choice[1] else ''}{inside}]", rest[choice.end() :]
        else:
            expression, rest = expression + re.escape(rest[0]), rest[1:]
    return re.compile(expression, re.DOTALL)


def own_layout_document(name: str, headers: Sequence[str], sheet: str = "") -> FeedMapping | None:
    """The mapping of a file in FileBridge's own layout; None where its headers do not say one document type.

    Every filled header must be a field of the document (compared without case, spaces and punctuation; `fb_`
    columns are no fields), none twice, all required ones present. The sheet's name or the start of the file's
    says which document; where neither names one, only inventory and shipments are told, by their headers.
    """
    fields = [plain_header(header) for header in headers if header.strip() and not header.startswith("fb_")]
    if not fields or len(set(fields)) != len(fields):
        return None
    stem = plain_header(name.rpartition("/")[2].partition(".")[0])
    told = {document for document in DOCUMENT_FIELDS if any(
        text.startswith(plain_header(document)) for text in (stem, plain_header(sheet)) if text
    )}  # fmt: skip
    fitting = [document for document in told or _TOLD_BY_HEADERS if _fits(document, fields)]
    if len(fitting) != 1:
        return None
    return own_layout_mapping(fitting[0], headers)


def own_layout_mapping(document: str, headers: Iterable[str]) -> FeedMapping:
    """The mapping of a file of FileBridge's own layout: every field by its own name, dates in ISO 8601."""
    by_field = {plain_header(header): header for header in headers}
    fields = {
        spec.name: FieldSteps.model_validate(
            {"column": (by_field[plain_header(spec.name)],), "date": _dates(spec)}
        )
        for spec in DOCUMENT_FIELDS[document]
        if plain_header(spec.name) in by_field
    }
    mapping = Mapping.model_validate({"document": document, "fields": fields})
    digest = hashlib.sha256(mapping.model_dump_json().encode()).hexdigest()
    return FeedMapping(feed=f"{OWN_FEED}{document}", path="", mapping=mapping, sha256=digest)


def _dates(spec: FieldSpec) -> tuple[str, ...]:
    return _ISO_DATES if spec.kind is FieldKind.INSTANT else ()


def _fits(document: str, fields: list[str]) -> bool:
    specs = {plain_header(spec.name): spec for spec in DOCUMENT_FIELDS[document]}
    if not all(field in specs for field in fields):
        return False
    names = {specs[field].name for field in fields}
    required = {spec.name for spec in specs.values() if spec.required}
    return required <= names and not missing_choices(document, names)
