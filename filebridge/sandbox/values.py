"""Loose reading of JSON values, as a Perl service reads them, and the writing of answers.

Wire document, section 2: requests seen on the live service hold ids, quantities and flags both as numbers
and as text, so both are taken everywhere (inferred).
"""

import json
import re
from typing import Any

Json = dict[str, Any]


class StateError(ValueError):
    """POs, ship classes or a state file that cannot be taken; one sentence for a person."""


_WHOLE = re.compile(r"[+-]?[0-9]{1,15}(\.0+)?")


def as_text(value: object) -> str | None:
    """The text of an identifier: text as it is, a number as its digits; None for all else and for blanks."""
    if type(value) is str:
        return value if value.strip() else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def id_text(value: object) -> str | None:
    """The id of a vendor or ship class as text; `27`, `"27"` and `"027"` are one, since it is a number there."""
    if type(value) is int:
        return str(value)
    text = as_text(value)
    if text is None:
        return None
    text = text.strip()
    return str(int(text)) if text.isascii() and text.isdigit() and len(text) <= 18 else text


def whole_number(value: object) -> int | None:
    """A whole number given as a number or as text (`12`, `12.0`, `"12"`); None where it is not one."""
    if type(value) is int:
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value.strip().split(".")[0])
    return None


def is_true(value: object) -> bool:
    """Truth as Perl has it: null, false, 0, `"0"` and `""` are false, all else is true."""
    return value not in (None, False, 0, "", "0")


def parse_object(body: bytes) -> Json:
    """The JSON object in a body. Raises ValueError with one sentence where it is not one."""
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"malformed JSON string: {error}") from error
    if not isinstance(value, dict):
        raise ValueError("malformed JSON string: the body must be an object")
    return value


def _refuse_constant(word: str) -> object:
    raise ValueError(f"{word} is not JSON")


def to_json(value: object, *, indent: int | None = None) -> bytes:
    """UTF-8 JSON; characters that UTF-8 cannot hold (lone surrogates) make the whole text escaped."""
    separators = (",", ":") if indent is None else None
    try:
        return json.dumps(value, ensure_ascii=False, indent=indent, separators=separators).encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent, separators=separators).encode("ascii")


def with_text_only(value: Any) -> Any:
    """The same value with every number and boolean as text (true is `"1"`, false `"0"`); null stays null."""
    if isinstance(value, dict):
        return {key: with_text_only(part) for key, part in value.items()}
    if isinstance(value, list):
        return [with_text_only(part) for part in value]
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value) if isinstance(value, int | float) else value
