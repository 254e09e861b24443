"""A small write beside a running server: `rmos user` and `rmos token` change who may come in.

Rule: the server's own connection alone checkpoints (`connection`, rule 1), so this one never does while one runs.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from rmos.errors import StartupError
from rmos.stores.base import Transaction
from rmos.stores.batch import Changes, Unit
from rmos.stores.sqlite.connection import meaning
from rmos.stores.sqlite.lock import ServerLock
from rmos.stores.sqlite.migrate import SCHEMA_VERSION, schema_version, upgrade
from rmos.stores.sqlite.rows import CommittedRows, flush

T = TypeVar("T")


def write_beside(path: Path, work: Callable[[Transaction], T], *, busy_timeout_s: float) -> T:
    """Run `work` in a transaction of its own and return its result once that is durable. Blocks.

    Without a server the database is made, or brought to the present schema, where needed. `work` must append no event:
    only the server's own writer may.

    Raises:
        StartupError: the database is of another version than this program, or there is none and none can be made.
        UnavailableError: it stayed locked for the busy timeout.
    """
    try:
        lock = ServerLock(path)
    except StartupError:
        return _write(path, work, busy_timeout_s, is_alone=False)
    try:
        upgrade(path)
        return _write(path, work, busy_timeout_s, is_alone=True)
    finally:
        lock.release()


def _write(path: Path, work: Callable[[Transaction], T], busy_timeout_s: float, *, is_alone: bool) -> T:
    if (found := schema_version(path)) != SCHEMA_VERSION:
        raise StartupError(
            f"the running server has schema {found}, and this program {SCHEMA_VERSION}; restart it with this version"
        )
    try:
        with closing(sqlite3.connect(path, timeout=busy_timeout_s, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous=FULL")
            if not is_alone:
                connection.execute("PRAGMA wal_autocheckpoint=0")
            connection.execute("BEGIN IMMEDIATE")
            unit = Unit(CommittedRows(connection), Changes())
            result = work(unit)  # an error leaves the transaction open, and closing rolls it back
            flush(connection, unit.changes)
            connection.execute("COMMIT")
            return result
    except sqlite3.Error as error:
        if (known := meaning(error)) is error:
            raise
        raise known from error
