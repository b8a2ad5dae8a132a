"""Drives the installed command line with one vendor pack against a sandbox process, and compares what came of it.

How `expect.json` is read is written in vendors/README.md. A comparison that fails raises `PackBroken` with what
was expected and what was found.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

VENDORS = Path(__file__).parent / "vendors"
KEY = "pack-key-not-secret"
ACTIONS = {
    "product.externalsku.update": "update",
    "vendor.po.marksubmitted": "mark_submitted",
    "vendor.po.markaccepted": "mark_accepted",
    "vendor.po.updateestshipdate": "update_est_ship_date",
    "vendor.po.complete": "complete",
}


class PackBroken(AssertionError):
    """Something came of the pack that is not what must come of it."""


@contextmanager
def sandbox(seed: Path | None, folder: Path) -> Iterator[str]:
    """A sandbox process that holds the pack's POs; gives its address."""
    port_file = folder / "port"
    command = [
        sys.executable,
        "-m",
        "filebridge.sandbox",
        "--key",
        KEY,
        "--port-file",
        str(port_file),
        "--quiet",
    ]
    process = subprocess.Popen(
        [*command, *(["--seed", str(seed)] if seed else [])], stdout=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 10
        while not (port_file.exists() and port_file.read_text().strip()):
            if time.monotonic() > deadline or process.poll() is not None:
                raise PackBroken("the sandbox did not start")
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port_file.read_text().strip()}"
    finally:
        process.terminate()
        process.wait()


def calls_since(url: str, seq: int) -> list[dict[str, Any]]:
    """The calls that the sandbox recorded after number `seq`."""
    with urllib.request.urlopen(f"{url}/_sandbox/calls?since={seq}") as answer:
        found = json.load(answer)
    return found["calls"] if isinstance(found, dict) else found


