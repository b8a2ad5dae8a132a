"""The loop of a delivery: windows of calls out, answers in, one commit for both.

Only this thread touches the ledger. The answers that came since the last commit and the marks of the next
window go into one commit, made while there is still enough under way that no sender waits for it.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Final

import sqlalchemy as sa

from filebridge.clock import SECOND, Clock
from filebridge.columns import unpack
from filebridge.delivery.channel import Channel, Delivery, Trouble, backoff_seconds
from filebridge.delivery.journal import batch_of, keys_of, split_call
from filebridge.delivery.lookup import Found, Standing, look_up, parts_by_look
from filebridge.delivery.pending import Pending, without_clashes
from filebridge.delivery.refusals import Part, named_place, parts_by_cutting, parts_by_verdict
from filebridge.delivery.senders import Job, Senders
from filebridge.delivery.waits import Waits
from filebridge.errors import CallRefused, KeyRefused, RetailOpsUnreachable
from filebridge.ledger import calls
from filebridge.ledger.calls import ABSOLUTE, CallAnswer, CallRow
from filebridge.ledger.connect import Ledger
from filebridge.ledger.schema import CallState
from filebridge.milestones import reached
from filebridge.retailops import transport as _transport  # noqa: F401  (while the reader is still at work)
from filebridge.retailops.client import LONGEST_WAIT_SECONDS
from filebridge.retailops.wire import Answer, AnswerKind, bodies_of, path_of

logger = logging.getLogger("filebridge.delivery")

WINDOW: Final = 32
"""Calls of one commit (PERFORMANCE, the shape, 5)."""

_LOOK_SECONDS: Final = 0.2
"""How often a wait looks whether it is to end."""

GRACE_SECONDS: Final = 2.5
"""How long calls that are under way may still be answered once the program is told to end."""
_GIVEN_UP: Final = Answer(AnswerKind.UNCERTAIN, "FileBridge was ended before the answer came")


class Engine:
    """One delivery: `add` calls and `run`, as often as there are calls that wait for the end of others."""

    def __init__(
        self,
        ledger: Ledger,
        channel: Channel,
        *,
        clock: Clock,
        on_progress: Callable[[int, int], None] | None,
        stop: threading.Event | None,
        chance: Callable[[], float],
        until: float | None = None,
    ) -> None:
        self.ledger = ledger
        self._channel = channel
        self.clock = clock
        self._on_progress = on_progress
        self._stop = stop
        self._stopped_at: float | None = None
        self._until = until
        self._has_begun = False
        self._chance = chance
        self._todo: deque[Pending] = deque()
        self._later: Waits[Pending] = Waits()
        self._flying: dict[int, Pending] = {}
        self._doubtful: list[tuple[Pending, Answer]] = []
        self._answers: list[CallAnswer] = []
        self._states: Counter[CallState] = Counter()
        self._total = 0
        self._extra = 0
        self._trusts_places = True
        self._answered_at = 0.0
        self._trouble: Trouble | None = None
        self._message = ""
        self._is_halted = False
        self._is_stopped = False

    def add(self, found: Sequence[CallRow]) -> None:
        """Calls to be sent, after those that were added before.

        A mark of an earlier pass whose answer was lost is looked up before anything is sent.
        """
        for call in found:
            pending = Pending(call, call.state is CallState.UNCERTAIN)
            if pending.in_doubt and call.action not in ABSOLUTE:
                self._doubtful.append((pending, Answer(AnswerKind.UNCERTAIN, call.answer)))
            else:
                self._todo.append(pending)
        self._total += len(found)

    def count(self, state: CallState, count: int = 1) -> None:
        """Calls that have their end, or stay as they are."""
        self._states[state] += count

    def run(self) -> Delivery:
        """Send until every call has an end, or nothing more can be sent; what came of all runs so far."""
        with Senders(self._send, self._channel.concurrency) as senders:
            while self._step(senders):
                pass
        self._commit()
        return Delivery(self._trouble, self._message, dict(+self._states), self._is_stopped)

    # The loop

    def _step(self, senders: Senders) -> bool:
        """One turn; False when the delivery is over."""
        self._look_whether_to_end()
        if self._is_halted:
            self._take_back(senders)
        elif self._doubtful:
            # Nothing new goes out until it is clear how RetailOps stands; all in doubt are asked for at once.
            if not self._flying:
                self._look_up()
                return True
        elif not self._later.is_resting(self.clock.monotonic()):
            # Calls whose wait is over go before all others.
            self._todo.extendleft(reversed(self._later.take_due(self.clock.monotonic())))
            if self._todo and len(self._flying) <= max(WINDOW, self._channel.concurrency):
                senders.put(self._begin_window())
        if self._flying:
            for sent in senders.get(_LOOK_SECONDS):
                reached("call.answered", str(sent.call_id))
                self._settle(self._flying.pop(sent.call_id), sent.answer)
                self._tell()
            return True
        self._commit()
        if self._is_halted or not (self._todo or self._later):
            return False
        self._wait()
        return True

    def _look_whether_to_end(self) -> None:
        """Nothing more goes out where the program is told to end, or the time of this delivery is over."""
        if self._stop is not None and self._stop.is_set():
            self._is_halted = True
            self._stopped_at = self._stopped_at or self.clock.monotonic()
        elif self._until is not None and self._has_begun and self.clock.monotonic() >= self._until:
            self._is_halted = True

    def _begin_window(self) -> list[Job]:
        """Write down the answers so far and that the next calls go out now; then they may."""
        self._has_begun = True
        window = [self._todo.popleft() for _ in range(min(WINDOW, len(self._todo)))]
        ids = [pending.call.id for pending in window]
        with self.ledger.begin() as connection:
            self._record(connection)
            blocks = calls.blocks(connection, ids)
            window, clashing = without_clashes(window, self._flying.values(), blocks)
            self._todo.extendleft(reversed(clashing))
            calls.mark_sending(connection, [pending.call.id for pending in window], self.clock.now())
        reached("calls.journalled")
        now = self.clock.monotonic()
        for pending in window:
            pending.first_sent = now if pending.first_sent is None else pending.first_sent
            self._flying[pending.call.id] = pending
        jobs: list[Job] = []
        for action, alike in groupby(window, key=lambda pending: pending.call.action):
            ids = [pending.call.id for pending in alike]
            batches = [unpack(blocks[call_id]) for call_id in ids]
            bodies = bodies_of(action, batches, vendor_id=self._channel.vendor_id)
            jobs += [Job(call_id, action, body) for call_id, body in zip(ids, bodies, strict=True)]
        return jobs

    def _send(self, job: Job) -> Answer:
        """In a sender's thread."""
        return self._channel.client.post(path_of(job.action), job.body, job.action)

    def _wait(self) -> None:
        seconds = self._later.seconds(self.clock.monotonic(), until_rested=bool(self._todo))
        self.clock.sleep(min(max(seconds, 0.001), _LOOK_SECONDS))

    def _take_back(self, senders: Senders) -> None:
        """Calls that no sender has begun were certainly not applied."""
        taken = [self._flying.pop(job.call_id) for job in senders.take_back()]
        for pending in taken:
            self._write(pending, self._waiting_state(pending), Answer(AnswerKind.NOT_APPLIED))
        left = [*taken, *self._todo, *self._later.take_all(), *(pending for pending, _ in self._doubtful)]
        self._todo.clear()
        self._doubtful.clear()
        for pending in left:
            self.count(self._waiting_state(pending))
        self._is_stopped |= bool(left) and self._trouble is None
        ended = self._stopped_at is not None and self.clock.monotonic() - self._stopped_at >= GRACE_SECONDS
        if self._flying and ended:
            self._give_up_waiting(senders)

    def _give_up_waiting(self, senders: Senders) -> None:
        """A call that hangs does not keep the program from ending: its answer counts as lost."""
        senders.abandon()
        flying = list(self._flying.values())
        self._flying.clear()
        for pending in flying:
            self._uncertain(pending, _GIVEN_UP)

    def _tell(self) -> None:
        if self._on_progress is not None:
            left = len(self._todo) + len(self._later) + len(self._flying) + len(self._doubtful)
            self._on_progress(self._total - left, self._total)

    # Writing down

    def _write(
        self, pending: Pending, state: CallState, answer: Answer, *, restate_at: int | None = None
    ) -> None:
        """Have an answer recorded with the next commit."""
        self._answers.append(
            CallAnswer(
                call_id=pending.call.id,
                state=state,
                answered_at=self.clock.now(),
                http_status=answer.status or None,
                answer=answer.message,
                restate_at=restate_at,
            )
        )

    def _record(self, connection: sa.Connection) -> None:
        if self._answers:
            calls.record_answers(connection, self._answers)
            self._answers = []

    def _commit(self) -> None:
        if self._answers:
            with self.ledger.begin() as connection:
                self._record(connection)
            reached("calls.recorded")

    def _waiting_state(self, pending: Pending) -> CallState:
        return CallState.UNCERTAIN if pending.in_doubt else CallState.PLANNED

    # What an answer means

    def _settle(self, pending: Pending, answer: Answer) -> None:
        if answer.kind in (AnswerKind.CONFIRMED, AnswerKind.REFUSED):
            self._later.forget_failures()
            self._answered_at = self.clock.monotonic()
        if answer.kind is AnswerKind.CONFIRMED:
            self._trusts_places &= not pending.by_named_place
            self._end(pending, CallState.CONFIRMED, answer)
        elif answer.kind is AnswerKind.REFUSED:
            self._refused(pending, answer)
        elif answer.kind is AnswerKind.KEY_REFUSED:
            self._leave(pending, answer)
            self._halt(Trouble.KEY_REFUSED, str(KeyRefused(answer.message)))
        elif answer.kind is AnswerKind.NOT_APPLIED:
            self._write(pending, self._waiting_state(pending), answer)
            self._try_again(pending, answer)
        else:
            self._uncertain(pending, answer)

    def _end(self, pending: Pending, state: CallState, answer: Answer) -> None:
        self._write(pending, state, answer)
        self.count(state)

    def _leave(self, pending: Pending, answer: Answer) -> None:
        """To the next pass."""
        self._end(pending, self._waiting_state(pending), answer)

    def _halt(self, trouble: Trouble, message: str) -> None:
        self._trouble, self._message = trouble, message
        self._is_halted = True

    def _uncertain(self, pending: Pending, answer: Answer) -> None:
        pending.in_doubt = True
        if pending.call.action in ABSOLUTE:
            late = round(self._channel.quarantine_seconds * SECOND)
            self._write(pending, CallState.UNCERTAIN, answer, restate_at=self.clock.now() + late)
            self._try_again(pending, answer)
        else:
            self._doubt(pending, answer)

    def _doubt(self, pending: Pending, answer: Answer) -> None:
        """Have a mark looked up; a kill before that must find it in doubt."""
        pending.in_doubt = True
        self._write(pending, CallState.UNCERTAIN, answer)
        self._doubtful.append((pending, answer))
        if self._is_halted:
            self._leave_unanswered(pending, answer)

    def _try_again(self, pending: Pending, answer: Answer) -> None:
        """Once more after a while, unless that was the last time in this pass."""
        pending.tries += 1
        backoff = backoff_seconds(pending.tries, first=self._channel.backoff_seconds, chance=self._chance())
        wait = max(backoff, answer.retry_after or 0.0)
        logger.info(
            "call has no answer",
            extra={"call": pending.call.id, "tries": pending.tries, "why": answer.message},
        )
        if answer.stops or wait > LONGEST_WAIT_SECONDS:
            self.count(self._waiting_state(pending))
            self._halt(Trouble.UNREACHABLE, answer.message)
        elif pending.tries >= self._channel.attempts:
            self.count(self._waiting_state(pending))
            self._give_up(pending, answer)
        elif self._is_halted:
            self.count(self._waiting_state(pending))
            self._leave_unanswered(pending, answer)
        else:
            due = self.clock.monotonic() + wait
            self._later.add(pending, due, pauses=answer.retry_after is not None)

    def _give_up(self, pending: Pending, answer: Answer) -> None:
        """One call without an answer does not hold the others back, as long as they get theirs."""
        if pending.first_sent is not None and self._answered_at > pending.first_sent:
            self._trouble = self._trouble or Trouble.UNREACHABLE
            self._message = self._message or answer.message
        else:
            self._halt(Trouble.UNREACHABLE, answer.message)

    def _leave_unanswered(self, pending: Pending, answer: Answer) -> None:
        """The time was over before the call had its answer; that it got none is told where no other did."""
        self._is_stopped |= self._trouble is None
        if pending.first_sent is None or self._answered_at <= pending.first_sent:
            self._message = self._message or answer.message

    # Refusals

    def _refused(self, pending: Pending, answer: Answer) -> None:
        if answer.says_already:
            # It counts only after a look that agrees.
            self._doubt(pending, answer)
        elif pending.call.records == 1:
            self._end(pending, CallState.REFUSED, answer)
        else:
            self._cut(pending, answer, was=CallState.SENDING)

    def _cut(self, pending: Pending, answer: Answer, *, was: CallState) -> None:
        """Replace a refused call by parts: as the answer tells records apart, else by cutting it."""
        call = pending.call
        with self.ledger.begin() as connection:
            self._record(connection)
            batch = batch_of(connection, call.id)
            parts = parts_by_verdict(answer, keys_of(call.action, batch))
            named = named_place(answer, call.records) if parts is None and self._trusts_places else None
            if parts is None:
                parts = parts_by_cutting(call.records, named)
                self._extra += len(parts)
                if self._extra > self._channel.extra_calls:
                    parts = [Part(range(call.records), CallState.HELD, answer.message)]
            if was is CallState.SENDING:
                self._write(pending, CallState.REFUSED, answer)
                self._record(connection)
            else:
                calls.move(connection, [call.id], [was], CallState.REFUSED, now=self.clock.now())
            self._replace(connection, pending, parts, named)
        reached("call.split", str(call.id))

    def _replace(
        self, connection: sa.Connection, pending: Pending, parts: Sequence[Part], named: int | None = None
    ) -> None:
        """In a transaction in which the call is REFUSED: put its parts in its place."""
        batch = batch_of(connection, pending.call.id)
        to_send = split_call(connection, pending.call, batch, parts, now=self.clock.now())
        for part in parts:
            if part.state is not CallState.PLANNED:
                self.count(part.state)
        planned = [part for part in parts if part.state is CallState.PLANNED]
        news = [
            Pending(
                call,
                in_doubt=False,
                by_named_place=named is not None and list(part.places) == [named],
                tries=pending.tries if len(parts) == 1 else 0,
            )
            for call, part in zip(to_send, planned, strict=True)
        ]
        self._total += len(parts) - 1
        self._todo.extendleft(reversed(news))

    # Marks whose answer was lost

    def _look_up(self) -> None:
        """Ask RetailOps how the POs of all marks in doubt stand, and go on from that."""
        self._has_begun = True
        self._commit()
        for action in dict.fromkeys(pending.call.action for pending, _ in self._doubtful):
            some = [(pending, answer) for pending, answer in self._doubtful if pending.call.action is action]
            with self.ledger.read() as connection:
                pos = [keys_of(action, batch_of(connection, pending.call.id)) for pending, _ in some]
            wanted = frozenset(po for own in pos for po in own)
            try:
                found = look_up(self._channel.client, self._channel.vendor_id, action, wanted)
            except KeyRefused as error:
                return self._halt(Trouble.KEY_REFUSED, str(error))
            except (RetailOpsUnreachable, CallRefused) as error:
                return self._halt(Trouble.UNREACHABLE, str(error))
            self._doubtful = [one for one in self._doubtful if one not in some]
            for (pending, answer), own in zip(some, pos, strict=True):
                self._looked_up(pending, answer, [found[po] for po in own])
        return None

    def _looked_up(self, pending: Pending, answer: Answer, found: Sequence[Found]) -> None:
        """Applied ones are confirmed, gone ones dropped, and only the others sent again."""
        pending.in_doubt = False
        if all(one.standing is Standing.NOT_APPLIED for one in found):
            self._not_applied(pending, answer)
            return
        parts = parts_by_look(found)
        with self.ledger.begin() as connection:
            now = self.clock.now()
            calls.move(connection, [pending.call.id], [CallState.UNCERTAIN], CallState.REFUSED, now=now)
            self._replace(connection, pending, parts)
        reached("call.looked_up", str(pending.call.id))

    def _not_applied(self, pending: Pending, answer: Answer) -> None:
        """The mark was not applied: a refusal stands, a lost answer is as good as none sent."""
        call, now = pending.call, self.clock.now()
        if answer.kind is AnswerKind.REFUSED and call.records > 1:
            self._cut(pending, answer, was=CallState.UNCERTAIN)
            return
        state = CallState.REFUSED if answer.kind is AnswerKind.REFUSED else CallState.PLANNED
        with self.ledger.begin() as connection:
            calls.move(connection, [call.id], [CallState.UNCERTAIN], state, now=now)
        reached("call.looked_up", str(call.id))
        if state is CallState.REFUSED:
            self.count(state)
        else:
            self._try_again(pending, answer)
