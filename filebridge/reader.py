"""One file read, mapped and checked whole, in a bounded child process where it is a workbook or large.

Whatever a vendor's file does to a parser happens in the child: it may be killed, run out of memory or time, and
becomes a refusal of that file. The child is told what to do by this side's pickle; it answers in JSON and Arrow
files, so that nothing that a vendor wrote is ever unpickled here.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from filebridge.errors import FileRefused

if TYPE_CHECKING:
    from filebridge.columns import Batch
    from filebridge.mapping.mapped import MappedFile
    from filebridge.mapping.pack import FeedMapping, VendorPack
    from filebridge.tables.table import ReadHow, Table

IN_PLACE_BYTES: Final = 2_000_000
"""Text files up to this size are read in place: a process for each would cost more than the file."""
MEMORY_BYTES: Final = 6_000_000_000
"""Address space of the child. Arrow reserves far more than it uses."""
SECONDS: Final = 900
"""Longest time that one file may take to read."""
_ZIP_OR_OLE: Final = (b"PK", b"\xd0\xcf\x11\xe0")


@dataclass(frozen=True)
class Original:
    """An archived file whose reject file may come back: where it lies, its name, and how it is read."""

    path: Path
    name: str
    feed: FeedMapping
    how: ReadHow


@dataclass(frozen=True)
class ReadJob:
    """What is to be read. `feed` is None where only the headers can tell (our own layout, a correction).

    `received_at` is microseconds UTC. `originals` are the files that the vendor's reject files belong to, by
    file id: a job that turns out to be a correction of others fails with `NeedsOriginals`.
    """

    path: Path
    name: str
    spool: Path
    vendor_id: str
    vendor_zone: str
    received_at: int
    feed: FeedMapping | None = None
    originals: Mapping[str, Original] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        pack: VendorPack,
        *,
        path: Path,
        name: str,
        spool: Path,
        received_at: int,
        feed: FeedMapping | None,
    ) -> ReadJob:
        """The job of reading one file of a vendor."""
        zone, vendor_id = pack.settings.time_zone, pack.settings.vendor_id
        return cls(
            path, name, spool, vendor_id=vendor_id, vendor_zone=zone, received_at=received_at, feed=feed
        )


@dataclass(frozen=True)
class Seen:
    """What a workbook shows of itself. `corrects` is None but for a reject file that comes back."""

    headers: tuple[str, ...]
    sheet: str = ""
    corrects: tuple[str, ...] | None = None


@dataclass(frozen=True)
class ReadFile:
    """A file that was read: what it is mapped to, and the mapping that it was read by.

    `feed` is that of the job, that of the original for a correction (`corrects` is the original's id), or
    FileBridge's own layout. The records lie in `spool`.
    """

    mapped: MappedFile
    feed: FeedMapping
    spool: Path
    corrects: str = ""

    def records(self) -> Iterator[Batch]:
        """The records, batch by batch, in record order."""
        return _batches(self.spool / "records.arrow")

    def rejects(self) -> Iterator[Batch]:
        """The reasons why rows cannot go: row, column, code, message, value."""
        return _batches(self.spool / "rejects.arrow")


class NeedsOriginals(Exception):
    """The file is a reject file that came back; the files that it corrects must be handed in."""

    def __init__(self, file_ids: Iterable[str]) -> None:
        super().__init__("a correction needs its originals")
        self.file_ids = tuple(file_ids)


def _batches(path: Path) -> Iterator[Batch]:
    import pyarrow as pa

    if not path.exists():
        return
    with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as reader:
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


class _Spool:
    """Where records and rejects go while the file is read: Arrow files in the work folder."""

    def __init__(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        self.folder = folder
        self._writers: dict[str, Any] = {}

    def records(self, batch: Batch) -> None:
        self._write("records", batch)

    def rejects(self, batch: Batch) -> None:
        self._write("rejects", batch)

    def restart(self) -> None:
        """Forget all that was taken."""
        self.close()
        for path in self.folder.iterdir():
            path.unlink()

    def reread(self) -> Iterator[Batch]:
        self._close("records")
        return _batches(self.folder / "records.arrow")

    def replace(self, batches: Iterable[Batch]) -> None:
        """Put these records in the place of all that were written."""
        for batch in batches:
            self._write("replaced", batch)
        self._close("records")
        self._close("replaced")
        if (self.folder / "replaced.arrow").exists():
            (self.folder / "replaced.arrow").replace(self.folder / "records.arrow")
        else:
            (self.folder / "records.arrow").unlink(missing_ok=True)

    def close(self) -> None:
        for name in list(self._writers):
            self._close(name)

    def _write(self, name: str, batch: Batch) -> None:
        import pyarrow as pa

        if name not in self._writers:
            self._writers[name] = pa.ipc.new_file(str(self.folder / f"{name}.arrow"), batch.schema)
        self._writers[name].write_batch(batch)

    def _close(self, name: str) -> None:
        writer = self._writers.pop(name, None)
        if writer is not None:
            writer.close()


def read_here(job: ReadJob) -> ReadFile:
    """Read the file in this process. Raises FileRefused, or NeedsOriginals for a correction."""
    from filebridge.mapping.apply import map_table

    spool = _Spool(job.spool)
    with ExitStack() as stack:
        opened = _open(job.path, job.name, job.feed, None, originals=job.originals, stack=stack)
        feed = opened.feed or _own_layout(opened.table, job.name)
        mapped = map_table(
            opened.table,
            feed=feed.mapping,
            vendor_id=job.vendor_id,
            vendor_zone=job.vendor_zone,
            file_name=job.name.rpartition("/")[2],
            arrived_at=job.received_at,
            sink=spool,
        )
    spool.close()
    return ReadFile(mapped=mapped, feed=feed, spool=job.spool, corrects=opened.corrects)


@contextmanager
def opened_again(original: Original, originals: Mapping[str, Original]) -> Iterator[Table]:
    """A file as the table that its rows were mapped from, which for a correction is a correction.

    `originals` are the files that it corrects, and those that they correct, by id. Raises NeedsOriginals.
    """
    with ExitStack() as stack:
        yield _open(
            original.path, original.name, original.feed, original.how, originals=originals, stack=stack
        ).table


@dataclass(frozen=True)
class _Opened:
    """A file as a table; for a correction the file that it corrects, and the mapping of that."""

    table: Table
    feed: FeedMapping | None
    corrects: str = ""


def _open(
    path: Path,
    name: str,
    feed: FeedMapping | None,
    how: ReadHow | None,
    *,
    originals: Mapping[str, Original],
    stack: ExitStack,
) -> _Opened:
    """Open a file: by its mapping, as it was read before (`how`), or as the correction that it is."""
    from filebridge.mapping.corrections import correction_of, is_correction, original_ids, reading_of
    from filebridge.tables.open import open_table
    from filebridge.tables.table import ReadOptions, read_again

    stream = stack.enter_context(path.open("rb"))
    plain = _as_reject_file(stream, name)
    if plain is None or not is_correction(plain.headers):
        options = feed.mapping.read.options() if feed else ReadOptions()
        return _Opened(
            open_table(stream, name=name, options=read_again(options, how) if how else options), feed
        )
    ids = original_ids(plain)
    if any(file_id not in originals for file_id in ids):
        raise NeedsOriginals(ids)
    found = {
        file_id: _open(one.path, one.name, one.feed, one.how, originals=originals, stack=stack).table
        for file_id, one in ((file_id, originals[file_id]) for file_id in ids)
    }
    dropped = open_table(stream, name=name, options=reading_of(plain.how, found[ids[0]].how))
    return _Opened(correction_of(dropped, found), originals[ids[0]].feed, ids[0])


def _as_reject_file(stream: BinaryIO, name: str) -> Table | None:
    """The file as it looks without a mapping, where it could be a reject file at all."""
    from filebridge.tables.open import open_table
    from filebridge.tables.table import ReadOptions

    head = stream.read(65536)
    stream.seek(0)
    if not head.startswith(_ZIP_OR_OLE) and b"fb_" not in head.replace(b"\0", b"").lower():
        return None
    try:
        return open_table(stream, name=name, options=ReadOptions())
    except FileRefused:
        return None


def _own_layout(table: Table, name: str) -> FeedMapping:
    from filebridge.mapping.match import own_layout_document

    feed = own_layout_document(name, table.headers, table.how.sheet)
    if feed is None:
        raise FileRefused(
            "no_mapping", "No mapping takes this file, and its headers are not FileBridge's own."
        )
    return feed


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
            return read_here(job)
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
        return path.stat().st_size <= IN_PLACE_BYTES and not stream.read(4).startswith(_ZIP_OR_OLE)


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
    import filebridge.tables.open  # noqa: F401

    given = sys.stdin.buffer.read()
    if not given:
        return
    job: ReadJob | tuple[Path, str] = pickle.loads(given)
    try:
        answer = _answer_of(read_here(job)) if isinstance(job, ReadJob) else _seen(*job)
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


def _seen(path: Path, name: str) -> dict[str, Any]:
    from filebridge.mapping.corrections import is_correction, original_ids
    from filebridge.tables.open import open_table
    from filebridge.tables.table import ReadOptions

    with path.open("rb") as stream:
        table = open_table(stream, name=name, options=ReadOptions())
        corrects = original_ids(table) if is_correction(table.headers) else None
        return {"headers": table.headers, "sheet": table.how.sheet, "corrects": corrects}


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
        runs=RowRuns.of_batch(next(_batches(job.spool / "runs.arrow"))),
        **facts,
    )
    corrects = answer["corrects"]
    feed = job.originals[corrects].feed if corrects else job.feed
    feed = feed or own_layout_mapping(mapped.document, mapped.headers)
    return ReadFile(mapped=mapped, feed=feed, spool=job.spool, corrects=corrects)
