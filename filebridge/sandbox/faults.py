"""Faults on demand: what can go wrong, and on which call it shall.

How each kind is played is in `play.py`.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from filebridge.sandbox.actions import CALLS, find_actions
from filebridge.sandbox.values import Json

When = Literal["before", "after"]


class FaultError(ValueError):
    """A fault that cannot be played; one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind does.

    `when`: by default, whether the call is applied first (`after`) or not at all (`before`); `fixed`: that
    this cannot be chosen. `is_side`: it changes POs or ship classes before or after a call, and the call goes on.
    """

    text: str
    when: When = "before"
    fixed: bool = False
    is_side: bool = False


KINDS: Mapping[str, Kind] = {
    "error": Kind("200 with ERROR `text` and ERRORCODE `code`"),
    "errorcode_null": Kind('the answer with ERRORCODE "null" beside it', "after"),
    "success_0": Kind('200 with {"success":0}'),
    "http_error": Kind("`status` (500), not applied"),
    "http_error_after": Kind("`status` (500), applied", "after", fixed=True),
    "html": Kind("200 with an HTML page"),
    "html_502": Kind("502 with an HTML page"),
    "too_many": Kind("429 with Retry-After: `retry_after`", fixed=True),
    "dispatcher_shutdown": Kind("ERRORCODE dispatcher_shutdown: the call was not handled", fixed=True),
    "authn": Kind("ERRORCODE authn", fixed=True),
    "authz": Kind("ERRORCODE authz", fixed=True),
    "redirect": Kind("`status` (307) to `location`", fixed=True),
    "empty": Kind("200 with an empty body"),
    "not_json": Kind("200 with `text`, which is not JSON"),
    "raw": Kind("`status` (200) with `text` as it stands"),
    "slow": Kind("wait `seconds`, then apply and answer", fixed=True),
    "slow_after": Kind("apply, wait `seconds`, then answer", "after", fixed=True),
    "timeout_after": Kind("the same as slow_after", "after", fixed=True),
    "apply_late": Kind("close without an answer, apply `seconds` later", fixed=True),
    "apply_twice": Kind("apply the call twice and give the second answer", "after", fixed=True),
    "drop_before": Kind("close without an answer, not applied; RST with `reset`", fixed=True),
    "drop_after": Kind("apply, then RST; a plain close with `reset` false", "after", fixed=True),
    "short_body": Kind("apply, send half of the answer, close", "after"),
    "drip": Kind("apply, send a byte every `seconds` (0.5); the head too with `whole`", "after"),
    "huge": Kind("apply, answer with `bytes` (64 MB) of padding", "after"),
    "gzip_bomb": Kind("apply, answer with a small gzip body that becomes `bytes` (64 MB)", "after"),
    "deep": Kind("apply, answer with 100,000 nested arrays", "after"),
    "wrong_types": Kind("apply, answer with success and records of wrong types", "after"),
    "hold": Kind("keep the answer back until it is released", "after"),
    "page_change": Kind("take away `remove`, add `insert`, `reverse` POs", "after", is_side=True),
    "edit_po": Kind("change `po`: `set` fields, `items`", "after", is_side=True),
    "cancel_po": Kind("cancel `po`", "after", is_side=True),
    "class_change": Kind(
        "take away the ship classes `remove` (ids), add or rename `insert`", "after", is_side=True
    ),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `action`: `*`, a full name or a short one. `on`: the N-th matching call from now.

    `times`: on how many matching calls from there, 0 for ever. `when`: see `Kind`. `seconds`: how long it
    waits or drips. The other fields are parameters of single kinds, named in `KINDS`.
    """

    kind: str
    action: str = "*"
    on: int = 1
    times: int = 1
    when: When | None = None
    seconds: float = 0.5
    status: int = 0
    retry_after: str = "1"
    text: str = ""
    code: str = "general"
    location: str = ""
    reset: bool | None = None
    whole: bool = False
    bytes: int = 64 * 1024 * 1024
    po: str = ""
    set: Json = field(default_factory=dict)
    items: list[Json] | None = None
    remove: tuple[str | int, ...] = ()
    insert: tuple[Json, ...] = ()
    reverse: bool = False

    @classmethod
    def from_json(cls, given: Any) -> "Fault":
        """Read a fault. Raises FaultError that says what is wrong and what there is."""
        if not isinstance(given, dict):
            raise FaultError("a fault must be an object")
        if "kind" not in given:
            raise FaultError(f"a fault needs a kind; there are {', '.join(KINDS)}")
        known = {one.name for one in fields(cls)}
        unknown = sorted(set(given) - known)
        if unknown:
            raise FaultError(f"unknown key {', '.join(unknown)}; there are {', '.join(sorted(known))}")
        values = dict(given)
        for name in ("retry_after", "po", "text", "location", "code"):
            if name in values and not isinstance(values[name], list | dict):
                values[name] = str(values[name])
        for name in ("remove", "insert"):
            if isinstance(values.get(name), list):
                values[name] = tuple(values[name])
        return cls(**values)

    def __post_init__(self) -> None:
        kind = KINDS.get(self.kind) if isinstance(self.kind, str) else None
        if kind is None:
            raise FaultError(f"unknown kind {self.kind}; there are {', '.join(KINDS)}")
        if self.when is None:
            object.__setattr__(self, "when", kind.when)
        self._check(kind)

    def _check(self, kind: Kind) -> None:
        for name, types in _TYPES.items():
            value = getattr(self, name)
            if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
                raise FaultError(f"{name} cannot be {value!r}")
        if self.action != "*" and not find_actions(self.action):
            shorts = ", ".join(call.short for call in CALLS)
            raise FaultError(f"unknown action {self.action}; there are *, {shorts}, and the full names")
        if self.on < 1 or self.times < 0 or self.seconds < 0 or self.bytes < 0:
            raise FaultError("on counts from 1; times, seconds and bytes are not negative")
        if self.when not in ("before", "after") or (kind.fixed and self.when != kind.when):
            raise FaultError(f"when of {self.kind} cannot be {self.when!r}")
        if self.status and not 200 <= self.status <= 599:
            raise FaultError("status is a number from 200 to 599")
        if self.kind == "redirect" and not self.location:
            raise FaultError("redirect needs a location")
        if self.kind in ("edit_po", "cancel_po") and not self.po:
            raise FaultError(f"{self.kind} needs a po")
        for name in ("location", "retry_after"):
            if any(ord(character) < 32 for character in getattr(self, name)):
                raise FaultError(f"{name} holds a control character")

    def matches(self, action: str) -> bool:
        """Whether a call of that canonical name ("": no such action) is one of its calls."""
        return self.action == "*" or action in find_actions(self.action)

    def as_json(self) -> Json:
        """The fault with all its fields."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


_TYPES: Mapping[str, tuple[type, ...]] = {
    "action": (str,),
    "on": (int,),
    "times": (int,),
    "seconds": (int, float),
    "status": (int,),
    "retry_after": (str,),
    "text": (str,),
    "code": (str,),
    "location": (str,),
    "reset": (bool, type(None)),
    "whole": (bool,),
    "bytes": (int,),
    "po": (str,),
    "set": (dict,),
    "items": (list, type(None)),
    "remove": (tuple,),
    "insert": (tuple,),
    "reverse": (bool,),
}


@dataclass(slots=True)
class _Waiting:
    fault: Fault
    seen: int = 0
    played: int = 0


class Faults:
    """The faults that wait for their calls, in the order in which they were added. Safe between threads.

    Each counts the calls that match it. Where two that give an answer are due on one call, the earlier
    is played and the later waits for the next call: a list of faults is a script, a call each. Those
    that change POs beside a call are played together with any other.
    """

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault | Json | list[Json] | None = None, **values: Any) -> None:
        """Add a fault, given as such, as JSON, as a list of them, or by its fields. Raises FaultError."""
        given = fault if isinstance(fault, list) else [values if fault is None else fault]
        ready = [one if isinstance(one, Fault) else Fault.from_json(one) for one in given]
        with self._lock:
            self._waiting += [_Waiting(one) for one in ready]

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._waiting.clear()

    def take(self, action: str) -> list[Fault]:
        """Count a call, and say which faults are due on it: at most one that gives the answer."""
        due: list[Fault] = []
        with self._lock:
            if not self._waiting:
                return due
            has_answer = False
            for one in self._waiting:
                if not one.fault.matches(action):
                    continue
                one.seen += 1
                is_side = KINDS[one.fault.kind].is_side
                if one.seen >= one.fault.on and (is_side or not has_answer):
                    one.played += 1
                    has_answer = has_answer or not is_side
                    due.append(one.fault)
            self._waiting = [
                one for one in self._waiting if one.fault.times == 0 or one.played < one.fault.times
            ]
        return due

    def as_json(self) -> list[Json]:
        """Those that still wait, with how many calls each has seen and how often it was played."""
        with self._lock:
            return [one.fault.as_json() | {"seen": one.seen, "played": one.played} for one in self._waiting]
