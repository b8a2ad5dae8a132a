"""A workspace in this process: real folders, ledger and sandbox, one pass at a time, and a clock that is moved."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from filebridge.bridge.decisions import decide
from filebridge.bridge.desk import open_desk
from filebridge.bridge.passes import PassReport, run_pass
from filebridge.bridge.preview import Previewed, preview
from filebridge.clock import SECOND, to_micros
from filebridge.ledger import rows
from filebridge.ledger.connect import read_ledger
from filebridge.reader import Reader
from filebridge.sandbox import DEFAULT_KEY, Sandbox, State
from filebridge.workspace import Workspace

NOON = to_micros(datetime(2026, 11, 23, 12, 0, tzinfo=UTC))
SETTINGS = """\
retailops: {{base_url: '{url}', api_key_file: key, attempts: 2, timeout: 5s, deadline: 6s, quarantine: {quarantine}}}
intake: {{settle: 0s, explain_after: 0s}}
"""

# How long an example takes says more of what runs beside the tests than of the program.
settings.register_profile("filebridge", deadline=None)
settings.load_profile("filebridge")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept", action="store_true", help="write the expectations that golden cases lack")


def pytest_configure() -> None:
    # How wide the screen of whoever runs the tests is: tables would be cut to it.
    os.environ.pop("COLUMNS", None)


class HandClock:
    """Stands at noon UTC on 2026-11-23 until it is moved, or slept on."""

    def __init__(self) -> None:
        self.micros = NOON
        self._slept = 0.0

    def now(self) -> int:
        return self.micros

    def monotonic(self) -> float:
        return time.monotonic() + self._slept

    def sleep(self, seconds: float) -> None:
        self.move(seconds)

    def move(self, seconds: float) -> None:
        self.micros += round(seconds * SECOND)
        self._slept += seconds


class House:
    """One workspace, and the sandbox that it trades with. Files are given and found by vendor and name."""

    def __init__(self, root: Path, sandbox: Sandbox, *, quarantine: str = "600s") -> None:
        self.root, self.sandbox, self.clock, self.reader = root, sandbox, HandClock(), Reader()
        self.write("filebridge.yaml", SETTINGS.format(url=sandbox.url, quarantine=quarantine))
        self.write("key", DEFAULT_KEY).chmod(0o600)
        self.workspace = Workspace.open(root, environment={})

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def pack(self, files: Mapping[str, str | bytes], vendor: str = "acme") -> None:
        """Give a vendor its pack; vendor.yaml is made where `files` has none."""
        for name, content in {"vendor.yaml": 'vendor_id: "27"\ntime_zone: America/Denver\n', **files}.items():
            self.write(f"mappings/{vendor}/{name}", content)

    def drop(self, name: str, content: str | bytes, vendor: str = "acme") -> Path:
        return self.write(f"inbox/{vendor}/{name}", content)

    def run(self, **how: Any) -> PassReport:
        """One pass, as `filebridge run` makes it."""
        with open_desk(self.workspace, reader=self.reader, clock=self.clock) as desk:
            return run_pass(desk, **how)

    def preview(self, path: Path, vendor: str = "acme") -> Previewed:
        return preview(self.workspace, path, vendor, clock=self.clock, reader=self.reader)

    def run_as_previewed(self, name: str, content: str | bytes, vendor: str = "acme") -> PassReport:
        """Drop a file and run, and check that all came as `preview` had said: bodies, outcomes, reasons, notes."""
        seen = self.preview(self.drop(name, content, vendor), vendor)
        planned = [seen.body(call) for call in seen.plan.calls if call.is_sent]
        before = len(self.bodies())
        report = self.run()
        sent, said = self.bodies()[before:], seen.as_json()
        # What comes after the planned calls are parts of those that RetailOps refused.
        assert sorted(sent[: len(planned)]) == sorted(planned) and bool(planned) >= bool(sent)
        receipt = self.receipt(name, vendor)
        assert receipt["notes"] == said["notes"]
        for was, row in zip(said["rows"], self.rows(receipt["file"]["id"]), strict=True):
            if was["outcome"] == "pending":
                assert row["outcome"] in ("delivered", "rejected"), (was, row)
            else:
                assert row == was
        return report

    def decide(self, kind: str, subject: str) -> str:
        return decide(self.workspace, kind, subject, clock=self.clock).result

    def bodies(self) -> list[bytes]:
        """The bodies of all calls that changed something, or could have; fetches are not among them."""
        return [call.body for call in self.sandbox.calls if not call.action.endswith(".fetch")]

    def records(self) -> list[dict[str, Any]]:
        """The records of those bodies."""
        return [record for body in self.bodies() for record in json.loads(body)["records"]]

    def replies(self, vendor: str = "acme") -> dict[str, bytes]:
        folder = self.root / "outbox" / vendor / "replies"
        paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}

    def receipt(self, name: str, vendor: str = "acme") -> Any:
        return json.loads(self.replies(vendor)[f"{name}.receipt.json"])

    def rows(self, file_id: str) -> list[dict[str, Any]]:
        """What `rows ID --json` prints of a file."""
        ledger = read_ledger(self.workspace.ledger_url)
        with ledger.read() as connection:
            found = [part for row in rows.every_row(connection, file_id) for part in row.as_json()]
        ledger.close()
        return found

    def close(self) -> None:
        self.reader.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house over a sandbox without POs, in threads of this process."""
    with Sandbox(State()) as sandbox:
        made = House(tmp_path / "house", sandbox)
        yield made
        made.close()


@pytest.fixture(scope="session")
def make_house() -> Callable[..., House]:
    """Houses for tests that need several, each over a folder and a sandbox of its own."""
    return House
