"""What a power cut would leave: the system calls of a real run, in order, as strace records them.

A power cut cannot be played here. What can be told is that nothing is acted on before it is on the disk: a file is
synced after its last byte and before it is renamed, its folder before the ledger or RetailOps is told of it, and the
ledger before RetailOps is. Of SQLite's commits the end of the journal is the moment that counts.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CALLS = "fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,sendto,write,pwrite64"
PO = {
    "po": "D1",
    "vendor_id": 27,
    "status": "ready",
    "date_submit": "2026-01-20T17:00:00Z",
    "items": [{"po_item_id": 1, "vpc": "A", "quantity": 2}],
}

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


@dataclass(frozen=True)
class Deed:
    """One system call that succeeded: `what` is write, sync, rename, unlink or send."""

    what: str
    path: str
    to: str = ""

    @property
    def is_commit(self) -> bool:
        """The end of a journal is the moment at which SQLite's transaction counts."""
        return self.what == "unlink" and self.path.endswith(".filebridge/ledger.db-journal")

    @property
    def changes_retailops(self) -> bool:
        return self.what == "send" and self.path.startswith("POST") and "etch.json" not in self.path


def deeds_of(trace: str) -> Iterator[Deed]:
    """The calls in order: a sync stands where it ended, everything else where it began."""
    begun: dict[str, str] = {}
    for line in trace.splitlines():
        process, _, call = line.partition(" ")
        call = call.strip()
        if call.endswith("<unfinished ...>"):
            begun[process] = call.removesuffix("<unfinished ...>")
            if not call.startswith(("fsync", "fdatasync")):
                yield from _deeds(begun[process])
            continue
        resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", call)
        if resumed:
            start = begun.pop(process, "")
            if start.startswith(("fsync", "fdatasync")):
                yield from _deeds(start + resumed[1])
            continue
        yield from _deeds(call)


def _deeds(call: str) -> Iterator[Deed]:
    name, _, rest = call.partition("(")
    if " = -1 " in rest:
        return
    opened, quoted = re.findall(r"\d+<([^>]*)>", rest), re.findall(r'"((?:[^"\\]|\\.)*)"', rest)
    match name:
        case "fsync" | "fdatasync":
            yield Deed("sync", opened[0])
        case "write" | "pwrite64" if opened and opened[0].startswith("/"):
            yield Deed("write", opened[0])
        case "rename":
            yield Deed("rename", quoted[0], quoted[1])
        case "renameat" | "renameat2":
            yield Deed("rename", f"{opened[0]}/{quoted[0]}", f"{opened[1]}/{quoted[1]}")
        case "unlink":
            yield Deed("unlink", quoted[0])
        case "unlinkat":
            yield Deed("unlink", f"{opened[0]}/{quoted[0]}" if opened else quoted[0])
        case "sendto" if quoted:
            yield Deed("send", quoted[0])


def record(made: Any, *arguments: str) -> list[Deed]:
    """Run a command and record what it asks of the disk and of the network."""
    trace = made.root.parent / "trace"
    strace = ["strace", "-f", "-y", "-s", "256", "-o", str(trace), "-e", f"trace={CALLS}"]
    command = [sys.executable, "-m", "filebridge", "-C", str(made.root), *arguments]
    here = str(Path(__file__).parents[2])
    variables = {**os.environ, "RETAILOPS_API_KEY": "end-to-end-key", "PYTHONPATH": here}
    done = subprocess.run([*strace, *command], env=variables, capture_output=True, text=True, check=False)
    if "Operation not permitted" in done.stderr:
        pytest.skip("this user may not trace a process")
    assert done.returncode == 0, done
    return list(deeds_of(trace.read_text(errors="replace")))


@pytest.fixture
def deeds(office: Callable[..., Any], retailops: Any) -> list[Deed]:
    """Of the first run of a workspace: a ledger is made, a file comes in, a PO goes out and is marked."""
    made = office()
    retailops.ask("pos", [PO])
    made.write("inbox/acme/stock.csv", "SKU,Qty\nA,5\n00120,7\n")
    found = record(made, "run")
    assert retailops.quantities() == {"A": 5, "00120": 7}
    return found


def place(deeds: list[Deed], what: str, path: str, *, after: int = -1, to: str = "") -> int:
    """Where the first such deed after another stands; paths are told by how they end."""
    for number, deed in enumerate(deeds):
        if number > after and deed.what == what and deed.path.endswith(path) and deed.to.endswith(to):
            return number
    raise AssertionError(f"no {what} of {path} after {after}")


def commit(deeds: list[Deed], *, after: int) -> int:
    """Where the next commit is on the disk."""
    ended = next(number for number, deed in enumerate(deeds) if number > after and deed.is_commit)
    return place(deeds, "sync", "office/.filebridge", after=ended)


def test_power_order(deeds: list[Deed]) -> None:
    """All of it at once, since the recording takes its time."""
    _check_that_files_are_whole_before_they_are_renamed(deeds)
    _check_that_folders_are_synced_before_anything_else_is_done(deeds)
    _check_that_a_claim_is_recorded_before_its_name_goes(deeds)
    _check_that_a_po_file_is_published_before_it_is_marked(deeds)
    _check_that_an_original_is_archived_before_that_is_written_down(deeds)
    _check_that_retailops_hears_nothing_that_the_ledger_does_not_have(deeds)


