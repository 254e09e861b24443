"""The database of the shop, for commands that change who may come in. A running server notices within a second."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias, TypeVar

import typer

from rmos.cli.effective import read_settings
from rmos.cli.failure import fail
from rmos.cli.listening import require_usable_folder
from rmos.errors import RmosError
from rmos.logs import configure_logging

if TYPE_CHECKING:
    from rmos.stores.base import Transaction

T = TypeVar("T")

Data: TypeAlias = Annotated[Path | None, typer.Option(help="As for `rmos serve`.")]


def change(data: Path | None, work: Callable[[Transaction], T]) -> T:
    """Run `work` on the shop of these settings, beside its server or without one; a refusal ends the command."""
    try:
        settings = read_settings(data=data)
        configure_logging(settings.log_level, settings.log_format)
        path = settings.database_path
        require_usable_folder(path.parent)
        from rmos.stores.sqlite.beside import write_beside  # SQLAlchemy would slow the start of every other command

        return write_beside(path, work, busy_timeout_s=settings.busy_timeout_s)
    except RmosError as error:
        fail(error.message)
