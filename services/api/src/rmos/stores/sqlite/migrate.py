"""Bring the file to the present schema, all in one transaction, before anybody else opens it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from rmos.errors import StartupError

SCHEMA_VERSION: Final = "0006"
"""The newest migration, held against the folder by a test. So a start with nothing to do need not load alembic."""

LOCK_TIMEOUT_S: Final = 5.0
"""Seconds that a start waits for another program to let go of the file."""

_SCRIPTS: Final = Path(__file__).resolve().parents[1] / "migrations"


def upgrade(path: Path) -> None:
    """Create or upgrade the database at `path`.

    Raises:
        StartupError: made by a newer RMOS, or by another program.
        sqlite3.Error: not a database, or it cannot be written.
    """
    found = schema_version(path)
    if found == SCHEMA_VERSION:
        return
    known = [file.name.partition("_")[0] for file in (_SCRIPTS / "versions").glob("[0-9]*.py")]
    if found is not None and found not in known:
        raise StartupError(
            f"the database {path} was made by a newer RMOS (schema {found}, this one knows {SCHEMA_VERSION}); "
            "update RMOS, or choose another folder with --data"
        )
    _run_alembic(path)


def require_schema(path: Path, connection: sqlite3.Connection) -> None:
    """Make sure that the database can be read as it is.

    Raises:
        StartupError: it has another schema than this RMOS, or is none of RMOS.
    """
    found = _version_in(connection)
    if found == SCHEMA_VERSION:
        return
    if found is None:
        raise StartupError(f"{path} is no database of RMOS")
    advice = "run `rmos migrate`, or start the server once" if found < SCHEMA_VERSION else "update RMOS"
    raise StartupError(f"the database {path} has schema {found}, this RMOS reads {SCHEMA_VERSION}; {advice}")


def schema_version(path: Path) -> str | None:
    """The schema version in the file, None for a new or empty one."""
    with closing(sqlite3.connect(path, timeout=LOCK_TIMEOUT_S)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables and "alembic_version" not in tables:
            raise StartupError(f"{path} belongs to another program; choose another folder with --data")
        return _version_in(connection)


def _version_in(connection: sqlite3.Connection) -> str | None:
    """The schema version, None where there is none."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchall():
        return None
    versions = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    return str(versions[0][0]) if versions else None


def _run_alembic(path: Path) -> None:
    """All migrations that are missing. Alembic takes a third of a second to import, and most starts need none."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import NullPool

    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool, connect_args={"timeout": LOCK_TIMEOUT_S})

    @event.listens_for(engine, "connect")
    def _leave_transactions_to_us(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver would begin none before DDL

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        command.upgrade(config, "head")
        connection.exec_driver_sql("COMMIT")
    engine.dispose()
