"""A line is written into carriers.yaml, and nothing else of the file changes."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebridge.documents.ship_classes import plain_word
from filebridge.errors import ConfigError, UserError
from filebridge.mapping.carriers_yaml import load_lines, with_line

PLACE = "mappings/acme/carriers.yaml"
WRITTEN = """\
# Acme's carriers

UPS Ground: {class: "UPS Ground"}           # by RetailOps' own name
"FEDEX 2DAY":   5                             # by id
027: 5
NO: 0x1F
2026-01-01: {class: 'It''s'}   # odd
key:
    class: "FedEx, Ground"   # block

# the end
"""


def changes(before: str, after: str) -> list[str]:
    found = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in found if line[:2] not in {"--", "++", "@@"}]


def test_a_new_line_follows_the_last_one_and_the_rest_stays_as_it_was() -> None:
    after = with_line(WRITTEN, PLACE, 'OnTrac "Ground": #1', {"class": "UPS Ground"})
    assert changes(WRITTEN, after) == ['+"OnTrac \\"Ground\\": #1": {class: "UPS Ground"}']
    assert load_lines(after, PLACE)['OnTrac "Ground": #1'] == {"class": "UPS Ground"}
    assert after.endswith("\n\n# the end\n")


def test_a_line_that_is_there_is_changed_only_when_asked() -> None:
    with pytest.raises(UserError, match='has a line for this word already: "FEDEX 2DAY": 5') as refused:
        with_line(WRITTEN, PLACE, "fedex-2day", "62")
    assert "--replace" in refused.value.fix
    assert changes(WRITTEN, with_line(WRITTEN, PLACE, "fedex-2day", "62", replace=True)) == [
        '-"FEDEX 2DAY":   5                             # by id',
        '+"FEDEX 2DAY":   62                             # by id',
    ]
    assert changes(WRITTEN, with_line(WRITTEN, PLACE, "Key", "62", replace=True)) == [
        '-    class: "FedEx, Ground"   # block',
        "+    62   # block",
    ]
    twice = with_line("UPS: 5\nups.: {class: x}\nb: 7\n", PLACE, "Ups", "9", replace=True)
    assert twice == "UPS: 9\nups.: 9\nb: 7\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# only\n", '# only\n"x y": 7\n'),
        ("# only", '# only\n"x y": 7\n'),
        ("{a: 5}\n", '{a: 5, "x y": 7}\n'),
        ("{}\n", '{"x y": 7}\n'),
        ("# why\n{a: {class: b}} # so\n", '# why\n{a: {class: b}, "x y": 7} # so\n'),
        ("a: 5", 'a: 5\n"x y": 7\n'),
        ("\ufeffa: 5\r\nb: 6\r\n", '\ufeffa: 5\r\nb: 6\r\n"x y": 7\r\n'),
        ("---\na: 5\n...\n", '---\na: 5\n"x y": 7\n...\n'),
        ("  a: 5\n  b: 6 # c\n", '  a: 5\n  b: 6 # c\n  "x y": 7\n'),
    ],
)
def test_whatever_the_file_looks_like(before: str, after: str) -> None:
    assert with_line(before, PLACE, "x y", "7") == after


def test_a_file_that_is_not_there_begins_with_what_it_is_for() -> None:
    made = with_line("", PLACE, "x y", {"class": "UPS Ground"})
    assert made.startswith("# The vendor's words")
    assert made.endswith('\n"x y": {class: "UPS Ground"}\n')


def test_a_file_that_cannot_be_loaded_is_not_changed() -> None:
    for broken in ("a: 5\na: 6\n", "a: [5]\n", "a: 5\n---\nb: 6\n", "a: {class: 5\n"):
        with pytest.raises(ConfigError):
            with_line(broken, PLACE, "x", "7")


def test_what_would_not_read_back_as_it_was_meant_is_refused() -> None:
    with pytest.raises(UserError, match="so nothing was changed"):
        with_line("a: 5\n", PLACE, "\ud800", "7")


words = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=120)


@given(lines=st.dictionaries(words, words, max_size=4), word=words, target=words)
def test_lines_read_back_as_they_were_written(lines: dict[str, str], word: str, target: str) -> None:
    text = ""
    for one, class_name in {**lines, word: target}.items():
        text = with_line(text, PLACE, one, {"class": class_name}, replace=True)
    found = {plain_word(one): target for one, target in load_lines(text, PLACE).items()}
    assert found[plain_word(word)] == {"class": target}
    assert len(found) == len({plain_word(one) for one in (*lines, word)})
