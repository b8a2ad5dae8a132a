"""Exhaustive search of a protocol's states: every interleaving of its own steps and of what the world does."""

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pytest

S = TypeVar("S", bound=Hashable)
Steps = Callable[[S], Iterable[tuple[str, S]]]


@dataclass(frozen=True)
class Found(Generic[S]):
    """What a search found: how large the graph is, and the shortest way to each kind of violation."""

    states: int
    transitions: int
    violations: dict[str, list[str]]


def search(start: S, steps: Steps[S], judge: Callable[[S], str], fair: Steps[S] | None = None) -> Found[S]:
    """Visit every state that `steps` leads to. `judge` names what is wrong with a state, or says "".

    With `fair` (steps without faults), each state must also lead, by those alone, to one that has no more of
    them: from every state the protocol comes to rest, and `judge` is told by the states' own fields.
    """
    came: dict[S, tuple[S | None, str]] = {start: (None, "")}
    queue = deque([start])
    transitions = 0
    wrong: dict[str, S] = {}
    while queue:
        state = queue.popleft()
        fault = judge(state)
        if fault:
            wrong.setdefault(fault, state)
        for label, following in steps(state):
            transitions += 1
            if following not in came:
                came[following] = (state, label)
                queue.append(following)
    if fair is not None:
        for state in _restless(came, fair):
            wrong.setdefault("NEVER RESTS", state)
            break
    return Found(len(came), transitions, {fault: _way(came, state) for fault, state in wrong.items()})


def _restless(states: Iterable[S], fair: Steps[S]) -> list[S]:
    """States from which no way of fair steps leads to rest."""
    following = {state: [found for _, found in fair(state)] for state in states}
    resting = {state for state, found in following.items() if not found}
    before: dict[S, list[S]] = {}
    for state, found in following.items():
        for one in found:
            before.setdefault(one, []).append(state)
    queue = deque(resting)
    while queue:
        for earlier in before.get(queue.popleft(), ()):
            if earlier not in resting:
                resting.add(earlier)
                queue.append(earlier)
    return [state for state in following if state not in resting]


def _way(came: dict[S, tuple[S | None, str]], state: S) -> list[str]:
    labels = []
    at: S | None = state
    while at is not None:
        at, label = came[at]
        labels.append(label)
    return [label for label in reversed(labels) if label]


@pytest.fixture(name="search")
def _search() -> Callable[..., Found[Any]]:
    return search
