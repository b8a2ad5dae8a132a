"""How the sandbox behaves: one frozen value, replaced as a whole when a setting changes."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from filebridge.sandbox.values import Json, id_text

DEFAULT_KEY = "sandbox-key-not-secret"

Keys = Mapping[str, frozenset[str] | None]
Short = Literal["accept", "refuse"]


class SettingsError(ValueError):
    """A setting that does not exist, or a value it cannot have; one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set, each with RetailOps' likeliest manner as its default (section 8 of the wire document).

    `keys`: API key to the vendor ids it may act for, None for all. `stringly`: numbers and booleans of
    answers as text. `http_errors`: 401, 403, 404, 405, 400 in place of 200. `per_record`: bad records fail
    alone. `refuse_vpcs`: VPCs that RetailOps does not know. `max_limit`: records of a page at most (None:
    no maximum). `default_limit`: of a fetch without `limit`. `max_records`: of one call.
    `item_id_name`: what a PO item's id is called in answers. `vendor_names`: name to vendor id.
    `short_complete`, `short_accept`: what becomes of a Complete, or MarkAccepted, with fewer units than the
    PO has, `accept` or `refuse`; no source tells, so neither default is better than a guess.
    """

    keys: Keys = field(default_factory=lambda: {DEFAULT_KEY: None}, repr=False)
    stringly: bool = False
    http_errors: bool = False
    per_record: bool = False
    refuse_vpcs: frozenset[str] = frozenset()
    max_limit: int | None = None
    default_limit: int = 100
    max_records: int = 1000
    item_id_name: str = "po_item_id"
    vendor_names: Mapping[str, str] = field(default_factory=dict)
    short_complete: Short = "accept"
    short_accept: Short = "accept"

    def has_key(self, key: str | None) -> bool:
        """Whether this is one of the keys; compared in constant time."""
        return any(hmac.compare_digest((key or "").encode(), known.encode()) for known in self.keys)

    def vendors_of(self, key: str | None) -> frozenset[str] | None:
        """The vendor ids that a known key may act for, None for all."""
        return self.keys.get(key or "")

    def changed(self, values: Json) -> "Settings":
        """These settings with some of them changed, from JSON. Raises SettingsError."""
        given = dict(values)
        if "key" in given:
            given["keys"] = {given.pop("key"): None}
        known = {one.name for one in fields(self)}
        unknown = sorted(set(given) - known)
        if unknown:
            raise SettingsError(
                f"unknown setting {', '.join(unknown)}; there are key, {', '.join(sorted(known))}"
            )
        read: dict[str, Any] = {name: _read(name, value) for name, value in given.items()}
        return replace(self, **read)

    def as_json(self) -> Json:
        """For people and tests; of the keys only how many there are."""
        values: Json = {one.name: getattr(self, one.name) for one in fields(self)}
        return values | {
            "keys": len(self.keys),
            "refuse_vpcs": sorted(self.refuse_vpcs),
            "vendor_names": dict(self.vendor_names),
        }


def keys_from(value: Mapping[str, Any]) -> Keys:
    """Keys as settings hold them, from any mapping of key to vendor ids (numbers or text) or None."""
    keys: dict[str, frozenset[str] | None] = {}
    for key, vendors in value.items():
        if not isinstance(key, str) or not key:
            raise SettingsError("a key must be text")
        if vendors is not None and not isinstance(vendors, list | tuple | set | frozenset):
            raise SettingsError("the vendors of a key must be a list of ids, or null for all")
        keys[key] = None if vendors is None else frozenset(id_text(one) or "" for one in vendors)
    return keys


def _read(name: str, value: object) -> object:
    if name == "keys" and isinstance(value, Mapping):
        return keys_from(value)
    if name == "refuse_vpcs" and isinstance(value, list | tuple | set | frozenset):
        return frozenset(str(one) for one in value)
    if name == "vendor_names" and isinstance(value, Mapping):
        return {str(word): id_text(vendor) or "" for word, vendor in value.items()}
    if name in ("stringly", "http_errors", "per_record") and isinstance(value, bool):
        return value
    if name == "item_id_name" and value in ("po_item_id", "id"):
        return value
    if name in ("short_complete", "short_accept") and value in ("accept", "refuse"):
        return value
    if name == "max_limit" and value is None:
        return value
    if name in ("max_limit", "default_limit", "max_records") and type(value) is int and value > 0:
        return value
    raise SettingsError(f"{name} cannot be {value!r}")
