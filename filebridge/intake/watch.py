"""Events wake the scan, and do nothing else: a lost one costs a few seconds, never a file.

watchdog loses events when its queue is full, sees none of what others write to a network share, goes on watching
a folder that was replaced or mounted over, and one error in a handler ends it for good. So nothing is read off
an event, and before each wait it is looked whether the observer still is what it should be.
"""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from filebridge.intake.look import CLAIM_FOLDER

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

    from filebridge.clock import Clock

logger = logging.getLogger("filebridge.intake.watch")

_OURS: Final = b"/" + CLAIM_FOLDER + b"/"
_PAUSE: Final = 0.2
"""Seconds in which further events of the same drop are awaited: a busy writer is not a scan for each write."""


class Waker:
    """Waits for something to happen in the drop folders. With `poll` only `set` and the time-out wake it.

    `folders` and `poll` may be changed between two waits.
    """

    def __init__(self, folders: Iterable[Path], *, clock: Clock, poll: bool = False) -> None:
        self.folders = tuple(folders)
        self._clock = clock
        self.poll = poll
        self._woken = threading.Event()
        self._observer: BaseObserver | None = None
        self._watched: dict[Path, tuple[int, int]] = {}
        self._is_told = False

    def set(self) -> None:
        """End the present wait, or the next one, at once: also from a signal handler or another thread."""
        self._woken.set()

    def wait(self, timeout: float) -> bool:
        """Wait until an event, `set`, or `timeout` seconds from now; whether it was no mere time-out."""
        if self.poll:
            self.close()
        else:
            self._look_after()
        if not self._woken.wait(timeout):
            return False
        self._clock.sleep(min(_PAUSE, timeout))
        self._woken.clear()
        return True

    def close(self) -> None:
        """Stop observing."""
        observer, self._observer = self._observer, None
        self._watched = {}
        if observer is not None:
            observer.stop()
            if observer.is_alive():
                observer.join(timeout=5)

    def _look_after(self) -> None:
        """Start the observer, or anew where it died or where a folder is not the one that it observes."""
        present = dict(filter(None, map(_identity, self.folders)))
        if self._observer is not None and self._watched == present and _is_well(self._observer):
            return
        self.close()
        try:
            self._observer = _observe(present, self._woken)
        except OSError as error:
            if not self._is_told:
                logger.warning(
                    "the drop folders cannot be watched, so they are only looked at from time to time",
                    extra={"errno": error.errno},
                )
            self._is_told = True
            return
        self._watched = present
        self._is_told = False
        # What came while nobody watched has no event.
        self._woken.set()


def _identity(folder: Path) -> tuple[Path, tuple[int, int]] | None:
    try:
        status = os.stat(folder)
    except OSError:
        return None
    return folder, (status.st_dev, status.st_ino)


def _is_well(observer: BaseObserver) -> bool:
    return observer.is_alive() and all(emitter.is_alive() for emitter in observer.emitters)


def _observe(folders: Iterable[Path], woken: threading.Event) -> BaseObserver:
    """A running observer that sets `woken`. Raises OSError where the system allows no more of them."""
    from watchdog import events
    from watchdog.observers import Observer

    class Wake(events.FileSystemEventHandler):
        """Sets the event for all that others do; our own renames in the claim folder are no news."""

        def on_any_event(self, event: events.FileSystemEvent) -> None:
            paths = (os.fsencode(event.src_path), os.fsencode(event.dest_path))
            if not any(_OURS in path for path in paths):
                woken.set()

    # Not the opening and closing of what is only read: our own looks would wake us.
    news: list[type[events.FileSystemEvent]] = [
        events.FileCreatedEvent,
        events.FileModifiedEvent,
        events.FileMovedEvent,
        events.FileClosedEvent,
        events.DirCreatedEvent,
        events.DirMovedEvent,
    ]
    # It says on the screen, of folders that come and go, what nobody need know: the next scan sees them.
    logging.getLogger("watchdog").addHandler(logging.NullHandler())
    warnings.filterwarnings("ignore", message="Callback with id", category=RuntimeWarning)
    observer: BaseObserver = Observer()
    try:
        for folder in folders:
            observer.schedule(Wake(), str(folder), recursive=True, event_filter=news)
        observer.start()
    except BaseException:
        observer.stop()
        raise
    return observer
