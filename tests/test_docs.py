"""The docs say what the program does: their commands run, their YAML loads, and nothing in it goes unnamed."""

from __future__ import annotations

import json
import os
import re
import runpy
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
import typer
from pydantic import BaseModel
from ruamel.yaml import YAML

from filebridge import __version__
from filebridge.cli.app import app, run
from filebridge.mapping import model
from filebridge.mapping.carriers_yaml import load_lines
from filebridge.mapping.crosswalk import read_crosswalk
from filebridge.mapping.load import load_layout, load_mapping, load_pack, load_vendor
from filebridge.planning.plan import Action
from filebridge.rejects import CATALOGUE
from filebridge.retailops.wire import FETCH_PATH, SHIP_CLASSES_PATH, path_of
from filebridge.sandbox import DEFAULT_KEY, Sandbox, State
from filebridge.sandbox import Settings as SandboxSettings
from filebridge.workspace.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")] + sorted(
    (ROOT / "docs").glob("*.md")
)
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}
ALL_DOCS = "\n".join(TEXTS.values())
REFERENCE = TEXTS["docs/mapping-reference.md"]
INVENTORY = "SKU,Qty Avail\n00120,12\n0417,8\nW-9,ca. 5\n"


@dataclass(frozen=True)
class Block:
    """A fenced block: the page and line of its fence, its language, the words behind that, and its text."""

    page: str
    line: int
    language: str
    words: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(page: str) -> Iterator[Block]:
    text = TEXTS[page]
    for match in re.finditer(r"^```(\w+)[ ]?([^\n]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        line = text.count("\n", 0, match.start()) + 1
        yield Block(page, line, match[1], match[2], match[3])


BLOCKS = [block for page in TEXTS for block in blocks_of(page)]


def blocks(language: str, *words: str) -> list[Block]:
    return [one for one in BLOCKS if one.language == language and (not words or one.words in words)]


# The pages themselves


def test_the_generated_pages_are_what_make_docs_writes():
    checked = subprocess.run(
        [sys.executable, "-m", "tests.docs_pages", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_readme_is_one_screen():
    assert len(TEXTS["README.md"].splitlines()) <= 90


@pytest.mark.parametrize("page", TEXTS)
def test_every_link_within_the_docs_resolves(page: str):
    plain = re.sub(r"^```.*?^```$", "", TEXTS[page], flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)]+)\)", plain):
        path, _, anchor = target.partition("#")
        if path.startswith("https://"):
            continue
        found = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        assert found.is_file(), f"{page} links to {target}"
        if anchor:
            name = found.relative_to(ROOT).as_posix()
            assert anchor in anchors(TEXTS[name]), f"{page} links to {target}: {name} has no such heading"


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as they are made where Markdown is shown."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


# Nothing goes unnamed


def commands() -> list[str]:
    """Every command and sub-command, as typed after `filebridge`."""
    top = typer.main.get_command(app)
    found = []
    for name, command in getattr(top, "commands").items():  # noqa: B009 - typer's own Group has it
        found += [name, *(f"{name} {inner}" for inner in getattr(command, "commands", {}))]
    return found


@pytest.mark.parametrize("command", commands())
def test_every_command_is_named(command: str):
    assert f"filebridge {command}" in ALL_DOCS or f"`{command}`" in ALL_DOCS


