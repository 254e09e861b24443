"""Tables of who may come in, and how a record becomes a row.

Rule: `access_head.version` rises in every transaction that changes one of the other tables, so whoever keeps a copy
sees by one number whether it is still true, also when another program made the change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from sqlalchemy import CheckConstraint, Column, Integer, Table, Text

from rmos.domain.access import AccessRecord, ApiKey, Role, Session, User
from rmos.eventlog.schema import metadata

users: Final = Table(
    "users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("password", Text, comment="Argon2 hash; NULL: no login by password"),
    Column("channels", Text, comment="JSON list; NULL: no limit"),
    Column("disabled", Integer, nullable=False),
)
api_keys: Final = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("digest", Text, nullable=False, comment="SHA-256 of the secret"),
    Column("created_at", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("channels", Text, comment="JSON list; NULL: no limit"),
    Column("expires_at", Text),
)
sessions: Final = Table(
    "sessions",
    metadata,
    Column("digest", Text, primary_key=True, comment="SHA-256 of the cookie"),
    Column("user", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
)
access_head: Final = Table(
    "access_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    CheckConstraint("id = 1", name="single"),
)

ACCESS_TABLE: Final[Mapping[type[AccessRecord], Table]] = {User: users, ApiKey: api_keys, Session: sessions}


def row_of(record: AccessRecord) -> tuple[object, ...]:
    """The values in the order of the columns of the record's table."""
    return tuple(_to_column(getattr(record, column.name)) for column in ACCESS_TABLE[type(record)].columns)


def _to_column(value: object) -> object:
    return orjson.dumps(sorted(value)).decode() if isinstance(value, frozenset) else value


def record_of(kind: type[AccessRecord], row: tuple[Any, ...]) -> AccessRecord:  # Any: as the columns are
    """The record in a row of its table."""
    values = dict(zip((column.name for column in ACCESS_TABLE[kind].columns), row, strict=True))
    if "role" in values:
        values["role"] = Role(values["role"])
    if values.get("channels") is not None:
        values["channels"] = frozenset(orjson.loads(values["channels"]))
    if "disabled" in values:
        values["disabled"] = bool(values["disabled"])
    return kind(**values)
