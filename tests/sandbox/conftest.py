"""A sandbox that listens, and a client of the standard library that talks to it over a real socket."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import filebridge
from filebridge.sandbox import DEFAULT_KEY, Sandbox, State

FETCH = "/Vendor/PO/Fetch.json"
MARK = "/Vendor/PO/MarkSubmitted.json"
ACCEPT = "/Vendor/PO/MarkAccepted.json"
COMPLETE = "/Vendor/PO/Complete.json"
DATE = "/Vendor/PO/UpdateEstShipDate.json"
CLASSES = "/Constant/Ship/CarrierClass/fetch.json"
UPDATE = "/product/externalsku/update~2.json"


class Answer(NamedTuple):
    status: int
    text: str
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Client:
    """One keep-alive connection."""

    def __init__(self, port: int, *, timeout: float = 5.0) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        self.connection.request(method, path, body, headers or {})
        with self.connection.getresponse() as response:
            text = response.read().decode()
            return Answer(
                response.status, text, {name.lower(): value for name, value in response.getheaders()}
            )

    def post(self, path: str, body: Any, *, key: str | None = DEFAULT_KEY) -> Answer:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} | ({"apikey": key} if key is not None else {})
        return self.send("POST", path, raw, headers)

    def control(self, method: str, path: str, body: Any = None) -> Answer:
        return self.send(method, "/_sandbox/" + path, None if body is None else json.dumps(body).encode())

    def fetch(self, **values: Any) -> Answer:
        return self.post(FETCH, {"vendor_id": 27, "with_items": True} | values)

    def mark(self, *records: dict[str, Any]) -> Answer:
        return self.post(MARK, {"records": list(records)})

    def accept(self, *records: dict[str, Any]) -> Answer:
        return self.post(ACCEPT, {"records": list(records)})

    def complete(self, po: str, *packages: Any) -> Answer:
        return self.post(COMPLETE, {"po": po, "packages": list(packages)})

    def date(self, *records: dict[str, Any]) -> Answer:
        return self.post(DATE, {"records": list(records)})

    def classes(self, **values: Any) -> Answer:
        return self.post(CLASSES, {"all": 1} | values)

    def update(self, *pairs: tuple[str, Any]) -> Answer:
        records = [{"vendor_id": 27, "vpc": vpc, "quantity": quantity} for vpc, quantity in pairs]
        return self.post(UPDATE, {"records": records})


def make_po(number: str, **values: Any) -> dict[str, Any]:
    items = [
        {"po_item_id": 456, "vpc": "MAR-1", "quantity": 2},
        {"po_item_id": 457, "vpc": "00120", "quantity": 1},
    ]
    return {
        "po": number,
        "vendor_id": 27,
        "status": "ready",
        "date_submit": "2026-01-02T03:04:05Z",
        "items": items,
    } | values


def make_record(number: str, *quantities: int) -> dict[str, Any]:
    return {
        "po": number,
        "items": [
            {"po_item_id": 456 + place, "quantity": quantity}
            for place, quantity in enumerate(quantities or (2, 1))
        ],
    }


def make_package(units: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    """A package; without `units` of all that `make_po` orders."""
    units = {"MAR-1": 2, "00120": 1} if units is None else units
    items = [{"vpc": vpc, "quantity": quantity} for vpc, quantity in units.items()]
    return {
        "ship_class_id": 62,
        "tracking_number": "1Z8420010000000011",
        "items": items,
        "unit_count": sum(int(quantity) for quantity in units.values()),
    } | values


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(State([make_po("D1"), make_po("D2"), make_po("D3")])) as running:
        yield running


@pytest.fixture
def connect() -> Iterator[Callable[..., Client]]:
    """Make clients that are closed at the end."""
    made: list[Client] = []

    def make(sandbox: Sandbox, *, timeout: float = 5.0) -> Client:
        made.append(Client(sandbox.port, timeout=timeout))
        return made[-1]

    yield make
    for client in made:
        client.connection.close()


@pytest.fixture
def make_client() -> Iterator[Callable[[int], Client]]:
    """The same for a port."""
    made: list[Client] = []

    def make(port: int) -> Client:
        made.append(Client(port))
        return made[-1]

    yield make
    for client in made:
        client.connection.close()


@pytest.fixture
def client(sandbox: Sandbox, connect: Callable[..., Client]) -> Client:
    return connect(sandbox)


@pytest.fixture
def po() -> Callable[..., dict[str, Any]]:
    return make_po


@pytest.fixture
def record() -> Callable[..., dict[str, Any]]:
    return make_record


@pytest.fixture
def package() -> Callable[..., dict[str, Any]]:
    return make_package


@pytest.fixture
def running(tmp_path: Path) -> Callable[..., Any]:
    """The command in a process of its own, once it listens: the process and its port."""

    @contextmanager
    def run(*options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
        port_file = tmp_path / "port"
        port_file.unlink(missing_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-m", "filebridge.sandbox", "--port-file", str(port_file), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(Path(filebridge.__file__).parent.parent)},
        )
        try:
            until = time.monotonic() + 10
            while not port_file.exists():
                assert process.poll() is None and time.monotonic() < until
                time.sleep(0.01)
            yield process, int(port_file.read_text())
        finally:
            process.kill()
            process.communicate()

    return run
