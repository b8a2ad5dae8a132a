"""Claim: copy, record, release the name; and what a kill in between costs."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from filebridge import milestones
from filebridge.errors import UserError
from filebridge.intake.claim import ClaimedFile, claim
from filebridge.intake.look import Inbox, Waiting, scan
from filebridge.intake.release import Release, recover_claims, release_name
from filebridge.intake.settle import SettledFile


@dataclass(frozen=True)
class Row:
    """A claim as a ledger keeps it."""

    id: str
    vendor: str
    name_bytes: bytes
    sha256: str
    size: int
    modified_at: int


def row_of(claimed: ClaimedFile) -> Row:
    return Row(
        claimed.file_id, claimed.vendor, claimed.name_bytes, claimed.sha256, claimed.size, claimed.modified_at
    )


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def at_step() -> Iterator[Callable[[str, Callable[[], None]], None]]:
    """Do something at a recorded step, or end the process there."""
    before = list(milestones._observers)

    def arm(step: str, act: Callable[[], None]) -> None:
        milestones.observe(lambda reached: act() if reached == step else None)

    yield arm
    milestones._observers[:] = before


def die() -> None:
    raise Killed


def everywhere(inbox: Inbox) -> dict[str, str]:
    """What the next look finds: text by name."""
    return {entry.name: (inbox.path / os.fsdecode(entry.place)).read_text() for entry in scan(inbox).entries}


def put(inbox: Inbox, name: str, text: str) -> Path:
    """As a careful sender does: written beside, then renamed over whatever is there."""
    path = inbox.path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".part")
    beside.write_text(text)
    beside.rename(path)
    return path


# Claiming


def test_the_copy_is_whole_hashed_private_and_the_name_still_there(
    inbox: Inbox, work: Path, claims: Any
) -> None:
    path = put(inbox, "stock/Bestand März.csv", "vpc,quantity\nA,1\n")
    os.utime(path, ns=(5_000, 7_123_456_789))
    (claimed,) = claims.take()
    assert claimed.copy == work / "f0001" / "Bestand März.csv"
    assert claimed.copy.read_text() == "vpc,quantity\nA,1\n"
    assert claimed.sha256 == hashlib.sha256(b"vpc,quantity\nA,1\n").hexdigest()
    assert (claimed.vendor, claimed.name, claimed.size) == ("acme", "stock/Bestand März.csv", 17)
    assert claimed.modified_at == 7_123_456
    assert claimed.received_at == claims.clock.now()
    assert stat.S_IMODE(claimed.copy.stat().st_mode) == 0o600
    assert stat.S_IMODE(claimed.copy.parent.stat().st_mode) == 0o700
    assert path.exists()


def test_a_file_with_any_name_is_claimed_and_released(inbox: Inbox, claims: Any) -> None:
    for name in (b"caf\xe9.csv", b"a\nb.csv", b"-rf", b"x" * 255, "é".encode() * 127):
        (inbox.path / os.fsdecode(name)).write_text("x")
    taken = claims.take()
    assert [release_name(claimed) for claimed in taken] == [Release.REMOVED] * 5
    assert {claimed.copy.read_text() for claimed in taken} == {"x"}
    assert everywhere(inbox) == {}


def test_a_file_that_changed_since_it_settled_is_not_claimed(inbox: Inbox, work: Path, claims: Any) -> None:
    path = put(inbox, "a.csv", "1")
    (entry,) = scan(inbox).entries
    path.write_text("12")
    waiting = claims.one(SettledFile(entry, 1))
    assert isinstance(waiting, Waiting) and waiting.code == "still_changing"
    assert list(work.iterdir()) == []


def test_a_file_that_is_gone_or_became_a_link_is_not_claimed(
    inbox: Inbox, tmp_path: Path, claims: Any
) -> None:
    (tmp_path / "secret").write_text("secret")
    gone, link, pipe = (put(inbox, name, "1") for name in ("gone.csv", "link.csv", "pipe.csv"))
    entries = scan(inbox).entries
    for path in (gone, link, pipe):
        path.unlink()
    link.symlink_to(tmp_path / "secret")
    os.mkfifo(pipe)
    codes = [claims.one(SettledFile(entry, 1)).code for entry in entries]
    assert codes == ["still_changing", "unsafe_file", "unsafe_file"]


def test_a_folder_swapped_for_a_link_after_the_look_is_not_followed(
    inbox: Inbox, tmp_path: Path, claims: Any
) -> None:
    put(inbox, "stock/a.csv", "1")
    (entry,) = scan(inbox).entries
    (inbox.path / "stock").rename(tmp_path / "elsewhere")
    (inbox.path / "stock").symlink_to(tmp_path / "elsewhere")
    assert isinstance(claims.one(SettledFile(entry, 1)), Waiting)


def test_a_file_that_is_too_large_is_left_and_explained_and_not_copied(
    inbox: Inbox, work: Path, claims: Any
) -> None:
    put(inbox, "a.csv", "x" * 2000)
    (waiting,) = claims.try_all(max_size=1999)
    assert waiting.code == "too_large"
    assert waiting.message == "It has 2,000 bytes; the largest that is taken is 1,999 (`intake.max_size`)."
    assert list(work.iterdir()) == [] and everywhere(inbox) != {}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_what_could_not_be_removed_afterwards_is_not_claimed(inbox: Inbox, work: Path, claims: Any) -> None:
    put(inbox, "a.csv", "1")
    for folder in (*inbox.path.parents[:-2], inbox.path):
        folder.chmod(0o755)
    work.chmod(0o777)
    os.seteuid(65534)
    try:
        (waiting,) = claims.try_all()
    finally:
        os.seteuid(0)
    assert (waiting.code, waiting.message) == (
        "not_removable",
        "It cannot be taken: FileBridge may not remove files from its folder.",
    )


def test_a_full_disk_is_said_and_leaves_nothing_behind(
    inbox: Inbox, claims: Any, work: Path, clock: Any
) -> None:
    import resource
    import signal

    put(inbox, "a.csv", "x" * 100_000)
    (entry,) = scan(inbox).entries
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(OSError):
            claims.one(SettledFile(entry, 1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert list(work.iterdir()) == []
    assert everywhere(inbox) == {"a.csv": "x" * 100_000}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a small file system")
def test_no_room_is_a_sentence(
    inbox: Inbox, clock: Any, claims: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(inbox, "a.csv", "x")
    (entry,) = scan(inbox).entries
    full = os.open("/dev/full", os.O_WRONLY)
    write = os.write
    monkeypatch.setattr(os, "write", lambda _, block: write(full, block))
    with pytest.raises(UserError, match="There is no room on the disk"):
        claims.one(SettledFile(entry, 1))
    os.close(full)


def test_an_inbox_on_another_file_system_works_the_same(tmp_path: Path, work: Path, clock: Any) -> None:
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == work.stat().st_dev:
        pytest.skip("there is no second file system here")
    inbox = Inbox("acme", memory / f"filebridge-{os.getpid()}")
    inbox.path.mkdir()
    try:
        put(inbox, "a.csv", "1")
        (entry,) = scan(inbox).entries
        claimed = claim(SettledFile(entry, 1), work=work, file_id="f1", clock=clock, max_size=9)
        assert isinstance(claimed, ClaimedFile)
        assert release_name(claimed) is Release.REMOVED
        assert claimed.copy.read_text() == "1" and everywhere(inbox) == {}
    finally:
        import shutil

        shutil.rmtree(inbox.path)


# Releasing the name


def test_the_name_goes_and_the_claim_folder_is_empty_again(inbox: Inbox, claims: Any) -> None:
    put(inbox, "stock/a.csv", "1")
    (claimed,) = claims.take()
    assert release_name(claimed) is Release.REMOVED
    assert everywhere(inbox) == {}
    ours = inbox.path / ".filebridge"
    assert sorted(path.name for path in ours.rglob("*")) == ["README.txt", "claimed"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (ours, ours / "claimed")} == {0o700}


def test_a_newer_file_under_the_name_is_an_arrival_of_its_own(inbox: Inbox, claims: Any) -> None:
    put(inbox, "stock/a.csv", "1")
    (claimed,) = claims.take()
    put(inbox, "stock/a.csv", "2")
    assert release_name(claimed) is Release.ARRIVED
    assert everywhere(inbox) == {"stock/a.csv": "2"}
    (again,) = claims.take()
    assert (again.name, again.copy.read_text()) == ("stock/a.csv", "2")
    assert release_name(again) is Release.REMOVED
    assert everywhere(inbox) == {}
    assert list((inbox.path / ".filebridge" / "arrived").iterdir()) == []


def test_three_files_of_one_name_are_three_arrivals(inbox: Inbox, claims: Any) -> None:
    put(inbox, "a.csv", "1")
    (first,) = claims.take()
    put(inbox, "a.csv", "2")
    assert release_name(first) is Release.ARRIVED
    put(inbox, "a.csv", "3")
    both = claims.take()
    assert sorted(claimed.copy.read_text() for claimed in both) == ["2", "3"]
    assert [release_name(claimed) for claimed in both] == [Release.REMOVED, Release.REMOVED]
    assert everywhere(inbox) == {}


def test_an_edit_in_place_of_equal_length_and_time_is_an_arrival(inbox: Inbox, claims: Any) -> None:
    path = put(inbox, "a.csv", "1")
    (claimed,) = claims.take()
    times = path.stat()
    path.write_text("2")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert release_name(claimed) is Release.ARRIVED
    assert everywhere(inbox) == {"a.csv": "2"}


def test_a_writer_that_opened_the_file_meanwhile_writes_on_in_an_arrival(inbox: Inbox, claims: Any) -> None:
    path = put(inbox, "a.csv", "1")
    (claimed,) = claims.take()
    with path.open("a") as writer:
        writer.write("2")
        writer.flush()
        assert release_name(claimed) is Release.ARRIVED
        writer.write("3")
    assert everywhere(inbox) == {"a.csv": "123"}
    assert claimed.copy.read_text() == "1"


def test_a_name_that_its_sender_took_back_is_gone(inbox: Inbox, claims: Any) -> None:
    path = put(inbox, "stock/a.csv", "1")
    (claimed,) = claims.take()
    path.unlink()
    assert release_name(claimed) is Release.GONE
    assert claimed.copy.read_text() == "1"


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_what_is_no_file_any_more_is_kept_and_never_opened(kind: str, inbox: Inbox, claims: Any) -> None:
    path = put(inbox, "a.csv", "1")
    (claimed,) = claims.take()
    path.unlink()
    if kind == "folder":
        put(inbox, "a.csv/inside.csv", "2")
    elif kind == "link":
        path.symlink_to("/dev/zero")
    else:
        os.mkfifo(path)
    assert release_name(claimed) is Release.ARRIVED
    look = scan(inbox)
    found = [entry.name for entry in look.entries] + [stray.name for stray in look.strays]
    assert found == ["a.csv/inside.csv" if kind == "folder" else "a.csv"]


# A kill at each step


def kept(work: Path) -> list[str]:
    """Texts of the copies in the work folder."""
    return sorted(path.read_text() for path in work.glob("*/*"))


class Ledger:
    """Rows of claims, and which of them are taken."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.taken: set[str] = set()

    def take_all(self, claims: Any) -> None:
        """What a pass does with each file: claim, record, release, record."""
        for claimed in claims.take():
            self.rows[claimed.file_id] = row_of(claimed)
            milestones.reached("file.recorded", claimed.file_id)
            if release_name(claimed) is not Release.STUCK:
                self.taken.add(claimed.file_id)

    def recover(self, inbox: Inbox, work: Path) -> None:
        unfinished = [row for row in self.rows.values() if row.id not in self.taken]
        recovery = recover_claims([inbox], work=work, unfinished=unfinished, find=self.rows.get)
        assert recovery.stuck == ()
        self.taken.update(recovery.released)


