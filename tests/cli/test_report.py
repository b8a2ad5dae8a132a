"""How failures are told."""

import errno
from pathlib import Path
from typing import Any

import pytest

from filebridge.cli import report
from filebridge.cli.surroundings import Surroundings, split_options
from filebridge.clock import SystemClock


@pytest.fixture
def surroundings(tmp_path: Path) -> Surroundings:
    return Surroundings(tmp_path, False, SystemClock())


def test_a_bug_is_one_sentence_and_a_report_without_values(
    surroundings: Surroundings, tmp_path: Path, capsys: Any
) -> None:
    (tmp_path / ".filebridge").mkdir()
    secret = "hunter" + str(2)
    try:
        raise ZeroDivisionError(f"the key is {secret}")
    except ZeroDivisionError as error:
        assert report.failed(error, surroundings) == 70
    said = capsys.readouterr().err
    (path,) = (tmp_path / ".filebridge" / "logs").iterdir()
    assert str(path) in said
    assert "Nothing is lost" in said
    assert "ZeroDivisionError" in path.read_text(encoding="utf-8")
    assert secret not in said + path.read_text(encoding="utf-8")


def test_what_the_machine_refuses_is_no_bug(surroundings: Surroundings, capsys: Any) -> None:
    error = OSError(errno.ENOSPC, "No space left on device", "/somewhere/outbox")
    assert report.failed(error, surroundings) == 2
    assert capsys.readouterr().err.startswith("/somewhere/outbox: No space left on device.")


@pytest.mark.parametrize(
    ("arguments", "folder", "as_json", "rest"),
    [
        (["-C", "w", "files"], "w", False, ["files"]),
        (["files", "--json", "-Cw"], "w", True, ["files"]),
        (["show", "--", "-C", "--json"], ".", False, ["show", "--", "-C", "--json"]),
        (["files", "-C"], ".", False, ["files", "-C"]),
    ],
)
def test_options_are_taken_out_wherever_they_stand(
    arguments: list[str], folder: str, as_json: bool, rest: list[str]
) -> None:
    surroundings, left = split_options(arguments)
    assert (str(surroundings.folder), surroundings.json, left) == (folder, as_json, rest)


def test_a_long_list_is_one_json_document(tmp_path: Path) -> None:
    import json

    for entries in ([], [{"a": 1}, {"b": "é"}]):
        path = tmp_path / "out.json"
        with path.open("w", encoding="utf-8") as stream:
            report.write_json_list({"head": 1}, "rows", entries, stream)
        assert json.loads(path.read_text(encoding="utf-8")) == {"head": 1, "rows": entries}
