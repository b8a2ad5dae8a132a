"""`filebridge demo`: the whole way in and out, in a temporary workspace, against the sandbox."""

from __future__ import annotations

import json
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from filebridge.cli import report
from filebridge.cli.surroundings import current

if TYPE_CHECKING:
    from filebridge.bridge.passes import PassReport
    from filebridge.sandbox import RecordedCall, Sandbox
    from filebridge.workspace import Workspace

WIDTH = 100


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def demo() -> int:
        """Show the whole way in and out, with files good, bad and ugly.

        It trades with a stand-in for RetailOps on this machine, in a temporary folder that is left for you to look
        at. Nothing leaves this machine, and no key is needed.

        Example: filebridge demo
        """
        from filebridge.cli import demo_scene
        from filebridge.cli.interrupt import interruptible

        root = Path(tempfile.mkdtemp(prefix="filebridge-demo-"))
        with interruptible(current().clock) as interrupt, demo_scene.make_sandbox() as sandbox:
            demo_scene.make_workspace(root, sandbox.url)
            told = _Telling(root, sandbox, interrupt.stop, silent=current().json)
            for scene in (_first_evening, _corrected, _all_zero, _released):
                scene(told)
                if interrupt.number:
                    report.say(f"Interrupted; what was done so far is in {root}.")
                    return interrupt.exit_code
            told.end()
        if current().json:
            report.print_json(
                {
                    "workspace": str(root),
                    "passes": told.passes,
                    "calls": [_call_as_json(call) for call in told.calls],
                }
            )
        return 0


@dataclass
class _Telling:
    """What was done so far, and how it is told."""

    root: Path
    sandbox: Sandbox
    stop: threading.Event
    silent: bool
    passes: list[dict[str, Any]] = field(default_factory=list)
    calls: list[RecordedCall] = field(default_factory=list)
    number: int = 0
    told: set[str] = field(default_factory=set)

    def workspace(self) -> Workspace:
        """The temporary workspace; what this machine's environment sets does not count in it."""
        from filebridge.workspace import Workspace

        return Workspace.open(self.root, environment={})

    def scene(self, title: str, *lines: str) -> None:
        """Begin a scene; `lines` are a paragraph."""
        from filebridge.replies.wording import wrapped

        self.number += 1
        self.print("")
        self.print(f"{self.number}. {title}")
        self.print("=" * (len(title) + 3))
        self.print(*(wrapped(" ".join(lines), width=_width(), break_long_words=False) if lines else ()), "")

    def print(self, *lines: Any) -> None:
        """Print lines and tables, unless JSON was asked for."""
        if not self.silent:
            console = report.console(wide=WIDTH)
            for line in lines:
                # Lines of text are as they are to be: a command that was wrapped could not be pasted.
                console.print(line, soft_wrap=isinstance(line, str))

    def say(self, head: str, *lines: str) -> None:
        """Print lines below their head, wrapped."""
        from filebridge.replies.wording import wrapped

        width = _width()
        self.print(
            *wrapped(head, width=width),
            *(
                part
                for line in lines
                for part in wrapped(line, first="  - ", indent="    ", width=width, break_long_words=False)
            ),
        )

    def once(self, head: str, *lines: str) -> None:
        """As `say`, but each head only once."""
        if head not in self.told:
            self.told.add(head)
            self.say(head, *lines)

    def run_pass(self) -> PassReport:
        """One pass, just as `filebridge run` makes it."""
        from filebridge.bridge.desk import open_desk
        from filebridge.bridge.passes import run_pass
        from filebridge.cli import outcome

        workspace, clock = self.workspace(), current().clock
        with workspace.lock(now=datetime.now(UTC)), open_desk(workspace, clock=clock, stop=self.stop) as desk:
            done = run_pass(desk, by="demo")
        self.passes.append({**outcome.as_json(done), "exit_code": done.exit_code})
        return done

    def new_calls(self) -> list[RecordedCall]:
        """The calls that RetailOps got since this was last asked."""
        fresh = self.sandbox.calls[len(self.calls) :]
        self.calls += fresh
        return fresh

    def end(self) -> None:
        """Say where everything is, and what to try next."""
        program = report.program()
        self.scene("Where to look", f"Everything is in {self.root}, which stays there until you delete it.")
        self.print(
            "  inbox/acme/price list.csv           the file that no mapping wants; it is safe there",
            "  outbox/acme/replies/                receipts, reject files, and the note about it",
            "  outbox/acme/orders/                 the purchase orders",
            "  outbox/acme/STATUS.txt              how things stand, for someone who has only this folder",
            "  archive/                            every original, with its replies",
            "",
            "Try next:",
            f"  {program} -C {self.root} status",
            f"  {program} -C {self.root} show {self._first('held')}",
            f"  {program} -C {self.root} rows {self._first('accepted_with_rejects')} --outcome rejected",
        )

    def _first(self, status: str) -> str:
        """Id of the first file that ended so."""
        return next(
            (file["id"] for done in self.passes for file in done["files"] if file["status"] == status), ""
        )


