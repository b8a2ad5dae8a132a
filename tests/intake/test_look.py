"""One look at a drop folder."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

from filebridge.intake.look import Inbox, inboxes_of, scan


def names(inbox: Inbox) -> list[str]:
    return [entry.name for entry in scan(inbox).entries]


def test_plain_files_are_found_in_every_folder_of_the_vendor(inbox: Inbox) -> None:
    (inbox.path / "stock" / "north").mkdir(parents=True)
    (inbox.path / "inventory.csv").write_text("vpc,quantity\n")
    (inbox.path / "stock" / "north" / "a.csv").write_text("x")
    entry = scan(inbox).entries[0]
    assert names(inbox) == ["inventory.csv", "stock/north/a.csv"]
    assert (entry.size, entry.place, entry.name_bytes) == (13, b"inventory.csv", b"inventory.csv")
    assert entry.inode == (inbox.path / "inventory.csv").stat().st_ino


def test_temporary_names_hidden_folders_and_readmes_are_never_scanned(inbox: Inbox) -> None:
    for name in ("a.part", "b.tmp", ".gitkeep", "README.txt", "~$x.xlsx"):
        (inbox.path / name).write_text("x")
    (inbox.path / ".filebridge" / "claimed").mkdir(parents=True)
    (inbox.path / ".filebridge" / "claimed" / "a.csv").write_text("x")
    (inbox.path / ".snapshots").mkdir()
    (inbox.path / ".snapshots" / "a.csv").write_text("x")
    look = scan(inbox)
    assert look.entries == () and look.strays == ()


def test_links_pipes_sockets_and_second_names_are_said_and_never_opened(inbox: Inbox, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("secret")
    (inbox.path / "link.csv").symlink_to(secret)
    (inbox.path / "zero.csv").symlink_to("/dev/zero")
    (inbox.path / "folder").symlink_to(tmp_path)
    os.link(secret, inbox.path / "hard.csv")
    os.mkfifo(inbox.path / "pipe.csv")
    here = os.open(inbox.path, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"/proc/self/fd/{here}/s.csv")
        look = scan(inbox)
    os.close(here)
    assert look.entries == ()
    assert [stray.name for stray in look.strays] == [
        "folder", "hard.csv", "link.csv", "pipe.csv", "s.csv", "zero.csv",
    ]  # fmt: skip
    assert {stray.code for stray in look.strays} == {"unsafe_file"}
    assert all(stray.fix for stray in look.strays)


def test_names_of_any_bytes_are_found(inbox: Inbox) -> None:
    for name in (b"caf\xe9.csv", b"a\nb.csv", b"-rf", b"x" * 255):
        (inbox.path / os.fsdecode(name)).write_text("x")
    found = {entry.name_bytes: entry.name for entry in scan(inbox).entries}
    assert found == {
        b"caf\xe9.csv": r"caf\xe9.csv",
        b"a\nb.csv": r"a\u000ab.csv",
        b"-rf": "-rf",
        b"x" * 255: "x" * 255,
    }


def test_owner_files_say_that_somebody_has_the_file_beside_them_open(inbox: Inbox) -> None:
    for name in ("stock.xlsx", "stock.ods", "free.xlsx"):
        (inbox.path / name).write_text("x")
    (inbox.path / "~$stock.xlsx").write_bytes(b"\x09Ann Smith" + b" " * 45 + "Ann Smith".encode("utf-16-le"))
    (inbox.path / ".~lock.stock.ods#").write_text("Bob,bob,pc7,24.11.2026 07:00,file:///x;")
    writers = {entry.name: entry.writer for entry in scan(inbox).entries}
    assert writers == {"stock.xlsx": "Ann Smith", "stock.ods": "Bob", "free.xlsx": None}


def test_an_owner_file_that_is_a_pipe_is_not_waited_for(inbox: Inbox) -> None:
    (inbox.path / "stock.xlsx").write_text("x")
    os.mkfifo(inbox.path / "~$stock.xlsx")
    assert [entry.writer for entry in scan(inbox).entries] == [""]


def test_an_inbox_that_is_away_is_trouble_and_not_an_empty_inbox(tmp_path: Path) -> None:
    look = scan(Inbox("acme", tmp_path / "gone"))
    assert look.entries == () and "is not there" in look.trouble


def test_the_inbox_of_a_single_vendor_counts_but_not_the_folders_in_it(tmp_path: Path) -> None:
    top = tmp_path / "inbox"
    for folder in ("acme", "beta"):
        (top / folder).mkdir(parents=True)
        (top / folder / "inventory.csv").write_text("x")
    (top / "stock.csv").write_text("x")
    own, shared = inboxes_of("acme", (top / "acme", top))
    look = scan(shared)
    assert names(own) == ["inventory.csv"]
    assert [entry.name for entry in look.entries] == ["stock.csv"]
    assert [(stray.name, stray.code) for stray in look.strays] == [("beta/inventory.csv", "no_vendor")]
    assert "inbox/acme/" in look.strays[0].fix


def test_folders_nested_without_end_are_left_alone(inbox: Inbox) -> None:
    deep = inbox.path
    for _ in range(40):
        deep = deep / "d"
        deep.mkdir()
    (deep / "a.csv").write_text("x")
    look = scan(inbox)
    assert look.entries == () and [stray.code for stray in look.strays] == ["unsafe_file"]


def test_five_thousand_files_are_looked_at_in_a_moment(inbox: Inbox) -> None:
    for number in range(5000):
        (inbox.path / f"inventory-{number}.csv").write_bytes(b"")
    best = 9.0
    for _ in range(3):
        start = time.process_time()
        assert len(scan(inbox).entries) == 5000
        best = min(best, time.process_time() - start)
    assert best < 0.2
