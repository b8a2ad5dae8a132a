"""`Standing`: what `status` tells, collected from the ledger and the outbox, and as JSON."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlalchemy as sa

    from filebridge.ledger.connect import Ledger
    from filebridge.ledger.files import FileRow
    from filebridge.ledger.orders import OrderFileRow
    from filebridge.ledger.passes import PassRow
    from filebridge.ledger.po_waits import WaitingPo
    from filebridge.ledger.requests import RequestRow
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


@dataclass(frozen=True)
class Standing:
    """How things stand in a workspace at `now` (microseconds UTC): `asked` are decisions not carried out yet."""

    root: Path
    now: int
    last: PassRow | None = None
    asked: list[RequestRow] = field(default_factory=list)
    vendors: list[VendorStanding] = field(default_factory=list)

    @property
    def is_watching(self) -> bool:
        """Whether a `watch` is at work: it has not ended, and its heart beats."""
        from filebridge.clock import SECOND

        last = self.last
        return (
            last is not None
            and last.by.startswith("watch")
            and last.ended_at is None
            and self.now - last.beat_at < BEAT_SECONDS * SECOND
        )


def collect(ledger: Ledger | None, workspace: Workspace, vendors: Sequence[str], *, now: int) -> Standing:
    """How things stand for these vendors; of a workspace without a ledger nothing is known."""
    if ledger is None:
        return Standing(workspace.root, now)
    from filebridge.ledger import passes, requests

    with ledger.read() as connection:
        return Standing(
            workspace.root,
            now,
            _with_life(passes.last(connection), workspace),
            requests.open_requests(connection),
            [_vendor(connection, workspace, name, now) for name in vendors],
        )


def _with_life(last: PassRow | None, workspace: Workspace) -> PassRow | None:
    """A pass that goes on shows life beside the ledger too, while a large file or a slow call is at work."""
    from filebridge.workspace.heartbeat import last_beat

    if last is None or last.ended_at is not None:
        return last
    seen = last_beat(workspace.state, by=last.by)
    return last if seen is None else replace(last, beat_at=max(last.beat_at, seen))


def _vendor(connection: sa.Connection, workspace: Workspace, vendor: str, now: int) -> VendorStanding:
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
        hold_for=limits_of(workspace, vendor),
    )
    folder = workspace.orders_of(vendor)
    lying = set(os.listdir(folder)) if folder.is_dir() else set()
    not_taken = [row for row in orders.files_of(connection, vendor) if row.name in lying] if lying else []
    return VendorStanding(found, files.unsettled_files(connection, vendor), not_taken)


def limits_of(workspace: Workspace, vendor: str) -> Mapping[str, int]:
    """How long rows of a vendor may wait for the others of their PO, by feed; none where its pack is broken."""
    from filebridge.bridge.overdue import hold_for
    from filebridge.errors import ConfigError

    try:
        return hold_for(workspace.load_pack(vendor))
    except ConfigError:
        return {}


def as_json(standing: Standing) -> dict[str, Any]:
    """The document of `status --json`."""
    from filebridge.cli.render import instant, shown

    last = standing.last
    return {
        "workspace": str(standing.root),
        "watching": standing.is_watching,
        "last_pass": None
        if last is None
        else {
            "by": last.by,
            "started_at": instant(last.started_at),
            "beat_at": instant(last.beat_at),
            "ended_at": instant(last.ended_at),
            "exit_code": last.exit_code,
        },
        "decisions": [
            {
                "decision": row.kind,
                "subject": shown(row.subject),
                "asked_at": instant(row.asked_at),
                "by": row.asked_by,
            }
            for row in standing.asked
        ],
        "vendors": [_vendor_as_json(one) for one in standing.vendors],
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
        "refused": [
            {
                "id": row.id,
                "name": row.name,
                "received_at": instant(row.received_at),
                "code": row.code,
                "message": row.message,
            }
            for row in found.refused
        ],
        "held_orders": [
            {"po": row.po, "code": row.code, "message": row.message} for row in found.held_orders
        ],
        "gone_orders": [{"po": row.po, "message": row.message} for row in found.gone_orders],
        "refused_pos": [_po_as_json(row) for row in found.refused_pos],
        "overdue_pos": [{**_po_as_json(row.of), "until": instant(row.until)} for row in found.overdue_pos],
        "waiting_pos": [_po_as_json(row) for row in found.waiting_pos],
        "waiting_pos_count": found.waiting_pos_count,
        "waiting": [
            {"name": row.name, "since": instant(row.first_seen_at), "reason": row.reason or None}
            for row in found.waiting
        ],
        "order_files_not_taken": [
            {"name": row.name, "state": row.state.value, "pos": row.pos, "written_at": instant(row.staged_at)}
            for row in one.not_taken
        ],
    }


def _po_as_json(row: WaitingPo) -> dict[str, Any]:
    from filebridge.cli.render import instant

    return {
        "po": row.po,
        "action": row.action.value,
        "code": row.code,
        "message": row.message,
        "since": instant(row.since),
        "files": [{"id": one.file_id, "name": one.file_name} for one in row.kept],
    }
