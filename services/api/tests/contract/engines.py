"""The engines that the contract suites run on. A further engine is one more class and one more entry in `ENGINES`."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from rmos.stores.base import Stores
from rmos.stores.sqlite import open_sqlite


class Engine(Protocol):
    """A database that outlives the stores opened on it."""

    def open(
        self,
        *,
        on_commit: Callable[[], None] = ...,
        busy_timeout_s: float = ...,
        keep_days: float | None = ...,
        keep_events: int | None = ...,
    ) -> AsyncIterator[Stores]:
        """An async context with the stores."""
        ...

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Look into the tables from outside."""
        ...


def _nobody() -> None:
    """Nobody listens to commits."""


class SqliteEngine:
    """A file in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "rmos.db"

    @asynccontextmanager
    async def open(self, *, on_commit: Callable[[], None] = _nobody, **options: Any) -> AsyncIterator[Stores]:
        stores = await open_sqlite(self.path, on_commit=on_commit, **options)
        try:
            yield stores
        finally:
            await stores.close()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.path)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()


ENGINES = {"sqlite": SqliteEngine}
