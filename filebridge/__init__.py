"""FileBridge: the file-based, EDI-style batch converter between drop-ship vendors and RetailOps."""

__version__ = "0.1.0"
