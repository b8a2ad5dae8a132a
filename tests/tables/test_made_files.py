"""Odd files that were made for this: each is read as a careful reader reads it, or refused with its code."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

FILES = Path(__file__).parent / "files"


def manifest() -> list[dict[str, str]]:
    with (FILES / "manifest.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("case", manifest(), ids=lambda case: f"{case['path']}-{case['verdict']}")
def test_an_odd_file_is_read_right_or_refused(case, judge):
    expect = json.loads(case["expect"]) if case["expect"] else None
    assert judge(FILES / case["path"], case["verdict"], case["settings"], expect) == "", case["note"]
