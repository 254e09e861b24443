"""What the writer does between groups: the witness, retention, the size of the WAL.

Each step is short, so that a write never waits long for it; what is left is done in the next turn.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import ColumnElement, bindparam, delete, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from rmos.clock import to_timestamp
from rmos.domain.entities import KINDS
from rmos.domain.events import Category, event_type
from rmos.eventlog.base import LogHead
from rmos.eventlog.schema import events, log_head, retired
from rmos.eventlog.sqlite import read_head
from rmos.eventlog.sqlite_statement import Statement
from rmos.stores.schema import answers
from rmos.stores.sqlite.connection import WAL_BYTES, roll_back
from rmos.stores.sqlite.epoch import Witness

log = logging.getLogger(__name__)

PRUNE_ROWS: Final = 1000
"""Rows deleted in one transaction: some ten milliseconds."""
ANSWERS_KEPT: Final = timedelta(days=7)
_AFTER_COMMIT_S: Final = 1.0
_WHEN_IDLE_S: Final = 60.0
_AFTER_FAILURE_S: Final = 10.0

_FIRST_YOUNG: Final = Statement(
    select(events.c.offset)
    .where(events.c.offset <= bindparam("last"), events.c.timestamp >= bindparam("cutoff"))
    .order_by(events.c.offset)
    .limit(1)
)
_leaving: Final = select(*(events.c[column.name] for column in retired.c)).where(
    events.c.offset < bindparam("keep_from"), events.c.key.is_not(None), events.c.version.is_not(None)
)
_retire: Final = insert(retired).from_select(retired.c.keys(), _leaving.order_by(events.c.offset))
_RETIRE: Final = Statement(
    _retire.on_conflict_do_update(
        index_elements=[retired.c.key],
        set_={column.name: _retire.excluded[column.name] for column in retired.c if column.name != "key"},
    )
)
"""In order of the offsets, so that the newest of each entity stays."""


def _is_deletion(type_: ColumnElement[str]) -> ColumnElement[bool]:
    return or_(*(type_ == event_type(Category(kind.category), "deleted") for kind in KINDS))


_FORGET_DELETED: Final = Statement(
    delete(retired).where(
        retired.c.key.in_(
            select(events.c.key).where(events.c.offset < bindparam("keep_from"), _is_deletion(events.c.type))
        ),
        _is_deletion(retired.c.type),
    )
)
_PRUNE: Final = Statement(delete(events).where(events.c.offset < bindparam("keep_from")))
_MOVE_ANCHOR: Final = Statement(
    update(log_head).values(
        oldest=bindparam("keep_from"),
        anchor=select(events.c.hash).where(events.c.offset == bindparam("keep_from") - 1).scalar_subquery(),
    )
)
_PRUNE_ANSWERS: Final = Statement(
    delete(answers).where(
        answers.c.scope.in_(
            select(answers.c.scope).where(answers.c.created_at < bindparam("cutoff")).limit(bindparam("limit"))
        )
    )
)


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of the log is kept; None for no limit. An event goes when either limit says so."""

    days: float | None = None
    events: int | None = None


class Housekeeping:
    """Belongs to the writer's thread."""

    def __init__(self, connection: sqlite3.Connection, path: Path, witness: Witness, retention: Retention) -> None:
        self._connection = connection
        self._wal = path.with_name(f"{path.name}-wal")
        self._witness = witness
        self._retention = retention
        self._due = time.monotonic()

    def note_commit(self) -> None:
        """There is something new to look after, soon."""
        self._due = min(self._due, time.monotonic() + _AFTER_COMMIT_S)

    def due_in_s(self) -> float:
        """Seconds until `run_if_due` has something to do."""
        return max(0.0, self._due - time.monotonic())

    def run_if_due(self) -> None:
        """One short step, when it is time. What fails is tried again later: none of it is worth losing a write for."""
        if time.monotonic() < self._due:
            return
        try:
            self.record()
            more = self._prune_events() or self._prune_answers()
            self._bound_wal()
        except (sqlite3.Error, OSError) as error:
            log.warning("housekeeping failed and will be tried again", extra={"error": str(error)})
            self._due = time.monotonic() + _AFTER_FAILURE_S
        else:
            self._due = time.monotonic() + (0 if more else _WHEN_IDLE_S)
        finally:
            roll_back(self._connection)

    def record(self) -> None:
        """Tell the witness where the log stands.

        Raises:
            OSError: its file cannot be written.
        """
        head = read_head(self._connection)
        self._witness.record(head.epoch, head.offset)

    def _prune_events(self) -> bool:
        """Move the oldest events that are past retention out of the log. Whether there may be more of them."""
        head = read_head(self._connection)
        end = min(head.oldest + PRUNE_ROWS, head.offset + 1)
        keep_from = min(self._first_to_keep(head, end), end)
        if keep_from <= head.oldest:
            return False
        self._connection.execute("BEGIN IMMEDIATE")
        for statement in (_RETIRE, _FORGET_DELETED, _MOVE_ANCHOR, _PRUNE):
            statement.run(self._connection, keep_from=keep_from)
        self._connection.execute("COMMIT")
        return keep_from == head.oldest + PRUNE_ROWS

    def _first_to_keep(self, head: LogHead, end: int) -> int:
        """The smallest offset within both limits, as far as can be told from the events before `end`."""
        first = head.oldest
        if self._retention.events is not None:
            first = max(first, head.offset - self._retention.events + 1)
        if self._retention.days is not None:
            cutoff = _ago(timedelta(days=self._retention.days))
            young = _FIRST_YOUNG.run(self._connection, last=end - 1, cutoff=cutoff).fetchall()
            first = max(first, young[0][0] if young else end)
        return first

    def _prune_answers(self) -> bool:
        """Forget answers that nobody may still ask for. Whether there may be more of them."""
        return _PRUNE_ANSWERS.run(self._connection, cutoff=_ago(ANSWERS_KEPT), limit=PRUNE_ROWS).rowcount == PRUNE_ROWS

    def _bound_wal(self) -> None:
        """Readers that never pause can keep the WAL growing: then wait for them, a moment, and start it anew."""
        if self._wal.exists() and self._wal.stat().st_size > 2 * WAL_BYTES:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _ago(age: timedelta) -> str:
    return to_timestamp(datetime.now(UTC) - age)