class Workspace:
    """A workspace of the pack's own, driven through the command line alone."""

    def __init__(self, pack: Path, folder: Path, url: str) -> None:
        self.pack, self.folder, self.vendor = pack, folder / "workspace", pack.name
        shutil.copytree(pack / "mappings", self.folder / "mappings" / self.vendor)
        (self.folder / "filebridge.yaml").write_text(
            f"retailops:\n  base_url: {url}\nintake:\n  settle: 0.1s\n"
        )
        self.inbox = self.folder / "inbox" / self.vendor
        self.outbox = self.folder / "outbox" / self.vendor
        self.inbox.mkdir(parents=True)

    def drop(self, name: str) -> None:
        target = self.inbox / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.pack / "files" / name, target)

    def filebridge(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        command = [sys.executable, "-m", "filebridge", "-C", str(self.folder), *arguments]
        environment = dict(os.environ, RETAILOPS_API_KEY=KEY)
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode not in codes:
            said = (done.stdout + done.stderr).strip()
            raise PackBroken(f"filebridge {' '.join(arguments)} ended with {done.returncode}: {said[-500:]}")
        return done.stdout

    def receipt(self, name: str) -> dict[str, Any]:
        path = self.outbox / "replies" / f"{name}.receipt.json"
        if not path.exists():
            raise PackBroken(f"there is no receipt for {name}")
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def preview(self, name: str) -> dict[str, Any]:
        """What `preview --json` foresees of a dropped file before it is taken."""
        found: dict[str, Any] = json.loads(
            self.filebridge("preview", str(self.inbox / name), "--json", codes=(0, 1))
        )
        return found

    def rows(self, file_id: str) -> dict[str, dict[str, Any]]:
        """What `rows ID --json` says of each row: its outcome and all of its codes."""
        found: dict[str, dict[str, Any]] = {}
        for row in json.loads(self.filebridge("rows", file_id, "--json"))["rows"]:
            entry = found.setdefault(str(row["row"]), {"outcome": row["outcome"], "codes": set()})
            if row.get("code"):
                entry["codes"].add(row["code"])
        return found


def drive(pack: Path) -> None:
    """Drop the pack's files, run, and compare. Raises PackBroken."""
    expect = json.loads((pack / "expect.json").read_text(encoding="utf-8"))
    seed = pack / "state.json"
    with tempfile.TemporaryDirectory(prefix="filebridge-pack-") as temporary:
        folder = Path(temporary)
        with sandbox(seed if seed.exists() else None, folder) as url:
            workspace = Workspace(pack, folder, url)
            seen = 0
            runs = expect.get("runs") or [sorted(expect["files"])]
            for number, names in enumerate(runs):
                for name in names:
                    workspace.drop(name)
                foreseen = workspace.preview(names[0]) if len(names) == 1 else None
                workspace.filebridge("run", codes=(0, 1))
                recorded = calls_since(url, seen)
                seen = max([seen, *(call["seq"] for call in recorded)])
                wanted = [call for name in names for call in expect["files"][name].get("calls", [])]
                if number == 0:
                    wanted += expect.get("calls", [])
                compare_calls(wanted, recorded)
                for name in names:
                    compare_file(workspace, name, expect["files"][name])
                if foreseen:
                    compare_preview(workspace, names[0], foreseen, recorded)
            again(workspace, runs, url, seen)
            for name, wanted_file in expect["files"].items():
                if "later" in wanted_file:
                    same(
                        f"later outcomes of {name}", wanted_file["later"], workspace.receipt(name)["outcomes"]
                    )
            for pattern, wanted_text in expect.get("orders", {}).items():
                compare_orders(workspace, pattern, wanted_text)


def same(what: str, wanted: Any, found: Any) -> None:
    """Compare, with `{"any_of": [...]}` wherever several answers will do."""
    if not fits(wanted, found):
        raise PackBroken(
            f"{what}\n  expected {json.dumps(wanted, default=str)}\n  found    {json.dumps(found, default=str)}"
        )


def fits(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, dict) and set(wanted) == {"any_of"}:
        return any(fits(choice, found) for choice in wanted["any_of"])
    if isinstance(wanted, dict) and isinstance(found, dict):
        return wanted.keys() == found.keys() and all(fits(wanted[key], found[key]) for key in wanted)
    if isinstance(wanted, list) and isinstance(found, list):
        return len(wanted) == len(found) and all(map(fits, wanted, found))
    return bool(wanted == found)


def compare_file(workspace: Workspace, name: str, wanted: dict[str, Any]) -> None:
    receipt = workspace.receipt(name)
    same(f"status of {name}", wanted["status"], receipt["status"])
    same(f"outcomes of {name}", wanted["outcomes"], receipt["outcomes"])
    if sum(receipt["outcomes"].values()) != receipt["file"]["rows"]:
        raise PackBroken(f"the outcomes of {name} do not add up to its rows: {receipt['outcomes']}")
    for code in wanted.get("codes", []):
        found = {note["code"] for note in receipt["notes"]}
        if code not in found:
            raise PackBroken(f"{name} lacks the code {code}; it has {sorted(found)}")
    rows = workspace.rows(receipt["file"]["id"])
    ended = {row: entry["outcome"] for row, entry in rows.items() if entry["outcome"] != "delivered"}
    same(f"rows of {name}", {row: entry["outcome"] for row, entry in wanted["rows"].items()}, ended)
    for row, entry in wanted["rows"].items():
        if not set(entry.get("codes", [])) <= rows[row]["codes"]:
            raise PackBroken(
                f"row {row} of {name} has the codes {sorted(rows[row]['codes'])}, not {entry['codes']}"
            )


def compare_preview(
    workspace: Workspace, name: str, foreseen: dict[str, Any], recorded: list[dict[str, Any]]
) -> None:
    """Preview and run agree on every row that needed no look-up; without any, on the calls too."""
    rows = workspace.rows(workspace.receipt(name)["file"]["id"])
    looked_up = False
    for row in foreseen["rows"]:
        looked_up |= row["code"] == "not_fetched"
        if row["outcome"] != "pending":
            found = rows[str(row["row"])]
            same(f"row {row['row']} of {name}, as previewed", row["outcome"], found["outcome"])
            if row["code"] not in {None, *found["codes"]}:
                raise PackBroken(f"row {row['row']} of {name} was previewed as {row['code']}")
    if not looked_up:
        compare_calls(foreseen["plan"], recorded)


def again(workspace: Workspace, runs: list[list[str]], url: str, seen: int) -> None:
    """Dropped a second time, a file about POs sends nothing: what was done is not done twice."""
    documents = {workspace.receipt(name)["document"] for names in runs for name in names}
    if "inventory" in documents or len(runs) > 1:
        return
    for name in runs[0]:
        workspace.drop(name)
    workspace.filebridge("run", codes=(0, 1))
    compare_calls([], calls_since(url, seen))


def compare_calls(wanted: list[dict[str, Any]], recorded: list[dict[str, Any]]) -> None:
    """The records of all calls, by action, however they were cut and ordered."""
    found = []
    for call in recorded:
        action = ACTIONS.get(str(call["action"]).lower())
        if action:
            found.append({"action": action, "body": json.loads(call["body"], parse_float=Decimal)})
    same("calls", in_order(wanted), in_order(found))


def in_order(calls: list[dict[str, Any]]) -> list[Any]:
    records = [
        [call["action"], normal(record)]
        for call in calls
        for record in (call["body"]["records"] if "records" in call["body"] else [call["body"]])
    ]
    return sorted(records, key=json.dumps)


def normal(value: Any) -> Any:
    """Numbers and numbers as text alike; identifiers are text on both sides already."""
    if isinstance(value, dict):
        return {key: normal(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return [normal(item) for item in value]
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        number = Decimal(str(value))
        return f"{number.normalize():f}"
    return value


def compare_orders(workspace: Workspace, pattern: str, wanted: Any) -> None:
    orders = workspace.outbox / "orders"
    paths = (
        sorted(path for path in orders.iterdir() if fnmatch(path.name, pattern)) if orders.exists() else []
    )
    several = isinstance(wanted, list) and all(item is None or isinstance(item, str) for item in wanted)
    wanted_files = wanted if several else [wanted]
    if len(paths) != len(wanted_files):
        raise PackBroken(
            f"{len(paths)} files fit {pattern}, not {len(wanted_files)}: {[path.name for path in paths]}"
        )
    for path, content in zip(paths, wanted_files, strict=True):
        if content is not None:
            same(f"content of {path.name}", content, content_of(path, workspace))


def content_of(path: Path, workspace: Workspace) -> Any:
    """A PO file's exact text, or the rows of text cells of a workbook."""
    if path.suffix == ".xlsx":
        from openpyxl import load_workbook

        book = load_workbook(path)
        rows = [list(row) for row in book.active.iter_rows()]
        for cell in (cell for row in rows for cell in row):
            if cell.value is not None and cell.data_type != "s":
                raise PackBroken(f"{path.name}: {cell.coordinate} is no text cell")
        return [["" if cell.value is None else cell.value for cell in row] for row in rows]
    layout = (workspace.pack / "mappings" / "purchase-orders.yaml").read_text()
    encoding = "cp1252" if "encoding: cp1252" in layout else "utf-8"
    return path.read_bytes().decode(encoding)
