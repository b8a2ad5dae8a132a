"""The process is killed, for real, at every step that it records; the next run ends as if nothing had been."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

KILLED = -9
pytestmark = pytest.mark.timeout(240)


def differences(wanted: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """Where two ends differ, in words short enough to be read."""
    said = []
    for part in wanted:
        if wanted[part] != found[part]:
            one, other = wanted[part], found[part]
            keys = [key for key in {**one, **other} if one.get(key) != other.get(key)][:3]
            said += [f"{part}: {key}: {str(one.get(key))[:300]} != {str(other.get(key))[:300]}" for key in keys]
    return said


def broken(scene: Any, wanted: dict[str, Any]) -> list[str]:
    """What is not as after an undisturbed run."""
    said = differences(wanted, scene.left())
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
