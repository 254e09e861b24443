"""`rmos verify`, beside a server and without one, on databases and on bundles."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from tests.processes import WAIT_S, Server, make_database_of_version, run_rmos


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the data of a stopped server, and bundles of its log."""
    folder = tmp_path_factory.mktemp("exported")
    server = Server(folder / "data")
    try:
        server.wait_until_ready()
        for name in ("one", "two", "three"):
            server.post_pattern(name)
        beside = run_rmos("verify", "--data", str(folder / "data"))
        assert beside.returncode == 0, beside.stderr
        for name, query in (("all", ""), ("part", "?from=2&to=3")):
            answer = httpx2.get(f"{server.url}/api/rmos/audit/export{query}", timeout=WAIT_S, trust_env=False)
            (folder / f"{name}.jsonl").write_bytes(answer.content)
        server.stop()
    finally:
        server.kill()
    return folder


@pytest.fixture
def folder(exported: Path, tmp_path: Path) -> Path:
    """A copy of it to change."""
    return Path(shutil.copytree(exported, tmp_path / "copy"))


def tamper(folder: Path, sql: str) -> None:
    with closing(sqlite3.connect(folder / "data" / "rmos.db")) as database:
        assert database.execute(sql).rowcount
        database.commit()


def test_a_sound_log_is_told_with_its_head(exported: Path) -> None:
    done = run_rmos("verify", "--data", str(exported / "data"))
    head = next(line.split()[1] for line in done.stdout.splitlines() if line.startswith("head"))
    again = run_rmos("verify", "--data", str(exported / "data"), "--head", head)

    assert done.returncode == 0
    assert "events 1 to 3, 3 checked" in done.stdout
    assert "created" in done.stdout
    assert done.stdout.endswith("the log is sound\n")
    assert again.stdout.endswith("the log is sound, 1 noted hashes are in it\n")


def test_a_changed_event_ends_with_its_offset(folder: Path) -> None:
    tamper(folder, "UPDATE events SET data = '{}' WHERE \"offset\" = 2")

    done = run_rmos("verify", "--data", str(folder / "data"))

    assert done.returncode == 1
    assert "rmos: event 2: its data has another type than it was written with" in done.stderr


def test_a_bundle_is_checked_by_itself(folder: Path) -> None:
    sound = run_rmos("verify", str(folder / "part.jsonl"))
    text = (folder / "part.jsonl").read_text()
    (folder / "part.jsonl").write_text(text.replace('"three"', '"THREE"'))
    changed = run_rmos("verify", str(folder / "part.jsonl"))

    assert sound.returncode == 0, sound.stderr
    assert "events 2 to 3, 2 checked" in sound.stdout
    assert changed.returncode == 1
    assert "the bundle is not sound; event 3" in changed.stderr


def test_a_log_is_held_against_a_bundle(folder: Path) -> None:
    sound = run_rmos("verify", "--data", str(folder / "data"), "--bundle", str(folder / "all.jsonl"))
    tamper(folder, 'DELETE FROM events WHERE "offset" = 3')
    tamper(folder, 'UPDATE log_head SET head = 2, hash = (SELECT hash FROM events WHERE "offset" = 2)')
    alone = run_rmos("verify", "--data", str(folder / "data"))
    shortened = run_rmos("verify", "--data", str(folder / "data"), "--bundle", str(folder / "all.jsonl"))

    assert sound.returncode == 0, sound.stderr
    assert sound.stdout.endswith("the log is sound, 4 noted hashes are in it\n")
    assert alone.returncode == 0, "nothing in the database tells of a tail that was cut off with care"
    assert shortened.returncode == 1
    assert "event 3: the log ends at 2, and event 3 was noted" in shortened.stderr


def test_a_bundle_that_is_not_sound_proves_nothing(folder: Path) -> None:
    lines = (folder / "all.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "all.jsonl").write_bytes(b"".join(lines[:-1]))

    done = run_rmos("verify", "--data", str(folder / "data"), "--bundle", str(folder / "all.jsonl"))

    assert done.returncode == 1
    assert "the bundle is not sound; event 4: the file ends before its last line" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere.jsonl"], "cannot read nowhere.jsonl: no such file or directory"),
        (["--data", "nowhere"], "there is no database"),
        (["a.jsonl", "--head", "1:00"], "a bundle is checked by itself"),
        (["--head", "12"], "expected <offset>:<64 hexadecimal digits>"),
    ],
)
def test_what_cannot_be_verified_is_told(folder: Path, arguments: list[str], sentence: str) -> None:
    done = run_rmos("verify", *arguments, RMOS_DATA=str(folder / "data"))

    assert done.returncode == 1
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_older_schema_is_not_changed(tmp_path: Path) -> None:
    make_database_of_version(tmp_path / "rmos.db", "0001")

    done = run_rmos("verify", "--data", str(tmp_path))

    assert done.returncode == 1
    assert "has schema 0001" in done.stderr
    assert "rmos migrate" in done.stderr


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "rmos.db").write_bytes(b"Dear diary, " * 1000)

    done = run_rmos("verify", "--data", str(tmp_path))

    assert done.returncode == 1
    assert "cannot read the database" in done.stderr
