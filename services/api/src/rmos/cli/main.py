"""The `rmos` command and its subcommands."""

from __future__ import annotations

from typing import Annotated

import typer

from rmos import settings
from rmos.cli import token, user
from rmos.cli.backup import backup, restore
from rmos.cli.demo.command import demo
from rmos.cli.doctor import doctor
from rmos.cli.migrate import migrate
from rmos.cli.serve import serve
from rmos.cli.tail import tail
from rmos.cli.verify import verify

app = typer.Typer(
    help="RMOS, the Rosette Manufacturing OS: the stores of a rosette workshop, and every change of them live.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a fault of ours is worth a plain traceback, without the values of variables
)
app.command()(serve)
app.command()(demo)
app.command()(tail)
app.command()(doctor)
app.command()(migrate)
app.command()(backup)
app.command()(restore)
app.command()(verify)
app.add_typer(user.app, name="user")
app.add_typer(token.app, name="token")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"rmos {settings.version()}")


def _print_version(asked: bool) -> None:
    if asked:
        version()
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of `rmos` itself."""
