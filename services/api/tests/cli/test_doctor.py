"""`rmos doctor`: what it finds, what it advises, and its exit code."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from rmos.cli import checks
from rmos.settings import Settings
from tests.processes import Server, make_database_of_version, run_rmos


def report(*arguments: str, **variables: str) -> tuple[int, dict[str, Any], dict[str, dict[str, Any]]]:
    """Exit code, findings by check, and settings by variable."""
    result = run_rmos("doctor", "--json", *arguments, RMOS_SKIP_WEB="1", **variables)
    assert result.stderr == ""
    content = json.loads(result.stdout)
    return (
        result.returncode,
        {finding["check"]: finding for finding in content["checks"]},
        {setting["variable"]: setting for setting in content["settings"]},
    )


def free_port() -> str:
    """A port that nobody uses just now."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return str(sock.getsockname()[1])


def test_a_sound_installation_passes_and_every_setting_has_an_origin(tmp_path: Path) -> None:
    code, findings, settings = report("--port", free_port(), RMOS_DATA=str(tmp_path), RMOS_LOG_LEVEL="debug")

    assert code == 0
    assert not [finding for finding in findings.values() if finding["status"] == "failed"]
    assert {"python", "packages", "web app", "environment", "data folder", "database", "port"} <= findings.keys()
    assert settings.keys() == {f"RMOS_{name.upper()}" for name in Settings.model_fields}
    assert settings["RMOS_PORT"]["origin"] == "option"
    assert (settings["RMOS_DATA"]["value"], settings["RMOS_DATA"]["origin"]) == (str(tmp_path), "environment")
    assert settings["RMOS_LOG_LEVEL"]["origin"] == "environment"
    assert (settings["RMOS_HOST"]["value"], settings["RMOS_HOST"]["origin"]) == ("127.0.0.1", "default")


def test_beside_a_running_server_it_tells_of_the_server_and_its_database(shop: Server) -> None:
    code, findings, _ = report("--port", str(shop.port), "--data", str(shop.data))

    assert code == 0
    assert "is serving on" in findings["port"]["detail"]
    assert findings["schema"]["status"] == "ok"
    assert findings["integrity"]["status"] == "ok"
    assert "epoch" in findings["log"]["detail"]
    assert shop.get("/health")


def test_faults_give_exit_code_1_and_say_what_to_do(tmp_path: Path) -> None:
    make_database_of_version(tmp_path / "rmos.db", "9999")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])

        result = run_rmos("doctor", "--port", port, "--data", str(tmp_path), RMOS_SKIP_WEB="1", RMOS_PROT="1")

    assert result.returncode == 1
    assert "9999 is of a newer RMOS" in result.stdout
    assert "update RMOS" in result.stdout
    assert f"port {port} on 127.0.0.1 is taken by another program; choose another port" in result.stdout
    assert "RMOS_PROT has no effect; did you mean RMOS_PORT?" in result.stdout
    assert "2 checks failed" in result.stdout


def test_a_bad_setting_is_one_sentence() -> None:
    result = run_rmos("doctor", RMOS_PORT="many")

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("rmos: RMOS_PORT is 'many': ")


def test_a_file_in_place_of_the_folder_fails(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    finding = checks.check_folder(tmp_path / "file" / "data")

    assert finding.status == "failed"
    assert finding.advice is not None


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    finding = checks.check_folder(tmp_path / "a" / "b")

    assert finding.status == "ok"
    assert os.listdir(tmp_path) == []


def test_a_full_disk_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda _: usage(100, 100, 1000))

    assert checks.check_folder(tmp_path).status == "failed"


def test_a_damaged_database_fails(tmp_path: Path) -> None:
    path = tmp_path / "rmos.db"
    make_database_of_version(path, checks.SCHEMA_VERSION)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE log_head (epoch TEXT, head INTEGER, oldest INTEGER)")
    connection.execute("INSERT INTO log_head VALUES ('e', 0, 1)")
    connection.execute("CREATE TABLE filler (x TEXT)")
    connection.executemany("INSERT INTO filler VALUES (?)", [("x" * 1000,)] * 100)
    connection.commit()
    connection.close()
    content = bytearray(path.read_bytes())
    content[-4096 * 3 : -4096 * 2] = b"\xff" * 4096
    path.write_bytes(content)

    findings = {finding.check: finding for finding in checks.check_database(path)}

    assert findings["integrity"].status == "failed"
    assert "backup" in str(findings["integrity"].advice)


def test_what_is_no_database_fails(tmp_path: Path) -> None:
    (tmp_path / "rmos.db").write_bytes(b"notes of the shop\n" * 500)

    assert [finding.status for finding in checks.check_database(tmp_path / "rmos.db")] == ["failed"]


def test_an_older_schema_is_a_warning_because_the_next_start_migrates_it(tmp_path: Path) -> None:
    path = tmp_path / "rmos.db"
    make_database_of_version(path, "0000")
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE log_head (epoch TEXT, head INTEGER, oldest INTEGER)")
    connection.execute("INSERT INTO log_head VALUES ('e', 4, 1)")
    connection.commit()
    connection.close()

    findings = {finding.check: finding for finding in checks.check_database(path)}

    assert findings["schema"].status == "warning"
    assert findings["log"].detail == "epoch e, head 4, oldest 1"


def test_a_missing_and_an_old_package_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        checks.metadata, "requires", lambda _: ["orjson>=999", "no-such-thing>=1", "typer>=0.1", "x>=1; extra == 'y'"]
    )

    finding = checks.check_packages()

    assert finding.status == "failed"
    assert "orjson" in finding.detail
    assert "no-such-thing is missing" in finding.detail
    assert "typer" not in finding.detail
