"""`filebridge carriers`: RetailOps' ship classes against the vendor's words, and a word more in carriers.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import typer

from filebridge.cli import report
from filebridge.cli.surroundings import Surroundings, current

if TYPE_CHECKING:
    from filebridge.documents.ship_classes import Carriers, ShipClass
    from filebridge.ledger.ship_classes import UnknownWord
    from filebridge.mapping.pack import VendorPack

LOOKED_BACK_DAYS: Final = 30
"""How old a rejected word may be that is still worth a line."""
_VENDOR = typer.Option("", "--vendor", metavar="V", help="Only this vendor's.")


@dataclass(frozen=True)
class _Standing:
    """One vendor's crosswalk, as it is shown."""

    pack: VendorPack
    fetched_at: int
    carriers: Carriers
    unknown: list[UnknownWord]

    @property
    def unused(self) -> list[ShipClass]:
        """The classes that no line means."""
        meant = {self.carriers.of_word(word) for word in self.carriers.lines}
        return [found for found in self.carriers.offered if found not in meant]


def register(app: typer.Typer) -> None:
    """Add the command and its sub-command."""
    carriers = typer.Typer(
        rich_markup_mode=None,
        no_args_is_help=False,
        help="Show which ship class each of the vendor's carrier words means, and the words that mean none.\n\n"
        "RetailOps' classes are asked for where none are known yet, and once a day by `run`.\n\n"
        "Example: filebridge carriers --vendor acme",
        invoke_without_command=True,
    )
    carriers.callback()(_show)
    carriers.command("learn")(_learn)
    app.add_typer(carriers, name="carriers")


def _show(
    context: typer.Context,
    vendor: str = _VENDOR,
    every: bool = typer.Option(False, "--all", help="List the classes that no line means, too."),
    refresh: bool = typer.Option(False, "--refresh", help="Ask RetailOps for its classes anew."),
    offline: bool = typer.Option(False, "--offline", help="Do not ask RetailOps, whatever is known."),
) -> int:
    if context.invoked_subcommand is not None:
        return 0
    from filebridge.errors import UserError

    here = current()
    if refresh and offline:
        raise UserError("--refresh asks RetailOps, and --offline forbids it: give one of them.")
    packs = _packs(here, vendor)
    found = _standings(here, packs, refresh=refresh, offline=offline)
    if here.json:
        report.print_json({"vendors": [_as_json(one) for one in found]})
        return 0
    if not packs:
        report.say(
            "No vendor has a carriers.yaml or a mapping of shipments. --vendor V shows one all the same."
        )
    elif not found:
        report.say("RetailOps' ship classes are not known yet; without --offline it is asked for them.")
    for one in found:
        _print(one, here.clock.now(), every=every)
    return 0


def _learn(
    word: str = typer.Argument("", metavar="WORD", help="The carrier as the vendor writes it."),
    ship_class: str = typer.Argument(
        "", metavar="CLASS", help="RetailOps' id of the ship class, or its name."
    ),
    vendor: str = typer.Option(
        "", "--vendor", metavar="V", help="Whose word it is; may be left out for one vendor."
    ),
    replace: bool = typer.Option(False, "--replace", help="Change the line that is there for the word."),
) -> int:
    """Write the ship class of a vendor's carrier word into carriers.yaml.

    Without WORD and CLASS, print the command for each word that was rejected lately.

    Example: filebridge carriers learn "UPS GRND" "UPS Ground" --vendor acme
    """
    from filebridge.bridge.carriers import learn, place_of
    from filebridge.cli.render import shown
    from filebridge.errors import UserError

    here = current()
    if not word:
        return _propose(here, vendor)
    if not ship_class:
        raise UserError(
            "CLASS is missing: the id or the name of RetailOps' ship class.",
            fix="`filebridge carriers --all` lists them.",
        )
    pack = _one_pack(here, vendor)
    (found,) = _standings(here, [pack], refresh=False, offline=False)
    meant = found.carriers.named_by(ship_class)
    if isinstance(meant, str):
        raise UserError(meant)
    line = learn(here.workspace(), pack, word.strip(), meant, found.carriers, replace=replace)
    if here.json:
        report.print_json(
            {"vendor": pack.vendor, "file": place_of(pack), "line": line, **_class_as_json(meant)}
        )
    else:
        print(f"{place_of(pack)}: {shown(line)}")
        report.say(f"{shown(word.strip())} means {shown(meant.named)} from the next pass on.")
    return 0


