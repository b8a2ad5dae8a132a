"""The YAML of a vendor pack to its frozen types, with every fault at once: file, line, and what is meant.

`load_pack` takes the texts of one vendor's folder; nothing here opens a path.

`mappings/_defaults.yaml` holds what all vendors share. Its sections are `vendor:` and the document types
(`inventory:` …); the keys of a section stand where the vendor's own file does not have them. A key of the
vendor's own replaces the shared one as a whole, except `read:` and `write:`, which are joined key by key:
`fields:` of a vendor are never mixed with shared ones. The file applies to documents that the vendor has a
mapping for; it makes no mapping by itself.
"""

from __future__ import annotations

import collections.abc
import hashlib
from pathlib import PurePosixPath
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from filebridge.errors import ConfigError, Problem
from filebridge.mapping.crosswalk import read_crosswalk
from filebridge.mapping.explain import (
    blanks,
    by_line,
    did_you_mean,
    explain,
    known_keys,
    nearest,
    unknown_key,
)
from filebridge.mapping.mistakes import layout_mistakes, mapping_mistakes, vendor_mistakes
from filebridge.mapping.model import DOCUMENTS, Mapping, OrderLayout, Vendor
from filebridge.mapping.pack import FeedMapping, VendorPack
from filebridge.mapping.yaml_text import Path, YamlText, read_yaml

Files = collections.abc.Mapping[str, str]
Model = TypeVar("Model", bound=BaseModel)

VENDOR_FILE: Final = "vendor.yaml"
CARRIERS_FILE: Final = "carriers.yaml"
DEFAULTS_FILE: Final = "_defaults.yaml"
YAML_SUFFIXES: Final = (".yaml", ".yml")
_JOINED_SECTIONS: Final = ("read", "write")


def load_vendor(text: str, place: str) -> Vendor:
    """A `vendor.yaml`. `place` is its path as shown to a person. Raises ConfigError with every fault."""
    return _loaded(*_vendor(read_yaml(text, place)))


def load_mapping(text: str, place: str, *, files: Files | None = None) -> Mapping:
    """A mapping of files that come in. `files` are the texts beside it, by name: its crosswalks are among them.

    Raises ConfigError with every fault.
    """
    yaml = read_yaml(text, place)
    if yaml.tree.get("document") == "purchase-orders":
        fix = "Mappings of files that come in name another document."
        raise ConfigError([Problem(yaml.place_of(("document",)), "purchase-orders go out", fix)])
    return _loaded(*_mapping(yaml, yaml, files or {}))


def load_layout(text: str, place: str) -> OrderLayout:
    """A `document: purchase-orders`. Raises ConfigError with every fault."""
    return _loaded(*_layout(read_yaml(text, place)))


def load_pack(
    files: Files, vendor: str, *, defaults: str | None = None, folder: str = "mappings"
) -> VendorPack:
    """One vendor's folder: `files` are the texts of its YAML and CSV files by name, `vendor` is its name.

    `defaults` is the text of `_defaults.yaml`, `folder` the folder of all vendors, as shown to a person.
    Raises ConfigError with the faults of all the files.
    """
    return _Loading(files, vendor, defaults, folder).pack()


def _loaded(value: Model | None, problems: list[Problem]) -> Model:
    if value is None or problems:
        raise ConfigError(problems)
    return value


def _vendor(yaml: YamlText) -> tuple[Vendor | None, list[Problem]]:
    return _validated(Vendor, yaml, vendor_mistakes(yaml))


def _layout(yaml: YamlText) -> tuple[OrderLayout | None, list[Problem]]:
    return _validated(OrderLayout, yaml, layout_mistakes(yaml))


def _mapping(yaml: YamlText, own: YamlText, files: Files) -> tuple[Mapping | None, list[Problem]]:
    """`yaml` is joined with the defaults, `own` is the vendor's file alone."""
    mistakes = mapping_mistakes(yaml, own)
    yaml, unresolved = _with_crosswalks(yaml, files)
    return _validated(Mapping, yaml, mistakes + unresolved)


def _validated(
    model: type[Model], yaml: YamlText, mistakes: list[Problem]
) -> tuple[Model | None, list[Problem]]:
    # `with`, `else` and `in` have other names in Python, which are no names in the YAML.
    problems = [
        unknown_key(path, model, yaml)
        for path in yaml.places
        if path
        and isinstance(path[-1], str)
        and path[-1].endswith("_")
        and path[-1][:-1] in known_keys(model, path[:-1])
    ]
    problems += blanks(yaml)
    value = None
    try:
        value = model.model_validate(yaml.tree)
    except ValidationError as error:
        problems += explain(error, model, yaml)
    return value, sorted(mistakes + problems, key=by_line)


