"""How a refused call is cut until its bad records stand alone. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from filebridge.ledger.schema import CallState
from filebridge.retailops.wire import Answer, match_verdicts

# Seen in a sister call: a refusal names the place of the record that it is about, from 0.
_NAMED_PLACE: Final = re.compile(r"\bidx\W{0,3}(\d{1,6})\b")


@dataclass(frozen=True)
class Part:
    """Some records of a call, by their places, and what becomes of them.

    PLANNED ones are sent by themselves, now or, where they stay, in a later pass.
    """

    places: Sequence[int]
    state: CallState = CallState.PLANNED
    words: str = ""
    stays: bool = False


def parts_by_verdict(answer: Answer, keys: Sequence[str]) -> list[Part] | None:
    """Parts as the answer tells records apart; None where it does not.

    A record that the answer does not speak of is sent again by itself.
    """
    verdicts = match_verdicts(answer, keys)
    if verdicts is None or all(verdict is None or verdict.confirmed for verdict in verdicts):
        return None
    by_end: dict[tuple[CallState, str], list[int]] = {}
    for place, verdict in enumerate(verdicts):
        if verdict is None or verdict.says_already:
            end = (CallState.PLANNED, "")
        elif verdict.confirmed:
            end = (CallState.CONFIRMED, "")
        else:
            end = (CallState.REFUSED, verdict.message)
        by_end.setdefault(end, []).append(place)
    parts = [Part(places, state, words) for (state, words), places in by_end.items()]
    # The same records again, as a whole, would only be refused again.
    return None if len(parts) == 1 and parts[0].state is CallState.PLANNED else parts


def named_place(answer: Answer, count: int) -> int | None:
    """The place of the record that the refusal names, where it names one of these `count`."""
    found = _NAMED_PLACE.search(answer.message)
    place = int(found[1]) if found else count
    return place if place < count else None


def parts_by_cutting(count: int, named: int | None = None) -> list[Part]:
    """At least two parts of a call of `count` records: its halves, or around the named record."""
    if named is None:
        return [Part(range(count // 2)), Part(range(count // 2, count))]
    cut = [range(named), range(named, named + 1), range(named + 1, count)]
    return [Part(places) for places in cut if places]
