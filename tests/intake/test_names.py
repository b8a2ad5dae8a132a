"""Names that others gave."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebridge.intake.names import is_ignored, natural_key, printable, safe_name, safe_path

component = st.binary(min_size=1, max_size=255).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b"..")
)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"inventory.csv", "inventory.csv"),
        ("Bestände/März 2026.csv".encode(), "Bestände/März 2026.csv"),
        (b"caf\xe9.csv", r"caf\xe9.csv"),
        (b"a\nb.csv", r"a\u000ab.csv"),
        ("rtl\u202egpj.csv".encode(), r"rtl\u202egpj.csv"),
        (b"C:\\stock.csv", r"C:\\stock.csv"),
    ],
)
def test_a_name_is_shown_as_it_is_and_what_cannot_be_shown_is_escaped(name: bytes, shown: str) -> None:
    assert printable(name) == shown


@given(st.lists(component, unique=True, max_size=6))
def test_no_two_names_are_shown_alike_and_none_breaks_a_line(names: list[bytes]) -> None:
    shown = [printable(name) for name in names]
    assert len(set(shown)) == len(names)
    assert all(text.isprintable() and text.encode() for text in shown)


@given(component)
def test_a_safe_name_fits_every_file_system_and_stays_in_its_folder(name: bytes) -> None:
    safe = safe_name(name)
    assert safe == os.path.basename(safe) != ""
    assert not safe.startswith((".", "-", "~", " ")) and not safe.endswith((".", " "))
    assert not set(safe) & set('<>:"/\\|?*\0\n')
    assert len(f"{safe}.fbcdfghjkm.rejects.xlsx".encode()) <= 255
    assert safe_name(safe.encode()) == safe


@given(st.lists(component, unique=True, max_size=6))
def test_two_names_never_share_a_safe_name(names: list[bytes]) -> None:
    assert len({safe_name(name) for name in names}) == len(names)


@pytest.mark.parametrize("name", ["inventory.csv", "Bestände März (2).xlsx", "a_b-c.d.txt", "2026-11-24.csv"])
def test_a_harmless_name_stays_as_it_is(name: str) -> None:
    assert safe_name(name.encode()) == name


@pytest.mark.parametrize("name", [b"-rf", b"CON.csv", b"nul", b"a:b.csv", b"caf\xe9.csv", b"x" * 255])
def test_a_name_that_could_do_harm_gets_a_hash(name: bytes, tmp_path: Path) -> None:
    safe = safe_name(name)
    assert safe.encode() != name
    (tmp_path / safe).write_text("")


def test_replies_of_a_file_in_a_folder_lie_in_the_same_folder() -> None:
    assert safe_path(b"stock/north/a.csv") == "stock/north/a.csv"
    assert ".." not in safe_path(b"../a.csv").split("/")


@pytest.mark.parametrize(
    "name",
    [
        "a.csv.part",
        "a.FilePart",
        "x.tmp",
        "x.crdownload",
        ".hidden",
        "~$Stock.xlsx",
        ".~lock.Stock.ods#",
        "README.md",
    ],
)
def test_temporary_and_hidden_names_are_no_arrivals(name: str) -> None:
    assert is_ignored(name.encode())
    assert not is_ignored(b"stock.csv")


def test_names_sort_as_a_person_sorts_them() -> None:
    names = ["stock10.csv", "Stock2.csv", "stock1.csv"]
    assert sorted(names, key=natural_key) == ["stock1.csv", "Stock2.csv", "stock10.csv"]
