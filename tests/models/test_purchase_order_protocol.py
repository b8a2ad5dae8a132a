"""The PO protocol as built, searched exhaustively (FAILURES 3.6).

One PO with a change in its budget; up to three crashes at any step; two marks whose answer is lost, applied,
not applied or landing later; a vendor that may take a file at any moment; RetailOps checking the items of a
mark or not. A step here is one durable effect of `filebridge.orders`: a commit, a rename, a call. Limits: one
PO; its cancellation is not modelled; staging and the sweep of orphans are.

Power that fails between a rename and the sync of its folders may undo the rename: then, and only then, the
same name with the same bytes appears again.

Wrong is: LOST (RetailOps believes the PO taken, and no file was published), DUPLICATE (one revision published
twice), STALE (all is at rest, and the newest revision is in no file), UNMARKED (at rest, not submitted).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

CRASHES, LOST_ANSWERS = 3, 2
NONE, STAGED, PUBLISHED, MARKED = "-", "staged", "published", "marked"


class File(NamedTuple):
    """The file of one revision: what the ledger says of it and of its call, and where it is."""

    ledger: str = NONE
    call: str = NONE
    seen_since: bool = False
    staged: bool = False
    linked: bool = False
    there: bool = False
    appeared: int = 0
    unsynced: bool = False


class World(NamedTuple):
    """RetailOps, the ledger, the disk, and where the process is. `seen` and `told` are revisions."""

    revision: int = 0
    submitted: bool = False
    late: int | None = None
    changes: int = 1
    seen: int | None = None
    seen_ready: bool = False
    told: int | None = None
    po: str = NONE
    files: tuple[File, File] = (File(), File())
    at: str = "rest"
    then: str = ""
    power_cuts: int = 0
    crashes: int = CRASHES
    lost: int = LOST_ANSWERS

    def with_file(self, revision: int, **values: Any) -> "World":
        files = list(self.files)
        files[revision] = files[revision]._replace(**values)
        return self._replace(files=(files[0], files[1]))


Steps = Iterator[tuple[str, World]]


@dataclass(frozen=True)
class Protocol:
    """The protocol as built; each switch makes it one of the known-bad variants."""

    strict: bool = False
    power: bool = False
    mark_first: bool = False
    look_in_outbox: bool = False
    no_ledger: bool = False
    no_verify: bool = False
    two_step_publish: bool = False

    # The world

    def world(self, w: World) -> Steps:
        for revision, file in enumerate(w.files):
            if file.there:
                yield f"vendor takes {revision}", w.with_file(revision, there=False)
        if w.changes and not w.submitted:
            yield "PO changes", w._replace(revision=1, changes=0)
        if w.late is not None:
            yield "late mark lands", self.apply(w, w.late)._replace(late=None)
        if w.crashes and w.at != "rest":
            down = w._replace(at="rest", then="", crashes=w.crashes - 1)
            if self.no_ledger:
                down = down._replace(seen=None, told=None, po=NONE)
                for revision in (0, 1):
                    down = down.with_file(revision, ledger=NONE, call=NONE)
            yield "crash", down
            if self.power and any(file.unsynced for file in w.files):
                for revision, file in enumerate(w.files):
                    if file.unsynced:
                        down = down.with_file(revision, staged=True, there=False, unsynced=False)
                yield "power fails", down._replace(power_cuts=w.power_cuts + 1)

    def apply(self, w: World, revision: int) -> World:
        if self.strict and revision != w.revision:
            return w
        return w._replace(submitted=True)

    # The process

    def process(self, w: World) -> Steps:
        yield from getattr(self, f"at_{w.at}")(w)

    def at_rest(self, w: World) -> Steps:
        if not self.is_done(w):
            yield "start", w._replace(at="recover")

    def is_done(self, w: World) -> bool:
        told = None if w.told is None else w.files[w.told]
        return told is not None and all(file.ledger in (NONE, MARKED) for file in w.files)

    def at_recover(self, w: World) -> Steps:
        for revision, file in enumerate(w.files):
            if file.staged and file.ledger == NONE:
                yield "sweep", w.with_file(revision, staged=False, linked=False)
                return
            if file.call == "sending":
                yield "answer lost", w.with_file(revision, call="uncertain")
                return
            if file.ledger == STAGED:
                yield from self.publish(w, revision, "recover")
                return
        yield from self.take_answers(w, "fetch", "fetch")

    def publish(self, w: World, revision: int, back: str) -> Steps:
        """The truth test, then the rename, then the ledger."""
        file = w.files[revision]
        needed = file.staged
        if self.look_in_outbox:
            needed = not file.there
        if needed and self.two_step_publish and not file.linked:
            seen = w.with_file(revision, there=True, appeared=file.appeared + 1, linked=True)
            yield "link", seen._replace(at=f"unlink{revision}", then=back)
        elif needed:
            seen = w.with_file(
                revision, staged=False, there=True, appeared=file.appeared + 1, unsynced=self.power
            )
            yield "rename", seen._replace(at=f"published{revision}", then=back)
        else:
            yield "was published", w._replace(at=f"published{revision}", then=back)

    def at_unlink0(self, w: World, revision: int = 0) -> Steps:
        yield "unlink", w.with_file(revision, staged=False)._replace(at=f"published{revision}")

    def at_unlink1(self, w: World) -> Steps:
        yield from self.at_unlink0(w, 1)

    def at_published0(self, w: World, revision: int = 0) -> Steps:
        if w.files[revision].unsynced:
            yield "sync folders", w.with_file(revision, unsynced=False)
        else:
            done = w.with_file(revision, ledger=PUBLISHED, seen_since=False)
            yield "write down published", done._replace(at=w.then, then="")

    def at_published1(self, w: World) -> Steps:
        yield from self.at_published0(w, 1)

    def see(self, w: World) -> World:
        """A fetch, or a look-up in every status where the PO is not in the fetched ones: one commit."""
        seen = w._replace(seen=w.revision, seen_ready=not w.submitted)
        if seen.told is not None and w.submitted:
            seen = seen._replace(po=MARKED)
        for revision in (0, 1):
            if seen.files[revision].ledger == PUBLISHED:
                seen = seen.with_file(revision, seen_since=True)
        return seen

    def at_fetch(self, w: World) -> Steps:
        following = "mark_early" if self.mark_first else "export"
        yield "fetch", self.see(w)._replace(at=following)

    def at_mark_early(self, w: World) -> Steps:
        for label, world in self.sent(w, w.seen or 0):
            yield label, world._replace(at="export")

    def at_export(self, w: World) -> Steps:
        yield from self.export(w, "plan")

    def export(self, w: World, following: str) -> Steps:
        due = w.told is None and w.seen_ready
        if (due or (w.told is not None and w.seen != w.told)) and w.seen is not None:
            yield (
                "stage",
                w.with_file(w.seen, staged=True, linked=False)._replace(at="record", then=following),
            )
        else:
            yield "nothing to export", w._replace(at=following)

    def at_record(self, w: World) -> Steps:
        assert w.seen is not None
        po = MARKED if w.po == MARKED else "exported"
        kept = w.with_file(w.seen, ledger=STAGED)
        yield "write down staged", kept._replace(told=w.seen, po=po, at="publish")

    def at_publish(self, w: World) -> Steps:
        assert w.told is not None
        yield from self.publish(w, w.told, w.then)

    def owed(self, w: World) -> int | None:
        """The file whose PO is to be marked: the newest, as long as the PO is as it says."""
        if w.told is None or w.po != "exported" or w.seen != w.told:
            return None
        return w.told if w.files[w.told].ledger == PUBLISHED else None

    def at_plan(self, w: World) -> Steps:
        owed = self.owed(w)
        if owed is not None and not w.files[owed].seen_since:
            yield "read again", self.see(w)._replace(at="export_changes")
            return
        planned = w
        for revision, file in enumerate(w.files):
            if file.call == "planned" and revision != owed:
                planned = planned.with_file(revision, call="superseded")
            if file.ledger == PUBLISHED and file.call == NONE and revision != owed:
                planned = planned.with_file(revision, ledger=MARKED)
        if owed is not None and w.files[owed].call not in ("planned", "uncertain"):
            planned = planned.with_file(owed, call="planned")
        yield "plan", planned._replace(at="deliver")

    def at_export_changes(self, w: World) -> Steps:
        if w.told is None:
            yield "no changes", w._replace(at="plan")
        else:
            yield from self.export(w, "plan")

    def at_deliver(self, w: World) -> Steps:
        for revision, file in enumerate(w.files):
            if file.call == "planned":
                yield "journal", w.with_file(revision, call="sending")._replace(at=f"send{revision}")
                return
            if file.call == "uncertain":
                if w.submitted:
                    yield "looked up: submitted", w.with_file(revision, call="confirmed")
                else:
                    yield (
                        "looked up: not yet",
                        w.with_file(revision, call="sending")._replace(at=f"send{revision}"),
                    )
                return
        yield from self.take_answers(w, "verify", "verify")

    def at_send0(self, w: World, revision: int = 0) -> Steps:
        for label, world in self.sent(w, revision):
            yield label, world._replace(at="deliver")

    def at_send1(self, w: World) -> Steps:
        yield from self.at_send0(w, 1)

    def sent(self, w: World, revision: int) -> Steps:
        applied = self.apply(w, revision)
        answer = "confirmed" if applied.submitted else "refused"
        yield f"mark {answer}", applied.with_file(revision, call=answer)
        if w.lost:
            less = w._replace(lost=w.lost - 1)
            yield "mark lost", less.with_file(revision, call="uncertain")
            yield (
                "mark applied, answer lost",
                applied._replace(lost=w.lost - 1).with_file(revision, call="uncertain"),
            )
            if w.late is None:
                yield (
                    "mark will land late",
                    less._replace(late=revision).with_file(revision, call="uncertain"),
                )

    def take_answers(self, w: World, following: str, at: str) -> Steps:
        told = w.told
        if told is not None and w.po == "exported" and w.files[told].call == "confirmed":
            yield "take answer", w._replace(po=MARKED)
        else:
            yield "answers taken", w._replace(at=following)

    def at_verify(self, w: World) -> Steps:
        if self.no_verify:
            yield "no verify", w._replace(at="finish")
        elif any(self.is_answered(w, revision) for revision in (0, 1)):
            yield "verify", self.see(w)._replace(at="export_verified")
        else:
            yield "nothing to verify", w._replace(at="rest")

    def is_answered(self, w: World, revision: int) -> bool:
        file = w.files[revision]
        return (
            file.ledger == PUBLISHED
            and file.call in ("confirmed", "refused", "superseded")
            and self.owed(w) != revision
        ) or (file.ledger == PUBLISHED and file.call == "refused")

    def at_export_verified(self, w: World) -> Steps:
        yield from self.export(w, "finish")

    def at_finish(self, w: World) -> Steps:
        done = w
        for revision in (0, 1):
            if self.is_answered(w, revision) and self.owed(w) != revision:
                done = done.with_file(revision, ledger=MARKED)
        yield "finish", done._replace(at="rest")

    # Both, and what is wrong

    def steps(self, w: World) -> Steps:
        yield from self.process(w)
        yield from self.world(w)

    def fair(self, w: World) -> Steps:
        """No more faults: answers come, what is late lands, nothing crashes."""
        if w.late is not None:
            yield "late mark lands", self.apply(w, w.late)._replace(late=None)
        else:
            yield from ((label, world) for label, world in self.process(w) if world.lost == w.lost)

    def judge(self, w: World) -> str:
        if w.submitted and not any(file.appeared for file in w.files):
            return "LOST"
        if any(file.appeared > 1 + w.power_cuts for file in w.files):
            return "DUPLICATE"
        if w.at == "rest" and self.is_done(w) and w.late is None:
            if not w.submitted:
                return "UNMARKED"
            if not w.files[w.revision].appeared:
                return "STALE"
        return ""


@pytest.mark.parametrize("strict", [False, True], ids=["lax", "strict"])
@pytest.mark.parametrize("power", [False, True], ids=["crashes", "power-cuts"])
def test_no_po_is_lost_doubled_or_stale_whatever_happens(
    search: Callable[..., Any], strict: bool, power: bool
) -> None:
    protocol = Protocol(strict=strict, power=power)
    found = search(World(), protocol.steps, protocol.judge, protocol.fair)
    assert found.violations == {}
    assert found.states > 1_500


@pytest.mark.parametrize(
    ("variant", "fault"),
    [
        ({"mark_first": True}, "LOST"),
        ({"look_in_outbox": True}, "DUPLICATE"),
        ({"no_ledger": True}, "DUPLICATE"),
        ({"no_verify": True}, "STALE"),
        ({"two_step_publish": True}, "DUPLICATE"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value,
)
def test_each_known_bad_variant_is_found_to_be_bad(
    search: Callable[..., Any], variant: dict[str, bool], fault: str
) -> None:
    protocol = Protocol(**variant)
    found = search(World(), protocol.steps, protocol.judge)
    assert fault in found.violations
