"""Folders by descriptor: no step of a path is ever a link, whatever somebody puts there meanwhile."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
READ_NO_LINK: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
"""Opens a file by its name and nothing else: a link is ELOOP, a FIFO does not block."""
_PRIVATE: Final = 0o700


@contextmanager
def opened(path: Path | bytes, *, at: int | None = None) -> Iterator[int]:
    """A folder's descriptor. With `at` the path is one component below that folder, and may not be a link."""
    folder = os.open(path, _FOLDER if at is None else _FOLDER | os.O_NOFOLLOW, dir_fd=at)
    try:
        yield folder
    finally:
        os.close(folder)


@contextmanager
def opened_itself(path: Path) -> Iterator[int]:
    """A folder's descriptor, which may not be a link itself; the folders above it may. Then ELOOP or ENOTDIR."""
    folder = os.open(path, _FOLDER | os.O_NOFOLLOW)
    try:
        yield folder
    finally:
        os.close(folder)


@contextmanager
def opened_below(top: int, parts: Sequence[bytes], *, make: bool = False) -> Iterator[int]:
    """The folder at the end of `parts` below `top`; with `make` each is made where absent, for us alone."""
    current = os.dup(top)
    try:
        for part in parts:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(part, _PRIVATE, dir_fd=current)
            inner = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=current)
            os.close(current)
            current = inner
        yield current
    finally:
        os.close(current)


def parts_of(place: bytes) -> tuple[tuple[bytes, ...], bytes]:
    """The folders of a path parted by `/`, and its last component."""
    *folders, leaf = place.split(b"/")
    return tuple(folders), leaf


def sync_folder(folder: int) -> None:
    """Make what was made, renamed and removed in a folder durable."""
    try:
        os.fsync(folder)
    except OSError as error:
        # Some network file systems cannot sync a folder, and say so; any other error means that it failed.
        if error.errno != errno.EINVAL:
            raise


def remove_empty(top: int, parts: Sequence[bytes], *, keep: int) -> None:
    """Remove the folders at `parts` below `top`, innermost first, as far as they are empty, but the first `keep`."""
    for depth in range(len(parts), keep, -1):
        try:
            with opened_below(top, parts[: depth - 1]) as parent:
                os.rmdir(parts[depth - 1], dir_fd=parent)
        except FileNotFoundError:
            continue
        except OSError:
            return
