"""One pass over everything that is due: the nightly batch, and each turn of `watch`."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from filebridge.bridge import decisions, intake
from filebridge.bridge.desk import Desk
from filebridge.bridge.pass_report import PassReport
from filebridge.bridge.rests import Rests
from filebridge.bridge.vendor_turn import VendorTurn
from filebridge.clock import SECOND
from filebridge.errors import FileBridgeError, LedgerError, Problem, UserError
from filebridge.intake.identify import Identifier
from filebridge.intake.look import Look
from filebridge.intake.settle import Settled, Settler, take_settled
from filebridge.ledger import calls
from filebridge.ledger import passes as heartbeat
from filebridge.workspace.heartbeat import beating

if TYPE_CHECKING:
    from filebridge.mapping.pack import VendorPack

__all__ = ["Pace", "PassReport", "look", "prepare", "quarantine", "run_pass", "work"]


def run_pass(
    desk: Desk,
    *,
    vendors: Collection[str] | None = None,
    inbound: bool = True,
    outbound: bool = True,
    by: str = "run",
    settle: bool = False,
    settler: Settler | None = None,
) -> PassReport:
    """One pass over everything that is due of these vendors (None: all). The caller holds the lock.

    With `settle` it goes on until no call is without its answer, and waits for what is due meanwhile. A
    `settler` that has looked already (`early`) makes the wait for quiet files shorter.
    """
    report = PassReport()
    packs, problems = desk.workspace.load_packs()
    report.problems += problems
    chosen = [pack for pack in packs if vendors is None or pack.vendor in vendors]
    by = f"{by} {os.getpid()}"
    with beating(desk.workspace.state, by=by):
        with desk.ledger.begin() as connection:
            calls.lost(connection, desk.clock.now(), quarantine=quarantine(desk))
            pass_id = heartbeat.begin(connection, by=by, now=desk.clock.now())
        prepare(desk, chosen, report, {pack.vendor: pack for pack in packs})
        settler = settler or Settler(desk.workspace.settings.intake.settle)
        settled = (
            take_settled(lambda: look(desk, chosen, report), settler, clock=desk.clock)
            if inbound
            else Settled()
        )
        if inbound and vendors is None:
            report.waiting += intake.of_nobody(desk)
        identifiers = {pack.vendor: intake.identifier(desk, pack) for pack in chosen}
        work(desk, chosen, report, settled=settled, identifiers=identifiers, due=chosen if outbound else ())
        while settle and not report.troubles and _wait_for_open_answers(desk):
            work(desk, chosen, report, settled=Settled(), identifiers=identifiers, due=())
        with desk.ledger.begin() as connection:
            heartbeat.end(connection, pass_id, exit_code=report.exit_code, now=desk.clock.now())
    return report


@dataclass
class Pace:
    """How vendors take turns. `slice_seconds`: how long one works before the next one does.

    With `pass_seconds` the pass ends about then, and what is left is taken in the next one: who keeps watching
    has to look what came meanwhile. `rests` are the channels that are left alone, `parked` files that met a bug.
    """

    slice_seconds: float = 5.0
    pass_seconds: float | None = None
    rests: Rests | None = None
    parked: dict[str, set[str]] = field(default_factory=dict)

    def try_anew(self, vendor: str) -> None:
        """Something that a vendor's work depends on was changed: its rests are over."""
        self.parked.pop(vendor, None)
        if self.rests:
            self.rests.over(vendor)


