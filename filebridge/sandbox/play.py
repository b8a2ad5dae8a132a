"""How each kind of fault is played: from the fault and the call, an answer or none."""

import gzip
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from filebridge.sandbox.faults import Fault
from filebridge.sandbox.state import State
from filebridge.sandbox.values import Json, StateError, parse_object, to_json
from filebridge.sandbox.waits import Waits
from filebridge.sandbox.wire import Reply

_HTML = b"<!DOCTYPE html>\n<html><title>Bad Gateway</title><body><h1>Bad Gateway</h1></body></html>\n"
_GONE = Reply(manner="reset")
_CLOSED = Reply(manner="close")


@dataclass(frozen=True, slots=True)
class Stage:
    """What a fault is played with: `apply` carries out the call and returns its proper answer."""

    apply: Callable[[], Reply]
    waits: Waits
    http_errors: bool


def play(fault: Fault, stage: Stage) -> Reply:
    """The answer to a call on which a fault is due. Raises nothing that the fault itself does not."""
    if fault.kind in _TIMED:
        return _TIMED[fault.kind](fault, stage)
    proper = stage.apply() if fault.when == "after" else None
    return _ANSWERS[fault.kind](fault, stage, proper or Reply(body=b'{"success":1}'))


def play_beside(fault: Fault, state: State) -> None:
    """Change POs or ship classes beside a call. What cannot be changed so, as an unknown PO, is passed over."""
    with state.lock:
        try:
            if fault.kind == "page_change":
                state.remove_pos(str(po) for po in fault.remove)
                state.add_pos(fault.insert)
                if fault.reverse:
                    state.reverse_pos()
            elif fault.kind == "edit_po":
                state.change_po(fault.po, fields=fault.set, items=fault.items)
            elif fault.kind == "cancel_po":
                state.change_po(fault.po, fields={"status": "canceled"})
            elif fault.kind == "class_change":
                state.remove_ship_classes(fault.remove)
                state.add_ship_classes(fault.insert)
        except StateError:
            return


def _json(value: Json, status: int = 200) -> Reply:
    return Reply(status=status, body=to_json(value))


def _error(text: str, code: str, status: int = 200) -> Reply:
    return _json({"ERROR": text, "ERRORCODE": code}, status)


# Kinds that only make an answer; the call was applied before, or is not applied.


def _page(fault: Fault, status: int) -> Reply:
    return Reply(fault.status or status, fault.text.encode() or _HTML, "text/html; charset=utf-8")


def _http_error(fault: Fault, stage: Stage, proper: Reply) -> Reply:
    text = fault.text or "Internal error"
    return Reply(fault.status or 500, text.encode(), "text/plain; charset=utf-8", _retry_after(fault))


def _retry_after(fault: Fault) -> tuple[tuple[str, str], ...]:
    return (("Retry-After", fault.retry_after),) if fault.kind == "too_many" or fault.status == 503 else ()


def _too_many(fault: Fault, stage: Stage, proper: Reply) -> Reply:
    body = to_json({"ERROR": fault.text or "too many requests", "ERRORCODE": "general"})
    return Reply(fault.status or 429, body, headers=_retry_after(fault))


def _errorcode_null(fault: Fault, stage: Stage, proper: Reply) -> Reply:
    return replace(proper, body=to_json(parse_object(proper.body) | {"ERRORCODE": "null"}))


def _denied(fault: Fault, stage: Stage, proper: Reply) -> Reply:
    text, status = ("access denied", 403) if fault.kind == "authz" else ("not logged in", 401)
    return _error(fault.text or text, fault.kind, status if stage.http_errors else 200)


def _padded(fault: Fault, stage: Stage, proper: Reply) -> Reply:
    body = proper.body[:-1] + b',"padding":"' + b"x" * fault.bytes + b'"}'
    return replace(proper, body=body)


def _gzip_bomb(fault: Fault, stage: Stage, proper: Reply) -> Reply:
    packed = gzip.compress(_padded(fault, stage, proper).body, compresslevel=6)
    return replace(proper, body=packed, headers=(("Content-Encoding", "gzip"),))


_ANSWERS: dict[str, Callable[[Fault, Stage, Reply], Reply]] = {
    "error": lambda f, s, p: _error(f.text or "an error was asked for", f.code, f.status or 200),
    "errorcode_null": _errorcode_null,
    "success_0": lambda f, s, p: _json({"success": 0}),
    "http_error": _http_error,
    "http_error_after": _http_error,
    "html": lambda f, s, p: _page(f, 200),
    "html_502": lambda f, s, p: _page(f, 502),
    "too_many": _too_many,
    "dispatcher_shutdown": lambda f, s, p: _error(
        f.text or "the dispatcher is shutting down", "dispatcher_shutdown", f.status or 200
    ),
    "authn": _denied,
    "authz": _denied,
    "redirect": lambda f, s, p: Reply(f.status or 307, b"", headers=(("Location", f.location),)),
    "empty": lambda f, s, p: Reply(f.status or 200, b""),
    "not_json": lambda f, s, p: Reply(f.status or 200, f.text.encode() or b'{"success":1,'),
    "raw": lambda f, s, p: Reply(f.status or 200, f.text.encode()),
    "drop_before": lambda f, s, p: _GONE if f.reset else _CLOSED,
    "drop_after": lambda f, s, p: _CLOSED if f.reset is False else _GONE,
    "short_body": lambda f, s, p: replace(p, manner="short"),
    "drip": lambda f, s, p: replace(p, manner="drip_all" if f.whole else "drip", seconds=f.seconds),
    "huge": _padded,
    "gzip_bomb": _gzip_bomb,
    "deep": lambda f, s, p: Reply(body=b'{"success":1,"records":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "wrong_types": lambda f, s, p: _json({"success": [1], "records": "none"}),
}


# Kinds that wait; where the sandbox stops meanwhile, the connection is dropped and nothing more applied.


def _slow(fault: Fault, stage: Stage) -> Reply:
    return stage.apply() if stage.waits.wait("slow", fault.seconds) else _GONE


def _slow_after(fault: Fault, stage: Stage) -> Reply:
    proper = stage.apply()
    return proper if stage.waits.wait("slow", fault.seconds) else _GONE


def _hold(fault: Fault, stage: Stage) -> Reply:
    if fault.when == "before":
        return stage.apply() if stage.waits.wait("held", None) else _GONE
    proper = stage.apply()
    return proper if stage.waits.wait("held", None) else _GONE


def _apply_late(fault: Fault, stage: Stage) -> Reply:
    gate = stage.waits.open("late")

    def apply_then() -> None:
        if stage.waits.pass_through(gate, fault.seconds):
            stage.apply()

    threading.Thread(target=apply_then, name="sandbox-late", daemon=True).start()
    return _GONE if fault.reset else _CLOSED


def _apply_twice(fault: Fault, stage: Stage) -> Reply:
    stage.apply()
    return stage.apply()


_TIMED: dict[str, Callable[[Fault, Stage], Reply]] = {
    "slow": _slow,
    "slow_after": _slow_after,
    "timeout_after": _slow_after,
    "hold": _hold,
    "apply_late": _apply_late,
    "apply_twice": _apply_twice,
}
