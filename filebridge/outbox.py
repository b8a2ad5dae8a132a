"""The outbox: files that a vendor takes, complete and durable before they appear, and published in one step.

A file is written into `<outbox>/.filebridge/`, on the outbox's own file system, and published by a rename.
That is the only step whose outcome can be read back: still staged = not published, gone = published. Whether
the file is in the outbox is never asked, since the vendor may have taken it already.

Publishing must neither overwrite what lies under that name nor give up being one step. Linux' renameat2 with
RENAME_NOREPLACE does both. Where a file system lacks it (NFS, some FUSE) the name is looked up first and then
renamed plainly. Link and unlink would refuse an existing name there as well, but they are two steps: after a
crash between them the file counts as staged although it was published, and a PO would reach the vendor twice.
The look-up loses only against somebody who makes a file under our own name in the very same moment.

An outbox is often a share. While it is not mounted an empty folder stands in its place, in which every staged
file is "gone". So a file whose publishing is asked about later is staged with a trace, an empty file beside
it that stays: gone with its trace there = published; both gone = this is not the outbox, and nothing is known.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import logging
import os
import stat
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Final

from filebridge.errors import UserError

logger = logging.getLogger("filebridge.outbox")

STAGING: Final = ".filebridge"
_TRACE: Final = ".staged"
PUBLISHED_MODE: Final = 0o640
_MAX_NAME_BYTES: Final = 255
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_OWN_FOLDER: Final = _FOLDER | os.O_NOFOLLOW
_NEW_FILE: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_TRACE_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_RENAME_NOREPLACE: Final = 1
_NOT_SUPPORTED: Final = frozenset({errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP})


@dataclass(frozen=True)
class Staged:
    """A file that is complete and durable in the staging folder of `outbox`. `size` is in bytes."""

    outbox: Path
    name: str
    sha256: str
    size: int


def stage(outbox: Path, name: str, write: Callable[[BinaryIO], None], *, traced: bool = False) -> Staged:
    """Have `write` fill a file in the staging folder of `outbox` (made where absent), and make it durable.

    `write` is handed a seekable binary file. The hash is that of the bytes read back. A staged file of that
    name is written anew: what the ledger knows to be staged is never staged again. `traced` leaves the trace
    that `still_staged` and `is_taken` need, until a `sweep`. Where `write` raises, nothing stays behind.
    Raises ValueError where `name` is no plain file name, OSError where the disk fails.
    """
    check_plain(name)
    with _staging(outbox, make=True) as folder:
        _remove(folder, name)
        try:
            with os.fdopen(os.open(name, _NEW_FILE, 0o600, dir_fd=folder), "w+b") as stream:
                write(stream)
                stream.flush()
                _hand_to_group(stream.fileno(), outbox)
                os.fsync(stream.fileno())
                size = stream.seek(0, os.SEEK_END)
                stream.seek(0)
                sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        except BaseException:
            _remove(folder, name)
            raise
        if traced:
            os.close(os.open(name + _TRACE, _TRACE_FILE, 0o600, dir_fd=folder))
        _sync_folder(folder)
    return Staged(outbox, name, sha256, size)


def still_staged(outbox: Path, name: str) -> bool:
    """Whether a file that was staged with a trace still is: then it is not published, else it is.

    Raises UserError where this is not the outbox that it was staged in: nothing is known then.
    """
    with _opened_staging(outbox, name) as folder:
        if _is_there(folder, name):
            return True
        if _is_there(folder, name + _TRACE):
            return False
    raise _not_the_outbox(outbox, name)


def publish(staged: Staged, folder: Path, *, replace: bool = False) -> Path:
    """Rename a staged file into `folder`, below its outbox, and make that durable; where it is now.

    `folder` is made where absent, with its parent's group and mode. Raises FileExistsError where that name is
    taken and `replace` is False; the file then stays staged. Raises UserError where the folder lies on
    another file system than the outbox.
    """
    target = folder / staged.name
    parts = folder.relative_to(staged.outbox).parts
    with _staging(staged.outbox, make=False) as source, _below(staged.outbox, parts) as destination:
        try:
            if replace:
                os.rename(staged.name, staged.name, src_dir_fd=source, dst_dir_fd=destination)
            else:
                _rename_to_free_name(source, staged.name, destination)
        except FileExistsError:
            raise FileExistsError(errno.EEXIST, "a file of this name is already there", str(target)) from None
        except OSError as error:
            if error.errno == errno.EXDEV:
                raise _two_file_systems(staged.outbox, folder) from error
            # A network share may have done it and lost only its answer.
            if _is_there(source, staged.name):
                raise
        _sync_folder(destination)
        _sync_folder(source)
    return target


def is_taken(outbox: Path, folder: Path, name: str) -> bool:
    """Whether a file that was staged with a trace, and published, is no longer in `folder`.

    Raises UserError where this is not the outbox that it was staged in: nothing is known then.
    """
    with _opened_staging(outbox, name) as staging:
        if not _is_there(staging, name + _TRACE):
            raise _not_the_outbox(outbox, name)
    with _opened(folder, _FOLDER) as opened:
        return not _is_there(opened, name)


def sweep(outbox: Path, known_names: Collection[str]) -> tuple[str, ...]:
    """Remove staged files and traces that the ledger does not know (`known_names`); which, in name order.

    Such a file was staged by a pass that ended before it could write that down: it was not published. A name
    is known as long as it may still be asked about: then its trace stays.
    """
    try:
        names = sorted(os.listdir(outbox / STAGING))
    except FileNotFoundError:
        return ()
    kept = {*known_names, *(name + _TRACE for name in known_names)}
    orphans = tuple(name for name in names if name not in kept)
    if orphans:
        with _staging(outbox, make=False) as folder:
            for name in orphans:
                _remove(folder, name)
            _sync_folder(folder)
    return orphans


def check_plain(name: str) -> None:
    """Raise ValueError unless `name` is one component of a path that any file system here can hold."""
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise ValueError(f"{name!r} is no file name")
    if len(os.fsencode(name)) > _MAX_NAME_BYTES:
        raise ValueError(f"a file name of more than {_MAX_NAME_BYTES} bytes: {name[:40]!r}…")


# Folders


@contextmanager
def _opened_staging(outbox: Path, name: str) -> Iterator[int]:
    try:
        with _staging(outbox, make=False) as folder:
            yield folder
    except FileNotFoundError as error:
        raise _not_the_outbox(outbox, name) from error


def _not_the_outbox(outbox: Path, name: str) -> UserError:
    return UserError(
        f"{outbox} is not the folder that {name} was staged in: its staging folder knows nothing of the file.",
        fix="Mount the share that belongs there, then run again; nothing is lost meanwhile.",
    )


def _is_there(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


@contextmanager
def _opened(path: str | Path, flags: int, *, at: int | None = None) -> Iterator[int]:
    opened = os.open(path, flags, dir_fd=at)
    try:
        yield opened
    finally:
        os.close(opened)


@contextmanager
def _staging(outbox: Path, *, make: bool) -> Iterator[int]:
    """The staging folder. A link under its name is refused: whoever may write the outbox could make one."""
    if make:
        outbox.mkdir(parents=True, exist_ok=True)
    with _opened(outbox, _FOLDER) as top:
        if make:
            try:
                os.mkdir(STAGING, 0o700, dir_fd=top)
                _sync_folder(top)
            except FileExistsError:
                pass
        with _opened(STAGING, _OWN_FOLDER, at=top) as staging:
            yield staging


@contextmanager
def _below(outbox: Path, parts: tuple[str, ...]) -> Iterator[int]:
    """A folder below the outbox, each step made where absent and none of them a link."""
    current = os.open(outbox, _FOLDER)
    try:
        for part in parts:
            check_plain(part)
            _make_like_parent(current, part)
            inner = os.open(part, _OWN_FOLDER, dir_fd=current)
            os.close(current)
            current = inner
        yield current
    finally:
        os.close(current)


def _make_like_parent(parent: int, name: str) -> None:
    """Make a folder with its parent's group and mode: who may take files from one may take them from both."""
    try:
        os.mkdir(name, 0o700, dir_fd=parent)
    except FileExistsError:
        return
    wanted = os.fstat(parent)
    with _opened(name, _OWN_FOLDER, at=parent) as made:
        _set_group(made, wanted.st_gid)
        os.fchmod(made, stat.S_IMODE(wanted.st_mode))
    _sync_folder(parent)


