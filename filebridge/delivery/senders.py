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

_FIRST_THREADS: Final = 1
_SLOW_SECONDS: Final = 0.02
_IMPATIENCE_SECONDS: Final = 0.05
_AT_ONCE: Final = 8
"""Answers that are handed over together where they come fast: waking the caller costs as much as a tenth of a call."""


@dataclass(frozen=True, slots=True)
class Job:
    """A call that is marked as under way."""

    call_id: int
    action: Action
    body: bytes


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
        self._sent: queue.SimpleQueue[list[Sent] | BaseException] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._is_abandoned = False

    def __enter__(self) -> Senders:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the threads; without waiting for the network where an error ends the delivery, or `abandon` said so."""
        self.take_back()
        for _ in self._threads:
            self._jobs.put(None)
        if error is None and not self._is_abandoned:
            for thread in self._threads:
                thread.join()

    def put(self, jobs: Sequence[Job]) -> None:
        """Have calls made, in this order."""
        for job in jobs:
            self._jobs.put(job)
        self._grow(min(len(jobs), _FIRST_THREADS) - len(self._threads))

    def get(self, seconds: float) -> list[Sent]:
        """The next calls that have an answer; none where none comes within `seconds`."""
        waiting = not self._jobs.empty() and len(self._threads) < self._most
        try:
            sent = self._sent.get(timeout=min(seconds, _IMPATIENCE_SECONDS) if waiting else seconds)
        except queue.Empty:
            if waiting:
                self._grow(len(self._threads))
            return []
        if isinstance(sent, BaseException):
            raise sent
        if waiting and all(one.seconds > _SLOW_SECONDS for one in sent):
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

    def abandon(self) -> None:
        """Nobody waits any more for the calls that are under way: what they bring is not taken."""
        self._is_abandoned = True

    def _grow(self, count: int) -> None:
        for _ in range(min(count, self._most - len(self._threads))):
            thread = threading.Thread(target=self._work, name="filebridge-sender", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        made: list[Sent] = []
        try:
            while (job := self._next_job(made)) is not None:
                began = time.perf_counter()
                answer = self._send(job)
                made.append(Sent(job.call_id, answer, time.perf_counter() - began))
                if len(made) >= _AT_ONCE or sum(one.seconds for one in made) > _SLOW_SECONDS:
                    made = self._hand_over(made)
            self._hand_over(made)
        except BaseException as error:
            # A bug must end the delivery, which runs in another thread.
            self._hand_over(made)
            self._sent.put(error)

    def _next_job(self, made: list[Sent]) -> Job | None:
        """The next job, waited for once what was made is handed over; None at the end."""
        try:
            return self._jobs.get_nowait()
        except queue.Empty:
            self._hand_over(made)
            made.clear()
            return self._jobs.get()

    def _hand_over(self, made: list[Sent]) -> list[Sent]:
        """Give the answers to the caller; a new list for the next ones."""
        if made:
            self._sent.put(list(made))
        return []