def _check_that_files_are_whole_before_they_are_renamed(deeds: list[Deed]) -> None:
    renamed = [number for number, deed in enumerate(deeds) if deed.what == "rename"]
    written = {deed.path for deed in deeds if deed.what == "write"}
    ours = [number for number in renamed if deeds[number].path in written]
    # The ledger, its marker, the copy, the PO file, two replies in the outbox and two in the archive, STATUS.txt.
    assert len(ours) >= 8
    for number in ours:
        path = deeds[number].path
        last = max(at for at, deed in enumerate(deeds[:number]) if (deed.what, deed.path) == ("write", path))
        if not path.endswith("STATUS.txt"):
            assert Deed("sync", path) in deeds[last:number], path


def _check_that_folders_are_synced_before_anything_else_is_done(deeds: list[Deed]) -> None:
    for number, deed in enumerate(deeds):
        # A name that leaves the inbox is compared and goes; if it came back, it would be known again.
        if deed.what != "rename" or "/claimed/" in deed.to or deed.path.endswith("STATUS.txt"):
            continue
        folder = Deed("sync", str(Path(deed.to).parent))
        later = deeds[number + 1 :]
        acted = next(
            (at for at, one in enumerate(later) if one.is_commit or one.changes_retailops), len(later)
        )
        assert folder in later[:acted], deed


def _check_that_a_claim_is_recorded_before_its_name_goes(deeds: list[Deed]) -> None:
    goes = place(deeds, "rename", "inbox/acme/stock.csv")
    copied = next(
        number
        for number, deed in enumerate(deeds)
        if deed.what == "sync" and re.search(r"\.filebridge/work/f\w+/stock\.csv$", deed.path)
    )
    folder = place(deeds, "sync", str(Path(deeds[copied].path).parent), after=copied)
    work = place(deeds, "sync", "/.filebridge/work", after=folder)
    assert commit(deeds, after=work) < goes
    gone = place(deeds, "sync", "inbox/acme", after=goes)
    assert gone < commit(deeds, after=goes)


def _check_that_a_po_file_is_published_before_it_is_marked(deeds: list[Deed]) -> None:
    staged = place(deeds, "sync", ".filebridge/PO_acme_000001.csv")
    folder = place(deeds, "sync", "outbox/acme/.filebridge", after=staged)
    recorded = commit(deeds, after=folder)
    published = place(deeds, "rename", "PO_acme_000001.csv", to="orders/PO_acme_000001.csv")
    assert recorded < published
    durable = place(deeds, "sync", "outbox/acme/orders", after=published)
    written_down = commit(deeds, after=durable)
    assert written_down < place(deeds, "send", "", after=written_down)
    (marked,) = (
        number for number, deed in enumerate(deeds) if deed.what == "send" and "MarkSub" in deed.path
    )
    assert written_down < marked


def _check_that_an_original_is_archived_before_that_is_written_down(deeds: list[Deed]) -> None:
    (moved,) = (
        number
        for number, deed in enumerate(deeds)
        if deed.what == "rename" and "/archive/" in deed.to and deed.to.endswith("/stock.csv")
    )
    folder = str(Path(deeds[moved].to).parent)
    for above in (folder, *(str(path) for path in list(Path(folder).parents)[:2])):
        assert Deed("sync", above) in deeds
    durable = place(deeds, "sync", folder, after=moved)
    assert durable < commit(deeds, after=moved)


def _check_that_retailops_hears_nothing_that_the_ledger_does_not_have(deeds: list[Deed]) -> None:
    sent = [number for number, deed in enumerate(deeds) if deed.changes_retailops]
    assert len(sent) == 2
    for number in sent:
        before = deeds[:number]
        ended = max(at for at, deed in enumerate(before) if deed.is_commit)
        # Nothing of a transaction is under way, and the last one is on the disk.
        assert Deed("sync", str(Path(deeds[ended].path).parent)) in before[ended:]
        assert not any(
            deed.what == "write" and ".filebridge/ledger.db" in deed.path for deed in before[ended:]
        )


def test_the_recording_is_read_as_it_is_meant() -> None:
    trace = (
        '7 write(3</a/x.part>, "abc", 3) = 3\n'
        "7 fsync(3</a/x.part> <unfinished ...>\n"
        '8 sendto(4<socket:[1]>, "POST /u.json", 12, 0, NULL, 0) = 12\n'
        "7 <... fsync resumed>) = 0\n"
        '7 renameat2(5</a>, "x.part", 6</b>, "x", RENAME_NOREPLACE) = 0\n'
        '7 unlink("/a/none") = -1 ENOENT (No such file or directory)\n'
    )
    assert list(deeds_of(trace)) == [
        Deed("write", "/a/x.part"),
        Deed("send", "POST /u.json"),
        Deed("sync", "/a/x.part"),
        Deed("rename", "/a/x.part", "/b/x"),
    ]
