"""Which ship class a word means: by a line, or by being one class' own name. Everything else is said."""

from __future__ import annotations

import pytest

from filebridge.documents.ship_classes import Carriers, ShipClass, former_names, written_line

PLACE = "mappings/acme/carriers.yaml"
UPS = ShipClass(62, "UPS Ground")
AIR = ShipClass(60, "UPS 2nd Day Air")
AIR_AM = ShipClass(59, "UPS 2nd Day Air A.M.")
FEDEX_7 = ShipClass(7, "FedEx Ground")
FEDEX_113 = ShipClass("113", "FedEx Ground")
TWO_DAY = ShipClass(5, "FedEx 2Day")
LTL = ShipClass(114, "LTL", active=False)
LIVE = (UPS, AIR, AIR_AM, FEDEX_7, FEDEX_113, TWO_DAY, LTL)


def carriers(lines: dict[str, object] | None = None, *classes: ShipClass, before: object = None) -> Carriers:
    return Carriers(classes or LIVE, lines or {}, PLACE, before or {})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("UPS Ground", UPS),
        ("ups-ground", UPS),
        (" UPS  GROUND® ", UPS),
        ("UPS 2nd Day Air", AIR),
        ("UPS 2ND DAY AIR AM", AIR_AM),
        ("FedEx Ground (id 113)", FEDEX_113),
        ("fedex ground (ID 7)", FEDEX_7),
        ("UPS Ground (id 62)", UPS),
        ("GRD", UPS),
        ("g.r.d.", UPS),
        ("FDX", TWO_DAY),
        ("FDX GROUND", FEDEX_7),
        ("Express", FEDEX_113),
    ],
)
def test_a_word_means_the_class_of_its_line_or_of_its_own_name(word: str, meant: ShipClass) -> None:
    lines = {
        "GRD": {"class": "ups ground"},
        "FDX": "5",
        "fdx ground": " 7 ",
        "Express": {"class": "FedEx Ground (id 113)"},
    }
    assert carriers(lines).of_word(word) == meant


def test_a_line_is_taken_before_a_class_own_name() -> None:
    assert carriers({"ups ground": "60"}).of_word("UPS Ground") == AIR


def test_an_unknown_word_is_told_the_nearest_line_the_classes_and_the_line_to_add() -> None:
    assert carriers({"ONTRAC": "62"}, UPS, FEDEX_7).of_word("OnTrac Ground") == (
        'The carrier "OnTrac Ground" is in no line of mappings/acme/carriers.yaml, and it is no ship class\' own '
        'name; the nearest line is `"ONTRAC": 62`. There are: FedEx Ground (id 7); UPS Ground (id 62). '
        'Add a line to mappings/acme/carriers.yaml: "OnTrac Ground": {class: "…"}'
    )
    assert carriers(None, UPS).of_word("DHL") == (
        'The carrier "DHL" is not in mappings/acme/carriers.yaml, which has no lines, and it is no ship class\' own '
        'name. There are: UPS Ground (id 62). Add a line to mappings/acme/carriers.yaml: "DHL": {class: "…"}'
    )


def test_of_many_classes_the_nearest_are_listed_and_how_many_there_are() -> None:
    many = (*LIVE, *(ShipClass(200 + number, f"Freight {number}") for number in range(40)))
    said = carriers(None, *many).of_word("UPS Grnd")
    assert isinstance(said, str)
    assert "Nearest of its 46 classes: UPS Ground (id 62); " in said
    assert said.count("(id ") == 5
    assert "LTL" not in said


def test_a_name_that_two_classes_have_is_said_with_both_ids_and_never_chosen() -> None:
    said = carriers().of_word("FEDEX GROUND")
    assert said == (
        'RetailOps has 2 active ship classes named "FEDEX GROUND", with the ids 7 and 113. Add a line to '
        'mappings/acme/carriers.yaml with the id of the one that is meant: "FEDEX GROUND": ID'
    )
    by_line = carriers({"FDX": {"class": "FedEx Ground"}}).of_word("fdx")
    assert by_line == (
        'mappings/acme/carriers.yaml has the line `"FDX": {class: "FedEx Ground"}`, but RetailOps has 2 active ship '
        'classes named "FedEx Ground", with the ids 7 and 113. Write the id of the one that is meant in place of '
        "the name."
    )


def test_an_inactive_class_makes_no_name_ambiguous_and_is_refused_by_name_and_by_id() -> None:
    gone = ShipClass(113, "FedEx Ground", active=False)
    assert carriers(None, FEDEX_7, gone).of_word("FedEx Ground") == FEDEX_7
    for said in (carriers().of_word("LTL"), carriers().of_id("114"), carriers({"x": "114"}).of_word("X")):
        assert isinstance(said, str)
        assert "LTL (id 114) is inactive at RetailOps" in said
    assert "is inactive" in str(carriers().of_word("LTL (id 114)"))