@pytest.mark.parametrize("command", [[], ["seed"]], ids=str)
def test_every_option_of_the_sandbox_is_named(command: list[str]):
    told = subprocess.run(
        [sys.executable, "-m", "filebridge.sandbox", *command, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    options = set(re.findall(r"--[a-z][a-z-]+", told.stdout)) - {"--help"}
    assert len(options) > 4
    assert not [option for option in sorted(options) if option not in TEXTS["docs/sandbox.md"]]


def test_every_setting_call_and_route_of_the_sandbox_is_named():
    settings = {field.name for field in fields(SandboxSettings)} - {"keys"}
    with Sandbox(State()) as sandbox, pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{sandbox.url}/_sandbox/nowhere", timeout=10)
    routes = set(re.findall(r"/_sandbox/([a-z_/]+)", json.loads(refused.value.read())["error"]))
    named = re.findall(r"`[^`\n]*`", TEXTS["docs/sandbox.md"])
    words = {word for text in named for word in re.findall(r"[a-z_]+(?:/[a-z_]+)*", text)}
    assert not settings - words
    assert not (routes - {"nowhere"}) - words
    assert len(routes) > 8


def test_no_page_names_the_machine_it_was_written_on():
    assert not re.findall(r"/(?:work|tmp|home|root)/\S*", ALL_DOCS)


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_code_is_named(code: str):
    assert f"`{code}`" in TEXTS["docs/outcomes.md"]


def keys_of(owner: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in owner.model_fields.items()]


@pytest.mark.parametrize(
    "owner",
    [
        model.Mapping, model.Read, model.FieldSteps, model.NumberFormat, model.Guard, model.RejectAbove,
        model.OrderLayout, model.Write, model.Column, model.Vendor, model.OrderSchedule, model.Expectation,
        model.Remote,
    ],
    ids=lambda owner: owner.__name__,
)  # fmt: skip
def test_every_key_of_a_vendor_pack_is_in_the_reference(owner: type[BaseModel]):
    missing = [key for key in keys_of(owner) if f"`{key}`" not in REFERENCE]
    assert not missing


@pytest.mark.parametrize("owner", [model.Read, model.FieldSteps], ids=lambda owner: owner.__name__)
def test_every_key_of_reading_and_of_fields_has_an_example(owner: type[BaseModel]):
    examples = [one.text for one in blocks("yaml") if one.page == "docs/mapping-reference.md"]
    missing = [
        key
        for key in keys_of(owner)
        if not any(re.search(rf"(^|[ {{]){key}:", text, re.MULTILINE) for text in examples)
    ]
    assert not missing


def test_every_setting_is_in_the_reference_with_its_variable():
    for name, field in Settings.model_fields.items():
        inner = field.annotation
        keys = keys_of(inner) if isinstance(inner, type) and issubclass(inner, BaseModel) else [""]
        for key in keys:
            setting = f"{name}.{key}".rstrip(".")
            assert f"`{setting}`" in REFERENCE
            assert f"`FILEBRIDGE_{setting.replace('.', '__').upper()}`" in REFERENCE


# Examples of YAML


NEEDED = "document: inventory\nfields:\n  vpc: SKU\n  quantity: Qty\n"


def whole(block: Block) -> str:
    """The YAML of a block, with what its fragment leaves out."""
    if block.words == "read":
        return f"{NEEDED}read:\n{indent(block.text, '  ')}"
    if block.words == "mapping":
        return NEEDED + block.text
    if block.words == "fields":
        named = block.text.partition(":")[0]
        others = "".join(f"  {name}: X\n" for name in ("vpc", "quantity") if name != named)
        return f"document: inventory\nfields:\n{others}{indent(block.text, '  ')}"
    if block.words == "write":
        return f"document: purchase-orders\ncolumns: {{PO: po}}\nwrite:\n{indent(block.text, '  ')}"
    return block.text


def in_a_pack(text: str) -> bool:
    return "document:" in text or "vendor_id:" in text


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_every_example_of_yaml_loads(block: Block):
    text = whole(block)
    if block.words == "carriers":
        assert load_lines(text, f"mappings/{block}/carriers.yaml")
    elif block.words == "crosswalk":
        assert read_crosswalk(text, str(block))
    elif block.words == "defaults":
        files = {"vendor.yaml": "vendor_id: '27'\n", "inventory.yaml": NEEDED}
        assert load_pack(files, "acme", defaults=text)
    elif "document: purchase-orders" in text:
        load_layout(text, str(block))
    elif "document:" in text:
        load_mapping(text, str(block))
    elif "vendor_id:" in text:
        load_vendor(text, str(block))
    else:
        assert text.startswith("# filebridge.yaml")
        load_settings(text, {})


@pytest.mark.parametrize("block", [one for one in blocks("yaml") if in_a_pack(whole(one))], ids=str)
def test_the_schema_for_editors_accepts_every_example(block: Block, schema_fits: Any):
    assert schema_fits(YAML(typ="safe", pure=True).load(whole(block)))


@pytest.fixture(scope="module")
def schema_fits() -> Any:
    """Whether a value, as an editor reads it, fits the schema that `filebridge schema` prints."""
    known = runpy.run_path(str(ROOT / "tests" / "mapping" / "test_schema.py"))
    return lambda value: known["fits"](value, known["SCHEMA"])


# Commands, run


@dataclass(frozen=True)
class Shell:
    """A shell in a folder of its own, where `filebridge` is this one and RetailOps is a sandbox process."""

    folder: Path
    url: str
    environment: dict[str, str]

    def run(self, script: str, *, at: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a script; standard output and standard error together."""
        return subprocess.run(
            ["sh", "-c", script.replace("http://127.0.0.1:8765", self.url)],
            cwd=at or self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=50,
            check=False,
        )

    def workspace(self) -> Path:
        """A workspace that trades with the sandbox, with a file of good and bad rows in its inbox."""
        made = self.run("filebridge init trading")
        assert made.returncode == 0, made.stdout
        (self.folder / "trading" / "inbox" / "acme" / "inventory.csv").write_text(INVENTORY)
        self.environment["FILEBRIDGE_RETAILOPS__BASE_URL"] = self.url
        self.environment["RETAILOPS_API_KEY"] = DEFAULT_KEY
        return self.folder / "trading"


def started_sandbox(arguments: list[str], port_file: Path) -> tuple[subprocess.Popen[bytes], int]:
    """A sandbox process that listens, and its port."""
    command = [sys.executable, "-m", "filebridge", "sandbox", *arguments, "--port-file", str(port_file)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 20
    while not port_file.exists():
        assert process.poll() is None and time.monotonic() < until, f"{arguments} does not listen"
        time.sleep(0.02)
    return process, int(port_file.read_text())


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    tools, folder = tmp_path / "bin", tmp_path / "here"
    tools.mkdir()
    folder.mkdir()
    program = tools / "filebridge"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m filebridge "$@"\n')
    program.chmod(0o755)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FILEBRIDGE_", "RETAILOPS_", "PYTEST", "MAKE"))
    }
    environment = kept | {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "FILEBRIDGE_INTAKE__SETTLE": "100ms",
        "COLUMNS": "160",
    }
    process, port = started_sandbox(["--quiet", "--orders", "5"], tmp_path / "port")
    try:
        yield Shell(folder, f"http://127.0.0.1:{port}", environment)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def script_of(page: str) -> str:
    """The `sh` blocks of a page as one script, since a later one may stand on an earlier one's folder."""
    lines = []
    for block in blocks_of(page):
        if (
            block.language != "sh"
            or block.words in {"not-run", "install", "sandbox"}
            or "make " in block.text
        ):
            continue
        expected = int(block.words.removeprefix("exit ") or 0)
        if expected:
            failed = (
                f'ended=$?; [ $ended -eq {expected} ] || {{ echo "{block} ended with $ended"; exit 99; }}'
            )
            lines.append(f"set +e\n{block.text}{failed}")
        else:
            lines.append(f"echo '# {block}'; set -e\n{block.text}")
    return "\n".join(lines)


def test_getting_started_works_from_an_empty_folder(shell: Shell):
    done = shell.run(script_of("docs/getting-started.md"))
    assert done.returncode == 0, done.stdout
    assert list((shell.folder / "trading" / "outbox" / "acme" / "orders").iterdir())


def test_commands_of_the_other_pages_run_in_a_workspace(shell: Shell):
    script = script_of("docs/sandbox.md") + script_of("docs/purchase-orders.md")
    done = shell.run(script, at=shell.workspace())
    assert done.returncode == 0, done.stdout


def test_no_page_has_commands_that_nobody_runs():
    run = {"README.md", "docs/getting-started.md", "docs/purchase-orders.md", "docs/sandbox.md"}
    assert {one.page for one in [*blocks("sh"), *blocks("console")]} <= run


MASKS = ((re.compile(r"\bf[a-z0-9]{9}\b"), "ID"), (re.compile(r"\b20\d{6}\b|_20\d{6}_"), "DATE"))


def masked(text: str) -> list[str]:
    for pattern, word in MASKS:
        text = pattern.sub(word, text)
    return [line.rstrip() for line in text.splitlines()]


@pytest.mark.parametrize("block", blocks("console"), ids=str)
def test_a_session_prints_what_the_page_shows(block: Block, shell: Shell):
    workspace = shell.workspace()
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        assert masked(shell.run(command, at=workspace).stdout) == masked(shown), command


@pytest.mark.parametrize("block", [one for one in blocks("sh") if "make " in one.text], ids=str)
def test_every_make_target_exists(block: Block):
    for command in block.text.splitlines():
        assert re.fullmatch(r"make \w+", command)
        planned = subprocess.run(
            [*command.split(), "-n"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert planned.returncode == 0, planned.stderr


@pytest.mark.parametrize("block", blocks("sh", "install"), ids=str)
def test_what_is_installed_is_the_wheel_of_this_version(block: Block):
    assert f"filebridge-{__version__}-py3-none-any.whl" in block.text
    assert set(re.findall(r"filebridge (\w+)", block.text)) <= set(commands())


@pytest.mark.parametrize("block", blocks("sh", "sandbox"), ids=str)
def test_the_sandbox_starts_as_written(block: Block, tmp_path: Path):
    words = subprocess.run(
        ["sh", "-c", f"{block.text.strip()} | cat"],
        env={"PATH": f"{echoing(tmp_path)}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert words[0] == "sandbox"
    arguments = ["0" if word == "8765" else word for word in words[1:]]
    process, _ = started_sandbox([*arguments, "--quiet"], tmp_path / "port")
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def echoing(folder: Path) -> Path:
    """A `filebridge` that prints its arguments, a line each: how a shell reads the command."""
    program = folder / "filebridge"
    program.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    program.chmod(0o755)
    return folder


OTHERS_OWN = {"record", "body", "outcomes", "troubles", "fetched"}
"""Keys whose value is RetailOps' own, or has names of vendors and outcomes for its keys."""


def json_keys(value: Any) -> set[str]:
    if isinstance(value, list):
        return {key for part in value for key in json_keys(part)}
    if not isinstance(value, dict):
        return set()
    inner = [json_keys(part) for key, part in value.items() if key not in OTHERS_OWN]
    return set(value).union(*inner)


def test_every_key_of_a_json_document_is_named(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    workspace = shell.workspace()
    named = TEXTS["docs/scripting.md"] + TEXTS["docs/inbox-and-outbox.md"]
    (workspace / "inbox" / "acme" / "prices.csv").write_text("Article;Price\nW-1;3\n")
    monkeypatch.chdir(workspace)
    for name, value in shell.environment.items():
        monkeypatch.setenv(name, value)

    def document(command: str) -> Any:
        capsys.readouterr()
        run([*command.split(), "--json"])
        return json.loads(capsys.readouterr().out)

    found = json_keys(document("preview inbox/acme/inventory.csv")) | json_keys(document("run"))
    file_id = document("files")["files"][0]["id"]
    for command in (
        "files", "status", f"show {file_id}", f"rows {file_id}", f"retry {file_id}", "orders",
        "orders show D2700001", "orders resend D2700001", "orders close D2700001 --short", "orders fetch", "check",
        "template inventory",
    ):  # fmt: skip
        found |= json_keys(document(command))
    missing = {key for key in found if f"`{key}`" not in named and f'"{key}"' not in named}
    assert not missing


def test_every_key_that_a_vendors_dealing_brings_is_named():
    told = subprocess.run(
        [sys.executable, "-m", "tests.docs_story"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = {key for document in json.loads(told.stdout) for key in json_keys(document)}
    named = TEXTS["docs/scripting.md"] + TEXTS["docs/inbox-and-outbox.md"]
    assert not {key for key in found if f"`{key}`" not in named and f'"{key}"' not in named}


def test_the_pages_show_every_call_that_there_is():
    page = TEXTS["docs/retailops-calls.md"]
    paths = [*(path_of(action) for action in Action), FETCH_PATH, SHIP_CLASSES_PATH]
    assert len(paths) == 7
    assert not [path for path in paths if f"POST {path}\n{{" not in page]


def test_the_list_of_commands_is_not_empty():
    assert {"run", "orders show", "demo"} <= set(commands())
