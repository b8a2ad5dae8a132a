"""The API key: from the environment or a file, never shown."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filebridge.errors import Problem, UserError

KEY_VARIABLE: Final = "RETAILOPS_API_KEY"
_LONGEST: Final = 500


class Secret:
    """Text that no print, log or traceback shows."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one header that carries it."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True)
class ApiKey:
    """A key, and what is worth saying of where it was found (`notices`)."""

    secret: Secret
    origin: str
    """The variable or file that it came from."""
    notices: tuple[Problem, ...] = ()


def find_key(
    *, vendor_file: str | None, workspace_file: str | None, root: Path, environment: Mapping[str, str]
) -> ApiKey:
    """The key of one vendor: its own file, else RETAILOPS_API_KEY, else the workspace's file.

    Relative paths are below `root`. Raises UserError where there is no key, where its file cannot be read or
    can be written by others, and where it is no key.
    """
    if vendor_file is not None:
        return _from_file(root / vendor_file)
    if environment.get(KEY_VARIABLE, "").strip():
        return ApiKey(_checked(environment[KEY_VARIABLE], KEY_VARIABLE), KEY_VARIABLE)
    if workspace_file is not None:
        return _from_file(root / workspace_file)
    fix = f"Set {KEY_VARIABLE}, or name a file with `retailops: {{api_key_file: …}}` in filebridge.yaml."
    raise UserError("there is no RetailOps API key", fix=fix)


def _from_file(path: Path) -> ApiKey:
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            found = stream.read(_LONGEST + 1)
    except OSError as error:
        fix = "Write the key into it, readable for FileBridge's user alone (chmod 600)."
        raise UserError(f"the API key file {path} cannot be read: {error.strerror}", fix=fix) from error
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UserError(f"the API key file {path} can be written by other users", fix=f"chmod 600 {path}")
    notices: tuple[Problem, ...] = ()
    if mode & stat.S_IROTH:
        notices = (
            Problem(str(path), "every user of this machine can read the API key", f"chmod 600 {path}"),
        )
    try:
        text = found.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            f"the API key file {path} holds no text", fix="Write the key alone into it."
        ) from error
    return ApiKey(_checked(text, f"the API key file {path}"), str(path), notices)


def _checked(text: str, origin: str) -> Secret:
    key = text.strip()
    if not key:
        raise UserError(f"{origin} is empty", fix="Write the API key into it.")
    if len(key) > _LONGEST or not key.isascii() or not key.isprintable() or " " in key:
        raise UserError(
            f"{origin} holds something else than an API key", fix="Write the key alone, in one line."
        )
    return Secret(key)
