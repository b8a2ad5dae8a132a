"""What `filebridge check --offline` reports: everything wrong that can be told without asking RetailOps."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from filebridge.errors import ConfigError, Problem, UserError
from filebridge.mapping.order_fields import column_problems, quoting_problems
from filebridge.mapping.pack import VendorPack
from filebridge.workspace.folders import Workspace


def problems_of(workspace: Workspace, *, environment: Mapping[str, str] | None = None) -> list[Problem]:
    """Every fault of the vendor packs, the folders, their rights and the keys, in this order.

    Faults of filebridge.yaml itself are raised by `Workspace.open`.
    """
    try:
        packs, problems = workspace.load_packs()
    except ConfigError as error:
        # mappings/ itself cannot be read: nothing else can be told.
        return list(error.problems)
    found = list(problems)
    if not workspace.vendors():
        fix = "Make a folder for one, with a vendor.yaml; `filebridge init DIR` writes an example."
        found.append(Problem(f"{workspace.settings.folders.mappings}/", "it holds no vendor's folder", fix))
    for pack in packs:
        found += column_problems(pack)
        found += quoting_problems(pack)
    found += _shared_orders(packs)
    found += _folder_problems(workspace)
    found += _unsafe_mappings(workspace)
    found += _key_problems(workspace, packs, environment)
    return found


def notices_of(workspace: Workspace, *, environment: Mapping[str, str] | None = None) -> list[Problem]:
    """What is worth saying though nothing stops for it: who may read the key, or the archive."""
    found: dict[Problem, None] = {}
    try:
        packs, _ = workspace.load_packs()
    except ConfigError:
        # `problems_of` says it.
        return []
    for pack in packs:
        try:
            found.update(dict.fromkeys(workspace.api_key(pack, environment=environment).notices))
        except UserError:
            # A key that cannot be used is a problem, not a notice.
            continue
    for vendor in workspace.vendors():
        folder = workspace.archive / vendor
        mode = _mode(folder)
        if mode is not None and mode & stat.S_IROTH:
            message = "every user of this machine can read what this vendor sent and was sent"
            found[Problem(str(folder), message, f"chmod o-rwx {folder}")] = None
    return list(found)


def _shared_orders(packs: Sequence[VendorPack]) -> Iterator[Problem]:
    """Two packs that export the POs of one vendor: each PO would go out twice."""
    first: dict[str, VendorPack] = {}
    for pack in packs:
        if pack.orders is None:
            continue
        other = first.setdefault(pack.settings.vendor_id, pack)
        if other is not pack:
            message = (
                f"it exports the POs of vendor {pack.settings.vendor_id}, and so does {other.orders_path}"
            )
            yield Problem(
                pack.orders_path, message, "Take one of the two away: each PO would be written twice."
            )


def _folder_problems(workspace: Workspace) -> Iterator[Problem]:
    folders = {
        "inbox": workspace.inbox,
        "outbox": workspace.outbox,
        "archive": workspace.archive,
        "mappings": workspace.mappings,
        ".filebridge": workspace.state,
    }
    for name, folder in folders.items():
        for other, inside in folders.items():
            if name != other and (folder == inside or folder in inside.parents):
                fix = "Give each a folder of its own in filebridge.yaml."
                yield Problem(f"folders.{other}", f"{inside} lies in the folder of {name}, {folder}", fix)
    mode = _mode(workspace.state)
    if mode is not None and mode & 0o077:
        message = "other users can look into FileBridge's own records"
        yield Problem(str(workspace.state), message, f"chmod 700 {workspace.state}")
    for folder in (workspace.state, workspace.archive):
        yield from _rights(folder)
    for vendor in workspace.vendors():
        for folder in (workspace.inbox_of(vendor), workspace.orders_of(vendor), workspace.replies_of(vendor)):
            yield from _rights(folder)
        yield from _open_to_all(workspace.inbox_of(vendor))


def _rights(folder: Path) -> Iterator[Problem]:
    """A missing folder is made by the next pass; what counts is whether that, or writing there, is allowed."""
    if os.path.exists(folder) and not os.path.isdir(folder):
        yield Problem(str(folder), "this is a file, and a folder is needed", "Move it away.")
        return
    standing = next(path for path in (folder, *folder.parents) if os.path.isdir(path))
    if not os.access(standing, os.R_OK | os.W_OK | os.X_OK):
        fix = "Give FileBridge's user the right to read and write there."
        missing = "" if standing == folder else f", so that {folder} could be made"
        yield Problem(str(standing), f"FileBridge may not read and write here{missing}", fix)


def _open_to_all(inbox: Path) -> Iterator[Problem]:
    mode = _mode(inbox)
    if mode is not None and mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        message = "every user of this machine can replace files that a vendor dropped here"
        yield Problem(str(inbox), message, f"chmod o-w {inbox}, or chmod +t {inbox}")


def _unsafe_mappings(workspace: Workspace) -> Iterator[Problem]:
    shown = workspace.settings.folders.mappings
    for vendor in workspace.vendors():
        folder = workspace.mappings / vendor
        for path in (folder, *sorted(folder.iterdir() if os.access(folder, os.R_OK | os.X_OK) else ())):
            mode = _mode(path)
            if mode is not None and mode & stat.S_IWOTH:
                place = f"{shown}/{path.relative_to(workspace.mappings)}"
                message = "every user of this machine can change what is sent to RetailOps"
                yield Problem(place, message, f"chmod o-w {path}")


def _key_problems(
    workspace: Workspace, packs: Sequence[VendorPack], environment: Mapping[str, str] | None
) -> list[Problem]:
    found: dict[Problem, None] = {}
    for pack in packs:
        own = pack.settings.api_key_file is not None
        try:
            workspace.api_key(pack, environment=environment)
        except UserError as error:
            place = f"{pack.path}/vendor.yaml" if own else "API key"
            found[Problem(place, error.message, error.fix)] = None
    return list(found)


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except OSError:
        return None
