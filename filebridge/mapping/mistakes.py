"""Plausible mistakes of a mapping: what the types allow and nobody means, each with a sentence of its own.

These look at the YAML as written, so that they speak even where another line is of the wrong shape.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from typing import Final

from filebridge.documents.fields import DOCUMENT_FIELDS, FieldKind, FieldSpec
from filebridge.errors import Problem
from filebridge.mapping.explain import did_you_mean, either
from filebridge.mapping.instants import date_format
from filebridge.mapping.judge import UNDECIDED
from filebridge.mapping.names import fill_name
from filebridge.mapping.values import PLAIN, CellFault, Read, read_flag, read_money, read_quantity
from filebridge.mapping.yaml_text import Node, Path, YamlText

_ONE_OF: Final = {"shipments": (("carrier", "ship_class_id"), ("vpc", "po_item_id"))}

_DIRECTIVES: Final = "aAbBdfHIjmMpSyYzZ%"
_TEXT_KEYS: Final = ("delimiter", "quote", "escape", "comment")
_ONLY_FOR: Final = {
    "buffer": (FieldKind.QUANTITY,),
    "min": (FieldKind.QUANTITY,),
    "max": (FieldKind.QUANTITY,),
    "number": (FieldKind.QUANTITY, FieldKind.MONEY),
    "date": (FieldKind.INSTANT,),
    "time_zone": (FieldKind.INSTANT,),
}
_PLACEHOLDERS: Final = ("vendor", "now", "sequence", "po")


def vendor_mistakes(yaml: YamlText) -> list[Problem]:
    """Mistakes of a vendor.yaml."""
    orders = yaml.tree.get("orders")
    if not isinstance(orders, dict):
        return []
    problems = []
    if "every" in orders and "cron" in orders:
        message = "`orders:` has both `every` and `cron`"
        problems.append(Problem(yaml.place_of(("orders", "cron")), message, "Take one of them out."))
    return problems + _cron_mistakes(orders.get("cron"), yaml.place_of(("orders", "cron")))


def _cron_mistakes(cron: Node, place: str) -> list[Problem]:
    if not isinstance(cron, str) or not cron:
        return []
    from cronsim import CronSim, CronSimError

    try:
        CronSim(cron, datetime(2000, 1, 1))
    except CronSimError as error:
        fix = 'Write minute, hour, day, month and weekday, such as "0 2 * * *" for two at night.'
        return [Problem(place, f"`cron: {cron}` is no schedule: {error}", fix)]
    return []


def mapping_mistakes(yaml: YamlText, own: YamlText) -> list[Problem]:
    """Mistakes of a mapping of files that come in. `own` is the vendor's file without the shared defaults."""
    problems = [*_match_mistakes(yaml), *_read_mistakes(yaml), *_coverage_mistakes(yaml, own)]
    fields = yaml.tree.get("fields", {})
    specs = DOCUMENT_FIELDS.get(str(yaml.tree.get("document")))
    if specs is not None and isinstance(fields, dict):
        problems += _field_names(fields, specs, yaml)
        kinds = {spec.name: spec.kind for spec in specs}
        for name, steps in fields.items():
            if isinstance(steps, dict) and name in kinds:
                problems += _step_mistakes(name, steps, kinds[name], yaml)
    return problems


def _field_names(fields: dict[str, Node], specs: tuple[FieldSpec, ...], yaml: YamlText) -> Iterator[Problem]:
    document = str(yaml.tree["document"])
    known = [spec.name for spec in specs]
    for name in fields:
        if name not in known:
            message = f"`{name}` is no field of {document}"
            yield Problem(yaml.place_of(("fields", name)), message, did_you_mean(name, known))
    here = yaml.place_of(("fields",) if "fields" in yaml.tree else ("document",))
    # A field that has no value yet is complained of where it stands.
    mapped = set(fields)
    for spec in specs:
        if spec.required and spec.name not in mapped:
            fix = f"Add it below `fields:`, as in `{spec.name}: THE COLUMN'S HEADER` ({spec.says})."
            yield Problem(here, f"{document} needs the field `{spec.name}`, which is not mapped", fix)
    for names in missing_choices(document, mapped) if mapped else ():
        message = f"{document} needs {either(names)}, and neither is mapped"
        yield Problem(here, message, f"Add one below `fields:`, as in `{names[0]}: THE COLUMN'S HEADER`.")


