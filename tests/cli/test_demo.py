"""The demo shows the whole dealing of a vendor, says nothing that did not happen, and leaves nothing but its folder."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from filebridge.cli import demo_scene
from filebridge.cli.app import run as filebridge_here
from filebridge.cli.demo_telling import WIDTH

COMMAND = [sys.executable, "-m", "filebridge", "demo"]


SAID = (
    r"RetailOps has the stock of 14 products, and knows that 5 orders were taken\.",
    r"It has 5 orders as accepted, each with the date that Acme gave\.",
    r"acme/shipped-am.csv \(\w+\): accepted with rejects: 1 delivered, 2 rejected, 1 held",
    r"PO D2700002 waits for its other rows: 4 units of 1E5 to come\.",
    r"1 order is complete; of the other two RetailOps was told nothing\.",
    r"D2700003 is complete: all 2 rows of the reject file are delivered\.",
    r"D2700002 came in two files\. RetailOps got 1 call with both parcels, and completed it once\.",
    r"The row of shipped-am.csv that waited has its end too; its receipt now says: 2 delivered, 2 rejected\.",
    r"acme/shipped-late.csv \(\w+\): pending: 1 uncertain",
    r"RetailOps has D2700005 as complete; FileBridge cannot know\.",
    r"RetailOps got 1 call to complete D2700005, and completed it once\.",
    r"\$ filebridge release \w+ inventory.csv \(\w+\) is let go\.",
    r"8 files came in with 42 rows; their receipts tell the end of 42 rows\.",
)


@dataclass(frozen=True)
class Shown:
    """What a demo printed, and the folder that it left."""

    out: str
    left: Path


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    here, temporary = tmp_path_factory.mktemp("here"), tmp_path_factory.mktemp("temporary")
    # What this machine trades with must not be touched: neither its address nor its key counts in the demo.
    real = {"FILEBRIDGE_RETAILOPS__BASE_URL": "http://127.0.0.1:9", "RETAILOPS_API_KEY": "real-key"}
    ended = subprocess.run(
        COMMAND, env=_environment(temporary) | real, cwd=here, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout + ended.stderr
    assert not os.listdir(here)
    (left,) = temporary.glob("*")
    return Shown(ended.stdout, left)


def _environment(temporary: Path) -> dict[str, str]:
    return os.environ | {"TMPDIR": str(temporary), "PYTHONPATH": str(Path(__file__).parents[2])}


def test_it_says_what_happened_in_numbers(shown: Shown) -> None:
    said = " ".join(shown.out.split())
    assert [pattern for pattern in SAID if not re.search(pattern, said)] == []


def test_it_fits_a_terminal_and_its_commands_can_be_pasted(shown: Shown) -> None:
    left, lines = shown.left, shown.out.splitlines()
    assert len(lines) <= 152
    assert max(len(line) for line in lines if str(left) not in line) <= WIDTH
    # A command stands on one line, however long.
    assert sum(re.match(rf"  (\S*/)?filebridge -C {left} ", line) is not None for line in lines) == 3


def test_the_folder_that_it_leaves_can_be_looked_at(shown: Shown, filebridge: Any) -> None:
    left = shown.left
    replies = left / "outbox/acme/replies"
    assert {"shipped-am.csv.rejects.xlsx", "price inventory.csv.waiting.txt"} <= set(os.listdir(replies))
    assert "STATUS.txt" in os.listdir(left / "outbox/acme")
    assert len(list((left / "archive").rglob("*.receipt.json"))) == 8
    assert filebridge("-C", str(left), "status").code == 0
    (shown_id,) = re.findall(r"filebridge -C \S+ show (\w+)", shown.out)
    receipt = filebridge("-C", str(left), "show", shown_id, "--json").json["receipt"]
    assert (
        receipt["outcomes"] == json.loads((replies / "shipped-am.csv.receipt.json").read_bytes())["outcomes"]
    )


@pytest.mark.slow
def test_as_json_it_has_the_passes_and_the_calls(filebridge: Any, tmp_path: Path) -> None:
    ended = filebridge("demo", "--json", folder=tmp_path, TMPDIR=str(tmp_path))
    assert (ended.code, ended.err) == (0, "")
    assert set(ended.json) == {"workspace", "passes", "calls"}
    assert [done["exit_code"] for done in ended.json["passes"]] == [1, 0, 1, 0, 0, 3, 0, 1, 0]
    completed = [call for call in ended.json["calls"] if call["action"] == "Vendor.PO.Complete"]
    assert sorted(json.loads(call["body"])["po"] for call in completed) == [
        f"D270000{n}" for n in range(1, 6)
    ]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"kind": "error", "action": "mark_accepted", "text": "closed", "times": 0}, "ends with 0. It found"),
        (
            {"kind": "edit_po", "po": "D2700005", "set": {"status": "canceled"}, "action": "complete"},
            "D2700005",
        ),
    ],
)
def test_what_did_not_happen_is_not_said(
    fault: dict[str, Any], said: str, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    sandbox = demo_scene.make_sandbox()
    sandbox.faults.add(fault)
    monkeypatch.setattr(demo_scene, "make_sandbox", lambda: sandbox)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert filebridge_here(["demo"]) == 1
    printed = capsys.readouterr()
    assert "The demo did not go as it should." in printed.err
    assert said in printed.err
    assert "Where to look" not in printed.out


def test_interrupted_it_says_where_it_stopped(tmp_path: Path) -> None:
    with subprocess.Popen(
        COMMAND,
        env=_environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("2. "):
                process.send_signal(signal.SIGTERM)
                break
        out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM, out + err
    assert f"what was done so far is in {tmp_path}" in err
