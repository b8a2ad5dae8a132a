"""The YAML of a vendor pack: texts stay texts, and every mistake is named with file, line and cure."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filebridge.errors import ConfigError, Problem
from filebridge.mapping.load import load_layout, load_mapping, load_pack, load_vendor
from filebridge.mapping.yaml_text import read_yaml

VENDOR = 'vendor_id: "27"\n'
INVENTORY = "document: inventory\nfields: {vpc: SKU, quantity: Qty}\n"


def problems_of(text: str, **others: str) -> list[Problem]:
    files = {"vendor.yaml": VENDOR, "inventory.yaml": text}
    files.update(
        {name.replace("_yaml", ".yaml").replace("_csv", ".csv"): text for name, text in others.items()}
    )
    with pytest.raises(ConfigError) as caught:
        load_pack(files, "acme")
    return list(caught.value.problems)


def said(problem: Problem) -> tuple[str, str, str]:
    return problem.place.rpartition("/")[2], problem.message, problem.fix


def test_every_scalar_is_the_text_that_was_written():
    text = "id: 027\nword: NO\ntime: 12:30\nnothing: ~\nnumber: 1.50\nbig: 794600000000000123\noctal: 0o17\n"
    assert read_yaml(text, "x.yaml").tree == {
        "id": "027",
        "word": "NO",
        "time": "12:30",
        "nothing": "~",
        "number": "1.50",
        "big": "794600000000000123",
        "octal": "0o17",
    }


def test_a_vendor_id_keeps_its_leading_zero():
    assert load_vendor("vendor_id: 027\n", "vendor.yaml").vendor_id == "027"


def test_a_crosswalk_keeps_words_that_yaml_would_read_as_something_else():
    mapping = load_mapping(
        "document: inventory\nfields:\n  vpc: SKU\n  quantity: {column: Q, values: {NO: 0, 10+: 010, ~: 1}}\n",
        "m.yaml",
    )
    assert mapping.fields["quantity"].values == {"NO": "0", "10+": "010", "~": "1"}


def test_each_place_knows_its_line():
    yaml = read_yaml("a: [b,\n  {c: d}]\nx:\n  y: 1\n", "m.yaml")
    assert yaml.places == {
        (): "m.yaml:1",
        ("a",): "m.yaml:1",
        ("a", 0): "m.yaml:1",
        ("a", 1): "m.yaml:2",
        ("a", 1, "c"): "m.yaml:2",
        ("x",): "m.yaml:3",
        ("x", "y"): "m.yaml:4",
    }


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "`a` stands here a second time; the first is in line 1"),
        ("a: &name 1\n", 1, "`&name` marks a place to refer to"),
        ("match: [*.csv]\n", 1, "`*.csv` is a reference to another place of the file"),
        ("a: !!int 3\n", 1, "`!!int` is a tag; every value here is read as text"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, "is a tag"),
        ("<<: {a: 1}\n", 1, "`<<` merges another place of the file"),
        ("a: 1\n---\nb: 2\n", 2, "a second document begins here"),
        ("a:\n\tb: 1\n", 2, "a tab stands where spaces are expected"),
        ("a: b: c\n", 1, "a second colon in one line"),
        ("fields:\n  a: 1\n b: 2\n", 3, "indented unlike the others"),
        ("a: [1, 2\nb: 3\n", 2, "a bracket is not closed"),
        ("a: 1\nb: 'x\n", 2, "a quote was opened and never closed"),
        ('a: "\\d+"\n', 1, "a backslash in double quotes begins an escape"),
        ("a: @x\n", 1, "text begins with a character that means something to YAML"),
        ("a: 1\nb: \x07\n", 2, "a control character"),
        ("- a\n- b\n", 1, "the file holds no lines of `key: value`"),
        ("? [a]\n: 1\n", 1, "a list or section stands where a key is expected"),
        ("[" * 100_000, 1, "more than 20 levels deep"),
        ("a: " + "{b: " * 100_000, 1, "more than 20 levels deep"),
    ],
)
def test_a_fault_of_the_yaml_is_told_with_its_line(text: str, line: int, words: str):
    with pytest.raises(ConfigError) as caught:
        read_yaml(text, "mappings/acme/inventory.yaml")
    assert words in str(caught.value)
    assert caught.value.problems[0].place == f"mappings/acme/inventory.yaml:{line}"
    assert caught.value.problems[0].fix


def test_two_duplicate_keys_are_told_at_once():
    with pytest.raises(ConfigError) as caught:
        read_yaml("a: 1\na: {b: 1, c: 2}\nd: {e: 1, e: [1, 2]}\nf: 1\n", "m.yaml")
    assert [problem.place for problem in caught.value.problems] == ["m.yaml:2", "m.yaml:3"]


def test_a_file_above_one_megabyte_is_refused_unread():
    with pytest.raises(ConfigError, match="1,000,000 are the most"):
        read_yaml("a: " + "x" * 1_000_000, "m.yaml")


def test_a_byte_order_mark_and_windows_line_ends_are_no_text():
    assert read_yaml("\ufeffa: 1\r\nb: 2\r\n", "m.yaml").tree == {"a": "1", "b": "2"}


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_a_place(text: str):
    try:
        read_yaml(text, "m.yaml")
    except ConfigError as error:
        assert all(problem.place.startswith("m.yaml") for problem in error.problems)


@given(
    st.dictionaries(
        st.text("abc0123456789.-+:~ eEnNoO", min_size=1), st.text("0123456789.-+:~ eEnNoO"), max_size=5
    )
)
def test_quoted_texts_come_back_as_they_were(written: dict[str, str]):
    lines = "".join(f'"{key}": "{value}"\n' for key, value in written.items())
    assert read_yaml(lines, "m.yaml").tree == written


def test_all_mistakes_of_a_mapping_are_told_at_once_with_the_nearest_word():
    found = problems_of(
        "document: inventory\n"
        "covres: everything\n"
        "missing: zeros\n"
        "fields:\n"
        "  vcp: SKU\n"
        "  quantity: {colunm: Qty, bufer: 2}\n"
        "guard: {max_row_drop: 50}\n"
        "delimiter: ';'\n"
    )
    assert [said(problem) for problem in found] == [
        ("inventory.yaml:2", "`covres` is not known here", "Did you mean `covers`?"),
        (
            "inventory.yaml:3",
            "`missing: zeros` is not known here",
            "Did you mean `zero`? Expected: keep, zero or hold.",
        ),
        (
            "inventory.yaml:4",
            "inventory needs the field `vpc`, which is not mapped",
            "Add it below `fields:`, as in `vpc: THE COLUMN'S HEADER` (vendor product code).",
        ),
        ("inventory.yaml:5", "`vcp` is no field of inventory", "Did you mean `vpc`?"),
        ("inventory.yaml:6", "`colunm` is not known here", "Did you mean `column`?"),
        ("inventory.yaml:6", "`bufer` is not known here", "Did you mean `buffer`?"),
        (
            "inventory.yaml:7",
            "`guard.max_row_drop`: '50' is no percentage; write one from 0% to 100%, such as 50%",
            "",
        ),
        ("inventory.yaml:8", "`delimiter` is not known here", "It belongs under `read:`."),
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("match: ['^stock.*\\.csv$']", "`match: ^stock.*\\.csv$` looks like a regular expression"),
        ("match: ['stock\\new.csv']", "holds a backslash"),
        ("match: ['inbox/acme/*.csv']", "is no path below the vendor's inbox"),
        ("match: ['stock.{csv,xlsx}']", "holds braces"),
        ("match: ['']", "a pattern of `match:` is empty"),
        ("read: {delimiter: '\\t'}", "is no tab"),
        ("read: {delimiter: tab}", "is no tab"),
        ("read: {delimiter: '||'}", "'||' is not one character"),
        ("read: {format: csv, columns: {A: 1-10}}", "`columns` means nothing for `format: csv`"),
        ("read: {columns: {A: 1-10}}", "`columns` gives positions without `format: fixed`"),
        ("read: {format: xlsx, delimiter: ';'}", "`delimiter` means nothing for a workbook"),
        ("read: {format: csv, sheet: A}", "`sheet` means nothing for `format: csv`"),
        ("read: {format: fixed}", "a fixed-width file needs `columns:`"),
        ("read: {header_row: third}", "`read.header_row: third` is not known here"),
        ("read: {encoding: utf-88}", "'utf-88' is no encoding"),
        ("read: {skip_rows: '^(Total'}", "is no pattern"),
        ("read:", "`read:` has nothing after it"),
        ("missing: zero", "`missing: zero` has no effect with `covers: changes`"),
        ("read: {header_row: 0}", "Expected: 1 or more."),
        ("guard: {max_row_drp: 50%}", "Did you mean `max_row_drop`?"),
        ("guard: maybe", "`guard: maybe` is not known here"),
        ("on_reject: reject_all", "Did you mean `reject_file`?"),
        ("restate_every: 20 hours", "'20 hours' is no duration"),
        ("fields2: {a: b}", "Did you mean `fields`?"),
        ("columns: {a: b}", "Write `fields:` with lines"),
    ],
)
def test_a_plausible_mistake_has_a_sentence_of_its_own(line: str, words: str):
    found = problems_of(INVENTORY + line + "\n")
    assert words in "\n".join(str(problem) for problem in found)
    assert [problem.place for problem in found] == ["mappings/acme/inventory.yaml:3"]


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("as_of: {column: D, date: YYYY-MM-DD}", "Did you mean `%Y-%m-%d`?"),
        ("as_of: {column: D, date: '%d.%M.%Y'}", "has minutes without hours"),
        ("as_of: {column: D, date: '%d.%m'}", "gives no whole date"),
        ("as_of: {column: D, date: '%Y-%m-%D'}", "`%D` of the date format `%Y-%m-%D` is not known"),
        ("as_of: {column: D, date: '%d.%m.%Y %H:%m'}", "`%m` stands twice"),
        ("as_of: {file_name: '_(\\d{8})'}", "a date from the file's name without a format"),
        ("as_of: {file_name: '_(\\d{8', date: '%Y%m%d'}", "is no pattern"),
        ("unit_cost: {column: C, buffer: 2}", "`buffer` means nothing for `unit_cost`"),
        ("unit_cost: {column: C, value: 2}", "exactly one of column, value, file_name and join"),
        ("unit_cost: {column: C, with_: x}", "`with_` is not known here"),
        ("unit_cost: {column: C, upper: maybe}", "Expected: true or false."),
        (
            "unit_cost: {column: C, values: {a: [b]}}",
            "the list in `fields.unit_cost.values.a:` does not fit here",
        ),
        ("unit_cost: {column: C, number: {decimal: ''}}", "'' is not one character"),
        ("unit_cost: {column: C, number: {decimal: ',', thousands: ','}}", "cannot be both"),
        (
            "unit_cost: {column: C, default: none}",
            "`default: none` gives `unit_cost` a value that it cannot have",
        ),
        ("active: {column: C, values: {A: live}}", "`A: live` gives `active` a value that it cannot have"),
        ("active: {column: C, values: {A: 1}, else: dead}", "`else: dead` gives `active` a value"),
        ("active: {value: live}", "`value: live` gives `active` a value"),
        ("unit_cost:", "`fields.unit_cost:` has nothing after it"),
    ],
)
def test_a_plausible_mistake_of_a_field_has_a_sentence_of_its_own(field: str, words: str):
    found = problems_of(f"document: inventory\nfields:\n  vpc: SKU\n  quantity: Qty\n  {field}\n")
    assert words in "\n".join(str(problem) for problem in found)
    assert [problem.place for problem in found] == ["mappings/acme/inventory.yaml:5"]


@pytest.mark.parametrize(
    ("write", "words"),
    [
        ("{name: 'PO_{vendr}_{sequence}.csv'}", "Did you mean `{vendor}`?"),
        ("{name: 'PO_{sequence}/{vendor}.csv'}", "holds a folder"),
        ("{name: 'PO_{now:%Y/%m/%d}_{sequence}.csv'}", "holds a folder"),
        ("{name: 'PO_{now:YYYY}_{sequence}.csv'}", "Did you mean `%Y`?"),
        ("{name: 'PO_{sequence:x}.csv'}", "the name's `{sequence}` has an unknown format"),
        ("{name: 'PO_{vendor.__class__}_{sequence}.csv'}", "is not known"),
        ("{name: 'PO_{vendor_{sequence}.csv'}", "cannot be read"),
        ("{name: 'PO.csv'}", "two PO files would have the name `PO.csv`"),
        ("{name: 'PO_{now:%Y%m%d%H%M%S}.csv', one_file_per: po}", "Add {sequence:06d} or {po}."),
        ("{name: 'PO_{po}_{sequence}.csv'}", "Add `one_file_per: po`"),
        ("{name: '.{sequence}.csv'}", "begins or ends as file names should not"),
        ("{format: xslx}", "Did you mean `xlsx`?"),
        ("{encoding: ansi-1}", "'ansi-1' is no encoding"),
    ],
)
def test_a_mistake_in_the_form_of_po_files_is_told(write: str, words: str):
    with pytest.raises(ConfigError) as caught:
        load_layout(f"document: purchase-orders\nwrite: {write}\ncolumns: {{PO: po}}\n", "po.yaml")
    assert words in str(caught.value)
    assert {problem.place for problem in caught.value.problems} == {"po.yaml:2"}


def test_fields_in_a_purchase_orders_file_are_told_to_be_columns():
    with pytest.raises(ConfigError, match="Write `columns:` with lines `THEIR HEADER: field of the PO`"):
        load_layout("document: purchase-orders\nfields: {po: PO}\n", "po.yaml")


@pytest.mark.parametrize(
    "name",
    ["PO_{po}.csv", "PO_{sequence:06d}_{po}.csv", "{vendor}-{now:%y%j}-{sequence:03d}.txt", "{po}.csv"],
)
def test_a_name_that_no_two_files_share_is_taken(name: str):
    text = f"document: purchase-orders\nwrite: {{one_file_per: po, name: '{name}'}}\ncolumns: {{PO: po}}\n"
    assert load_layout(text, "po.yaml").write.name_template == name


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("vendor_id:", "`vendor_id:` has nothing after it"),
        ('vendor_id: " "', "`vendor_id`: it is empty"),
        ("time_zone: UTC", "`vendor_id` is missing"),
        ("{vendor_id: 1, time_zone: Denver}", "'Denver' is no time zone; write one such as America/Denver"),
        ("{vendor_id: 1, orders: {every: 1h, cron: '0 2 * * *'}}", "`orders:` has both `every` and `cron`"),
        ("{vendor_id: 1, orders: {cron: '0 25 * * *'}}", "is no schedule"),
        ("{vendor_id: 1, expect: [{document: inventory, by: '6:00'}]}", "'6:00' is no time of day"),
        (
            "{vendor_id: 1, expect: [{document: inventory, by: '06:00', days: monday}]}",
            "'monday' are no days",
        ),
        ("{vendor_id: 1, expect: {document: inventory}}", "Expected: a list of sections."),
    ],
)
def test_a_mistake_in_a_vendor_file_is_told(line: str, words: str):
    with pytest.raises(ConfigError) as caught:
        load_vendor(line, "vendor.yaml")
    assert words in str(caught.value)
    assert {problem.place for problem in caught.value.problems} == {"vendor.yaml:1"}


@pytest.mark.parametrize(
    ("document", "fields", "words"),
    [
        ("shipments", "po: A, vpc: B, quantity: C, tracking_number: D", "needs carrier or ship_class_id"),
        ("shipments", "po: A, quantity: C, tracking_number: D, carrier: E", "needs vpc or po_item_id"),
        ("shipments", "po: A, vpc: B, quantity: C, carrier: E", "needs the field `tracking_number`"),
        ("ship-dates", "po: A", "needs the field `estimated_ship_date`"),
        ("acknowledgements", "vpc: A", "needs the field `po`"),
        ("submissions", "po: A, tracking_number: B", "`tracking_number` is no field of submissions"),
    ],
)
def test_each_document_says_which_fields_it_needs(document: str, fields: str, words: str):
    with pytest.raises(ConfigError, match=words):
        load_mapping(f"document: {document}\nfields: {{{fields}}}\n", "m.yaml")


def test_a_shipment_file_that_names_only_pos_needs_no_items():
    mapping = load_mapping(
        "document: shipments\nfields: {po: A, tracking_number: D, ship_class_id: {value: 62}}\n", "m.yaml"
    )
    assert mapping.fields["ship_class_id"].value == "62"


def test_a_pack_is_loaded_from_the_texts_of_its_folder():
    pack = load_pack(
        {
            "vendor.yaml": "vendor_id: 027\ntime_zone: America/Denver\norders: {every: 15m, status: [open, ready]}\n",
            "inventory.yaml": INVENTORY + "guard: off\nrestate_every: 6h\n",
            "east.yaml": INVENTORY + "match: 'east/*.csv'\n",
            "purchase-orders.yaml": "document: purchase-orders\ncolumns:\n  PO Number: po\n  Qty: {field: quantity}\n",
            "carriers.yaml": 'UPS Ground: {class: "UPS Ground"}\n"FEDEX 2DAY": 5\n',
        },
        "acme",
    )
    assert pack.settings.vendor_id == "027"
    assert pack.settings.orders.every == 900
    assert pack.settings.orders.status == ("open", "ready")
    assert [(found.feed, found.path) for found in pack.mappings] == [
        ("east", "mappings/acme/east.yaml"),
        ("inventory", "mappings/acme/inventory.yaml"),
    ]
    inventory = pack.of_feed("inventory")
    assert inventory is not None
    assert inventory.mapping.guard == "off"
    assert inventory.mapping.restate_every == 21600
    assert inventory.mapping.fields["vpc"].column == ("SKU",)
    assert pack.orders is not None
    assert pack.orders_path == "mappings/acme/purchase-orders.yaml"
    assert pack.orders_columns == {
        "PO Number": "mappings/acme/purchase-orders.yaml:3",
        "Qty": "mappings/acme/purchase-orders.yaml:4",
    }
    assert pack.carriers == {"UPS Ground": {"class": "UPS Ground"}, "FEDEX 2DAY": "5"}


def test_the_faults_of_all_files_of_a_pack_are_told_at_once():
    with pytest.raises(ConfigError) as caught:
        load_pack(
            {
                "vendor.yaml": "vendor_ids: 27\n",
                "inventory.yaml": "document: inventroy\n",
                "east.yaml": "docment: inventory\n",
                "words.yaml": "IS: 100\n",
                "purchase-orders.yaml": "document: purchase-orders\ncolumns: {}\n",
                "carriers.yaml": "UPS: [1]\n",
                "broken.yaml": "a: 'x\n",
            },
            "acme",
        )
    assert {(problem.place, problem.message) for problem in caught.value.problems} == {
        ("mappings/acme/vendor.yaml:1", "`vendor_ids` is not known here"),
        ("mappings/acme/vendor.yaml:1", "`vendor_id` is missing"),
        ("mappings/acme/inventory.yaml:1", "`document: inventroy` is not known here"),
        ("mappings/acme/purchase-orders.yaml:2", "the section below `columns:` is not as expected"),
        ("mappings/acme/carriers.yaml:1", "`UPS` names no ship class"),
        ("mappings/acme/broken.yaml:1", "a quote was opened and never closed"),
    }


def test_a_file_without_a_document_is_told_what_it_may_be():
    (problem,) = problems_of(INVENTORY, east_yaml="docment: inventory\n")
    assert said(problem) == ("east.yaml:1", "`docment` is not known here", "Did you mean `document`?")
    (problem,) = problems_of(INVENTORY, words_yaml="IS: 100\n")
    assert problem.message == "the file has no `document:`"


def test_a_pack_needs_a_vendor_file():
    with pytest.raises(ConfigError, match=r"mappings/acme/vendor\.yaml: the file is missing"):
        load_pack({"inventory.yaml": INVENTORY}, "acme")


def test_two_files_of_one_feed_and_two_layouts_are_told():
    layout = "document: purchase-orders\ncolumns: {PO: po}\n"
    found = problems_of(
        INVENTORY + "match: a*\n", inventory_yml=INVENTORY, po_yaml=layout, orders_yaml=layout
    )
    assert [problem.place for problem in found] == ["mappings/acme/po.yaml"]
    with pytest.raises(ConfigError, match="the feed `inventory` has two mappings"):
        load_pack(
            {"vendor.yaml": VENDOR, "inventory.yaml": INVENTORY, "inventory.yml": INVENTORY + "match: b*\n"},
            "acme",
        )


def test_two_mappings_of_one_document_cannot_both_do_without_match():
    (problem,) = problems_of(INVENTORY, east_yaml=INVENTORY)
    assert "says which files it takes" in problem.message


def test_a_crosswalk_file_beside_the_mapping_is_read_in():
    text = "document: inventory\nfields:\n  vpc: SKU\n  quantity: {column: Q, values: FILE}\n"
    for name, content in {
        "words.yaml": "IS: 100\nNO: 0\n",
        "words.csv": 'IS,100\n"NO",0\n\n',
        "words2.csv": "\ufeffIS;100\r\nNO;0\r\n",
    }.items():
        pack = load_pack(
            {"vendor.yaml": VENDOR, "inventory.yaml": text.replace("FILE", name), name: content}, "acme"
        )
        assert pack.mappings[0].mapping.fields["quantity"].values == {"IS": "100", "NO": "0"}


def test_a_missing_crosswalk_names_the_nearest_file():
    text = "document: inventory\nfields:\n  vpc: SKU\n  quantity: {column: Q, values: word.yaml}\n"
    (problem,) = problems_of(text, words_yaml="IS: 100\n")
    assert said(problem) == (
        "inventory.yaml:4",
        "there is no crosswalk file `word.yaml` beside this mapping",
        "Did you mean `words.yaml`?",
    )


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        ("IS,100\nNO,0,1\n", "words.csv:2", "3 columns stand here"),
        ("IS,100\nIS,99\n", "words.csv:2", "`IS` stands here a second time with another value"),
        ('IS,"100\n', "words.csv:1", "the CSV cannot be read"),
    ],
)
def test_a_fault_of_a_crosswalk_table_is_told_with_its_line(content: str, place: str, words: str):
    text = "document: inventory\nfields:\n  vpc: SKU\n  quantity: {column: Q, values: words.csv}\n"
    (problem,) = problems_of(text, words_csv=content)
    assert problem.place == f"mappings/acme/{place}"
    assert words in problem.message


def test_the_sha_of_a_mapping_changes_with_all_that_shapes_it():
    text = "document: inventory\nfields:\n  vpc: SKU\n  quantity: {column: Q, values: words.yaml}\n"

    def sha(mapping: str, words: str, defaults: str | None = None) -> str:
        files = {"vendor.yaml": VENDOR, "inventory.yaml": mapping, "words.yaml": words}
        return load_pack(files, "acme", defaults=defaults).mappings[0].sha256

    base = sha(text, "IS: 1\n")
    assert base == sha(text, "IS: 1\n", "vendor: {time_zone: UTC}\n")
    assert (
        len(
            {
                base,
                sha(text + "#\n", "IS: 1\n"),
                sha(text, "IS: 2\n"),
                sha(text, "IS: 1\n", "inventory: {send: all}"),
            }
        )
        == 4
    )


DEFAULTS = """
vendor: {time_zone: Europe/Berlin}
inventory:
  covers: everything
  read: {delimiter: ";", encoding: cp1252}
  fields: {vpc: Artikel, quantity: Menge, unit_cost: EK}
