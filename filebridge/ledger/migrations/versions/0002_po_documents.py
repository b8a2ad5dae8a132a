"""Documents about POs: which calls are about a PO, why one waits, and the ship classes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('call', sa.Column('code', sa.Text(), server_default='', nullable=False))
    op.create_table('call_po',
    sa.Column('call_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('po', sa.Text(), nullable=False),
    sa.Column('vendor', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], ),
    sa.PrimaryKeyConstraint('call_id', 'po')
    )
    op.create_index('call_po_by_po', 'call_po', ['vendor', 'po'], unique=False)
    op.create_table('ship_classes',
    sa.Column('vendor', sa.Text(), nullable=False),
    sa.Column('fetched_at', sa.BigInteger(), nullable=False),
    sa.Column('classes', sa.JSON(), nullable=False),
    sa.Column('names_before', sa.JSON(), server_default='{}', nullable=False),
    sa.PrimaryKeyConstraint('vendor')
    )
