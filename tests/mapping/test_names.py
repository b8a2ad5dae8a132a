"""Names of PO files: from the template, jailed, and different for different POs."""

from datetime import datetime
from pathlib import PurePosixPath, PureWindowsPath
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebridge.mapping.names import MAX_NAME_BYTES, fill_name, safe_part, with_mark

NOON = datetime(2026, 11, 24, 12, 5, tzinfo=ZoneInfo("America/Denver"))


def name_of(template: str, po: str = "D123", sequence: int = 7) -> str:
    return fill_name(template, vendor="acme", now=NOON, sequence=sequence, po=po)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("PO_{vendor}_{sequence:06d}.csv", "PO_acme_000007.csv"),
        ("PO_{vendor}_{now:%Y%m%d}_{sequence:06d}.xlsx", "PO_acme_20261124_000007.xlsx"),
        ("WB_{now:%Y%m%d}_{sequence:04d}.xlsx", "WB_20261124_0007.xlsx"),
        ("{po}.csv", "D123.csv"),
        ("{sequence}-{now:%H%M}.txt", "7-1205.txt"),
    ],
)
def test_a_template_is_filled_in(template: str, expected: str) -> None:
    assert name_of(template) == expected


@pytest.mark.parametrize(
    ("po", "expected"),
    [
        ("../../etc/cron.d/x", "_._.._etc_cron.d_x-"),
        ("/abs", "_abs-"),
        ("a b", "a_b-"),
        ("-rf", "_rf-"),
        (".hidden", "_hidden-"),
        ("CON", "CON-"),
        ("Größe", "Gr__e-"),
        ("a_b-0123abcd", "a_b-0123abcd-"),
        ("x" * 200, "x" * 31 + "-"),
        ("ends.", "ends_-"),
        ("", "_-"),
    ],
)
def test_what_is_not_allowed_becomes_an_underscore_and_a_short_hash(po: str, expected: str) -> None:
    part = safe_part(po)
    assert part[:-8] == expected
    assert int(part[-8:], 16) >= 0


def test_plain_pos_stand_as_they_are() -> None:
    assert [safe_part(po) for po in ("D123", "0004501", "C-001", "a.b_c")] == [
        "D123",
        "0004501",
        "C-001",
        "a.b_c",
    ]


@given(first=st.text(), second=st.text())
def test_different_pos_have_different_names(first: str, second: str) -> None:
    assert (name_of("{po}.csv", first) == name_of("{po}.csv", second)) == (first == second)


_ODD = st.text(st.sampled_from("ab-_. 0123456789abcdef/é")).map(lambda text: text[:60])


@given(first=_ODD)
def test_no_po_can_take_the_name_that_another_was_given(first: str) -> None:
    taken = safe_part(first)
    assert taken == first or safe_part(taken) != taken


@given(po=st.text(), template=st.sampled_from(["{po}", "{po}.csv", "PO-{po}.xlsx", "{vendor}.{po}.csv"]))
def test_every_name_stays_in_its_folder_on_every_system(po: str, template: str) -> None:
    name = name_of(template, po)
    assert PurePosixPath("out", name).parent == PurePosixPath("out")
    assert PureWindowsPath("out", name).parent == PureWindowsPath("out")
    assert name[0] not in ".-" and name[-1] not in ". "
    assert name.isascii() and name.isprintable()
    assert len(with_mark(name, "_rev999_resend99").encode()) <= MAX_NAME_BYTES


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("PO_{number}.csv", r"\{number\} is no placeholder of a file name; there are \{vendor\}"),
        ("PO_{sequence:x}.csv", "write the number of digits"),
        ("PO_{po!r}.csv", "is no placeholder"),
        ("PO_{po.__class__}.csv", "is no placeholder"),
        ("PO_{vendor:>9}.csv", "takes no format"),
        ("a/b{sequence}.csv", "which file names cannot hold"),
        ("{now:%H:%M}{sequence}.csv", "which file names cannot hold"),
        ("-{sequence}.csv", "begins or ends"),
        ("CON.{sequence}", "reserved by Windows"),
        ("PO_{sequence", "is no name template"),
        ("x" * 101 + "{sequence}", "longer than 100 bytes"),
    ],
)
def test_a_template_that_gives_no_usable_name_is_refused_with_a_sentence(template: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        name_of(template)


@pytest.mark.parametrize(
    ("name", "marked"),
    [("PO_7.csv", "PO_7_rev2.csv"), ("PO.7.xlsx", "PO.7_rev2.xlsx"), ("orders", "orders_rev2")],
)
def test_a_mark_stands_before_the_ending(name: str, marked: str) -> None:
    assert with_mark(name, "_rev2") == marked