def _with_crosswalks(yaml: YamlText, files: Files) -> tuple[YamlText, list[Problem]]:
    """The mapping with each `values: FILE` replaced by what the file holds."""
    fields = yaml.tree.get("fields")
    if not isinstance(fields, dict):
        return yaml, []
    problems: list[Problem] = []
    resolved: dict[str, Any] = {}
    for name, steps in fields.items():
        values = steps.get("values") if isinstance(steps, dict) else None
        path: Path = ("fields", name, "values")
        if isinstance(values, str) and path not in yaml.blank:
            try:
                resolved[name] = {
                    **steps,
                    "values": _crosswalk(values, yaml.place_of(path), yaml.place, files),
                }
            except ConfigError as error:
                problems += error.problems
                resolved[name] = {key: step for key, step in steps.items() if key != "values"}
    tree = {**yaml.tree, "fields": {**fields, **resolved}}
    return YamlText(place=yaml.place, tree=tree, places=yaml.places, blank=yaml.blank), problems


def _crosswalk(name: str, here: str, mapping_place: str, files: Files) -> dict[str, str]:
    if name not in files:
        beside = [file for file in files if file.casefold().endswith((*YAML_SUFFIXES, ".csv"))]
        fix = "Write the file's name as it lies beside this mapping, or {word: value}."
        if nearest(name, beside):
            fix = did_you_mean(name, beside)
        raise ConfigError([Problem(here, f"there is no crosswalk file `{name}` beside this mapping", fix)])
    return read_crosswalk(files[name], str(PurePosixPath(mapping_place).with_name(name)))


class _Loading:
    """One look at a vendor's folder, and the faults found in it."""

    def __init__(self, files: Files, vendor: str, defaults: str | None, folder: str) -> None:
        self.files = dict(sorted(files.items()))
        self.vendor = vendor
        self.path = f"{folder}/{vendor}"
        self.problems: list[Problem] = []
        self.mappings: list[FeedMapping] = []
        self.layouts: list[tuple[YamlText, OrderLayout]] = []
        self.defaults_text = defaults or ""
        self.defaults = self._defaults(defaults, f"{folder}/{DEFAULTS_FILE}")

    def pack(self) -> VendorPack:
        texts = {name: self._text(name) for name in self.files if name.casefold().endswith(YAML_SUFFIXES)}
        settings = self._settings(texts.pop(VENDOR_FILE, None))
        carriers = self._carriers(texts.pop(CARRIERS_FILE, None))
        self._documents(texts)
        self._check_feeds()
        if self.problems or settings is None:
            raise ConfigError(self.problems)
        layout, columns, place = None, {}, ""
        for yaml, found in self.layouts:
            layout, place = found, yaml.place
            columns = {header: yaml.place_of(("columns", header)) for header in found.columns}
        return VendorPack(
            vendor=self.vendor,
            path=self.path,
            settings=settings,
            mappings=tuple(sorted(self.mappings, key=lambda found: found.feed)),
            orders=layout,
            orders_path=place,
            orders_columns=columns,
            carriers=carriers,
        )

    def _documents(self, texts: dict[str, YamlText | None]) -> None:
        used = _crosswalk_names(texts)
        # Where a crosswalk is misnamed, or its mapping unreadable, a file without a document may well be it.
        all_read = None not in texts.values() and used <= set(self.files)
        for name, yaml in texts.items():
            if yaml is None or (name in used and "document" not in yaml.tree):
                continue
            document = yaml.tree.get("document")
            if document == "purchase-orders":
                joined = self._joined(yaml, "purchase-orders")
                layout, problems = _layout(joined)
                self.problems += problems
                if layout is not None:
                    self.layouts.append((joined, layout))
            elif document in DOCUMENTS:
                self._take_feed(name, yaml, str(document))
            elif all_read or "document" in yaml.tree:
                self.problems.append(_no_document(yaml))

    def _text(self, name: str) -> YamlText | None:
        try:
            return read_yaml(self.files[name], f"{self.path}/{name}")
        except ConfigError as error:
            self.problems += error.problems
            return None

    def _defaults(self, text: str | None, place: str) -> YamlText | None:
        if text is None:
            return None
        try:
            yaml = read_yaml(text, place)
        except ConfigError as error:
            self.problems += error.problems
            return None
        sections = ("vendor", *DOCUMENTS)
        for name, section in yaml.tree.items():
            here = yaml.place_of((name,))
            if name not in sections:
                self.problems.append(
                    Problem(here, f"`{name}` is not known here", did_you_mean(name, sections))
                )
            elif not isinstance(section, dict):
                self.problems.append(
                    Problem(here, f"`{name}:` holds no keys", "Write them below it, or take it out.")
                )
            elif "document" in section:
                fix = "The section's name says it: take the line out."
                self.problems.append(
                    Problem(yaml.place_of((name, "document")), "`document` stands in a section", fix)
                )
        return yaml

    def _joined(self, own: YamlText, section: str) -> YamlText:
        shared = self.defaults.section(section) if self.defaults is not None else None
        return own if shared is None else _join(own, shared)

    def _settings(self, yaml: YamlText | None) -> Vendor | None:
        if yaml is None:
            if VENDOR_FILE not in self.files:
                fix = 'Write one with a line such as `vendor_id: "27"`, the vendor\'s id at RetailOps.'
                self.problems.append(Problem(f"{self.path}/{VENDOR_FILE}", "the file is missing", fix))
            return None
        settings, problems = _vendor(self._joined(yaml, "vendor"))
        self.problems += problems
        return settings

    def _carriers(self, yaml: YamlText | None) -> dict[str, str | dict[str, str]] | None:
        if yaml is None:
            return None
        found: dict[str, str | dict[str, str]] = {}
        for word, target in yaml.tree.items():
            names_a_class = (
                isinstance(target, dict) and list(target) == ["class"] and isinstance(target["class"], str)
            )
            if names_a_class or (isinstance(target, str) and (word,) not in yaml.blank):
                found[word] = target
            else:
                fix = 'Write a ship class id, as in `"UPS Ground": 62`, or `{class: "UPS Ground"}`.'
                self.problems.append(Problem(yaml.place_of((word,)), f"`{word}` names no ship class", fix))
        return found

    def _take_feed(self, name: str, yaml: YamlText, document: str) -> None:
        mapping, problems = _mapping(self._joined(yaml, document), yaml, self.files)
        self.problems += problems
        if mapping is None:
            return
        parts = [self.files[name]]
        parts += [self.files[used] for used in sorted(_crosswalk_names({name: yaml})) if used in self.files]
        if self.defaults is not None and document in self.defaults.tree:
            parts.append(self.defaults_text)
        digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
        feed = PurePosixPath(name).stem
        self.mappings.append(FeedMapping(feed=feed, path=yaml.place, mapping=mapping, sha256=digest))

    def _check_feeds(self) -> None:
        by_feed: dict[str, str] = {}
        unmatched: dict[str, str] = {}
        for found in self.mappings:
            if found.feed in by_feed:
                message = f"the feed `{found.feed}` has two mappings, {by_feed[found.feed]} and this one"
                self.problems.append(Problem(found.path, message, "Give one of the files another name."))
            by_feed.setdefault(found.feed, found.path)
            if not found.mapping.match:
                document = found.mapping.document
                if document in unmatched:
                    message = f"neither this mapping nor {unmatched[document]} says which files it takes"
                    fix = f'Add a line to each, such as `match: ["{found.feed}*.csv"]`.'
                    self.problems.append(Problem(found.path, message, fix))
                unmatched.setdefault(document, found.path)
        for yaml, _ in self.layouts[1:]:
            message = f"{self.layouts[0][0].place} is a purchase-orders layout too"
            fix = "A vendor's POs are written in one layout: take one of the files away."
            self.problems.append(Problem(yaml.place, message, fix))


