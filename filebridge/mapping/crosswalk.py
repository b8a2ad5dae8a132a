"""Crosswalk files: the vendor's words and ours, as YAML or as a CSV of two columns."""

from __future__ import annotations

import csv

from filebridge.errors import ConfigError, Problem
from filebridge.mapping.yaml_text import read_yaml

_DELIMITERS = (",", ";", "\t")


def read_crosswalk(text: str, place: str) -> dict[str, str]:
    """`{vendor's word: our value}` of a crosswalk file. `place` is its path as shown to a person.

    A name that ends in .csv is a table of two columns without a header (comma, semicolon or tab); anything
    else is YAML. Raises ConfigError with every fault.
    """
    return _read_table(text, place) if place.casefold().endswith(".csv") else _read_lines(text, place)


def _read_lines(text: str, place: str) -> dict[str, str]:
    yaml = read_yaml(text, place)
    problems = [
        Problem(yaml.place_of((word,)), f"`{word}` has no single value", "Write `word: value`.")
        for word, value in yaml.tree.items()
        if not isinstance(value, str) or (word,) in yaml.blank
    ]
    if problems:
        raise ConfigError(problems)
    return dict(yaml.tree)


def _read_table(text: str, place: str) -> dict[str, str]:
    text = text.removeprefix("\ufeff")
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = next((mark for mark in _DELIMITERS if first.count(mark) == 1), ",")
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    found: dict[str, str] = {}
    problems: list[Problem] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            here = f"{place}:{reader.line_num}"
            if len(cells) != 2:
                fix = "A crosswalk has two columns: the vendor's word, then ours. Quote a word that holds a comma."
                problems.append(Problem(here, f"{len(cells)} columns stand here", fix))
                continue
            word, value = cells[0].strip(), cells[1].strip()
            if found.setdefault(word, value) != value:
                message = f"`{word}` stands here a second time with another value"
                problems.append(Problem(here, message, "Take one of the two lines out."))
    except csv.Error as error:
        problems.append(
            Problem(f"{place}:{reader.line_num}", f"the CSV cannot be read: {error}", "Close every quote.")
        )
    if problems:
        raise ConfigError(problems)
    return found
