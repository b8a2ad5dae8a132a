"""What a whole column says of cells that can be read in more than one way.

A cell is read by each candidate: a way of writing numbers, or a listed date format. Where the candidates that
can read it agree, the cell has one possible reading, and it speaks for those candidates. Where they disagree
it is open, and only the other cells of its column can decide it. Nothing is guessed: an open cell of a column
in which nothing decides, or in which the cells contradict each other, stays open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

Fits = frozenset[int]
"""The candidates, by their place in the list, that can read a cell which has one possible reading."""


@dataclass(frozen=True)
class Decision:
    """What a column decided: `(a, b)` in `beats` says that where a and b read a cell differently, a is right."""

    beats: frozenset[tuple[int, int]] = frozenset()

    def choose(self, readings: Sequence[object | None]) -> int | None:
        """The candidate that is right of a cell, given each one's reading (None: it has none).

        Where candidates agree it is the first of them; None where they differ and nothing has decided.
        """
        found = [(place, reading) for place, reading in enumerate(readings) if reading is not None]
        for place, reading in found:
            rivals = (other for other, another in found if another != reading)
            if all((place, other) in self.beats for other in rivals):
                return place
        return None


UNDECIDED: Final = Decision()


@dataclass
class Evidence:
    """What the cells of one column say, gathered while they are read for the first time."""

    fits: set[Fits] = field(default_factory=set)
    is_open: bool = False

    def take(self, fits: Fits | None) -> None:
        """Count one cell: the candidates that fit it, or None for a cell that stayed open."""
        if fits is None:
            self.is_open = True
        else:
            self.fits.add(fits)

    def decide(self, candidates: int) -> Decision:
        """What these cells decide between `candidates` ways of reading."""
        places = range(candidates)
        speaks = {
            (one, other)
            for one in places
            for other in places
            if any(one in fits and other not in fits for fits in self.fits)
        }
        return Decision(frozenset((one, other) for one, other in speaks if (other, one) not in speaks))
