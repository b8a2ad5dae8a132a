"""What the pretended RetailOps holds: POs, inventory advice, and the list of what calls really changed."""

import copy
import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from filebridge.sandbox.ship_classes import checked_ship_classes, default_ship_classes
from filebridge.sandbox.state_file import FORMAT, read_state, write_state
from filebridge.sandbox.values import Json, StateError, as_text, id_text, whole_number


class Effect(NamedTuple):
    """One thing that a call changed.

    `key` is the VPC or the PO. `value` is what was sent: the record (advice, a ship date) or the body
    (Complete); where a PO was marked it is `{"status", "was"}`. `at` is UTC, ISO 8601.
    """

    seq: int
    call_seq: int
    action: str
    vendor_id: str
    key: str
    value: Json
    at: str


class Changes(NamedTuple):
    """What changed since it was last asked, to be applied to what was there before.

    `is_whole` says that the parts do not tell (POs taken away or turned round, ship classes, a reset).
    """

    is_whole: bool
    pos: list[Json]
    advice: list[Json]
    effects: list[Effect]


class State:
    """POs by number, advice by (vendor id, VPC), ship classes, and effects, which are only ever appended.

    Take `lock` around several steps that must be seen as one. POs are dicts as in section 7 of the wire
    document; every one has `po`, `vendor_id`, `status` and `items`. What the control routes and the
    faults change (edits, cancellations) is no effect: no call did it.
    """

    def __init__(self, pos: Iterable[Json] = ()) -> None:
        self.lock = threading.RLock()
        self.pos: dict[str, Json] = {}
        self.advice: dict[tuple[str, str], Json] = {}
        self.effects: list[Effect] = []
        self._classes = checked_ship_classes(default_ship_classes())
        self._start: list[Json] = []
        self._start_classes: list[Json] = []
        self._touched_pos: dict[str, None] = {}
        self._touched_advice: dict[tuple[str, str], None] = {}
        self._taken_effects = 0
        self._is_whole_touched = False
        self.add_pos(pos)
        self.mark_start()

    # POs

    def add_pos(self, pos: Iterable[Json]) -> int:
        """Add POs, or merge them by number into those that are there. Raises StateError and adds none."""
        wanted = [copy.deepcopy(one) for one in pos]
        with self.lock:
            checked = [_checked(one, self.pos) for one in wanted]
            for po, whole in checked:
                self.pos[po] = whole
                self._touched_pos[po] = None
        return len(checked)

    def change_po(self, po: str, *, fields: Json | None = None, items: list[Json] | None = None) -> None:
        """Set fields of a PO, and its items where given. Raises StateError where there is no such PO."""
        with self.lock:
            if po not in self.pos:
                raise StateError(f"there is no PO {po}")
            changed = copy.deepcopy(self.pos[po] | (fields or {}))
            if items is not None:
                changed["items"] = copy.deepcopy(items)
            number, whole = _checked(changed, {})
            if number != po:
                raise StateError("the number of a PO cannot change")
            self.pos[po] = whole
            self._touched_pos[po] = None

    def remove_pos(self, numbers: Iterable[str]) -> None:
        """Take POs away, as if they had never been."""
        with self.lock:
            for po in numbers:
                self.pos.pop(po, None)
            self._is_whole_touched = True

    def reverse_pos(self) -> None:
        """Turn the order round in which POs are fetched."""
        with self.lock:
            self.pos = dict(reversed(self.pos.items()))
            self._is_whole_touched = True

    def po(self, po: str) -> Json:
        """A copy of one PO. Raises KeyError."""
        with self.lock:
            return copy.deepcopy(self.pos[po])

    def find_pos(self, vendor_id: str, statuses: frozenset[str] | None) -> Iterator[Json]:
        """The POs themselves of a vendor in those statuses (lower case; None: any). Hold the lock."""
        for one in self.pos.values():
            is_wanted = statuses is None or one["status"].lower() in statuses
            if is_wanted and id_text(one["vendor_id"]) == vendor_id:
                yield one

    # Ship classes

    @property
    def ship_classes(self) -> list[Json]:
        """A copy of the carrier classes, in their order."""
        with self.lock:
            return copy.deepcopy(list(self._classes.values()))

    def has_ship_class(self, class_id: str) -> bool:
        """Whether there is a class of that id (its text, as `id_text` has it)."""
        return class_id in self._classes

    def set_ship_classes(self, classes: Iterable[Json]) -> None:
        """Replace the whole list. Raises StateError and leaves the old one."""
        checked = checked_ship_classes(classes)
        with self.lock:
            self._classes = checked
            self._is_whole_touched = True

    def add_ship_classes(self, classes: Iterable[Json]) -> None:
        """Add classes, or merge them by id into those that are there. Raises StateError and adds none."""
        with self.lock:
            merged = dict(self._classes)
            for class_id, one in checked_ship_classes(classes).items():
                merged[class_id] = merged.get(class_id, {}) | one
            self.set_ship_classes(merged.values())

    def change_ship_class(self, class_id: str, fields: Json) -> None:
        """Set fields of a class, its `id` among them. Raises StateError where there is no such class."""
        with self.lock:
            if class_id not in self._classes:
                raise StateError(f"there is no ship class {class_id}")
            self.set_ship_classes(
                one | fields if known == class_id else one for known, one in self._classes.items()
            )

    def remove_ship_classes(self, class_ids: Iterable[object]) -> None:
        """Take classes away; those that are not there are passed over."""
        with self.lock:
            gone = {id_text(one) for one in class_ids}
            self.set_ship_classes(one for known, one in self._classes.items() if known not in gone)

    # What calls change

    def set_status(
        self, po: str, status: str, kept: Json | None = None, *, call_seq: int, action: str, at: str
    ) -> None:
        """Move a PO to a status, as an effect of a call; `kept` is noted with the PO."""
        one = self.pos[po]
        value = {"status": status, "was": one["status"]}
        one.update((kept or {}) | {"status": status})
        self._touched_pos[po] = None
        self.add_effects(call_seq, action, [(id_text(one["vendor_id"]) or "", po, value)], at)

    def complete_po(self, po: str, body: Json, *, call_seq: int, action: str, at: str) -> None:
        """Complete a PO with the packages of a call's body; the body is the effect."""
        one = self.pos[po]
        one.update(status="complete", packages=body["packages"])
        self._touched_pos[po] = None
        self.add_effects(call_seq, action, [(id_text(one["vendor_id"]) or "", po, body)], at)

    def set_ship_date(self, po: str, record: Json, *, call_seq: int, action: str, at: str) -> None:
        """Note a record's `estimated_ship_date` with a PO and with its items that the record names."""
        one, date = self.pos[po], record["estimated_ship_date"]
        named = {as_text(item.get("po_item_id")) for item in record["items"]}
        one["estimated_ship_date"] = date
        self._touched_pos[po] = None
        for item in one["items"]:
            if as_text(item.get("po_item_id", item.get("id"))) in named:
                item["estimated_ship_date"] = date
        self.add_effects(call_seq, action, [(id_text(one["vendor_id"]) or "", po, record)], at)

    def give_advice(
        self, records: Sequence[tuple[str, str, Json]], *, call_seq: int, action: str, at: str
    ) -> None:
        """Keep advice (vendor id, VPC, the record as sent), as effects of a call."""
        with self.lock:
            for vendor_id, vpc, record in records:
                # Taken out first, so that what was advised last stands last.
                self.advice.pop((vendor_id, vpc), None)
                self.advice[vendor_id, vpc] = record
                self._touched_advice[vendor_id, vpc] = None
            self.add_effects(call_seq, action, records, at)

    def add_effects(
        self, call_seq: int, action: str, changes: Iterable[tuple[str, str, Json]], at: str
    ) -> None:
        """Append effects: (vendor id, key, value) each."""
        with self.lock:
            seq = len(self.effects)
            self.effects += [
                Effect(seq + n, call_seq, action, vendor_id, key, value, at)
                for n, (vendor_id, key, value) in enumerate(changes, start=1)
            ]

    # Questions

    def quantity(self, vendor_id: str, vpc: str) -> int | None:
        """The quantity that was last advised, None where none was."""
        record = self.advice.get((id_text(vendor_id) or "", vpc))
        return None if record is None else whole_number(record.get("quantity"))

    def quantities(self, vendor_id: str) -> dict[str, int | None]:
        """All the quantities of a vendor, by VPC."""
        wanted = id_text(vendor_id)
        with self.lock:
            return {
                vpc: whole_number(record.get("quantity"))
                for (vendor, vpc), record in self.advice.items()
                if vendor == wanted
            }

    def history(self, vendor_id: str, vpc: str) -> list[int | None]:
        """Every quantity that was ever advised for a VPC, the oldest first."""
        wanted = id_text(vendor_id)
        with self.lock:
            return [
                whole_number(effect.value["quantity"])
                for effect in self.effects
                if effect.key == vpc and effect.vendor_id == wanted and "quantity" in effect.value
            ]

    # Start, changes, file

    def mark_start(self) -> None:
        """Remember POs and ship classes as they are, for `reset`."""
        with self.lock:
            self._start = copy.deepcopy(list(self.pos.values()))
            self._start_classes = self.ship_classes

    def reset(self, *, to_empty: bool = False) -> None:
        """Back to the POs of the start (or none) and its ship classes; no advice, no effects."""
        with self.lock:
            self.advice.clear()
            self.effects.clear()
            self.pos.clear()
            self.set_ship_classes(self._start_classes)
            if not to_empty:
                self.add_pos(self._start)

    def take_changes(self) -> Changes | None:
        """What changed since the last time this was called, or since it was made; None for nothing."""
        with self.lock:
            is_whole = self._is_whole_touched
            if not (is_whole or self._touched_pos or self._touched_advice or self._has_new_effects()):
                return None
            changes = Changes(
                is_whole,
                [] if is_whole else [copy.deepcopy(self.pos[po]) for po in self._touched_pos],
                [] if is_whole else [self._advice_json(key) for key in self._touched_advice],
                [] if is_whole else self.effects[self._taken_effects :],
            )
            self._touched_pos.clear()
            self._touched_advice.clear()
            self._taken_effects = len(self.effects)
            self._is_whole_touched = False
        return changes

    def _has_new_effects(self) -> bool:
        return len(self.effects) != self._taken_effects

    def apply_changes(self, changes: Json) -> None:
        """Apply what `take_changes` gave, as JSON. Raises StateError, KeyError or TypeError."""
        with self.lock:
            for one in changes["pos"]:
                po, whole = _checked(one, {})
                self.pos[po] = whole
            for one in changes["advice"]:
                self.advice.pop((one["vendor_id"], one["vpc"]), None)
                self.advice[one["vendor_id"], one["vpc"]] = one["record"]
            self.effects += [Effect(**one) for one in changes["effects"]]

    def _advice_json(self, key: tuple[str, str]) -> Json:
        return {"vendor_id": key[0], "vpc": key[1], "record": self.advice[key]}

    def as_json(self) -> Json:
        """All of it as one JSON object; `load` reads it back."""
        with self.lock:
            return {
                "format": FORMAT,
                "pos": copy.deepcopy(list(self.pos.values())),
                "advice": [self._advice_json(key) for key in self.advice],
                "effects": [effect._asdict() for effect in self.effects],
                "ship_classes": self.ship_classes,
            }

    def save(self, path: Path | str) -> None:
        """Write a state file: to a name of its own first, then renamed, so that it is whole or not there."""
        write_state(path, self.as_json())

    @classmethod
    def load(cls, path: Path | str) -> "State":
        """Read a state file, or a seed file that holds `pos` alone. Raises StateError."""
        return cls.from_json(read_state(path), path)

    @classmethod
    def from_json(cls, whole: Json, path: Path | str) -> "State":
        """The state in what `read_state` read from a path. Raises StateError."""
        state = cls(whole["pos"])
        try:
            state.set_ship_classes(whole.get("ship_classes", state.ship_classes))
            state.apply_changes(
                {"pos": (), "advice": whole.get("advice", ()), "effects": whole.get("effects", ())}
            )
        except (KeyError, TypeError) as error:
            raise StateError(
                f"{path} holds advice, effects or ship classes of another shape: {error}"
            ) from error
        return state


def utc_text(moment: datetime) -> str:
    """An instant as RetailOps is assumed to write it: ISO 8601, UTC, `Z` (section 2, inferred)."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _checked(given: Any, present: dict[str, Json]) -> tuple[str, Json]:
    """A PO merged into the one that is there, with what every PO must have."""
    po = as_text(given.get("po")) if isinstance(given, dict) else None
    if po is None:
        raise StateError('a PO must be an object with "po"')
    whole: Json = {"status": "ready", "items": []} | present.get(po, {}) | given | {"po": po}
    if id_text(whole.get("vendor_id")) is None:
        raise StateError(f"PO {po} has no vendor_id")
    for name in ("items", "packages", "accepted_items"):
        parts = whole.get(name, [])
        if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
            raise StateError(f"the {name} of PO {po} must be a list of objects")
    if not isinstance(whole["status"], str):
        raise StateError(f"the status of PO {po} must be text")
    return po, whole