def test_an_id_must_be_in_the_live_list() -> None:
    assert carriers().of_id(" 113 ") == FEDEX_113
    assert carriers(None, UPS).of_id("6") == (
        'RetailOps has no ship class of the id "6". There are: UPS Ground (id 62).'
    )
    assert carriers(None, UPS, before={"7": "FedEx Ground"}).of_id("7") == (
        "The ship class FedEx Ground (id 7) is gone from RetailOps. There are: UPS Ground (id 62)."
    )


def test_an_id_written_with_another_classes_name_is_refused() -> None:
    said = carriers().of_word("FedEx Ground (id 62)")
    assert isinstance(said, str)
    assert "the class of id 62 is UPS Ground" in said
    assert isinstance(carriers().of_word("UPS Ground (id 999)"), str)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("7", "the ship class FedEx Ground (id 7) is gone from RetailOps. Correct the line."),
        ("8", 'RetailOps has no ship class of the id "8". Correct the line.'),
        ({"class": "FedEx Ground"}, 'no ship class named "FedEx Ground" any more (id 7 is gone). Correct'),
        ({"class": "UPS Grnd"}, 'RetailOps has no ship class named "UPS Grnd". Correct the line.'),
        ({"class": "62"}, "which is an id and no name. Write 62 alone."),
        ("UPS Ground", 'which is the name of a class and no id. Write {class: "UPS Ground"}.'),
    ],
)
def test_a_line_whose_class_is_not_there_is_named_with_what_to_do(target: object, said: str) -> None:
    found = carriers({"GRD": target}, UPS, before={"7": "FedEx Ground"}).of_word("grd")
    assert isinstance(found, str)
    assert found.startswith(f'{PLACE} has the line `"GRD": ')
    assert said in found


def test_two_lines_for_one_word_must_agree() -> None:
    assert carriers({"GRD": "62", "grd.": {"class": "UPS Ground"}}).of_word("Grd") == UPS
    said = carriers({"GRD": "62", "grd.": "60"}).of_word("Grd")
    assert said == (
        'mappings/acme/carriers.yaml has two lines for one word that differ, `"GRD": 62` and `"grd.": 60`: words '
        "are compared without case, spaces and punctuation. Take one out."
    )


def test_problems_are_the_lines_whose_class_vanished_was_renamed_or_is_ambiguous() -> None:
    lines = {
        "GRD": "62",
        "FDX": {"class": "FedEx Ground"},
        "OLD": "8",
        "2DAY": "5",
        "AIR": "60",
        "LTL": {"class": "LTL"},
    }
    found = carriers(
        lines, before={"8": "FedEx Home", "5": "FedEx Two Day", "60": "UPS 2nd day air"}
    ).problems()
    assert [problem.partition("`")[2].partition(":")[0] for problem in found] == [
        '"FDX"',
        '"OLD"',
        '"2DAY"',
        '"LTL"',
    ]
    assert found[2] == (
        'mappings/acme/carriers.yaml has the line `"2DAY": 5`, and the ship class of id 5 is now named FedEx 2Day; '
        "it was FedEx Two Day. See that it is still the one that is meant."
    )
    assert carriers({"GRD": "62"}).problems() == ()


def test_classes_are_written_so_that_they_are_understood_again() -> None:
    here = carriers()
    for one in here.offered:
        assert here.of_word(here.written(one)) == one
        assert carriers({"word": here.target_of(one)}).of_word("word") == one
    assert LTL not in here.offered
    assert (here.written(UPS), here.written(FEDEX_7)) == ("UPS Ground", "FedEx Ground (id 7)")
    assert written_line("GRD", here.target_of(UPS)) == '"GRD": {class: "UPS Ground"}'
    assert written_line("FDX", here.target_of(FEDEX_113)) == '"FDX": 113'


def test_a_person_names_a_class_by_id_or_by_a_name_that_one_class_has() -> None:
    assert carriers().named_by("113") == FEDEX_113
    assert carriers().named_by("ups ground") == UPS
    assert str(carriers().named_by("FedEx Ground")).endswith("Give the id of the one that is meant.")
    assert str(carriers().named_by("DHL")).startswith('RetailOps has no ship class of the id or name "DHL". ')


def test_words_are_suggested_and_never_taken() -> None:
    near = carriers({"UPS GRD": "62"}).suggest("UPS GRND")
    assert near.line == "UPS GRD"
    assert near.classes[0] == UPS
    assert isinstance(carriers({"UPS GRD": "62"}).of_word("UPS GRND"), str)


def test_former_names_are_kept_until_the_class_is_as_it_was() -> None:
    one, other = ShipClass(1, "One"), ShipClass(2, "Two")
    renamed = ShipClass("2", "Deux")
    gone = former_names([one, other], [one], {})
    assert gone == {"2": "Two"}
    assert former_names([one], [one], gone) == gone
    assert former_names([one], [one, renamed], gone) == gone
    assert former_names([one, renamed], [one, other], gone) == {}
    assert former_names([one, other], [renamed], {}) == {"1": "One", "2": "Two"}
