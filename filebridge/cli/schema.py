"""`filebridge schema`: the JSON Schema of the YAML files."""

from __future__ import annotations

import typer

from filebridge.cli import report


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command()
    def schema() -> None:
        """Print the JSON Schema of the YAML files, for editors.

        An editor that is told of it completes and checks while you type.

        Example: filebridge schema > filebridge.schema.json
        """
        from filebridge.mapping.schema import json_schema

        report.print_json(json_schema())
