"""Files about POs: killed at any step, and at any commit of the ledger, nothing is done twice and nothing is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

KILLED = -9
COMMIT = "ledger.committed"
MANY = 25
SHIPPED = "PO,Item,Qty,Carrier,Tracking\n"
CONFIRMED = "PO,Item,Qty,Answer,Ships\n"
DATES = "PO,Item,Ships\n"
TAKEN = "PO,Item,Qty\n"


@dataclass(frozen=True)
class Story:
    """POs in a status; what was there before, and what the run that is killed finds."""

    status: str = "submitted"
    submit: str = ""
    settings: str = ""
    before: Callable[[Any], None] = lambda scene: None
    drops: tuple[tuple[str, str], ...] = ()
    closes: str = ""
    faults: tuple[tuple[str, str], ...] = ()

    def set_up(self, po_scene: Callable[..., Any]) -> Any:
        scene = po_scene(self.status, submit=self.submit, settings=self.settings)
        self.before(scene)
        for number, (name, text) in enumerate(self.drops):
            scene.drop(name, text)
            at = 1_760_000_000 + number
            os.utime(scene.root / "inbox/acme" / name, (at, at))
        for kind, action in self.faults:
            scene.sandbox.faults.add(kind=kind, action=action)
        return scene

    def go(self, scene: Any, **kill: Any) -> Any:
        """The command that is to be killed."""
        if self.closes:
            return scene.close(self.closes, **kill)
        return scene.run(**kill)

    def go_again(self, scene: Any) -> None:
        """What a person, or the scheduler, does next."""
        if self.closes:
            scene.close(self.closes)
        if any(kind == "drop_before" for kind, _ in self.faults):
            # What was looked up and then not taken once more is left to the next run.
            scene.run("--settle")
        scene.restart()


PART = (
    SHIPPED + "D201,V-1,1,Ground,1Z1\nD202,V-1,1,Ground,1Z2\nD202,V-2,2,Ground,1Z3\nD203,V-9,1,Ground,1Z4\n"
)
REST = SHIPPED + "D201,V-2,2,Ground,1Z5\nD204,V-1,1,Ground,1Z6\nD204,V-2,2,Ground,1Z6\n"
ANSWERS = CONFIRMED + (
    "D201,V-1,1,,2026-12-01\nD201,V-2,2,backordered,2026-12-09\n"
    "D202,V-1,1,,\nD202,V-2,2,,\n"
    "D203,V-1,1,,2026-12-02\n"
    "D204,V-1,1,rejected,\nD204,V-2,2,,\n"
    "D205,V-1,5,,\n"
)
OTHER_ANSWERS = CONFIRMED + "D203,V-2,2,,2026-12-03\nD205,V-1,1,,\nD205,V-2,2,,\n"


def part_came(scene: Any) -> None:
    scene.drop("shipped-1.csv", PART)
    scene.run()


def answers_came(scene: Any) -> None:
    scene.drop("confirmed-1.csv", ANSWERS)
    scene.run()


def dates_came(scene: Any) -> None:
    scene.drop("dates-1.csv", DATES + "D201,V-1,2026-12-01\nD202,,2026-12-02\n")
    scene.run()


def pos_were_written(scene: Any) -> None:
    scene.run()


def part_was_closed(scene: Any) -> None:
    part_came(scene)
    scene.close("D201")


def answers_were_closed(scene: Any) -> None:
    answers_came(scene)
    scene.close("D203")


def part_was_said_again(scene: Any) -> None:
    """The same waiting row in two files: the second goes with the first."""
    part_came(scene)
    scene.drop("shipped-1b.csv", SHIPPED + "D201,V-1,1,Ground,1Z1\n")
    scene.run()


STORIES = {
    "shipments, a part and a whole": Story(drops=(("shipped-1.csv", PART),)),
    "shipments, the rest": Story(before=part_came, drops=(("shipped-2.csv", REST),)),
    "shipments, part and rest at once": Story(drops=(("shipped-1.csv", PART), ("shipped-2.csv", REST))),
    "shipments, part said again, the rest": Story(
        before=part_was_said_again, drops=(("shipped-2.csv", REST),)
    ),
    "shipments, part said anew": Story(
        before=part_came, drops=(("shipped-2.csv", SHIPPED + "D201,,,Ground,1Z1\n"),)
    ),
    "acknowledgements": Story(drops=(("confirmed-1.csv", ANSWERS),)),
    "acknowledgements, the rest": Story(before=answers_came, drops=(("confirmed-2.csv", OTHER_ANSWERS),)),
    "ship dates": Story(
        before=dates_came,
        drops=(
            (
                "dates-2.csv",
                DATES + "D201,V-1,2026-12-05\nD202,,2026-12-02\nD203,,2026-12-04\nD209,,2026-12-04\n",
            ),
        ),
    ),
    "submissions": Story(
        "ready", drops=(("taken-1.csv", TAKEN + "D201,,\nD202,V-1,1\nD203,V-1,1\nD203,V-2,2\nD204,V-1,7\n"),)
    ),
    "submissions of written POs": Story(
        "ready",
        submit="on_submission",
        before=pos_were_written,
        drops=(("taken-1.csv", TAKEN + "D201,,\nD202,V-1,1\nD203,V-1,1\nD203,V-2,2\n"),),
    ),
    "shipments closed short": Story(before=part_came, closes="D201"),
    "acknowledgements closed short": Story(before=answers_came, closes="D203"),
    "shipments closed short are sent": Story(before=part_was_closed),
    "acknowledgements closed short are sent": Story(before=answers_were_closed),
    "accepted and shipped in one pass": Story(
        drops=(
            ("shipped-1.csv", SHIPPED + "D201,,,Ground,1Z1\nD202,V-1,1,Ground,1Z2\nD203,,,Ground,1Z3\n"),
            ("confirmed-1.csv", CONFIRMED + "D201,,,,2026-12-01\nD202,,,,2026-12-02\nD203,V-1,1,,\n"),
        )
    ),
    "accepted and shipped before they were marked": Story(
        "ready",
        submit="when_picked_up",
        before=pos_were_written,
        drops=(
            ("shipped-1.csv", SHIPPED + "D201,,,Ground,1Z1\n"),
            ("confirmed-1.csv", CONFIRMED + "D201,,,,2026-12-01\nD202,,,,2026-12-02\n"),
        ),
    ),
    "all of them in one pass": Story(
        "ready",
        drops=(
            ("shipped-1.csv", SHIPPED + "D201,,,Ground,1Z1\n"),
            ("dates-1.csv", DATES + "D201,,2026-12-03\nD202,V-1,2026-12-04\n"),
            ("confirmed-1.csv", CONFIRMED + "D201,,,,2026-12-01\n"),
            ("taken-1.csv", TAKEN + "D201,,\nD202,,\n"),
        ),
    ),
}


def kill_points(steps: list[str]) -> list[int]:
    """The steps to be killed at: a commit that a milestone follows at once is the same moment.

    Of a long run, whose parts are those of shorter ones, milestones alone.
    """
    following = [*steps[1:], COMMIT]
    milestones = [number for number, step in enumerate(steps, 1) if step != COMMIT]
    commits = [
        number
        for number, (step, after) in enumerate(zip(steps, following, strict=True), 1)
        if step == after == COMMIT
    ]
    return milestones if len(milestones) > MANY else sorted(milestones + commits)


LOST = {
    f"{name}, {kind} {action}": replace(STORIES[name], faults=((kind, action),) * times)
    for name, kind, action, times in [
        ("shipments, the rest", "drop_after", "complete", 2),
        ("shipments, the rest", "drop_before", "complete", 1),
        ("acknowledgements", "drop_after", "mark_accepted", 1),
        ("acknowledgements, the rest", "drop_after", "update_est_ship_date", 1),
        ("acknowledgements closed short are sent", "drop_after", "mark_accepted", 1),
        ("accepted and shipped in one pass", "drop_after", "mark_accepted", 1),
        ("accepted and shipped in one pass", "drop_after", "complete", 2),
        ("accepted and shipped before they were marked", "drop_after", "mark_submitted", 1),
    ]
}
KILLED_TWICE = [
    "shipments, the rest",
    "acknowledgements, the rest",
    "submissions of written POs",
    "acknowledgements closed short are sent",
    "accepted and shipped before they were marked",
    "accepted and shipped in one pass, drop_after complete",
]


def undisturbed(story: Story, po_scene: Callable[..., Any]) -> tuple[list[str], dict[str, Any], list[str]]:
    """The steps of a run that nothing disturbs, what it leaves, and what is wrong with that."""
    clean = replace(story, faults=()).set_up(po_scene)
    steps = story.go(clean, commits=True).steps
    wrong = [] if story.closes else clean.broken()
    story.go_again(clean)
    wanted, writes = clean.left(), clean.writes()
    wrong += clean.broken()
    clean.restart()
    wrong += [f"a further run: {said}" for said in clean.differences(wanted)]
    if clean.writes() != writes:
        wrong.append(f"a further run makes {clean.writes() - writes} calls")
    return steps, wanted, wrong


def killed(story: Story, po_scene: Callable[..., Any], wanted: dict[str, Any], *kills: int) -> list[str]:
    """What is wrong in the end, where each of the first runs is killed at its step."""
    cut, where = story.set_up(po_scene), []
    for number in kills:
        ended = story.go(cut, kill_at=number, commits=True)
        where.append(f"{number} {ended.steps[-1] if ended.code == KILLED else 'not reached'}")
    story.go_again(cut)
    wrong = [*cut.broken(), *cut.differences(wanted)]
    if sum(kills) % 3 == 0:
        writes = cut.writes()
        cut.restart()
        if cut.writes() != writes:
            wrong.append(f"a further run makes {cut.writes() - writes} calls")
    cut.sandbox.stop()
    return [f"killed at {', then at '.join(where)}: {said}" for said in wrong]


def fail_for(wrong: list[str]) -> None:
    assert not wrong, "\n".join(wrong[:12])


def steps_of(story: Story, po_scene: Callable[..., Any]) -> list[str]:
    """The steps of the run, with the answers that the story loses."""
    probe = story.set_up(po_scene)
    steps: list[str] = story.go(probe, commits=True).steps
    probe.sandbox.stop()
    return steps


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("shipments, the rest", ["call.answered"]),
        ("acknowledgements, the rest", ["calls.recorded"]),
        ("accepted and shipped in one pass, drop_after complete", ["call.looked_up"]),
    ],
)
def test_a_kill_at_a_step_of_a_file_about_pos_costs_nothing(
    name: str, at: list[str], po_scene: Callable[..., Any]
) -> None:
    story = {**STORIES, **LOST}[name]
    _, wanted, wrong = undisturbed(story, po_scene)
    steps = steps_of(story, po_scene)
    for step in at:
        # The last of that name: of those that carry on what an earlier file began.
        wrong += killed(story, po_scene, wanted, len(steps) - steps[::-1].index(step))
    fail_for(wrong)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", STORIES)
def test_a_kill_at_any_step_of_a_file_about_pos_costs_nothing(
    name: str, po_scene: Callable[..., Any]
) -> None:
    steps, wanted, wrong = undisturbed(STORIES[name], po_scene)
    for number in kill_points(steps):
        wrong += killed(STORIES[name], po_scene, wanted, number)
    fail_for(wrong)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", LOST)
def test_a_lost_answer_and_a_kill_at_any_later_step_cost_nothing(
    name: str, po_scene: Callable[..., Any]
) -> None:
    story = LOST[name]
    _, wanted, wrong = undisturbed(story, po_scene)
    steps = steps_of(story, po_scene)
    first = steps.index("calls.journalled")
    for number in kill_points(steps):
        if number > first:
            wrong += killed(story, po_scene, wanted, number)
    fail_for(wrong)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", KILLED_TWICE)
def test_a_kill_and_one_of_the_restart_cost_nothing(name: str, po_scene: Callable[..., Any]) -> None:
    story = {**STORIES, **LOST}[name]
    _, wanted, wrong = undisturbed(story, po_scene)
    steps = steps_of(story, po_scene)
    for place, number in enumerate(kill_points(steps)[::3]):
        # Each first kill has another second one, so that both go over all of the run.
        wrong += killed(story, po_scene, wanted, number, 1 + place * 7 % len(steps))
    fail_for(wrong)


AWAITED = [
    (action, when, landing)
    for action in ("mark_submitted", "mark_accepted", "update_est_ship_date", "complete")
    for when in ("before", "after")
    for landing in ("at once", "after the restart")
]
OFTEN = {("complete", "before", "after the restart"), ("mark_accepted", "after", "at once")}


@pytest.mark.parametrize(
    ("action", "when", "landing"),
    [pytest.param(*one, marks=() if one in OFTEN else pytest.mark.slow) for one in AWAITED],
)
def test_a_kill_while_an_answer_about_pos_is_awaited_costs_nothing(
    action: str, when: str, landing: str, po_scene: Callable[..., Any], until: Callable[..., None]
) -> None:
    story = STORIES["all of them in one pass"]
    _, wanted, wrong = undisturbed(story, po_scene)
    cut = story.set_up(po_scene)
    cut.sandbox.faults.add(kind="hold", action=action, when=when)
    process = cut.start()
    cut.sandbox.wait_until_held(timeout=30)
    os.kill(process, signal.SIGKILL)
    assert cut.warm.end().code == KILLED
    if landing == "at once":
        cut.sandbox.release()
    cut.restart()
    cut.sandbox.release()
    until(lambda: all(call.is_over for call in cut.sandbox.calls))
    fail_for([*wrong, *cut.broken(), *cut.differences(wanted)])


def test_a_file_that_one_of_the_same_pass_says_anew_is_answered_in_that_pass(
    po_scene: Callable[..., Any],
) -> None:
    scene = po_scene()
    scene.drop("shipped-1.csv", SHIPPED + "D201,V-1,1,Ground,1Z1\n")
    scene.drop("shipped-2.csv", SHIPPED + "D201,,,Ground,1Z1\n")
    assert scene.run().code == 0
    assert scene.broken() == []


def test_a_kill_while_a_po_is_written_again_gives_one_file(po_scene: Callable[..., Any]) -> None:
    def written(scene: Any) -> list[str]:
        return sorted(path.name for path in (scene.root / "outbox/acme/orders").iterdir())

    def resend(scene: Any, **kill: Any) -> Any:
        return scene.warm.run("-C", str(scene.root), "orders", "resend", "D201", commits=True, **kill)

    def story() -> Any:
        scene = po_scene("ready", submit="when_written")
        scene.run()
        return scene

    clean = story()
    before = written(clean)
    steps = resend(clean).steps
    after = written(clean)
    assert len(after) == len(before) + 1
    wrong = []
    for step in ("request.asked", "order_file.recorded", "order_file.published"):
        cut = story()
        assert resend(cut, kill_at=steps.index(step) + 1).code == KILLED
        cut.restart()
        wrong += [f"killed at {step}: {found}" for found in [written(cut)] if found != after]
        wrong += cut.broken()
    fail_for(wrong)


def test_a_decision_that_is_carried_out_is_not_said_to_be_not_done_after_a_kill(
    po_scene: Callable[..., Any],
) -> None:
    story = STORIES["shipments closed short"]
    steps = story.go(story.set_up(po_scene), commits=True).steps
    wrong = []
    for number in range(steps.index("request.asked") + 1, len(steps) + 1):
        cut = story.set_up(po_scene)
        story.go(cut, kill_at=number, commits=True)
        cut.restart()
        wrong += [f"killed at {number}: {said}" for said in cut.decided() if "is closed short" not in said]
    fail_for(wrong)
