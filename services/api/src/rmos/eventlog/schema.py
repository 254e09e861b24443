"""Tables of the event log, the same on every engine.

Rule 1: `events` is dense between `log_head.oldest` and `log_head.head`, and rows are never changed.
Rule 2: `log_head` has one row. Who appends takes the next offsets from it, in the transaction of the change: the row
lock makes offsets dense and commit-ordered on engines with many writers as well.
Rule 3: each event is chained to the one before (`eventlog.chain`). `log_head` keeps both ends of the chain, so that
retention may cut it at one end and nobody can cut it at the other.
Rule 4: what retention takes out of `events` leaves the newest version of each entity in `retired`, in the same
transaction. So `retired` and the events up to any offset from `oldest - 1` on make the shop as it was there.
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
    Column("cause", Text),
    Column("timestamp", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
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
    Column("anchor", LargeBinary, nullable=False, comment="hash of the event before the oldest"),
    Column("hash", LargeBinary, nullable=False, comment="hash of the newest event"),
    CheckConstraint("id = 1", name="single"),
)

retired: Final = Table(
    "retired",
    metadata,
    Column("key", Text, primary_key=True),
    Column("offset", offset_type, nullable=False),
    Column("type", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("channels", Text, comment="JSON list; NULL when there is none"),
    Column("actor", Text, nullable=False),
    Column("request_id", Text),
    Column("cause", Text),
    Column("timestamp", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
"""The newest event of each entity that left the log, unless that event was its deletion."""

epochs: Final = Table(
    "epochs",
    metadata,
    Column("epoch", Text, primary_key=True),
    Column("from_offset", offset_type, nullable=False),
    Column("reason", Text, nullable=False),
    Column("time", Text, nullable=False),
)
"""Every life of the log: its name, its first offset, and what began it."""
