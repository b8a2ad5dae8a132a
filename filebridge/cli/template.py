"""`filebridge template DOCUMENT`: a workbook in FileBridge's own layout, which needs no mapping."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import typer

from filebridge.cli import report
from filebridge.cli.surroundings import current

BLANK_ROWS = 1000
"""Rows that are text cells before anything is typed into them, so that 00120 stays 00120."""
LEFT_OUT = frozenset({"vendor_id", "as_of"})
"""Fields that the folder and the time of arrival say already."""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def template(
        document: str = typer.Argument(
            metavar="DOCUMENT", help="What the file is of; in this version: inventory."
        ),
        vendor: str = typer.Option(
            "", "--vendor", metavar="V", help="Fill in the products that this vendor has sent so far."
        ),
        output: str = typer.Option(
            "", "-o", "--output", metavar="FILE", help="Where to write it; else DOCUMENT.xlsx here."
        ),
    ) -> None:
        """Write a workbook to fill in by hand; it needs no mapping.

        Its cells are text, so that a spreadsheet leaves leading zeros and long numbers alone.

        Example: filebridge template inventory --vendor acme -o stock.xlsx
        """
        from filebridge.cli.render import chosen
        from filebridge.documents.fields import DOCUMENT_FIELDS
        from filebridge.errors import UserError

        here = current()
        _must_be_known(document)
        chosen(here.workspace(), [vendor]) if vendor else None
        headers = [field.name for field in DOCUMENT_FIELDS[document] if field.name not in LEFT_OUT]
        filled = _known(vendor) if vendor else []
        target = Path(output or f"{document}.xlsx")
        if target.exists():
            raise UserError(f"{target} is there already.", fix="Name another file with -o.")
        _write(target, document, headers, filled)
        if here.json:
            report.print_json({"file": str(target), "columns": headers, "rows": len(filled)})
            return
        report.say(f"Wrote {target}: fill in {', '.join(headers[:2])}, save it, and drop it into the inbox.")


def _must_be_known(document: str) -> None:
    from filebridge.errors import UserError
    from filebridge.mapping.explain import did_you_mean
    from filebridge.mapping.model import DOCUMENTS

    if document == "inventory":
        return
    if document in DOCUMENTS:
        raise UserError(
            f"This version of FileBridge writes templates of inventory only, not yet of {document}."
        )
    raise UserError(
        f"There is no document {document!r}.",
        fix=did_you_mean(document, ["inventory"]) or "There is: inventory.",
    )


def _known(vendor: str) -> list[tuple[str, ...]]:
    """The VPCs that RetailOps was told of, with their last quantity and cost."""
    from filebridge.ledger.quantities import known_quantities

    with current().ledger_or_none() as ledger:
        if ledger is None:
            return []
        with ledger.read() as connection:
            known = known_quantities(connection, vendor, "")
    rows = zip(
        known.vpcs.to_pylist(),
        map(str, known.quantities.tolist()),
        known.unit_costs.to_pylist(),
        known.actives.to_pylist(),
        strict=True,
    )
    return sorted(rows)


def _write(target: Path, document: str, headers: list[str], filled: list[tuple[str, ...]]) -> None:
    from filebridge.errors import UserError
    from filebridge.tables.write import write_workbook

    def rows() -> Iterator[tuple[str, ...]]:
        yield tuple(headers)
        yield from filled
        for _ in range(BLANK_ROWS):
            yield ("",) * len(headers)

    try:
        with target.open("xb") as stream:
            write_workbook(stream, document, rows(), widths=[24, 12, 12, 12])
    except OSError as error:
        raise UserError(f"{target} cannot be written: {error.strerror}.") from error
