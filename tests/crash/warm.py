"""A process that has imported FileBridge and opened nothing: each command runs in a fork of it, for a few ms.

One request a line on standard input: `{"arguments": [...], "kill_at": N or null, "kill_step": NAME or null,
"commits": true or false}`; two answers: the fork's `{"pid"}` at once, and `{"code", "steps"}` when it has ended.
A fork that is to be killed sends itself SIGKILL at its N-th step, or at the first step of that name: no `finally`
runs, nothing is flushed. With `commits` each commit of the ledger is a step too.
"""

import importlib
import json
import os
import pkgutil
import signal
import sys
from contextlib import contextmanager

import filebridge
import filebridge.milestones

SKIPPED = ("filebridge.sandbox", "filebridge.__main__", "filebridge.ledger.migrations")


def main() -> None:
    for module in pkgutil.walk_packages(filebridge.__path__, "filebridge."):
        if not module.name.startswith(SKIPPED):
            importlib.import_module(module.name)
    for name in ("httpx", "openpyxl", "xlsxwriter", "sqlalchemy.dialects.sqlite"):
        importlib.import_module(name)
    for line in sys.stdin:
        request = json.loads(line)
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            os._exit(command(request, write))
        os.close(write)
        answer({"pid": pid})
        with os.fdopen(read) as steps:
            reached = steps.read().split()
        answer({"code": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), "steps": reached})


def command(request: dict, steps: int) -> int:
    """In the fork: run the command, telling each step through `steps`."""
    count = 0

    def observe(step: str) -> None:
        nonlocal count
        count += 1
        os.write(steps, f"{step}\n".encode())
        if count == request["kill_at"] or step == request["kill_step"]:
            os.kill(os.getpid(), signal.SIGKILL)

    from filebridge.cli.app import run

    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    filebridge.milestones.observe(observe)
    if request["commits"]:
        observe_commits()
    return run(request["arguments"])


def observe_commits() -> None:
    from filebridge.ledger.connect import Ledger

    begin = Ledger.begin

    @contextmanager
    def told(ledger):
        with begin(ledger) as connection:
            yield connection
        filebridge.milestones.reached("ledger.committed")

    Ledger.begin = told


def answer(message: dict) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
