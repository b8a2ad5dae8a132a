"""`PassReport`: what one pass did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from filebridge.errors import Problem
from filebridge.intake.look import Waiting
from filebridge.rejects import Note

# What works on a file's columns is imported where it is first needed: the reader is at work on a large file then.
if TYPE_CHECKING:
    from filebridge.bridge.inbound import FileResult
    from filebridge.ledger.orders import OrderFileRow

BUG = 70


@dataclass
class PassReport:
    """What one pass did. `troubles` are channels that could not be used, each in a sentence, by vendor."""

    files: list[FileResult] = field(default_factory=list)
    order_files: list[OrderFileRow] = field(default_factory=list)
    marked: dict[str, int] = field(default_factory=dict)
    """How many POs of each of `order_files` are marked submitted now, by the file's id."""
    said: list[Note] = field(default_factory=list)
    troubles: dict[str, str] = field(default_factory=dict)
    waiting: list[Waiting] = field(default_factory=list)
    strays: list[Waiting] = field(default_factory=list)
    """Those of `waiting` that are new and stay until a person does something."""
    problems: list[Problem] = field(default_factory=list)
    bugs: int = 0
    """How often a bug of FileBridge's ended a unit of work; each stands among the problems too."""
    has_more: bool = False
    """Settled files were left for the next pass, so that new ones of other vendors are seen."""

    @property
    def exit_code(self) -> int:
        """0 all done, 1 something new needs a person, 2 wrong configuration, 3 RetailOps not reached, 70 a bug."""
        if self.bugs:
            return BUG
        if self.troubles:
            return 3
        if self.problems:
            return 2
        return 1 if any(file.needs_a_person for file in self.files) or self.said or self.strays else 0
