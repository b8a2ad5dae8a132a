"""The threads that wait for the network. They know nothing of the ledger."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final

from filebridge.planning.plan import Action
from filebridge.retailops.wire import Answer

_FIRST_THREADS: Final = 2
_SLOW_SECONDS: Final = 0.02
_IMPATIENCE_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Job:
    """A call that is marked as under way."""

    call_id: int
    action: Action
    block: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """A call and what came of it."""

    call_id: int
    answer: Answer
    seconds: float


class Senders:
    """Up to `most` threads that make calls with `send`.

    They are few where the other side answers at once, since threads then only stand in each other's way, and
    grow in number while the network makes them wait.
    """

    def __init__(self, send: Callable[[Job], Answer], most: int) -> None:
        self._send = send
        self._most = max(1, most)
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._sent: queue.SimpleQueue[Sent | BaseException] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Senders:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the threads; where an error ends the delivery, without waiting for the network."""
        self.take_back()
        for _ in self._threads:
            self._jobs.put(None)
        if error is None:
            for thread in self._threads:
                thread.join()

    def put(self, jobs: Sequence[Job]) -> None:
        """Have calls made, in this order."""
        for job in jobs:
            self._jobs.put(job)
        self._grow(min(len(jobs), _FIRST_THREADS) - len(self._threads))

    def get(self, seconds: float) -> Sent | None:
        """The next call that has an answer; None where none comes within `seconds`."""
        waiting = not self._jobs.empty() and len(self._threads) < self._most
        try:
            sent = self._sent.get(timeout=min(seconds, _IMPATIENCE_SECONDS) if waiting else seconds)
        except queue.Empty:
            if waiting:
                self._grow(len(self._threads))
            return None
        if isinstance(sent, BaseException):
            raise sent
        if waiting and sent.seconds > _SLOW_SECONDS:
            self._grow(1)
        return sent

    def take_back(self) -> list[Job]:
        """The calls that no thread has begun: they will not be made."""
        found: list[Job] = []
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return found
            if job is not None:
                found.append(job)

    def _grow(self, count: int) -> None:
        for _ in range(min(count, self._most - len(self._threads))):
            thread = threading.Thread(target=self._work, name="filebridge-sender", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            began = time.perf_counter()
            try:
                answer = self._send(job)
            except BaseException as error:
                # A bug must end the delivery, which runs in another thread.
                self._sent.put(error)
                return
            self._sent.put(Sent(job.call_id, answer, time.perf_counter() - began))
