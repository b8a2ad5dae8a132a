"""The process is killed, for real, at every step that it records; the next run ends as if nothing had been."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

KILLED = -9
pytestmark = pytest.mark.timeout(240)


def broken(scene: Any, wanted: dict[str, Any]) -> list[str]:
    """What is not as after an undisturbed run."""
    said = scene.differences(wanted)
    if scene.way == "out":
        if scene.marks() != ["D101", "D102", "D103"]:
            said.append(f"marked: {scene.marks()}")
        if not scene.taken and scene.published_at() > scene.first_mark_at():
            said.append("a PO was marked before its file was in the outbox")
    return said


@pytest.mark.parametrize("way", ["in", "out"])
def test_a_kill_at_any_step_costs_nothing(way: str, scene: Callable[[str], Any]) -> None:
    clean = scene(way)
    steps = clean.run().steps
    wanted = clean.left()
    assert len(steps) > 8, steps
    assert broken(clean, wanted) == []

    failures = []
    for number, step in enumerate(steps, 1):
        cut = scene(way)
        killed = cut.run(kill_at=number)
        assert (killed.code, killed.steps[-1]) == (KILLED, step)
        cut.restart()
        failures += [f"killed at {number} {step}: {said}" for said in broken(cut, wanted)]
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("way", ["in", "out"])
def test_two_kills_in_a_row_at_the_same_step_cost_nothing(way: str, scene: Callable[[str], Any]) -> None:
    clean = scene(way)
    steps = clean.run().steps
    wanted = clean.left()

    failures = []
    for step in list(dict.fromkeys(steps))[::3]:
        cut = scene(way)
        cut.run(kill_step=step)
        cut.run(kill_step=step)
        cut.restart()
        failures += [f"killed twice at {step}: {said}" for said in broken(cut, wanted)]
    assert not failures, "\n".join(failures)


def a_correction(scene: Any) -> None:
    """A reject file has come back, one of its two rows corrected."""
    scene.run()
    text = (scene.root / "outbox/acme/replies/inventory.csv.rejects.csv").read_text()
    scene.drop("mended.csv", text.replace("V-BAD,many", "V-BAD,7"))


def a_file_let_go(scene: Any) -> None:
    """A file that the guard held was released."""
    scene.run()
    scene.drop("inventory-2.csv", "SKU,Qty\nV-0001,7\nV-0002,0\n")
    scene.run()
    [held] = (scene.root / "archive/acme").glob("*/*/inventory-2.csv")
    assert scene.warm.run("-C", str(scene.root), "release", held.parent.name).code == 0


def a_refused_record(scene: Any) -> None:
    """RetailOps refuses one record of a call, which is cut up until that stands alone."""
    scene.drop("inventory.csv", "SKU,Qty\nA,1\nNOPE,2\nC,3\nD,4\n")
    scene.sandbox.settings = scene.sandbox.settings.changed({"refuse_vpcs": ["NOPE"]})


def a_late_change(scene: Any) -> None:
    """A PO that was marked has changed and is to be submitted again."""
    scene.run()
    items = [{"po_item_id": 31, "vpc": "001", "quantity": 5}]
    scene.sandbox.state.change_po("D103", fields={"status": "ready"}, items=items)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("way", "prepare"),
    [("in", a_correction), ("in", a_file_let_go), ("in", a_refused_record), ("out", a_late_change)],
)
def test_a_kill_at_any_step_of_a_rarer_way_costs_nothing(
    way: str, prepare: Callable[[Any], None], scene: Callable[[str], Any]
) -> None:
    clean = scene(way)
    prepare(clean)
    steps = clean.run().steps
    wanted = clean.left()

    failures = []
    for number, step in enumerate(steps, 1):
        cut = scene(way)
        prepare(cut)
        assert cut.run(kill_at=number).code == KILLED
        cut.restart()
        failures += [f"killed at {number} {step}: {said}" for said in cut.differences(wanted)]
        if cut.marks() != clean.marks():
            failures.append(f"killed at {number} {step}: marked {cut.marks()}")
    assert not failures, "\n".join(failures)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("way", ["in", "out"])
def test_a_kill_at_any_step_and_one_at_any_step_of_the_restart_cost_nothing(
    way: str, scene: Callable[[str], Any]
) -> None:
    clean = scene(way)
    steps = clean.run().steps
    wanted = clean.left()

    failures = []
    for number in range(1, len(steps) + 1):
        again = 1
        while True:
            cut = scene(way)
            cut.run(kill_at=number)
            was_killed = cut.run(kill_at=again).code == KILLED
            cut.restart()
            failures += [f"killed at {number}, then at {again}: {said}" for said in broken(cut, wanted)]
            again += 1
            if not was_killed:
                break
    assert not failures, "\n".join(failures)


def test_a_file_that_the_vendor_took_is_not_written_again_after_a_kill(scene: Callable[[str], Any]) -> None:
    clean = scene("out")
    steps = clean.run().steps
    wanted = clean.left()

    failures = []
    for number, step in enumerate(steps, 1):
        if step.startswith("order_file."):
            cut = scene("out")
            cut.run(kill_at=number)
            cut.take()
            cut.restart()
            cut.take()
            failures += [f"killed at {number} {step}, taken: {said}" for said in broken(cut, wanted)]
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("landing", ["at once", "after the restart"])
@pytest.mark.parametrize(
    ("way", "held"),
    [
        ("in", ("update", "before")),
        ("in", ("update", "after")),
        ("out", ("mark_submitted", "before")),
        ("out", ("mark_submitted", "after")),
        ("out", ("fetch", "after")),
    ],
    ids=str,
)
def test_a_kill_while_an_answer_is_awaited_costs_nothing(
    way: str,
    held: tuple[str, str],
    landing: str,
    scene: Callable[[str], Any],
    until: Callable[[Callable[[], bool]], None],
) -> None:
    clean = scene(way)
    clean.run()
    wanted = clean.left()

    cut = scene(way)
    cut.sandbox.faults.add(kind="hold", action=held[0], when=held[1])
    process = cut.start()
    cut.sandbox.wait_until_held(timeout=30)
    os.kill(process, signal.SIGKILL)
    assert cut.warm.end().code == KILLED
    if landing == "at once":
        cut.sandbox.release()
    cut.restart()
    cut.sandbox.release()
    until(lambda: all(call.is_over for call in cut.sandbox.calls))
    assert broken(cut, wanted) == []
