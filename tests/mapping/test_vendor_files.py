"""Whole files as vendors send them, read by the real readers and mapped."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from filebridge.mapping.model import Read
from filebridge.tables.open import open_table
from filebridge.tables.table import Table

Map = Callable[..., Any]

STOCK_LIST = """Lagerliste Brenner Haushaltswaren GmbH, Köln;;;
Stand 20.11.2026;;;
Artikelnummer;Bezeichnung;Lagerbestand;EK netto
00417;Kaffeemühle «Größe M»;1.204,00;18,90
00418;Gießkanne, 5 Liter;12,00;7,49
4711-B;Überwurf 140×200;ausverkauft;24,95
NA;Nähset klein;35,00;3,20
88-100;Schlüsselbrett;7,50;11,00
88-101;Türstopper;siehe Katalog;4,10
88-102;Fußmatte;;9,90
88-103;Kommode Eiche;6,00;1.129,00
Summe;;1.265,50;
"""

CATALOGUE = """available,category,itemnumber
14,Camping,00012
0,Camping,NA
7,"Spotting scope, 20-60x80",1E5

5,"Skillet 12""
cast iron",004-88
-2,Kitchen,CF-2210
12,Kitchen,
9,Kitchen,Tray, bamboo
40,Kitchen,CF-3000
40,Kitchen,CF-3000
12,Kitchen,CF-3001
15,Kitchen,CF-3001
"""

FIXED_WIDTH = """INVENTORY AS OF 11/20/26
000417      BIRD BATH, GRANITE      0000012 A
QB-77       SUNDIAL 'HORA'          000003- A
QB-78       SUNDIAL BRASS           ******* A
QB-79       PLANTER, ROUND          0000008 X
QB-80       PLANTER, OLD STYLE      0000002 D
            MISC                    0000001 A
TOTAL ITEMS 6
"""


def opened(text: str, *, codec: str = "utf-8", **read: Any) -> Table:
    return open_table(io.BytesIO(text.encode(codec)), name="stock.csv", options=Read(**read).options())


def test_a_german_stock_list(mapped: Map) -> None:
    read = {"encoding": "cp1252", "delimiter": ";", "header_row": 3, "skip_rows": "^Summe"}
    german = {"decimal": ",", "thousands": "."}
    found = mapped(
        [],
        table=opened(STOCK_LIST, codec="cp1252", **read),
        fields={
            "vpc": "Artikelnummer",
            "quantity": {
                "column": "Lagerbestand",
                "values": {"ausverkauft": "0"},
                "number": german,
                "buffer": 2,
            },
            "unit_cost": {"column": "EK netto", "number": german},
        },
    )
    assert found.records == [
        {"vpc": "00417", "quantity": 1202, "unit_cost": "18.9"},
        {"vpc": "00418", "quantity": 10, "unit_cost": "7.49"},
        {"vpc": "4711-B", "quantity": 0, "unit_cost": "24.95"},
        {"vpc": "NA", "quantity": 33, "unit_cost": "3.2"},
        {"vpc": "88-103", "quantity": 4, "unit_cost": "1129"},
    ]
    assert found.codes == {8: ["bad_number"], 9: ["bad_number"], 10: ["required"]}


def test_the_same_list_without_a_declared_format_is_judged_by_its_columns(mapped: Map) -> None:
    found = mapped(
        [],
        table=opened(STOCK_LIST, delimiter=";", header_row=3, skip_rows="^Summe"),
        fields={
            "vpc": "Artikelnummer",
            "quantity": {"column": "Lagerbestand", "values": {"ausverkauft": "0"}},
            "unit_cost": "EK netto",
        },
    )
    assert found.quantities == {"00417": 1204, "00418": 12, "4711-B": 0, "NA": 35, "88-103": 6}


def test_a_catalogue_with_every_kind_of_bad_row(mapped: Map) -> None:
    found = mapped([], table=opened(CATALOGUE), fields={"vpc": "itemnumber", "quantity": "available"})
    assert found.quantities == {"00012": 14, "NA": 0, "1E5": 7, "004-88": 5, "CF-3000": 40}
    assert found.codes == {
        7: ["out_of_range"],
        8: ["required"],
        9: ["ragged_row"],
        12: ["conflicting_rows"],
        13: ["conflicting_rows"],
    }
    assert found.outcomes[10] == found.outcomes[11]
    assert found.file.rows == 11
    assert found.file.keys_unread == 2


def test_a_fixed_width_file(mapped: Map) -> None:
    read = {
        "format": "fixed",
        "columns": {"Item": "1-12", "Description": "13-36", "OnHand": "37-43", "Status": "45-45"},
        "skip_rows": "^(INVENTORY|TOTAL)",
    }
    found = mapped(
        [],
        table=opened(FIXED_WIDTH, **read),
        fields={
            "vpc": "Item",
            "quantity": "OnHand",
            "active": {"column": "Status", "values": {"A": "1", "D": "0"}, "else": "reject"},
        },
    )
    assert found.records == [
        {"vpc": "000417", "quantity": 12, "active": "1"},
        {"vpc": "QB-80", "quantity": 2, "active": "0"},
    ]
    assert found.codes == {
        3: ["out_of_range"],
        4: ["bad_number"],
        5: ["not_in_crosswalk"],
        7: ["required"],
    }


def test_a_file_without_a_header_is_mapped_by_letters(mapped: Map) -> None:
    found = mapped(
        [], table=opened("00871,14\nGN-100,0\n,7\n", header_row="none"), fields={"vpc": "A", "quantity": "B"}
    )
    assert found.quantities == {"00871": 14, "GN-100": 0}
    assert found.codes == {3: ["required"]}
    assert found.rejects[0]["column"] == "A"
