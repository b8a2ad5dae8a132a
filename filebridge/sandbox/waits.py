"""Waiting that a test can end: held answers, calls that are applied late, slow answers."""

import threading
from dataclasses import dataclass, field
from typing import Literal

Waiter = Literal["held", "late", "slow"]


@dataclass(frozen=True, slots=True, eq=False)
class Gate:
    """One thing that waits."""

    kind: Waiter
    event: threading.Event = field(default_factory=threading.Event)


class Waits:
    """Everything that waits in a sandbox. Safe between threads."""

    def __init__(self) -> None:
        self._gates: list[Gate] = []
        self._changed = threading.Condition()
        self._is_stopped = False

    def open(self, kind: Waiter) -> Gate:
        """Announce a wait, so that it can be released from now on."""
        gate = Gate(kind)
        with self._changed:
            if self._is_stopped:
                gate.event.set()
            self._gates.append(gate)
            self._changed.notify_all()
        return gate

    def pass_through(self, gate: Gate, seconds: float | None) -> bool:
        """Wait that long, or until released (None: only until then). False where the sandbox stopped."""
        gate.event.wait(seconds)
        with self._changed:
            self._gates.remove(gate)
            return not self._is_stopped

    def wait(self, kind: Waiter, seconds: float | None) -> bool:
        """`open` and `pass_through` in one."""
        return self.pass_through(self.open(kind), seconds)

    def release(self, kind: Waiter | None = None) -> int:
        """Let go of those that wait (None: of every kind); how many there were."""
        with self._changed:
            chosen = [gate for gate in self._waiting() if kind in (None, gate.kind)]
            for gate in chosen:
                gate.event.set()
            return len(chosen)

    def count(self, kind: Waiter) -> int:
        """How many of that kind wait now."""
        with self._changed:
            return sum(gate.kind == kind for gate in self._waiting())

    def wait_until(self, kind: Waiter, count: int, timeout: float) -> None:
        """Return when at least that many of a kind wait. Raises TimeoutError."""

        def is_reached() -> bool:
            return sum(gate.kind == kind for gate in self._waiting()) >= count

        with self._changed:
            if not self._changed.wait_for(is_reached, timeout):
                raise TimeoutError(f"fewer than {count} {kind} within {timeout} s")

    def stop(self) -> None:
        """End all waiting, without what it was waiting for."""
        with self._changed:
            self._is_stopped = True
            for gate in self._gates:
                gate.event.set()

    def start(self) -> None:
        """Allow waiting (again)."""
        with self._changed:
            self._is_stopped = False

    def _waiting(self) -> list[Gate]:
        return [gate for gate in self._gates if not gate.event.is_set()]
