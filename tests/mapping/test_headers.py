"""Which column of a file is which field."""

from __future__ import annotations

from typing import Any

import pytest

from filebridge.mapping.headers import ResolvedColumns, Unresolved, resolve_columns
from filebridge.mapping.model import FieldSteps


def resolve(headers: list[str], has_header: bool = True, **fields: Any) -> ResolvedColumns | Unresolved:
    steps = {name: FieldSteps.model_validate(value) for name, value in fields.items()}
    return resolve_columns(headers, steps, has_header=has_header)


def places(headers: list[str], **fields: Any) -> dict[str, tuple[int, ...]]:
    found = resolve(headers, **fields)
    assert isinstance(found, ResolvedColumns), found
    return dict(found.places)


@pytest.mark.parametrize("header", ["Qty Avail", "qty_avail", "QTY-AVAIL", " Qty.Avail: ", "qtyavail"])
def test_headers_are_compared_without_case_spaces_and_punctuation(header: str) -> None:
    assert places(["SKU", header], quantity="Qty Avail") == {"quantity": (1,)}


def test_the_first_alias_that_exists_is_read() -> None:
    aliases = {"column": ["Qty Avail", "On Hand"]}
    assert places(["SKU", "ON-HAND"], quantity=aliases) == {"quantity": (1,)}
    assert places(["On Hand", "Qty Avail"], quantity=aliases) == {"quantity": (1,)}


def test_a_header_written_exactly_so_is_taken_before_one_that_is_only_like_it() -> None:
    assert places(["Item #", "Item"], vpc="Item") == {"vpc": (1,)}
    assert places(["%", "#"], vpc="#") == {"vpc": (1,)}


def test_composed_and_decomposed_letters_are_the_same_header() -> None:
    assert places(["Gro\u0308ße"], vpc="Größe") == {"vpc": (0,)}


def test_without_a_header_the_columns_are_letters() -> None:
    assert places(["A", "B", "C"], vpc="A", quantity="c") == {"vpc": (0,), "quantity": (2,)}
    found = resolve(["A", "B"], has_header=False, vpc="SKU")
    assert isinstance(found, Unresolved)
    assert "read without a header; its columns are: A, B" in found.message


def test_joined_columns_are_all_needed() -> None:
    join = {"join": ["Style", "Size"], "with": "-"}
    assert places(["Size", "Style"], vpc=join) == {"vpc": (1, 0)}
    found = resolve(["Style"], vpc=join)
    assert isinstance(found, Unresolved)
    assert "'Size'" in found.message


def test_constants_need_no_column() -> None:
    assert places(["SKU"], vpc="SKU", active={"value": "1"}) == {"vpc": (0,)}


def test_a_header_that_is_a_part_of_the_wanted_one_is_the_closest() -> None:
    found = resolve(["Item", "Qty"], quantity=["Qty Available", "On Hand"])
    assert isinstance(found, Unresolved)
    assert "the closest is 'Qty'" in found.message


def test_all_missing_columns_are_said_at_once_with_the_closest_and_all_headers() -> None:
    found = resolve(
        ["Part No", "Description", "Avail. Quantty"], vpc="Part", quantity="Available Quantity", active="On"
    )
    assert isinstance(found, Unresolved)
    assert found.code == "missing_column"
    assert found.message == (
        "The file has no column 'Part' for vpc; the closest is 'Part No'; no column 'Available Quantity' for "
        "quantity; the closest is 'Avail. Quantty'; no column 'On' for active. The headers found are: Part No, "
        "Description, Avail. Quantty."
    )


def test_a_mapped_header_that_is_there_twice_is_refused() -> None:
    found = resolve(["SKU", "Qty", "Qty"], vpc="SKU", quantity="Qty")
    assert found == Unresolved(
        "duplicate_column",
        "'Qty' (quantity) is the header of columns 2 and 3. Give each column its own header.",
    )


def test_an_unmapped_header_may_be_there_twice() -> None:
    assert places(["SKU", "Note", "Note", "", ""], vpc="SKU") == {"vpc": (0,)}
