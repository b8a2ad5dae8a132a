"""Writes the reference pages of docs/ that come from the program itself: `make docs`.

`python -m tests.docs_pages` writes them; with `--check` it names those that are out of date, and ends with 1. What
examples become is worked out by the program's own rules, so that the pages cannot say otherwise.
"""

from __future__ import annotations

import re
import sys
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from inspect import cleandoc
from pathlib import Path

import typer
from pydantic import BaseModel

from filebridge.cli.app import app
from filebridge.documents.fields import DOCUMENT_FIELDS
from filebridge.mapping import model
from filebridge.mapping.order_fields import ITEM_FIELDS, ORDER_FIELDS
from filebridge.outcomes import PASSING, FileStatus, Outcome
from filebridge.rejects import CATALOGUE, Of
from filebridge.sandbox import ASSUMPTIONS, DEFAULT_KEY, KINDS
from filebridge.workspace import settings
from tests.docs_examples import READ_EXAMPLES, STEP_EXAMPLES, read_example, step_example, table
from tests.docs_story import Story, tell

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
FRAMES = Path(__file__).with_name("docs_frames")
NOTICE = "<!-- Written by `make docs` (tests/docs_pages.py): change it there. -->\n"


# Words of the reference


KINDS_OF_VALUE = {
    model.Seconds: "duration",
    model.Share: "percentage",
    model.Words: "word or list",
    model.Character: "one character",
    model.Filled: "text",
    model.Zone: "time zone",
    model.Pattern: "pattern",
    settings.Size: "size",
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
}

SAYS = {
    ("Mapping", "document"): "what the file is of",
    ("Mapping", "read"): "how to read the file, [below](#read)",
    ("Mapping", "guard"): "what a file may change before a person is asked, [below](#guard)",
    ("OrderLayout", "document"): "`purchase-orders`",
    ("OrderLayout", "write"): "the form of the files, [below](#write)",
    ("OrderLayout", "submit"): "when RetailOps is told that the POs were taken, [below](#submit)",
    ("Write", "format"): "of the files",
    ("Write", "one_file_per"): "one file for all POs of a run, or one for each",
    ("Write", "rows_per"): "`po` puts the items of a PO into one row, parted by a comma and a blank",
    ("Write", "encoding"): "of CSV files",
    ("Write", "delimiter"): "between the cells of a CSV file",
    ("Write", "quoting"): "of CSV files: where it is needed, every cell, or never",
    ("Write", "line_end"): "of CSV files",
    ("Write", "header"): "whether the first row holds the headers",
    ("Write", "when_empty"): "`write`: a file with only its header where no PO is due",
    ("Column", "upper"): "to upper case",
    ("Vendor", "orders"): "when POs are fetched, and which, [below](#orders)",
    ("Vendor", "expect"): "feeds whose silence is said",
    ("Vendor", "alerts"): "Apprise URLs",
    ("Vendor", "remote"): "a remote folder to fetch from and deliver to",
    ("Expectation", "document"): "whose file is awaited",
    ("Folders", "inbox"): "where vendors drop files",
    ("Folders", "outbox"): "where PO files and replies appear",
    ("Folders", "archive"): "originals and replies",
    ("Folders", "mappings"): "the vendor packs",
}
"""What the models do not say of a key themselves."""

LATER = {
    ("Mapping", "stale_after"),
    ("Vendor", "expect"),
    ("Vendor", "alerts"),
    ("Vendor", "remote"),
    ("Settings", "alerts"),
    ("Retention", "days"),
}
"""Keys that are read and checked, and that this version does nothing with yet."""


def kind_of(hint: object) -> str:
    """What a key takes, in words."""
    for kind, words in KINDS_OF_VALUE.items():
        if hint == kind:
            return words
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return ", ".join(f"`{part}`" for part in parts)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(kind_of(part) for part in parts if part is not type(None))
    if origin is typing.Annotated:
        return kind_of(parts[0])
    if origin is dict:
        return "`{name: …}`"
    if origin is tuple:
        return "list"
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return "keys below"
    raise TypeError(f"no words for {hint}")


def default_of(name: str, field: typing.Any, hint: object) -> str:
    """What stands for a key that is left out."""
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ("", (), {}) or isinstance(value, BaseModel):
        return ""
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    kind = kind_of(hint)
    if "duration" in kind:
        return f"`{duration(value)}`"
    if "percentage" in kind:
        return f"`{value:.0%}`"
    if kind == "size":
        return f"`{value // 1_000_000}MB`"
    if isinstance(value, tuple):
        return ", ".join(f"`{part}`" for part in value)
    return f"`{value}`"


def duration(seconds: float) -> str:
    """Seconds as a person writes them: `20h`, `2m`, `5s`."""
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds >= 2 * size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