STEPS = ["file.copied", "file.recorded", "file.name_renamed", "file.name_deleted"]


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_takes_the_file_once(
    step: str, inbox: Inbox, work: Path, claims: Any, at_step: Any
) -> None:
    ledger = Ledger()
    put(inbox, "stock/a.csv", "1")
    at_step(step, die)
    with pytest.raises(Killed):
        ledger.take_all(claims)
    milestones._observers.clear()
    for _ in range(2):
        ledger.recover(inbox, work)
    ledger.take_all(claims)
    assert everywhere(inbox) == {}
    assert kept(work) == ["1"]
    assert set(ledger.rows) == ledger.taken and len(ledger.rows) == 1


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_newer_file_is_not_lost_whenever_it_comes_and_whenever_the_kill(
    when: str, step: str, claims: Any, at_step: Any
) -> None:
    ledger, inbox, work = Ledger(), claims.inbox, claims.work
    put(inbox, "a.csv", "1")
    if when == "before":
        at_step("file.copied", lambda: put(inbox, "a.csv", "2") and None)
        at_step("file.arrived_again" if step == "file.name_deleted" else step, die)
    else:
        at_step(step, die)
    with pytest.raises(Killed):
        ledger.take_all(claims)
    milestones._observers.clear()
    put(inbox, "a.csv", "3")
    for _ in range(2):
        ledger.recover(inbox, work)
    ledger.take_all(claims)
    assert everywhere(inbox) == {}
    # 2 was renamed over by its own sender where it still lay in the inbox.
    overwritten = when == "before" and step in ("file.copied", "file.recorded")
    copied_in_vain = step == "file.copied"
    wanted = {"3"} | (set() if copied_in_vain else {"1"})
    assert set(kept(work)) == (wanted if when == "after" or overwritten else wanted | {"2"})
    assert set(ledger.rows) == ledger.taken


