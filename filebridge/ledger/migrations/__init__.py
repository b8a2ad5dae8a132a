"""Versions of the ledger's tables, oldest first. Run by `connect`, never from an alembic.ini."""