def _join(own: YamlText, shared: YamlText) -> YamlText:
    """The vendor's own keys over the shared ones."""
    tree, places, blank = dict(own.tree), dict(own.places), set(own.blank)

    def take(path: Path) -> None:
        places.update(
            {p: place for p, place in shared.places.items() if p[: len(path)] == path and p not in places}
        )
        blank.update(p for p in shared.blank if p[: len(path)] == path)

    for key, value in shared.tree.items():
        if key not in tree:
            tree[key] = value
            take((key,))
        elif key in _JOINED_SECTIONS and isinstance(value, dict) and isinstance(tree[key], dict):
            for inner in value:
                if inner not in tree[key]:
                    take((key, inner))
            tree[key] = {**value, **tree[key]}
    return YamlText(place=own.place, tree=tree, places=places, blank=frozenset(blank))


def _crosswalk_names(texts: collections.abc.Mapping[str, YamlText | None]) -> set[str]:
    """The files that fields name in `values`."""
    names = set()
    for yaml in texts.values():
        fields = yaml.tree.get("fields") if yaml is not None else None
        for steps in fields.values() if isinstance(fields, dict) else ():
            if isinstance(steps, dict) and isinstance(steps.get("values"), str):
                names.add(steps["values"])
    return names


def _no_document(yaml: YamlText) -> Problem:
    if "document" in yaml.tree:
        found = yaml.tree["document"]
        message = (
            f"`document: {found}` is not known here" if isinstance(found, str) else "`document` is one word"
        )
        return Problem(yaml.place_of(("document",)), message, did_you_mean(str(found), DOCUMENTS))
    near = next((key for key in yaml.tree if nearest(key, ("document",))), None)
    if near is not None:
        return Problem(yaml.place_of((near,)), f"`{near}` is not known here", "Did you mean `document`?")
    fix = f"A mapping begins with one, of {', '.join(DOCUMENTS)}; a crosswalk is named by `values:` of a mapping."
    return Problem(f"{yaml.place}:1", "the file has no `document:`", fix)