def keys(
    owner: type[BaseModel], *, under: str = "", only: str = "", environment: bool = False
) -> Iterator[tuple[str, ...]]:
    """The rows of the table of a model's keys."""
    hints = typing.get_type_hints(owner, include_extras=True)
    for name, field in owner.model_fields.items():
        if only and name != only:
            continue
        says = field.description or SAYS.get((owner.__name__, name), "")
        if not says:
            raise ValueError(f"{owner.__name__}.{name} has no description")
        if (owner.__name__, name) in LATER:
            says += " *(checked; used by a later version)*"
        key = f"{under}{field.alias or name}"
        variable = (f"`FILEBRIDGE_{key.replace('.', '__').upper()}`",) if environment else ()
        yield (
            f"`{key}`",
            kind_of(hints[name]),
            default_of(name, field, hints[name]),
            says.replace("|", "\\|"),
            *variable,
        )


def keys_table(owner: type[BaseModel]) -> str:
    """The table of a model's keys."""
    return table(("key", "takes", "left out", "says"), keys(owner))


def examples(entries: Iterable[tuple[str, str]]) -> str:
    """Examples under a heading for each key; several of one key share it."""
    lines: list[str] = []
    last = ""
    for name, text in entries:
        if name != last:
            lines.append(f"#### `{name}`\n")
        lines.append(text)
        last = name
    return "\n".join(lines)


# The pages


def mapping_reference() -> str:
    """docs/mapping-reference.md."""
    steps = examples((name, step_example(says, text, cells)) for name, says, text, cells in STEP_EXAMPLES)
    reads = examples((name, read_example(says, text, sample)) for name, says, text, sample in READ_EXAMPLES)
    fields = "\n".join(
        f"`{document}`:\n\n"
        + table(
            ("field", "", "holds", "says"),
            (
                (f"`{one.name}`", "**required**" if one.required else "", one.kind.value, one.says)
                for one in found
            ),
        )
        for document, found in DOCUMENT_FIELDS.items()
    )
    parts = {
        "MAPPING": keys_table(model.Mapping).replace(", `purchase-orders` |", " |", 1),
        "READ": keys_table(model.Read),
        "READ_EXAMPLES": reads,
        "FIELDS": fields,
        "STEPS": keys_table(model.FieldSteps),
        "STEP_EXAMPLES": steps,
        "NUMBER": keys_table(model.NumberFormat),
        "GUARD": keys_table(model.Guard),
        "ABOVE": keys_table(model.RejectAbove),
        "LAYOUT": keys_table(model.OrderLayout),
        "WRITE": keys_table(model.Write),
        "COLUMN": keys_table(model.Column),
        "PO_FIELDS": ", ".join(f"`{name}`" for name in ORDER_FIELDS),
        "ITEM_FIELDS": ", ".join(f"`{name}`" for name in ITEM_FIELDS),
        "VENDOR": keys_table(model.Vendor),
        "ORDERS": keys_table(model.OrderSchedule),
        "EXPECT": keys_table(model.Expectation),
        "REMOTE": table(("key", "takes", "left out"), (
            (f"`{field.alias or name}`", "text", "**required**" if field.is_required() else "")
            for name, field in model.Remote.model_fields.items()
        )),
        "SETTINGS": table(("key", "takes", "left out", "says", "variable"), settings_rows()),
    }  # fmt: skip
    return _filled("mapping-reference", parts)


def settings_rows() -> Iterator[tuple[str, ...]]:
    """Every setting of filebridge.yaml, with the variable that sets it."""
    for name, field in settings.Settings.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from keys(inner, under=f"{name}.", environment=True)
        else:
            yield from keys(settings.Settings, only=name, environment=True)


OUTCOMES = {
    Outcome.DELIVERED: "RetailOps confirmed it",
    Outcome.UNCHANGED: "RetailOps was already told this value and confirmed it; nothing was sent",
    Outcome.SUPERSEDED: "a newer file already gave a later value for the same key; nothing was sent",
    Outcome.REJECTED: "it cannot be sent, or RetailOps refused it; code and reason are in the reject file",
    Outcome.HELD: "it waits for a person, or for the other rows of its PO; the receipt says for what",
    Outcome.PENDING: "not sent yet",
    Outcome.UNCERTAIN: "sent, and the answer was lost; it is settled by stating it again, or by asking RetailOps",
}
STATUSES = {
    FileStatus.PENDING: "a row is not sent, or not certain yet",
    FileStatus.REJECTED: "every row was rejected, or the file as a whole",
    FileStatus.HELD: "every row that was not rejected waits, for a person or for other rows",
    FileStatus.DUPLICATE: "no call was needed, and the bytes are those of the feed's latest applied file",
    FileStatus.ACCEPTED_WITH_REJECTS: "some rows were rejected; the others are done, or some of them held",
    FileStatus.ACCEPTED: "all rows are done, or some of them held",
}
CHAPTERS = {
    Of.FILE: (
        "Codes of a file",
        "They speak of the whole file. Some refuse it; some are only said, on the receipt.",
    ),
    Of.HOLD: (
        "Codes of what is held",
        "`partial_shipment` and `refused_by_vendor` hold the rows of single POs, the others files. `guard` and "
        "`future_date`, above, hold files too.",
    ),
    Of.ROW: (
        "Codes of a row",
        "They stand in the reject file, in `fb_code`, with a message in `fb_message`.",
    ),
    Of.ORDER: (
        "Codes of a purchase order",
        "`filebridge orders`, `filebridge status` and STATUS.txt name them; `ship_class_gone` is said by the pass that "
        "notices it.",
    ),
}


