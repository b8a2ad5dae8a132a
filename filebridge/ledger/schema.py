"""The ledger's tables. Times are microseconds since the epoch, UTC. States are words, each explained once.

A file's rows are kept as one block (`row_block`), a call's records as another (`call.block`); only rows that
ended otherwise than delivered or unchanged are rows of a table (`row_reject`). A vendor's confirmed quantities
are no table: they are the newest confirmed value per VPC over the blocks of confirmed calls.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import sqlalchemy as sa

metadata = sa.MetaData()

# A rising number that is never given twice, also after rows were purged.
_SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class FileState(StrEnum):
    """How far a file has come. What its sender is told is its status, worked out from its rows."""

    CLAIMED = "claimed"
    """The copy is safe in the work folder; the inbox name may still be there."""
    TAKEN = "taken"
    """The inbox name is gone, or was a new arrival of its own."""
    PLANNED = "planned"
    """Rows, rejects and planned calls are written down; calls may be under way."""
    SETTLED = "settled"
    """Every row has an end or waits for a person; the receipt is owed."""
    REPLIED = "replied"
    """The receipt is published; the original is owed to the archive."""
    DONE = "done"
    """Archived. A file that waits for a person is done too: its decision starts it again."""


class CallState(StrEnum):
    """What became of a call."""

    PLANNED = "planned"
    """Written down; certainly not sent, or certainly not applied."""
    SENDING = "sending"
    """About to be sent, or sent: after a crash its answer counts as lost."""
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    """RetailOps refused it for its content, in the words of `answer`."""
    UNCERTAIN = "uncertain"
    """Sent, and the answer was lost."""
    SUPERSEDED = "superseded"
    """A newer value was confirmed before this one could be sent."""
    SPLIT = "split"
    """Replaced by smaller calls (`parent_id`): its own answer is no row's end."""
    HELD = "held"
    """Not sent again until a person says so."""
    WAITING = "waiting"
    """What a file says of one PO, kept until the rest of it comes or a person decides; `code` says for what."""
    JOINED = "joined"
    """Carried along by a later call, `parent_id`: its rows have that one's end."""
    DROPPED = "dropped"
    """A person discarded it, or the PO is gone."""


RISING: Final = (
    CallState.CONFIRMED,
    CallState.SUPERSEDED,
    CallState.HELD,
    CallState.WAITING,
    CallState.REFUSED,
    CallState.DROPPED,
    CallState.PLANNED,
    CallState.SENDING,
    CallState.UNCERTAIN,
)
"""The states that are a row's end or standing, in rising order of what keeps it from being delivered."""


class OrderState(StrEnum):
    """How far a PO has come on its way to the vendor."""

    SEEN = "seen"
    """Fetched, not yet due or not yet in a file."""
    EXPORTED = "exported"
    """In a file that is staged or published."""
    MARKED = "marked"
    """Confirmed as submitted, with the revision that was exported."""
    HELD = "held"
    """Cannot be laid out; `code` and `message` say why."""
    VANISHED = "vanished"
    """Gone from RetailOps before it could be marked submitted."""


class OrderFileState(StrEnum):
    """How far a PO file has come."""

    STAGED = "staged"
    """Complete and durable in the staging folder. Still there: not published. Gone: published."""
    PUBLISHED = "published"
    """Renamed into the outbox; its POs are owed their mark."""
    MARKED = "marked"
    """All of its POs are marked submitted, or need no mark."""