def test_a_copy_that_the_ledger_does_not_know_is_swept(inbox: Inbox, work: Path, claims: Any) -> None:
    put(inbox, "a.csv", "1")
    claims.take()
    recovery = recover_claims([inbox], work=work, unfinished=[], find=lambda _: None)
    assert recovery.swept == ("f0001",)
    assert list(work.iterdir()) == [] and everywhere(inbox) == {"a.csv": "1"}


def test_what_lies_in_the_claim_folder_of_a_lost_ledger_is_an_arrival(
    inbox: Inbox, work: Path, claims: Any, at_step: Any
) -> None:
    put(inbox, "stock/a.csv", "1")
    (claimed,) = claims.take()
    at_step("file.name_renamed", die)
    with pytest.raises(Killed):
        release_name(claimed)
    recover_claims([inbox], work=work, unfinished=[], find=lambda _: None)
    assert everywhere(inbox) == {"stock/a.csv": "1"}


def test_a_name_is_not_removed_while_the_copy_cannot_be_found(inbox: Inbox, work: Path, claims: Any) -> None:
    put(inbox, "a.csv", "1")
    (claimed,) = claims.take()
    claimed.copy.unlink()
    row = row_of(claimed)
    recovery = recover_claims([inbox], work=work, unfinished=[row], find={row.id: row}.get)
    assert (recovery.released, recovery.stuck) == ((), ("f0001",))
    assert everywhere(inbox) == {"a.csv": "1"}


def test_claims_of_an_inbox_that_is_away_wait_until_it_is_back(inbox: Inbox, work: Path, claims: Any) -> None:
    put(inbox, "a.csv", "1")
    (claimed,) = claims.take()
    row, elsewhere = row_of(claimed), inbox.path.with_name("unmounted")
    inbox.path.rename(elsewhere)
    away = recover_claims([inbox], work=work, unfinished=[row], find={row.id: row}.get)
    elsewhere.rename(inbox.path)
    back = recover_claims([inbox], work=work, unfinished=[row], find={row.id: row}.get)
    assert (away.released, away.stuck) == ((), ("f0001",))
    assert (back.released, back.stuck) == (("f0001",), ())
    assert everywhere(inbox) == {}
