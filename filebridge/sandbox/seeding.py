"""The command `filebridge sandbox seed`: POs for a state file, or for a sandbox that runs."""

import argparse
import http.client
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from filebridge.sandbox.seed import seed_more_orders
from filebridge.sandbox.ship_classes import checked_ship_classes
from filebridge.sandbox.state import State
from filebridge.sandbox.state_file import read_state
from filebridge.sandbox.store import Store
from filebridge.sandbox.values import Json, StateError, as_text, to_json


class _Unreachable(Exception):
    """A sandbox that is not there, or does not take what it is given; one sentence for a person."""


def add_seed(state: State, seed: Json) -> None:
    """Add the POs of a seed file, or merge them by number, and take its ship classes where it has some.

    Raises StateError and takes nothing.
    """
    classes = _classes_of(seed)
    state.add_pos(seed["pos"])
    if classes is not None:
        state.set_ship_classes(classes)


def _classes_of(seed: Json) -> list[Json] | None:
    return list(checked_ship_classes(seed["ship_classes"]).values()) if "ship_classes" in seed else None


def main(argv: Sequence[str]) -> int:
    """Put POs in; 0, or 2 with one sentence (argparse: SystemExit 2)."""
    options = _parser().parse_args(argv)
    try:
        if options.orders is not None and options.orders < 1:
            raise StateError("--orders must be 1 or more")
        seed = None if options.source is None else read_state(options.source)
        if options.state is not None:
            added, changed = _into_file(options, seed)
        else:
            added, changed = _into_sandbox(options, seed)
    except (StateError, _Unreachable, OSError) as error:
        print(f"sandbox seed: {error}", file=sys.stderr)
        return 2
    print(f"{options.state or options.url}: {added} POs added, {changed} changed")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="filebridge sandbox seed",
        description="Put POs into a state file, or into a sandbox that runs. A PO that is there already is "
        "changed in the fields that are given.",
    )
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--state", type=Path, metavar="FILE", help="the state file; made where there is none")
    target.add_argument("--url", metavar="URL", help="the sandbox that runs, as http://127.0.0.1:8765")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FILE",
        help='JSON with the POs in "pos", and the carrier classes in "ship_classes" if they shall be others',
    )
    source.add_argument("--orders", type=int, metavar="N", help="invent this many POs, beside those there")
    parser.add_argument("--vendor", default="27", metavar="ID", help="the vendor of the invented POs (27)")
    return parser


def _into_file(options: argparse.Namespace, seed: Json | None) -> tuple[int, int]:
    """How many POs were added to a state file, and how many changed."""
    store = Store(options.state)
    try:
        state = store.state
        before = set(state.pos)
        wanted = seed or {"pos": seed_more_orders(options.vendor, options.orders, state.pos.values())}
        add_seed(state, wanted)
        store.save()
        return _counted(wanted["pos"], before)
    finally:
        store.close()


def _into_sandbox(options: argparse.Namespace, seed: Json | None) -> tuple[int, int]:
    """The same for a sandbox that runs."""
    held = _ask(options.url, "GET", "state").get("pos")
    if not isinstance(held, list):
        raise _Unreachable(f"what answers at {options.url} is no sandbox")
    before = {as_text(po.get("po")) or "" for po in held}
    wanted = seed or {"pos": seed_more_orders(options.vendor, options.orders, held)}
    classes = _classes_of(wanted)
    _ask(options.url, "POST", "pos", {"pos": wanted["pos"]})
    if classes is not None:
        _ask(options.url, "PUT", "ship_classes", {"ship_classes": classes})
    return _counted(wanted["pos"], before)


def _counted(pos: list[Json], before: set[str]) -> tuple[int, int]:
    numbers = {as_text(po.get("po")) for po in pos}
    return len(numbers - before), len(numbers & before)


def _ask(url: str, method: str, route: str, body: Json | None = None) -> Json:
    """Ask a control route. Raises _Unreachable in a sentence."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _Unreachable(f"{url} is no address: {error}") from error
    if parts.scheme != "http" or not parts.hostname:
        raise _Unreachable(f"{url} is no address of a sandbox; that is http://127.0.0.1:PORT")
    connection = http.client.HTTPConnection(parts.hostname, port, timeout=30)
    try:
        connection.request(method, f"/_sandbox/{route}", None if body is None else to_json(body))
        response = connection.getresponse()
        status, answer = response.status, _object(response.read())
    except (OSError, http.client.HTTPException) as error:
        raise _Unreachable(f"no sandbox answers at {url}: {error}") from error
    finally:
        connection.close()
    if status != 200:
        said = answer.get("error") or answer.get("ERROR") or f"what answers there is no sandbox ({status})"
        raise _Unreachable(f"{url}: {said}")
    return answer


def _object(content: bytes) -> Json:
    try:
        value: Any = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
