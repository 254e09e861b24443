"""Copies of a database in use, and going back to them."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from rmos.domain.entities import PATTERN
from rmos.errors import StartupError
from rmos.stores.sqlite import SqliteStores, backup, open_sqlite
from rmos.stores.sqlite.backup import BackupError, back_up, restore
from tests.contract.builders import making


def nobody(*_: object) -> None:
    """Nobody listens, neither to commits nor to reports."""


def read(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(sql).fetchall()


def change(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        assert database.execute(sql).rowcount


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data" / "rmos.db"


@pytest.fixture
async def stores(path: Path) -> AsyncIterator[SqliteStores]:
    """A shop with forty patterns."""
    opened = await open_sqlite(path, on_commit=nobody)
    await asyncio.gather(*(opened.write(making(PATTERN, id=f"p{number}")) for number in range(40)))
    yield opened
    await opened.close()


async def closed(stores: SqliteStores, path: Path) -> Path:
    """A backup of the shop, which is closed then."""
    target = path.with_name("backup.db")
    await asyncio.to_thread(back_up, path, target, nobody)
    await stores.write(making(PATTERN, id="after"))
    await stores.close()
    return target


async def test_a_copy_is_of_one_moment_while_writes_go_on(
    stores: SqliteStores, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "STEP_PAGES", 5)
    target = tmp_path / "backup.db"
    loop = asyncio.get_running_loop()
    written = []

    def write_meanwhile(what: str, done: int, total: int) -> None:
        if what == "copying":
            writing = asyncio.run_coroutine_threadsafe(stores.write(making(PATTERN, id=f"late{len(written)}")), loop)
            written.append(writing.result(10))

    made = await asyncio.to_thread(back_up, path, target, write_meanwhile)

    assert len(written) > 3
    assert (made.ends.head, made.path) == (40, target)
    assert read(target, "SELECT count(*), max(offset) FROM events") == [(40, 40)]
    assert read(target, "SELECT count(*) FROM patterns") == [(40,)]
    assert names_in(tmp_path) == ["backup.db", "data"], "nothing is left beside it"


async def test_a_file_that_is_there_is_not_overwritten(stores: SqliteStores, path: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"

    def appear(*_: object) -> None:
        target.write_text("somebody else's")

    with pytest.raises(BackupError, match="is there already"):
        back_up(path, target, appear)
    with pytest.raises(BackupError, match="is there already"):
        back_up(path, target, nobody)

    assert target.read_text() == "somebody else's"
    assert names_in(tmp_path) == ["backup.db", "data"]


async def test_a_full_disk_is_told_and_leaves_nothing(
    stores: SqliteStores, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = backup.connect_copy

    def small(target: Path) -> sqlite3.Connection:
        connection = connect(target)
        connection.execute("PRAGMA max_page_count = 10").fetchall()
        return connection

    monkeypatch.setattr(backup, "connect_copy", small)

    with pytest.raises(BackupError, match=r"the disk of .* is full"):
        back_up(path, tmp_path / "backup.db", nobody)

    assert names_in(tmp_path) == ["data"]
    await stores.write(making(PATTERN))


async def test_a_kill_leaves_no_file_under_the_final_name(stores: SqliteStores, path: Path, tmp_path: Path) -> None:
    program = """
import os, signal, sys
from pathlib import Path
from rmos.stores.sqlite import backup
backup.STEP_PAGES = 5
def die(what, done, total):
    if what == sys.argv[3] and done >= total // 2:
        os.kill(os.getpid(), signal.SIGKILL)
