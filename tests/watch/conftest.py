"""A running watch: in a thread of this process where its pace is changed, else the installed command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from filebridge.bridge.desk import open_desk
from filebridge.bridge.passes import PassReport
from filebridge.clock import SystemClock
from filebridge.sandbox import DEFAULT_KEY, Sandbox, State
from filebridge.schedule import watch
from filebridge.workspace import Workspace

UPDATE = "Product.ExternalSku.update"
SETTINGS = """\
retailops: {{base_url: '{url}', api_key_file: key, attempts: 2, timeout: {timeout}s, deadline: {timeout}s{more}}}
intake: {{settle: 50ms, scan: {scan}, explain_after: 100ms, poll: {poll}}}
"""
INVENTORY = 'document: inventory\nmatch: ["stock*.csv"]\nfields: {vpc: SKU, quantity: Qty}\n'


class Trade:
    """A workspace with vendors acme and zeta, and the sandbox that it trades with."""

    def __init__(self, root: Path, sandbox: Sandbox) -> None:
        self.root, self.sandbox = root, sandbox
        self.settings()
        self.key(DEFAULT_KEY)
        for vendor, number in (("acme", 27), ("zeta", 28)):
            self.vendor(vendor, number)
        self.reports: list[PassReport] = []
        self._processes: list[subprocess.Popen[str]] = []

    def settings(
        self, *, scan: str = "200ms", timeout: float = 5, poll: str = "false", more: str = "", url: str = ""
    ) -> None:
        url = url or self.sandbox.url
        self.write(
            "filebridge.yaml", SETTINGS.format(url=url, scan=scan, timeout=timeout, poll=poll, more=more)
        )

    def key(self, text: str) -> None:
        self.write("key", text).chmod(0o600)

    def vendor(self, name: str, number: int) -> None:
        self.write(f"mappings/{name}/vendor.yaml", f'vendor_id: "{number}"\ntime_zone: America/Denver\n')
        self.write(f"mappings/{name}/inventory.yaml", INVENTORY)

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.tmp")
        fresh.write_text(text, encoding="utf-8")
        return fresh.rename(path)

    def drop(self, name: str, *, vendor: str = "acme", quantity: int = 5) -> None:
        self.write(f"inbox/{vendor}/{name}", f"SKU,Qty\nA-1,{quantity}\n")

    def status_of(self, name: str, *, vendor: str = "acme") -> str:
        """What the receipt of a file says; empty before there is one."""
        path = self.root / "outbox" / vendor / "replies" / f"{name}.receipt.json"
        try:
            return str(json.loads(path.read_text(encoding="utf-8"))["status"])
        except FileNotFoundError:
            return ""

    def is_done(self, name: str, *, vendor: str = "acme") -> bool:
        return self.status_of(name, vendor=vendor) == "accepted"

    def done(self, vendor: str) -> int:
        """How many files of a vendor are answered."""
        return len(list((self.root / "outbox" / vendor / "replies").glob("*.receipt.json")))

    def calls(self) -> list[Any]:
        return [call for call in self.sandbox.calls if call.action == UPDATE]

    @property
    def problems(self) -> str:
        """All that was said to be wrong, of all passes so far."""
        return "\n".join(str(problem) for report in self.reports for problem in report.problems)

    @property
    def troubles(self) -> dict[str, str]:
        """The channels that could not be used in the last pass."""
        return self.reports[-1].troubles if self.reports else {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """A watch in a thread of this process."""
        clock, stop, failed = SystemClock(), threading.Event(), list[BaseException]()

        def work() -> None:
            try:
                workspace = Workspace.open(self.root, environment={})
                with open_desk(workspace, clock=clock, stop=stop) as desk:
                    watch(desk, vendors=None, on_pass=self.reports.append)
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            clock.stop()
            thread.join(timeout=30)
        assert not failed, failed
        assert not thread.is_alive()

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A command of its own process."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FILEBRIDGE_")}
        kept.pop("RETAILOPS_API_KEY", None)
        process = subprocess.Popen(
            [sys.executable, "-m", "filebridge", "-C", str(self.root), *arguments],
            env=kept | {"PYTHONPATH": str(Path(__file__).parents[2])},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._processes.append(process)
        return process

    def command(self, *arguments: str) -> tuple[int, str, str]:
        """A command, waited for: its exit code, what it printed, what it said."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=50)
        return process.returncode, out, err

    def close(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
                process.communicate()


@pytest.fixture
def trade(tmp_path: Path) -> Iterator[Trade]:
    with Sandbox(State()) as sandbox:
        made = Trade(tmp_path / "trade", sandbox)
        yield made
        made.close()


@pytest.fixture
def until() -> Callable[..., Any]:
    """Waits until something happens."""

    def wait(happens: Callable[[], Any], *, seconds: float = 30.0) -> Any:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := happens():
                return found
            time.sleep(0.02)
        raise AssertionError("it did not happen in time")

    return wait