def missing_choices(document: str, mapped: Collection[str]) -> list[tuple[str, ...]]:
    """The sets of fields of which a document needs one, and of which none is in `mapped`."""
    return [
        names
        for names in _ONE_OF.get(document, ())
        # Without item and quantity, a row means every item of its PO.
        if not set(names) & set(mapped) and not ("vpc" in names and "quantity" not in mapped)
    ]


def _step_mistakes(name: str, steps: dict[str, Node], kind: FieldKind, yaml: YamlText) -> Iterator[Problem]:
    for step, kinds in _ONLY_FOR.items():
        if step in steps and kind not in kinds:
            fields = either(
                [spec.name for spec in DOCUMENT_FIELDS[yaml.tree["document"]] if spec.kind in kinds]
            )
            fix = f"It is for {fields}: take it out." if fields else "Take it out."
            yield Problem(yaml.place_of(("fields", name, step)), f"`{step}` means nothing for `{name}`", fix)
    if name == "carrier" and steps.get("else", "keep") not in ("keep", "reject"):
        fix = "Take `else:` out: a word without a line in carriers.yaml is rejected, with the line to add."
        message = "`else` gives every unknown carrier the same ship class"
        yield Problem(yaml.place_of(("fields", name, "else")), message, fix)
    if kind is FieldKind.INSTANT:
        place = yaml.place_of(("fields", name, "date"))
        for form in _texts(steps.get("date")):
            yield from date_format_mistakes(form, place, needs_a_day=True)
        if "file_name" in steps and "date" not in steps:
            fix = 'Add its format, as in `date: "%Y%m%d"`.'
            yield Problem(
                yaml.place_of(("fields", name)),
                f"`{name}` is a date from the file's name without a format",
                fix,
            )
    yield from _unreadable_constants(name, steps, kind, yaml)
    low, high = steps.get("min"), steps.get("max")
    if (
        isinstance(low, str)
        and isinstance(high, str)
        and _is_whole(low)
        and _is_whole(high)
        and int(low) > int(high)
    ):
        place = yaml.place_of(("fields", name, "min"))
        yield Problem(place, f"`min: {low}` is above `max: {high}`", "Exchange them.")


_READS: Final[Mapping[FieldKind, tuple[Callable[[str], Read], str]]] = {
    FieldKind.QUANTITY: (lambda text: read_quantity(text, PLAIN, UNDECIDED), "Write a whole number."),
    FieldKind.MONEY: (lambda text: read_money(text, PLAIN, UNDECIDED), "Write an amount such as 1234.56."),
    FieldKind.FLAG: (read_flag, "Write 1 or 0, or yes or no."),
}


def _unreadable_constants(
    name: str, steps: dict[str, Node], kind: FieldKind, yaml: YamlText
) -> Iterator[Problem]:
    """Values that the mapping itself gives, and that would reject each row which gets them."""
    if kind not in _READS:
        return
    read, fix = _READS[kind]
    given: list[tuple[Path, Node]] = [(("fields", name, "default"), steps.get("default"))]
    if not isinstance(steps.get("values"), dict | str):
        given.append((("fields", name, "value"), steps.get("value")))
    if steps.get("else") not in ("reject", "keep"):
        given.append((("fields", name, "else"), steps.get("else")))
    values = steps.get("values")
    if isinstance(values, dict):
        given += [(("fields", name, "values", word), value) for word, value in values.items()]
    for path, value in given:
        if isinstance(value, str) and value and isinstance(read(value).value, CellFault):
            message = f"`{path[-1]}: {value}` gives `{name}` a value that it cannot have"
            yield Problem(yaml.place_of(path), message, fix)


def _is_whole(text: str) -> bool:
    return bool(re.fullmatch(r"-?[0-9]{1,9}", text))


def _texts(node: Node) -> list[str]:
    if isinstance(node, str):
        return [node]
    return [text for text in node if isinstance(text, str)] if isinstance(node, list) else []


_LETTER_FORMS: Final = (
    ("YYYY", "%Y"), ("yyyy", "%Y"), ("YY", "%y"), ("yy", "%y"), ("MM", "%m"), ("DD", "%d"), ("dd", "%d"),
    ("HH", "%H"), ("hh", "%H"), ("mm", "%M"), ("SS", "%S"), ("ss", "%S"),
)  # fmt: skip


