"""Columns: text and numbers of many rows at once, and the blocks they are kept in.

Every Arrow array of the package is made here. `pyarrow.array`, `pyarrow.scalar` and `to_numpy` import pandas
where it is installed (measured: +140 ms and 50 MB), and so does handing a Python value to a compute
function; these constructors build from buffers instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

TextColumn: TypeAlias = Any
"""A `pyarrow.StringArray`: pyarrow ships no types of its own."""
Batch: TypeAlias = Any
"""A `pyarrow.RecordBatch`."""
Ints: TypeAlias = npt.NDArray[np.int32]
Longs: TypeAlias = npt.NDArray[np.int64]
Hashes: TypeAlias = npt.NDArray[np.uint64]
Mask: TypeAlias = npt.NDArray[np.bool_]

NO_INSTANT: Final = np.int64(-(2**63))
"""An absent instant in a column of microseconds."""

_BLOCK_OPTIONS: Final = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
"""zstd halves a block and takes four times as long; for a thousand records threads only cost."""
# Threads of Arrow's own cost more than the few columns of a block: three times the time, measured.
_READ_OPTIONS: Final = pa.ipc.IpcReadOptions(use_threads=False)


def text_column(values: Sequence[str | None]) -> TextColumn:
    """A text column of these values; None becomes null."""
    encoded = [b"" if value is None else value.encode("utf-8") for value in values]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int32)
    np.cumsum([len(value) for value in encoded], out=offsets[1:])
    nulls = None
    if any(value is None for value in values):
        present = np.fromiter((value is not None for value in values), dtype=np.bool_, count=len(values))
        nulls = pa.py_buffer(np.packbits(present, bitorder="little").tobytes())
    return pa.StringArray.from_buffers(
        len(encoded), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded)), nulls
    )


def constant_text(value: str, length: int) -> TextColumn:
    """A text column that says `value` on each of `length` rows."""
    return text_column([value]).take(int_array(np.zeros(length, dtype=np.int32)))


def text_scalar(value: str) -> Any:
    """An Arrow text scalar, for compute functions that take one."""
    return text_column([value])[0]


def int_array(values: Ints) -> Any:
    """A `pyarrow.Int32Array` over a numpy array, without a copy."""
    values = np.ascontiguousarray(values, dtype=np.int32)
    return pa.Array.from_buffers(pa.int32(), len(values), [None, pa.py_buffer(values)])


def long_array(values: Longs) -> Any:
    """A `pyarrow.Int64Array` over a numpy array, without a copy."""
    values = np.ascontiguousarray(values, dtype=np.int64)
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(values)])


def bool_array(values: Mask) -> Any:
    """A `pyarrow.BooleanArray` from a numpy mask."""
    packed = np.packbits(np.ascontiguousarray(values), bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(packed.tobytes())])


def as_ints(column: Any) -> Ints:
    """A numpy view of an Arrow int32 column without nulls."""
    return np.frombuffer(column.buffers()[1], dtype=np.int32, count=len(column) + column.offset)[
        column.offset :
    ]


def as_longs(column: Any) -> Longs:
    """A numpy view of an Arrow int64 column without nulls."""
    return np.frombuffer(column.buffers()[1], dtype=np.int64, count=len(column) + column.offset)[
        column.offset :
    ]


def as_mask(column: Any) -> Mask:
    """A numpy mask from an Arrow boolean column; null counts as False."""
    if column.null_count:
        column = pc.fill_null(column, bool_array(np.zeros(1, dtype=np.bool_))[0])
    bits = np.frombuffer(column.buffers()[1], dtype=np.uint8)
    unpacked = np.unpackbits(bits, bitorder="little", count=column.offset + len(column))
    return unpacked[column.offset :].astype(np.bool_)


def hash_text(column: TextColumn) -> Hashes:
    """64-bit hashes of a text column, the same in every process and on every day.

    Hashes only nominate: two texts with one hash are compared before anything is decided.
    """
    count = len(column)
    if not count:
        return np.empty(0, dtype=np.uint64)
    _, offsets_buffer, data_buffer = column.buffers()
    offsets = np.frombuffer(offsets_buffer, dtype=np.int32)[column.offset : column.offset + count + 1].astype(
        np.int64
    )
    lengths = offsets[1:] - offsets[:-1]
    data = np.frombuffer(data_buffer, dtype=np.uint8) if data_buffer is not None else np.empty(0, np.uint8)
    first, last = int(offsets[0]), int(offsets[-1])
    padded = np.zeros(last - first + 8, dtype=np.uint8)
    padded[: last - first] = data[first:last]
    words = np.ndarray(shape=(last - first + 1,), dtype="<u8", buffer=padded.data, strides=(1,))
    starts = offsets[:-1] - first
    hashes = lengths.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x2545F4914F6CDD1D)
    for word in range((int(lengths.max()) + 7) // 8):
        rest = lengths - word * 8
        alive = rest > 0
        piece = words[np.where(alive, starts + word * 8, 0)]
        keep = np.where(rest >= 8, 0, 8 - np.clip(rest, 0, 8)).astype(np.uint64) * np.uint64(8)
        # A shift by 64 is undefined: places past their end are masked out by `alive` below.
        piece = (piece << np.minimum(keep, np.uint64(63))) >> np.minimum(keep, np.uint64(63))
        mixed = (hashes ^ piece) * np.uint64(0xD6E8FEB86659FD93)
        mixed ^= mixed >> np.uint64(32)
        hashes = np.where(alive, mixed, hashes)
    return hashes


def repeated(hashes: Hashes) -> Mask:
    """Which places have a hash that stands at another place too."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    same = ordered[1:] == ordered[:-1]
    flags = np.zeros(len(hashes), dtype=np.bool_)
    flags[order[1:]] |= same
    flags[order[:-1]] |= same
    return flags


def pack(batch: Batch) -> bytes:
    """A record batch as one compressed block (Arrow IPC stream, LZ4)."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=_BLOCK_OPTIONS) as writer:
        writer.write_batch(batch)
    return bytes(memoryview(sink.getvalue()))


def unpack(block: bytes) -> Batch:
    """The record batch of a block that `pack` made."""
    with pa.ipc.open_stream(pa.py_buffer(block), options=_READ_OPTIONS) as reader:
        batches = list(reader)
    if len(batches) != 1:
        raise ValueError(f"a block holds one record batch, this one holds {len(batches)}")
    return batches[0]


def join_batches(batches: Iterable[Batch], schema: Any) -> Batch:
    """One record batch of many with the same schema, rows in order."""
    found = [batch for batch in batches if batch.num_rows]
    if not found:
        return empty_batch(schema)
    return pa.Table.from_batches(found, schema=schema).combine_chunks().to_batches()[0]


def empty_batch(schema: Any) -> Batch:
    """A record batch of this schema without rows."""
    nothing = pa.py_buffer(b"")
    arrays = [
        pa.Array.from_buffers(
            field.type,
            0,
            [None, pa.py_buffer(bytes(4)), nothing] if field.type == pa.string() else [None, nothing],
        )
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
