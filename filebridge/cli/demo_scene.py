"""The scene of `demo`: a workspace of two vendors, and the files that they drop, good, bad and ugly."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from filebridge.sandbox import DEFAULT_KEY, Sandbox, State, seed_orders

ENCODED: Final = {"bergwerk": "cp1252"}
"""Vendors whose system writes another encoding than UTF-8."""

_SETTINGS: Final = """\
# Made by `filebridge demo`: the sandbox that it traded with is gone, what it left can be looked at.
retailops: {{base_url: "{url}"}}
intake: {{settle: 200ms, explain_after: 100ms}}
"""


def make_sandbox() -> Sandbox:
    """A RetailOps stand-in that has purchase orders for both vendors."""
    return Sandbox(State([*seed_orders("27", 3), *seed_orders("31", 2)]))


def make_workspace(root: Path, url: str) -> None:
    """Settings, the key of the sandbox, and both vendors' packs."""
    (root / "filebridge.yaml").write_text(_SETTINGS.format(url=url), encoding="utf-8")
    key = root / "sandbox-key.txt"
    key.touch(mode=0o600)
    key.write_text(DEFAULT_KEY + "\n", encoding="ascii")
    for path, content in _texts(_scene() / "mappings", "mappings"):
        _put(root / path, content.encode())


def drop_first_files(root: Path) -> None:
    """Everything that lies in the inboxes when the first pass begins."""
    for path, content in _texts(_scene() / "inbox", "inbox"):
        _put(root / path, content.encode(ENCODED.get(path.split("/")[1], "utf-8")))
    _write_warehouse(root / "inbox" / "acme" / "warehouse" / "stock.xlsx")


def drop_corrected(root: Path) -> Path:
    """What Bergwerk's clerk does with the reject file: two cells mended, saved, dropped back; where it lies."""
    rejects = root / "outbox" / "bergwerk" / "replies" / "Bestand.csv.rejects.csv"
    mended = rejects.read_bytes().replace(b";ca. 5;", b";5;", 1).replace(b";8,50;", b";8;", 1)
    target = root / "inbox" / "bergwerk" / rejects.name
    _put(target, mended)
    return target


def drop_all_zero(root: Path) -> Path:
    """Acme's system has lost its stock figures: every product at zero. Where the file lies."""
    good = (_scene() / "inbox" / "acme" / "inventory.csv").read_text(encoding="utf-8")
    head, *rows = good.splitlines()
    target = root / "inbox" / "acme" / "inventory.csv"
    _put(target, "\n".join([head, *(f"{row.rpartition(',')[0]},0" for row in rows), ""]).encode())
    return target


def _scene() -> Traversable:
    return files("filebridge.cli") / "demo_files"


def _texts(folder: Traversable, path: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        below = f"{path}/{entry.name}"
        if entry.is_dir():
            yield from _texts(entry, below)
        else:
            yield below, entry.read_text(encoding="utf-8")


def _put(path: Path, content: bytes) -> None:
    """Write as senders should: under another name first, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.write_bytes(content)
    unfinished.rename(path)


def _write_warehouse(path: Path) -> None:
    """A workbook as people make them: an id that the spreadsheet has rounded, and a formula that is broken."""
    import xlsxwriter

    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet("Stock")
        text = workbook.add_format({"num_format": "@"})
        sheet.write_row(0, 0, ["Item", "On Hand", "Cost"], workbook.add_format({"bold": True}))
        for row, (item, on_hand, cost) in enumerate(
            [("00120", 5, 17.5), ("W-77", 120, 3.2), ("W-78", 9, 41)], 1
        ):
            sheet.write_string(row, 0, item, text)
            sheet.write_number(row, 1, on_hand)
            sheet.write_number(row, 2, cost)
        sheet.write_number(4, 0, 940011189956239900)
        sheet.write_row(4, 1, [40, 12.75])
        sheet.write_string(5, 0, "W-80", text)
        sheet.write_formula(5, 1, "=Sheet2!B9", None, "#REF!")
        sheet.write_number(5, 2, 8)
