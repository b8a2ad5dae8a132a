"""What a person who knows nothing yet is told."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

COMMANDS = [
    *("demo", "init", "check", "preview", "run", "watch", "status", "files", "show", "rows"),
    *("release", "discard", "retry", "template", "schema"),
    *("orders fetch", "orders show", "orders resend", "orders close", "orders", "exceptions"),
    *("carriers", "carriers learn"),
]
HEAVY = ("rich", "pyarrow", "numpy", "sqlalchemy", "pydantic", "httpx", "openpyxl", "ruamel")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_with_an_example(here: Any, command: str) -> None:
    ended = here(*command.split(), "--help")
    assert ended.code == 0
    assert f"Example: filebridge {command}" in " ".join(ended.out.split())


def test_help_names_every_command_and_imports_nothing_heavy(filebridge: Any) -> None:
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "filebridge", "--help"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=True,
    )
    listed = [line.split()[0] for line in ended.stdout.splitlines() if line.startswith("  ") and line.split()]
    assert {command.split()[0] for command in COMMANDS} <= set(listed)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in ended.stderr.splitlines()}
    assert not imported & set(HEAVY)


def test_without_a_command_the_help_is_shown(here: Any) -> None:
    ended = here()
    assert ended.code == 0
    assert "filebridge demo" in " ".join(ended.out.split())


def test_sandbox_has_the_help_of_the_sandbox(filebridge: Any) -> None:
    ended = filebridge("sandbox", "--help")
    assert ended.code == 0
    assert "--fault" in ended.out


def test_the_version_is_told(filebridge: Any) -> None:
    assert filebridge("--version").out.startswith("filebridge ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["show"],
        ["files", "--limit", "many"],
        ["files", "--status", "lost"],
        ["orders", "--state", "lost"],
        ["rows", "f", "--outcome", "lost"],
        ["run", "--only", "sideways"],
        ["run", "--vendor", "acne"],
        ["template", "invoices"],
        ["template", "purchase-orders"],
        ["preview", "there/is/none.csv"],
        ["-C"],
        ["orders", "show"],
        ["orders", "resend", "D1"],
        ["show", "\x00"],
        ["show", "💥"],
        ["release", "f" * 5000],
        ["schema", "--", "--json"],
    ],
    ids=lambda arguments: " ".join(arguments)[:30],
)
def test_nonsense_is_answered_with_a_sentence_and_exit_2(
    workspace: Any, here: Any, arguments: list[str]
) -> None:
    ended = here("-C", str(workspace.folder), *arguments)
    assert ended.code == 2
    assert ended.err.strip()


def test_a_slip_is_answered_with_what_there_is(workspace: Any) -> None:
    assert "Did you mean acme?" in workspace.read("run", "--vendor", "acne").err
    assert "FileBridge writes" in workspace.read("template", "purchase-orders").err
    assert "rejected" in workspace.read("files", "--status", "lost").err


def test_a_folder_that_is_no_workspace_is_said(filebridge: Any, tmp_path: Path) -> None:
    ended = filebridge("status", folder=tmp_path)
    assert ended.code == 2
    assert "filebridge init" in ended.err
    assert not list(tmp_path.iterdir())


def test_a_workspace_without_a_vendor_is_said(here: Any, tmp_path: Path) -> None:
    (tmp_path / "mappings").mkdir()
    ended = here("-C", str(tmp_path), "run")
    assert ended.code == 2
    assert "no vendor" in ended.err


def test_with_json_an_error_is_a_document_too(here: Any, workspace: Any, tmp_path: Path) -> None:
    assert "error" in here("--json", "status", "-C", str(tmp_path)).json
    assert "error" in workspace.read("show", "--json").json
    assert "error" in workspace.read("show", "fzzz", "--json").json
