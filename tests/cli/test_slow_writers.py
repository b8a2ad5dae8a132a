"""Senders that take their time, against a real `watch`: nothing of a part is sent, nothing of the whole is missed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROWS = [f"A-{number},{number * 111}\n" for number in range(1, 7)]
WHOLE = "SKU,Qty\n" + "".join(ROWS)
QUANTITIES = {f"A-{number}": number * 111 for number in range(1, 7)}


@pytest.fixture
def watching(workspace: Any, wait_until: Any) -> Iterator[Any]:
    process = workspace.start("watch")
    wait_until(lambda: workspace.read("status", "--json").json["watching"])
    yield workspace
    assert workspace.end(process).code == 0


def sent(retailops: Any) -> dict[str, int]:
    """What RetailOps was told, the last of each product; each of it is what the whole file says."""
    told: dict[str, int] = {}
    for call in retailops.calls("Product.ExternalSku.update"):
        told |= {record["vpc"]: record["quantity"] for record in json.loads(call["body"])["records"]}
    assert told.items() <= QUANTITIES.items()
    return told


def pieces() -> Iterator[str]:
    """The file in pieces that end within lines; only the last ends with a line end."""
    cuts = [5, 12, 19, 27, 36, 45, len(WHOLE)]
    for start, end in zip([0, *cuts], cuts, strict=False):
        assert end == len(WHOLE) or WHOLE[end - 1] != "\n"
        yield WHOLE[start:end]


def test_a_file_written_slowly_in_place_is_sent_once_it_is_whole(
    watching: Any, retailops: Any, wait_until: Any
) -> None:
    path: Path = watching.folder / "inbox/acme/inventory.csv"
    for piece in pieces():
        # Opened and closed each time: only the bytes tell that there is more to come.
        with path.open("a") as writer:
            writer.write(piece)
        if path.read_text() != WHOLE:
            time.sleep(0.3)
            assert path.exists() and sent(retailops) == {}
    wait_until(lambda: sent(retailops) == QUANTITIES)
    wait_until((watching.folder / "outbox/acme/replies/inventory.csv.receipt.json").exists)
    assert watching.receipt("inventory.csv")["status"] == "accepted"
    assert [file["name"] for file in watching.read("files", "--json").json["files"]] == ["inventory.csv"]


def test_a_file_that_is_kept_open_is_sent_once_it_is_closed(
    watching: Any, retailops: Any, wait_until: Any
) -> None:
    path: Path = watching.folder / "inbox/acme/inventory.csv"
    with path.open("w") as writer:
        writer.write("SKU,Qty\n" + ROWS[0])
        writer.flush()
        time.sleep(1.0)
        if not path.exists():
            pytest.skip("this file system does not say who writes")
        assert sent(retailops) == {}
        writer.write("".join(ROWS[1:]))
    wait_until(lambda: sent(retailops) == QUANTITIES)


def test_a_part_under_a_temporary_name_is_sent_once_it_is_renamed(
    watching: Any, retailops: Any, wait_until: Any
) -> None:
    part: Path = watching.folder / "inbox/acme/inventory.csv.part"
    part.write_text(WHOLE[:30])
    time.sleep(0.8)
    part.write_text(WHOLE)
    assert sent(retailops) == {}
    part.rename(part.with_suffix(""))
    wait_until(lambda: sent(retailops) == QUANTITIES)


def test_a_cut_file_is_explained_until_it_is_sent_again_whole(
    watching: Any, retailops: Any, wait_until: Any
) -> None:
    note = watching.folder / "outbox/acme/replies/inventory.csv.waiting.txt"
    path: Path = watching.folder / "inbox/acme/inventory.csv"
    path.write_text(WHOLE[:-3])
    wait_until(lambda: note.exists() and "(incomplete_file)" in note.read_text())
    assert path.read_text() == WHOLE[:-3] and sent(retailops) == {}
    again = path.with_name(".again")
    again.write_text(WHOLE)
    again.rename(path)
    wait_until(lambda: sent(retailops) == QUANTITIES)
    wait_until(lambda: not note.exists())
