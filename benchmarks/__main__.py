"""The first line of the benchmark: a large inventory CSV, FileBridge against the script that users write.

Both read the same 1,000,000-row file (six columns, two used), send batches of 1000 to the same local sink, and
are timed as whole processes in turn within one run: only the ratio means anything. FileBridge also claims,
checks, journals and replies. Peak memory is that of the largest single process, and stands beside that of a
1,000-row run.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "results"
KEY = "benchmark-key"


@dataclass(frozen=True)
class Run:
    """One process: wall seconds and peak memory in MB."""

    seconds: float
    megabytes: float


def write_inventory(path: Path, rows: int) -> None:
    """A made-up inventory file: six columns of which two are used, a header, one VPC a row."""
    with path.open("w", encoding="utf-8", newline="") as out:
        out.write("Item,Description,UPC,Qty Avail,Cost,Warehouse\n")
        out.writelines(
            f"SKU-{row:07d},Widget number {row},{row:012d},{row * 7919 % 500},{row % 97}.50,W{row % 4}\n"
            for row in range(rows)
        )


@contextmanager
def sink() -> Iterator[str]:
    """The local sink, a process of its own: confirms every call without delay and keeps nothing."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "sink.py")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def timed(command: list[str], environment: dict[str, str]) -> Run:
    """Run a command to its end. Raises CalledProcessError where it fails."""
    before = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - before
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(
            process.returncode, command, stderr=errors.decode(errors="replace")
        )
    return Run(seconds, usage.ru_maxrss / 1024)


def make_workspace(folder: Path, url: str) -> None:
    """A workspace with one vendor whose inventory mapping uses two of the six columns."""
    pack = folder / "mappings" / "acme"
    pack.mkdir(parents=True)
    (folder / "filebridge.yaml").write_text(f"retailops:\n  base_url: {url}\nintake:\n  settle: 0.2s\n")
    (pack / "vendor.yaml").write_text('vendor_id: "27"\n')
    (pack / "inventory.yaml").write_text(
        "document: inventory\nmatch: ['inventory*.csv']\ncovers: everything\n"
        "fields:\n  vpc: Item\n  quantity: Qty Avail\n"
    )
    (folder / "inbox" / "acme").mkdir(parents=True)


def filebridge_run(source: Path, url: str, environment: dict[str, str]) -> Run:
    """`filebridge run` on an empty ledger, process start to receipt; checks that the receipt says so."""
    folder = Path(tempfile.mkdtemp(prefix="filebridge-bench-"))
    try:
        make_workspace(folder, url)
        shutil.copyfile(source, folder / "inbox" / "acme" / "inventory.csv")
        run = timed(
            [sys.executable, "-m", "filebridge", "-C", str(folder), "run", "--only", "in"], environment
        )
        receipt = json.loads((folder / "outbox/acme/replies/inventory.csv.receipt.json").read_text())
        if receipt["outcomes"] != {"delivered": receipt["file"]["rows"]}:
            raise SystemExit(f"the receipt says {receipt['outcomes']}")
        return run
    finally:
        shutil.rmtree(folder)


def script_run(source: Path, url: str, environment: dict[str, str]) -> Run:
    """The script that users write: csv.DictReader and requests, batches of 1000, no journal, no checks."""
    return timed([sys.executable, str(HERE / "script.py"), str(source), url], environment)


def in_turn(runs: int, *works: Callable[[], Run]) -> list[list[Run]]:
    """Run the works A B A B …, after one round that does not count."""
    for work in works:
        work()
    rounds = [[work() for work in works] for _ in range(runs)]
    return [list(column) for column in zip(*rounds, strict=True)]


def main() -> None:
    """Print the table and keep it as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    environment = dict(os.environ, RETAILOPS_API_KEY=KEY)
    with tempfile.TemporaryDirectory(prefix="filebridge-bench-") as folder, sink() as url:
        large, small = Path(folder) / "large.csv", Path(folder) / "small.csv"
        write_inventory(large, options.rows)
        write_inventory(small, 1000)
        ours, script = in_turn(
            options.runs,
            lambda: filebridge_run(large, url, environment),
            lambda: script_run(large, url, environment),
        )
        base = filebridge_run(small, url, environment)
    report(options.rows, ours, script, base)


def report(rows: int, ours: list[Run], script: list[Run], base: Run) -> None:
    """The figures: medians, the ratio pair by pair, and memory above a 1,000-row run."""
    ratio = statistics.median(b.seconds / a.seconds for a, b in zip(ours, script, strict=True))
    memory = statistics.median(run.megabytes for run in ours) - base.megabytes
    seconds = [statistics.median(run.seconds for run in runs) for runs in (ours, script)]
    print(f"{'work':<44}{'script':>9}{'ours':>9}{'ratio':>8}{'reach':>8}{'memory':>10}{'reach':>8}")
    print(
        f"{f'{rows:,}-row inventory CSV, start to receipt':<44}{seconds[1]:>8.2f}s{seconds[0]:>8.2f}s{ratio:>7.2f}x"
        f"{'2.0x':>8}{memory:>+8.0f}MB{'+120MB':>8}"
    )
    RESULTS.mkdir(exist_ok=True)
    figures = {
        "rows": rows,
        "ours": [asdict(run) for run in ours],
        "script": [asdict(run) for run in script],
        "thousand_rows": asdict(base),
        "ratio": ratio,
        "memory_above_mb": memory,
    }
    (RESULTS / "inventory.json").write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
