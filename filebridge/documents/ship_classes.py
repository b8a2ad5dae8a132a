"""Ship classes: which of RetailOps' classes a vendor's word means. Nothing is guessed; what is unclear is said.

Ids differ from account to account and have moved over the years, and two classes may share a name (the wire
document, section 5.5): a word means a class by a line of carriers.yaml, or by being exactly one class' own name.
"""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, TypeAlias, TypeVar

_T = TypeVar("_T")
Target: TypeAlias = str | Mapping[str, str]
"""What a line of carriers.yaml gives a word: an id, or `{class: name}`."""

_NEAREST: Final = 5
_ALL_LISTED: Final = 8
_LONGEST_WORD: Final = 80
_WITH_ID: Final = re.compile(
    r"(?P<name>.*\S)\s*\(\s*id\s+(?P<id>[^()\s]+)\s*\)\s*", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True)
class ShipClass:
    """A carrier and its service, as RetailOps names them. `id` goes back as it came, number or text."""

    id: int | str
    name: str
    active: bool = True

    @property
    def id_text(self) -> str:
        """The id as it is written in files and in carriers.yaml."""
        return str(self.id).strip()

    @property
    def named(self) -> str:
        """`UPS Ground (id 62)`: what tells it from every other class."""
        return f"{self.name} (id {self.id_text})"


@dataclass(frozen=True)
class Suggestion:
    """What is nearest to a word: a line of carriers.yaml by its word, and active classes; empty where nothing is."""

    line: str
    classes: tuple[ShipClass, ...]


def plain_word(text: str) -> str:
    """A word as words are compared: without case, spaces and punctuation; one of signs alone stays."""
    folded = unicodedata.normalize("NFC", text).casefold()
    return "".join(filter(str.isalnum, folded)) or folded.strip()


