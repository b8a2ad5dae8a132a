"""How `demo` tells what happens: commands, files as a clerk sees them, and sentences that are checked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from filebridge.cli import report
from filebridge.cli.demo_scene import VENDOR
from filebridge.cli.surroundings import current
from filebridge.errors import UserError

if TYPE_CHECKING:
    from filebridge.bridge.passes import PassReport
    from filebridge.sandbox import RecordedCall, Sandbox
    from filebridge.workspace import Workspace

WIDTH: Final = 80


class NotAsTold(UserError):
    """What the demo was about to say did not happen."""

    exit_code = 1


class Stopped(Exception):
    """The person asked it to end."""


@dataclass
class Telling:
    """What was done so far, and how it is told."""

    root: Path
    sandbox: Sandbox
    stop: threading.Event
    silent: bool
    passes: list[dict[str, Any]] = field(default_factory=list)
    number: int = 0

    def workspace(self) -> Workspace:
        """The temporary workspace; what this machine's environment sets does not count in it."""
        from filebridge.workspace import Workspace

        return Workspace.open(self.root, environment={})

    # Telling

    def scene(self, title: str, *lines: str) -> None:
        """Begin a scene; `lines` are a paragraph."""
        self.number += 1
        heading = f"{self.number}. {title}"
        self.print("", heading, "=" * len(heading))
        self.say(*lines)

    def print(self, *lines: str) -> None:
        """Print lines as they are, unless JSON was asked for: a command that was wrapped could not be pasted."""
        if not self.silent:
            for line in lines:
                report.print_line(line)

    def say(self, *lines: str) -> None:
        """Print a paragraph."""
        from filebridge.replies.wording import wrapped

        if lines:
            self.print(*wrapped(" ".join(lines), width=WIDTH, break_long_words=False))

    def points(self, lines: Iterable[str]) -> None:
        """Print each line behind a dash, wrapped."""
        from filebridge.replies.wording import wrapped

        for line in lines:
            self.print(
                *wrapped(line, first="  - ", indent="    ", width=WIDTH, break_long_words=False),
            )

    def command(self, words: str, lines: Iterable[str]) -> None:
        """Print a command and what it printed."""
        from filebridge.replies.wording import wrapped

        self.print(f"$ filebridge {words}")
        for line in lines:
            self.print(*wrapped(line, first="  ", indent="      ", width=WIDTH, break_long_words=False))

    def show(self, path: Path, *, lines: int = 9) -> None:
        """Print the head of a text file, as an editor shows it; what is too wide is cut."""
        from filebridge.replies.wording import cut

        content = path.read_text(encoding="utf-8").splitlines()
        rest = [f"… {len(content) - lines} more"] if len(content) > lines else []
        self.print(f"{path.relative_to(self.root)}:")
        self.print(*(f"    {cut(line, WIDTH - 4)}" for line in content[:lines] + rest))

    def claim(self, sentence: str, found: Any, expected: Any) -> None:
        """Say what was found, in place of the `{}` of a sentence; tuples are for several.

        Raises NotAsTold where that is not what is expected.
        """
        self.expect(sentence, found, expected)
        self.say(_filled(sentence, found))

    def expect(self, sentence: str, found: Any, expected: Any) -> None:
        """As `claim`, but nothing is said where all is well."""
        if found != expected:
            raise NotAsTold(
                f"The demo did not go as it should. It expected: {_filled(sentence, expected)} "
                f"It found: {_filled(sentence, found)}",
                fix=f"What was done is in {self.root}; please tell FileBridge's makers.",
            )

    # Doing

    def run(self, *, ends_with: int) -> PassReport:
        """One pass, just as `filebridge run` makes it, and what that prints. Raises Stopped, and NotAsTold."""
        from filebridge.bridge.desk import open_desk
        from filebridge.bridge.passes import run_pass
        from filebridge.cli import outcome

        workspace, clock = self.workspace(), current().clock
        with workspace.lock(now=datetime.now(UTC)), open_desk(workspace, clock=clock, stop=self.stop) as desk:
            done = run_pass(desk, by="demo")
        self.passes.append({**outcome.as_json(done), "exit_code": done.exit_code})
        self.command("run", outcome.lines_of(done))
        if self.stop.is_set():
            raise Stopped
        self.expect("`run` ends with {}.", done.exit_code, ends_with)
        return done

    # Looking

    def replies(self, name: str = "") -> Path:
        """The vendor's replies, or one of them."""
        return self.root / "outbox" / VENDOR / "replies" / name

    def receipt(self, name: str) -> dict[str, Any]:
        """The receipt of a file, as it lies in the outbox now."""
        path = self.replies(f"{name}.receipt.json")
        self.expect(f"There is {{}} of {name}.", "a receipt" if path.exists() else "none", "a receipt")
        receipt: dict[str, Any] = json.loads(path.read_bytes())
        return receipt

    def ends(self, name: str) -> dict[str, int]:
        """How many rows of a file ended how, as its receipt says."""
        return dict(self.receipt(name)["outcomes"])

    def headline(self, name: str) -> str:
        """The first sentence of a file's receipt for people."""
        return self.replies(f"{name}.receipt.txt").read_text(encoding="utf-8").splitlines()[0]

    def reasons(self, name: str) -> list[str]:
        """What was not taken of a file, in the words of its receipt."""
        return [
            f"row {reject['row']}{', ' + reject['column'] if reject['column'] else ''}: {reject['message']}"
            for reject in self.receipt(name)["rejects"]
        ]

    def po(self, po: str) -> dict[str, Any]:
        """A PO as RetailOps has it."""
        return self.sandbox.state.po(po)

    def show_orders(self, *pos: str) -> None:
        """Print POs as RetailOps has them: where they stand, when they ship, what has left."""
        names = {str(one["id"]): one["name"] for one in self.sandbox.state.ship_classes}
        self.print("RetailOps shows:")
        for number in pos:
            po = self.po(number)
            ships = f"ships {po['estimated_ship_date'][:10]}" if po.get("estimated_ship_date") else ""
            parcels = [
                f"{package['tracking_number']}  {names[str(package['ship_class_id'])]}: "
                + ", ".join(f"{item['quantity']} of {item['vpc']}" for item in package["items"])
                for package in po.get("packages", [])
            ]
            first, *others = parcels or [ships]
            self.print(f"    {number}  {po['status']:<10}{first}".rstrip())
            self.print(*(f"{'':{len(number) + 16}}{parcel}" for parcel in others))

    def completions(self, po: str) -> tuple[int, int]:
        """How many calls to complete a PO reached RetailOps, and how often that took effect."""
        calls = [
            call
            for call in self.calls
            if call.action == "Vendor.PO.Complete" and json.loads(call.body)["po"] == po
        ]
        return len(calls), sum(call.effect_count for call in calls)

    @property
    def calls(self) -> list[RecordedCall]:
        """Every call that RetailOps got."""
        return self.sandbox.calls


def _filled(sentence: str, value: Any) -> str:
    return sentence.format(*(_words(one) for one in (value if isinstance(value, tuple) else (value,))))


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{count:,} {what}" for what, count in value.items()) or "nothing"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "none"
    return str(value)