def outcomes() -> str:
    """docs/outcomes.md."""
    chapters = []
    for of, (title, says) in CHAPTERS.items():
        rows = ((f"`{one.code}`", one.title, one.fix) for one in CATALOGUE.values() if one.of is of)
        chapters.append(f"## {title}\n\n{says}\n\n{table(('code', 'means', 'what to do'), rows)}")
    parts = {
        "OUTCOMES": table(
            ("outcome", "means", ""),
            (
                (f"`{outcome}`", says, "passing" if outcome in PASSING else "")
                for outcome, says in OUTCOMES.items()
            ),
        ),
        "STATUSES": table(("status", "when"), ((f"`{status}`", says) for status, says in STATUSES.items())),
        "CODES": "\n".join(chapters),
    }
    if set(OUTCOMES) != set(Outcome) or set(STATUSES) != set(FileStatus) or set(CHAPTERS) != set(Of):
        raise ValueError("an outcome, a status or a kind of code has no words")
    return _filled("outcomes", parts)


def sandbox() -> str:
    """docs/sandbox.md."""
    parts = {
        "KEY": DEFAULT_KEY,
        "FAULTS": table(
            ("kind", "what happens", "played", "`when` can be chosen"),
            (
                (
                    f"`{name}`",
                    kind.text,
                    "beside the answer" if kind.is_side else f"{kind.when} the call is applied",
                    "" if kind.fixed else "yes",
                )
                for name, kind in KINDS.items()
            ),
        ),
        "ASSUMPTIONS": table(
            ("assumption", "how sure"), ((one.text.replace("|", "\\|"), one.certainty) for one in ASSUMPTIONS)
        ),
    }  # fmt: skip
    return _filled("sandbox", parts)


def commands() -> str:
    """docs/commands.md: from the commands themselves, not as one version of typer lays out their help."""
    top: typing.Any = typer.main.get_command(app)
    sections = []
    for name, command in top.commands.items():
        if name == "sandbox":
            sections.append(f"## filebridge sandbox\n\n{_help(command)}\n")
            continue
        sections.append(_section(f"filebridge {name}", command))
        for inner, below in getattr(command, "commands", {}).items():
            sections.append(_section(f"filebridge {name} {inner}", below))
    return _filled("commands", {"TOP": _parameters(top), "COMMANDS": "\n".join(sections)})


def _section(name: str, command: typing.Any) -> str:
    said = f"## {name}\n\n{_help(command)}\n"
    parameters = _parameters(command)
    return f"{said}\n{parameters}" if parameters else said


def _help(command: typing.Any) -> str:
    """A command's help in paragraphs, its example as code."""
    paragraphs = [" ".join(part.split()) for part in cleandoc(command.help or "").split("\n\n")]
    return "\n\n".join(re.sub(r"^Example: (.*)$", r"Example: `\1`", part) for part in paragraphs)


def _parameters(command: typing.Any) -> str:
    """The table of a command's arguments and options."""
    rows = []
    for one in command.params:
        is_option = one.param_type_name == "option"
        metavar = one.metavar or ""
        name = ", ".join(f"{name} {metavar}".strip() for name in one.opts) if is_option else metavar
        rows.append((f"`{name}`", (one.help or "").replace("|", "\\|")))
    return table(("", "says"), rows) if rows else ""


@cache
def _told() -> Story:
    return tell()


def story_page(name: str) -> str:
    """A page of a document: what it shows was played by the program against the sandbox."""
    text = (FRAMES / f"{name}.md").read_text(encoding="utf-8")
    texts = _told().texts

    def part(match: re.Match[str]) -> str:
        return texts[match[1]].rstrip("\n")

    return NOTICE + re.sub(r"@([A-Z0-9_]+)@", part, text)


def _filled(name: str, parts: dict[str, str]) -> str:
    """A page's frame, `docs_frames/NAME.md`, with its generated parts: `@NAME@` alone on a line, or within one."""
    text = (FRAMES / f"{name}.md").read_text(encoding="utf-8")
    for key, part in parts.items():
        if f"@{key}@" not in text:
            raise ValueError(f"{FRAMES.name}/{name}.md has no place for {key}")
        text = text.replace(f"@{key}@", part.rstrip("\n"))
    return NOTICE + text


STORY_PAGES = (
    "inventory", "purchase-orders", "submissions", "acknowledgements", "ship-dates", "shipments", "carriers",
    "templates", "retailops-calls",
)  # fmt: skip
PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands,
    "mapping-reference.md": mapping_reference,
    "outcomes.md": outcomes,
    "sandbox.md": sandbox,
    **{f"{name}.md": partial(story_page, name) for name in STORY_PAGES},
}


def main(arguments: list[str]) -> int:
    """Write the pages, or check them."""
    stale = []
    for name, make in PAGES.items():
        path, text = DOCS / name, make()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in arguments:
                path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"docs/{name} is out of date: make docs" if "--check" in arguments else f"docs/{name} written")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
