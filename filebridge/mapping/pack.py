"""`VendorPack`: one vendor's folder of mappings, loaded, checked and frozen."""

from __future__ import annotations

import collections.abc
from dataclasses import dataclass, field

from filebridge.mapping.model import Mapping, OrderLayout, Vendor


@dataclass(frozen=True)
class FeedMapping:
    """The mapping of one feed. Crosswalk files are read in: `values` of a field is a dict or None.

    `feed` is the stem of the mapping's file name, unique in the vendor; `path` is the file as shown to a
    person. `sha256` is of all that shapes the mapping: its text, the vendors' shared defaults, its crosswalks.
    """

    feed: str
    path: str
    mapping: Mapping
    sha256: str


@dataclass(frozen=True)
class VendorPack:
    """All that is known of one vendor."""

    vendor: str
    """The folder's name."""
    path: str
    """The folder as shown to a person."""
    settings: Vendor
    mappings: tuple[FeedMapping, ...] = ()
    """In order of feed."""
    orders: OrderLayout | None = None
    orders_path: str = ""
    orders_columns: collections.abc.Mapping[str, str] = field(default_factory=dict)
    """`file:line` of each column of the PO layout."""
    carriers: collections.abc.Mapping[str, str | collections.abc.Mapping[str, str]] | None = None
    """The lines of carriers.yaml as written: the vendor's word, then an id or `{class: name}`."""

    def of_feed(self, feed: str) -> FeedMapping | None:
        """The mapping of a feed, by its name."""
        return next((found for found in self.mappings if found.feed == feed), None)
