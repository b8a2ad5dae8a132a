"""What a new workspace is filled with: settings and an example vendor pack, commented."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from filebridge.errors import UserError

STATE_README: Final = "state-README.txt"


def starter_files() -> dict[str, str]:
    """The texts of a new workspace by their path in it: `filebridge.yaml`, `mappings/acme/vendor.yaml` …"""
    return {path: text for path, text in _texts(files(__package__) / "starter", "") if path != STATE_README}


def state_readme() -> str:
    """The note that lies in `.filebridge/`."""
    return (files(__package__) / "starter" / STATE_README).read_text(encoding="utf-8")


def _texts(folder: Traversable, path: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _texts(entry, f"{path}{entry.name}/")
        else:
            yield f"{path}{entry.name}", entry.read_text(encoding="utf-8")


def write_starter(root: Path) -> None:
    """Write the starter files below `root`. Raises UserError, and writes nothing, where one exists already."""
    texts = starter_files()
    existing = [path for path in texts if (root / path).exists()]
    if existing:
        fix = "Choose another folder, or move it away; nothing was changed."
        raise UserError(f"{root} already holds {existing[0]}", fix=fix)
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
