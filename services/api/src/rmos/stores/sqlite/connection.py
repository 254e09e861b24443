"""Connections to the SQLite file, and what its errors mean to a caller.

Rule 1: the writer's connection alone writes and checkpoints. SQLite before 3.51.3 can lose a WAL when several do.
Rule 2: `synchronous=FULL`: a commit is on the disk before anybody is told of it.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rmos.errors import CorruptError, RmosError, StorageFullError, UnavailableError

log = logging.getLogger(__name__)

WAL_PAGES: Final = 2000
"""Pages (of 4 KiB) after which the writer checkpoints: 8 MiB, some thousand writes."""
WAL_BYTES: Final = 32 * 1024 * 1024
"""What the WAL file is cut back to after a checkpoint that found it larger."""

_MEANING: Final[dict[int, Callable[[str], RmosError]]] = {
    sqlite3.SQLITE_FULL: lambda _: StorageFullError("the disk is full; free some space and try again"),
    sqlite3.SQLITE_BUSY: lambda _: UnavailableError("the database is locked by another program"),
    sqlite3.SQLITE_LOCKED: lambda _: UnavailableError("the database is locked by another program"),
    sqlite3.SQLITE_CONSTRAINT: lambda text: CorruptError(f"the change breaks a rule of the database: {text}"),
    sqlite3.SQLITE_CORRUPT: lambda text: CorruptError(f"the database is damaged: {text}"),
    sqlite3.SQLITE_NOTADB: lambda text: CorruptError(f"the database is damaged: {text}"),
    sqlite3.SQLITE_IOERR: lambda text: UnavailableError(f"the disk does not answer as it should: {text}"),
    sqlite3.SQLITE_READONLY: lambda text: UnavailableError(f"the database cannot be written: {text}"),
    sqlite3.SQLITE_CANTOPEN: lambda text: UnavailableError(f"the database cannot be opened: {text}"),
}


def connect_writer(path: Path) -> sqlite3.Connection:
    """The one connection that writes. Waiting for a lock is the writer's own business, so the driver waits little."""
    connection = sqlite3.connect(
        path, timeout=0.1, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    try:
        connection.execute("PRAGMA journal_mode=WAL").fetchall()
        for setting in (
            "synchronous=FULL",
            "fullfsync=ON",  # on macOS fsync alone leaves the data in the drive's cache; no effect elsewhere
            "foreign_keys=ON",
            f"wal_autocheckpoint={WAL_PAGES}",
            f"journal_size_limit={WAL_BYTES}",
            "cache_size=-32768",
        ):
            connection.execute(f"PRAGMA {setting}").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reader(path: Path, *, busy_timeout_s: float) -> sqlite3.Connection:
    """A connection that cannot write."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=busy_timeout_s,
        isolation_level=None,
        check_same_thread=False,  # closed by the thread that closes the pool
        cached_statements=256,
    )
    connection.execute("PRAGMA query_only=ON")
    connection.execute("PRAGMA cache_size=-8192")
    return connection


def roll_back(connection: sqlite3.Connection) -> None:
    """Leave the transaction, if one is open. A failure is logged: the next BEGIN will say what is wrong."""
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        log.warning("a rollback failed", extra={"error": str(error)})


def is_busy(error: sqlite3.Error) -> bool:
    """Whether somebody else holds the lock."""
    return _primary_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def blames_content(error: Exception) -> bool:
    """Whether the database refused what was written, and not the writing: other content may well succeed."""
    if isinstance(error, sqlite3.Error) and (code := _primary_code(error)) in _MEANING:
        return code == sqlite3.SQLITE_CONSTRAINT
    return True


def meaning(error: Exception) -> Exception:
    """The error for the caller; the very same one where SQLite says nothing that a caller could act on."""
    explain = _MEANING.get(_primary_code(error))
    return explain(str(error)) if explain else error


def _primary_code(error: Exception) -> int:
    """The low byte; the rest of an extended code is detail. Errors that the driver itself raises have none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
