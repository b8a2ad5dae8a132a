"""The installed command line as a real process, against a sandbox process over a real socket."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

KEY = "test-key-not-secret"
LIMIT = 50

VENDOR = 'vendor_id: "27"\ntime_zone: America/Denver\n'
INVENTORY = """\
document: inventory
match: ["inventory*.csv"]
fields:
  vpc: SKU
  quantity: Qty
covers: everything
"""
ORDERS = """\
document: purchase-orders
columns:
  PO: po
  Item: vpc
  Qty: quantity
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON document that it must be."""
        return json.loads(self.out)

    @property
    def all(self) -> str:
        return self.out + self.err


class RetailOpsHere:
    """The sandbox process, and its control routes."""

    def __init__(self, url: str) -> None:
        self.url = url

    def control(self, method: str, route: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox/{route}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def calls(self, action: str = "") -> list[dict[str, Any]]:
        """The calls it got, those of one action or all."""
        found = self.control("GET", "calls")
        listed = found["calls"] if isinstance(found, dict) else found
        return [call for call in listed if not action or call["action"] == action]

    def fault(self, **fault: Any) -> None:
        self.control("POST", "faults", fault)


class Workspace:
    """A workspace of one vendor, acme, driven through the command line alone."""

    def __init__(self, folder: Path, url: str, *, orders: bool = False) -> None:
        self.folder = folder
        self.here: Callable[..., Ended] = run_filebridge
        self.started: list[subprocess.Popen[str]] = []
        self.write("filebridge.yaml", _settings(url))
        self.write("mappings/acme/vendor.yaml", VENDOR)
        self.write("mappings/acme/inventory.yaml", INVENTORY)
        if orders:
            self.write("mappings/acme/purchase-orders.yaml", ORDERS)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def drop(self, name: str, *rows: str, head: str = "SKU,Qty") -> Path:
        return self.write(f"inbox/acme/{name}", "\n".join([head, *rows, ""]))

    def filebridge(self, *arguments: str, key: str = KEY) -> Ended:
        """Run a command in this workspace."""
        return run_filebridge("-C", str(self.folder), *arguments, key=key)

    def read(self, *arguments: str) -> Ended:
        """Run a command in this process, where another one only takes time."""
        return self.here("-C", str(self.folder), *arguments)

    def start(self, *arguments: str, key: str = KEY) -> subprocess.Popen[str]:
        """Begin a command in this workspace, and do not wait for it."""
        process = subprocess.Popen(
            [sys.executable, "-m", "filebridge", "-C", str(self.folder), *arguments],
            env=environment(key),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def end_all(self) -> None:
        """End what a test that failed has left."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def end(self, process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> Ended:
        """Ask a command to end, and wait for that."""
        process.send_signal(number)
        return self.ended(process)

    def ended(self, process: subprocess.Popen[str]) -> Ended:
        """Wait until a command ends by itself."""
        out, err = process.communicate(timeout=LIMIT)
        return checked(Ended(process.returncode, out, err))

    def receipt(self, name: str) -> Any:
        path = self.folder / "outbox" / "acme" / "replies" / f"{name}.receipt.json"
        return json.loads(path.read_text(encoding="utf-8"))


