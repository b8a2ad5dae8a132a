"""Our answers to a file: the receipt, the reject file, and the page that says how things stand."""

from typing import Final

REPLIES: Final = "replies"
"""Folder of the replies below a vendor's outbox."""
