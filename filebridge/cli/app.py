"""The commands, the options that stand anywhere, and how every end becomes an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


import click
import typer

from filebridge.cli import report
from filebridge.cli.surroundings import split_options

app = typer.Typer(
    name="filebridge",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Trade with RetailOps through files: stock and shipments in, purchase orders out.",
    epilog="-C DIR chooses the workspace (else the current folder); --json prints one JSON document. "
    "Both may stand before or after the command.",
)


@app.callback()
def options(
    workspace: str = typer.Option(".", "-C", metavar="DIR", help="The workspace: the folder with mappings/."),
    as_json: bool = typer.Option(False, "--json", help="One JSON document on standard output."),
    version: bool = typer.Option(False, "--version", help="Print the version and end."),
) -> None:
    """Options that stand before or after every command; `split_options` has taken them out already."""
    if version:
        from filebridge import __version__

        typer.echo(f"filebridge {__version__}")
        raise typer.Exit


def _register() -> None:
    from filebridge.cli import (
        check,
        decide,
        demo,
        files,
        init,
        orders,
        preview,
        rows,
        run,
        sandbox,
        schema,
        show,
        status,
        template,
        watch,
    )

    for module in (
        demo,
        init,
        check,
        preview,
        run,
        watch,
        status,
        files,
        show,
        rows,
        decide,
        template,
        sandbox,
        schema,
    ):
        module.register(app)
    orders.register(app)


_register()


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code (DESIGN section 8). Never a traceback."""
    surroundings, rest = split_options(arguments)
    surroundings.use()
    try:
        code = app(list(rest), standalone_mode=False, prog_name="filebridge")
        sys.stdout.flush()
        return int(code or 0)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as wrong:
        wrong.show(file=sys.stderr)
        return 2
    except (KeyboardInterrupt, click.Abort):
        report.say("Interrupted. Nothing is lost: the next run continues where this one stopped.")
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does; what was done is done.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return report.failed(error, surroundings)
