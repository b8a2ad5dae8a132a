"""YAML as text: every scalar is what was written, every place knows its line.

YAML's guesses damage identifiers: `vendor_id: 027` would be 23, `NO` a false, `12:30` a number of seconds.
Here they are "027", "NO" and "12:30". Duplicate keys, anchors, aliases, tags and merge keys are refused: each
lets a line say something that it does not seem to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from filebridge.errors import ConfigError, Problem

Node: TypeAlias = Any
"""A str, a list of nodes, or a dict of nodes by text."""
Path: TypeAlias = tuple[str | int, ...]
"""Keys and 0-based indexes from the top of the file down to a node."""

MAX_SIZE: Final = 1_000_000
MAX_DEPTH: Final = 20


@dataclass(frozen=True)
class YamlText:
    """The text of a YAML file as plain nodes. `places` has `file:line` of every node, keys included."""

    place: str
    """The file, as shown to a person."""
    tree: dict[str, Node]
    places: Mapping[Path, str]
    blank: frozenset[Path] = field(default_factory=frozenset)
    """Keys with nothing after their colon: they say neither a text nor a section."""

    def place_of(self, path: Path) -> str:
        """`file:line` of the node at `path`, else of the nearest one above it."""
        while path:
            if path in self.places:
                return self.places[path]
            path = path[:-1]
        return f"{self.place}:1"

    def section(self, name: str) -> YamlText | None:
        """The part below a top-level key as a text of its own; None where the key is missing or holds no keys."""
        tree = self.tree.get(name)
        if not isinstance(tree, dict):
            return None
        return YamlText(
            place=self.places[(name,)],
            tree=tree,
            places={
                path[1:]: place for path, place in self.places.items() if path[:1] == (name,) and path[1:]
            },
            blank=frozenset(path[1:] for path in self.blank if path[:1] == (name,) and path[1:]),
        )


def read_yaml(text: str, place: str) -> YamlText:
    """Read one YAML file, whose top level must be lines of `key: value`. An empty file has no keys.

    `place` is the file's path as shown to a person. Raises ConfigError with every fault that can be told at
    once: a fault of the syntax ends the reading, the others do not.
    """
    if len(text) > MAX_SIZE:
        raise ConfigError(
            [Problem(place, f"the file has {len(text):,} characters; {MAX_SIZE:,} are the most")]
        )
    reading = _Reading(place)
    try:
        reading.take(_events(text.removeprefix("\ufeff")))
    except YAMLError as error:
        reading.problems.append(_syntax_problem(error, place, text))
    if reading.problems:
        raise ConfigError(reading.problems)
    tree = reading.root
    if tree == "" or tree is None:
        tree = {}
    if not isinstance(tree, dict):
        message = "the file holds no lines of `key: value`"
        raise ConfigError(
            [Problem(f"{place}:1", message, "Start it with a line such as `document: inventory`.")]
        )
    return YamlText(place=place, tree=tree, places=reading.places, blank=frozenset(reading.blank))


def _events(text: str) -> Iterator[Any]:
    parser = YAML(typ="safe", pure=True, plug_ins=[])
    events: Iterator[Any] = parser.parse(text)
    return events


class _Open:
    """A list or a mapping whose end has not come yet."""

    def __init__(self, path: Path, node: list[Node] | dict[str, Node]) -> None:
        self.path = path
        self.node = node
        self.key: str | None = None
        self.key_is_next = isinstance(node, dict)


class _Reading:
    """Nodes from parser events. Events, not ruamel's own nodes: no recursion, and aliases are still seen."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.root: Node = None
        self.places: dict[Path, str] = {}
        self.blank: list[Path] = []
        self.problems: list[Problem] = []
        self.open: list[_Open] = []
        self.skipping = 0
        """Depth inside a node that is refused: its inside is not looked at."""

    def take(self, events: Iterator[Any]) -> None:
        documents = 0
        for event in events:
            kind = type(event).__name__
            if kind == "DocumentStartEvent":
                documents += 1
                if documents > 1:
                    self._refuse(event, "a second document begins here (`---`)", "Keep one in a file.")
                    return
            elif kind in {"MappingStartEvent", "SequenceStartEvent", "ScalarEvent", "AliasEvent"}:
                self._start(kind, event)
                if len(self.open) > MAX_DEPTH:
                    self._refuse(event, f"more than {MAX_DEPTH} levels deep", "Nothing here needs so many.")
                    return
            elif kind in {"MappingEndEvent", "SequenceEndEvent"}:
                self._end()

    def _refuse(self, event: Any, message: str, fix: str) -> None:
        self.problems.append(Problem(f"{self.place}:{event.start_mark.line + 1}", message, fix))

    def _start(self, kind: str, event: Any) -> None:
        if self.skipping:
            self.skipping += kind in {"MappingStartEvent", "SequenceStartEvent"}
            return
        self._check_marks(kind, event)
        if self.open and self.open[-1].key_is_next:
            self._take_key(kind, event)
            return
        if self.open and isinstance(self.open[-1].node, dict) and self.open[-1].key is None:
            # The value of a refused key: one complaint is enough.
            self.open[-1].key_is_next = True
            self.skipping = int(kind in {"MappingStartEvent", "SequenceStartEvent"})
            return
        path = self._next_path()
        self.places.setdefault(path, f"{self.place}:{event.start_mark.line + 1}")
        node: Node = {} if kind == "MappingStartEvent" else [] if kind == "SequenceStartEvent" else ""
        if kind == "ScalarEvent":
            node = event.value
            # A scalar without quotes and without a character is nothing at all; "" in quotes is an empty text.
            if node == "" and event.style is None and path:
                self.blank.append(path)
        self._place(node)
        if kind in {"MappingStartEvent", "SequenceStartEvent"}:
            self.open.append(_Open(path, node))

    def _check_marks(self, kind: str, event: Any) -> None:
        if kind == "AliasEvent":
            fix = f'Put it in quotes if it is meant as text: "*{event.anchor}". References are not used here.'
            self._refuse(event, f"`*{event.anchor}` is a reference to another place of the file", fix)
        elif event.anchor is not None:
            fix = f'Put it in quotes if it is meant as text: "&{event.anchor} …". Anchors are not used here.'
            self._refuse(event, f"`&{event.anchor}` marks a place to refer to", fix)
        if kind != "AliasEvent" and event.tag is not None and str(event.tag):
            fix = "Leave it out, or put the value in quotes if it is meant as text."
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
            self._refuse(event, f"`{tag}` is a tag; every value here is read as text", fix)

    def _take_key(self, kind: str, event: Any) -> None:
        parent = self.open[-1]
        parent.key_is_next = False
        if kind != "ScalarEvent":
            if kind != "AliasEvent":
                self._refuse(
                    event, "a list or section stands where a key is expected", "Put the key in quotes."
                )
                self.skipping = 1
            parent.key = None
            return
        key = event.value
        path = (*parent.path, key)
        assert isinstance(parent.node, dict)
        if key == "<<" and event.style is None:
            self._refuse(event, "`<<` merges another place of the file", "Write the keys themselves.")
        if path in self.places:
            first = self.places[path].rpartition(":")[2]
            fix = "Only one of them can count: take one out, or give it another name."
            self._refuse(event, f"`{key}` stands here a second time; the first is in line {first}", fix)
            parent.key = None
            return
        self.places[path] = f"{self.place}:{event.start_mark.line + 1}"
        parent.key = key

    def _next_path(self) -> Path:
        if not self.open:
            return ()
        parent = self.open[-1]
        if isinstance(parent.node, list):
            return (*parent.path, len(parent.node))
        assert parent.key is not None
        return (*parent.path, parent.key)

    def _place(self, node: Node) -> None:
        if not self.open:
            self.root = node
            return
        parent = self.open[-1]
        if isinstance(parent.node, list):
            parent.node.append(node)
            return
        assert parent.key is not None
        parent.node[parent.key] = node
        parent.key_is_next = True

    def _end(self) -> None:
        if self.skipping:
            self.skipping -= 1
            return
        self.open.pop()