@dataclass(frozen=True)
class Carriers:
    """The live classes and the vendor's crosswalk. `place` is carriers.yaml as shown to a person.

    `names_before` has the former names of ids that vanished or were renamed. Where a word or an id means no
    class, the answer is a text: the whole message of a row reject, code `not_in_crosswalk`.
    """

    classes: tuple[ShipClass, ...]
    lines: Mapping[str, Target] = field(default_factory=dict)
    place: str = "carriers.yaml"
    names_before: Mapping[str, str] = field(default_factory=dict)

    def of_word(self, word: str) -> ShipClass | str:
        """The class that a vendor's word means: by a line of the crosswalk, else by its own name alone."""
        plain = plain_word(word)
        if not plain:
            return f"The cell names no carrier. {self._add_line('THE WORD')}"
        lines = self._lines_by_word.get(plain, ())
        if lines:
            return self._of_lines(lines)
        advice = (
            f"Add a line to {self.place} with the id of the one that is meant: {_quoted(word.strip())}: ID"
        )
        return self._of_own_name(word, advice) or self._unknown(word)

    def of_id(self, text: str) -> ShipClass | str:
        """The class of an id, which must be in the live list and active."""
        found = self._by_id.get(text.strip())
        if found is None:
            return f"{self._gone(text.strip())} {self._offered(self._former(text))}"
        if not found.active:
            return f"The ship class {found.named} is inactive at RetailOps. {self._offered(found.name)}"
        return found

    def problems(self) -> tuple[str, ...]:
        """A sentence for each line of the crosswalk that means no class now, or one that was renamed."""
        said: list[str] = []
        for lines in self._lines_by_word.values():
            found = self._of_lines(lines)
            if isinstance(found, str):
                said.append(found)
                continue
            said += [self._renamed(word, found) for word in lines if self.was_renamed(word)]
        return tuple(said)

    def suggest(self, word: str) -> Suggestion:
        """What is written most like a word. For a person to choose from: nothing is ever taken for it."""
        near = difflib.get_close_matches(plain_word(word), self._lines_by_word, n=1, cutoff=0.6)
        return Suggestion(self._lines_by_word[near[0]][0] if near else "", self.nearest_classes(word))

    def nearest_classes(self, word: str, count: int = _NEAREST) -> tuple[ShipClass, ...]:
        """Active classes, the one written most like a word first."""
        plain, parts = plain_word(word), _parts(word)

        def likeness(found: ShipClass) -> float:
            own = _parts(found.name)
            shared = len(parts & own) / max(len(parts | own), 1)
            return shared + difflib.SequenceMatcher(None, plain, plain_word(found.name)).ratio()

        return tuple(sorted(self.offered, key=likeness, reverse=True)[:count])

    @cached_property
    def offered(self) -> tuple[ShipClass, ...]:
        """The active classes, each id once, by name, then id."""
        return tuple(
            sorted(
                (found for found in self._by_id.values() if found.active),
                key=lambda found: (found.name.casefold(), found.id_text.rjust(20, "0")),
            )
        )

    def written(self, found: ShipClass) -> str:
        """A class as a file names it without a crosswalk: its name, with the id where another shares it."""
        return found.name if len(self._by_name.get(plain_word(found.name), ())) < 2 else found.named

    def target_of(self, found: ShipClass) -> Target:
        """What a line of carriers.yaml gives for a class: its name where that tells it, else its id."""
        alone = len(self._by_name.get(plain_word(found.name), ())) == 1
        return {"class": found.name} if alone else found.id_text

    def named_by(self, text: str) -> ShipClass | str:
        """The class that a person names by id or by name; else why there is none."""
        if text.strip() in self._by_id:
            return self.of_id(text)
        return (
            self._of_own_name(text, "Give the id of the one that is meant.")
            or f"RetailOps has no ship class of the id or name {_shown(text)}. {self._offered(text)}"
        )

    def line_of(self, word: str) -> str | None:
        """The word of the crosswalk's line that is compared equal to `word`; None where there is none."""
        lines = self._lines_by_word.get(plain_word(word))
        return lines[0] if lines else None

    def was_renamed(self, line: str) -> bool:
        """Whether a line names its class by id and that had another name before."""
        target = self.lines[line]
        before = self.names_before.get(target.strip()) if isinstance(target, str) else None
        found = self._by_id.get(target.strip()) if isinstance(target, str) else None
        return before is not None and found is not None and plain_word(before) != plain_word(found.name)

    @cached_property
    def _by_id(self) -> dict[str, ShipClass]:
        return {found.id_text: found for found in self.classes}

    @cached_property
    def _by_name(self) -> dict[str, tuple[ShipClass, ...]]:
        """The active classes by their plain name."""
        return _grouped((plain_word(found.name), found) for found in self.offered)

    @cached_property
    def _inactive(self) -> dict[str, tuple[ShipClass, ...]]:
        return _grouped((plain_word(found.name), found) for found in self._by_id.values() if not found.active)

    @cached_property
    def _lines_by_word(self) -> dict[str, tuple[str, ...]]:
        return _grouped((plain_word(word), word) for word in self.lines)

    def _of_lines(self, lines: Sequence[str]) -> ShipClass | str:
        """The class of the lines for one word, which must mean the same where there are several."""
        found = [self._of_line(word) for word in lines]
        for word, other in zip(lines[1:], found[1:], strict=True):
            if other != found[0]:
                return (
                    f"{self.place} has two lines for one word that differ, {self._line(lines[0])} and "
                    f"{self._line(word)}: words are compared without case, spaces and punctuation. Take one out."
                )
        return found[0]

    def _of_line(self, word: str) -> ShipClass | str:
        target = self.lines[word]
        name = target if isinstance(target, str) else target["class"]
        start = f"{self.place} has the line {self._line(word)}"
        if isinstance(target, str):
            found = self._by_id.get(name.strip())
            if found is None:
                by_name = self._by_name.get(plain_word(name))
                if by_name and not name.strip().isdigit():
                    return (
                        f"{start}, which is the name of a class and no id. Write {{class: {_quoted(name)}}}."
                    )
                return f"{start}, but {_lowered(self._gone(name.strip()))} {self._mend(self._former(name) or word)}"
            if not found.active:
                return f"{start}, but the ship class {found.named} is inactive at RetailOps. {self._mend(found.name)}"
            return found
        own = self._of_own_name(name, "Write the id of the one that is meant in place of the name.")
        if isinstance(own, ShipClass):
            return own
        if own:
            return f"{start}, but {_lowered(own)}"
        if name.strip() in self._by_id:
            return f"{start}, which is an id and no name. Write {name.strip()} alone."
        return f"{start}, but {self._no_name(name)} {self._mend(name)}"

    def _of_own_name(self, text: str, advice: str) -> ShipClass | str:
        """The class of RetailOps' own name, or written `NAME (id 113)`; empty where there is no such name.

        `advice` is what to do where several classes have it.
        """
        found = self._by_name.get(plain_word(text), ())
        if len(found) == 1:
            return found[0]
        if found:
            ids = _listed([one.id_text for one in found], "and")
            return f"RetailOps has {len(found)} active ship classes named {_shown(text)}, with the ids {ids}. {advice}"
        with_id = _WITH_ID.fullmatch(text)
        one = self._by_id.get(with_id["id"]) if with_id else None
        if with_id and one is not None:
            if plain_word(with_id["name"]) != plain_word(one.name):
                return (
                    f"{_shown(text)} names a class by id and name, but the class of id {one.id_text} "
                    f"is {one.name} at RetailOps. Write {one.named}, if that is meant."
                )
            return self.of_id(one.id_text)
        gone = self._inactive.get(plain_word(text))
        if gone:
            return f"The ship class {gone[0].named} is inactive at RetailOps. {self._offered(text)}"
        return ""

    def _unknown(self, word: str) -> str:
        near = self.suggest(word)
        there = f"in no line of {self.place}" if self.lines else f"not in {self.place}, which has no lines"
        said = f"The carrier {_shown(word)} is {there}, and it is no ship class' own name"
        former = self._by_former_name(word)
        if former:
            said += f" any more ({former})"
        if near.line:
            said += f"; the nearest line is {self._line(near.line)}"
        return f"{said}. {self._offered(word)} {self._add_line(word)}"

    def _gone(self, id_text: str) -> str:
        before = self.names_before.get(id_text)
        if before is not None:
            return f"The ship class {before} (id {id_text}) is gone from RetailOps."
        return f"RetailOps has no ship class of the id {_shown(id_text)}."

    def _former(self, id_text: str) -> str:
        return self.names_before.get(id_text.strip(), "")

    def _no_name(self, name: str) -> str:
        former = self._by_former_name(name)
        return f"RetailOps has no ship class named {_shown(name)}{f' any more ({former})' if former else ''}."

    def _by_former_name(self, name: str) -> str:
        """What became of the class that had this name: `id 113 is now FedEx Ground Economy`."""
        plain = plain_word(name)
        told = []
        for id_text, before in self.names_before.items():
            if plain_word(before) == plain:
                now = self._by_id.get(id_text)
                told.append(f"id {id_text} is now {now.name}" if now else f"id {id_text} is gone")
        return ", ".join(told)

    def _renamed(self, word: str, found: ShipClass) -> str:
        before = self.names_before[found.id_text]
        return (
            f"{self.place} has the line {self._line(word)}, and the ship class of id {found.id_text} is now named "
            f"{found.name}; it was {before}. See that it is still the one that is meant."
        )

    def _offered(self, word: str) -> str:
        offered = self.offered
        if not offered:
            return "RetailOps has no active ship class."
        if len(offered) <= _ALL_LISTED:
            return f"There are: {'; '.join(found.named for found in offered)}."
        near = "; ".join(found.named for found in self.nearest_classes(word))
        return f"Nearest of its {len(offered)} classes: {near}."

    def _mend(self, word: str) -> str:
        return f"Correct the line. {self._offered(word)}"

    def _add_line(self, word: str) -> str:
        return f'Add a line to {self.place}: {_quoted(word.strip())}: {{class: "…"}}'

    def _line(self, word: str) -> str:
        return f"`{written_line(word, self.lines[word])}`"


