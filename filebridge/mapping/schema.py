"""The JSON Schema of the YAML files, for editors that complete and check while one types.

One schema for all files of a vendor pack: a file without `document:` is a vendor.yaml, `document:
purchase-orders` a PO layout, any other document a mapping. An editor reads YAML with YAML's own guesses, so a
text may be a number or a true/false to it; FileBridge reads the text.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

from filebridge.mapping.model import Column, FieldSteps, Mapping, OrderLayout, Vendor

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_SCALAR: Final = ["string", "number", "boolean"]
_SHORT_FORMS: Final[dict[str, list[dict[str, Any]]]] = {
    FieldSteps.__name__: [{"type": _SCALAR}, {"type": "array", "items": {"type": _SCALAR}}],
    Column.__name__: [{"type": _SCALAR}],
}


def json_schema() -> dict[str, Any]:
    """One JSON Schema (draft 2020-12), with `$defs` vendor, mapping and purchase-orders."""
    definitions: dict[str, Any] = {}
    for name, model in (("vendor", Vendor), ("mapping", Mapping), ("purchase-orders", OrderLayout)):
        definitions[name] = _definition(model, definitions)
    return {
        "$schema": DIALECT,
        "title": "FileBridge vendor pack",
        "type": "object",
        "if": {"required": ["document"]},
        "then": {
            "if": {"properties": {"document": {"const": "purchase-orders"}}},
            "then": {"$ref": "#/$defs/purchase-orders"},
            "else": {"$ref": "#/$defs/mapping"},
        },
        "else": {"$ref": "#/$defs/vendor"},
        "$defs": dict(sorted(definitions.items())),
    }


def _definition(model: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True, mode="validation")
    for name, inner in schema.pop("$defs", {}).items():
        definitions[name] = _loosened(inner)
        if name in _SHORT_FORMS:
            definitions[name] = {"anyOf": [*_SHORT_FORMS[name], definitions[name]]}
    loosened: dict[str, Any] = _loosened(schema)
    if model is Mapping:
        # Purchase orders have a shape of their own.
        documents = loosened["properties"]["document"]["enum"]
        loosened["properties"]["document"]["enum"] = [word for word in documents if word != "purchase-orders"]
    return loosened


def _loosened(schema: Any) -> Any:
    """The schema as an editor's YAML may meet it, without what only concerns Python (titles, null)."""
    if isinstance(schema, list):
        return [_loosened(part) for part in schema if part != {"type": "null"}]
    if not isinstance(schema, dict):
        return schema
    loose = {key: _loosened(part) for key, part in schema.items() if key not in {"properties", "title"}}
    if "properties" in schema:
        loose["properties"] = {name: _loosened(part) for name, part in schema["properties"].items()}
    if loose.get("default", "") is None:
        del loose["default"]
    if len(loose.get("anyOf", ())) == 1:
        loose = {**loose.pop("anyOf")[0], **loose}
    return _loose_scalar(loose)


def _loose_scalar(schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type")
    if schema.get("const") == "off":
        # YAML 1.1 reads off as false.
        return {"enum": ["off", False]}
    if kind == "string" and not {"enum", "const"} & schema.keys():
        return {**schema, "type": _SCALAR}
    if kind == "integer":
        told: dict[str, Any] = {key: schema.pop(key) for key in ("description", "default") if key in schema}
        return {"anyOf": [schema, {"type": "string", "pattern": r"^\s*-?\d+\s*$"}], **told}
    if kind == "boolean":
        return {**schema, "type": ["boolean", "string"]}
    return schema