ledger = sa.Table(
    "ledger",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

file = sa.Table(
    "file",
    metadata,
    sa.Column("seq", _SEQ, primary_key=True, autoincrement=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("vendor", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False, server_default=""),
    sa.Column("feed", sa.Text, nullable=False, server_default=""),
    sa.Column("mapping", sa.Text, nullable=False, server_default=""),  # its path below the workspace
    sa.Column("mapping_sha256", sa.Text, nullable=False, server_default=""),
    sa.Column("name", sa.Text, nullable=False),  # below the vendor's inbox, printable
    sa.Column("name_bytes", sa.LargeBinary, nullable=False),  # as the file system has it
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("modified_at", sa.BigInteger, nullable=False),
    sa.Column("received_at", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False, server_default=""),  # FileStatus, once it is planned
    sa.Column("rows", sa.Integer, nullable=False, server_default="0"),
    sa.Column("order_at", sa.BigInteger, nullable=False, server_default="0"),  # the time its values are of
    sa.Column("code", sa.Text, nullable=False, server_default=""),  # reason against the whole file
    sa.Column("message", sa.Text, nullable=False, server_default=""),
    sa.Column("hold_code", sa.Text, nullable=False, server_default=""),
    sa.Column("hold_message", sa.Text, nullable=False, server_default=""),
    sa.Column("released", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("forced", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("duplicate_of", sa.Text, nullable=False, server_default=""),
    sa.Column("corrects", sa.Text, nullable=False, server_default=""),  # the file whose reject file this is
    sa.Column("zeroed", sa.Integer, nullable=False, server_default="0"),
    sa.Column("zeroing_refused", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("headers", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("how", sa.JSON, nullable=False, server_default="{}"),  # ReadHow
    sa.Column(
        "claim_notes", sa.JSON, nullable=False, server_default="[]"
    ),  # of its arrival; a new plan keeps them
    sa.Column("notes", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("reads", sa.Integer, nullable=False, server_default="0"),  # counted before each read starts
    sa.Column("settled_at", sa.BigInteger),
    sa.Column("reject_file", sa.Text, nullable=False, server_default=""),  # below replies/
    sa.Column("archived_at", sa.Text, nullable=False, server_default=""),  # folder below archive/
    sqlite_autoincrement=True,
)
sa.Index("file_by_vendor", file.c.vendor, file.c.feed, file.c.seq)
sa.Index("file_unsettled", file.c.state, file.c.seq)

row_block = sa.Table(
    "row_block",
    metadata,
    sa.Column("file_id", sa.Text, sa.ForeignKey("file.id"), primary_key=True),
    sa.Column("runs", sa.LargeBinary, nullable=False),  # a packed RowRuns
)

renewal = sa.Table(
    "renewal",
    metadata,
    sa.Column("file_id", sa.Text, sa.ForeignKey("file.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("vendor", sa.Text, nullable=False),
    sa.Column("arrival", sa.Integer, nullable=False),  # file.seq
    sa.Column("order_at", sa.BigInteger, nullable=False),
    sa.Column("block", sa.LargeBinary, nullable=False),  # VPCs that the file gave their confirmed value again
)
sa.Index("renewal_by_vendor", renewal.c.vendor, renewal.c.arrival)

row_reject = sa.Table(
    "row_reject",
    metadata,
    sa.Column("file_id", sa.Text, sa.ForeignKey("file.id"), primary_key=True),
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),  # of the reason in its file: a row's stand in order
    sa.Column("column", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)

call = sa.Table(
    "call",
    metadata,
    sa.Column("id", _SEQ, primary_key=True, autoincrement=True),
    sa.Column("vendor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("feed", sa.Text, nullable=False, server_default=""),
    sa.Column("file_id", sa.Text, sa.ForeignKey("file.id")),  # the file whose rows it carries
    sa.Column("order_file_id", sa.Text, sa.ForeignKey("order_file.id")),  # the PO file that it marks
    sa.Column("parent_id", _SEQ, sa.ForeignKey("call.id")),  # the call that it is a part of, or states again
    sa.Column(
        "arrival", sa.Integer, nullable=False, server_default="0"
    ),  # file.seq: decides between equal times
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("records", sa.Integer, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("order_at", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("planned_at", sa.BigInteger, nullable=False),
    sa.Column("sent_at", sa.BigInteger),
    sa.Column("answered_at", sa.BigInteger),
    sa.Column("http_status", sa.Integer),
    sa.Column("answer", sa.Text, nullable=False, server_default=""),  # RetailOps' own words, or what happened
    sa.Column("restate_at", sa.BigInteger),  # when its values are stated once more, since one may land late
    # Confirmed, and newer confirmed calls say all that it said: the fold passes over it.
    sa.Column("spent", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("code", sa.Text, nullable=False, server_default=""),  # for what a WAITING call waits
    sqlite_autoincrement=True,
)

call_block = sa.Table(
    "call_block",
    metadata,
    # Apart from the call, whose state changes twice: an update would write the block anew each time.
    sa.Column("call_id", _SEQ, sa.ForeignKey("call.id"), primary_key=True, autoincrement=False),
    sa.Column("block", sa.LargeBinary, nullable=False),
)
sa.Index("call_by_file", call.c.file_id, call.c.id)
sa.Index("call_by_vendor", call.c.vendor, call.c.action, call.c.state, call.c.spent)
sa.Index("call_restate", call.c.restate_at)
sa.Index("call_by_order_file", call.c.order_file_id)

call_po = sa.Table(
    "call_po",
    metadata,
    # Which calls are about a PO: what was confirmed of it, what waits, and what is still without an answer.
    sa.Column("call_id", _SEQ, sa.ForeignKey("call.id"), primary_key=True, autoincrement=False),
    sa.Column("po", sa.Text, primary_key=True),
    sa.Column("vendor", sa.Text, nullable=False),
)
sa.Index("call_po_by_po", call_po.c.vendor, call_po.c.po)

purchase_order = sa.Table(
    "purchase_order",
    metadata,
    sa.Column("vendor", sa.Text, primary_key=True),
    sa.Column("po", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),  # RetailOps' word for it, when it was last seen
    sa.Column("date_submit", sa.BigInteger),
    sa.Column("revision", sa.Text, nullable=False),  # hash of what the vendor must know of it
    sa.Column("number", sa.Integer, nullable=False, server_default="1"),  # of revisions exported, from 1
    sa.Column("exported_revision", sa.Text, nullable=False, server_default=""),
    sa.Column("record", sa.LargeBinary, nullable=False),  # as RetailOps sent it: zlib of JSON
    sa.Column("items", sa.JSON, nullable=False),  # [[po_item_id, vpc, quantity]]
    sa.Column("code", sa.Text, nullable=False, server_default=""),
    sa.Column("message", sa.Text, nullable=False, server_default=""),
    sa.Column("first_seen_at", sa.BigInteger, nullable=False),
    sa.Column("seen_at", sa.BigInteger, nullable=False),
    sa.Column("marked_at", sa.BigInteger),
)
sa.Index("purchase_order_by_state", purchase_order.c.vendor, purchase_order.c.state)

order_file = sa.Table(
    "order_file",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("vendor", sa.Text, nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # order, change or resend
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("pos", sa.Integer, nullable=False),
    sa.Column("done_file", sa.Boolean, nullable=False),
    sa.Column("submit", sa.Text, nullable=False),
    sa.Column("notes", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("staged_at", sa.BigInteger, nullable=False),
    sa.Column("published_at", sa.BigInteger),
    sa.Column("marked_at", sa.BigInteger),
    sa.Column("gone_at", sa.BigInteger),  # first look at which the vendor had taken it
    sa.UniqueConstraint("vendor", "name", name="order_file_name"),
)
sa.Index("order_file_by_state", order_file.c.vendor, order_file.c.state)

order_export = sa.Table(
    "order_export",
    metadata,
    sa.Column("order_file_id", sa.Text, sa.ForeignKey("order_file.id"), primary_key=True),
    sa.Column("vendor", sa.Text, nullable=False),
    sa.Column("po", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("revision", sa.Text, nullable=False),
    sa.Column("items", sa.JSON, nullable=False),  # exactly what was exported, and so what is marked
)
sa.Index("order_export_by_po", order_export.c.vendor, order_export.c.po)

sequence = sa.Table(
    "sequence",
    metadata,
    sa.Column("vendor", sa.Text, primary_key=True),
    sa.Column("last", sa.Integer, nullable=False),
)

request = sa.Table(
    "request",
    metadata,
    sa.Column("id", _SEQ, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.Text, nullable=False),  # release, discard, retry, resend, close
    sa.Column("subject", sa.Text, nullable=False),  # a file id, or VENDOR/PO
    sa.Column("asked_at", sa.BigInteger, nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("done_at", sa.BigInteger),
    sa.Column("result", sa.Text, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)
sa.Index("request_open", request.c.done_at, request.c.id)

arrival = sa.Table(
    "arrival",
    metadata,
    sa.Column("vendor", sa.Text, primary_key=True),
    sa.Column("name_bytes", sa.LargeBinary, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("first_seen_at", sa.BigInteger, nullable=False),
    sa.Column("seen_at", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),  # why it is still in the inbox
    sa.Column("explained", sa.Boolean, nullable=False, server_default=sa.false()),
)

ship_classes = sa.Table(
    "ship_classes",
    metadata,
    sa.Column("vendor", sa.Text, primary_key=True),
    sa.Column("fetched_at", sa.BigInteger, nullable=False),
    sa.Column("classes", sa.JSON, nullable=False),  # [[id, name, active]] as they were fetched last
    sa.Column(
        "names_before", sa.JSON, nullable=False, server_default="{}"
    ),  # {id: name} of what is gone or renamed
)

channel = sa.Table(
    "channel",
    metadata,
    sa.Column("vendor", sa.Text, primary_key=True),
    sa.Column("trouble", sa.Text, nullable=False, server_default=""),  # key refused, unreachable; empty: well
    sa.Column("since", sa.BigInteger),
    sa.Column("tried_at", sa.BigInteger),
    sa.Column("fetched_at", sa.BigInteger),  # when its POs were last fetched whole
)

work_pass = sa.Table(
    "pass",
    metadata,
    sa.Column("id", _SEQ, primary_key=True, autoincrement=True),
    sa.Column("by", sa.Text, nullable=False),  # run or watch, and its process id
    sa.Column("started_at", sa.BigInteger, nullable=False),
    sa.Column("beat_at", sa.BigInteger, nullable=False),  # the heartbeat
    sa.Column("ended_at", sa.BigInteger),
    sa.Column("exit_code", sa.Integer),
    sqlite_autoincrement=True,
)
