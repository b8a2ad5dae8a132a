"""A claim is on the disk, folders and all, before anybody is told of it."""

from __future__ import annotations

import os
from typing import Any

import pytest


def test_the_copy_and_its_folders_are_on_the_disk(
    inbox: Any, claims: Any, work: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut cannot be played; what is asked of the disk can be watched."""
    synced: list[int] = []
    real = os.fsync

    def watched(opened: int) -> None:
        synced.append(os.fstat(opened).st_ino)
        real(opened)

    monkeypatch.setattr(os, "fsync", watched)
    (inbox.path / "stock.csv").write_text("SKU,Qty\nA,1\n")
    [claimed] = claims.take()
    copy = claimed.copy
    assert synced == [path.stat().st_ino for path in (copy, copy.parent, work)]
