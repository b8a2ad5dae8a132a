"""When: the next time that a vendor's purchase orders are due to be fetched."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from filebridge.clock import SECOND, from_micros, to_micros
from filebridge.mapping.model import OrderSchedule

DEFAULT_EVERY = 15 * 60.0
"""Seconds between two fetches of `watch` where the vendor declares neither `every` nor `cron`."""


def next_fetch(schedule: OrderSchedule, *, zone: str, last: int | None) -> int:
    """When a vendor's POs are next fetched, in microseconds UTC; `last` is when they last were.

    `cron` counts in the vendor's zone: a time that daylight saving skips is caught up an hour later, one that
    it repeats happens once. A vendor that was never fetched is due at once.
    """
    if last is None:
        return 0
    if schedule.cron is None:
        return last + round((schedule.every or DEFAULT_EVERY) * SECOND)
    from cronsim import CronSim

    return to_micros(next(CronSim(schedule.cron, from_micros(last).astimezone(ZoneInfo(zone)))))
