"""Copies of the database: made while a server writes, and put back while none runs.

Rule 1: a copy gets its name when it is whole, on the disk and found sound. Whatever interrupts it leaves at most a
file that ends in `.part`.
Rule 2: going back keeps the database that was there, and begins a new epoch: offsets will be given a second time.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn, TypeAlias

from sqlalchemy import delete

from rmos.errors import RmosError
from rmos.eventlog.audit import Ends, Walk
from rmos.eventlog.sqlite_audit import read_page
from rmos.eventlog.sqlite_statement import Statement
from rmos.stores.access_schema import sessions
from rmos.stores.sqlite.connection import connect_reader
from rmos.stores.sqlite.epoch import Witness, begin_epoch
from rmos.stores.sqlite.figures import remove_figures
from rmos.stores.sqlite.lock import ServerLock
from rmos.stores.sqlite.migrate import require_schema, upgrade

Report: TypeAlias = Callable[[str, int, int], None]
"""What is being done, how much of it is done, and how much there is."""

STEP_PAGES: Final = 2000
"""Pages (of 4 KiB) copied between two reports."""
BUSY_TIMEOUT_S: Final = 5.0
_SIDE_FILES: Final = ("-wal", "-shm")
_LOG_OUT: Final = Statement(delete(sessions))


class BackupError(RmosError):
    """A copy was not made, or not put back. The message is for the person who asked for it."""

    code = "backup"


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished copy: its size in bytes, and what its log says of itself."""

    path: Path
    size: int
    ends: Ends


@dataclass(frozen=True, slots=True)
class Restored:
    """The database that was put back.

    Attributes:
        epoch: Its new epoch.
        head: Newest offset of its log.
        aside: Where the database that was there before is now; None when there was none.
    """

    epoch: str
    head: int
    aside: Path | None


def back_up(database: Path, target: Path, report: Report) -> Backup:
    """Copy the database of one moment to `target`, beside whatever writes to it, and verify the copy.

    Raises:
        BackupError: `target` is there already, the disk is full, or the copy is not sound.
        StartupError: the database has another schema than this RMOS.
    """
    if not database.exists():
        raise BackupError(f"there is no database {database}; choose its folder with --data")
    _refuse_existing(target)
    try:
        with closing(connect_reader(database, busy_timeout_s=BUSY_TIMEOUT_S)) as connection:
            require_schema(database, connection)
        number, name = tempfile.mkstemp(prefix=f"{target.name}.", suffix=".part", dir=target.parent)
        os.close(number)
        part = Path(name)
        try:
            _copy(database, part, report)
            ends = _verify(part, report)
            _flush(part)
            _give_name(part, target)
        finally:
            _remove(part)
        _flush(target.parent)
        return Backup(target, target.stat().st_size, ends)
    except (sqlite3.Error, OSError) as error:
        _explain(error, target.parent)


def restore(backup: Path, database: Path, report: Report, *, even_if_changed: bool = False) -> Restored:
    """Put the copy in the place of the database. No server may run; the copy itself is not touched.

    Args:
        even_if_changed: Also when the chain of its log is broken.

    Raises:
        BackupError: it is not there, not sound, or the disk is full; nothing was changed then.
        StartupError: a server is running, or the copy is of a newer RMOS or another program.
    """
    if not backup.is_file():
        raise BackupError(f"there is no file {backup}")
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        lock = ServerLock(database)
        part = database.with_name(f"{database.name}.restore.part")
        try:
            if database.exists() and database.samefile(backup):
                raise BackupError(f"{backup} is the database itself")
            _remove(part)
            _copy(backup, part, report)
            upgrade(part)
            ends = _verify(part, report, even_if_changed=even_if_changed)
            epoch = _begin_anew(part, ends)
            _flush(part)
            aside = _set_aside(database)
            remove_figures(database)
            os.replace(part, database)
            _flush(database.parent)
            Witness(database).record(epoch, ends.head)
            return Restored(epoch, ends.head, aside)
        finally:
            _remove(part)
            lock.release()
    except (sqlite3.Error, OSError) as error:
        _explain(error, database.parent)


