"""The sandbox itself: a RetailOps stand-in on loopback."""

import ipaddress
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from filebridge.sandbox import control
from filebridge.sandbox.actions import Route, find_route
from filebridge.sandbox.calls import CallLog, RecordedCall
from filebridge.sandbox.exchange import Exchange, Refused
from filebridge.sandbox.faults import KINDS, Faults
from filebridge.sandbox.play import Stage, play, play_beside
from filebridge.sandbox.settings import Settings, keys_from
from filebridge.sandbox.state import State, utc_text
from filebridge.sandbox.values import Json, parse_object, to_json, with_text_only
from filebridge.sandbox.waits import Waits
from filebridge.sandbox.wire import LoopbackServer, Reply, Request, Unreadable

_KEPT_ANSWER_BYTES = 4 * 1024 * 1024


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Sandbox:
    """A RetailOps stand-in that listens on loopback, in threads of this process.

        with Sandbox(State(seed_orders(27, 5))) as sandbox:
            client = Client(sandbox.url, key=DEFAULT_KEY)

    `keys`: API key to the vendor ids it may act for (None: all); over those of `settings`. `now`: the
    clock of records and effects, UTC. `save`: called after whatever may have changed the state, before the
    answer goes out (`Store.save`); where it raises OSError, the answer is 500. `port` 0 takes a free one; a
    sandbox that is started again listens where it did before, with all that it holds. Raises ValueError for
    a host that is not loopback, and OSError from `start` where the port is taken. What it assumes of
    RetailOps is in `ASSUMPTIONS`.
    """

    def __init__(
        self,
        state: State | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        keys: Mapping[str, Any] | None = None,
        settings: Settings | None = None,
        now: Callable[[], datetime] = _utc_now,
        save: Callable[[], None] | None = None,
    ) -> None:
        if not is_loopback(host):
            raise ValueError(f"the sandbox listens on loopback only, not on {host}")
        self.state = state if state is not None else State()
        self.settings = settings if settings is not None else Settings()
        if keys is not None:
            self.settings = replace(self.settings, keys=keys_from(keys))
        self.faults = Faults()
        # A state that was kept has effects of earlier calls: their numbers are not given again.
        self.log = CallLog(now, max((effect.call_seq for effect in self.state.effects), default=0))
        self.waits = Waits()
        self._now = now
        self._save = save or (lambda: None)
        self._host = "127.0.0.1" if host == "localhost" else host
        self._port = port
        self._server: LoopbackServer | None = None

    # Life

    def start(self) -> "Sandbox":
        """Listen; returns itself. What the state's POs are now is what `reset` goes back to."""
        if self._server is None:
            server = LoopbackServer(self._host, self._port, self._answer, self._refuse)
            self._port = server.server_address[1]
            self.state.mark_start()
            self.waits.start()
            self._server = server
            threading.Thread(target=server.serve_forever, args=(0.02,), name="sandbox", daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop listening, drop every connection, end all waiting. What was not applied yet is not applied."""
        if self._server is not None:
            self.waits.stop()
            self._server.close_all()
            self._server = None

    def __enter__(self) -> "Sandbox":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # Looking in

    @property
    def port(self) -> int:
        """The port it listens on; 0 before the first start where none was given."""
        return self._port

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, without a slash at the end."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @property
    def calls(self) -> list[RecordedCall]:
        """Every request to the API so far, in the order of arrival."""
        return self.log.since()

    def wait_for_calls(self, count: int, *, action: str = "*", timeout: float = 5.0) -> list[RecordedCall]:
        """Wait until that many calls have arrived (canonical action name, or `*`). Raises TimeoutError."""
        return self.log.wait_for(count, action=action, timeout=timeout)

    def wait_until_held(self, count: int = 1, *, timeout: float = 5.0) -> None:
        """Wait until that many answers are held back by the fault `hold`. Raises TimeoutError."""
        self.waits.wait_until("held", count, timeout)

    def release(self) -> int:
        """Let held answers go; how many there were."""
        return self.waits.release("held")

    def apply_late_now(self) -> int:
        """Apply now what `apply_late` was to apply later; how many calls there were."""
        return self.waits.release("late")

    def reset(self, *, to_empty: bool = False) -> None:
        """Back to the start: its POs (or none), no advice, effects, calls, faults. Settings stay."""
        self.faults.clear()
        self.waits.release("held")
        self.state.reset(to_empty=to_empty)
        self.log.clear()

    # Answering

    def _answer(self, request: Request) -> Reply:
        if request.target.partition("?")[0].startswith(control.PREFIX):
            return self._control(request)
        route = find_route(request.target)
        key = request.headers.get("apikey")
        call = self.log.begin(
            method=request.method,
            path=request.target,
            action=route.action,
            version=route.version,
            body=request.body,
            key_ok=self.settings.has_key(key),
            headers=request.headers,
        )
        try:
            reply = self._play(call, route, key)
            if reply.manner not in ("reset", "close"):
                call.status, call.answer = reply.status, reply.body[:_KEPT_ANSWER_BYTES]
            return reply
        finally:
            self.log.finish(call)

    def _control(self, request: Request) -> Reply:
        reply = control.answer(self, request)
        if request.method != "GET":
            try:
                self._save()
            except OSError as error:
                return Reply(500, to_json({"error": f"the state could not be saved: {error}"}))
        return reply

    def _refuse(self, error: Unreadable) -> Reply:
        """Answer, and record, what could not be read as a request."""
        call = self.log.begin(
            method=error.method, path=error.target, action="", version=1, body=b"", key_ok=False, headers={}
        )
        reply = Reply(error.status, to_json({"ERROR": error.text, "ERRORCODE": "general"}))
        call.status, call.answer = reply.status, reply.body
        self.log.finish(call)
        return reply

    def _play(self, call: RecordedCall, route: Route, key: str | None) -> Reply:
        """Carry the call out, with the faults that are due on it."""
        due = self.faults.take(route.action)
        call.faults = tuple(fault.kind for fault in due)
        beside = [fault for fault in due if KINDS[fault.kind].is_side]
        for fault in beside:
            if fault.when == "before":
                play_beside(fault, self.state)
        stage = Stage(lambda: self._carry_out(call, route, key), self.waits, self.settings.http_errors)
        answering = [fault for fault in due if not KINDS[fault.kind].is_side]
        reply = play(answering[0], stage) if answering else stage.apply()
        for fault in beside:
            if fault.when == "after":
                play_beside(fault, self.state)
        return self._saved(reply) if beside else reply

    def _carry_out(self, call: RecordedCall, route: Route, key: str | None) -> Reply:
        """The proper answer to a call, all of it applied or none (with `per_record`: its good records)."""
        settings = self.settings
        status = 200
        try:
            answer = self._perform(call, route, key, settings)
        except Refused as refusal:
            answer = {"ERROR": refusal.text, "ERRORCODE": refusal.code}
            status = refusal.status if settings.http_errors else 200
        except Exception as error:
            return _failed(f"{type(error).__name__}: {error}")
        return self._saved(Reply(status, to_json(with_text_only(answer) if settings.stringly else answer)))

    def _saved(self, reply: Reply) -> Reply:
        """The reply, once what has changed is saved: what was answered is kept."""
        try:
            self._save()
        except OSError as error:
            return _failed(f"the state could not be saved: {error}")
        return reply

    def _perform(self, call: RecordedCall, route: Route, key: str | None, settings: Settings) -> Json:
        """Key, method, action, body, then the call, in this order (assumed)."""
        if not settings.has_key(key):
            raise Refused("not logged in: the apikey is missing or wrong", code="authn", status=401)
        if call.method != "POST":
            raise Refused(f"POST only, not {call.method}", status=405)
        if route.call is None:
            name = f"{route.action}~{route.version}" if route.action else call.path.partition("?")[0]
            raise Refused(f"Action {name} not found", status=404)
        if route.call.perform is None:
            raise Refused(f"Action {route.call.name}~{route.call.version} is not simulated by this sandbox")
        try:
            body = parse_object(call.body)
        except ValueError as error:
            raise Refused(str(error), status=400) from error
        with self.state.lock:
            before = len(self.state.effects)
            try:
                return route.call.perform(
                    Exchange(
                        state=self.state,
                        settings=settings,
                        body=body,
                        vendors=settings.vendors_of(key),
                        action=route.call.name,
                        call_seq=call.seq,
                        at=utc_text(self._now()),
                    )
                )
            finally:
                call.effect_count += len(self.state.effects) - before


def _failed(text: str) -> Reply:
    """A fault of the sandbox itself: it must not look like one of RetailOps, nor stop the server."""
    return Reply(500, to_json({"ERROR": f"the sandbox failed on this call: {text}", "ERRORCODE": "sandbox"}))


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