def run_filebridge(*arguments: str, key: str = KEY, folder: Path | None = None, **variables: str) -> Ended:
    """Run a command, in `folder` where one is given."""
    done = subprocess.run(
        [sys.executable, "-m", "filebridge", *arguments],
        env=environment(key) | variables,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return checked(Ended(done.returncode, done.stdout, done.stderr))


def checked(ended: Ended) -> Ended:
    """No command may end with a traceback, or with what FileBridge itself calls a bug."""
    assert "Traceback" not in ended.all, ended.all
    if ended.code == 70:
        report = re.search(r"the file (\S+) to its makers", ended.err)
        raise AssertionError(Path(report[1]).read_text(encoding="utf-8") if report else ended.err)
    return ended


def environment(key: str) -> dict[str, str]:
    """What a command is told by its environment: this checkout, and the key; nothing of FileBridge's besides."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FILEBRIDGE_")}
    here = str(Path(__file__).parents[2])
    return kept | {"RETAILOPS_API_KEY": key, "PYTHONPATH": here, "COLUMNS": "100"}


def _settings(url: str) -> str:
    return (
        f"retailops: {{base_url: '{url}', attempts: 2, timeout: 5s, deadline: 6s}}\n"
        "intake: {settle: 50ms, scan: 300ms, explain_after: 100ms}\n"
    )


def until(happens: Any, *, seconds: float = 20.0) -> Any:
    """Wait until `happens()` gives something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := happens():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RetailOpsHere]:
    port_file = tmp_path_factory.mktemp("sandbox") / "port"
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "filebridge",
            "sandbox",
            "--key",
            KEY,
            "--orders",
            "3",
            "--port-file",
            port_file,
        ],
        stdout=subprocess.DEVNULL,
        env=environment(KEY),
    )
    try:
        until(port_file.exists)
        yield RetailOpsHere(f"http://127.0.0.1:{port_file.read_text().strip()}")
    finally:
        process.terminate()
        process.wait(timeout=LIMIT)


@pytest.fixture
def retailops(sandbox: RetailOpsHere) -> RetailOpsHere:
    """The sandbox, as it was at its start."""
    sandbox.control("POST", "reset")
    return sandbox


@pytest.fixture
def workspace(tmp_path: Path, retailops: RetailOpsHere, here: Callable[..., Ended]) -> Iterator[Workspace]:
    """A new workspace; RetailOps has three POs for it."""
    made = Workspace(tmp_path / "trade", retailops.url)
    made.here = here
    yield made
    made.end_all()


@pytest.fixture(scope="session")
def _traded(tmp_path_factory: pytest.TempPathFactory, sandbox: RetailOpsHere) -> Workspace:
    """Orders out, and three files in: a good one, one with bad rows, one that the guard holds."""
    sandbox.control("POST", "reset")
    made = Workspace(tmp_path_factory.mktemp("traded") / "trade", sandbox.url, orders=True)
    made.drop("inventory-1.csv", "00120,5", "0417,42", "W-1,9", "W-2,7")
    assert made.filebridge("run").code == 0
    made.drop("inventory-2.csv", "00120,5", "0417,many", "W-1,-3", "W-2,8")
    assert made.filebridge("run").code == 1
    made.drop("inventory-3.csv", "00120,0", "0417,0", "W-1,0", "W-2,0")
    made.drop("prices.txt", "x;y")
    assert made.filebridge("run").code == 1
    return made


@pytest.fixture
def traded(_traded: Workspace, tmp_path: Path, here: Callable[..., Ended]) -> Iterator[Workspace]:
    """A copy of that workspace, to be changed."""
    copy = object.__new__(Workspace)
    copy.folder, copy.here, copy.started = tmp_path / "copy", here, []
    shutil.copytree(_traded.folder, copy.folder, symlinks=True)
    yield copy
    copy.end_all()


@pytest.fixture
def filebridge() -> Callable[..., Ended]:
    """Runs a command anywhere: `filebridge("--help")`."""
    return run_filebridge


@pytest.fixture
def wait_until() -> Callable[..., Any]:
    """Waits until something happens."""
    return until


@pytest.fixture
def here(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """Runs a command in this process, where a process of its own would only take time."""

    def run_here(*arguments: str, width: str = "100") -> Ended:
        from filebridge.cli.app import run

        for name in [name for name in os.environ if name.startswith("FILEBRIDGE_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("RETAILOPS_API_KEY", KEY)
        monkeypatch.setenv("COLUMNS", width)
        code = run(arguments)
        out, err = capfd.readouterr()
        return checked(Ended(code, out, err))

    return run_here
