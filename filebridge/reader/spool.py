"""The spool: records and rejects of a file as Arrow files, so that memory does not grow with it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from filebridge.columns import Batch


def batches_of(path: Path) -> Iterator[Batch]:
    """The batches of an Arrow file, one at a time; none where there is no file."""
    import pyarrow as pa

    if not path.exists():
        return
    with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as reader:
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


class Spool:
    """Where records and rejects go while the file is read: Arrow files in the work folder."""

    def __init__(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        self.folder = folder
        self._writers: dict[str, Any] = {}

    def records(self, batch: Batch) -> None:
        self._write("records", batch)

    def rejects(self, batch: Batch) -> None:
        self._write("rejects", batch)

    def restart(self) -> None:
        """Forget all that was taken."""
        self.close()
        for path in self.folder.iterdir():
            path.unlink()

    def reread(self) -> Iterator[Batch]:
        self._close("records")
        return batches_of(self.folder / "records.arrow")

    def replace(self, batches: Iterable[Batch]) -> None:
        """Put these records in the place of all that were written."""
        for batch in batches:
            self._write("replaced", batch)
        self._close("records")
        self._close("replaced")
        if (self.folder / "replaced.arrow").exists():
            (self.folder / "replaced.arrow").replace(self.folder / "records.arrow")
        else:
            (self.folder / "records.arrow").unlink(missing_ok=True)

    def close(self) -> None:
        for name in list(self._writers):
            self._close(name)

    def _write(self, name: str, batch: Batch) -> None:
        import pyarrow as pa

        if name not in self._writers:
            self._writers[name] = pa.ipc.new_file(str(self.folder / f"{name}.arrow"), batch.schema)
        self._writers[name].write_batch(batch)

    def _close(self, name: str) -> None:
        writer = self._writers.pop(name, None)
        if writer is not None:
            writer.close()
