"""When POs are fetched next: `every` and `cron` in the vendor's zone, over both changes of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from filebridge.clock import from_micros, to_micros
from filebridge.mapping.model import OrderSchedule
from filebridge.schedule import DEFAULT_EVERY, next_fetch

LATER = to_micros(datetime(2030, 1, 1, tzinfo=UTC))


def at(zone: str, text: str, *, fold: int = 0) -> int:
    """An instant by the clocks of a zone; `fold` 1 is the second of two that show the same."""
    return to_micros(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold))


def fetches(schedule: OrderSchedule, zone: str, last: int, count: int) -> list[str]:
    """When the next fetches are, each made on time, in UTC."""
    found = []
    for _ in range(count):
        last = next_fetch(schedule, zone=zone, last=last, now=LATER)
        found.append(f"{from_micros(last):%m-%dT%H:%M}")
    return found


@pytest.mark.parametrize(
    ("zone", "last", "expected"),
    [
        # 2 in the night: America/Denver has no such time on March 8, 2026, and Berlin none on March 29.
        ("America/Denver", "2026-03-06T02:00", ["03-07T09:00", "03-08T09:00", "03-09T08:00"]),
        ("Europe/Berlin", "2026-03-27T02:00", ["03-28T01:00", "03-29T01:00", "03-30T00:00"]),
        # In autumn it comes twice in Berlin, and is fetched at once; in Denver the hour before comes twice.
        ("Europe/Berlin", "2026-10-23T02:00", ["10-24T00:00", "10-25T00:00", "10-26T01:00"]),
        ("America/Denver", "2026-10-30T02:00", ["10-31T08:00", "11-01T09:00", "11-02T09:00"]),
        # Lord Howe Island moves its clocks by half an hour, at 2.
        ("Australia/Lord_Howe", "2026-04-03T02:00", ["04-03T15:00", "04-04T15:30", "04-05T15:30"]),
    ],
)
def test_a_nightly_fetch_comes_once_a_night_over_both_changes(
    zone: str, last: str, expected: list[str]
) -> None:
    assert fetches(OrderSchedule(cron="0 2 * * *"), zone, at(zone, last), 3) == expected


@pytest.mark.parametrize("zone", ["America/Denver", "Europe/Berlin", "Australia/Lord_Howe"])
@pytest.mark.parametrize("hour", ["0", "1", "2", "3"])
def test_whatever_the_hour_no_night_of_a_year_is_left_out_or_fetched_twice(zone: str, hour: str) -> None:
    schedule = OrderSchedule(cron=f"30 {hour} * * *")
    last = at(zone, "2026-01-01T12:00")
    nights = []
    for _ in range(365):
        last = next_fetch(schedule, zone=zone, last=last, now=LATER)
        nights.append(from_micros(last).astimezone(ZoneInfo(zone)).date())
    assert len(set(nights)) == 365
    assert (nights[-1] - nights[0]).days == 364


def test_every_counts_real_time_over_both_changes() -> None:
    schedule = OrderSchedule(every="1h")
    zone = "America/Denver"
    assert fetches(schedule, zone, at(zone, "2026-03-08T01:30"), 2) == ["03-08T09:30", "03-08T10:30"]
    assert fetches(schedule, zone, at(zone, "2026-11-01T01:30"), 2) == ["11-01T08:30", "11-01T09:30"]
    assert fetches(schedule, zone, at(zone, "2026-11-01T01:30", fold=1), 1) == ["11-01T09:30"]


def test_a_cron_of_quarters_goes_on_through_the_hour_that_comes_twice() -> None:
    zone = "Europe/Berlin"
    found = fetches(OrderSchedule(cron="*/15 * * * *"), zone, at(zone, "2026-10-25T01:45"), 10)
    assert found[:4] == ["10-25T00:00", "10-25T00:15", "10-25T00:30", "10-25T00:45"]
    assert len(set(found)) == 10
    assert found == sorted(found)


def test_the_default_is_a_quarter_of_an_hour_and_a_new_vendor_is_due_at_once() -> None:
    assert DEFAULT_EVERY == 900
    now = at("UTC", "2026-11-25T12:00")
    assert next_fetch(OrderSchedule(), zone="UTC", last=now, now=now) == now + 900_000_000
    assert next_fetch(OrderSchedule(cron="0 2 * * *"), zone="UTC", last=None, now=now) <= now


def test_a_clock_that_was_set_back_holds_up_no_fetch() -> None:
    now = at("UTC", "2026-11-25T12:00")
    tomorrow = at("UTC", "2026-11-26T12:00")
    for schedule in (OrderSchedule(every="15m"), OrderSchedule(cron="0 2 * * *")):
        assert next_fetch(schedule, zone="UTC", last=tomorrow, now=now) <= now
