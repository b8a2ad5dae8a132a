"""The log of `run` and `watch`: a JSON object a line in `.filebridge/logs/`, for whoever looks into a night."""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

LOG_FILE: Final = "filebridge.log"
LEVEL_VARIABLE: Final = "FILEBRIDGE_LOG_LEVEL"
_BYTES: Final = 10_000_000
_KEPT: Final = 5
_PLAIN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonLines(logging.Formatter):
    """One line a record: time (UTC), level, logger, message, and what was handed in beside it."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in _PLAIN},
        }
        if record.exc_info:
            # The kind alone: an exception's text may hold what a vendor's file held.
            line["error"] = record.exc_info[0].__name__ if record.exc_info[0] else None
        return json.dumps(line, ensure_ascii=False, default=str)


def write_log(folder: Path) -> None:
    """Write FileBridge's log into `folder` from now on, for its user alone. Says nothing on the screen."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / LOG_FILE
    path.touch(mode=0o600, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=_BYTES, backupCount=_KEPT, encoding="utf-8")
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("filebridge")
    for earlier in logger.handlers[:]:
        logger.removeHandler(earlier)
        earlier.close()
    logger.addHandler(handler)
    logger.propagate = False
    level = os.environ.get(LEVEL_VARIABLE, "info").upper()
    logger.setLevel(level if level in logging.getLevelNamesMapping() else "INFO")