_WORDS_OF_THE_PARSER: Final = (
    # What ruamel says, and what a person is told instead.
    (
        "found character '\\t'",
        "a tab stands where spaces are expected",
        "Indent with spaces; YAML allows no tabs.",
    ),
    (
        "mapping values are not allowed",
        "a second colon in one line, or a line that is indented too far",
        'Put text that holds a colon in quotes ("a: b"), and indent lines of one section alike.',
    ),
    (
        "found unexpected end of stream",
        "a quote was opened and never closed",
        "Close it; a quote inside single quotes is written twice ('').",
    ),
    ("could not find expected ':'", "a line without a colon", "Write `key: value`."),
    (
        "found character",
        "text begins with a character that means something to YAML",
        'Put it in quotes: "@…", "%…", "`…".',
    ),
    (
        "found unknown escape character",
        "a backslash in double quotes begins an escape",
        "Write it twice (\\\\).",
    ),
    ("expected ',' or '", "a bracket is not closed, or a comma is missing", "Close the list: [a, b]."),
    (
        "expected <block end>",
        "a line is indented unlike the others of its section",
        "Indent them alike, with spaces.",
    ),
    (
        "did not find expected",
        "a line is indented unlike the others of its section",
        "Indent them alike, with spaces.",
    ),
    (
        "expected the node content",
        "a bracket or comma stands where a value is expected",
        "Put text in quotes.",
    ),
)


def _syntax_problem(error: YAMLError, place: str, text: str) -> Problem:
    """What a person can do about a fault of the syntax."""
    if not isinstance(error, MarkedYAMLError):
        position = getattr(error, "position", 0)
        line = text.count("\n", 0, position) + 1
        return Problem(f"{place}:{line}", "a control character that no text holds", "Take it out.")
    mark = error.problem_mark or error.context_mark
    said = str(error.problem or "")
    if "found unexpected end of stream" in said and error.context_mark is not None:
        mark = error.context_mark
    line = mark.line + 1 if mark is not None else 1
    for words, message, fix in _WORDS_OF_THE_PARSER:
        if words in said:
            return Problem(f"{place}:{line}", message, fix)
    return Problem(
        f"{place}:{line}", f"this is no YAML: {said}", "Compare the line with the mapping reference."
    )
