"""Channels: how things stand between a vendor's key and RetailOps."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from filebridge.ledger.schema import channel


@dataclass(frozen=True)
class ChannelRow:
    """A vendor's channel: `trouble` is empty where all is well, else a word for it, known `since` then.

    `tried_at` is when it was last used, `fetched_at` when the vendor's POs were last fetched whole; None: never.
    """

    vendor: str
    trouble: str = ""
    since: int | None = None
    tried_at: int | None = None
    fetched_at: int | None = None


def trouble(connection: sa.Connection, vendor: str, kind: str, now: int) -> None:
    """Write down that the channel does not work, and why; the same trouble keeps the time it began at."""
    known = channel_of(connection, vendor)
    since = known.since if known.trouble == kind else now
    _write(connection, vendor, {"trouble": kind, "since": since, "tried_at": now})


def well(connection: sa.Connection, vendor: str, now: int) -> None:
    """Write down that the channel works."""
    _write(connection, vendor, {"trouble": "", "since": None, "tried_at": now})


def fetched(connection: sa.Connection, vendor: str, now: int) -> None:
    """Write down that the vendor's POs were fetched whole, which also says that the channel works."""
    _write(connection, vendor, {"trouble": "", "since": None, "tried_at": now, "fetched_at": now})


def channel_of(connection: sa.Connection, vendor: str) -> ChannelRow:
    """A vendor's channel; one that was never used is well."""
    found = connection.execute(sa.select(channel).where(channel.c.vendor == vendor)).first()
    return ChannelRow(*found) if found else ChannelRow(vendor)


def last_fetched(connection: sa.Connection, vendor: str) -> int | None:
    """When the vendor's POs were last fetched whole, microseconds UTC; None: never."""
    return channel_of(connection, vendor).fetched_at


def channels(connection: sa.Connection) -> list[ChannelRow]:
    """All channels that were ever used, by vendor."""
    return [ChannelRow(*row) for row in connection.execute(sa.select(channel).order_by(channel.c.vendor))]


def _write(connection: sa.Connection, vendor: str, values: dict[str, object]) -> None:
    changed = connection.execute(sa.update(channel).where(channel.c.vendor == vendor).values(values))
    if not changed.rowcount:
        connection.execute(sa.insert(channel).values(vendor=vendor, **values))
