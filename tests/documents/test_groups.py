"""Records that share a key."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebridge.columns import hash_text, int_array, text_column
from filebridge.documents import groups
from filebridge.documents.groups import group_records, in_parts, standing_twice


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 9), max_size=60), st.booleans())
def test_hashes_that_stand_twice_are_found(numbers: list[int], sieved: bool) -> None:
    counts = Counter(numbers)
    expected = [counts[number] > 1 for number in numbers]
    hashes = np.array(numbers, dtype=np.uint64)
    if sieved:
        # The sieve is for long files; here it is let loose on short ones.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(groups, "_WORTH_SIEVING", 1)
            assert standing_twice(hashes).tolist() == expected
    assert standing_twice(hashes).tolist() == expected


def test_a_long_column_of_hashes_is_sieved() -> None:
    hashes = hash_text(text_column([str(number % 99_999) for number in range(200_000)]))
    assert int(standing_twice(hashes).sum()) == 200_000
    hashes = hash_text(text_column([str(number) for number in range(200_000)]))
    assert not standing_twice(hashes).any()


def test_parts_hold_each_nominated_record_once_and_keys_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "_RECORDS_OF_A_PART", 10)
    hashes = hash_text(text_column([str(number % 40) for number in range(80)]))
    nominated = np.ones(80, dtype=np.bool_)
    nominated[7] = False
    parts = list(in_parts(nominated, hashes))
    assert len(parts) > 3
    assert np.sum(parts, axis=0).tolist() == nominated.astype(int).tolist()
    for part in parts:
        outside = np.flatnonzero(nominated & ~part)
        assert not set(hashes[part].tolist()) & set(hashes[outside].tolist())


def test_hashes_nominate_and_text_decides() -> None:
    batch = pa.RecordBatch.from_arrays(
        [text_column(["A", "B", "A", "C"]), int_array(np.array([1, 1, 2, 1], dtype=np.int32))],
        names=["vpc", "quantity"],
    )
    # As if all four had one hash.
    found = group_records(np.ones(4, dtype=np.bool_), lambda: iter([batch]), by="vpc")
    assert found.records.tolist() == [0, 2, 1, 3]
    assert found.differ().tolist() == [True, False, False]
    members = {
        said["vpc"][0]: records.tolist() for records, said in found.members(np.ones(3, dtype=np.bool_))
    }
    assert members == {"A": [0, 2], "B": [1], "C": [3]}
