"""What a delivery is told, and what it tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from filebridge.ledger.schema import CallState
from filebridge.retailops.client import RetailOps

LONGEST_BACKOFF_SECONDS: Final = 30.0


class Trouble(StrEnum):
    """Why a channel could not be used to the end. A state of the channel, never of a row; exit 3."""

    UNREACHABLE = "unreachable"
    """Nothing came back that can be relied on."""
    KEY_REFUSED = "key_refused"
    """RetailOps refused the API key or its rights."""


@dataclass(frozen=True)
class Channel:
    """One vendor's way to RetailOps.

    `concurrency` calls at most are under way at once; each is tried `attempts` times in one pass, about
    `backoff_seconds` apart and doubling. A call whose answer was lost may land for `quarantine_seconds`.
    `extra_calls` more than planned may be made for one file to tell its bad records from its good ones.
    """

    vendor: str
    vendor_id: str
    client: RetailOps
    concurrency: int = 12
    attempts: int = 4
    backoff_seconds: float = 1.0
    quarantine_seconds: float = 600.0
    extra_calls: int = 200


@dataclass(frozen=True)
class Delivery:
    """What came of delivering: how many calls ended in which state, and what stood in the way.

    Calls that were split are not counted, their parts are. PLANNED and UNCERTAIN ones wait for the next pass.
    `stopped`: it was asked to end, or its time was over, before everything was sent; `message` is then why a
    call has no answer, where none at all had one.
    """

    trouble: Trouble | None = None
    message: str = ""
    states: Mapping[CallState, int] = field(default_factory=dict)
    stopped: bool = False

    @property
    def confirmed(self) -> int:
        return self.states.get(CallState.CONFIRMED, 0)

    @property
    def refused(self) -> int:
        return self.states.get(CallState.REFUSED, 0)

    @property
    def left(self) -> int:
        """Calls that the next pass has to go on with."""
        return self.states.get(CallState.PLANNED, 0) + self.states.get(CallState.UNCERTAIN, 0)


def backoff_seconds(tries: int, *, first: float, chance: float) -> float:
    """How long to wait after so many tries: doubling from `first` on, with half of it left to `chance` (0-1)."""
    longest = min(first * 2.0 ** min(tries - 1, 20), LONGEST_BACKOFF_SECONDS)
    return longest * (0.5 + chance / 2)
