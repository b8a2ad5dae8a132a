"""A real sender that renames newer files over the name while they are claimed: no version is lost.

The sender exchanges instead of renaming over (one step as well), so that it holds in its hands what it replaced:
a version that it replaced itself while it lay in the inbox is its own doing, every other must have been taken.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from filebridge.intake.claim import ClaimedFile
from filebridge.intake.look import Inbox, scan
from filebridge.intake.release import Release, release_name
from filebridge.intake.settle import SettledFile, Settler

VERSIONS = 600
COMMIT_SECONDS = 0.002
"""What recording the claim in the ledger costs, between the copy and the release of the name."""

SENDER = textwrap.dedent(
    """
    import ctypes, errno, os, sys, time

    inbox, replaced, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    libc = ctypes.CDLL(None, use_errno=True)
    name, beside = os.path.join(inbox, "a.csv"), os.path.join(inbox, "a.csv.part")
    for version in range(count):
        with open(beside, "w") as stream:
            stream.write(f"{version:06d}\\n" * (1 + version % 50))
        while True:
            if libc.renameat2(-100, beside.encode(), -100, name.encode(), 2) == 0:  # exchanged
                os.rename(beside, os.path.join(replaced, open(beside).read(6)))
                break
            assert ctypes.get_errno() == errno.ENOENT
            if libc.renameat2(-100, beside.encode(), -100, name.encode(), 1) == 0:  # the name was free
                break
            assert ctypes.get_errno() == errno.EEXIST
        time.sleep(0.0005 * (version % 7))
    """
)

MUTATOR = textwrap.dedent(
    """
    import os, sys, time

    path, version = sys.argv[1], 0
    while True:
        version += 1
        file = os.open(path, os.O_WRONLY)
        for _ in range(64):
            os.write(file, f"{version:09d}\\n".encode() * 400)
        os.close(file)
        time.sleep(0.25)
    """
)


def can_exchange() -> bool:
    return sys.platform == "linux" and hasattr(ctypes.CDLL(None), "renameat2")


@pytest.mark.skipif(not can_exchange(), reason="needs renameat2")
def test_no_version_is_lost_while_a_sender_renames_over_the_name(
    inbox: Inbox, tmp_path: Path, claims: Any
) -> None:
    replaced = tmp_path / "replaced"
    replaced.mkdir()
    taken: list[str] = []
    arrived = 0
    with subprocess.Popen([sys.executable, "-c", SENDER, inbox.path, replaced, str(VERSIONS)]) as sender:
        while True:
            is_over = sender.poll() is not None
            entries = scan(inbox).entries
            for entry in entries:
                claimed = claims.one(SettledFile(entry, 1))
                if isinstance(claimed, ClaimedFile):
                    taken.append(claimed.copy.read_text()[:6])
                    time.sleep(COMMIT_SECONDS)
                    arrived += release_name(claimed) is Release.ARRIVED
            if is_over and not entries:
                break
    assert sender.returncode == 0
    accounted = {*taken, *os.listdir(replaced)}
    lost = sorted({f"{version:06d}" for version in range(VERSIONS)} - accounted)
    assert lost == []
    assert arrived > 0, "the sender never came in between, so nothing was shown"
    assert len(taken) == len(set(taken))


def test_a_copy_is_one_version_while_somebody_rewrites_the_file_in_place(inbox: Inbox, claims: Any) -> None:
    path = inbox.path / "a.csv"
    path.write_text("000000000\n" * 25_600)
    settler = Settler(0.15)
    copies: list[Path] = []
    with subprocess.Popen([sys.executable, "-c", MUTATOR, path]) as writer:
        end = time.monotonic() + 3
        while time.monotonic() < end:
            settled = settler.settle([scan(inbox)], monotonic=time.monotonic())
            claimed = [claims.one(file) for file in settled.files]
            copies += [got.copy for got in claimed if isinstance(got, ClaimedFile)]
        writer.kill()
    versions = [set(copy.read_text().split()) for copy in copies]
    assert len(set().union(*versions)) > 3
    assert [torn for torn in versions if len(torn) > 1] == []
