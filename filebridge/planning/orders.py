"""Which purchase orders go into a file now, in which files, and which of them are to be marked. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from filebridge.documents.purchase_orders import PurchaseOrder


@dataclass(frozen=True)
class Candidate:
    """A PO that may go into a file. `number` counts the revisions that were exported, 0 where none was.

    `base` names the file that first held the PO, which changes of it are named after; empty where none did.
    """

    order: PurchaseOrder
    revision: str
    exported_revision: str = ""
    number: int = 0
    base: str = ""

    @property
    def is_exported(self) -> bool:
        """Whether some revision of it is in a file."""
        return bool(self.exported_revision)


@dataclass(frozen=True)
class Choice:
    """What goes into files now: POs that no file holds, and POs that changed since a file held them."""

    new: tuple[Candidate, ...]
    changed: tuple[Candidate, ...]


def choose(candidates: Iterable[Candidate], *, now: int) -> Choice:
    """Choose the POs that are due (`date_submit` is now or past, in microseconds UTC) and not told yet.

    A PO that was exported is told again when its revision is another, due or not: the vendor has it already.
    """
    ordered = sorted(candidates, key=_in_order)
    return Choice(
        new=tuple(one for one in ordered if not one.is_exported and one.order.date_submit <= now),
        changed=tuple(one for one in ordered if one.is_exported and one.revision != one.exported_revision),
    )


def in_files(candidates: Iterable[Candidate], *, one_file_per: str) -> tuple[tuple[Candidate, ...], ...]:
    """The POs of each file, in the order in which the files are written.

    POs that changed share a file where their first one was the same, so that its name says what it changes.
    """
    files: dict[tuple[str, str], list[Candidate]] = {}
    for candidate in candidates:
        key = (candidate.base, candidate.order.po if one_file_per == "po" else "")
        files.setdefault(key, []).append(candidate)
    return tuple(tuple(group) for group in files.values())


def _in_order(candidate: Candidate) -> tuple[int, str]:
    return candidate.order.date_submit, candidate.order.po