purchase-orders:
  write: {delimiter: ";", encoding: cp1252}
"""


def test_what_all_vendors_share_stands_where_the_vendor_says_nothing():
    pack = load_pack(
        {
            "vendor.yaml": VENDOR,
            "inventory.yaml": "document: inventory\nread: {encoding: utf-8}\nfields: {vpc: SKU, quantity: Qty}\n",
            "po.yaml": "document: purchase-orders\nwrite: {delimiter: ','}\ncolumns: {PO: po}\n",
        },
        "acme",
        defaults=DEFAULTS,
    )
    assert pack.settings.time_zone == "Europe/Berlin"
    mapping = pack.mappings[0].mapping
    assert mapping.covers == "everything"
    assert (mapping.read.delimiter, mapping.read.encoding) == (";", "utf-8")
    assert sorted(mapping.fields) == ["quantity", "vpc"]
    assert pack.orders is not None
    assert (pack.orders.write.delimiter, pack.orders.write.encoding) == (",", "cp1252")


def test_a_fault_of_the_shared_file_is_told_at_its_place():
    defaults = "vendor: {time_zone: Berlin}\ninventry: {}\ninventory:\n  covers: all\n  document: inventory\n"
    with pytest.raises(ConfigError) as caught:
        load_pack({"vendor.yaml": VENDOR, "inventory.yaml": INVENTORY}, "acme", defaults=defaults)
    assert {problem.place for problem in caught.value.problems} == {
        "mappings/_defaults.yaml:1",
        "mappings/_defaults.yaml:2",
        "mappings/_defaults.yaml:4",
        "mappings/_defaults.yaml:5",
    }


def test_shared_defaults_make_no_mapping_by_themselves():
    assert load_pack({"vendor.yaml": VENDOR}, "acme", defaults=DEFAULTS).mappings == ()


def test_a_pack_loads_in_a_fraction_of_a_second():
    folder = Path(__file__).parents[2] / "mappings" / "acme"
    files = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.yaml")}
    files["west.yaml"] = files["inventory.yaml"]
    load_pack(files, "acme")
    start = time.perf_counter()
    load_pack(files, "acme")
    assert time.perf_counter() - start < 0.2


def test_an_unknown_carrier_is_never_given_a_class() -> None:
    text = (
        "document: shipments\nmatch: [s.csv]\nfields:\n  po: PO\n  tracking_number: T\n"
        '  carrier: {column: C, values: {a: "UPS Ground"}, else: "UPS Ground"}\n'
    )
    with pytest.raises(ConfigError) as refused:
        load_mapping(text, "mappings/acme/shipments.yaml")
    assert "mappings/acme/shipments.yaml:6: `else` gives every unknown carrier" in str(refused.value)
