"""`rmos backup` and `rmos restore`: a copy of the shop, made beside a running server, and put back without one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from rmos.cli.effective import read_settings
from rmos.cli.failure import fail
from rmos.cli.progress import progress_bar
from rmos.errors import RmosError
from rmos.logs import configure_logging


def backup(
    file: Annotated[
        Path | None,
        typer.Argument(help="The new file, or a folder for it. Default: rmos-<time>.db in the current folder."),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="As for `rmos serve`.")] = None,
) -> None:
    """Copy the database, also while a server runs, and verify the copy."""
    from rmos.stores.sqlite.backup import back_up

    target = (file or Path()).absolute()
    if target.is_dir():
        target /= f"rmos-{datetime.now(UTC):%Y%m%d-%H%M%S}.db"
    try:
        database = read_settings(data=data).database_path
        with progress_bar() as report:
            made = back_up(database, target, report)
    except RmosError as error:
        fail(error.message)
    typer.echo(f"{made.path}: {made.size:,} bytes, events {made.ends.oldest} to {made.ends.head}, verified")
    typer.echo(f"head    {made.ends.head}:{made.ends.hash.hex()}")


def restore(
    file: Annotated[Path, typer.Argument(help="A backup.")],
    data: Annotated[Path | None, typer.Option(help="As for `rmos serve`.")] = None,
    even_if_changed: Annotated[
        bool, typer.Option("--even-if-changed", help="Also when `rmos verify` finds fault with its log.")
    ] = False,
) -> None:
    """Put a backup in the place of the database, which is kept aside. The server must not run."""
    from rmos.stores.sqlite.backup import restore as put_back

    try:
        settings = read_settings(data=data)
        configure_logging("warning", settings.log_format)
        with progress_bar() as report:
            done = put_back(file.absolute(), settings.database_path, report, even_if_changed=even_if_changed)
    except RmosError as error:
        fail(error.message)
    typer.echo(f"{settings.database_path}: restored as it was at event {done.head}, new epoch {done.epoch}")
    if done.aside is not None:
        typer.echo(f"the database before is kept as {done.aside}")
