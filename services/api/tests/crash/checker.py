"""What must be true of a database after its server was killed. Reads the tables itself and shares no code with it.

1. SQLite finds the file whole, and every reference leads somewhere.
2. Offsets are dense from the oldest to the head.
3. The epoch is the one before the kill.
4. No acknowledged write without its event: exactly one event for its key and version.
5. No write without its event: each row is byte for byte what its newest event says.
6. No event without its write: who was not deleted last has a row.
7. The versions of one key are 1, 2, 3, … without gap or repeat.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_TABLES = {"pattern": "patterns", "job": "joblogs", "material": "strip_families"}


class Acked(NamedTuple):
    """A write that somebody was told had succeeded: after it, the entity had this version."""

    key: str
    version: int


class _Logged(NamedTuple):
    offset: int
    key: str
    version: int
    type: str
    data: bytes


def epoch_of(path: Path) -> str:
    """The epoch in the database."""
    connection = sqlite3.connect(path)
    try:
        return str(connection.execute("SELECT epoch FROM log_head").fetchone()[0])
    finally:
        connection.close()


def faults(path: Path, acked: Iterable[Acked], *, epoch: str) -> list[str]:
    """Everything that is not as it must be, a sentence each."""
    connection = sqlite3.connect(path)
    try:
        rows = {
            f"{category}/{entity_id}": (version, bytes(body))
            for category, table in _TABLES.items()
            for entity_id, version, body in connection.execute(f"SELECT id, version, body FROM {table}")
        }
        log = [
            _Logged(*row)
            for row in connection.execute('SELECT "offset", key, version, type, data FROM events ORDER BY "offset"')
        ]
        return [
            *_of_file(connection),
            *_of_head(connection, [event.offset for event in log], epoch),
            *_of_acknowledged(acked, log),
            *_of_rows(rows, log),
            *_of_versions(log),
        ]
    finally:
        connection.close()


def _of_file(connection: sqlite3.Connection) -> Iterable[str]:
    for (result,) in connection.execute("PRAGMA integrity_check"):
        if result != "ok":
            yield f"integrity_check: {result}"
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        yield f"row {row} of {table} refers to nothing in {parent}"


def _of_head(connection: sqlite3.Connection, offsets: list[int], epoch: str) -> Iterable[str]:
    ((found, head, oldest),) = connection.execute("SELECT epoch, head, oldest FROM log_head").fetchall()
    if found != epoch:
        yield f"the epoch is {found}; it was {epoch}"
    if offsets != list(range(oldest, head + 1)):
        yield f"{len(offsets)} offsets are not dense from {oldest} to {head}"


def _of_acknowledged(acked: Iterable[Acked], log: list[_Logged]) -> Iterable[str]:
    times = Counter(Acked(event.key, event.version) for event in log)
    for write in acked:
        if times[write] != 1:
            yield f"{write.key} version {write.version} was acknowledged and has {times[write]} events"


def _of_rows(rows: dict[str, tuple[int, bytes]], log: list[_Logged]) -> Iterable[str]:
    newest = {event.key: event for event in log}
    for key, (version, body) in rows.items():
        event = newest.get(key)
        if event is None:
            yield f"{key} is stored and has no event"
        elif (event.version, bytes(event.data)) != (version, body) or event.type.endswith(":deleted"):
            yield f"{key} is stored as version {version}; its newest event is {event.type} of version {event.version}"
    for key, event in newest.items():
        if key not in rows and not event.type.endswith(":deleted"):
            yield f"{key} has the event {event.type} of version {event.version} and is not stored"


def _of_versions(log: list[_Logged]) -> Iterable[str]:
    versions: dict[str, list[int]] = {}
    for event in log:
        versions.setdefault(event.key, []).append(event.version)
    for key, found in versions.items():
        if found != list(range(1, len(found) + 1)):
            yield f"{key} has events of the versions {found}"
