"""The commands, the options that stand anywhere, and how every end becomes an exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

import typer

from filebridge.cli import report
from filebridge.cli.surroundings import split_options

USAGE_EXIT = 2

app = typer.Typer(
    name="filebridge",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    invoke_without_command=True,
    context_settings={"max_content_width": 100},
    help="Trade with RetailOps through files: stock in, purchase orders out.\n\n"
    "New here? `filebridge demo` shows the whole way; `filebridge init DIR` makes a workspace.",
    epilog="-C DIR chooses the workspace (else the current folder); --json prints one JSON document. "
    "Both may stand before or after the command.",
)


@app.callback()
def options(
    context: typer.Context,
    workspace: str = typer.Option(".", "-C", metavar="DIR", help="The workspace: the folder with mappings/."),
    as_json: bool = typer.Option(False, "--json", help="One JSON document on standard output."),
    version: bool = typer.Option(False, "--version", help="Print the version and end."),
) -> None:
    """Options that stand before or after every command; `split_options` has taken them out already."""
    if version:
        from filebridge import __version__

        typer.echo(f"filebridge {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _register() -> None:
    from filebridge.cli import (
        carriers,
        check,
        decide,
        demo,
        exceptions,
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
        orders,
        exceptions,
        carriers,
        template,
        sandbox,
        schema,
    ):
        module.register(app)


_register()

# Typer brings its own click since 0.20 or so, and used the installed one before: its errors are known by this.
_SAID_BY_PARSER = typer.BadParameter.__mro__[2]


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code (DESIGN section 8). Never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character shows another one; that is no reason to end.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    surroundings, rest = split_options(arguments)
    surroundings.use()
    try:
        code = app(list(rest), standalone_mode=False, prog_name="filebridge")
        sys.stdout.flush()
        return int(code or 0)
    except typer.Exit as ended:
        return ended.exit_code
    except (KeyboardInterrupt, typer.Abort):
        report.say("Interrupted. Nothing is lost: the next run continues where this one stopped.")
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does; what was done is done.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if isinstance(error, _SAID_BY_PARSER):
            return _misused(error, as_json=surroundings.json)
        return report.failed(error, surroundings)


def _misused(error: Exception, *, as_json: bool) -> int:
    """Say what the arguments lack: the parser's own words, on standard error."""
    show = getattr(error, "show", None)
    if show is not None:
        show(file=sys.stderr)
    if as_json:
        report.print_json({"error": str(error)})
    return USAGE_EXIT
