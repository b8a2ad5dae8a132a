"""`filebridge status`: what is pending, held, late or failed, vendor by vendor."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from filebridge.cli import report
from filebridge.cli.surroundings import current

if TYPE_CHECKING:
    from rich.table import Table

    from filebridge.ledger.files import FileRow
    from filebridge.ledger.orders import OrderFileRow
    from filebridge.ledger.passes import PassRow
    from filebridge.replies.vendor_status import VendorStatus
    from filebridge.workspace import Workspace

BEAT_SECONDS = 60
"""A watch whose heartbeat is older than this is no longer there."""


@dataclass(frozen=True)
class VendorStanding:
    """One vendor, with what STATUS.txt does not say: files under way, and PO files that still lie in the outbox."""

    status: VendorStatus
    pending: list[FileRow] = field(default_factory=list)
    not_taken: list[OrderFileRow] = field(default_factory=list)


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def status(
        vendor: Annotated[
            list[str] | None, typer.Option("--vendor", metavar="V", help="Only this vendor. May be repeated.")
        ] = None,
    ) -> None:
        """Say how things stand, and what waits for you.

        Also when FileBridge last looked, and whether a watch runs. Everything that is held stands with the
        command that decides it.

        Example: filebridge status
        """
        from filebridge.cli import render
        from filebridge.ledger import passes

        here = current()
        workspace = here.workspace()
        vendors = render.chosen(workspace, vendor) or workspace.vendors()
        last: PassRow | None = None
        standings: list[VendorStanding] = []
        with here.ledger_or_none() as ledger:
            if ledger is not None:
                with ledger.read() as connection:
                    last = passes.last(connection)
                    standings = [_standing(connection, workspace, name, here.clock.now()) for name in vendors]
        if here.json:
            report.print_json(_as_json(workspace, last, standings, here.clock.now()))
            return
        print(_looked(last, here.clock.now()))
        if not standings:
            report.say(render.NOTHING_YET)
            return
        _print(standings)


def is_watching(last: PassRow | None, now: int) -> bool:
    """Whether a `watch` is at work: it has not ended, and its heart beats."""
    from filebridge.clock import SECOND

    return (
        last is not None
        and last.by.startswith("watch")
        and last.ended_at is None
        and now - last.beat_at < BEAT_SECONDS * SECOND
    )


def _standing(connection: Any, workspace: Workspace, vendor: str, now: int) -> VendorStanding:
    from filebridge.clock import SECOND
    from filebridge.ledger import files, orders
    from filebridge.replies.vendor_status import vendor_status

    explain_after = round(workspace.settings.intake.explain_after * SECOND)
    found = vendor_status(
        connection,
        vendor,
        outbox=workspace.outbox / vendor,
        now=now,
        time_zone="UTC",
        explain_after=explain_after,
    )
    folder = workspace.orders_of(vendor)
    lying = set(os.listdir(folder)) if folder.is_dir() else set()
    not_taken = [row for row in orders.files_of(connection, vendor) if row.name in lying] if lying else []
    return VendorStanding(found, files.unsettled_files(connection, vendor), not_taken)


def _looked(last: PassRow | None, now: int) -> str:
    from filebridge.cli.render import ago, when

    if last is None:
        return (
            "FileBridge has not looked yet: `filebridge run` does it once, `filebridge watch` keeps doing it."
        )
    if is_watching(last, now):
        return f"FileBridge is watching ({last.by}); it last gave a sign of life {ago(last.beat_at, now)}."
    if last.ended_at is None:
        return (
            f"FileBridge began to look {ago(last.started_at, now)} ({last.by}): it is at work, or was killed."
        )
    ended = "" if not last.exit_code else f", and ended with {last.exit_code}"
    return f"FileBridge last looked {ago(last.ended_at, now)} ({when(last.ended_at)}{ended}). No watch is running."


def _print(standings: list[VendorStanding]) -> None:
    console = report.console()
    table = report.table(
        "Vendor",
        "RetailOps",
        "#On the way",
        "#Held",
        "#To correct",
        "#In the inbox",
        "#POs held",
        "#PO files there",
    )
    for one in standings:
        found = one.status
        figures = (one.pending, found.held, found.rejects, found.waiting, found.held_orders, one.not_taken)
        table.add_row(
            found.vendor, _channel(found), *(f"{len(entries):,}" if entries else "-" for entries in figures)
        )
    console.print(table)
    for one in standings:
        lines = list(_lines(one))
        if lines:
            console.print(_listed(one.status.vendor, lines))
    if not any(list(_lines(one)) for one in standings):
        print("Nothing waits for you.")


def _listed(vendor: str, lines: list[tuple[str, str]]) -> Table:
    table = report.table("Waits for you", "What to do", title=f"{vendor}")
    for said, step in lines:
        table.add_row(said, step)
    return table


def _channel(found: VendorStatus) -> str:
    from filebridge.cli.render import when

    if not found.trouble:
        return "well"
    words = {"key_refused": "refused the API key", "unreachable": "not reached"}.get(
        found.trouble, found.trouble
    )
    return f"{words} since {when(found.trouble_since)}"


def _lines(one: VendorStanding) -> Iterator[tuple[str, str]]:
    """What waits for a person, and what decides it."""
    from filebridge.cli.render import shown, when
    from filebridge.rejects import CATALOGUE

    found = one.status
    if found.trouble == "key_refused":
        yield "RetailOps refused the API key; files are kept", "Correct the key, then: filebridge run"
    for held in found.held:
        decide = (
            f"filebridge retry {held.id}\nfilebridge discard {held.id}"
            if held.code == "too_many_refusals"
            else f"filebridge release {held.id}\nfilebridge discard {held.id}"
        )
        yield f"{shown(held.name)} is held: {held.message}", decide
    for rejects in found.rejects:
        yield (
            f"{shown(rejects.name)} ({when(rejects.received_at)}): some rows were not taken",
            f"Correct and drop back: replies/{shown(rejects.reject_file)}",
        )
    for order in found.held_orders:
        fix = CATALOGUE[order.code].fix if order.code in CATALOGUE else ""
        yield f"PO {shown(order.po)} is held: {shown(order.message)}", fix
    for waiting in found.waiting:
        yield (
            f"{shown(waiting.name)} is in the inbox since {when(waiting.first_seen_at)}",
            _why(waiting.reason),
        )
    if found.more:
        yield f"and {found.more:,} more", "filebridge files, filebridge orders"


def _why(reason: str) -> str:
    """Why a file is still in the inbox, and what to do, from the reason that the ledger keeps."""
    from filebridge.cli.render import sentence, shown
    from filebridge.rejects import CATALOGUE

    code, _, message = reason.partition(": ")
    known = CATALOGUE.get(code)
    said = sentence(shown(message if known or message else reason)) or "FileBridge has not taken it yet."
    return f"{said} {known.fix}" if known else said


def _as_json(
    workspace: Workspace, last: PassRow | None, standings: list[VendorStanding], now: int
) -> dict[str, Any]:
    from filebridge.cli.render import instant

    return {
        "workspace": str(workspace.root),
        "watching": is_watching(last, now),
        "last_pass": None
        if last is None
        else {
            "by": last.by,
            "started_at": instant(last.started_at),
            "beat_at": instant(last.beat_at),
            "ended_at": instant(last.ended_at),
            "exit_code": last.exit_code,
        },
        "vendors": [_vendor_as_json(one) for one in standings],
    }


def _vendor_as_json(one: VendorStanding) -> dict[str, Any]:
    from filebridge.cli.render import instant

    found = one.status
    return {
        "vendor": found.vendor,
        "trouble": found.trouble or None,
        "trouble_since": instant(found.trouble_since),
        "orders_fetched_at": instant(found.orders_fetched_at),
        "pending": [{"id": row.id, "name": row.name, "state": row.state.value} for row in one.pending],
        "held": [
            {"id": row.id, "name": row.name, "code": row.code, "message": row.message} for row in found.held
        ],
        "rejects": [
            {"name": row.name, "reject_file": row.reject_file, "received_at": instant(row.received_at)}
            for row in found.rejects
        ],
        "held_orders": [
            {"po": row.po, "code": row.code, "message": row.message} for row in found.held_orders
        ],
        "waiting": [
            {"name": row.name, "since": instant(row.first_seen_at), "reason": row.reason or None}
            for row in found.waiting
        ],
        "order_files_not_taken": [
            {"name": row.name, "state": row.state.value, "pos": row.pos, "written_at": instant(row.staged_at)}
            for row in one.not_taken
        ],
    }
