"""The wire: requests to RetailOps and what its answers mean, without I/O.

Each function stands beside the section of the vendor guide, or of what is known beyond it, and says how
sure that is: documented (by RetailOps), seen (in public code that talks to the live service), inferred, or
assumed where no public source says anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import lru_cache
from itertools import groupby
from typing import Any, Final, TypeAlias

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from filebridge.columns import Batch, TextColumn, join_batches, text_column, text_scalar
from filebridge.planning.plan import Action
from filebridge.retailops.reading import Json, read_json

# 1. Requests

_PATHS: Final[Mapping[Action, str]] = {
    # Guide sections 1 and 3, spelled as the guide spells them. Case does not matter (documented).
    Action.UPDATE: "/product/externalsku/update~2.json",
    Action.MARK_SUBMITTED: "/Vendor/PO/MarkSubmitted.json",
}

FETCH_PATH: Final = "/Vendor/PO/Fetch.json"
"""Guide section 2."""

_OPEN: Final = b'{"records":['
_CLOSE: Final = b"]}"


def path_of(action: Action) -> str:
    """The path of a write, exactly as documented."""
    return _PATHS[action]


def body_of(action: Action, batch: Batch, *, vendor_id: str) -> bytes:
    """The request body of a planned call, byte for byte, from its unpacked block (`PlannedCall.block`)."""
    return bodies_of(action, [batch], vendor_id=vendor_id)[0]


def bodies_of(action: Action, batches: Sequence[Batch], *, vendor_id: str) -> list[bytes]:
    """The bodies of several calls of one action: together they take half the time that they take one by one."""
    if action is not Action.UPDATE:
        return [records_body(batch) for batch in batches]
    bodies: list[bytes] = []
    for _, alike in groupby(batches, key=lambda batch: batch.schema):
        bodies += _update_bodies(list(alike), vendor_id=vendor_id)
    return bodies


def _update_bodies(batches: Sequence[Batch], *, vendor_id: str) -> list[bytes]:
    """Product.ExternalSku.update v2 (guide section 1).

    Shape documented: `{"records":[{"vendor_id":"27","vpc":"00123","quantity":12}]}`, quantity an absolute
    level (inferred). `unit_cost` (a number) and `active` (1 or 0) are seen in live clients, not documented;
    a record that does not state one leaves it out. Built by columns: equal to orjson over dictionaries.
    """
    whole = join_batches(batches, batches[0].schema)
    names = whole.schema.names
    start = '{"vendor_id":' + orjson.dumps(vendor_id).decode() + ',"vpc":"'
    records = pc.binary_join_element_wise(
        _scalar(start),
        _escaped(whole.column(names.index("vpc"))),
        _QUANTITY,
        pc.cast(whole.column(names.index("quantity")), pa.string()),
        *(_stated(name, whole.column(names.index(name))) for name in _OPTIONAL if name in names),
        _END,
        _NOTHING,
    )
    bodies, first = [], 0
    for batch in batches:
        # The texts of a column lie one behind the other, so that they are the body but for the last comma.
        bodies.append(b"".join((_OPEN, _bytes_of(records.slice(first, batch.num_rows))[:-1], _CLOSE)))
        first += batch.num_rows
    return bodies


def records_body(batch: Batch) -> bytes:
    """Vendor.PO.MarkSubmitted v1 (guide section 3, documented).

    `{"records":[{"po":"D123","items":[{"po_item_id":456,"quantity":1}]}]}`, a row of the block's `records`
    a record. Items and quantities are those that were exported (that RetailOps checks them is inferred).
    """
    records = batch.column(batch.schema.names.index("records")).to_pylist()
    return _OPEN + ",".join(records).encode() + _CLOSE


def mark_record(po: str, items: Sequence[tuple[int | str, int]]) -> str:
    """One record of MarkSubmitted as JSON text; `po_item_id` goes back in the type in which it came."""
    found = [{"po_item_id": item_id, "quantity": quantity} for item_id, quantity in items]
    return orjson.dumps({"po": po, "items": found}).decode()


def fetch_body(vendor_id: str, statuses: Sequence[str], *, start: int, limit: int) -> bytes:
    """Vendor.PO.fetch v1 (guide section 2, documented), a page from record `start`, 0-based.

    One status is sent as text, as in the guide's older text, several as an array, as in its newer one.
    """
    status = statuses[0] if len(statuses) == 1 else list(statuses)
    return orjson.dumps(
        {"vendor_id": vendor_id, "start": start, "limit": limit, "status": status, "with_items": True}
    )


_QUANTITY: Final = text_scalar('","quantity":')
_END: Final = text_scalar("},")
_NOTHING: Final = text_scalar("")
_OPTIONAL: Final = ("unit_cost", "active")
_FIELD_STARTS: Final = {name: text_scalar(f',"{name}":') for name in _OPTIONAL}

_ESCAPED_TEXT: Final = re.compile(r'[\x00-\x1f"\\]')


@lru_cache(maxsize=64)
def _scalar(text: str) -> Any:
    """The start of a vendor's records, as an Arrow scalar."""
    return text_scalar(text)


def _bytes_of(column: TextColumn) -> memoryview:
    """The bytes of all texts of a column, one after the other."""
    _, offsets_buffer, data = column.buffers()
    offsets = np.frombuffer(offsets_buffer, dtype=np.int32)
    first, last = offsets[column.offset], offsets[column.offset + len(column)]
    return memoryview(data)[first:last] if data is not None else memoryview(b"")


def _escaped(column: TextColumn) -> TextColumn:
    """The column as it stands between quotes in JSON. Few files hold a VPC that needs an escape."""
    held = _bytes_of(column)
    text = bytes(held)
    lowest = np.frombuffer(held, dtype=np.uint8).min(initial=255)
    if b'"' not in text and b"\\" not in text and lowest >= 32:
        return column
    return text_column(
        [
            orjson.dumps(text)[1:-1].decode() if _ESCAPED_TEXT.search(text) else text
            for text in column.to_pylist()
        ]
    )


def _stated(name: str, column: TextColumn) -> TextColumn:
    """`,"name":value` where the record states one, else nothing."""
    whole = pc.binary_join_element_wise(_FIELD_STARTS[name], column, _NOTHING)
    return pc.if_else(pc.equal(column, _NOTHING), _NOTHING, whole)


# 2. Answers


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
    Action.MARK_SUBMITTED: re.compile(
        r"\bstatus\W{0,4}(submitted|accepted|receiving|completed?)\b|\balready\b", re.IGNORECASE
    ),
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
