"""The outbox: complete and durable before it appears, published in one step, never over another's file."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebridge import outbox as box
from filebridge.errors import UserError


def holding(text: bytes) -> Callable[[BinaryIO], None]:
    def write(stream: BinaryIO) -> None:
        stream.write(text)

    return write


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    folder = tmp_path / "outbox" / "acme"
    folder.mkdir(parents=True)
    return folder


def seen(folder: Path) -> list[str]:
    """What a vendor's program sees: names that do not begin with a dot."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and ".filebridge" not in path.parts
    )


def test_a_staged_file_is_not_seen_and_a_published_one_is_whole(outbox: Path) -> None:
    staged = box.stage(outbox, "PO_1.csv", holding(b"po,vpc\r\n"))
    assert seen(outbox) == []
    assert box.publish(staged, outbox / "orders") == outbox / "orders" / "PO_1.csv"
    assert (outbox / "orders" / "PO_1.csv").read_bytes() == b"po,vpc\r\n"


def test_size_and_hash_are_those_of_the_bytes_read_back(outbox: Path) -> None:
    staged = box.stage(outbox, "PO_1.csv", holding(b"abc"))
    assert (staged.size, staged.sha256[:16]) == (3, "ba7816bf8f01cfea")


def test_staging_is_ours_alone_and_a_published_file_is_for_the_group_of_the_outbox(outbox: Path) -> None:
    staged = box.stage(outbox, "PO_1.csv", holding(b"x"))
    assert stat.S_IMODE((outbox / ".filebridge").stat().st_mode) == 0o700
    path = box.publish(staged, outbox / "orders")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.stat().st_gid == outbox.stat().st_gid


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may hand a folder to any group")
def test_a_vendor_in_the_outbox_folders_group_may_read_and_remove_what_is_published(outbox: Path) -> None:
    os.chown(outbox, -1, 54321)
    outbox.chmod(0o2770)
    path = box.publish(box.stage(outbox, "PO_1.csv", holding(b"x")), outbox / "orders")
    assert path.stat().st_gid == 54321
    assert path.parent.stat().st_gid == 54321
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o2770


def test_publishing_never_overwrites(outbox: Path) -> None:
    (outbox / "orders").mkdir()
    (outbox / "orders" / "PO_1.csv").write_bytes(b"somebody else's")
    staged = box.stage(outbox, "PO_1.csv", holding(b"ours"), traced=True)
    with pytest.raises(FileExistsError, match="already there"):
        box.publish(staged, outbox / "orders")
    assert (outbox / "orders" / "PO_1.csv").read_bytes() == b"somebody else's"
    assert box.still_staged(outbox, "PO_1.csv")


def test_nor_on_a_file_system_without_a_rename_that_refuses(
    outbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(box, "_renameat2", lambda: None)
    box.publish(box.stage(outbox, "PO_1.csv", holding(b"first")), outbox / "orders")
    with pytest.raises(FileExistsError):
        box.publish(box.stage(outbox, "PO_1.csv", holding(b"second")), outbox / "orders")
    assert (outbox / "orders" / "PO_1.csv").read_bytes() == b"first"


def test_a_receipt_replaces_the_older_one_when_told_to(outbox: Path) -> None:
    for text in (b"old", b"new"):
        box.publish(
            box.stage(outbox, "stock.csv.receipt.json", holding(text)), outbox / "replies", replace=True
        )
    assert (outbox / "replies" / "stock.csv.receipt.json").read_bytes() == b"new"


def test_still_staged_tells_published_from_not_even_when_the_vendor_has_taken_the_file(outbox: Path) -> None:
    staged = box.stage(outbox, "PO_1.csv", holding(b"x"), traced=True)
    assert box.still_staged(outbox, "PO_1.csv")
    path = box.publish(staged, outbox / "orders")
    assert not box.still_staged(outbox, "PO_1.csv")
    path.unlink()
    assert not box.still_staged(outbox, "PO_1.csv")
    assert box.is_taken(outbox, outbox / "orders", "PO_1.csv")


def test_a_share_that_is_not_mounted_is_not_taken_for_a_published_file(outbox: Path) -> None:
    box.stage(outbox, "PO_1.csv", holding(b"x"), traced=True)
    outbox.rename(outbox.with_name("elsewhere"))
    outbox.mkdir()
    with pytest.raises(UserError, match=r"is not the folder that PO_1\.csv was staged in"):
        box.still_staged(outbox, "PO_1.csv")
    box.stage(outbox, "PO_2.csv", holding(b"x"))
    with pytest.raises(UserError, match="Mount the share"):
        box.is_taken(outbox, outbox / "orders", "PO_1.csv")


def test_what_fails_while_it_is_written_leaves_nothing(outbox: Path) -> None:
    def fail(stream: BinaryIO) -> None:
        stream.write(b"half")
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError):
        box.stage(outbox, "PO_1.csv", fail, traced=True)
    assert os.listdir(outbox / ".filebridge") == []


def test_the_sweep_removes_what_the_ledger_does_not_know_and_keeps_the_rest(outbox: Path) -> None:
    box.stage(outbox, "known.csv", holding(b"x"), traced=True)
    box.stage(outbox, "orphan.csv", holding(b"x"), traced=True)
    assert box.sweep(outbox, {"known.csv"}) == ("orphan.csv", "orphan.csv.staged")
    assert sorted(os.listdir(outbox / ".filebridge")) == ["known.csv", "known.csv.staged"]
    assert box.sweep(outbox.with_name("never-made"), set()) == ()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc/passwd", "a\0b", "x" * 256])
def test_a_name_that_leads_elsewhere_is_refused(outbox: Path, name: str) -> None:
    with pytest.raises(ValueError, match="file name"):
        box.stage(outbox, name, holding(b"x"))


def test_a_link_in_place_of_our_folders_is_not_followed(outbox: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    staged = box.stage(outbox, "PO_1.csv", holding(b"x"))
    (outbox / "orders").symlink_to(elsewhere)
    with pytest.raises(OSError, match="orders"):
        box.publish(staged, outbox / "orders")
    assert os.listdir(elsewhere) == []


def test_replies_in_subfolders_make_their_folders(outbox: Path) -> None:
    staged = box.stage(outbox, "stock.csv.receipt.json", holding(b"{}"))
    box.publish(staged, outbox / "replies" / "east" / "daily")
    assert seen(outbox) == ["replies/east/daily/stock.csv.receipt.json"]


def test_a_folder_outside_the_outbox_is_refused(outbox: Path) -> None:
    staged = box.stage(outbox, "PO_1.csv", holding(b"x"))
    with pytest.raises(ValueError, match="subpath"):
        box.publish(staged, outbox.parent / "other")
    with pytest.raises(ValueError, match="file name"):
        box.publish(staged, outbox / ".." / "other")


@given(content=st.binary(max_size=2000))
def test_any_content_comes_out_as_it_went_in(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    outbox = tmp_path_factory.mktemp("outbox")
    path = box.publish(box.stage(outbox, "f", holding(content)), outbox / "orders")
    assert path.read_bytes() == content
