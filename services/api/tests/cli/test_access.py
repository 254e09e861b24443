"""Who may come in, from the command line: first start, users and keys beside a running server, TLS."""

from __future__ import annotations

import os
import shutil
import ssl
import stat
import subprocess
import time
from pathlib import Path

import httpx2
import pytest
from websockets.sync.client import connect

from tests.cli.conftest import StartServer
from tests.processes import RMOS, WAIT_S, Command, environment, run_rmos

PATTERNS = "/api/rmos/stores/patterns"
TOKEN_LINE = "Admin token, shown this once: "  # noqa: S105 -- what stands before one
OPEN_LINE = "Open "


def said(server: Command, beginning: str) -> str | None:
    return next((line.removeprefix(beginning) for line in server.lines if line.startswith(beginning)), None)


def wait_for_introduction(server: Command) -> None:
    server.wait_until(lambda server: said(server, OPEN_LINE) is not None, "line with the login code")


def status(url: str, token: str | None, path: str = PATTERNS) -> int:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx2.get(f"{url}{path}", headers=headers, timeout=WAIT_S, trust_env=False).status_code


def wait_for_status(url: str, token: str, expected: int) -> None:
    deadline = time.monotonic() + WAIT_S
    while (found := status(url, token)) != expected:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def test_the_first_start_prints_a_token_and_every_start_a_code(start_server: StartServer, tmp_path: Path) -> None:
    first = start_server(RMOS_AUTH="required").wait_until_ready()
    wait_for_introduction(first)
    token, link = said(first, TOKEN_LINE), said(first, OPEN_LINE)
    assert token is not None
    assert link is not None

    address, _, code = link.partition("/#login=")
    assert address == first.url
    answer = httpx2.post(f"{address}/api/rmos/auth/login", json={"code": code}, timeout=WAIT_S, trust_env=False)
    assert answer.json()["auth"]["role"] == "admin"
    assert status(first.url, None) == 401
    assert status(first.url, token, "/api/rmos/auth/users") == 200
    secrets_file = first.data / "secrets.json"
    if os.name == "posix":
        assert stat.S_IMODE(secrets_file.stat().st_mode) == 0o600
    assert first.stop() == 0
    assert not any(secret in line for line in first.errors for secret in (token, code))

    second = start_server(RMOS_AUTH="required").wait_until_ready()
    wait_for_introduction(second)
    assert said(second, TOKEN_LINE) is None
    assert said(second, OPEN_LINE) != link
    assert status(second.url, token) == 200


def test_on_loopback_nobody_has_to_log_in(start_server: StartServer) -> None:
    server = start_server().wait_until_ready()

    assert status(server.url, None) == 200
    assert server.stop() == 0
    assert [line for line in server.lines if "login" in line or "token" in line] == []


def test_keys_are_made_and_revoked_beside_the_running_server(start_server: StartServer) -> None:
    server = start_server(RMOS_AUTH="required").wait_until_ready()
    wait_for_introduction(server)
    data = str(server.data)

    made = run_rmos("token", "create", "saw", "--role", "operator", "--data", data)
    token = made.stdout.strip()
    wait_for_status(server.url, token, 200)
    tail = Command("tail", "--url", server.url, "--token", token)
    try:
        tail.wait_until(lambda tail: any("live on" in line for line in tail.errors), "connection")
        listed = run_rmos("token", "list", "--data", data).stdout
        revoked = run_rmos("token", "revoke", "saw", "--data", data)

        assert "saw" in listed
        assert token not in listed
        assert revoked.stdout == "saw is revoked\n"
        assert tail.wait() == 1
        assert any("4401" in line for line in tail.errors)
        wait_for_status(server.url, token, 401)
    finally:
        tail.kill()


