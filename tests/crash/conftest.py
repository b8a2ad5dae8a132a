"""Commands in forks of a warm process that die when they are told to, and all that is left in the end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from filebridge.ledger import files, orders, rows
from filebridge.ledger.connect import read_ledger
from filebridge.sandbox import Sandbox, State

KILLED = -9
PACK = {
    "inventory.yaml": """\
document: inventory
match: ["inventory*.csv"]
fields: {vpc: SKU, quantity: Qty}
covers: everything
""",
    "purchase-orders.yaml": """\
document: purchase-orders
write: {done_file: true}
columns: {PO: po, Item: vpc, Qty: quantity}
""",
}
STOCK = "SKU,Qty\n" + "".join(f"V-{row:04},{row % 90}\n" for row in range(1100)) + "V-BAD,many\nV-NEG,-3\n"
POS = [
    {
        "po": f"D10{number}",
        "vendor_id": 27,
        "status": "ready",
        "date_submit": "2026-01-20T17:00:00Z",
        "items": [
            {"po_item_id": number * 10 + item, "vpc": f"00{item}", "quantity": item} for item in (1, 2)
        ],
    }
    for number in range(1, 4)
]


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, or minus the signal; and the steps that it reached."""

    code: int
    steps: list[str]


class Warm:
    """The warm process (see warm.py). One command at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("warm.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            text=True,
        )

    def start(self, *arguments: str, kill_at: int | None = None, kill_step: str | None = None) -> int:
        """Begin a command; its process id."""
        request = {"arguments": arguments, "kill_at": kill_at, "kill_step": kill_step}
        assert self._process.stdin
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(self._answer()["pid"])

    def end(self) -> Ended:
        """Wait for its end."""
        return Ended(**self._answer())

    def run(self, *arguments: str, **kill: Any) -> Ended:
        self.start(*arguments, **kill)
        return self.end()

    def close(self) -> None:
        self._process.communicate(timeout=10)

    def _answer(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())


@dataclass
class Scene:
    """A workspace with a file in its inbox, or POs at RetailOps, and whoever takes files from the outbox."""

    warm: Warm
    root: Path
    sandbox: Sandbox
    way: str
    taken: dict[str, bytes] = field(default_factory=dict)

    def run(self, *arguments: str, **kill: Any) -> Ended:
        return self.warm.run("-C", str(self.root), "run", "--only", self.way, *arguments, **kill)

    def start(self) -> int:
        return self.warm.start("-C", str(self.root), "run", "--only", self.way)

    def restart(self) -> Ended:
        """Run again, undisturbed, and settle what is uncertain: one run must be enough."""
        ended = self.run("--settle")
        assert ended.code in (0, 1), ended
        return ended

    def drop(self, name: str, text: str) -> None:
        (self.root / "inbox/acme" / name).write_text(text)

    def take(self) -> None:
        """The vendor's system takes what lies in the outbox for it."""
        for path in sorted((self.root / "outbox/acme/orders").glob("*")):
            assert path.name not in self.taken, f"{path.name} appeared twice"
            self.taken[path.name] = path.read_bytes()
            path.unlink()

    def left(self) -> dict[str, Any]:
        """All that must be the same, however often the way there was cut: of RetailOps, folders and ledger."""
        box = _tree(self.root / "outbox")
        box |= {f"acme/orders/{name}": content for name, content in self.taken.items()}
        return {
            "stock": self.sandbox.state.quantities("27"),
            "pos": {po: one["status"] for po, one in self.sandbox.state.pos.items()},
            "inbox": _tree(self.root / "inbox"),
            "outbox": box,
            "archive": _tree(self.root / "archive"),
            "work": _tree(self.root / ".filebridge/work") | _tree(self.root / ".filebridge/spool"),
            "ledger": _ledger(self.root),
        }

    def marks(self) -> list[str]:
        """The POs that were marked submitted, as often as they were."""
        return sorted(
            effect.key for effect in self.sandbox.state.effects if effect.action == "Vendor.PO.MarkSubmitted"
        )

    def published_at(self) -> float:
        """When the PO file was put into the outbox: renaming changes its status time."""
        [path] = (self.root / "outbox/acme/orders").glob("*.csv")
        return path.stat().st_ctime

    def first_mark_at(self) -> float:
        """When RetailOps was first told that POs are submitted."""
        calls = [call for call in self.sandbox.calls if call.action == "Vendor.PO.MarkSubmitted"]
        return calls[0].received_at.timestamp()


def _tree(folder: Path) -> dict[str, bytes]:
    """What lies below a folder, names and contents, without ids and times, nor traces that are swept later."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "STATUS.txt" and path.suffix != ".staged":
            found[_plain(str(path.relative_to(folder)).encode()).decode()] = _content(path)
    return found


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(BytesIO(content)) as book:
            content = b"".join(book.read(name) for name in sorted(book.namelist()) if "docProps" not in name)
    return _plain(content)


def _plain(content: bytes) -> bytes:
    """Without what differs from run to run: file ids, hashes of what holds one, dates and times."""
    content = re.sub(rb"\bf[a-z0-9]{9}\b", b"<id>", content)
    content = re.sub(rb"\b[0-9a-f]{64}\b", b"<hash>", content)
    return re.sub(rb"20\d\d-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?)?|\d\d:\d\d", b"<time>", content)


def _ledger(root: Path) -> dict[str, Any]:
    """What the ledger says of files, rows, POs and PO files in the end."""
    ledger = read_ledger(f"sqlite:///{root / '.filebridge/ledger.db'}")
    try:
        with ledger.read() as connection:
            return {
                "files": [
                    (row.name, row.state, row.status, rows.outcomes_of(connection, row.id))
                    for row in files.files(connection)
                ],
                "pos": [
                    (row.po, row.state, row.number, row.revision, row.exported_revision)
                    for row in orders.orders_of(connection, "acme")
                ],
                "po_files": [
                    (row.name, row.kind, row.state, row.sha256, row.pos)
                    for row in orders.files_of(connection, "acme")
                ],
            }
    finally:
        ledger.close()


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    process = Warm()
    yield process
    process.close()


@pytest.fixture
def scene(warm: Warm, tmp_path: Path, make_house: Callable[..., Any]) -> Iterator[Callable[[str], Scene]]:
    """Make a scene of one way, `in` or `out`; each has a workspace and a sandbox of its own."""
    made: list[Scene] = []

    def make(way: str) -> Scene:
        sandbox = Sandbox(State(POS if way == "out" else [])).start()
        house = make_house(tmp_path / f"{way}-{len(made)}", sandbox, quarantine="0s")
        house.pack(PACK)
        if way == "in":
            house.drop("inventory.csv", STOCK)
        made.append(Scene(warm, house.root, sandbox, way))
        return made[-1]

    yield make
    for one in made:
        one.sandbox.stop()
