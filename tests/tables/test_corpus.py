"""The corpus of odd files, where it lies: none is read wrong in silence, and none takes long."""

from __future__ import annotations

import csv
import json
import os
import time
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
CORPUS = Path(os.environ.get("FILEBRIDGE_CORPUS") or CHECKOUT.parent / "shared" / "corpus")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("folder", ["text", "workbooks"])
def test_every_file_of_the_corpus_is_read_right_or_refused(folder, judge, capsys):
    manifest = CORPUS / folder / "manifest.csv"
    if not manifest.exists():
        with capsys.disabled():
            print(f"\n*** THE CORPUS WAS NOT FOUND at {CORPUS}: set FILEBRIDGE_CORPUS to its folder ***")
        pytest.skip(f"no corpus at {CORPUS}")
    wrong = []
    with manifest.open(newline="", encoding="utf-8") as stream:
        cases = list(csv.DictReader(stream))
    for case in cases:
        expect = case["expect"] and json.loads((manifest.parent / case["expect"]).read_text("utf-8"))
        began = time.monotonic()
        said = judge(manifest.parent / case["path"], case["verdict"], case["settings"], expect or None)
        if said or time.monotonic() - began > 10:
            wrong.append(f"{case['path']} ({case['verdict']}): {said or 'took more than 10 s'}")
    with capsys.disabled():
        print(f"\n{folder}: {len(cases) - len(wrong)} of {len(cases)} right")
    assert wrong == []
