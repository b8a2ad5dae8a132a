"""The two units of work, composed: process one file, and fetch one vendor's orders. Restartable from the ledger."""
