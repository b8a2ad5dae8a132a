"""From pydantic's errors to problems a person can act on: place, what was found, what is expected, what is near."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from filebridge.errors import Problem
from filebridge.mapping.yaml_text import Node, Path, YamlText

_SHAPE_ERRORS = frozenset(
    {"literal_error", "string_type", "model_type", "dict_type", "int_parsing", "int_type", "tuple_type"}
)
"""What the branches of a union say of a node that is of another branch's shape."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that `word` was probably meant to be; empty where none is near."""
    by_plain = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), by_plain, n=1, cutoff=0.6)
    return by_plain[found[0]] if found else ""


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """`Did you mean …?`, or where nothing is near, the list of what is known."""
    near = nearest(word, known)
    return f"Did you mean `{near}`?" if near else f"Known here: {', '.join(known)}."


def either(words: Sequence[str], last: str = "or") -> str:
    """Words as a sentence lists them: `a, b or c`."""
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def explain(error: ValidationError, model: type[BaseModel], yaml: YamlText) -> list[Problem]:
    """Every fault that pydantic found in `yaml` against `model`, one problem a place; `blanks` are told apart."""
    faults: dict[Path, list[dict[str, Any]]] = {}
    for fault in error.errors(include_url=False):
        path = _path_in(yaml.tree, fault["loc"])
        faults.setdefault(path, []).append(dict(fault))
    problems = []
    for path, found in faults.items():
        if path in yaml.blank:
            continue
        deeper = any(len(other) > len(path) and other[: len(path)] == path for other in faults)
        if deeper and all(fault["type"] in _SHAPE_ERRORS for fault in found):
            continue
        problems += _problems_at(path, found, model, yaml)
    return problems


def by_line(problem: Problem) -> tuple[str, int]:
    """The order of problems: by file, then by line."""
    file, _, line = problem.place.rpartition(":")
    return (file, int(line)) if line.isdigit() else (problem.place, 0)


def blanks(yaml: YamlText) -> list[Problem]:
    """The keys that have nothing after their colon: a text without a character, or a section without a line?"""
    fix = 'Write its value or take the line out; an empty text is "".'
    return [
        Problem(yaml.place_of(path), f"`{_dotted(path)}:` has nothing after it", fix)
        for path in sorted(yaml.blank, key=str)
    ]


def _path_in(tree: Node, loc: tuple[int | str, ...]) -> Path:
    """The part of pydantic's location that stands in the file: it also names branches of unions and short forms."""
    node: Node = tree
    path: Path = ()
    for step in loc:
        in_section = isinstance(node, dict) and step in node
        in_list = isinstance(node, list) and isinstance(step, int) and step < len(node)
        if in_section or in_list:
            node = node[step]
            path = (*path, step)
    return path


def _problems_at(
    path: Path, faults: list[dict[str, Any]], model: type[BaseModel], yaml: YamlText
) -> list[Problem]:
    place = yaml.place_of(path)
    problems = []
    for fault in faults:
        if fault["type"] == "missing":
            problems.append(_missing(path, str(fault["loc"][-1]), model, yaml))
        elif fault["type"] == "extra_forbidden":
            problems.append(unknown_key(path, model, yaml))
        elif fault["type"] == "value_error":
            problems.append(
                Problem(
                    place,
                    f"`{_dotted(path)}`: {fault['ctx']['error']}" if path else str(fault["ctx"]["error"]),
                )
            )
        elif fault["type"] not in _SHAPE_ERRORS and fault["type"] not in _SCALAR_ERRORS:
            problems.append(_out_of_bounds(path, fault, yaml))
    return problems or [_of_another_shape(path, model, yaml)]


_SCALAR_ERRORS = frozenset({"bool_parsing", "bool_type", "float_type", "float_parsing", "int_from_float"})


def _missing(path: Path, name: str, model: type[BaseModel], yaml: YamlText) -> Problem:
    where = f" in `{_dotted(path)}`" if path else ""
    says = ""
    for annotation in annotations_at(model, path):
        if _is_model(annotation):
            says = next(
                (f.description or "" for n, f in annotation.model_fields.items() if (f.alias or n) == name),
                "",
            )
    return Problem(
        yaml.place_of(path),
        f"`{name}` is missing{where}",
        f"Add `{name}:` with {says}." if says else f"Add `{name}:`.",
    )


def unknown_key(path: Path, model: type[BaseModel], yaml: YamlText) -> Problem:
    """The problem of a key that its section does not know."""
    return Problem(yaml.place_of(path), f"`{path[-1]}` is not known here", _home_of(path, model))