def date_format_mistakes(form: str, place: str, *, needs_a_day: bool = False) -> Iterator[Problem]:
    """What is wrong with a date format such as `%d.%m.%Y`. `needs_a_day`: of a date that is read, not written."""
    if "%" not in form:
        meant = form
        for letters, directive in _LETTER_FORMS:
            meant = meant.replace(letters, directive)
        fix = f"Did you mean `{meant}`?" if "%" in meant else "Write one such as %d.%m.%Y."
        yield Problem(place, f"the date format `{form}` has no %", fix)
        return
    found = re.findall(r"%(.?)", form, re.DOTALL)
    unknown = [letter for letter in found if letter not in _DIRECTIVES or not letter]
    for letter in unknown:
        fix = "Days are %d, months %m, years %Y or %y, hours %H, minutes %M, seconds %S."
        yield Problem(place, f"`%{letter}` of the date format `{form}` is not known", fix)
    if unknown:
        return
    repeated = [letter for letter in sorted(set(found)) if letter != "%" and found.count(letter) > 1]
    if repeated:
        fix = "Months are %m and minutes %M, days %d, years %Y or %y."
        yield Problem(place, f"`%{repeated[0]}` stands twice in the date format `{form}`", fix)
    elif "M" in found and not {"H", "I"} & set(found):
        yield Problem(
            place, f"the date format `{form}` has minutes without hours", "Months are %m, minutes %M."
        )
    elif needs_a_day:
        try:
            date_format(form)
        except ValueError as error:
            yield Problem(place, str(error), "Name day, month and year, each once, as in %d.%m.%Y.")


def _match_mistakes(yaml: YamlText) -> Iterator[Problem]:
    patterns = yaml.tree.get("match")
    for index, pattern in enumerate(patterns if isinstance(patterns, list) else [patterns]):
        if not isinstance(pattern, str):
            continue
        place = yaml.place_of(("match", index))
        if not pattern.strip():
            if ("match",) not in yaml.blank:
                yield Problem(place, "a pattern of `match:` is empty", 'Write one such as "inventory*.csv".')
        elif pattern.startswith("^") or pattern.endswith("$") or re.search(r"\\[.dwS]|\.\+|\(\?|\|", pattern):
            fix = f"File names take * and ?, as in {_as_glob(pattern)!r}: no regular expressions."
            yield Problem(place, f"`match: {pattern}` looks like a regular expression", fix)
        elif "\\" in pattern:
            fix = f'Folders are parted by /, as in "{pattern.replace(chr(92), "/")}".'
            yield Problem(place, f"`match: {pattern}` holds a backslash", fix)
        elif pattern.startswith(("/", "./", "../", "inbox/")) or "/../" in pattern:
            fix = 'It begins below the vendor\'s inbox, as in "stock/*.xlsx".'
            yield Problem(place, f"`match: {pattern}` is no path below the vendor's inbox", fix)
        elif re.search(r"\{[^}]*,[^}]*\}", pattern):
            yield Problem(
                place, f"`match: {pattern}` holds braces", 'List both: ["stock*.csv", "stock*.xlsx"].'
            )


def _as_glob(pattern: str) -> str:
    glob = re.sub(r"\\d(\+|\*|\{[^}]*\})?|\\w(\+|\*)?|\.[*+]|\(\?.*", "*", pattern.strip("^$")).replace(
        "\\.", "."
    )
    return re.sub(r"\*+", "*", glob.partition("|")[0].strip("()"))


def _read_mistakes(yaml: YamlText) -> Iterator[Problem]:
    read = yaml.tree.get("read")
    if not isinstance(read, dict):
        return
    form = read.get("format")
    if read.get("columns") and form in {"csv", "xlsx"}:
        fix = (
            "It gives positions for `format: fixed`; a table with delimiters names its columns in `fields:`."
        )
        yield Problem(
            yaml.place_of(("read", "columns")), f"`columns` means nothing for `format: {form}`", fix
        )
    elif read.get("columns") and form is None:
        fix = "Add `format: fixed`."
        yield Problem(
            yaml.place_of(("read", "columns")), "`columns` gives positions without `format: fixed`", fix
        )
    if form in {"xlsx", "xls", "xlsb", "xlsm", "ods"}:
        for key in ("encoding", *_TEXT_KEYS):
            if key in read:
                message = f"`{key}` means nothing for a workbook"
                yield Problem(yaml.place_of(("read", key)), message, "Take it out, or write `format: csv`.")
    elif form in {"csv", "fixed"} and "sheet" in read:
        yield Problem(
            yaml.place_of(("read", "sheet")), f"`sheet` means nothing for `format: {form}`", "Take it out."
        )