def _hand_to_group(file: int, outbox: Path) -> None:
    _set_group(file, outbox.stat().st_gid)
    os.fchmod(file, PUBLISHED_MODE)


def _set_group(opened: int, group: int) -> None:
    if os.fstat(opened).st_gid == group:
        return
    try:
        os.fchown(opened, -1, group)
    except PermissionError:
        logger.warning(
            "FileBridge is not in the outbox folder's group; files keep FileBridge's own",
            extra={"gid": group},
        )


def _sync_folder(folder: int) -> None:
    try:
        os.fsync(folder)
    except OSError as error:
        # Some network file systems cannot sync a folder, and say so; any other error means that it failed.
        if error.errno != errno.EINVAL:
            raise


def _remove(folder: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except (FileNotFoundError, IsADirectoryError):
        return


# Renaming


def _rename_to_free_name(source: int, name: str, destination: int) -> None:
    """Rename unless the name is taken: in one step where the file system can, else after a look."""
    rename = _renameat2()
    if rename is not None:
        encoded = os.fsencode(name)
        if rename(source, encoded, destination, encoded, _RENAME_NOREPLACE) == 0:
            return
        number = ctypes.get_errno()
        if number not in _NOT_SUPPORTED:
            raise OSError(number, os.strerror(number), name)
    if _is_there(destination, name):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)
    os.rename(name, name, src_dir_fd=source, dst_dir_fd=destination)


@cache
def _renameat2() -> Any:
    """The C library's renameat2, None where there is none."""
    if not sys.platform.startswith("linux"):
        return None
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is not None:
        function.argtypes = [
            ctypes.c_int,
            ctypes.c_char_p,
            ctypes.c_int,
            ctypes.c_char_p,
            ctypes.c_uint,
        ]
        function.restype = ctypes.c_int
    return function


def _two_file_systems(outbox: Path, folder: Path) -> UserError:
    return UserError(
        f"{folder} lies on another file system than {outbox}, so that nothing can be published there in one step.",
        fix=f"Mount the share at {outbox} as a whole, not at a folder in it.",
    )
