"""The command: `python -m filebridge.sandbox`, and `filebridge sandbox`."""

import argparse
import gc
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from filebridge.sandbox import seeding
from filebridge.sandbox.faults import FaultError
from filebridge.sandbox.seed import seed_orders
from filebridge.sandbox.seeding import add_seed
from filebridge.sandbox.server import Sandbox, is_loopback
from filebridge.sandbox.settings import DEFAULT_KEY, Settings, SettingsError
from filebridge.sandbox.state import State
from filebridge.sandbox.state_file import read_state
from filebridge.sandbox.store import Store
from filebridge.sandbox.values import Json, StateError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the sandbox until SIGTERM or SIGINT; 0 then, 2 where it cannot start (argparse: SystemExit 2).

    With `seed` as the first word: see `filebridge.sandbox.seeding`.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    if given[:1] == ["seed"]:
        return seeding.main(given[1:])
    options = _parser().parse_args(given)
    try:
        with _signals() as asked_to_stop, _kept(options.state) as store:
            _run(options, store, asked_to_stop)
    except (StateError, FaultError, SettingsError, ValueError, OSError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2
    return 0


def _run(options: argparse.Namespace, store: Store | None, asked_to_stop: threading.Event) -> None:
    with _build(options, store) as sandbox:
        if options.port_file is not None:
            _write_port(options.port_file, sandbox.port)
        if not options.quiet:
            key = options.key[0] if options.key else DEFAULT_KEY
            print(
                f"RetailOps sandbox: {sandbox.url}  apikey: {key}  page: {sandbox.url}/_sandbox/",
                flush=True,
            )
        # What is recorded is never garbage; looking through it again and again halves the speed.
        gc.set_threshold(100_000, 50, 1000)
        asked_to_stop.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="filebridge sandbox",
        description="A RetailOps stand-in on loopback.",
        epilog="`filebridge sandbox seed` puts POs into a state file, or into a sandbox that runs.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="a loopback address (127.0.0.1)")
    add("--port", type=int, default=0, help="0 takes a free one (0)")
    add("--port-file", type=Path, metavar="FILE", help="write the port into this file once it listens")
    add("--seed", type=Path, metavar="FILE", help='JSON with the POs to begin with, in "pos"')
    add("--orders", type=int, default=0, metavar="N", help="invent this many POs")
    add("--vendor", default="27", metavar="ID", help="the vendor of the invented POs (27)")
    add(
        "--state",
        type=Path,
        metavar="FILE",
        help="begin with what this file holds, and keep it: what was answered is saved, come what may",
    )
    add("--key", action="append", metavar="KEY[=ID,ID]", help="an API key, for these vendors only or for all")
    add(
        "--fault",
        action="append",
        default=[],
        metavar="JSON",
        help="a fault, or a list of them; see the page",
    )
    add("--stringly", action="store_true", help="answer with text in place of numbers and booleans")
    add("--http-errors", action="store_true", help="401, 403, 404, 405 and 400 in place of 200")
    add("--per-record", action="store_true", help="bad records fail alone")
    add(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting, as short_complete=refuse or max_limit=50; see the page for the others",
    )
    add("--quiet", action="store_true", help="print nothing")
    return parser


@contextmanager
def _kept(path: Path | None) -> Iterator[Store | None]:
    """The store of a state file, closed at the end; None without a file."""
    store = None if path is None else Store(path)
    try:
        yield store
    finally:
        if store is not None:
            store.close()


def _build(options: argparse.Namespace, store: Store | None) -> Sandbox:
    if not is_loopback(options.host):
        raise ValueError(f"it listens on loopback only, not on {options.host}")
    if not 0 <= options.port <= 65535:
        raise ValueError("a port is a number from 0 to 65535")
    if options.orders < 0:
        raise ValueError("--orders cannot be negative")
    state = State() if store is None else store.state
    if store is None or store.is_new:
        if options.seed is not None:
            add_seed(state, read_state(options.seed))
        state.add_pos(seed_orders(options.vendor, options.orders))
    sandbox = Sandbox(
        state,
        host=options.host,
        port=options.port,
        keys=_keys(options.key),
        settings=_settings(options),
        save=None if store is None else store.save,
    )
    for text in options.fault:
        try:
            sandbox.faults.add(json.loads(text))
        except json.JSONDecodeError as error:
            raise FaultError(f"--fault is not JSON: {error}") from error
    if store is not None:
        store.save()
    return sandbox


def _settings(options: argparse.Namespace) -> Settings:
    values: Json = {
        "stringly": options.stringly,
        "http_errors": options.http_errors,
        "per_record": options.per_record,
    }
    for text in options.set:
        name, equals, value = text.partition("=")
        if not equals or name in ("key", "keys"):
            raise SettingsError(f"--set takes NAME=VALUE, and no key (that is --key), not {name}")
        try:
            values[name] = json.loads(value)
        except ValueError:
            values[name] = value
    return Settings().changed(values)


def _keys(given: list[str] | None) -> dict[str, list[str] | None] | None:
    if given is None:
        return None
    parted = [one.partition("=") for one in given]
    return {key: vendors.split(",") if equals else None for key, equals, vendors in parted}


def _write_port(path: Path, port: int) -> None:
    """Whole or not there: whoever waits for the file may read it as soon as it exists."""
    staged = path.with_name(f".{path.name}.{os.getpid()}.part")
    staged.write_text(f"{port}\n", encoding="ascii")
    staged.replace(path)


@contextmanager
def _signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set; the former handlers come back afterwards."""
    event = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        event.set()

    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    former = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield event
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
