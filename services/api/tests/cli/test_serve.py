"""`rmos serve`: how it starts, stops and refuses."""

from __future__ import annotations

import signal
import socket
import sqlite3
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from rmos.cli.effective import read_settings
from tests.cli.conftest import StartServer
from tests.processes import READY, WAIT_S, Server, make_database_of_version, run_rmos


def assert_refuses(server: Server, *parts: str) -> None:
    """It ends with 1 and says why in one line on standard error, and nothing on standard output."""
    assert server.wait() == 1
    assert server.lines == []
    assert len(server.errors) == 1, server.errors
    for part in ("rmos: ", *parts):
        assert part in server.errors[0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_says_where_it_is_and_stops_with_0_while_a_client_is_connected_which_is_told(
    start_server: StartServer, number: int
) -> None:
    server = start_server().wait_until_ready()

    with connect(server.monitor_url, proxy=None) as client:
        client.recv(timeout=WAIT_S)
        code = server.stop(number)
        with suppress(ConnectionClosedError):
            for _ in client:  # what was sent before the close frame
                pass

    assert code == 0
    assert client.close_code in (1001, 1012)
    assert server.lines == [f"{READY}{server.url}"]
    assert not any("Traceback" in line for line in server.errors)


def test_a_second_server_on_the_same_data_is_refused(start_server: StartServer, shop: Server) -> None:
    second = start_server(data=shop.data)

    assert_refuses(second, "another", str(shop.data))
    assert shop.get("/health")


def test_a_taken_port_is_refused(start_server: StartServer, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        server = start_server(port=port)

        assert_refuses(server, f"port {port}", "taken", "--port")


def test_a_file_in_place_of_the_data_folder_is_refused(start_server: StartServer, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert_refuses(start_server(data=tmp_path / "file"), str(tmp_path / "file"), "a file is in its place", "--data")
    assert_refuses(start_server(data=tmp_path / "file" / "below"), "a file is in its place")


def test_a_database_of_a_newer_version_is_refused_and_left_alone(start_server: StartServer, tmp_path: Path) -> None:
    database = tmp_path / "data" / "rmos.db"
    make_database_of_version(database, "9999")
    before = database.read_bytes()

    assert_refuses(start_server(), "newer", "9999", "update RMOS")

    assert database.read_bytes() == before


def test_something_else_in_place_of_the_database_is_refused(start_server: StartServer, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rmos.db").write_bytes(b"these are notes, not a database\n" * 100)

    assert_refuses(start_server(), "rmos.db")


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 -- that it is refused is what is tested
def test_an_address_that_others_can_reach_needs_tls_and_a_login(start_server: StartServer, host: str) -> None:
    assert_refuses(start_server("--host", host), host, "without TLS", "--tls-cert", "--behind-proxy", "--insecure")
    assert_refuses(start_server("--host", host, "--behind-proxy", RMOS_AUTH="off"), host, "RMOS_AUTH=off", "--insecure")


@pytest.mark.parametrize("allowed_by", ["--insecure", "--behind-proxy"])
def test_on_an_address_that_others_can_reach_everybody_has_to_log_in(
    start_server: StartServer, allowed_by: str
) -> None:
    server = start_server("--host", "0.0.0.0", allowed_by).wait_until_ready()  # noqa: S104 -- for this test alone

    here = f"http://127.0.0.1:{server.port}"
    assert httpx2.get(f"{here}/health", timeout=WAIT_S, trust_env=False).status_code == 200
    assert httpx2.get(f"{here}/api/rmos/stores/patterns", timeout=WAIT_S, trust_env=False).status_code == 401


@pytest.mark.parametrize(
    ("variables", "part"),
    [
        ({"RMOS_BUSY_TIMEOUT_S": "soon"}, "RMOS_BUSY_TIMEOUT_S is 'soon'"),
        ({"RMOS_DATABASE_URL": "mysql://x"}, "RMOS_DATABASE_URL"),
        ({"RMOS_HOST": "no.such.host.invalid"}, "unknown host"),
    ],
)
def test_a_bad_setting_is_refused_by_its_name(start_server: StartServer, variables: dict[str, str], part: str) -> None:
    assert_refuses(start_server(**variables), part)


def test_an_option_beats_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RMOS_PORT", "1")
    monkeypatch.setenv("RMOS_DATA", str(tmp_path / "environment"))
    monkeypatch.setenv("RMOS_LOG_LEVEL", "error")

    settings = read_settings(port=0, data=tmp_path / "option", host=None)

    assert (settings.port, settings.data, settings.host) == (0, tmp_path / "option", "127.0.0.1")
    assert settings.log_level == "error"


def test_migrate_makes_the_database_without_serving_it(tmp_path: Path) -> None:
    result = run_rmos("migrate", "--data", str(tmp_path))

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"{tmp_path / 'rmos.db'} has schema ")
    connection = sqlite3.connect(tmp_path / "rmos.db")
    assert connection.execute("SELECT count(*) FROM patterns").fetchall() == [(0,)]
    connection.close()


def test_migrate_is_refused_beside_a_running_server(shop: Server) -> None:
    result = run_rmos("migrate", "--data", str(shop.data))

    assert result.returncode == 1
    assert result.stderr.startswith("rmos: another")


def test_the_version_is_printed_by_option_and_command() -> None:
    option, command = run_rmos("--version"), run_rmos("version")

    assert option.returncode == command.returncode == 0
    assert option.stdout == command.stdout
    assert option.stdout.startswith("rmos ")
