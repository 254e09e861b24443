"""Tables of the event log, the same on every engine.

Rule 1: `events` is dense between `log_head.oldest` and `log_head.head`, and rows are never changed.
Rule 2: `log_head` has one row. Who appends takes the next offsets from it, in the transaction of the change: the row
lock makes offsets dense and commit-ordered on engines with many writers as well.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, LargeBinary, MetaData, Table, Text

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)
"""Every constraint has a name, so that a later migration can drop it."""

offset_type: Final = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits everywhere; SQLite gives them (and AUTOINCREMENT) only to a column spelt INTEGER."""

events: Final = Table(
    "events",
    metadata,
    Column("offset", offset_type, primary_key=True, autoincrement=False),
    Column("type", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("key", Text),
    Column("version", Integer),
    Column("channels", Text, comment="JSON list; NULL when there is none"),
    Column("actor", Text, nullable=False),
    Column("request_id", Text),
    Column("timestamp", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Index("ix_events_key_offset", "key", "offset"),
    Index("ix_events_category_offset", "category", "offset"),
    sqlite_autoincrement=True,
)

log_head: Final = Table(
    "log_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", Text, nullable=False),
    Column("head", offset_type, nullable=False),
    Column("oldest", offset_type, nullable=False),
    CheckConstraint("id = 1", name="single"),
)
