"""Vendor packs from their folders: reads the files and hands their texts to the pure loader."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from filebridge.errors import ConfigError, Problem
from filebridge.mapping.yaml_text import MAX_SIZE

if TYPE_CHECKING:
    from filebridge.mapping.pack import VendorPack

_LARGEST_CROSSWALK: Final = 10_000_000


def vendors_in(mappings: Path) -> tuple[str, ...]:
    """Names of the vendor packs: the folders in `mappings` that begin with neither a dot nor an underscore."""
    try:
        with os.scandir(mappings) as entries:
            found = [entry.name for entry in entries if entry.is_dir()]
    except FileNotFoundError:
        return ()
    except OSError as error:
        fix = "Give FileBridge's user the right to read it."
        raise ConfigError(
            [Problem(str(mappings), f"the folder cannot be read: {error.strerror}", fix)]
        ) from error
    return tuple(sorted(name for name in found if not name.startswith((".", "_"))))


def read_pack(mappings: Path, vendor: str) -> VendorPack:
    """One vendor's pack. Raises ConfigError with every fault, places as `mappings/acme/inventory.yaml:7`."""
    # Reading commands need no pack, and do without the loader's import.
    from filebridge.mapping.load import DEFAULTS_FILE, YAML_SUFFIXES, load_pack

    folder = mappings.name
    problems = list(_name_problems(folder, vendor))
    files: dict[str, str] = {}
    for path in _files_in(mappings / vendor, folder, (*YAML_SUFFIXES, ".csv")):
        largest = MAX_SIZE if path.name.casefold().endswith(YAML_SUFFIXES) else _LARGEST_CROSSWALK
        try:
            files[path.name] = read_text(path, f"{folder}/{vendor}/{path.name}", largest=largest)
        except ConfigError as error:
            problems += error.problems
    defaults = None
    if os.path.isfile(mappings / DEFAULTS_FILE):
        try:
            defaults = read_text(mappings / DEFAULTS_FILE, f"{folder}/{DEFAULTS_FILE}", largest=MAX_SIZE)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return load_pack(files, vendor, defaults=defaults, folder=folder)


def _name_problems(folder: str, vendor: str) -> list[Problem]:
    if re.fullmatch(r"\w([\w .-]*\w)?", vendor):
        return []
    fix = "Rename it: letters, digits, hyphens, underscores, dots and spaces, with a letter or digit at both ends."
    return [Problem(f"{folder}/{vendor!r}", "a vendor cannot have this name", fix)]


def _files_in(folder: Path, shown: str, suffixes: tuple[str, ...]) -> list[Path]:
    place = f"{shown}/{folder.name}"
    try:
        found = [path for path in folder.iterdir() if not path.name.startswith(".") and path.is_file()]
    except FileNotFoundError as error:
        fix = f"Make it, with a vendor.yaml, or choose one of {shown}/."
        raise ConfigError([Problem(place, "there is no such vendor pack", fix)]) from error
    except OSError as error:
        fix = "Give FileBridge's user the right to read it."
        raise ConfigError([Problem(place, f"the folder cannot be read: {error.strerror}", fix)]) from error
    return sorted(path for path in found if path.name.casefold().endswith(suffixes))


def read_text(path: Path, place: str, *, largest: int) -> str:
    """The text of a UTF-8 file of at most `largest` bytes. Raises ConfigError, with `place` as its place."""
    try:
        with path.open("rb") as stream:
            content = stream.read(largest + 1)
    except OSError as error:
        fix = "Give FileBridge's user the right to read it."
        raise ConfigError([Problem(place, f"the file cannot be read: {error.strerror}", fix)]) from error
    if len(content) > largest:
        fix = "Take out what does not belong there."
        raise ConfigError([Problem(place, f"the file is larger than {largest:,} bytes", fix)])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = "the file is not UTF-8: this line holds other characters"
        raise ConfigError([Problem(f"{place}:{line}", message, "Save it as UTF-8.")]) from error
