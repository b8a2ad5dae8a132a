"""Run by Alembic: carries out migrations in the transaction of the connection that `connect` hands over."""

from __future__ import annotations

from alembic import context

from filebridge.ledger.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
