"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('arrival',
    sa.Column('vendor', sa.Text(), nullable=False),
    sa.Column('name_bytes', sa.LargeBinary(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('first_seen_at', sa.BigInteger(), nullable=False),
    sa.Column('seen_at', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.Text(), server_default='', nullable=False),
    sa.Column('explained', sa.Boolean(), server_default=sa.text('0'), nullable=False),
    sa.PrimaryKeyConstraint('vendor', 'name_bytes')
    )
    op.create_table('channel',
    sa.Column('vendor', sa.Text(), nullable=False),
    sa.Column('trouble', sa.Text(), server_default='', nullable=False),
    sa.Column('since', sa.BigInteger(), nullable=True),
    sa.Column('tried_at', sa.BigInteger(), nullable=True),
    sa.Column('fetched_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('vendor')
    )
    op.create_table('file',
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('vendor', sa.Text(), nullable=False),
    sa.Column('document', sa.Text(), server_default='', nullable=False),
    sa.Column('feed', sa.Text(), server_default='', nullable=False),
    sa.Column('mapping', sa.Text(), server_default='', nullable=False),
    sa.Column('mapping_sha256', sa.Text(), server_default='', nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('name_bytes', sa.LargeBinary(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('modified_at', sa.BigInteger(), nullable=False),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), server_default='', nullable=False),
    sa.Column('rows', sa.Integer(), server_default='0', nullable=False),
    sa.Column('order_at', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('code', sa.Text(), server_default='', nullable=False),
    sa.Column('message', sa.Text(), server_default='', nullable=False),
    sa.Column('hold_code', sa.Text(), server_default='', nullable=False),
    sa.Column('hold_message', sa.Text(), server_default='', nullable=False),
    sa.Column('released', sa.Boolean(), server_default=sa.text('0'), nullable=False),
    sa.Column('forced', sa.Boolean(), server_default=sa.text('0'), nullable=False),
    sa.Column('duplicate_of', sa.Text(), server_default='', nullable=False),
    sa.Column('corrects', sa.Text(), server_default='', nullable=False),
    sa.Column('zeroed', sa.Integer(), server_default='0', nullable=False),
    sa.Column('zeroing_refused', sa.Boolean(), server_default=sa.text('0'), nullable=False),
    sa.Column('headers', sa.JSON(), server_default='[]', nullable=False),
    sa.Column('how', sa.JSON(), server_default='{}', nullable=False),
    sa.Column('claim_notes', sa.JSON(), server_default='[]', nullable=False),
    sa.Column('notes', sa.JSON(), server_default='[]', nullable=False),
    sa.Column('reads', sa.Integer(), server_default='0', nullable=False),
    sa.Column('settled_at', sa.BigInteger(), nullable=True),
    sa.Column('reject_file', sa.Text(), server_default='', nullable=False),
    sa.Column('archived_at', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('seq'),
    sa.UniqueConstraint('id'),
    sqlite_autoincrement=True
    )
    op.create_index('file_by_vendor', 'file', ['vendor', 'feed', 'seq'], unique=False)
    op.create_index('file_unsettled', 'file', ['state', 'seq'], unique=False)
    op.create_table('ledger',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('order_file',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('vendor', sa.Text(), nullable=False),
    sa.Column('sequence', sa.Integer(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.Column('pos', sa.Integer(), nullable=False),
    sa.Column('done_file', sa.Boolean(), nullable=False),
    sa.Column('submit', sa.Text(), nullable=False),
    sa.Column('notes', sa.JSON(), server_default='[]', nullable=False),
    sa.Column('staged_at', sa.BigInteger(), nullable=False),
    sa.Column('published_at', sa.BigInteger(), nullable=True),
    sa.Column('marked_at', sa.BigInteger(), nullable=True),
    sa.Column('gone_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('vendor', 'name', name='order_file_name')
    )
    op.create_index('order_file_by_state', 'order_file', ['vendor', 'state'], unique=False)
    op.create_table('pass',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('started_at', sa.BigInteger(), nullable=False),
    sa.Column('beat_at', sa.BigInteger(), nullable=False),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.Column('exit_code', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True
    )
    op.create_table('purchase_order',
    sa.Column('vendor', sa.Text(), nullable=False),
    sa.Column('po', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('date_submit', sa.BigInteger(), nullable=True),
    sa.Column('revision', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), server_default='1', nullable=False),
    sa.Column('exported_revision', sa.Text(), server_default='', nullable=False),
    sa.Column('record', sa.LargeBinary(), nullable=False),
    sa.Column('items', sa.JSON(), nullable=False),
    sa.Column('code', sa.Text(), server_default='', nullable=False),
    sa.Column('message', sa.Text(), server_default='', nullable=False),
    sa.Column('first_seen_at', sa.BigInteger(), nullable=False),
    sa.Column('seen_at', sa.BigInteger(), nullable=False),
    sa.Column('marked_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('vendor', 'po')
    )
    op.create_index('purchase_order_by_state', 'purchase_order', ['vendor', 'state'], unique=False)
    op.create_table('request',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('asked_at', sa.BigInteger(), nullable=False),
    sa.Column('asked_by', sa.Text(), nullable=False),
    sa.Column('done_at', sa.BigInteger(), nullable=True),
    sa.Column('result', sa.Text(), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True
    )
    op.create_index('request_open', 'request', ['done_at', 'id'], unique=False)
    op.create_table('sequence',
    sa.Column('vendor', sa.Text(), nullable=False),
    sa.Column('last', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('vendor')
    )
    op.create_table('call',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('vendor', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('feed', sa.Text(), server_default='', nullable=False),
    sa.Column('file_id', sa.Text(), nullable=True),
    sa.Column('order_file_id', sa.Text(), nullable=True),
    sa.Column('parent_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('arrival', sa.Integer(), server_default='0', nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('records', sa.Integer(), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.Column('order_at', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('planned_at', sa.BigInteger(), nullable=False),
    sa.Column('sent_at', sa.BigInteger(), nullable=True),
    sa.Column('answered_at', sa.BigInteger(), nullable=True),
    sa.Column('http_status', sa.Integer(), nullable=True),
    sa.Column('answer', sa.Text(), server_default='', nullable=False),
    sa.Column('restate_at', sa.BigInteger(), nullable=True),
    sa.Column('spent', sa.Boolean(), server_default=sa.text('0'), nullable=False),
    sa.ForeignKeyConstraint(['file_id'], ['file.id'], ),
    sa.ForeignKeyConstraint(['order_file_id'], ['order_file.id'], ),
    sa.ForeignKeyConstraint(['parent_id'], ['call.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sqlite_autoincrement=True
    )
    op.create_index('call_by_file', 'call', ['file_id', 'id'], unique=False)
    op.create_index('call_by_order_file', 'call', ['order_file_id'], unique=False)
    op.create_index('call_by_vendor', 'call', ['vendor', 'action', 'state', 'spent'], unique=False)
    op.create_index('call_restate', 'call', ['restate_at'], unique=False)
    op.create_table('call_block',
    sa.Column('call_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('block', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], ),
    sa.PrimaryKeyConstraint('call_id')
    )
    op.create_table('order_export',
    sa.Column('order_file_id', sa.Text(), nullable=False),
    sa.Column('vendor', sa.Text(), nullable=False),
    sa.Column('po', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('revision', sa.Text(), nullable=False),
    sa.Column('items', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['order_file_id'], ['order_file.id'], ),
    sa.PrimaryKeyConstraint('order_file_id', 'po')
    )
    op.create_index('order_export_by_po', 'order_export', ['vendor', 'po'], unique=False)
    op.create_table('renewal',
    sa.Column('file_id', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('vendor', sa.Text(), nullable=False),
    sa.Column('arrival', sa.Integer(), nullable=False),
    sa.Column('order_at', sa.BigInteger(), nullable=False),
    sa.Column('block', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['file_id'], ['file.id'], ),
    sa.PrimaryKeyConstraint('file_id', 'number')
    )
    op.create_index('renewal_by_vendor', 'renewal', ['vendor', 'arrival'], unique=False)
    op.create_table('row_block',
    sa.Column('file_id', sa.Text(), nullable=False),
    sa.Column('runs', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['file_id'], ['file.id'], ),
    sa.PrimaryKeyConstraint('file_id')
    )
    op.create_table('row_reject',
    sa.Column('file_id', sa.Text(), nullable=False),
    sa.Column('row', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('column', sa.Text(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['file_id'], ['file.id'], ),
    sa.PrimaryKeyConstraint('file_id', 'row', 'number'),
    sqlite_with_rowid=False
    )