def _coverage_mistakes(yaml: YamlText, own: YamlText) -> Iterator[Problem]:
    missing = own.tree.get("missing")
    if missing in ("zero", "hold") and yaml.tree.get("covers", "changes") == "changes":
        fix = "Add `covers: everything`, or take `missing` out: in a file of changes nothing is missing."
        yield Problem(
            own.place_of(("missing",)), f"`missing: {missing}` has no effect with `covers: changes`", fix
        )


def layout_mistakes(yaml: YamlText) -> list[Problem]:
    """Mistakes of a `document: purchase-orders`."""
    problems: list[Problem] = []
    write = yaml.tree.get("write")
    if isinstance(write, dict):
        name = write.get("name")
        if isinstance(name, str) and ("write", "name") not in yaml.blank:
            per_po = write.get("one_file_per") == "po"
            problems += name_template_mistakes(name, yaml.place_of(("write", "name")), per_po=per_po)
    columns = yaml.tree.get("columns")
    for header, column in columns.items() if isinstance(columns, dict) else ():
        if isinstance(column, dict) and isinstance(column.get("date"), str):
            problems += date_format_mistakes(column["date"], yaml.place_of(("columns", header, "date")))
    return problems


def name_template_mistakes(name: str, place: str, *, per_po: bool) -> Iterator[Problem]:
    """What is wrong with the name template of PO files; `per_po` where each PO has a file of its own.

    Names that `{now}` alone tells apart are taken: the second file of one moment gets its number as well.
    """
    try:
        parts = list(string.Formatter().parse(name))
    except ValueError as error:
        yield Problem(
            place, f"the name `{name}` cannot be read: {error}", "Close every brace, as in {vendor}."
        )
        return
    used: dict[str, str] = {}
    for _, placeholder, form, conversion in parts:
        if placeholder is None:
            continue
        if placeholder not in _PLACEHOLDERS or conversion:
            known = [f"{{{known}}}" for known in _PLACEHOLDERS]
            yield Problem(
                place,
                f"the name's `{{{placeholder}}}` is not known",
                did_you_mean(f"{{{placeholder}}}", known),
            )
        else:
            used[placeholder] = form or ""
    literal = "".join(part[0] for part in parts) + "".join(used.values())
    known_ones = len(used) == len({part[1] for part in parts if part[1] is not None})
    if "/" in literal or "\\" in literal:
        fix = "PO files go into outbox/VENDOR/orders/ itself."
        yield Problem(place, f"the name `{name}` holds a folder", fix)
    elif known_ones and not (mistakes := list(_form_mistakes(used, place))):
        yield from _filled_name_mistakes(name, place)
    elif known_ones:
        yield from mistakes
    if "po" in used and not per_po:
        fix = "Add `one_file_per: po`, or take it out."
        yield Problem(place, "the name's `{po}` needs a file for each PO", fix)
    if known_ones and not {"sequence", "po" if per_po else "now"} & used.keys():
        fix = "Add {sequence:06d} or {po}." if per_po else "Add {sequence:06d}."
        yield Problem(place, f"two PO files would have the name `{name}`", fix)


def _form_mistakes(used: dict[str, str], place: str) -> Iterator[Problem]:
    if used.get("now"):
        yield from date_format_mistakes(used["now"], place)
    if not re.fullmatch(r"0?\d{0,2}d?", used.get("sequence", "")):
        fix = "Write {sequence:06d} for six digits."
        yield Problem(place, "the name's `{sequence}` has an unknown format", fix)
    for name in ("vendor", "po"):
        if used.get(name):
            yield Problem(place, f"the name's `{{{name}}}` takes no format", f"Write {{{name}}}.")


def _filled_name_mistakes(name: str, place: str) -> Iterator[Problem]:
    try:
        fill_name(name, vendor="acme", now=datetime(2026, 12, 31, 23, 59, 59), sequence=1, po="D123")
    except ValueError as error:
        yield Problem(place, str(error), "Use letters, digits, hyphens and underscores, and a letter first.")
