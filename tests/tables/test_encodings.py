"""Encodings: detected where the bytes say, strict where they are used, unsure where they do not tell."""

from __future__ import annotations

import codecs

import pytest

GERMAN = "Artikel;Bezeichnung;Menge\r\n0815;Bürste, groß;1.204\r\n0816;Wäschekorb;7\r\n"


@pytest.mark.parametrize(
    ("content", "name", "bom"),
    [
        (GERMAN.encode(), "utf-8", False),
        (codecs.BOM_UTF8 + GERMAN.encode(), "utf-8", True),
        (GERMAN.encode("cp1252"), "cp1252", False),
        (codecs.BOM_UTF16_LE + GERMAN.encode("utf-16-le"), "utf-16-le", True),
        (codecs.BOM_UTF16_BE + GERMAN.encode("utf-16-be"), "utf-16-be", True),
        (GERMAN.encode("utf-16-le"), "utf-16-le", False),
    ],
)
def test_an_encoding_is_detected_and_a_byte_order_mark_is_no_text(read, content, name, bom):
    found = read(content)
    assert (found.how.encoding, found.how.bom) == (name, bom)
    assert found.headers == ["Artikel", "Bezeichnung", "Menge"]
    assert found.rows == {2: ["0815", "Bürste, groß", "1.204"], 3: ["0816", "Wäschekorb", "7"]}


def test_an_encoding_that_is_not_utf_8_is_noted(read):
    assert read(GERMAN.encode("cp1252")).notes == ["encoding"]
    assert read(GERMAN.encode()).notes == []


def test_letters_far_below_the_head_decide_as_well(read):
    rows = "".join(f"{number},plain\n" for number in range(40_000))
    found = read(("sku,name\n" + rows + "X,Bürste\nY,Käse\n").encode("cp1252"))
    assert found.how.encoding == "cp1252"
    assert found.rows[40_002] == ["X", "Bürste"]


def test_bytes_that_fit_several_encodings_are_unsure_and_the_note_says_where(read):
    assert read("sku;name\n1;plain\n2;łżą ś\n".encode("cp1250")).how.confidence < 0.8
    odd = read(b"sku;name\n1;plain\n2;a \xb3 b \xbf\n")
    assert odd.how.confidence < 0.8
    assert "wrong_encoding" in odd.notes
    assert "row 3, column name" in odd.messages[odd.notes.index("wrong_encoding")]


def test_two_encodings_in_one_file_are_refused(read):
    refusal = read.refused("a;b\nK\u00fcche;1\nL\u00f6ffel;2\n".encode() + "K\u00e4se;3\n".encode("cp1252"))
    assert refusal.code == "wrong_encoding"


def test_a_declared_encoding_is_used_strictly_and_the_row_is_said(read):
    refusal = read.refused(b"sku,name\n1,ok\n2,K\xe4se\n", encoding="utf-8")
    assert (refusal.code, refusal.place) == ("wrong_encoding", "row 3")
    assert "0xE4" in refusal.message


def test_a_declared_encoding_that_the_byte_order_mark_belies_is_refused(read):
    refusal = read.refused(codecs.BOM_UTF8 + b"sku,qty\n1,2\n", encoding="cp1252")
    assert refusal.code == "wrong_encoding"
    assert "utf-8" in refusal.message


def test_a_byte_order_mark_in_the_middle_is_said(read):
    found = read(codecs.BOM_UTF8 + b"sku,qty\n1,2\n" + codecs.BOM_UTF8 + b"3,4\n")
    assert found.notes == ["byte_order_mark"]
    assert "row 3" in found.messages[0]


def test_a_zero_byte_is_refused_with_its_row(read):
    refusal = read.refused(b"sku,qty\n1,2\n3\0,4\n")
    assert (refusal.code, refusal.place) == ("unreadable_file", "row 3")
