"""The exception tree.

FileBridgeError
  UserError                shown as a sentence, never as a traceback; exit 2
    ConfigError            a list of problems, each with its place and its cure
    WorkspaceBusy          another FileBridge holds the workspace; exit 4
  FileRefused              a whole file cannot be taken: becomes a receipt with a code
  RetailOpsError
    RetailOpsUnreachable   nothing came back that can be relied on; work is kept; exit 3
    KeyRefused             a state of the channel, never of a row; exit 3
    CallRefused            RetailOps refused a read, in its own words
  LedgerError              the ledger cannot be used; only faults that a person can mend

Anything else is a bug: one sentence on screen, a report file, exit 70. A rejected *row* is never an exception.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class FileBridgeError(Exception):
    """Base of all that FileBridge raises on purpose."""


class UserError(FileBridgeError):
    """Something that the person at the keyboard can mend. `fix` is the sentence that says how."""

    exit_code = 2

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message}\n  {self.fix}" if self.fix else self.message


@dataclass(frozen=True)
class Problem:
    """One fault of a configuration: where it stands, what was found, and what to do."""

    place: str
    message: str
    fix: str = ""

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}" if self.place else self.message
        return f"{text}\n  {self.fix}" if self.fix else text


class ConfigError(UserError):
    """All the faults found in one look at the configuration, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class WorkspaceBusy(UserError):
    """Another FileBridge holds this workspace's lock."""

    exit_code = 4


class FileRefused(FileBridgeError):
    """A whole file cannot be taken. `code` is one of the file codes of `rejects`; `place` says where."""

    def __init__(self, code: str, message: str, *, fix: str = "", place: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix
        self.place = place

    def __reduce__(self) -> tuple[object, ...]:
        return (_refused, (self.code, self.message, self.fix, self.place))

    def __str__(self) -> str:
        return f"{self.message} {self.fix}".strip()


def _refused(code: str, message: str, fix: str, place: str) -> FileRefused:
    """Rebuild a refusal on this side of the reader process."""
    return FileRefused(code, message, fix=fix, place=place)


class RetailOpsError(FileBridgeError):
    """Base of what can go wrong on the way to RetailOps and back."""

    exit_code = 3


class RetailOpsUnreachable(RetailOpsError):
    """No answer that can be relied on: the work is kept and goes on with the next pass."""


class KeyRefused(RetailOpsError):
    """RetailOps refused the API key (`authn`) or its rights (`authz`): the channel stops, no row is rejected.

    It is made with RetailOps' own words.
    """

    def __init__(self, words: str) -> None:
        super().__init__(f"RetailOps refused the API key: {words}")


class CallRefused(RetailOpsError):
    """RetailOps refused a read. The message holds its own words."""


class LedgerError(FileBridgeError):
    """The ledger cannot be used. The message says what a person can do; originals are untouched."""

    exit_code = 2