def _propose(here: Surroundings, vendor: str) -> int:
    """Print a command for each unknown word; a person looks at it before it is typed."""
    import shlex

    from filebridge.cli.render import shown

    found = _standings(here, _packs(here, vendor), refresh=False, offline=False)
    proposed: list[dict[str, Any]] = []
    for one in found:
        for unknown in one.unknown:
            near = one.carriers.suggest(unknown.value).classes
            meant = near[0].id_text if near else "CLASS"
            command = shlex.join(
                ["filebridge", "carriers", "learn", unknown.value, meant, "--vendor", one.pack.vendor]
            )
            proposed.append({"command": command, **_unknown_as_json(one, unknown)})
            if not here.json:
                print(shown(command))
                others = "; ".join(other.named for other in near[1:3])
                report.say(f"  {shown(near[0].named)}? Else perhaps {shown(others)}." if others else "")
    if here.json:
        report.print_json({"proposed": proposed})
    elif proposed:
        report.say("These are proposals by spelling alone: look at each, then type it.")
    else:
        report.say(f"No word of the last {LOOKED_BACK_DAYS} days is without its class.")
    return 0


def _packs(here: Surroundings, vendor: str) -> list[VendorPack]:
    """The vendors to show: the one that is asked for, else those whose files name carriers."""
    from filebridge.bridge.carriers import has_use_for_classes
    from filebridge.cli.render import chosen

    workspace = here.workspace()
    if vendor:
        chosen(workspace, [vendor])
        return [workspace.load_pack(vendor)]
    packs = [workspace.load_pack(name) for name in workspace.vendors()]
    return [pack for pack in packs if has_use_for_classes(pack)]


def _one_pack(here: Surroundings, vendor: str) -> VendorPack:
    from filebridge.errors import UserError

    packs = _packs(here, vendor)
    if len(packs) == 1:
        return packs[0]
    vendors = here.workspace().vendors()
    if not packs and len(vendors) == 1:
        return here.workspace().load_pack(vendors[0])
    raise UserError("Whose word is it?", fix=f"Say so with --vendor: {', '.join(vendors)}.")


def _standings(
    here: Surroundings, packs: list[VendorPack], *, refresh: bool, offline: bool
) -> list[_Standing]:
    """Each vendor's classes and words; without `offline`, RetailOps is asked where none are known."""
    from filebridge.ledger.connect import has_ledger

    workspace = here.workspace()
    missing = packs
    if not refresh and has_ledger(workspace.ledger_url):
        with here.ledger() as ledger, ledger.read() as connection:
            known = [_standing(connection, pack, here.clock.now()) for pack in packs]
        missing = [pack for pack, one in zip(packs, known, strict=True) if one is None]
        if offline or not missing:
            return [one for one in known if one is not None]
    if offline or not packs:
        return []
    return _fetched(here, packs, missing)


def _fetched(here: Surroundings, packs: list[VendorPack], missing: list[VendorPack]) -> list[_Standing]:
    from filebridge.bridge.carriers import refresh
    from filebridge.bridge.desk import open_desk

    with open_desk(here.workspace(), clock=here.clock) as desk:
        for pack in missing:
            # Beside whoever holds the lock: a list is replaced in one transaction, as by `orders show`.
            refresh(desk, pack, older_than=0, forced=True)
        with desk.ledger.read() as connection:
            known = [_standing(connection, pack, here.clock.now()) for pack in packs]
    return [one for one in known if one is not None]