def _width() -> int:
    """Columns of a line of text: those of the terminal, or `WIDTH`."""
    return min(WIDTH, report.console(wide=WIDTH).width)


def _first_evening(told: _Telling) -> None:
    from filebridge.cli import demo_scene

    demo_scene.drop_first_files(told.root)
    told.scene(
        "Two vendors drop their files, and FileBridge makes its nightly pass",
        "Acme sends CSV and a workbook, Bergwerk the export of a German stock system. RetailOps has five new",
        "purchase orders for them.",
    )
    _tell(told, told.run_pass())


def _corrected(told: _Telling) -> None:
    from filebridge.cli import demo_scene

    path = demo_scene.drop_corrected(told.root)
    told.scene(
        "Bergwerk corrects the two bad cells in its reject file and drops that back",
        f"{path.name} is known by its fb_ columns: only its rows run, as a part of the first file.",
    )
    _tell(told, told.run_pass())
    sent = [call for call in told.calls if call.took_effect][-1]
    records = json.loads(sent.body)["records"]
    told.say(
        f"The call was POST {sent.path}, with the records",
        *(json.dumps(record, ensure_ascii=False) for record in records),
    )


def _all_zero(told: _Telling) -> None:
    from filebridge.cli import demo_scene

    demo_scene.drop_all_zero(told.root)
    told.scene(
        "Acme's system has lost its figures: every product at zero",
        "The guard holds such a file. Nothing of it is sent until a person has looked at it.",
    )
    _tell(told, told.run_pass())


def _released(told: _Telling) -> None:
    from filebridge.bridge.decisions import decide

    held = [file for file in told.passes[-1]["files"] if file["status"] == "held"]
    told.scene("A person has asked Acme: the stock is gone indeed. The file is let go")
    for file in held:
        decided = decide(told.workspace(), "release", file["id"], clock=current().clock)
        told.print(f"$ filebridge release {file['id']}", f"  {decided.result}", "")
    _tell(told, told.run_pass())


def _tell(told: _Telling, done: PassReport) -> None:
    """What came in, what was refused and why, which PO files were written, and what RetailOps was told."""
    from filebridge.cli import outcome
    from filebridge.cli.render import sentence

    if done.files:
        told.print("What came in", outcome.file_table(done.files))
    for name, reasons in _refusals(told, done):
        told.say(f"{name}:", *reasons)
    for one in done.waiting:
        told.once(f"{one.name} stays in the inbox:", sentence(one.message), one.fix)
    if done.order_files:
        told.print("", "What went out", outcome.order_table(done))
    told.say(f"RetailOps was told: {_told_of(told.new_calls())}")


def _refusals(told: _Telling, done: PassReport) -> Iterator[tuple[str, list[str]]]:
    """Each file with what was not taken of it, in words."""
    from filebridge.ledger.connect import read_ledger
    from filebridge.replies.receipt import build_receipt

    ledger = read_ledger(told.workspace().ledger_url)
    try:
        with ledger.read() as connection:
            receipts = [build_receipt(connection, file.file_id) for file in done.files]
    finally:
        ledger.close()
    for receipt in receipts:
        if receipt.held_for:
            yield f"{receipt.name} is held", [receipt.held_for.message]
        elif receipt.refused:
            yield f"{receipt.name} was refused", [receipt.notes[0].message]
        elif receipt.rejects:
            reasons = [f"row {reject.row}, {reject.column}: {reject.message}" for reject in receipt.rejects]
            yield f"Not taken of {receipt.name}", reasons


def _told_of(calls: list[RecordedCall]) -> str:
    """What calls changed at RetailOps, in words."""
    from filebridge.replies.wording import count_of

    words = {
        "Product.ExternalSku.update": "the stock of {}",
        "Vendor.PO.MarkSubmitted": "that {} were taken",
    }
    things = {"Product.ExternalSku.update": "product", "Vendor.PO.MarkSubmitted": "PO"}
    records: Counter[str] = Counter()
    count: Counter[str] = Counter()
    for call in calls:
        if call.took_effect:
            records[call.action] += call.effect_count
            count[call.action] += 1
    parts = [
        f"{words[action].format(count_of(records[action], things[action]))} ({count_of(count[action], 'call')})"
        for action in records
    ]
    return f"{', '.join(parts)}." if parts else "nothing."


def _call_as_json(call: RecordedCall) -> dict[str, Any]:
    return {"action": call.action, "path": call.path, "body": call.body.decode(), "status": call.status}
