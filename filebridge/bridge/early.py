"""A first look, before all that takes long to import: the wait for quiet files and the reader's start run meanwhile."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from filebridge.clock import Clock
from filebridge.intake.look import inboxes_of, scan
from filebridge.intake.settle import Settler
from filebridge.reader import IN_PLACE_BYTES, Reader

if TYPE_CHECKING:
    from filebridge.workspace import Workspace

_WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")


def look_early(
    workspace: Workspace, reader: Reader, *, vendors: Collection[str] | None, clock: Clock
) -> Settler:
    """Look once into the drop folders, and warm the reader where a file will need it."""
    settler = Settler(workspace.settings.intake.settle)
    names = workspace.vendors() if vendors is None else vendors
    looks = [scan(inbox) for vendor in names for inbox in inboxes_of(vendor, workspace.drop_folders(vendor))]
    settler.settle(looks, monotonic=clock.monotonic())
    entries = [entry for look in looks for entry in look.entries]
    if any(entry.size > IN_PLACE_BYTES or entry.name.lower().endswith(_WORKBOOKS) for entry in entries):
        reader.warm()
    return settler
