"""`filebridge sandbox`: the RetailOps stand-in."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    )
    def sandbox(context: typer.Context) -> int:
        """Run the RetailOps stand-in, on this machine alone.

        It answers with faults where it is told to, and keeps what it holds in a file: `filebridge sandbox
        --help`. POs for such a file, or for a sandbox that runs: `filebridge sandbox seed --help`.

        Example: filebridge sandbox --port 8765 --orders 5
        """
        from filebridge.sandbox import main

        return main(context.args)
