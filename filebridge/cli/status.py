"""`filebridge status`: what is pending, held, late or failed, vendor by vendor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from filebridge.cli import report
from filebridge.cli.surroundings import current

if TYPE_CHECKING:
    from rich.table import Table

    from filebridge.cli.standing import Standing, VendorStanding
    from filebridge.replies.vendor_status import VendorStatus


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
        from filebridge.cli import render, standing

        here = current()
        workspace = here.workspace()
        vendors = render.chosen(workspace, vendor) or workspace.vendors()
        with here.ledger_or_none() as ledger:
            found = standing.collect(ledger, workspace, vendors, now=here.clock.now())
        if here.json:
            report.print_json(standing.as_json(found))
            return
        print(_looked(found))
        for request in found.asked:
            print(f"Written down, not carried out yet: {request.kind} {render.shown(request.subject)}")
        if not found.vendors:
            report.say(render.NOTHING_YET)
            return
        _print(found.vendors)


def _looked(found: Standing) -> str:
    from filebridge.cli.render import ago, when

    last, now = found.last, found.now
    if last is None:
        return (
            "FileBridge has not looked yet: `filebridge run` does it once, `filebridge watch` keeps doing it."
        )
    if found.is_watching:
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
        "#On the\nway",
        "#Held",
        "#To\ncorrect",
        "#In the\ninbox",
        "#POs in\nquestion",
        "#POs\nwaiting",
        "#PO files\nthere",
    )
    # So that all of it is seen in a terminal of 80 columns.
    table.collapse_padding = True
    for one in standings:
        found = one.status
        figures = (
            len(one.pending),
            len(found.held),
            len(found.rejects) + len(found.refused),
            len(found.waiting),
            sum(map(len, (found.held_orders, found.gone_orders, found.refused_pos, found.overdue_pos))),
            found.waiting_pos_count,
            len(one.not_taken),
        )
        table.add_row(found.vendor, _channel(found), *(f"{count:,}" if count else "-" for count in figures))
    console.print(table)
    for one in standings:
        lines = list(_lines(one))
        if lines:
            console.print(_listed(one.status.vendor, lines))
    if not any(list(_lines(one)) for one in standings):
        print("Nothing waits for you.")
    for one in standings:
        if one.status.waiting_pos:
            console.print(_waiting_pos(one.status))
            more = one.status.waiting_pos_count - len(one.status.waiting_pos)
            if more:
                print(f"and {more:,} more, listed in the receipts of their files")


def _waiting_pos(found: VendorStatus) -> Table:
    from filebridge.cli.render import shown, when
    from filebridge.replies.waits import WHAT_WAITS, for_what

    table = report.table(
        "=PO",
        "Waits with",
        "Since",
        "Still to come",
        title=f"{found.vendor}: POs that wait for their other rows; nothing to do",
    )
    table.collapse_padding = True
    for one in found.waiting_pos:
        table.add_row(shown(one.po), WHAT_WAITS[one.action], when(one.since), for_what(one))
    return table


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
    from filebridge.cli.render import sentence, shown, when
    from filebridge.rejects import CATALOGUE
    from filebridge.replies.waits import WHAT_WAITS, close_command, duration, for_what
    from filebridge.replies.wording import told_apart, why_waiting

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
        what = "none of its rows was taken" if rejects.whole else "some rows were not taken"
        yield (
            f"{shown(rejects.name)} ({when(rejects.received_at)}): {what}",
            f"Correct and drop back: replies/{shown(rejects.reject_file)}",
        )
    for refused in found.refused:
        said, fix = told_apart(refused.message)
        yield (
            f"{shown(refused.name)} ({when(refused.received_at)}) was refused: "
            f"{sentence(shown(said or refused.message))}",
            f"{shown(fix) or CATALOGUE[refused.code].fix}\nWhy: filebridge show {refused.id}",
        )
    for order in found.held_orders:
        yield shown(order.said), order.fix
    for gone in found.gone_orders:
        yield shown(sentence(gone.message)), CATALOGUE["vanished"].fix
    for one_refused in found.refused_pos:
        yield (
            f"PO {shown(one_refused.po)}: {sentence(for_what(one_refused))}",
            "Tell the retailer; nothing is sent of it.\nThe list: filebridge exceptions",
        )
    for overdue in found.overdue_pos:
        waits = overdue.of
        yield (
            f"PO {shown(waits.po)}: its {WHAT_WAITS[waits.action]} waits for its other rows since "
            f"{when(waits.since)}, longer than {duration(overdue.until - waits.since)}. "
            f"{sentence(for_what(waits))}",
            f"Send them, or what is there:\n{close_command(waits.po)}",
        )
    for waiting in found.waiting:
        yield (
            f"{shown(waiting.name)} is in the inbox since {when(waiting.first_seen_at)}",
            why_waiting(waiting.reason),
        )
    if found.more:
        yield f"and {found.more:,} more", "filebridge files, filebridge orders"
