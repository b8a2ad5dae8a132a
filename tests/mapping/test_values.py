"""What one cell says: numbers, amounts, flags, identifiers, dates."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebridge.mapping.instants import Instant, date_format, read_instant, read_iso, until_end_of_day
from filebridge.mapping.judge import UNDECIDED
from filebridge.mapping.values import (
    UNDECLARED,
    CellFault,
    QuantityRule,
    Read,
    damage_of,
    declared,
    looks_like_date,
    read_flag,
    read_money,
    read_quantity,
)

GERMAN = declared(",", ".")
DENVER = ZoneInfo("America/Denver")


def micros(*parts: int) -> int:
    return round(datetime(*parts, tzinfo=UTC).timestamp()) * 1_000_000  # type: ignore[misc,arg-type]


def answer(read: Read) -> object:
    """The value, or the code of the fault."""
    return read.value.code if isinstance(read.value, CellFault) else read.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("12", 12),
        ("0000012", 12),
        ("+5", 5),
        ("-3", -3),
        ("3-", -3),
        ("(3)", -3),
        ("−3", -3),
        ("-0", 0),
        ("(0)", 0),
        ("12.00", 12),
        ("12,00", 12),
        ("12.", 12),
        (".00", 0),
        ("1,204", 1204),
        ("1.204", 1204),
        ("1.204,00", 1204),
        ("1,204.00", 1204),
        ("1,204,000", 1204000),
        ("1 204", 1204),
        ("1\u00a0204,00", 1204),
        ("1'204", 1204),
        ("1 204.000", 1204),
        ("0,000", 0),
        ("99999999999", 99999999999),
        ("7.5", "bad_number"),
        ("7,50", "bad_number"),
        ("1,000", "bad_number"),
        ("1.000", "bad_number"),
        ("1,23,456", "bad_number"),
        ("0,123", "bad_number"),
        ("1,204.5.1", "bad_number"),
        ("1,204 000", "bad_number"),
        ("10+", "bad_number"),
        ("(-5)", "bad_number"),
        ("-5-", "bad_number"),
        ("--5", "bad_number"),
        ("1O", "bad_number"),
        ("1_000", "bad_number"),
        ("1E3", "bad_number"),
        ("1E+1000000", "bad_number"),
        ("0x10", "bad_number"),
        ("NaN", "bad_number"),
        ("inf", "bad_number"),
        ("٣", "bad_number"),
        ("１２", "bad_number"),
        ("²", "bad_number"),
        ("", "bad_number"),
        ("-", "bad_number"),
        (".", "bad_number"),
        ("()", "bad_number"),
        ("call", "bad_number"),
        ("#####", "bad_number"),
        ("*******", "bad_number"),
        ("5 pcs", "bad_number"),
        ("2026-11-20", "bad_number"),
        ("1" * 65, "bad_number"),
        ("12\n", "bad_number"),
    ],
)
def test_a_quantity_is_a_whole_number_with_one_possible_reading(text: str, expected: object) -> None:
    assert answer(read_quantity(text, UNDECLARED, UNDECIDED)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.204,00", 1204),
        ("1.000", 1000),
        ("12,00", 12),
        ("7,50", "bad_number"),
        ("12.5", "bad_number"),
        ("1,000", 1),
        ("1 000", "bad_number"),
    ],
)
def test_a_declared_format_is_the_only_one(text: str, expected: object) -> None:
    assert answer(read_quantity(text, GERMAN, UNDECIDED)) == expected


def test_a_declared_space_between_thousands_may_be_of_any_width() -> None:
    for space in (" ", "\u00a0", "\u202f"):
        assert read_quantity(f"12{space}040", declared(",", " "), UNDECIDED).value == 12040


def test_an_open_number_says_both_readings_and_the_line_to_add() -> None:
    fault = read_quantity("1,000", UNDECLARED, UNDECIDED).value
    assert isinstance(fault, CellFault)
    assert "1000 or 1" in fault.message
    assert "number: {decimal:" in fault.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("18.90", "18.9"),
        ("18,90", "18.9"),
        ("49.00", "49"),
        ("49", "49"),
        ("0.5", "0.5"),
        (".5", "0.5"),
        ("007.50", "7.5"),
        ("0", "0"),
        ("-0.00", "0"),
        ("1,129.00", "1129"),
        ("1.129,00", "1129"),
        ("0,125", "0.125"),
        ("1,129", "bad_number"),
        ("1.129", "bad_number"),
        ("$5.00", "bad_number"),
        ("5 %", "bad_number"),
        ("1E2", "bad_number"),
        ("-1.00", "out_of_range"),
        ("(1.00)", "out_of_range"),
        ("1234567890123456", "out_of_range"),
    ],
)
def test_an_amount_is_canonical_decimal_text(text: str, expected: str) -> None:
    assert answer(read_money(text, UNDECLARED, UNDECIDED)) == expected


@pytest.mark.parametrize(
    ("rule", "quantity", "expected"),
    [
        (QuantityRule(), 5, 5),
        (QuantityRule(), -1, "out_of_range"),
        (QuantityRule(), 2**31 - 1, 2**31 - 1),
        (QuantityRule(), 2**31, "out_of_range"),
        (QuantityRule(buffer=2), 1, 0),
        (QuantityRule(buffer=2), 12, 10),
        (QuantityRule(buffer=2), -1, "out_of_range"),
        (QuantityRule(smallest=0), -3, 0),
        (QuantityRule(buffer=2, smallest=1), -3, 1),
        (QuantityRule(smallest=-5), -3, "out_of_range"),
        (QuantityRule(largest=999), 10**15, 999),
        (QuantityRule(buffer=2, smallest=5, largest=10), 20, 10),
    ],
)
def test_buffer_then_min_and_max_and_below_zero_only_where_min_is_given(
    rule: QuantityRule, quantity: int, expected: object
) -> None:
    left = rule.admit(quantity) or rule.finish(quantity)
    assert (left.code if isinstance(left, CellFault) else left) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1.23E+17", "damaged_identifier"),
        ("1,23E+17", "damaged_identifier"),
        ("1E+10", "damaged_identifier"),
        ("7.9e+17", "damaged_identifier"),
        ("#####", "damaged_identifier"),
        ("########", "damaged_identifier"),
        ("1E5", None),
        ("219E01", None),
        ("1E+5", None),
        ("12E+17", None),
        ("A1.23E+17", None),
        ("#12", None),
        ("NA", None),
        ("NULL", None),
        ("TRUE", None),
        ("nan", None),
        ("1-Mar", None),
        ("00123", None),
        ("#N/A", None),
    ],
)
def test_only_what_a_spreadsheet_leaves_is_damage(text: str, code: str | None) -> None:
    fault = damage_of(text)
    assert (fault.code if fault else None) == code


@pytest.mark.parametrize(
    ("text", "alike"),
    [
        ("1-Mar", True),
        ("12-Dec", True),
        ("Mar-01", True),
        ("MAR-1", False),
        ("1-mar", False),
        ("1-Mars", False),
    ],
)
def test_a_code_may_look_like_the_date_that_a_spreadsheet_makes_of_it(text: str, alike: bool) -> None:
    assert looks_like_date(text) is alike


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("1", "1"),
        ("Yes", "1"),
        ("Y", "1"),
        ("TRUE", "1"),
        ("Active", "1"),
        ("0", "0"),
        ("no", "0"),
        ("INACTIVE", "0"),
    ],
)
def test_a_flag_is_yes_or_no(text: str, flag: str) -> None:
    assert read_flag(text).value == flag


def test_another_word_for_a_flag_needs_a_crosswalk() -> None:
    assert answer(read_flag("discontinued")) == "not_in_crosswalk"


@given(st.text(max_size=70))
def test_a_quantity_has_ascii_digits_or_is_refused(text: str) -> None:
    value = read_quantity(text, UNDECLARED, UNDECIDED).value
    if isinstance(value, int):
        assert set(text) <= set("0123456789.,+-−() '’\u00a0\u2009\u202f")
        assert any(digit in text for digit in "0123456789")
    else:
        assert isinstance(value, CellFault)


@given(st.integers(min_value=-(10**30), max_value=10**30))
def test_a_whole_number_in_plain_digits_is_read_as_itself(number: int) -> None:
    assert read_quantity(str(number), UNDECLARED, UNDECIDED).value == number


@given(
    st.integers(min_value=0, max_value=10**9),
    st.sampled_from([(",", "."), (".", ","), (".", "'"), (",", " ")]),
)
def test_a_number_written_in_a_declared_format_is_read_back(number: int, marks: tuple[str, str]) -> None:
    decimal, thousands = marks
    text = f"{number:,}".replace(",", thousands) + decimal + "00"
    assert read_quantity(text, declared(decimal, thousands), UNDECIDED).value == number


@pytest.mark.parametrize(
    "text", ["1" * 65_536, "1E+" + "9" * 65_536, "1,111" * 13_000, "(" * 65_536, " " * 65_536]
)
def test_a_long_cell_is_refused_at_once(text: str) -> None:
    started = time.perf_counter()
    for _ in range(20):
        assert answer(read_quantity(text, UNDECLARED, UNDECIDED)) == "bad_number"
        assert answer(read_money(text, UNDECLARED, UNDECIDED)) == "bad_number"
    assert time.perf_counter() - started < 0.5


# Dates


def by_format(text: str, *formats: str, zone: ZoneInfo = DENVER) -> object:
    value = read_instant(text, [date_format(form) for form in formats], zone=zone, decision=UNDECIDED).value
    return value.code if isinstance(value, CellFault) else value.at


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("20261120_0600", "%Y%m%d_%H%M", micros(2026, 11, 20, 13)),
        ("20.11.2026", "%d.%m.%Y", micros(2026, 11, 20, 19)),
        ("1.2.2026", "%d.%m.%Y", micros(2026, 2, 1, 19)),
        ("11/20/26", "%m/%d/%y", micros(2026, 11, 20, 19)),
        ("20-Nov-2026 06:00 PM", "%d-%b-%Y %I:%M %p", micros(2026, 11, 21, 1)),
        ("20 NOVEMBER 2026", "%d %B %Y", micros(2026, 11, 20, 19)),
        ("2026324", "%Y%j", micros(2026, 11, 20, 19)),
        ("Fri 20/11/2026", "%a %d/%m/%Y", micros(2026, 11, 20, 19)),
        ("2026-11-20T06:00:00+0100", "%Y-%m-%dT%H:%M:%S%z", micros(2026, 11, 20, 5)),
        ("20/11/2026 06:00:00.5", "%d/%m/%Y %H:%M:%S.%f", micros(2026, 11, 20, 13) + 500_000),
        ("Mon 20/11/2026", "%a %d/%m/%Y", "bad_date"),
        ("2026111", "%Y%m%d", "bad_date"),
        ("31.02.2026", "%d.%m.%Y", "bad_date"),
        ("20.11.2026 ", "%d.%m.%Y", "bad_date"),
        ("20.11.2026 06:00", "%d.%m.%Y", "bad_date"),
        ("٢٠.11.2026", "%d.%m.%Y", "bad_date"),
        ("20.11.0026", "%d.%m.%Y", "bad_date"),
        ("13:00 PM 20.11.2026", "%I:%M %p %d.%m.%Y", "bad_date"),
        ("soon", "%d.%m.%Y", "bad_date"),
    ],
)
def test_a_date_is_read_by_its_format_alone(text: str, form: str, expected: object) -> None:
    assert by_format(text, form) == expected


def test_a_date_without_a_time_is_noon_in_its_zone() -> None:
    read = read_iso("2026-11-20", DENVER)
    assert read == Instant(micros(2026, 11, 20, 19), datetime(2026, 11, 20).date())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T06:00", micros(2026, 11, 20, 13)),
        ("2026-11-20 06:00:00", micros(2026, 11, 20, 13)),
        ("2026-11-20T06:00:00Z", micros(2026, 11, 20, 6)),
        ("2026-11-20T06:00:00+01:00", micros(2026, 11, 20, 5)),
        ("2026-11-20T06:00:00-0130", micros(2026, 11, 20, 7, 30)),
        ("2026-11-20T06:00:00+01", micros(2026, 11, 20, 5)),
        ("20261120", micros(2026, 11, 20, 19)),
        ("20261120T060000Z", micros(2026, 11, 20, 6)),
    ],
)
def test_iso_8601_needs_no_format(text: str, expected: int) -> None:
    read = read_iso(text, DENVER)
    assert read is not None
    assert read.at == expected


@pytest.mark.parametrize(
    "text", ["2026-13-01", "2026-11-31", "26-11-20", "2026-11-20T25:00", "2026-11-20T06:00+99:00"]
)
def test_what_is_no_iso_date_is_a_bad_date(text: str) -> None:
    assert by_format(text) == "bad_date"


def test_a_date_that_two_formats_read_differently_is_ambiguous_and_says_both() -> None:
    forms = [date_format("%d/%m/%Y"), date_format("%m/%d/%Y")]
    fault = read_instant("04/05/2026", forms, zone=DENVER, decision=UNDECIDED).value
    assert isinstance(fault, CellFault)
    assert fault.code == "ambiguous_date"
    assert "4 May 2026 by %d/%m/%Y" in fault.message
    assert "5 April 2026 by %m/%d/%Y" in fault.message
    assert by_format("05/05/2026", "%d/%m/%Y", "%m/%d/%Y") == micros(2026, 5, 5, 18)


@pytest.mark.parametrize("form", ["%d.%m", "%H:%M", "%Q.%m.%Y", "%d.%d.%Y", "today"])
def test_a_format_that_gives_no_whole_date_is_said(form: str) -> None:
    with pytest.raises(ValueError, match="date format"):
        date_format(form)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-11-22", micros(2026, 11, 23, 7) - 1),
        ("2026-11-23", micros(2026, 11, 23, 18, 30)),
        ("2026-11-24", micros(2026, 11, 25, 7) - 1),
    ],
)
def test_an_as_of_date_counts_until_the_end_of_that_day_or_the_arrival(day: str, expected: int) -> None:
    arrived_at = micros(2026, 11, 23, 18, 30)
    instant = read_iso(day, DENVER)
    assert instant is not None
    assert until_end_of_day(instant, zone=DENVER, arrived_at=arrived_at) == expected


@given(
    st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2099, 1, 1)),
    st.integers(min_value=-1439, max_value=1439),
)
def test_an_instant_written_as_iso_8601_is_read_back(moment: datetime, minutes: int) -> None:
    moment = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    read = read_iso(moment.isoformat(), DENVER)
    assert read is not None
    assert read.at == (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@given(st.text(max_size=40))
def test_any_text_is_a_date_or_a_bad_one(text: str) -> None:
    assert isinstance(by_format(text), int | str)
    assert isinstance(by_format(text, "%d.%m.%y", "%Y%j %H:%M:%S.%f%z"), int | str)
