"""The witness beside the database: which epoch it was in, and an offset it is known to have reached.

A database that is behind its witness was rolled back or replaced, for instance by an older backup. Its next offsets
would be given a second time, with other events, so it gets a new epoch and every client learns that its cursor is void.

Rule: the witness is written after the commit it tells of, so at any crash it is at or behind the database, never ahead.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from pathlib import Path
from typing import Final

import orjson
from sqlalchemy import bindparam, insert, select, update

from rmos.clock import utc_now
from rmos.domain.ids import short_name
from rmos.eventlog.base import LogHead
from rmos.eventlog.chain import GENESIS
from rmos.eventlog.schema import epochs, log_head
from rmos.eventlog.sqlite import read_head
from rmos.eventlog.sqlite_statement import Statement
from rmos.stores.sqlite.connection import roll_back

log = logging.getLogger(__name__)

_EXISTS: Final = Statement(select(log_head.c.id))
_INSERT: Final = Statement(
    insert(log_head).values(id=1, epoch=bindparam("new_epoch"), head=0, oldest=1, anchor=GENESIS, hash=GENESIS)
)
_RENAME: Final = Statement(update(log_head).values(epoch=bindparam("new_epoch")))
_RECORD: Final = Statement(
    insert(epochs).values(
        epoch=bindparam("new_epoch"), from_offset=bindparam("start"), reason=bindparam("why"), time=bindparam("now")
    )
)


class Witness:
    """The file `<database>.epoch.json`. Used by one thread at a time."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}.epoch.json")
        self._recorded: tuple[str, int] | None = None

    def settle(self, connection: sqlite3.Connection) -> LogHead:
        """Compare with the database at start, give it a new epoch where it must have one, and record the result.

        Raises:
            OSError: the file cannot be written.
        """
        known = self._load()
        if not _EXISTS.run(connection).fetchall():
            _begin(connection, "created")
            if known:
                log.warning("the database was missing and has been made anew; the log has a new epoch")
        elif known and (reason := _replaced(read_head(connection), *known)):
            begin_epoch(connection, f"replaced: {reason}")
            log.warning("the database was replaced; the log has a new epoch", extra={"reason": reason})
        head = read_head(connection)
        self.record(head.epoch, head.offset)
        return head

    def record(self, epoch: str, head: int) -> None:
        """Replace the file in one step; nothing is done when it says so already.

        Not forced to the disk: an older or lost witness only proves less.

        Raises:
            OSError: the file cannot be written.
        """
        if self._recorded == (epoch, head):
            return
        fresh = self._path.with_name(f"{self._path.name}.new")
        fresh.write_bytes(orjson.dumps({"epoch": epoch, "head": head}))
        os.replace(fresh, self._path)
        self._recorded = (epoch, head)

    def _load(self) -> tuple[str, int] | None:
        try:
            content = orjson.loads(self._path.read_bytes())
            return str(content["epoch"]), int(content["head"])
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as error:
            log.warning("the epoch file cannot be read and is made anew", extra={"error": str(error)})
            return None


def begin_epoch(connection: sqlite3.Connection, reason: str) -> str:
    """Give the log a new epoch, which begins after its head. Returns its name.

    Args:
        reason: Shown to who verifies the log: `replaced: …`, `restored: …`.
    """
    return _begin(connection, reason, after=read_head(connection))


def _begin(connection: sqlite3.Connection, reason: str, after: LogHead | None = None) -> str:
    """Begin the first epoch of an empty log, or one after another."""
    epoch = short_name()
    connection.execute("BEGIN IMMEDIATE")
    try:
        (_RENAME if after else _INSERT).run(connection, new_epoch=epoch)
        _RECORD.run(connection, new_epoch=epoch, start=after.offset + 1 if after else 1, why=reason, now=utc_now())
        connection.execute("COMMIT")
    finally:
        roll_back(connection)
    return epoch


def _replaced(found: LogHead, epoch: str, head: int) -> str | None:
    """Why this is not the database that the witness saw, or None."""
    if found.epoch != epoch:
        return f"it is in epoch {found.epoch}, and {epoch} was in use"
    if found.offset < head:
        return f"it ends at event {found.offset}, and event {head} had been written"
    return None
