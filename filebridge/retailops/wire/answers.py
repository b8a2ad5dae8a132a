"""What RetailOps' answers mean. How sure each reading is stands beside it, as in the package's docstring."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final, TypeAlias

import orjson

from filebridge.planning.plan import Action
from filebridge.retailops.reading import Json, read_json


class AnswerKind(StrEnum):
    """What an answer, or its absence, means for the call (DESIGN section 6)."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"
    """For its content, in RetailOps' own words."""
    NOT_APPLIED = "not_applied"
    """Certainly not applied: safe to repeat."""
    UNCERTAIN = "uncertain"
    """Everything else."""
    KEY_REFUSED = "key_refused"
    """A state of the channel, never of a row."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the answer says of one record (shape assumed: `success` and `ERROR` beside its key).

    `key` is its `po` or `vpc` as text, empty where the answer does not repeat it.
    """

    key: str
    confirmed: bool
    message: str = ""
    says_already: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a call. `message` holds RetailOps' own words, or a sentence of ours.

    `status` is the HTTP status, 0 where none came. `retry_after` are seconds that RetailOps asks to wait.
    `records` has a verdict for each record where the answer gives them. `says_already`: the refusal says
    that what was asked for is so already, which counts only after a look that agrees. `stops`: nothing that
    is sent this way can succeed until a person mends the configuration.
    """

    kind: AnswerKind
    message: str = ""
    status: int = 0
    retry_after: float | None = None
    records: tuple[Verdict, ...] = ()
    says_already: bool = False
    stops: bool = False


_CHANNEL_CODES: Final = frozenset({"authn", "authz"})
"""Not logged in; access denied (seen in RetailOps' own client)."""
_NOT_HANDLED_CODES: Final = frozenset({"dispatcher_shutdown", "dispatch_failure"})
"""The request was not handled and may be sent again (seen in RetailOps' own client)."""
_LOST_CODES: Final = frozenset({"transport"})
"""Connection lost or timed out behind RetailOps' own edge (seen in its client)."""

_NO_ACTION: Final = re.compile(r"\s*action \S+ not found", re.IGNORECASE)
# Errors of the sister calls name the present status (seen: "status: shipped", "status Canceled").
_ALREADY: Final[Mapping[Action, re.Pattern[str]]] = {
    action: re.compile(rf"\b(status\W{{0,4}}|already\W+(\w+\W+){{0,3}}?)({words})\b", re.IGNORECASE)
    for action, words in (
        (Action.MARK_SUBMITTED, "submitted|accepted|receiving|completed?"),
        (Action.MARK_ACCEPTED, "accepted|receiving|completed?"),
        (Action.COMPLETE, "completed?"),
    )
}


def decipher(status: int, headers: Mapping[str, str], body: bytes, action: Action | None = None) -> Answer:
    """What an answer means. The body is read whatever the status says.

    `headers` have names in lower case. `action` is the write that was sent, None for a read. Envelope
    (seen, two sources): `success` 1, `ERROR` text, `ERRORCODE` that may be the text "null". HTTP statuses of
    errors are not public; business errors very probably come with 200 (inferred).
    """
    reply, fault = read_json(body)
    code = _code_of(reply)
    error = _error_of(reply)
    wait = _retry_after(headers)
    words = _words(error, code)
    if code in _CHANNEL_CODES or status in (401, 403):
        return Answer(AnswerKind.KEY_REFUSED, words or f"HTTP status {status}", status)
    if status == 429 or code in _NOT_HANDLED_CODES:
        return Answer(AnswerKind.NOT_APPLIED, words or f"HTTP status {status}", status, wait)
    if 300 <= status < 400:
        return Answer(AnswerKind.UNCERTAIN, _redirected(status, headers), status, stops=True)
    if _NO_ACTION.match(error):
        return Answer(AnswerKind.NOT_APPLIED, words, status, stops=True)
    if reply is None:
        return Answer(AnswerKind.UNCERTAIN, f"HTTP status {status} and {fault}", status, wait)
    if code in _LOST_CODES or not 200 <= status < 500:
        return Answer(AnswerKind.UNCERTAIN, words or f"HTTP status {status}", status, wait)
    return _read_content(reply, status, words, action)


def _read_content(reply: Json, status: int, words: str, action: Action | None) -> Answer:
    """What a 2xx or 4xx answer with a JSON object says of the content of the call."""
    verdicts = _verdicts(reply, action) if action else ()
    refused = [verdict for verdict in verdicts if not verdict.confirmed]
    if words or refused:
        text = words or refused[0].message
        already = _says_already(text, action) or any(verdict.says_already for verdict in refused)
        return Answer(AnswerKind.REFUSED, text, status, records=verdicts, says_already=already)
    if 200 <= status < 300 and _is_one(reply.get("success")):
        return Answer(AnswerKind.CONFIRMED, "", status, records=verdicts)
    return Answer(AnswerKind.UNCERTAIN, f"HTTP status {status} and neither success nor ERROR", status)


def has_success(reply: Json) -> bool:
    """Whether an answer says `success` 1 and names no error."""
    return _is_one(reply.get("success")) and not _words(_error_of(reply), _code_of(reply))


def _is_one(value: object) -> bool:
    """1, "1" or true: Perl keeps no firm difference (inferred)."""
    return value == 1 if isinstance(value, int | float) else value == "1"


def _code_of(reply: Json | None) -> str:
    """ERRORCODE, empty where there is none; the text "null" is none (seen)."""
    value = reply.get("ERRORCODE") if reply else None
    code = "" if value in (None, False, 0) else str(value).strip()
    return "" if code.lower() == "null" else code


def _error_of(reply: Json | None) -> str:
    """ERROR as one line of text that can be kept and shown, empty where there is none."""
    value = reply.get("ERROR") if reply else None
    if not value:
        return ""
    text = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
    return " ".join(text.encode("utf-8", "replace").decode().split())[:2000]


def _words(error: str, code: str) -> str:
    if error and code:
        return f"{error} ({code})"
    return error or (f"ERRORCODE {code}" if code else "")


def _redirected(status: int, headers: Mapping[str, str]) -> str:
    target = re.match(r"[a-z]+://([^/?#@\s]+)", headers.get("location", ""), re.IGNORECASE)
    to = f" to {target[1]}" if target else ""
    return f"RetailOps' address answers with a redirect{to} (HTTP status {status}), which is never followed"


def _says_already(text: str, action: Action | None) -> bool:
    pattern = _ALREADY.get(action) if action else None
    return bool(pattern and pattern.search(text))


def _verdicts(reply: Json, action: Action) -> tuple[Verdict, ...]:
    """A verdict for each record, or none where the answer does not give one for every entry (assumed)."""
    entries = reply.get("records")
    if not isinstance(entries, list) or not entries:
        return ()
    verdicts = []
    for entry in entries:
        if not isinstance(entry, dict) or not {"success", "ERROR", "ERRORCODE"} & entry.keys():
            return ()
        words = _words(_error_of(entry), _code_of(entry))
        confirmed = not words and _is_one(entry.get("success"))
        key = entry.get("vpc" if action is Action.UPDATE else "po")
        message = "" if confirmed else words or "RetailOps refused this record and gave no reason"
        verdicts.append(
            Verdict("" if key is None else str(key), confirmed, message, _says_already(words, action))
        )
    return tuple(verdicts)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that Retry-After asks for: a number, or a date as against the answer's own Date."""
    given = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", given):
        return float(given)
    try:
        until, since = parsedate_to_datetime(given), parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, (until - since).total_seconds())
    except (TypeError, ValueError):
        return None


Verdicts: TypeAlias = Sequence[Verdict | None]


def match_verdicts(answer: Answer, keys: Sequence[str]) -> Verdicts | None:
    """The verdict of each record that was sent (its `vpc` or `po` in `keys`), None where it has none.

    None as a whole where the answer's records cannot be told apart: then nothing is concluded from them.
    """
    found = answer.records
    if not found:
        return None
    if len(found) == len(keys) and all(v.key in ("", key) for v, key in zip(found, keys, strict=True)):
        return found
    by_key = {verdict.key: verdict for verdict in found}
    if len(by_key) < len(found) or len(set(keys)) < len(keys) or not by_key.keys() <= set(keys):
        return None
    return [by_key.get(key) for key in keys]
