"""`filebridge template DOCUMENT`: a workbook in FileBridge's own layout, which needs no mapping."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from filebridge.cli import report
from filebridge.cli.surroundings import current

if TYPE_CHECKING:
    from filebridge.bridge.templates import Template
    from filebridge.mapping.pack import VendorPack


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def template(
        document: str = typer.Argument(
            metavar="DOCUMENT",
            help="What the file is of: inventory, shipments, acknowledgements, ship-dates or submissions.",
        ),
        vendor: str = typer.Option(
            "", "--vendor", metavar="V", help="Fill in this vendor's open purchase orders, or its products."
        ),
        output: str = typer.Option(
            "", "-o", "--output", metavar="FILE", help="Where to write it; else DOCUMENT.xlsx here."
        ),
    ) -> None:
        """Write a workbook to fill in by hand; it needs no mapping.

        Its cells are text, so that a spreadsheet leaves leading zeros and long numbers alone; carriers and
        statuses are lists to choose from. What it fills in is what the last pass has seen.

        Example: filebridge template inventory --vendor acme -o stock.xlsx
        """
        from filebridge.cli.render import chosen
        from filebridge.errors import UserError

        here = current()
        _must_be_known(document)
        pack = None
        if vendor:
            workspace = here.workspace()
            chosen(workspace, [vendor])
            pack = workspace.load_pack(vendor)
        made = _made(document, pack)
        target = Path(output) if output else _target(document, pack)
        if target.exists():
            raise UserError(f"{target} is there already.", fix="Name another file with -o.")
        _write(target, made)
        if here.json:
            report.print_json({"file": str(target), "columns": made.headers, "rows": len(made.rows)})
            return
        _say(target, made, pack)


def _must_be_known(document: str) -> None:
    from filebridge.bridge.templates import DOCUMENTS
    from filebridge.errors import UserError
    from filebridge.mapping.explain import did_you_mean

    if document == "purchase-orders":
        raise UserError("Purchase orders go out: FileBridge writes those files itself.")
    if document not in DOCUMENTS:
        raise UserError(f"There is no document {document!r}.", fix=did_you_mean(document, DOCUMENTS))


def _made(document: str, pack: VendorPack | None) -> Template:
    from filebridge.bridge.templates import blank, filled

    if pack is not None and document == "shipments":
        _have_classes(pack)
    with current().ledger_or_none() as ledger:
        if ledger is None or pack is None:
            return blank(document)
        with ledger.read() as connection:
            return filled(connection, document, pack)


def _have_classes(pack: VendorPack) -> None:
    """Ask RetailOps for the carriers to choose from, where no list is kept; without them it is written all the same."""
    from filebridge.bridge.carriers import carriers_of, refresh
    from filebridge.bridge.desk import open_desk
    from filebridge.errors import RetailOpsError, UserError

    here = current()
    with here.ledger_or_none() as ledger:
        if ledger is None or carriers_of(ledger, pack) is not None:
            return
    try:
        with open_desk(here.workspace(), clock=here.clock) as desk:
            refresh(desk, pack, forced=True)
    except (RetailOpsError, UserError) as error:
        report.say(f"RetailOps' carriers could not be asked for: {error}")


def _target(document: str, pack: VendorPack | None) -> Path:
    """A name in this folder that no mapping of the vendor's takes: such a file is read by its own headers."""
    names = [f"{document}.xlsx", f"{document}-by-hand.xlsx", f"by-hand-{document}.xlsx"]
    return Path(next((name for name in names if not _mapping_that_takes(name, pack)), names[0]))


def _mapping_that_takes(name: str, pack: VendorPack | None) -> str:
    """The mapping of the vendor's that a file of this name would be read by; empty where there is none."""
    from filebridge.mapping.match import Ambiguous, Unmatched, match_file

    found = match_file(name, pack) if pack is not None else Unmatched("")
    if isinstance(found, Ambiguous):
        return found.mappings[0].path
    return "" if isinstance(found, Unmatched) else found.path


def _write(target: Path, made: Template) -> None:
    from filebridge.bridge.template_book import write_template
    from filebridge.errors import UserError

    try:
        with target.open("xb") as stream:
            write_template(stream, made)
    except OSError as error:
        raise UserError(f"{target} cannot be written: {error.strerror}.") from error


def _say(target: Path, made: Template, pack: VendorPack | None) -> None:
    from filebridge.replies.wording import count_of

    inventory = made.document == "inventory"
    to_fill = [column.field for column in made.columns if column.to_fill] or made.headers[:1]
    if not made.rows or inventory:
        to_fill = made.headers[:2] if inventory else made.headers
    holds = ""
    if made.rows:
        holds = count_of(len(made.rows), "product" if inventory else "row")
        holds = f" with {holds}" if inventory else f" with {holds} of {count_of(made.pos, 'purchase order')}"
    report.say(f"Wrote {target}{holds}: fill in {', '.join(to_fill)}, save it, and drop it into the inbox.")
    if pack is None:
        if not inventory:
            report.say(
                "--vendor V fills in that vendor's open purchase orders, and its carriers to choose from."
            )
        return
    if not made.rows and not inventory:
        report.say(
            f"No purchase order of {pack.vendor} waits for this, as far as is known; `filebridge orders fetch` looks."
        )
    if any(column.field == "carrier" and not column.choices for column in made.columns):
        report.say(
            f"Its carriers are no list yet: `filebridge carriers --vendor {pack.vendor}` asks RetailOps for it."
        )
    if taken_by := _mapping_that_takes(target.name, pack):
        report.say(
            f"Rename it before you drop it: {taken_by} takes files of this name, and has other headers."
        )
