"""Reads of the stores on a reader's connection. Those of several statements see one state of the database."""

from __future__ import annotations

import sqlite3
from functools import lru_cache
from pathlib import Path
from typing import Final

import orjson
from sqlalchemy import func, select

from rmos.domain.access import AccessBook
from rmos.domain.entities import KINDS, STRIP_FAMILY, JsonValue, Kind
from rmos.domain.jobs import STATUSES
from rmos.eventlog.schema import events
from rmos.eventlog.sqlite import read_head
from rmos.eventlog.sqlite_statement import PackedSelect, Statement, read_transaction
from rmos.stores import queries
from rmos.stores.base import ListQuery, Overview, Page, Running
from rmos.stores.paging import Place
from rmos.stores.queries import Shape
from rmos.stores.sqlite.access import read_book
from rmos.stores.sqlite.migrate import SCHEMA_VERSION

_STATISTICS: Final = {name: Statement(statement) for name, statement in queries.STATISTICS.items()}
_MATERIAL_COUNTS: Final = Statement(queries.MATERIAL_COUNTS)
_JOBS_BY_STATUS: Final = Statement(queries.JOBS_BY_STATUS)
_RUNNING_JOBS: Final = Statement(queries.RUNNING_JOBS)
_COUNT: Final = {name: Statement(statement) for name, statement in queries.COUNT.items()}
_COUNT_EVENTS: Final = Statement(select(func.count()).select_from(events))


@lru_cache(maxsize=256)
def _page_sql(shape: Shape) -> PackedSelect:
    return PackedSelect(queries.page_statement(shape), document="body")


@lru_cache(maxsize=256)
def _place_sql(shape: Shape) -> Statement:
    return Statement(queries.place_statement(shape))


@lru_cache(maxsize=256)
def _total_sql(shape: Shape) -> Statement:
    return Statement(queries.total_statement(shape))


def page(connection: sqlite3.Connection, kind: Kind, query: ListQuery) -> Page:
    """One page of a list (`stores.base.Stores.page`)."""
    shape, values = queries.read_query(kind, query)
    with read_transaction(connection):
        ((total,),) = _total_sql(queries.for_total(shape)).run(connection, **values).fetchall()
        rows = _page_sql(shape).with_documents(connection, **values)
        following = None
        if len(rows) > query.limit:
            (last_id,), _ = rows[query.limit - 1]
            (last,) = _place_sql(queries.for_place(shape)).run(connection, id=last_id).fetchall()
            following = str(Place(shape.order, last))
    return Page([body for _, body in rows[: query.limit]], total, following)


def statistics(connection: sqlite3.Connection, kind: Kind) -> dict[str, JsonValue]:
    """The published statistics of the kind."""
    with read_transaction(connection):
        (row,) = _STATISTICS[kind.name].run(connection).fetchall()
        materials = _MATERIAL_COUNTS.run(connection).fetchall() if kind == STRIP_FAMILY else []
    return queries.statistics(kind, row, materials)


def overview(connection: sqlite3.Connection) -> Overview:
    """Counts of the shop."""
    with read_transaction(connection):
        by_status = dict(_JOBS_BY_STATUS.run(connection).fetchall())
        return Overview(dict.fromkeys(STATUSES, 0) | by_status, _counts(connection))


def running(connection: sqlite3.Connection) -> Running:
    """The jobs that run now."""
    with read_transaction(connection):
        bodies = _RUNNING_JOBS.run(connection).fetchall()
        offset = read_head(connection).offset
    return Running([orjson.loads(body) for (body,) in bodies], offset)


def access(connection: sqlite3.Connection) -> AccessBook:
    """Everybody who may come in."""
    with read_transaction(connection):
        return read_book(connection)


def status(connection: sqlite3.Connection, path: Path) -> dict[str, JsonValue]:
    """Schema version, counts and size; the path itself is not told."""
    with read_transaction(connection):
        counts: dict[str, JsonValue] = dict(_counts(connection))
        ((logged,),) = _COUNT_EVENTS.run(connection).fetchall()
    files = (path, path.with_name(f"{path.name}-wal"))
    return {
        "engine": "sqlite",
        "schema_version": SCHEMA_VERSION,
        "counts": counts,
        "events": logged,
        "size_bytes": sum(file.stat().st_size for file in files if file.exists()),
    }


def _counts(connection: sqlite3.Connection) -> dict[str, int]:
    return {kind.plural: _COUNT[kind.name].run(connection).fetchall()[0][0] for kind in KINDS}