def former_names(
    before: Iterable[ShipClass], now: Iterable[ShipClass], known: Mapping[str, str]
) -> dict[str, str]:
    """The names that ids had which have vanished or were renamed; `known` is what this said of the list before.

    An id that is back under the name which was kept of it is as it was, and is left out.
    """
    names = {found.id_text: found.name for found in now}
    kept = dict(known)
    for found in before:
        if names.get(found.id_text) != found.name:
            kept.setdefault(found.id_text, found.name)
    return {id_text: name for id_text, name in kept.items() if names.get(id_text) != name}


def written_line(word: str, target: Target) -> str:
    """A line of carriers.yaml as FileBridge writes it: `"UPS Ground": {class: "UPS Ground"}`."""
    if isinstance(target, str):
        return (
            f"{_in_quotes(word)}: {target if target.isascii() and target.isalnum() else _in_quotes(target)}"
        )
    return f"{_in_quotes(word)}: {{class: {_in_quotes(target['class'])}}}"


def _grouped(pairs: Iterable[tuple[str, _T]]) -> dict[str, tuple[_T, ...]]:
    groups: dict[str, list[_T]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in groups.items()}


def _parts(text: str) -> frozenset[str]:
    """The words of a name, each as it is compared."""
    return frozenset(part for part in re.split(r"\W+|_", text.casefold()) if part)


def _in_quotes(text: str) -> str:
    """Text in quotes that YAML reads back as it is."""
    return json.dumps(text, ensure_ascii=False)


def _quoted(text: str) -> str:
    """As it is written, a long text cut, for it is only shown."""
    return _in_quotes(text if len(text) <= _LONGEST_WORD else f"{text[:_LONGEST_WORD]}…")


def _shown(text: str) -> str:
    return _quoted(text.strip())


def _lowered(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:] if sentence.startswith("The ") else sentence


def _listed(words: Collection[str], last: str) -> str:
    *most, end = words
    return f"{', '.join(most)} {last} {end}" if most else end
