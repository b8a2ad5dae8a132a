"""The record of every request that reached the sandbox."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from filebridge.sandbox.values import Json

_SECRET_HEADERS = frozenset({"apikey", "authorization", "cookie", "proxy-authorization"})


@dataclass(slots=True)
class RecordedCall:
    """One request and what became of it; recorded as it arrives, filled in as it is answered.

    `body` is what was received, byte for byte. `key_ok` says whether the key was right; the key is kept
    nowhere, neither in `headers` (names in lower case) nor in `path`. `action` is the canonical name, or
    "" where the path names none. `status` is None and `answer` empty while no answer was made, and where
    the connection was dropped. `effect_count` counts what it changed, also when that happened late.
    `faults` are the kinds that were played on it. `received_at` is UTC.
    """

    seq: int
    received_at: datetime
    method: str
    path: str
    action: str
    version: int
    body: bytes
    key_ok: bool
    headers: dict[str, str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    effect_count: int = 0
    status: int | None = None
    answer: bytes = b""
    is_over: bool = False

    @property
    def took_effect(self) -> bool:
        """Whether it changed anything."""
        return self.effect_count > 0

    @property
    def fault(self) -> str | None:
        """The fault that was played on it, if one was."""
        return self.faults[0] if self.faults else None

    def as_json(self) -> Json:
        """As the control route shows it, with body and answer as text."""
        return {
            "seq": self.seq,
            "received_at": self.received_at.isoformat().replace("+00:00", "Z"),
            "method": self.method,
            "path": self.path,
            "action": self.action,
            "version": self.version,
            "body": self.body.decode("utf-8", "replace"),
            "key_ok": self.key_ok,
            "headers": self.headers,
            "faults": list(self.faults),
            "took_effect": self.took_effect,
            "effect_count": self.effect_count,
            "status": self.status,
            "answer": self.answer.decode("utf-8", "replace"),
            "is_over": self.is_over,
        }


class CallLog:
    """All recorded calls, in the order in which they arrived. Safe between threads.

    `last_seq`: the number after which this log begins to count.
    """

    def __init__(self, now: Callable[[], datetime], last_seq: int = 0) -> None:
        self._now = now
        self._calls: list[RecordedCall] = []
        self._seq = last_seq
        self._changed = threading.Condition()

    def begin(
        self,
        *,
        method: str,
        path: str,
        action: str,
        version: int,
        body: bytes,
        key_ok: bool,
        headers: dict[str, str],
    ) -> RecordedCall:
        """Record a request that arrived."""
        shown = {name: value for name, value in headers.items() if name not in _SECRET_HEADERS}
        with self._changed:
            self._seq += 1
            call = RecordedCall(
                self._seq, self._now(), method, _without_key(path), action, version, body, key_ok, shown
            )
            self._calls.append(call)
            self._changed.notify_all()
        return call

    def finish(self, call: RecordedCall) -> None:
        """Say that nothing more will come of a call."""
        with self._changed:
            call.is_over = True
            self._changed.notify_all()

    def since(self, seq: int = 0) -> list[RecordedCall]:
        """The calls after that sequence number, as a new list."""
        with self._changed:
            return [call for call in self._calls if call.seq > seq]

    def wait_for(self, count: int, *, action: str = "*", timeout: float = 5.0) -> list[RecordedCall]:
        """Wait until that many calls of an action (canonical name, or `*`) arrived. Raises TimeoutError."""

        def arrived() -> list[RecordedCall]:
            return [call for call in self._calls if action in ("*", call.action)]

        with self._changed:
            if not self._changed.wait_for(lambda: len(arrived()) >= count, timeout):
                raise TimeoutError(
                    f"{len(arrived())} of {count} calls of {action} arrived within {timeout} s"
                )
            return arrived()

    def clear(self) -> None:
        """Forget the calls; the numbers go on, so that effects and calls never share one by mistake."""
        with self._changed:
            self._calls.clear()


def _without_key(path: str) -> str:
    """The path with the value of `apikey=` taken out: it is a secret wherever it stands."""
    base, mark, query = path.partition("?")
    parts = [
        name + "=[removed]" if name.lower() == "apikey" else name + equals + value
        for name, equals, value in (part.partition("=") for part in query.split("&"))
    ]
    return base + mark + "&".join(parts)
