"""Records cut to RetailOps' limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from filebridge.columns import Batch, join_batches

MOST_RECORDS = 1000
"""Records in one call: seen for Product.ExternalSku.update, documented for the calls about POs."""


def in_batches(batches: Iterable[Batch], *, most: int = MOST_RECORDS) -> Iterator[Batch]:
    """The same records in the same order, `most` to a batch; the last one may be shorter."""
    waiting: list[Batch] = []
    count = 0
    for batch in batches:
        start = 0
        while count + batch.num_rows - start >= most:
            piece = batch.slice(start, most - count)
            start += most - count
            yield join_batches([*waiting, piece], batch.schema) if waiting else piece
            waiting, count = [], 0
        if start < batch.num_rows:
            rest = batch.slice(start)
            waiting.append(rest)
            count += rest.num_rows
    if waiting:
        yield join_batches(waiting, waiting[0].schema)
