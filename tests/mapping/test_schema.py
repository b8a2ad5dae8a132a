"""The JSON Schema for editors takes what FileBridge takes, as YAML gives it to an editor."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from filebridge.mapping.model import DOCUMENTS
from filebridge.mapping.schema import json_schema

SCHEMA = json_schema()
EXAMPLES = Path(__file__).parents[2] / "mappings"
KINDS = {
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
    "object": dict,
    "array": list,
}


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """The part of JSON Schema that ours uses; every other keyword fails the test that meets it."""
    known = {
        "$ref",
        "$schema",
        "$defs",
        "title",
        "description",
        "default",
        "if",
        "then",
        "else",
        "type",
        "enum",
    }
    known |= {
        "const",
        "anyOf",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "minimum",
        "maximum",
    }
    known |= {"exclusiveMinimum", "minLength", "maxLength", "minProperties", "pattern"}
    assert schema.keys() <= known, schema.keys() - known
    if "$ref" in schema and not fits(value, SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]):
        return False
    if "if" in schema:
        branch = "then" if fits(value, schema["if"]) else "else"
        if branch in schema and not fits(value, schema[branch]):
            return False
    if "type" in schema:
        kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        if not any(
            isinstance(value, KINDS[kind]) and (kind != "integer" or value is not True) for kind in kinds
        ):
            return False
    checks = [
        "enum" not in schema or value in schema["enum"],
        "const" not in schema or value == schema["const"],
        "anyOf" not in schema or any(fits(value, part) for part in schema["anyOf"]),
        "pattern" not in schema or not isinstance(value, str) or bool(re.search(schema["pattern"], value)),
        "minimum" not in schema or not isinstance(value, int) or value >= schema["minimum"],
    ]
    if isinstance(value, dict):
        properties, more = schema.get("properties", {}), schema.get("additionalProperties", True)
        checks.append(set(schema.get("required", ())) <= value.keys())
        checks += [fits(part, properties[key]) for key, part in value.items() if key in properties]
        others = [part for key, part in value.items() if key not in properties]
        checks += [more is True or (more is not False and fits(part, more)) for part in others]
    if isinstance(value, list) and "items" in schema:
        checks += [fits(part, schema["items"]) for part in value]
    return all(checks)


def as_an_editor_reads(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def test_the_schema_is_of_draft_2020_12_and_has_the_three_kinds_of_file():
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {"vendor", "mapping", "purchase-orders"} <= SCHEMA["$defs"].keys()
    assert SCHEMA["$defs"]["mapping"]["properties"]["document"]["enum"] == list(DOCUMENTS[:-1])


# A carriers.yaml has no keys of ours that an editor could complete or check.
CHECKED = [path for path in sorted(EXAMPLES.glob("*/*.yaml")) if path.name != "carriers.yaml"]


@pytest.mark.parametrize("path", CHECKED, ids=lambda path: path.name)
def test_every_example_fits(path: Path):
    assert fits(as_an_editor_reads(path.read_text(encoding="utf-8")), SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        "vendor_id: 27\norders: {every: 15m, status: [open, ready]}\n",
        "document: inventory\nmatch: a*.csv\nfields: {vpc: 1, quantity: [Qty, 2]}\nguard: off\n",
        "document: inventory\nfields: {vpc: A, quantity: {column: B, values: {x: 1, y: true}, buffer: 2, max: '9'}}\n",
        "document: inventory\nread: {header_row: none, sheet: 1, columns: {A: 1-4}}\nrestate_every: 20h\n",
        "document: inventory\non_reject: {reject_file_above: 10%}\n",
        "document: purchase-orders\ncolumns: {A: po, B: {value: 7}}\nwrite: {header: false, done_file: yes}\n",
    ],
)
def test_numbers_and_booleans_may_stand_where_texts_are_meant(text: str):
    assert fits(as_an_editor_reads(text), SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        "vendorid: 27\n",
        "document: inventroy\n",
        "document: inventory\ncovers: all\n",
        "document: inventory\nfields: {vpc: {colunm: A}}\n",
        "document: inventory\nguard: {max_row_dorp: 5%}\n",
        "document: purchase-orders\n",
        "document: purchase-orders\ncolumns: {A: po}\nfields: {}\n",
        "document: inventory\nfields: {vpc: A, quantity: {column: B, buffer: some}}\n",
    ],
)
def test_an_editor_marks_what_filebridge_refuses(text: str):
    assert not fits(as_an_editor_reads(text), SCHEMA)


def test_descriptions_come_along():
    assert SCHEMA["$defs"]["mapping"]["properties"]["covers"]["description"] == "what the file lists"
