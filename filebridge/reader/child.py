"""The child process that reads workbooks and large files, and what this side does with it."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from filebridge.errors import FileRefused
from filebridge.reader.here import ZIP_OR_OLE, look_here, read_contained
from filebridge.reader.job import NeedsOriginals, ReadFile, ReadJob, Seen
from filebridge.reader.spool import batches_of

IN_PLACE_BYTES: Final = 2_000_000
"""Text files up to this size are read in place: a process for each would cost more than the file."""
MEMORY_BYTES: Final = 6_000_000_000
"""Address space of the child. Arrow reserves far more than it uses."""
SECONDS: Final = 900
"""Longest time that one file may take to read."""


class Reader:
    """Reads files: small text in place, all others in a child process, one file to a child.

    `warm` starts the next child ahead, so that it imports what it needs while this side does other things, and
    `begin` gives it its work: the `read` of that job then only waits for the answer.
    """

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._begun: tuple[ReadJob, subprocess.Popen[bytes]] | None = None

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def warm(self) -> None:
        """Start the next child now."""
        if self._child is None:
            self._child = _start()

    def begin(self, job: ReadJob) -> None:
        """Have a child begin with the job now, where it is one for a child and no other was begun."""
        if self._begun is None and not _is_small_text(job.path):
            self._begun = job, _given(self._next_child(), job)

    def close(self) -> None:
        """End the children that wait for work, or whose work nobody waits for."""
        if self._child is not None:
            child, self._child = self._child, None
            _end(child)
        if self._begun is not None:
            (_, child), self._begun = self._begun, None
            child.kill()
            _end(child)

    def read(self, job: ReadJob) -> ReadFile:
        """Read one file. Raises FileRefused (also where the child came to harm) or NeedsOriginals."""
        if self._begun is not None and self._begun[0] == job:
            (_, child), self._begun = self._begun, None
            return _read_file(_answer(child), job)
        if _is_small_text(job.path):
            return read_contained(job)
        return _read_file(_answer(_given(self._next_child(), job)), job)

    def peek(self, path: Path, name: str) -> Seen | None:
        """What a workbook shows of itself, seen in a child; None where it cannot be read."""
        try:
            answer = _answer(_given(self._next_child(), (path, name)))
        except FileRefused:
            return None
        corrects = answer["corrects"]
        return Seen(tuple(answer["headers"]), answer["sheet"], None if corrects is None else tuple(corrects))

    def _next_child(self) -> subprocess.Popen[bytes]:
        self.warm()
        child, self._child = self._child, None
        assert child is not None
        return child


def _is_small_text(path: Path) -> bool:
    with path.open("rb") as stream:
        return path.stat().st_size <= IN_PLACE_BYTES and not stream.read(4).startswith(ZIP_OR_OLE)


def _start() -> subprocess.Popen[bytes]:
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "TZ", "TMPDIR", "PYTHONHASHSEED")
    return subprocess.Popen(
        [sys.executable, "-c", "from filebridge.reader import serve; serve()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={name: os.environ[name] for name in kept if name in os.environ},
    )


def _end(child: subprocess.Popen[bytes]) -> None:
    for pipe in (child.stdin, child.stdout):
        if pipe:
            with suppress(OSError):
                pipe.close()
    try:
        child.wait(timeout=1)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _given(child: subprocess.Popen[bytes], job: ReadJob | tuple[Path, str]) -> subprocess.Popen[bytes]:
    """The child, once it has its work."""
    assert child.stdin is not None
    # A child that has died says so when it is asked for its answer.
    with suppress(BrokenPipeError), child.stdin:
        child.stdin.write(pickle.dumps(job))
    child.stdin = None
    return child


def _answer(child: subprocess.Popen[bytes]) -> dict[str, Any]:
    """What the child has to say, once it is done. Raises FileRefused or NeedsOriginals."""
    try:
        output, _ = child.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        _end(child)
        raise FileRefused(
            "unsafe_file",
            f"Reading the file took longer than {SECONDS} seconds.",
            fix="Split it, or save it as CSV.",
        ) from None
    if child.returncode:
        raise FileRefused(
            "unsafe_file", _harm(child.returncode), fix="Save it again, as CSV if nothing else helps."
        )
    answer: dict[str, Any] = json.loads(output)
    if "refused" in answer:
        raise FileRefused(**answer["refused"])
    if "needs" in answer:
        raise NeedsOriginals(answer["needs"])
    return answer


def _harm(code: int) -> str:
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return "Reading the file took more time or memory than a file may."
    return f"The file could not be read: it brought its reader down ({code})."


def serve() -> None:
    """The child: read one job from standard input, answer on standard output, and end."""
    _bound()
    import filebridge.mapping.apply
    import filebridge.mapping.corrections
    import filebridge.mapping.pack
    import filebridge.tables.arrow
    import filebridge.tables.open  # noqa: F401  (all that a job needs, while there is none yet)

    given = sys.stdin.buffer.read()
    if not given:
        return
    job: ReadJob | tuple[Path, str] = pickle.loads(given)
    try:
        answer = _answer_of(read_contained(job)) if isinstance(job, ReadJob) else asdict(look_here(*job))
    except FileRefused as refused:
        answer = {
            "refused": {
                "code": refused.code,
                "message": refused.message,
                "fix": refused.fix,
                "place": refused.place,
            }
        }
    except NeedsOriginals as needs:
        answer = {"needs": needs.file_ids}
    except MemoryError:
        answer = {
            "refused": {"code": "too_large", "message": "Reading the file takes more memory than a file may."}
        }
    sys.stdout.buffer.write(json.dumps(answer).encode())
    sys.stdout.buffer.flush()
    # Whoever waits for the answer need not wait until all that was imported is taken apart.
    os._exit(0)


def _bound() -> None:
    """Limits of the child: memory, time, no core dump, and an end when its parent ends."""
    import ctypes
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _answer_of(read: ReadFile) -> dict[str, Any]:
    """A read file as JSON; its runs go beside its records, as an Arrow file."""
    import pyarrow as pa

    runs = read.mapped.runs.batch()
    with pa.ipc.new_file(str(read.spool / "runs.arrow"), runs.schema) as writer:
        writer.write_batch(runs)
    facts = {name: value for name, value in vars(read.mapped).items() if name not in {"runs", "how", "notes"}}
    how, notes = asdict(read.mapped.how), [asdict(note) for note in read.mapped.notes]
    return {"facts": facts, "how": how, "notes": notes, "corrects": read.corrects}


def _read_file(answer: dict[str, Any], job: ReadJob) -> ReadFile:
    """The inverse of `_answer_of`, on this side."""
    from filebridge.mapping.mapped import MappedFile, RowRuns
    from filebridge.mapping.match import own_layout_mapping
    from filebridge.rejects import Note
    from filebridge.tables.table import ReadHow

    facts: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in answer["facts"].items()
    }
    how = {**answer["how"], "detected": tuple(answer["how"]["detected"])}
    mapped = MappedFile(
        how=ReadHow(**how),
        notes=tuple(Note(**note) for note in answer["notes"]),
        runs=RowRuns.of_batch(next(batches_of(job.spool / "runs.arrow"))),
        **facts,
    )
    corrects = answer["corrects"]
    feed = job.originals[corrects].feed if corrects else job.feed
    feed = feed or own_layout_mapping(mapped.document, mapped.headers)
    return ReadFile(mapped=mapped, feed=feed, spool=job.spool, corrects=corrects)