def _home_of(path: Path, model: type[BaseModel]) -> str:
    """What to do about an unknown key: what is written instead, the nearest word, or where it belongs."""
    key, section = str(path[-1]), path[:-1]
    known = known_keys(model, section)
    elsewhere: list[str] = [
        leaf.elsewhere[key]
        for leaf in annotations_at(model, section)
        if _is_model(leaf) and key in leaf.elsewhere
    ]
    if elsewhere:
        return elsewhere[0]
    if nearest(key, known):
        return did_you_mean(key, known)
    top = known_keys(model, ())
    home = next((name for name in top if (name,) != section and key in known_keys(model, (name,))), None)
    if home is not None:
        return f"It belongs under `{home}:`."
    if section and key in top:
        return f"It belongs at the top of the file, not under `{_dotted(section)}:`."
    return did_you_mean(key, known)


def _out_of_bounds(path: Path, fault: dict[str, Any], yaml: YamlText) -> Problem:
    limits, kind = fault.get("ctx", {}), fault["type"]
    expected = {
        "greater_than_equal": f"{limits.get('ge')} or more",
        "string_too_long": "one character"
        if limits.get("max_length") == 1
        else f"at most {limits.get('max_length')} characters",
        "string_too_short": "not empty",
        "too_short": "not empty",
        "string_pattern_mismatch": "of another form",
    }.get(kind, str(fault["msg"]).replace("Input should ", "it should "))
    return Problem(yaml.place_of(path), f"{_found(path, yaml)} is not as expected", f"Expected: {expected}.")


def _of_another_shape(path: Path, model: type[BaseModel], yaml: YamlText) -> Problem:
    leaves = annotations_at(model, path)
    words = [str(word) for leaf in leaves if get_origin(leaf) is Literal for word in get_args(leaf)]
    shapes = [_expected(leaf) for leaf in leaves if get_origin(leaf) is not Literal]
    expected = either([*words, *(shape for shape in shapes if shape)])
    value = _node_at(yaml.tree, path)
    near = nearest(value, words) if isinstance(value, str) else ""
    fix = f"Did you mean `{near}`? Expected: {expected}." if near else f"Expected: {expected}."
    verb = "is not known here" if words and isinstance(value, str) else "does not fit here"
    return Problem(yaml.place_of(path), f"{_found(path, yaml)} {verb}", fix)


def _found(path: Path, yaml: YamlText) -> str:
    node = _node_at(yaml.tree, path)
    if isinstance(node, dict):
        return f"the section below `{_dotted(path)}:`"
    if isinstance(node, list):
        return f"the list in `{_dotted(path)}:`"
    return f"`{_dotted(path)}: {node}`" if path else f"`{node}`"


def _dotted(path: Path) -> str:
    text = ""
    for step in path:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _node_at(tree: Node, path: Path) -> Node:
    for step in path:
        tree = tree[step]
    return tree


def annotations_at(model: type[BaseModel], path: Path) -> list[Any]:
    """The types that a node at `path` may have, unions taken apart."""
    found: list[Any] = [model]
    for step in path:
        inner: list[Any] = []
        for annotation in found:
            if _is_model(annotation):
                inner += [f.annotation for n, f in annotation.model_fields.items() if step in (n, f.alias)]
            elif get_origin(annotation) is dict:
                inner.append(get_args(annotation)[1])
            elif get_origin(annotation) is tuple:
                inner.append(get_args(annotation)[0])
        found = [leaf for annotation in inner for leaf in _leaves(annotation)]
    return found


def known_keys(model: type[BaseModel], path: Path) -> list[str]:
    """The keys that the section at `path` knows; empty where any key will do."""
    return [
        field.alias or name
        for annotation in annotations_at(model, path)
        if _is_model(annotation)
        for name, field in annotation.model_fields.items()
    ]


def _leaves(annotation: Any) -> list[Any]:
    if get_origin(annotation) in (Union, UnionType):
        return [leaf for part in get_args(annotation) for leaf in _leaves(part)]
    if get_origin(annotation) is Annotated:
        return _leaves(get_args(annotation)[0])
    return [] if annotation is NoneType else [annotation]


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _expected(annotation: Any) -> str:
    if _is_model(annotation):
        names = [field.alias or name for name, field in annotation.model_fields.items()]
        return f"a section with {'the key' if len(names) == 1 else 'keys such as'} {', '.join(names[:4])}"
    if get_origin(annotation) is dict:
        return "a section of lines `name: value`"
    if get_origin(annotation) is tuple:
        return "a text, or a list: [a, b]" if get_args(annotation)[0] is str else "a list of sections"
    return {bool: "true or false", int: "a whole number", float: "a number", str: "text"}.get(annotation, "")
