"""`make sabotage`: mistakes that a developer could make are made in a copy of the project, and the tests must turn red.

Each `NN-name.patch` in this folder is one mistake: a diff as git makes it, whose head, the lines before the first
`diff --git`, says in plain words what is wrong with it, and after `tests:` which tests must notice it (paths or node
ids, a few seconds' worth). A mistake that no test notices is a test that is missing.

    python tests/sabotage            all of them
    python tests/sabotage NAME...    those with one of these in their name
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
AT_ONCE = 2
LONGEST_SECONDS = 120.0
"""A run of tests that takes longer is ended, and proves nothing."""
_LINES_SHOWN = 25
_FAILED = re.compile(r"^FAILED (.+?)(?: - .*)?$", re.MULTILINE)
_TESTS = re.compile(r"^tests:(.*)$", re.MULTILINE)
_ENDS = {
    0: "all tests pass",
    2: "the tests could not be collected",
    3: "pytest itself failed",
    4: "the tests could not be loaded",
    5: "no tests were found",
}


@dataclass(frozen=True)
class Sabotage:
    """One mistake, and the tests that must notice it."""

    patch: Path
    tests: tuple[str, ...]

    @classmethod
    def of(cls, patch: Path) -> Sabotage:
        """Read a patch. SystemExit where its head names no tests."""
        head = patch.read_text(encoding="utf-8").partition("\ndiff --git ")[0]
        tests = tuple(test for line in _TESTS.findall(head) for test in line.split())
        if not tests:
            sys.exit(f"{patch.name}: the head names no tests. Add a line `tests: PATH ...` before the diff.")
        return cls(patch, tests)

    @property
    def title(self) -> str:
        number, _, name = self.patch.stem.partition("-")
        return f"{number} {name:<36}"


@dataclass(frozen=True)
class Tested:
    """What came of a run of tests: pytest's exit code, None where it was ended, and what it printed."""

    code: int | None
    seconds: float
    printed: str

    @property
    def failed(self) -> str:
        """The first test that failed, empty where none did. What fails before a test begins does not count."""
        found = _FAILED.search(self.printed)
        return found[1] if found and self.code == 1 else ""

    @property
    def words(self) -> str:
        if self.failed:
            return f"red in {self.seconds:4.1f} s: {self.failed}"
        if self.code is None:
            return f"GREEN: no end within {LONGEST_SECONDS:.0f} s"
        how = _ENDS.get(self.code, f"pytest ended with {self.code}, and no test failed")
        return f"GREEN: {how}{self.end if self.code else ''}"

    @property
    def end(self) -> str:
        """The last lines that were printed, on lines of their own."""
        return "".join(f"\n    {line}" for line in self.printed.splitlines()[-_LINES_SHOWN:])


def main(names: Sequence[str]) -> int:
    """Make each mistake; 1 where one is not noticed, or cannot be made any more."""
    chosen = [
        Sabotage.of(patch)
        for patch in sorted(HERE.glob("*.patch"))
        if not names or any(name in patch.stem for name in names)
    ]
    if not chosen:
        sys.exit(f"No patch in {HERE} has {' or '.join(names) or '.patch'} in its name.")
    with tempfile.TemporaryDirectory(prefix="filebridge-sabotage-") as folder:
        clean = Path(folder).resolve() / "clean"
        copy_project(clean)
        proof = run_tests(clean, without_doubles(chosen), at_once=AT_ONCE)
        if proof.code != 0:
            print(proof.printed)
            print(f"sabotage: without any mistake {proof.failed or 'the tests'} must pass, and did not")
            return 1
        print(f"without any mistake all tests pass in {proof.seconds:.1f} s", flush=True)
        red = 0
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for sabotage, words in zip(chosen, pool.map(partial(judge, clean), chosen), strict=True):
                red += words.startswith("red")
                print(sabotage.title, words, flush=True)
    print(f"sabotage: {red} red, {len(chosen) - red} green")
    return 0 if red == len(chosen) else 1


def judge(clean: Path, sabotage: Sabotage) -> str:
    """Make one mistake in a copy of its own, and say what the tests say to it."""
    copy = clean.parent / sabotage.patch.stem
    shutil.copytree(clean, copy, symlinks=True)
    applied = subprocess.run(
        ["git", "apply", "--recount", "-C1", "--whitespace=nowarn", str(sabotage.patch)],
        cwd=copy,
        env=environment(copy),
        capture_output=True,
        text=True,
        check=False,
    )
    if applied.returncode:
        return f"GREEN: it does not apply, the code moved: write it anew\n{applied.stderr.rstrip()}"
    tested = run_tests(copy, sabotage.tests)
    shutil.rmtree(copy, ignore_errors=True)
    return tested.words


def copy_project(target: Path) -> None:
    """Copy what git knows of the working tree, or would take: files as they are now, committed or not."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        source, copy = ROOT / name, target / name
        if source.is_symlink() or source.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy, follow_symlinks=False)


def run_tests(copy: Path, tests: Sequence[str], *, at_once: int = 1) -> Tested:
    """Run some tests of a copy until the first fails."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    if at_once > 1:
        command += ["--numprocesses", str(at_once), "--dist", "worksteal"]
    began = time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as printed:
        # A session of its own, so that what the tests started ends with them.
        process = subprocess.Popen(
            command,
            cwd=copy,
            env=environment(copy),
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code: int | None = process.wait(LONGEST_SECONDS)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            code = None
        printed.seek(0)
        return Tested(code, time.monotonic() - began, printed.read())


def environment(copy: Path) -> dict[str, str]:
    """What a copy is worked on with: its own package comes before the installed one, and it is no repository.

    Temporary files lie beside it, apart from those of all other tests that run at the same time.
    """
    temporary = copy.with_name(f"{copy.name}.tmp")
    temporary.mkdir(exist_ok=True)
    return os.environ | {
        "PYTHONPATH": str(copy),
        "GIT_CEILING_DIRECTORIES": str(copy.parent),
        "TMPDIR": str(temporary),
    }


def without_doubles(chosen: Sequence[Sabotage]) -> list[str]:
    """The tests that are named at all, each once: those of a file that is named as a whole are in it."""
    named = dict.fromkeys(test for sabotage in chosen for test in sabotage.tests)
    return [test for test in named if "::" not in test or test.partition("::")[0] not in named]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