def _copy(source: Path, target: Path, report: Report) -> None:
    """All pages as they are at one moment. A writer goes on meanwhile; only its WAL is not cut back."""
    with (
        closing(connect_reader(source, busy_timeout_s=BUSY_TIMEOUT_S)) as origin,
        closing(connect_copy(target)) as copy,
    ):
        origin.execute("BEGIN")
        origin.execute("SELECT count(*) FROM sqlite_master").fetchall()  # from here on it sees this moment only
        origin.backup(
            copy, pages=STEP_PAGES, progress=lambda _, left, total: report("copying", total - left, total), sleep=0
        )
        origin.execute("ROLLBACK")
        copy.execute("PRAGMA journal_mode=DELETE").fetchall()  # one file, with nothing beside it


def connect_copy(path: Path) -> sqlite3.Connection:
    """A connection to a copy in the making."""
    return sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)


def _verify(path: Path, report: Report, *, even_if_changed: bool = False) -> Ends:
    """Make sure that the copy can be relied on.

    Raises:
        BackupError: it is damaged, or its log is not what it was.
        StartupError: it has another schema.
    """
    with closing(connect_copy(path)) as connection:
        require_schema(path, connection)
        report("checking the pages", 0, 1)
        ((result, *_),) = connection.execute("PRAGMA integrity_check(1)").fetchall()
        if result != "ok":
            raise BackupError(f"the copy is damaged: {result}")
        walk = Walk()
        while not walk.feed(read_page(connection, walk.after)):
            if walk.ends is not None:
                report("verifying the log", walk.checked, walk.ends.head - walk.ends.oldest + 1)
    if walk.fault is not None and not even_if_changed:
        raise BackupError(f"the log is not what it was; event {walk.fault.offset}: {walk.fault.reason}")
    assert walk.ends is not None  # noqa: S101  # a walk has read one page at least
    return walk.ends


def _begin_anew(path: Path, ends: Ends) -> str:
    """Give the copy a new epoch, and log everybody out: some sessions may have been ended since."""
    with closing(connect_copy(path)) as connection:
        _LOG_OUT.run(connection)
        return begin_epoch(connection, f"restored: epoch {ends.epoch} as it was at event {ends.head}")


def _set_aside(database: Path) -> Path | None:
    """Give the present database a second name, under which it stays. Its first name stays too, until it is replaced."""
    if not database.exists():
        return None
    # It may be damaged, and that the reason why somebody goes back.
    with closing(connect_copy(database)) as connection, suppress(sqlite3.DatabaseError):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    aside = database.with_name(f"{database.name}.before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
    _link(database, aside)
    for ending in _SIDE_FILES:  # a WAL that stayed would be taken for one of the new database
        side = database.with_name(f"{database.name}{ending}")
        if side.exists():
            os.replace(side, aside.with_name(f"{aside.name}{ending}"))
    return aside


def _refuse_existing(target: Path) -> None:
    if not target.parent.is_dir():
        raise BackupError(f"there is no folder {target.parent}")
    if target.exists():
        raise BackupError(f"{target} is there already; choose another name")


def _give_name(part: Path, target: Path) -> None:
    """Never over a file that somebody else has put there meanwhile."""
    _refuse_existing(target)
    try:
        _link(part, target)
    except FileExistsError:
        _refuse_existing(target)
        raise


def _link(path: Path, name: Path) -> None:
    """A second name for the file; a copy of it where the file system has no second names."""
    try:
        os.link(path, name)
    except FileExistsError:
        raise
    except OSError:
        os.replace(path, name)


def _remove(part: Path) -> None:
    for ending in ("", "-journal", *_SIDE_FILES):
        part.with_name(f"{part.name}{ending}").unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Force a file, or the names in a folder, to the disk."""
    if os.name == "nt" and path.is_dir():
        return  # Windows has no such thing
    number = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _explain(error: sqlite3.Error | OSError, folder: Path) -> NoReturn:
    """Raise what the person can act on."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL or getattr(error, "errno", None) == errno.ENOSPC:
        raise BackupError(f"the disk of {folder} is full; free some space, or choose another place") from error
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        raise BackupError(f"the file is no usable database: {error}") from error
    raise BackupError(f"the copy failed: {error}") from error
