"""`rmos migrate`: bring the database to the present schema without serving it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from rmos.cli.effective import read_settings
from rmos.cli.failure import fail
from rmos.cli.listening import require_usable_folder
from rmos.errors import StartupError
from rmos.logs import configure_logging
from rmos.settings import Settings


def migrate(
    data: Annotated[Path | None, typer.Option(help="As for `rmos serve`.")] = None,
) -> None:
    """Create or upgrade the database. `rmos serve` does the same at every start."""
    try:
        settings = read_settings(data=data)
        configure_logging(settings.log_level, settings.log_format)
        require_usable_folder(settings.database_path.parent)
        schema = asyncio.run(_migrate(settings))
    except StartupError as error:
        fail(error.message)
    typer.echo(f"{settings.database_path} has schema {schema}")


async def _migrate(settings: Settings) -> object:
    """Open the database as a server does, which migrates it under the same lock, and close it again."""
    from rmos.stores.sqlite import open_sqlite  # SQLAlchemy would slow the start of every other command

    stores = await open_sqlite(settings.database_path, on_commit=lambda: None, busy_timeout_s=settings.busy_timeout_s)
    try:
        return (await stores.status())["schema_version"]
    finally:
        await stores.close()
