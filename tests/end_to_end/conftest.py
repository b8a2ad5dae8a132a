"""The installed command line as processes, against a sandbox process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

KEY = "end-to-end-key"
PACK = {
    "vendor.yaml": 'vendor_id: "27"\ntime_zone: America/Denver\n',
    "inventory.yaml": 'document: inventory\nmatch: ["stock*"]\nfields: {vpc: SKU, quantity: Qty}\n',
    "purchase-orders.yaml": "document: purchase-orders\ncolumns: {PO: po, Item: vpc, Qty: quantity}\n",
}
LIMIT = 100


def environment(key: str = KEY) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FILEBRIDGE_")}
    return kept | {"RETAILOPS_API_KEY": key, "PYTHONPATH": str(Path(__file__).parents[2])}


class RetailOpsProcess:
    """A sandbox process and its control routes."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, route: str, body: Any = None) -> Any:
        given = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.url}/_sandbox/{route}", given, timeout=10) as answer:
            return json.load(answer)

    def calls(self) -> list[tuple[str, bytes]]:
        """Path and raw body of each call, in order."""
        return [(call["path"], call["body"].encode()) for call in self.ask("calls")["calls"]]

    def quantities(self) -> dict[str, Any]:
        return {one["vpc"]: one["quantity"] for one in self.ask("state")["quantities"]}


@dataclass
class Office:
    """A workspace of one vendor, acme, driven through the command line alone."""

    root: Path
    url: str

    def set_up(self, pack: dict[str, str], **retailops: str) -> Office:
        keys = {"base_url": f"'{self.url}'", "attempts": "2", **retailops}
        settings = ", ".join(f"{key}: {value}" for key, value in keys.items())
        self.write("filebridge.yaml", f"retailops: {{{settings}}}\nintake: {{settle: 0s}}\n")
        for name, text in pack.items():
            self.write(f"mappings/acme/{name}", text)
        return self

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def start(self, *arguments: str, key: str = KEY) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "filebridge", "-C", str(self.root), *arguments],
            env=environment(key),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, key: str = KEY) -> tuple[int, str, str]:
        """Run a command; its exit code, what it printed, and what it said."""
        process = self.start(*arguments, key=key)
        out, err = process.communicate(timeout=LIMIT)
        assert "Traceback" not in out + err, out + err
        return process.returncode, out, err

    def receipt(self, name: str) -> Any:
        return json.loads((self.root / f"outbox/acme/replies/{name}.receipt.json").read_bytes())


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RetailOpsProcess]:
    port_file = tmp_path_factory.mktemp("sandbox") / "port"
    process = subprocess.Popen(
        [sys.executable, "-m", "filebridge.sandbox", "--key", KEY, "--quiet", "--port-file", str(port_file)],
        env=environment(),
    )
    deadline = time.monotonic() + LIMIT
    while not port_file.exists():
        assert time.monotonic() < deadline and process.poll() is None, "the sandbox did not start"
        time.sleep(0.02)
    yield RetailOpsProcess(f"http://127.0.0.1:{port_file.read_text().strip()}")
    process.terminate()
    process.wait(timeout=10)


@pytest.fixture
def retailops(sandbox_process: RetailOpsProcess) -> RetailOpsProcess:
    """The sandbox process, empty."""
    sandbox_process.ask("reset", {"to_empty": True})
    return sandbox_process


@pytest.fixture
def office(tmp_path: Path, retailops: RetailOpsProcess) -> Callable[..., Office]:
    """Make the workspace, with a pack (left out: stock in, PO files out) and settings of `retailops:`."""

    def make(pack: dict[str, str] | None = None, **settings: str) -> Office:
        return Office(tmp_path / "office", retailops.url).set_up(pack or PACK, **settings)

    return make
