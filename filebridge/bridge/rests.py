"""How long a channel in trouble is left alone between passes: `watch` calls again, but not at each look."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

LONGEST_SECONDS: Final = 300.0


@dataclass(frozen=True)
class _Rest:
    message: str
    tries: int
    until: float


class Rests:
    """Vendors whose channel rests, and until when (monotonic seconds).

    The first rest lasts `first` seconds, each further one twice as long, up to some minutes; a part of it is
    left to `chance` (0-1), so that several vendors do not all call at once.
    """

    def __init__(
        self, first: float, *, longest: float = LONGEST_SECONDS, chance: Callable[[], float] = random.random
    ) -> None:
        self._first = first
        self._longest = max(first, longest)
        self._chance = chance
        self._rests: dict[str, _Rest] = {}

    def failed(self, vendor: str, message: str, now: float) -> None:
        """The channel was tried and is in trouble; `message` says in what."""
        tries = self._rests[vendor].tries + 1 if vendor in self._rests else 1
        longest = min(self._first * 2.0 ** min(tries - 1, 20), self._longest)
        self._rests[vendor] = _Rest(message, tries, now + longest * (0.75 + self._chance() / 4))

    def over(self, vendor: str) -> None:
        """It is tried at once: the channel works, or its key or settings are others now."""
        self._rests.pop(vendor, None)

    def resting(self, now: float) -> dict[str, str]:
        """The trouble of each vendor whose channel is left alone now."""
        return {vendor: rest.message for vendor, rest in self._rests.items() if now < rest.until}

    def seconds(self, now: float) -> float | None:
        """How long until the next is tried; None where none rests."""
        return min((max(0.0, rest.until - now) for rest in self._rests.values()), default=None)
