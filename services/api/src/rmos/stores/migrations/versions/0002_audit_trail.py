"""audit trail: a hash chain over the events, their causes, what retention leaves behind, and the lives of the log

`events` is written anew, because every row gets its hash, and so is `log_head`. All of it is one transaction: a start
that is interrupted leaves the database as it was, and the next one begins again.
"""

from __future__ import annotations

import logging
import sqlite3
from typing import Final

import orjson
import sqlalchemy as sa
from alembic import op

from rmos.clock import utc_now
from rmos.domain.events import ACTOR_SYSTEM, NewEvent
from rmos.eventlog.chain import GENESIS, link

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

log = logging.getLogger("rmos.stores.migrations")

_OFFSET = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_EVENTS_A_LINE: Final = 100_000
"""Events after which the log says how far the chain has come: a second or two."""
_TABLES: Final = {"pattern": "patterns", "job": "joblogs", "material": "strip_families"}


def upgrade() -> None:
    """From 0001, with whatever events there are."""
    op.rename_table("events", "events_0001")
    op.rename_table("log_head", "log_head_0001")
    _create_tables()
    connection = op.get_bind().connection.driver_connection
    assert isinstance(connection, sqlite3.Connection)  # noqa: S101  # the statements below are those of SQLite
    newest_hash = _chain(connection)
    connection.execute(
        "INSERT INTO log_head (id, epoch, head, oldest, anchor, hash) "
        "SELECT id, epoch, head, oldest, ?, ? FROM log_head_0001",
        (GENESIS, newest_hash),
    )
    connection.execute(
        "INSERT INTO epochs SELECT epoch, oldest, 'present when the audit trail began', ? FROM log_head", (utc_now(),)
    )
    _retire_what_is_gone(connection)
    op.drop_table("events_0001")
    op.drop_table("log_head_0001")
    op.create_index("ix_events_key_offset", "events", ["key", "offset"])
    op.create_index("ix_events_category_offset", "events", ["category", "offset"])


def _create_tables() -> None:
    op.create_table(
        "events",
        sa.Column("offset", _OFFSET, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("version", sa.Integer),
        sa.Column("channels", sa.Text, comment="JSON list; NULL when there is none"),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text),
        sa.Column("cause", sa.Text),
        sa.Column("timestamp", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("offset", name="pk_events"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "log_head",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Text, nullable=False),
        sa.Column("head", _OFFSET, nullable=False),
        sa.Column("oldest", _OFFSET, nullable=False),
        sa.Column("anchor", sa.LargeBinary, nullable=False, comment="hash of the event before the oldest"),
        sa.Column("hash", sa.LargeBinary, nullable=False, comment="hash of the newest event"),
        sa.PrimaryKeyConstraint("id", name="pk_log_head"),
        sa.CheckConstraint("id = 1", name=op.f("ck_log_head_single")),
    )
    op.create_table(
        "retired",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("offset", _OFFSET, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("channels", sa.Text, comment="JSON list; NULL when there is none"),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text),
        sa.Column("cause", sa.Text),
        sa.Column("timestamp", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_retired"),
    )
    op.create_table(
        "epochs",
        sa.Column("epoch", sa.Text, nullable=False),
        sa.Column("from_offset", _OFFSET, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("time", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("epoch", name="pk_epochs"),
    )


def _chain(connection: sqlite3.Connection) -> bytes:
    """Copy the events, each with its hash. The hash of the newest one."""
    ((count,),) = connection.execute("SELECT count(*) FROM events_0001").fetchall()
    previous = GENESIS
    rows = connection.execute(
        'SELECT "offset", type, category, key, version, channels, actor, request_id, timestamp, data '
        'FROM events_0001 ORDER BY "offset"'
    )
    for done, (offset, type_, category, key, version, channels, actor, request_id, timestamp, data) in enumerate(rows):
        if done % _EVENTS_A_LINE == 0 and done:
            log.info("chaining the events of the log", extra={"done": done, "of": count})
        event = NewEvent(type_, data, timestamp, key, version, _channels(channels), actor, request_id)
        previous = link(previous, event, offset)
        connection.execute(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, ?)",
            (offset, type_, category, key, version, channels, actor, request_id, timestamp, data, previous),
        )
    return previous


def _channels(text: str | None) -> tuple[str, ...]:
    return tuple(orjson.loads(text)) if text else ()


def _retire_what_is_gone(connection: sqlite3.Connection) -> None:
    """Entities that no event tells of any more, because retention ran before there was `retired`: as they are now.

    Older versions of those that were changed since are gone for good.
    """
    shortened = connection.execute("SELECT oldest FROM log_head WHERE oldest > 1").fetchall()
    if not shortened:
        return
    ((oldest,),) = shortened
    for category, table in _TABLES.items():
        connection.execute(
            # The table is one of three names; everything else is a parameter.
            f"""
            INSERT INTO retired
            SELECT :category || '/' || entity.id, :before, :category || ':updated', :category, entity.version,
                   NULL, :actor, NULL, NULL, entity.updated_at, entity.body
            FROM {table} AS entity
            WHERE NOT EXISTS (
                SELECT 1 FROM events
                WHERE events.key = :category || '/' || entity.id AND events.version IS NOT NULL
            )
            """,  # noqa: S608
            {"category": category, "before": oldest - 1, "actor": ACTOR_SYSTEM},
        )
