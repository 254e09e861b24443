"""How a command ends when it cannot do its work: one sentence on standard error and exit code 1."""

from __future__ import annotations

from typing import NoReturn

import typer


def fail(message: str) -> NoReturn:
    """Print `rmos: <message>` and exit with 1.

    Args:
        message: One sentence in the form of `errors.py`: lower case, says what to do, no full stop.
    """
    typer.secho(f"rmos: {message}", fg="red", err=True)
    raise typer.Exit(1)
