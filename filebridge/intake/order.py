"""In which order files are taken that were first seen in one look (DESIGN section 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from filebridge.intake.names import natural_key
from filebridge.intake.settle import SettledFile
from filebridge.rejects import Note

DOCUMENT_ORDER: Final = ("submissions", "acknowledgements", "ship-dates", "shipments", "inventory")
"""A PO completed before it is accepted can no longer be accepted."""

_RANK: Final = {document: rank for rank, document in enumerate(DOCUMENT_ORDER)}
_Key: TypeAlias = tuple[int, int, int, tuple[tuple[int, int, str], ...], bytes]


@dataclass(frozen=True)
class Turn:
    """A file whose turn it is. `note` (code `order`) says what decided, where others were seen with it."""

    file: SettledFile
    note: Note | None = None


def order_of(files: Iterable[SettledFile], document_of: Callable[[SettledFile], str]) -> tuple[Turn, ...]:
    """The order in which one vendor's files are taken.

    What was first seen in an earlier look goes first; within a look the document decides, then the time of
    modification, then the name as a person sorts it. A document that is none of ours goes last.
    """
    ranked = sorted(((_key(file, document_of(file)), file) for file in files), key=lambda pair: pair[0])
    turns = []
    for place, (key, file) in enumerate(ranked):
        together = [near for near in ranked[max(place - 1, 0) : place + 2] if near[0][0] == key[0]]
        turns.append(Turn(file, _note((key, file), together)))
    return tuple(turns)


def _key(file: SettledFile, document: str) -> _Key:
    entry = file.entry
    rank = _RANK.get(document, len(_RANK))
    return file.look, rank, entry.mtime_ns, natural_key(entry.name), entry.place


def _note(own: tuple[_Key, SettledFile], together: list[tuple[_Key, SettledFile]]) -> Note | None:
    """What decided between a file and the one before it, or the one after it where it is the first."""
    if len(together) == 1:
        return None
    other = together[0] if together[0][1] is not own[1] else together[1]
    before, after = sorted((own, other), key=lambda pair: pair[0])
    if before[0][1] != after[0][1]:
        why = f"by document: {_document(before[0][1])} before {_document(after[0][1])}"
    elif before[0][2] != after[0][2]:
        why = "by the time at which each was last written"
    else:
        why = "by name, both having been written at the same time"
    word = "after" if after is own else "before"
    return Note("order", f"Seen together with other files and taken {word} {other[1].entry.name}, {why}.")


def _document(rank: int) -> str:
    return DOCUMENT_ORDER[rank] if rank < len(DOCUMENT_ORDER) else "others"