def _standing(connection: Any, pack: VendorPack, now: int) -> _Standing | None:
    from filebridge.bridge.carriers import DAY, read_carriers
    from filebridge.ledger.ship_classes import known, unknown_words
    from filebridge.mapping.headers import plain_header

    carriers = read_carriers(connection, pack)
    stored = known(connection, pack.vendor)
    if carriers is None or stored is None:
        return None
    since = now - LOOKED_BACK_DAYS * DAY
    columns = _carrier_columns(pack)
    # A word that has its line by now is known; what is wrong with a line is told of the line.
    unknown = [
        found
        for found in unknown_words(connection, pack.vendor, since)
        if plain_header(found.column) in columns
        and carriers.line_of(found.value) is None
        and isinstance(carriers.of_word(found.value), str)
    ]
    return _Standing(pack, stored.fetched_at, carriers, unknown)


def _carrier_columns(pack: VendorPack) -> set[str]:
    """The headers under which the vendor's shipments files name a carrier, as headers are compared."""
    from filebridge.mapping.headers import plain_header

    columns = {"carrier"}
    for found in pack.mappings:
        steps = found.mapping.fields.get("carrier") if found.mapping.document == "shipments" else None
        columns |= {plain_header(header) for header in (*steps.column, *steps.join)} if steps else set()
    return columns


def _print(one: _Standing, now: int, *, every: bool) -> None:
    from filebridge.bridge.carriers import place_of
    from filebridge.cli.render import ago, shown

    offered = len(one.carriers.offered)
    print(
        f"{one.pack.vendor}: {_classes(offered, 'ship class')} "
        f"as RetailOps listed them {ago(one.fetched_at, now)}."
    )
    if one.carriers.lines:
        lines = report.table("Word", "#Id", "Ship class")
        for word in one.carriers.lines:
            meant = one.carriers.of_word(word)
            if isinstance(meant, str):
                lines.add_row(shown(word), "-", "NONE, see below")
            else:
                lines.add_row(shown(word), meant.id_text, shown(meant.name))
        report.console().print(lines)
    else:
        print(f"{place_of(one.pack)} has no lines: a word means the class whose own name it is.")
    for said in one.carriers.problems():
        print(shown(said))
    if one.unknown:
        unknown = report.table("Word without a class", "#Rows", "Last", "Nearest class")
        for found in one.unknown:
            near = one.carriers.suggest(found.value).classes
            unknown.add_row(
                shown(found.value),
                f"{found.rows:,}",
                ago(found.last_at, now),
                shown(near[0].named) if near else "-",
            )
        report.console().print(unknown)
        report.say(
            'filebridge carriers learn "WORD" "CLASS" writes the line; without them it proposes the commands.'
        )
    unused = one.unused
    if every and unused:
        classes = report.table("#Id", "Ship class that no line means")
        for left in unused:
            classes.add_row(left.id_text, shown(left.name))
        report.console().print(classes)
    elif unused:
        report.say(f"{_classes(len(unused), 'class')} without a line; --all lists them.")


def _classes(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}es"


def _as_json(one: _Standing) -> dict[str, Any]:
    from filebridge.cli.render import instant

    lines: list[dict[str, Any]] = []
    for word in one.carriers.lines:
        meant = one.carriers.of_word(word)
        said = meant if isinstance(meant, str) else None
        lines.append(
            {"word": word, **_class_as_json(None if isinstance(meant, str) else meant), "problem": said}
        )
    return {
        "vendor": one.pack.vendor,
        "fetched_at": instant(one.fetched_at),
        "classes": len(one.carriers.offered),
        "lines": lines,
        "problems": list(one.carriers.problems()),
        "unknown": [_unknown_as_json(one, found) for found in one.unknown],
        "unused": [_class_as_json(found) for found in one.unused],
    }


def _unknown_as_json(one: _Standing, found: UnknownWord) -> dict[str, Any]:
    from filebridge.cli.render import instant

    near = one.carriers.suggest(found.value)
    return {
        "vendor": one.pack.vendor,
        "word": found.value,
        "rows": found.rows,
        "last_seen_at": instant(found.last_at),
        "nearest": [_class_as_json(other) for other in near.classes],
    }


def _class_as_json(found: ShipClass | None) -> dict[str, Any]:
    return {"id": found.id if found else None, "name": found.name if found else None}
