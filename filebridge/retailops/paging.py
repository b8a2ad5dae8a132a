"""Reading a set of POs that changes while it is read (FAILURES F36), without I/O."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from filebridge.retailops.reading import Json, OrdersPage, po_of

MOST_PASSES: Final = 5
_MOST_PAGES: Final = 10_000


def read_all(
    read_page: Callable[[int], OrdersPage], *, wanted: Collection[str] = ()
) -> tuple[list[Json], list[str]]:
    """Every PO, each once and as it was read last, and what could not be read.

    `read_page` takes the number of the page's first record. The set is read from 0 again until that shows
    what it showed before, at most MOST_PASSES times: a PO that leaves shifts those behind it to a page that
    was read already. Where `wanted` names POs, reading ends when they are found.
    """
    reading = _Reading(frozenset(wanted))
    shown: list[str] = []
    for _ in range(MOST_PASSES):
        before, shown = shown, reading.one_pass(read_page)
        if shown == before or reading.is_enough:
            break
    return list(reading.found.values()), list(reading.faults)


class _Reading:
    def __init__(self, wanted: frozenset[str]) -> None:
        self.wanted = wanted
        self.found: dict[str, Json] = {}
        self.faults: dict[str, None] = {}
        self._fullest = 0

    @property
    def is_enough(self) -> bool:
        return bool(self.wanted) and self.wanted <= self.found.keys()

    def one_pass(self, read_page: Callable[[int], OrdersPage]) -> list[str]:
        """All pages from 0; the POs that they show, in their order.

        The last is one that is empty, or shorter than a page can certainly be. A page shorter than was asked
        for proves nothing by itself: RetailOps' own maximum is not public.
        """
        shown: list[str] = []
        previous: OrdersPage | None = None
        start = 0
        for _ in range(_MOST_PAGES):
            page = read_page(start)
            for record in page.orders:
                self.found[po_of(record)] = record
                shown.append(po_of(record))
            self.faults.update(dict.fromkeys(page.faults))
            is_same = previous is not None and page.orders == previous.orders != ()
            if not page.records or page.records < self._fullest or is_same or self.is_enough:
                break
            self._fullest = page.records
            start += page.records
            previous = page
        return shown
