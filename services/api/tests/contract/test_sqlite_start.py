"""Opening a SQLite file: what is made, what is refused and how it is said."""

from __future__ import annotations

import os
import re
import sqlite3
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from rmos.domain.entities import PATTERN
from rmos.errors import StartupError
from rmos.stores import migrations
from rmos.stores.schema import metadata
from rmos.stores.sqlite import SqliteStores, open_sqlite
from rmos.stores.sqlite.migrate import SCHEMA_VERSION
from tests.contract.builders import making


def nobody() -> None:
    """Nobody listens to commits."""


async def opened(path: Path) -> SqliteStores:
    return await open_sqlite(path, on_commit=nobody)


async def refusal(path: Path) -> str:
    """The one sentence of a start that fails."""
    with pytest.raises(StartupError) as refused:
        await opened(path)
    sentence = refused.value.message
    assert "\n" not in sentence
    assert str(path.parent) in sentence
    return sentence


async def test_folder_and_file_are_made(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "100% ä" / "rmos.db"

    stores = await opened(path)
    await stores.write(making(PATTERN, id="p"))
    assert await stores.get(PATTERN, "p") is not None
    await stores.close()

    assert path.exists()


async def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    path = tmp_path / "rmos.db"
    path.touch()

    stores = await opened(path)
    await stores.write(making(PATTERN))
    await stores.close()


async def test_a_second_server_is_refused_until_the_first_has_closed(tmp_path: Path) -> None:
    path = tmp_path / "rmos.db"
    first = await opened(path)

    sentence = await refusal(path)
    await first.write(making(PATTERN))
    await first.close()
    second = await opened(path)
    await second.close()

    assert f"another RMOS server (process {os.getpid()})" in sentence
    assert "--data" in sentence


async def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rmos.db"
    await (await opened(path)).close()
    execute(path, "UPDATE alembic_version SET version_num = '9999'")

    assert f"was made by a newer RMOS (schema 9999, this one knows {SCHEMA_VERSION})" in await refusal(path)
    execute(path, f"UPDATE alembic_version SET version_num = '{SCHEMA_VERSION}'")
    await (await opened(path)).close()


def execute(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(sql)
    connection.close()


async def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "rmos.db"
    execute(path, "CREATE TABLE patterns (id INTEGER)")

    assert "belongs to another program" in await refusal(path)


async def test_what_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "rmos.db"
    path.write_bytes(b"Dear diary, " * 1000)

    assert "is no usable database" in await refusal(path)
    assert path.read_bytes() == b"Dear diary, " * 1000


async def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")

    assert "cannot write to" in await refusal(tmp_path / "data" / "rmos.db")


async def test_a_folder_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "rmos.db").mkdir()

    assert "cannot open the database" in await refusal(tmp_path / "rmos.db")


async def test_a_database_locked_by_another_program_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rmos.stores.sqlite.migrate.LOCK_TIMEOUT_S", 0.1)
    path = tmp_path / "rmos.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    assert "another program has locked the database" in await refusal(path)
    other.close()


def schema_of(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """What each table and index consists of, whatever the order of its parts."""
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")
    # A column that was added later stands on the line of the one before it.
    texts = {name: re.sub(r", (\w+ \w+ GENERATED)", r"\n\1", sql) for name, sql in rows}
    return {name: sorted(line.strip(" ,\t") for line in sql.splitlines()) for name, sql in texts.items()}


async def test_migrations_lead_to_the_schema_of_the_code(tmp_path: Path) -> None:
    await (await opened(tmp_path / "rmos.db")).close()
    migrated = sqlite3.connect(tmp_path / "rmos.db")
    engine = create_engine(f"sqlite:///{tmp_path / 'direct.db'}")
    metadata.create_all(engine)
    engine.dispose()
    direct = sqlite3.connect(tmp_path / "direct.db")

    by_migration = schema_of(migrated)
    by_code = schema_of(direct)
    migrated.close()
    direct.close()

    del by_migration["alembic_version"]
    assert by_migration == by_code
    assert any("AUTOINCREMENT" in line for line in by_code["events"])


def test_the_schema_version_is_that_of_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))

    assert ScriptDirectory.from_config(config).get_current_head() == SCHEMA_VERSION