backup.back_up(Path(sys.argv[1]), Path(sys.argv[2]), die)
"""
    target = tmp_path / "backup.db"

    for moment in ("copying", "checking the pages"):
        command = [sys.executable, "-c", program, str(path), str(target), moment]
        process = await asyncio.to_thread(subprocess.run, command, check=False)
        assert process.returncode == -signal.SIGKILL
        assert not target.exists()
    await asyncio.to_thread(back_up, path, target, nobody)


async def test_a_log_that_was_changed_is_not_backed_up_as_sound(
    stores: SqliteStores, path: Path, tmp_path: Path
) -> None:
    change(path, "UPDATE events SET actor = 'x' WHERE \"offset\" = 7")

    with pytest.raises(BackupError, match="event 7: its content was changed"):
        back_up(path, tmp_path / "backup.db", nobody)

    assert names_in(tmp_path) == ["data"]


async def test_going_back_begins_a_new_epoch_and_keeps_what_was_there(stores: SqliteStores, path: Path) -> None:
    before = await stores.log.head()
    target = await closed(stores, path)
    figures = path.with_name("rmos.db.figures")
    figures.write_text("sums of what comes after the backup")

    done = restore(target, path, nobody)
    again = await open_sqlite(path, on_commit=nobody)
    head = await again.log.head()
    await again.write(making(PATTERN, id="other"))
    await again.close()

    assert (head.epoch, head.offset) == (done.epoch, 40)
    assert head.epoch != before.epoch
    assert not figures.exists()
    assert read(path, "SELECT epoch, from_offset, reason FROM epochs ORDER BY from_offset") == [
        (before.epoch, 1, "created"),
        (done.epoch, 41, f"restored: epoch {before.epoch} as it was at event 40"),
    ]
    assert done.aside is not None
    assert read(done.aside, "SELECT epoch, head FROM log_head") == [(before.epoch, 41)]
    assert read(target, "SELECT epoch, head FROM log_head") == [(before.epoch, 40)], "the backup stays as it was"
    back_up(path, path.with_name("sound.db"), nobody)


async def test_a_place_without_a_database_can_be_restored_to(stores: SqliteStores, path: Path, tmp_path: Path) -> None:
    target = await closed(stores, path)

    done = restore(target, tmp_path / "new" / "rmos.db", nobody)

    assert (done.head, done.aside) == (40, None)


async def test_nothing_is_restored_under_a_running_server(stores: SqliteStores, path: Path, tmp_path: Path) -> None:
    back_up(path, tmp_path / "backup.db", nobody)

    with pytest.raises(StartupError, match="another RMOS server"):
        restore(tmp_path / "backup.db", path, nobody)


def cut(target: Path) -> None:
    target.write_bytes(target.read_bytes()[:50_000])


def overwrite(target: Path) -> None:
    target.write_bytes(b"Dear diary, " * 1000)


def drop_event_5(target: Path) -> None:
    change(target, 'DELETE FROM events WHERE "offset" = 5')


def age(target: Path) -> None:
    change(target, "UPDATE alembic_version SET version_num = '9999'")


@pytest.mark.parametrize(
    ("spoil", "error", "reason"),
    [
        (Path.unlink, BackupError, "there is no file"),
        (overwrite, BackupError, "no usable database"),
        (cut, BackupError, "no usable database|is damaged"),
        (drop_event_5, BackupError, "event 5: it is missing"),
        (age, StartupError, "newer RMOS"),
    ],
)
async def test_a_backup_that_cannot_be_relied_on_changes_nothing(
    stores: SqliteStores, path: Path, spoil: Callable[[Path], object], error: type[Exception], reason: str
) -> None:
    target = await closed(stores, path)
    spoil(target)
    there = {file.name: file.read_bytes() for file in path.parent.iterdir() if file.name != "rmos.db.lock"}

    with pytest.raises(error, match=reason):
        restore(target, path, nobody)

    assert {file.name: file.read_bytes() for file in path.parent.iterdir() if file.name != "rmos.db.lock"} == there


async def test_a_backup_with_a_changed_log_is_restored_when_asked_for(stores: SqliteStores, path: Path) -> None:
    target = await closed(stores, path)
    drop_event_5(target)

    assert restore(target, path, nobody, even_if_changed=True).head == 40


async def test_a_damaged_database_can_be_replaced(stores: SqliteStores, path: Path) -> None:
    target = await closed(stores, path)
    for file in (path, path.with_name("rmos.db-wal")):
        overwrite(file)

    done = restore(target, path, nobody)

    assert done.aside is not None
    assert done.aside.read_bytes().startswith(b"Dear diary")
    assert not path.with_name("rmos.db-wal").exists()
    assert read(path, "SELECT count(*) FROM patterns") == [(40,)]


async def test_sessions_do_not_come_back(stores: SqliteStores, path: Path) -> None:
    change(path, "INSERT INTO sessions VALUES ('d', 'ana', '2026-11-24T10:00:00.000Z', '2999-01-01T00:00:00.000Z')")
    target = await closed(stores, path)

    restore(target, path, nobody)

    assert read(path, "SELECT count(*) FROM sessions") == [(0,)]