def test_users_are_kept_beside_the_running_server_or_without_one(start_server: StartServer, tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    added = subprocess.run(
        [RMOS, "user", "add", "ben", "--role", "operator", "--data", data],
        input="correct horse battery\n",
        env=environment(),
        capture_output=True,
        text=True,
        timeout=WAIT_S * 2,
        check=False,
    )
    assert added.stdout == "ben may come in as operator\n", added.stderr
    server = start_server(RMOS_AUTH="required").wait_until_ready()
    wait_for_introduction(server)
    assert said(server, TOKEN_LINE) is None, "somebody may come in already"
    with httpx2.Client(base_url=server.url, timeout=WAIT_S, trust_env=False) as browser:
        login = {"user": "ben", "password": "correct horse battery"}
        assert browser.post("/api/rmos/auth/login", json=login).status_code == 200

        assert run_rmos("user", "role", "ben", "viewer", "--data", data).stdout == "ben is viewer now\n"
        deadline = time.monotonic() + WAIT_S
        while browser.get("/api/rmos/auth/me").json()["auth"]["role"] != "viewer":
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert run_rmos("user", "disable", "ben", "--data", data).stdout == "ben may not come in\n"
        listed = run_rmos("user", "list", "--data", data).stdout.splitlines()
        while browser.get("/api/rmos/auth/me").json()["auth"]["user"] is not None:
            assert time.monotonic() < deadline
            time.sleep(0.1)

    assert [line.split() for line in listed] == [["admin", "admin", "no", "password"], ["ben", "viewer", "disabled"]]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("user", "remove", "nobody"), "user not found"),
        (("user", "add", "local", "--no-password"), "reserved"),
        (("user", "add", "ben", "--channel", "x", "--no-password"), "bad channel"),
        (("token", "revoke", "nothing"), "key not found"),
        (("token", "create", "a b"), "letters"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(tmp_path: Path, arguments: tuple[str, ...], part: str) -> None:
    done = run_rmos(*arguments, "--data", str(tmp_path))

    assert done.returncode == 1
    assert part in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_commands_without_a_token_say_what_they_need(start_server: StartServer) -> None:
    server = start_server(RMOS_AUTH="required").wait_until_ready()
    wait_for_introduction(server)
    token = str(said(server, TOKEN_LINE))

    tail = run_rmos("tail", "--url", server.url)
    demo = run_rmos("demo", "--url", server.url, "--duration", "0")
    doctor = run_rmos("doctor", "--data", str(server.data), "--port", str(server.port), RMOS_TOKEN=token)

    assert (tail.returncode, demo.returncode) == (1, 1)
    assert "--token" in tail.stderr
    assert "--token" in demo.stderr
    assert "lets in key:admin as admin" in doctor.stdout


def test_behind_a_proxy_the_list_of_connections_tells_where_clients_come_from(start_server: StartServer) -> None:
    server = start_server("--behind-proxy").wait_until_ready()
    wait_for_introduction(server)
    headers = {"Authorization": f"Bearer {said(server, TOKEN_LINE)}", "X-Forwarded-For": "192.0.2.7"}

    with (
        connect(server.monitor_url, additional_headers=headers, proxy=None) as monitor,
        httpx2.Client(base_url=server.url, headers=headers, timeout=WAIT_S, trust_env=False) as client,
        client.stream("GET", "/sse/monitor"),
    ):
        monitor.recv(timeout=WAIT_S)
        listed = client.get("/api/rmos/monitor/connections").json()["connections"]

    assert sorted((one["transport"], one["peer"]) for one in listed) == [
        ("sse", "192.0.2.7"),
        ("websocket", "192.0.2.7"),
    ]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
def test_with_a_certificate_the_server_speaks_tls(start_server: StartServer, tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    asked = [*made.split(), "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *asked], check=True, capture_output=True)
    server = start_server(
        "--tls-cert", str(certificate), "--tls-key", str(key), RMOS_AUTH="required", SSL_CERT_FILE=str(certificate)
    ).wait_until_ready()
    wait_for_introduction(server)
    link = str(said(server, OPEN_LINE))

    assert link.startswith("https://127.0.0.1:")
    context = ssl.create_default_context(cafile=str(certificate))
    with httpx2.Client(verify=context, timeout=WAIT_S, trust_env=False) as browser:
        login = {"code": link.partition("#login=")[2]}
        answer = browser.post(f"{server.url}/api/rmos/auth/login", json=login)
        assert answer.status_code == 200
        assert "secure" in answer.headers["set-cookie"].lower()
    tail = Command(
        "tail", "--url", server.url, "--token", str(said(server, TOKEN_LINE)), SSL_CERT_FILE=str(certificate)
    )
    try:
        tail.wait_until(lambda tail: any("live on" in line for line in tail.errors), "connection over TLS")
    finally:
        tail.kill()


def test_half_a_certificate_and_a_broken_one_are_refused(start_server: StartServer, tmp_path: Path) -> None:
    broken = tmp_path / "cert.pem"
    broken.write_text("nothing")
    for arguments, part in (
        (("--tls-cert", str(broken)), "both"),
        (("--tls-cert", str(broken), "--tls-key", str(broken)), "no certificate"),
        (("--tls-cert", str(tmp_path / "absent"), "--tls-key", str(broken)), "is not there"),
    ):
        server = start_server(*arguments)
        assert server.wait() == 1
        assert part in server.errors[-1]
