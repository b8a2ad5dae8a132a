"""Ship classes kept up to date, what the vendor's crosswalk makes of them, and a line more in it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from filebridge.clock import SECOND
from filebridge.documents.ship_classes import Carriers, ShipClass
from filebridge.errors import UserError
from filebridge.ledger import ship_classes
from filebridge.mapping.load import CARRIERS_FILE
from filebridge.rejects import Note

if TYPE_CHECKING:
    import sqlalchemy as sa

    from filebridge.bridge.desk import Desk
    from filebridge.ledger.connect import Ledger
    from filebridge.ledger.ship_classes import KnownClasses
    from filebridge.mapping.pack import VendorPack
    from filebridge.workspace import Workspace

DAY: Final = 86_400 * SECOND
GONE: Final = "ship_class_gone"


def has_use_for_classes(pack: VendorPack) -> bool:
    """Whether the vendor's files are expected to name carriers."""
    return pack.carriers is not None or any(found.mapping.document == "shipments" for found in pack.mappings)


def refresh(desk: Desk, pack: VendorPack, *, older_than: int = DAY, forced: bool = False) -> list[Note]:
    """Fetch the vendor's ship classes where none are kept, or such as are older than `older_than` (microseconds).

    Done for packs that have use for them, and with `forced` for any. Gives a note for each line of carriers.yaml
    that this list has made wrong. Raises UserError where no key can be used, and what
    `RetailOps.fetch_ship_classes` raises; the ledger is then as it was, and its list is good to work with.
    """
    if not (forced or has_use_for_classes(pack)):
        return []
    now = desk.clock.now()
    with desk.ledger.read() as connection:
        before = ship_classes.known(connection, pack.vendor)
    if before is not None and now - before.fetched_at < older_than:
        return []
    classes = desk.channel(pack).client.fetch_ship_classes()
    if before is not None and before.classes and not classes:
        with desk.ledger.begin() as connection:
            ship_classes.save(connection, pack.vendor, before.classes, now)
        said = f"RetailOps lists no ship class at all; the {len(before.classes)} that it had stay in force."
        return [Note(GONE, said)]
    with desk.ledger.begin() as connection:
        ship_classes.save(connection, pack.vendor, classes, now)
        after = ship_classes.known(connection, pack.vendor)
    stood = set(_carriers(before, pack).problems()) if before else set()
    new = [said for said in _carriers(after, pack).problems() if said not in stood] if after else []
    return [Note(GONE, said) for said in new]


def carriers_of(ledger: Ledger, pack: VendorPack) -> Carriers | None:
    """The vendor's classes and crosswalk, None where no list was ever fetched."""
    with ledger.read() as connection:
        return read_carriers(connection, pack)


def read_carriers(connection: sa.Connection, pack: VendorPack) -> Carriers | None:
    """As `carriers_of`, in a transaction of the caller's."""
    known = ship_classes.known(connection, pack.vendor)
    return _carriers(known, pack) if known else None


def place_of(pack: VendorPack) -> str:
    """The vendor's carriers.yaml as shown to a person."""
    return f"{pack.path}/{CARRIERS_FILE}"


def learn(
    workspace: Workspace, pack: VendorPack, word: str, meant: ShipClass, carriers: Carriers, *, replace: bool
) -> str:
    """Write the line for a vendor's word into its carriers.yaml; the line as it is written.

    The file is replaced as a whole, once what will be in it was loaded. Raises UserError, and changes nothing, where
    there is another line for the word and `replace` is not set.
    """
    from filebridge.documents.ship_classes import written_line
    from filebridge.mapping.carriers_yaml import with_line

    path = workspace.mappings / pack.vendor / CARRIERS_FILE
    target = carriers.target_of(meant)
    try:
        # The file itself, where this is a link to it.
        path = path.resolve()
        text = path.read_bytes().decode("utf-8") if path.exists() else ""
        _replace(path, with_line(text, place_of(pack), word, target, replace=replace))
    except UnicodeDecodeError as error:
        raise UserError(f"{place_of(pack)} is not UTF-8.", fix="Save it as UTF-8.") from error
    except OSError as error:
        raise UserError(f"{place_of(pack)} cannot be written: {error.strerror}.") from error
    return written_line(carriers.line_of(word) or word, target)


def _replace(path: Path, text: str) -> None:
    """Put a text in a file's place, at once and with its mode."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        with fresh.open("wb") as stream:
            if path.exists():
                os.fchmod(stream.fileno(), path.stat().st_mode & 0o7777)
            stream.write(text.encode("utf-8"))
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)
    except BaseException:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise


def _carriers(known: KnownClasses, pack: VendorPack) -> Carriers:
    return Carriers(known.classes, pack.carriers or {}, place_of(pack), known.names_before)
