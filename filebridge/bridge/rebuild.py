"""A new ledger in place of one that is damaged or gone: from the archive, and from what RetailOps has.

What was sent and confirmed of a file, its receipt says; how far each PO is, RetailOps says. The quantities that were
confirmed nobody says, so that the next inventory files state all of theirs again. The new ledger is complete before
it takes the place of the old one, which is kept beside it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from shutil import rmtree
from string import Formatter
from typing import TYPE_CHECKING, Any, Final

import orjson

from filebridge.bridge.deciding import Decider
from filebridge.clock import Clock, from_micros, to_micros
from filebridge.errors import ConfigError, FileRefused, UserError
from filebridge.intake.names import safe_name
from filebridge.ledger import faults, rebuild, traces
from filebridge.ledger import orders as known_orders
from filebridge.ledger.connect import Ledger, open_ledger
from filebridge.ledger.faults import LedgerDamaged, LedgerGone, LedgerOutdated
from filebridge.ledger.health import look_over, path_of
from filebridge.ledger.rebuild import ReceiptFacts
from filebridge.orders.fetch import fetch, is_to_be_submitted
from filebridge.outbox import STAGING
from filebridge.outcomes import FileStatus, Outcome
from filebridge.reader import Reader
from filebridge.rejects import CATALOGUE, Note, Reject

if TYPE_CHECKING:
    from filebridge.mapping.pack import VendorPack
    from filebridge.workspace import Workspace

_RECEIPT: Final = ".receipt.json"
_FILE_ID: Final = re.compile(r"\bf[bcdfghjkmnpqrstvwxyz][bcdfghjkmnpqrstvwxyz2-9]{8}\b")
_NEWEST: Final = 3
"""So many files of a feed are read again from its newest: that may be a correction, which counts for nothing."""
_ASIDE: Final = "work-before-rebuild-"
_MARKS: Final = r"(?:_rev\d+|_resend\d+|_\d{6})?"


@dataclass
class Rebuilt:
    """What a rebuild made, and what it could not know. Paths are as a person looks for them."""

    ledger: Path
    kept_as: Path | None = None
    """Where the old file is now; None where there was none."""
    files: int = 0
    planned_anew: list[str] = field(default_factory=list)
    """Files all of whose rows waited: the next pass reads them again."""
    to_drop_again: list[str] = field(default_factory=list)
    """Files in the archive of which some rows had no end yet."""
    unfinished: list[str] = field(default_factory=list)
    """Copies of files that were under way, put aside."""
    unreadable: list[str] = field(default_factory=list)
    """Folders of the archive without a receipt that can be read."""
    pos: dict[str, int] = field(default_factory=dict)
    """How many POs RetailOps has as submitted or further, by vendor."""
    may_come_twice: dict[str, list[str]] = field(default_factory=dict)
    """POs that wait to be submitted and are due, by vendor: one that was in a file already comes again."""
    next_numbers: dict[str, int] = field(default_factory=dict)
    """With which number PO files go on, by vendor."""


def rebuild_ledger(workspace: Workspace, clock: Clock) -> Rebuilt:
    """Make a new ledger where the old one is damaged or gone. The caller holds the lock.

    Raises UserError where there is nothing to be rebuilt, ConfigError for a vendor's broken pack, LedgerError for what
    a rebuild would not mend, and what reading POs raises; then all is as it was.
    """
    path = path_of(workspace.ledger_url)
    _must_be_needed(path, workspace)
    packs, problems = workspace.load_packs()
    if problems:
        raise ConfigError(problems)
    fresh = path.with_name(f".{path.name}.rebuilt")
    _remove(fresh)
    ledger = open_ledger(f"sqlite:///{fresh}", clock=clock)
    done = Rebuilt(path)
    try:
        _add_files(ledger, workspace, packs, done)
        numbers = rebuild.last_numbers(path) if path.exists() else {}
        for pack in packs:
            _add_orders(ledger, workspace, pack, clock, done, salvaged=numbers.get(pack.vendor, 0))
        ledger.check()
    except BaseException:
        ledger.close()
        _remove(fresh)
        raise
    ledger.close()
    stamp = from_micros(clock.now()).strftime("%Y%m%d-%H%M%S")
    _put_work_aside(workspace, stamp, done)
    _put_in_place(fresh, path, ledger.id, stamp, done)
    return done


def _must_be_needed(path: Path, workspace: Workspace) -> None:
    try:
        look_over(path, archive=workspace.archive)
    except (LedgerDamaged, LedgerGone, LedgerOutdated):
        return
    if not path.exists():
        raise UserError(
            f"There is nothing to be rebuilt: there is no ledger at {path} yet, and nothing in the archive.",
            fix="`filebridge run` makes it, on its first pass.",
        )
    raise UserError(
        f"The ledger {path} is in order: it knows more than a rebuilt one could.",
        fix="Where you mean it all the same, move the file away first.",
    )


# Files


def _add_files(ledger: Ledger, workspace: Workspace, packs: tuple[VendorPack, ...], done: Rebuilt) -> None:
    by_vendor = {pack.vendor: pack for pack in packs}
    found: list[ReceiptFacts] = []
    for folder in _archived(workspace.archive):
        facts = _facts_of(folder, workspace.archive, by_vendor)
        if facts is None:
            done.unreadable.append(str(folder))
        else:
            found.append(facts)
    found.sort(key=lambda facts: (facts.received_at, facts.file_id))
    with ledger.begin() as connection:
        for facts in found:
            rebuild.add_file(connection, facts)
    _read_again(ledger, workspace, by_vendor, found)
    done.files = len(found)
    for facts in found:
        shown = f"{facts.vendor}/{facts.name} ({facts.file_id})"
        if facts.is_planned_anew:
            done.planned_anew.append(shown)
        elif facts.lost:
            original = workspace.archive / facts.folder / safe_name(facts.name_bytes)
            done.to_drop_again.append(f"{shown}: {facts.lost} rows; {original}")


def _archived(archive: Path) -> Iterator[Path]:
    """The folders VENDOR/YYYY-MM-DD/FILE_ID of the archive, in order."""
    for folder in sorted(archive.glob("*/????-??-??/*")):
        if folder.is_dir() and _FILE_ID.fullmatch(folder.name):
            yield folder


def _facts_of(folder: Path, archive: Path, packs: dict[str, VendorPack]) -> ReceiptFacts | None:
    """What the receipt in a folder of the archive says; None where there is none, or its original is not there."""
    for path in sorted(folder.glob(f"*{_RECEIPT}")):
        try:
            receipt = orjson.loads(path.read_bytes())
            if receipt["file"]["id"] == folder.name:
                return _facts(receipt, folder, archive, packs)
        except (OSError, ValueError, KeyError, TypeError, StopIteration):
            continue
    return None


def _facts(receipt: Any, folder: Path, archive: Path, packs: dict[str, VendorPack]) -> ReceiptFacts:
    told, vendor = receipt["file"], folder.parent.parent.name
    original = next(path for path in sorted(folder.iterdir()) if _sha256(path) == told["sha256"])
    state = original.stat()
    status, notes = FileStatus(receipt["status"]), [_note(note) for note in receipt["notes"]]
    rejects = tuple(
        Reject(one["row"], one["code"], one["message"], one["column"] or "", one["value"] or "")
        for one in receipt["rejects"]
        if one["code"] in CATALOGUE
    )
    refused = status is FileStatus.REJECTED and bool(notes) and not rejects
    code, message = (notes[0].code, notes[0].message) if refused else ("", "")
    waiting = receipt.get("waiting") or []
    held = receipt["held_for"] if not waiting and status is FileStatus.HELD else None
    duplicates = [_FILE_ID.search(note.message) for note in notes if note.code == "duplicate_file"]
    mapping, pack = receipt["mapping"] or "", packs.get(vendor)
    feed = next((one for one in pack.mappings if one.path == mapping), None) if pack and mapping else None
    received_at = _instant(told["received_at"])
    return ReceiptFacts(
        file_id=folder.name,
        vendor=vendor,
        folder=folder.relative_to(archive).as_posix(),
        name=told["name"],
        name_bytes=_name_bytes(told["name"], original.name),
        sha256=told["sha256"],
        size=state.st_size,
        modified_at=state.st_mtime_ns // 1000,
        received_at=received_at,
        settled_at=_instant(receipt["calls"]["last"]) if receipt["calls"]["last"] else received_at,
        rows=told["rows"],
        document=receipt["document"] or "",
        feed=feed.feed if feed else Path(mapping).stem,
        mapping=mapping,
        mapping_sha256=feed.sha256 if feed else "",
        status=status,
        outcomes={Outcome(name): count for name, count in receipt["outcomes"].items()},
        rejects=rejects,
        reject_file=receipt["reject_file"] or "",
        zeroed=receipt["zeroed"]["count"],
        zeroing_refused=receipt["zeroed"]["refused"],
        code=code,
        message=message,
        hold_code=held["code"] if held else "",
        hold_message=held["message"] if held else "",
        duplicate_of=next((match[0] for match in duplicates if match), ""),
        notes=tuple(notes[1:] if refused else notes),
        waiting=tuple(row for one in waiting for row in one["rows"]),
    )


def _note(note: Any) -> Note:
    return Note(note["code"], note["message"])


def _name_bytes(name: str, original: str) -> bytes:
    """The name as the inbox had it, or one that leads to the same original in the archive."""
    told = os.fsencode(name)
    if safe_name(told) == original:
        return told
    return os.fsencode(original)


def _instant(text: str) -> int:
    return to_micros(datetime.fromisoformat(text))


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read_again(
    ledger: Ledger, workspace: Workspace, packs: dict[str, VendorPack], found: list[ReceiptFacts]
) -> None:
    """Tell from the bytes what no receipt tells: how a file is read, its headers, and which file it corrects.

    Of the files whose reject files may yet come back, and of the newest of each feed, which the next is compared with.
    """
    newest: Counter[tuple[str, str]] = Counter()
    wanted = set()
    for facts in reversed(found):
        newest[facts.vendor, facts.feed] += 1
        if facts.reject_file or newest[facts.vendor, facts.feed] <= _NEWEST:
            wanted.add(facts.file_id)
    spool = workspace.state / "spool" / "rebuild"
    with Reader() as reader:
        for facts in found:
            pack = packs.get(facts.vendor)
            if facts.file_id not in wanted or pack is None or not facts.rows:
                continue
            original = workspace.archive / facts.folder / safe_name(facts.name_bytes)
            decider = Decider(workspace, ledger, reader, pack)
            try:
                read = decider.read(
                    original,
                    name=facts.name,
                    spool=spool,
                    received_at=facts.received_at,
                    feed=pack.of_feed(facts.feed),
                )
            except FileRefused:
                # Its mapping is another now. It stays known, and its reject file must be dropped as a new one.
                continue
            finally:
                rmtree(spool, ignore_errors=True)
            with ledger.begin() as connection:
                rebuild.set_read(connection, facts.file_id, read.mapped, corrects=read.corrects)


# Purchase orders


def _add_orders(
    ledger: Ledger, workspace: Workspace, pack: VendorPack, clock: Clock, done: Rebuilt, *, salvaged: int
) -> None:
    from filebridge.retailops.client import RetailOps

    settings = workspace.settings.retailops
    client = RetailOps(settings.base_url, workspace.api_key(pack).secret, attempts=settings.attempts)
    try:
        fetch(ledger, client, pack, clock, every_status=True)
    finally:
        client.close()
    with ledger.read() as connection:
        rows = known_orders.orders_of(connection, pack.vendor)
    told = rebuild.told_already(rows)
    if told:
        done.pos[pack.vendor] = len(told)
    if pack.orders is None:
        return
    now = clock.now()
    due = [
        row.po
        for row in rows
        if is_to_be_submitted(row.status, pack) and row.date_submit is not None and row.date_submit <= now
    ]
    if due and not pack.settings.test:
        done.may_come_twice[pack.vendor] = due
    write = pack.orders.write
    # Each PO file held one PO at least, so that there were no more files than POs that were taken.
    last = max(salvaged, _last_in_outbox(workspace.outbox / pack.vendor, write.name_template), len(told))
    name = f"{pack.vendor}-before-rebuild.{write.format}"
    with ledger.begin() as connection:
        rebuild.add_told(connection, pack.vendor, told, name=name, last=last, now=now)
    done.next_numbers[pack.vendor] = last + 1


def _last_in_outbox(outbox: Path, template: str) -> int:
    """The highest number among the PO files that still lie in the outbox, and their traces; 0 where none does."""
    pattern = ""
    for literal, name, _, _ in Formatter().parse(template):
        pattern += re.escape(literal)
        if name:
            pattern += r"(\d+)" if name == "sequence" else ".+?"
    stem, dot, ending = pattern.rpartition(r"\.")
    shape = re.compile(f"{stem}{_MARKS}{dot}{ending}" if dot else pattern + _MARKS)
    last = 0
    for folder in (outbox / "orders", outbox / STAGING):
        names = os.listdir(folder) if folder.is_dir() else []
        for name in names:
            found = shape.fullmatch(name.removesuffix(".staged").removesuffix(".done"))
            if found and found.groups():
                last = max(last, int(found[1]))
    return last


# In place


def _put_work_aside(workspace: Workspace, stamp: str, done: Rebuilt) -> None:
    """Keep the copies of files that were under way: a ledger that does not know them would have them swept."""
    aside = workspace.state / f"{_ASIDE}{stamp}"
    for copy in workspace.work.glob("*/*"):
        target = aside / copy.parent.name / copy.name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        copy.rename(target)
    # Those of a rebuild that was killed are named as well.
    done.unfinished += sorted(str(path) for path in workspace.state.glob(f"{_ASIDE}*/*/*"))


def _put_in_place(fresh: Path, path: Path, ledger_id: str, stamp: str, done: Rebuilt) -> None:
    """A kill on the way leaves no ledger and its marker: nothing works until it is rebuilt once more."""
    try:
        if not traces.marker_of(path).exists():
            traces.mark(path, ledger_id)
        if path.exists():
            done.kept_as = _free(path.with_name(f"{path.name}.before-rebuild-{stamp}"))
            # SQLite looks for what a killed writer left under the name of the file that it belongs to.
            for ending in ("-journal", "-wal", "-shm", ""):
                old = path.with_name(path.name + ending)
                if old.exists():
                    old.rename(done.kept_as.with_name(done.kept_as.name + ending))
            traces.flush(path.parent)
        traces.mark(path, ledger_id)
        fresh.rename(path)
        traces.flush(path.parent)
        _remove(fresh)
    except OSError as error:
        raise faults.unwritable(path, error.strerror or str(error)) from error


def _free(path: Path) -> Path:
    """This name, or one like it, that nothing has."""
    names = (path.with_name(f"{path.name}-{number}") for number in count(2))
    return path if not path.exists() else next(name for name in names if not name.exists())


def _remove(fresh: Path) -> None:
    for path in (fresh, fresh.with_name(f"{fresh.name}-journal"), traces.marker_of(fresh)):
        path.unlink(missing_ok=True)
