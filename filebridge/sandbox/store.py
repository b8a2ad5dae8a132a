"""A state file that a running sandbox keeps up to date, so that not even `kill -9` loses what was answered.

Two files: the state as it was at the last start or stop, and beside it, as `FILE.journal`, a line for each
change since. A line is on disk before the answer to its call goes out. To write the whole state for every
call would take longer each day.
"""

import fcntl
import json
import os
import threading
from pathlib import Path

from filebridge.sandbox.state import State
from filebridge.sandbox.state_file import read_state, write_state
from filebridge.sandbox.values import Json, StateError, to_json

_JOURNAL_BYTES = 16 * 1024 * 1024


class Store:
    """The state in a file, and the file for as long as a sandbox runs on it; one sandbox a file.

    `state` is what the file held, or an empty state with `is_new`; a new file is made by the first `save`.
    `save` what has changed before an answer goes out; `close` at the end writes the file whole and takes the
    journal away. Not kept: calls, faults and settings. Raises OSError, and StateError where the file cannot
    be taken or another sandbox has it.
    """

    def __init__(self, path: Path | str, *, journal_bytes: int = _JOURNAL_BYTES) -> None:
        self.path = Path(path)
        self._journal_path = self.path.with_name(self.path.name + ".journal")
        self._journal_bytes = journal_bytes
        self._lock = threading.Lock()
        if not self.path.parent.is_dir():
            raise StateError(f"there is no folder {self.path.parent}")
        self._journal = self._open_journal()
        self._is_open = True
        try:
            self.is_new = not self.path.exists()
            self.state, self._generation = self._read()
            # Whether the disk lacks something that only the whole state will bring.
            self._is_behind = self.is_new
            if not self.is_new:
                self._write_whole()
        except BaseException:
            if not os.fstat(self._journal).st_size:
                self._journal_path.unlink()
            os.close(self._journal)
            raise

    def save(self) -> None:
        """Put what has changed on disk. Raises OSError; the next call then writes the whole state.

        Whoever waits here while another thread saves finds that its change was saved with that one's.
        """
        with self._lock:
            changes = self.state.take_changes() if self._is_open else None
            if not self._is_open or (changes is None and not self._is_behind):
                return
            is_long = os.fstat(self._journal).st_size > self._journal_bytes
            needs_whole = self._is_behind or changes is None or changes.is_whole or is_long
            self._is_behind = True
            if needs_whole or changes is None:
                self._write_whole()
            else:
                effects = [effect._asdict() for effect in changes.effects]
                self._append({"pos": changes.pos, "advice": changes.advice, "effects": effects})
            self._is_behind = False

    def close(self) -> None:
        """Write the file whole, take the journal away, let another sandbox have the file. Raises OSError."""
        with self._lock:
            if not self._is_open:
                return
            self._is_open = False
            try:
                if self._generation:
                    self._write_whole()
                self._journal_path.unlink()
            finally:
                os.close(self._journal)

    def _open_journal(self) -> int:
        """The journal, locked; its lock is the lock of the state file, which is replaced and cannot bear one."""
        while True:
            journal = os.open(self._journal_path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # A sandbox that ended in between has taken it away: what is locked then is no longer there.
                if os.path.samestat(os.fstat(journal), os.stat(self._journal_path)):
                    return journal
            except BlockingIOError as error:
                os.close(journal)
                raise StateError(f"another sandbox is running on {self.path}") from error
            except FileNotFoundError:
                pass
            os.close(journal)

    def _read(self) -> tuple[State, int]:
        """The state as file and journal tell it, and the file's generation."""
        if self.is_new:
            return State(), 0
        whole = read_state(self.path)
        state, generation = State.from_json(whole, self.path), whole.get("generation", 0)
        if type(generation) is not int:
            raise StateError(f"generation in {self.path} must be a whole number")
        # What stands after the last line break was being written when the sandbox was killed.
        *lines, _ = self._journal_path.read_bytes().split(b"\n")
        for number, line in enumerate(lines, start=1):
            try:
                changes = json.loads(line)
                # A journal of an older generation is in the file already.
                if number == 1 and changes["continues"] != generation:
                    break
                if number > 1:
                    state.apply_changes(changes)
            except (ValueError, KeyError, TypeError) as error:
                raise StateError(
                    f"line {number} of {self._journal_path} cannot be read; without that file the sandbox "
                    f"begins with what {self.path} holds"
                ) from error
        return state, generation

    def _write_whole(self) -> None:
        with self.state.lock:
            self.state.take_changes()
            whole = self.state.as_json()
        self._generation += 1
        write_state(self.path, whole | {"generation": self._generation})
        os.ftruncate(self._journal, 0)
        self._append({"continues": self._generation})

    def _append(self, line: Json) -> None:
        rest = to_json(line) + b"\n"
        while rest:
            rest = rest[os.write(self._journal, rest) :]
        os.fsync(self._journal)
