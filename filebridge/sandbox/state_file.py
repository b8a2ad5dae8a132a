"""State files: JSON that is written whole or not at all."""

import json
import os
from pathlib import Path

from filebridge.sandbox.values import Json, StateError, to_json

FORMAT = 1


def read_state(path: Path | str) -> Json:
    """A state or seed file as JSON, with its `pos` and its format looked at. Raises StateError."""
    try:
        whole = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise StateError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise StateError(f"{path} is not JSON: {error}") from error
    if not isinstance(whole, dict) or not isinstance(whole.get("pos"), list):
        raise StateError(f'{path} must be an object with a list "pos"')
    if whole.get("format", FORMAT) != FORMAT:
        raise StateError(f"{path} has format {whole['format']}, this sandbox reads {FORMAT}")
    return whole


def write_state(path: Path | str, whole: Json) -> None:
    """Write a state as a file that is whole or not there, and stays through a loss of power.

    An entry a line: a person can read and compare it, and it is written many times faster than indented.
    """
    parts = []
    for name, value in whole.items():
        inner = b",\n".join(to_json(one) for one in value) if isinstance(value, list) else None
        parts.append(to_json(name) + b":" + (to_json(value) if inner is None else b"[\n" + inner + b"\n]"))
    target = Path(path)
    staged = target.with_name(f".{target.name}.{os.getpid()}.part")
    with staged.open("wb") as out:
        out.write(b"{" + b",\n".join(parts) + b"}\n")
        out.flush()
        os.fsync(out.fileno())
    staged.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