def work(
    desk: Desk,
    packs: Sequence[VendorPack],
    report: PassReport,
    *,
    settled: Settled,
    identifiers: Mapping[str, Identifier],
    due: Collection[VendorPack],
    pace: Pace | None = None,
) -> None:
    """Each vendor's turn: files, then the POs of those in `due`, then restatements, then what is said of it.

    Vendors take turns, a few seconds each, so that many files of one do not hold up the others. One vendor's
    trouble stops no other.
    """
    pace = pace or Pace()
    began = desk.clock.monotonic()
    resting = pace.rests.resting(began) if pace.rests else {}
    waiting: deque[tuple[VendorTurn, Iterator[None]]] = deque()
    for pack in packs:
        drop = intake.Drop(
            [file for file in settled.files if file.entry.inbox.vendor == pack.vendor],
            [wait for wait in settled.waiting if wait.inbox.vendor == pack.vendor],
        )
        turn = VendorTurn(
            desk,
            pack,
            report,
            resting=resting.get(pack.vendor, ""),
            takes_until=None if pace.pass_seconds is None else began + pace.pass_seconds,
            is_due=pack in due,
            parked=pace.parked.setdefault(pack.vendor, set()),
        )
        waiting.append((turn, turn.steps(drop, identifiers[pack.vendor])))
    desk.is_hasty = pace.pass_seconds is not None
    try:
        while waiting:
            turn, steps = waiting.popleft()
            # In a pass that takes everything, nobody waits for the last one; else others may have come by then.
            others = bool(waiting) if pace.pass_seconds is None else len(packs) > 1
            ends = desk.clock.monotonic() + pace.slice_seconds
            desk.slice_seconds = pace.slice_seconds if others else None
            if _go_on(turn, steps, until=ends):
                waiting.append((turn, steps))
            elif pace.rests and not turn.resting:
                _note_rest(pace.rests, turn)
    finally:
        desk.slice_seconds, desk.is_hasty = None, False


def _go_on(turn: VendorTurn, steps: Iterator[None], *, until: float) -> bool:
    """Steps of a turn until its time is over; whether there are more of them."""
    try:
        for _ in steps:
            if turn.desk.clock.monotonic() >= until:
                return True
    except LedgerError:
        raise
    except UserError as error:
        turn.report.problems.append(Problem(turn.pack.vendor, error.message, error.fix))
    except OSError as error:
        turn.report.problems.append(_of_folder(turn.pack.vendor, error))
    except Exception as error:
        turn.met_bug(error)
    return False


def _note_rest(rests: Rests, turn: VendorTurn) -> None:
    if turn.trouble:
        rests.failed(turn.pack.vendor, turn.trouble_message, turn.desk.clock.monotonic())
    else:
        rests.over(turn.pack.vendor)


def _of_folder(place: str, error: OSError) -> Problem:
    fix = "Mend the folder; the work is kept and goes on with the next pass."
    return Problem(place, f"{error.filename or 'a file'}: {error.strerror or error}", fix)


def prepare(
    desk: Desk, packs: Sequence[VendorPack], report: PassReport, known: Mapping[str, VendorPack]
) -> None:
    """Finish claims that were left half done, and carry out what people decided; no fault of one stops the rest."""
    try:
        intake.recover(desk, packs)
    except OSError as error:
        report.problems.append(_of_folder("", error))
    try:
        decisions.carry_out(desk, dict(known))
    except OSError as error:
        report.problems.append(_of_folder("", error))
    except FileBridgeError:
        raise
    except Exception as error:
        report.bugs += 1
        report.problems.append(desk.bugs.met(error, logs=desk.workspace.logs, place="a decision"))


def look(desk: Desk, packs: Sequence[VendorPack], report: PassReport) -> list[Look]:
    """One look at the drop folders; of those that cannot be looked at it is said why."""
    looks = intake.look(desk, packs)
    for one in looks:
        fix = "See that it is there and mounted, and that FileBridge's user may read it."
        problem = Problem(one.inbox.vendor, one.trouble, fix)
        if one.trouble and problem not in report.problems:
            report.problems.append(problem)
    return looks


def _wait_for_open_answers(desk: Desk) -> bool:
    """Wait until the next restatement is due; False where none is owed, or the desk is told to stop."""
    with desk.ledger.read() as connection:
        due = calls.next_restatement(connection)
    if due is None:
        return False
    desk.clock.sleep(max(0, due - desk.clock.now()) / SECOND)
    return not desk.stop.is_set()


def quarantine(desk: Desk) -> int:
    """How long a call whose answer was lost may still land, in microseconds."""
    return round(desk.workspace.settings.retailops.quarantine * SECOND)
