"""Where the records and rejects of a file go while it is mapped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from filebridge.columns import Batch


class RecordSink(Protocol):
    """Takes records and rejects batch by batch, so that memory does not grow with the file."""

    def records(self, batch: Batch) -> None:
        """Take records, after those taken so far. Batches may be empty."""
        ...

    def rejects(self, batch: Batch) -> None:
        """Take rejects, of REJECTS_SCHEMA, in no order of rows."""
        ...

    def restart(self) -> None:
        """Forget all that was taken: the file is mapped again, knowing what its columns decide."""
        ...

    def reread(self) -> Iterator[Batch]:
        """The records taken so far, in order. Called when all are taken; may be called several times."""
        ...

    def replace(self, batches: Iterator[Batch]) -> None:
        """Keep these records instead of all that were taken. `batches` draws on `reread` as it is consumed."""
        ...
