"""What a spreadsheet merely spelled anew is told from what a person changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebridge.mapping.spelling import is_rounded, is_same_date, is_same_number, scientific


@pytest.mark.parametrize(
    ("original", "found"),
    [
        ("00123", "123"),
        ("794600000000000000", "7.946E+17"),
        ("7.946E+17", "794600000000000000"),
        ("794612345678901234", "7.94612345678901E+17"),
        ("794612345678901999", "7.94612345678902E+17"),
        ("4.50", "4.5"),
        ("4,50", "4.5"),
        ("1E5", "100000"),
        ("+5", "5"),
        ("-0.10", "-.1"),
        ("794600000000000123", "7,946E+17"),  # a German spreadsheet's comma, and no thousands mark
        ("0,125", "0.125"),
    ],
)
def test_the_same_number_to_fifteen_digits_is_only_spelled_anew(original: str, found: str) -> None:
    assert is_same_number(original, found)


@pytest.mark.parametrize(
    ("original", "found"),
    [
        ("00123", "124"),
        ("794612345678901234", "794612345678901299"),  # more digits than a spreadsheet has: a person typed it
        ("794612345678901234", "7.94612E+17"),
        ("1,000", "1"),
        ("1,000", "1000"),
        ("12 34", "1234"),
        ("abc", "abc"),
        ("", "0"),
        ("1E5", "1E6"),
    ],
)
def test_another_number_is_a_change(original: str, found: str) -> None:
    assert not is_same_number(original, found)


@given(st.integers(0, 10**15 - 1), st.integers(0, 5))
def test_leading_zeros_never_make_another_number(number: int, zeros: int) -> None:
    assert is_same_number("0" * zeros + str(number), str(number))


@given(st.integers(10**15, 10**40))
def test_a_rounded_number_is_known_in_every_spelling_of_it(number: int) -> None:
    shown = scientific(str(number))
    assert "E+" in shown
    assert is_rounded(str(number), shown)


def test_a_rounded_number_is_written_as_a_spreadsheet_shows_it() -> None:
    assert scientific("9400000000000000000000") == "9.4E+21"
    assert scientific("9000000000000000000000") == "9.0E+21"
    assert scientific("794612345678901234") == "7.94612345678901E+17"
    assert scientific("#####") == "#####"


@pytest.mark.parametrize(
    ("original", "found"),
    [
        ("2026-11-24", "11/24/2026"),
        ("2026-11-24", "24.11.2026"),
        ("11/24/2026", "2026-11-24"),
        ("03/04/2026", "3/4/26"),
        ("03/04/2026", "03.04.2026"),
        ("2026-11-24T06:00:00", "11/24/2026 6:00"),
        ("2026-11-24 18:30:15", "11/24/2026 6:30 PM"),
        ("24-Nov-2026", "24-Nov-26"),
        ("Nov 24, 2026", "24-Nov-26"),
        ("1-Mar", "01-Mar"),
        ("MAR1", "1-Mar"),
        ("1-Mar", "2026-03-01"),
        ("3/4", "2026-03-04"),
    ],
)
def test_the_same_date_is_only_spelled_anew(original: str, found: str) -> None:
    assert is_same_date(original, found)


@pytest.mark.parametrize(
    ("original", "found"),
    [
        ("2026-11-24", "11/25/2026"),
        ("03/04/2026", "04/03/2026"),  # a person swapped them: no spreadsheet does
        ("2026-11-24T06:00:00", "2026-11-24"),
        ("2026-11-24 06:00:10", "2026-11-24 06:00:20"),
        ("1.5", "1.05"),
        ("3/4", "03/04"),
        ("31/02/2026", "2026-03-03"),
        ("tomorrow", "2026-11-25"),
    ],
)
def test_another_date_is_a_change(original: str, found: str) -> None:
    assert not is_same_date(original, found)
