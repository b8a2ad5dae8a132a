"""Commands in forks of a warm process that die when they are told to, and all that is left in the end."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from filebridge.ledger import calls, files, orders, po_calls, requests, rows
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
PO_PACK = {path.name: path.read_text() for path in Path(__file__).with_name("pack").glob("*.yaml")}
PO_LAYOUT = "document: purchase-orders\nsubmit: HOW\ncolumns: {PO: po, Item: vpc, Qty: quantity}\n"
WRITES = {
    "Vendor.PO.MarkSubmitted",
    "Vendor.PO.MarkAccepted",
    "Vendor.PO.UpdateEstShipDate",
    "Vendor.PO.Complete",
}
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

    def start(
        self,
        *arguments: str,
        kill_at: int | None = None,
        kill_step: str | None = None,
        commits: bool = False,
    ) -> int:
        """Begin a command; its process id. With `commits` each commit of the ledger is a step too."""
        request = {"arguments": arguments, "kill_at": kill_at, "kill_step": kill_step, "commits": commits}
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
        return self.warm.run(*self._command(), *arguments, **kill)

    def start(self) -> int:
        return self.warm.start(*self._command())

    def _command(self) -> list[str]:
        return ["-C", str(self.root), "run", *(["--only", self.way] if self.way else [])]

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

    def differences(self, wanted: dict[str, Any]) -> list[str]:
        """Where what is left differs from what was wanted, in words short enough to be read."""
        said, left = [], self.left()
        for part, one in wanted.items():
            if one != left[part]:
                other = left[part]
                keys = [key for key in {**one, **other} if one.get(key) != other.get(key)][:3]
                said += [f"{part}: {key}: {_parted(str(one.get(key)), str(other.get(key)))}" for key in keys]
        return said

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


def _parted(wanted: str, found: str) -> str:
    """Two texts from where they part."""
    pairs = enumerate(zip(wanted, found, strict=False))
    start = max(0, next((place for place, (one, other) in pairs if one != other), 0) - 40)
    return f"…{wanted[start : start + 250]} != …{found[start : start + 250]}"


class PoScene(Scene):
    """A workspace whose vendor answers POs, and POs at RetailOps with two items each: V-1 once, V-2 twice."""

    def close(self, po: str, **kill: Any) -> Ended:
        """A person closes a PO short."""
        return self.warm.run("-C", str(self.root), "orders", "close", po, "--short", **kill)

    def left(self) -> dict[str, Any]:
        state = self.sandbox.state
        return {
            **super().left(),
            "pos": copy.deepcopy(state.pos),
            "effects": Counter(
                json.dumps([effect.action, effect.key, effect.value], sort_keys=True)
                for effect in state.effects
                if effect.action != "Vendor.PO.UpdateEstShipDate"  # states absolute values: twice is as good
            ),
        }

    def broken(self) -> list[str]:
        """What must hold in the end, whatever the story was."""
        said = [f"ledger: {one}" for one in _unfinished(self.root)]
        originals = [path.name for path in self.originals()]
        said += [f"{name} is {originals.count(name)} times in the archive" for name in set(originals)]
        replies = self.root / "outbox/acme/replies"
        for path in self.originals():
            for reply in sorted(replies.glob(f"{path.name}.*")):
                kept = path.with_name(reply.name)
                if not kept.exists() or kept.read_bytes() != reply.read_bytes():
                    said.append(f"the archive has another {reply.name}")
        return [one for one in said if " is 1 times " not in one]

    def decided(self) -> list[str]:
        """What came of each decision, as it was told."""
        ledger = read_ledger(f"sqlite:///{self.root / '.filebridge/ledger.db'}")
        try:
            with ledger.read() as connection:
                return [requests.request_row(connection, 1).result]
        finally:
            ledger.close()

    def originals(self) -> list[Path]:
        """The files in the archive that the vendor dropped."""
        found = (self.root / "archive").rglob("*.csv")
        return sorted(path for path in found if ".csv." not in path.name)

    def writes(self) -> int:
        """How many calls RetailOps got that change something, or could have."""
        return sum(call.action in WRITES for call in self.sandbox.calls)


def _unfinished(root: Path) -> list[str]:
    """Calls that are neither done nor waiting, or that go with such a one; and files that are not filed away."""
    ledger = read_ledger(f"sqlite:///{root / '.filebridge/ledger.db'}")
    try:
        with ledger.read() as connection:
            owed = ("planned", "sending", "uncertain")
            said = [
                f"call {call.id} ({call.action} of {call.file_id or call.order_file_id}) is {call.state}"
                for call in calls.open_calls(connection, "acme")
            ]
            for row in files.files(connection):
                if row.state != "done" or row.settled_at is None:
                    said.append(f"{row.name} is {row.state}, settled at {row.settled_at}")
                for call_id, (state, decides) in po_calls.ends_of_joined(connection, row.id).items():
                    if state in owed:
                        said.append(f"call {call_id} goes with {decides}, which is {state}")
            said += [f"request {one.id} is open" for one in requests.open_requests(connection)]
            return said
    finally:
        ledger.close()


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
    """Without what differs from run to run: file ids, hashes of what holds one, dates and times.

    Nor what a receipt says of files that came together: after a kill the next run may find one of them alone.
    """
    content = re.sub(
        rb'\n    \{\s*"code": "order",[^}]*\},?|(?<=\n)Notes\r\n-+\r\n(  .*\r\n)+\r\n', b"", content
    )
    content = re.sub(rb'"notes": \[\s*\]', b'"notes": []', content)
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
def until() -> Callable[[Callable[[], bool]], None]:
    """Waits until something happens, 10 seconds at most."""

    def wait(happens: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not happens():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    return wait


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


@pytest.fixture
def po_scene(warm: Warm, tmp_path: Path, make_house: Callable[..., Any]) -> Iterator[Callable[..., PoScene]]:
    """Make a scene of POs in one status; with `submit` they are laid out for the vendor as well."""
    made: list[PoScene] = []

    def make(status: str = "submitted", *, submit: str = "", settings: str = "") -> PoScene:
        pos = [
            {
                "po": f"D20{number}",
                "vendor_id": 27,
                "status": status,
                "date_submit": "2026-01-20T17:00:00Z",
                "items": [
                    {"po_item_id": number * 10 + item, "vpc": f"V-{item}", "quantity": item}
                    for item in (1, 2)
                ],
            }
            for number in range(1, 6)
        ]
        sandbox = Sandbox(State(pos)).start()
        house = make_house(tmp_path / f"po-{len(made)}", sandbox, quarantine="0s")
        house.pack(PO_PACK)
        if submit:
            house.pack({"purchase-orders.yaml": PO_LAYOUT.replace("HOW", submit)})
        if settings:
            house.pack({"vendor.yaml": f'vendor_id: "27"\ntime_zone: America/Denver\n{settings}\n'})
        (house.root / "inbox/acme").mkdir(parents=True, exist_ok=True)
        made.append(PoScene(warm, house.root, sandbox, way="" if submit else "in"))
        return made[-1]

    yield make
    for one in made:
        one.sandbox.stop()
