"""The names of PO files: a template filled in, and never a way out of the outbox. Pure.

What a name holds is the template's own text and, of everything that comes from outside, only A-Z, a-z, 0-9,
dot, dash and underscore. A PO that holds anything else, or that is long, gets `_` for it and a short hash at
its end, so that two POs never share a name; a PO that ends like such a hash gets one as well.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from string import Formatter
from typing import Final

MAX_NAME_BYTES: Final = 120
_MAX_TEMPLATE_BYTES: Final = 100
"""Leaves room for `_rev2`, `_resend1` and `.done`."""
_MOST_OF_A_PART: Final = 40
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]")
_LIKE_A_HASH: Final = re.compile(r"-[0-9a-f]{8}\Z")
_NOT_IN_A_NAME: Final = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_RESERVED: Final = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?\Z")
_PLACEHOLDERS: Final = ("vendor", "now", "sequence", "po")


def safe_part(text: str, *, most: int = _MOST_OF_A_PART) -> str:
    """`text` as a part of a file name, at most `most` characters long; different texts stay different."""
    masked = _UNSAFE.sub("_", text)
    if masked[:1] in ("", ".", "-"):
        masked = "_" + masked[1:]
    if masked.endswith("."):
        masked = masked[:-1] + "_"
    plain = masked == text and len(text) <= most
    if plain and not _LIKE_A_HASH.search(text) and not _RESERVED.match(text):
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{masked[: most - 9]}-{digest}"


def fill_name(template: str, *, vendor: str, now: datetime, sequence: int, po: str) -> str:
    """The name of a PO file. `now` is in the vendor's zone; `po` is empty where a file holds many.

    Raises ValueError, with a sentence, where the template gives a name that not every system takes.
    """
    name = ""
    for literal, field, spec in _parts(template):
        name += literal
        if field == "now":
            # strftime may put in what its format says, a slash included; that is checked below.
            name += now.strftime(spec or "%Y%m%d")
        elif field == "sequence":
            name += format(sequence, spec or "d")
        elif field:
            name += safe_part(vendor if field == "vendor" else po)
    _check_name(name)
    return name


def with_mark(name: str, mark: str) -> str:
    """A name with a mark before its ending: `PO_7.csv` with `_rev2` is `PO_7_rev2.csv`."""
    stem, dot, ending = name.rpartition(".")
    return f"{stem}{mark}{dot}{ending}" if stem else f"{name}{mark}"


def _parts(template: str) -> Iterator[tuple[str, str, str]]:
    """The template as (literal, placeholder, format) triples; the placeholder is empty at the end."""
    try:
        parsed = list(Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"{template!r} is no name template: {error}") from error
    for literal, field, spec, conversion in parsed:
        if field is not None and (field not in _PLACEHOLDERS or conversion):
            known = ", ".join(f"{{{name}}}" for name in _PLACEHOLDERS)
            raise ValueError(f"{{{field}}} is no placeholder of a file name; there are {known}")
        if field == "sequence" and not re.fullmatch(r"0?\d{0,2}d?", spec or ""):
            raise ValueError(f"{{sequence:{spec}}}: write the number of digits, such as {{sequence:06d}}")
        if field in ("vendor", "po") and spec:
            raise ValueError(f"{{{field}:{spec}}}: {{{field}}} takes no format")
        yield literal, field or "", spec or ""


def _check_name(name: str) -> None:
    found = _NOT_IN_A_NAME.search(name)
    if found:
        raise ValueError(f"the name {name!r} holds {found[0]!r}, which file names cannot hold everywhere")
    if name[:1] in ("", ".", "-", " ") or name[-1:] in (".", " "):
        raise ValueError(f"the name {name!r} begins or ends as file names should not: dot, dash or blank")
    if _RESERVED.match(name):
        raise ValueError(f"the name {name!r} is reserved by Windows")
    if len(name.encode("utf-8", "surrogatepass")) > _MAX_TEMPLATE_BYTES:
        raise ValueError(f"the name {name!r} is longer than {_MAX_TEMPLATE_BYTES} bytes")
