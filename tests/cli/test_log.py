"""The log of `run` and `watch`."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from filebridge.cli.log import LEVEL_VARIABLE, LOG_FILE, write_log
from filebridge.milestones import reached


@pytest.fixture(autouse=True)
def _logger_as_it_was() -> Iterator[None]:
    logger = logging.getLogger("filebridge")
    before = logger.handlers[:], logger.propagate, logger.level
    yield
    for handler in logger.handlers:
        handler.close()
    logger.handlers[:], logger.propagate, logger.level = before


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / LOG_FILE).read_text(encoding="utf-8").splitlines()]


def test_each_record_is_one_json_line_for_our_user_alone(tmp_path: Path) -> None:
    write_log(tmp_path)
    logging.getLogger("filebridge.orders").warning("two\nlines", extra={"vendor": "acme"})
    (line,) = lines(tmp_path)
    assert (line["level"], line["logger"], line["message"], line["vendor"]) == (
        "warning",
        "filebridge.orders",
        "two\nlines",
        "acme",
    )
    assert str(line["time"]).endswith("+00:00")
    assert (tmp_path / LOG_FILE).stat().st_mode & 0o077 == 0


def test_of_an_exception_only_its_kind_is_written(tmp_path: Path) -> None:
    write_log(tmp_path)
    try:
        raise ValueError("Jane Doe, 12 Harbour St")
    except ValueError:
        logging.getLogger("filebridge").exception("it failed")
    assert lines(tmp_path)[0]["error"] == "ValueError"
    assert "Harbour" not in (tmp_path / LOG_FILE).read_text()


def test_recorded_steps_are_written_when_they_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_log(tmp_path)
    reached("file.planned", "fabc")
    assert lines(tmp_path) == []
    for handler in logging.getLogger("filebridge").handlers:
        handler.close()
    monkeypatch.setenv(LEVEL_VARIABLE, "debug")
    write_log(tmp_path)
    reached("file.planned", "fabc")
    assert [(line["step"], line["subject"]) for line in lines(tmp_path)] == [("file.planned", "fabc")]
