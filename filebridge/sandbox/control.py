"""The control routes below `/_sandbox/`: look in, change, make faults. JSON but for the page itself.

Only requests whose Host (and Origin, where there is one) is loopback are taken, so that a web page which
a browser on this machine shows cannot reach them.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from filebridge.sandbox.assumptions import ASSUMPTIONS
from filebridge.sandbox.faults import KINDS, FaultError
from filebridge.sandbox.settings import SettingsError
from filebridge.sandbox.values import Json, StateError, id_text, to_json
from filebridge.sandbox.view import SHOWN, look, page
from filebridge.sandbox.wire import Reply, Request

if TYPE_CHECKING:
    from filebridge.sandbox.server import Sandbox

PREFIX = "/_sandbox"

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class _Problem(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def answer(sandbox: "Sandbox", request: Request) -> Reply:
    """Answer a control request; what is wrong with it comes as `{"error": text}` with a 4xx status."""
    try:
        _check_loopback(request)
        target = urlsplit(request.target)
        route = target.path.removeprefix(PREFIX).strip("/")
        methods = {method for method, name in _ROUTES if name == route}
        if not methods:
            raise _Problem(404, f"there is no {PREFIX}/{route}; there are {_names()}")
        if request.method not in methods:
            raise _Problem(405, f"{PREFIX}/{route} takes {', '.join(sorted(methods))}")
        result = _ROUTES[request.method, route](sandbox, _Asked(parse_qs(target.query), request.body))
    except _Problem as problem:
        return Reply(problem.status, to_json({"error": problem.text}))
    except (FaultError, SettingsError, StateError) as error:
        return Reply(400, to_json({"error": str(error)}))
    if isinstance(result, str):
        return Reply(200, result.encode("utf-8", "replace"), "text/plain; charset=utf-8")
    return Reply(200, to_json(result))


class _Asked:
    """Query and body of a control request."""

    def __init__(self, query: dict[str, list[str]], body: bytes) -> None:
        self.query = query
        self._body = body

    def number(self, name: str, default: int = 0) -> int:
        text = self.query.get(name, [str(default)])[0]
        if not (text.isascii() and text.isdigit()):
            raise _Problem(400, f"{name} must be a whole number")
        return int(text)

    def value(self) -> Any:
        try:
            return json.loads(self._body) if self._body.strip() else {}
        except (ValueError, RecursionError) as error:
            raise _Problem(400, f"the body is not JSON: {error}") from error

    def object(self) -> Json:
        value = self.value()
        if not isinstance(value, dict):
            raise _Problem(400, "the body must be an object")
        return value


def _check_loopback(request: Request) -> None:
    for name in ("host", "origin"):
        given = request.headers.get(name)
        if given is None and name == "origin":
            continue
        host = urlsplit(given if given and "//" in given else f"//{given or ''}").hostname
        if host not in _LOOPBACK:
            raise _Problem(403, f"the {name} of a control request must be loopback")


def _names() -> str:
    return ", ".join(sorted({f"{PREFIX}/{name}" for _, name in _ROUTES}))


def _page(sandbox: "Sandbox", asked: _Asked) -> str:
    settings = ", ".join(f"{name}={value}" for name, value in sandbox.settings.as_json().items())
    about = (
        f"Answers held: {sandbox.waits.count('held')}. Faults waiting: {len(sandbox.faults.as_json())}. "
        f"Settings: {settings}"
    )
    return page(_look(sandbox, asked), about=about)


def _look(sandbox: "Sandbox", asked: _Asked) -> Json:
    return look(sandbox.state, sandbox.calls, shown=asked.number("shown", SHOWN))


def _view(sandbox: "Sandbox", asked: _Asked) -> Json:
    return _look(sandbox, asked) | {
        "held": sandbox.waits.count("held"),
        "late": sandbox.waits.count("late"),
        "faults": len(sandbox.faults.as_json()),
        "settings": sandbox.settings.as_json(),
    }


def _calls(sandbox: "Sandbox", asked: _Asked) -> Json:
    return {"calls": [call.as_json() for call in sandbox.log.since(asked.number("since"))]}


def _state(sandbox: "Sandbox", asked: _Asked) -> Json:
    whole = sandbox.state.as_json()
    quantities = [
        {"vendor_id": one["vendor_id"], "vpc": one["vpc"], "quantity": one["record"].get("quantity")}
        for one in whole["advice"]
    ]
    return whole | {
        "quantities": quantities,
        "held": sandbox.waits.count("held"),
        "late": sandbox.waits.count("late"),
    }


def _assumptions(sandbox: "Sandbox", asked: _Asked) -> Json:
    return {"assumptions": [asdict(one) for one in ASSUMPTIONS]}


def _faults(sandbox: "Sandbox", asked: _Asked) -> Json:
    return {
        "faults": sandbox.faults.as_json(),
        "kinds": {name: kind.text for name, kind in KINDS.items()},
    }


def _add_faults(sandbox: "Sandbox", asked: _Asked) -> Json:
    sandbox.faults.add(asked.value())
    return {"faults": sandbox.faults.as_json()}


def _clear_faults(sandbox: "Sandbox", asked: _Asked) -> Json:
    sandbox.faults.clear()
    return {"faults": []}


def _add_pos(sandbox: "Sandbox", asked: _Asked) -> Json:
    given = asked.value()
    if isinstance(given, dict):
        given = given.get("pos", [given])
    if not isinstance(given, list):
        raise _Problem(400, "the body must be a PO, a list of them, or an object with such a list in pos")
    return {"added": sandbox.state.add_pos(given)}


def _change_po(sandbox: "Sandbox", asked: _Asked) -> Json:
    given = asked.object()
    fields, items = given.get("set", {}), given.get("items")
    if not isinstance(fields, dict) or not (items is None or isinstance(items, list)):
        raise _Problem(400, "set must be an object and items a list")
    po = str(given.get("po"))
    sandbox.state.change_po(po, fields=fields, items=items)
    return sandbox.state.po(po)


def _ship_classes(sandbox: "Sandbox", asked: _Asked) -> Json:
    return {"ship_classes": sandbox.state.ship_classes}


def _given_classes(asked: _Asked) -> list[Any]:
    given = asked.value()
    if isinstance(given, dict):
        given = given.get("ship_classes", [given])
    if not isinstance(given, list):
        raise _Problem(400, "the body must be a ship class, a list, or an object with a list in ship_classes")
    return given


def _add_classes(sandbox: "Sandbox", asked: _Asked) -> Json:
    sandbox.state.add_ship_classes(_given_classes(asked))
    return _ship_classes(sandbox, asked)


def _set_classes(sandbox: "Sandbox", asked: _Asked) -> Json:
    sandbox.state.set_ship_classes(_given_classes(asked))
    return _ship_classes(sandbox, asked)


def _change_class(sandbox: "Sandbox", asked: _Asked) -> Json:
    given = asked.object()
    fields, remove = given.get("set", {}), given.get("remove", False)
    if not isinstance(fields, dict) or not isinstance(remove, bool):
        raise _Problem(400, "set must be an object and remove true or false")
    class_id = id_text(given.get("id")) or str(given.get("id"))
    with sandbox.state.lock:
        sandbox.state.change_ship_class(class_id, fields)
        if remove:
            sandbox.state.remove_ship_classes([class_id])
    return _ship_classes(sandbox, asked)


def _release(sandbox: "Sandbox", asked: _Asked) -> Json:
    what = asked.object().get("what", "held")
    if what == "all":
        return {"released": sandbox.waits.release()}
    if what not in ("held", "late", "slow"):
        raise _Problem(400, "what is held (answers), late (calls), slow or all")
    return {"released": sandbox.waits.release(what)}


def _reset(sandbox: "Sandbox", asked: _Asked) -> Json:
    sandbox.reset(to_empty=asked.object().get("to_empty") is True)
    return {"pos": len(sandbox.state.pos)}


def _settings(sandbox: "Sandbox", asked: _Asked) -> Json:
    return sandbox.settings.as_json()


def _change_settings(sandbox: "Sandbox", asked: _Asked) -> Json:
    sandbox.settings = sandbox.settings.changed(asked.object())
    return sandbox.settings.as_json()


_ROUTES: dict[tuple[str, str], Callable[["Sandbox", _Asked], Json | str]] = {
    ("GET", ""): _page,
    ("GET", "view"): _view,
    ("GET", "calls"): _calls,
    ("GET", "state"): _state,
    ("GET", "assumptions"): _assumptions,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_faults,
    ("DELETE", "faults"): _clear_faults,
    ("POST", "pos"): _add_pos,
    ("POST", "pos/change"): _change_po,
    ("GET", "ship_classes"): _ship_classes,
    ("POST", "ship_classes"): _add_classes,
    ("PUT", "ship_classes"): _set_classes,
    ("POST", "ship_classes/change"): _change_class,
    ("POST", "release"): _release,
    ("POST", "reset"): _reset,
    ("GET", "settings"): _settings,
    ("POST", "settings"): _change_settings,
}
