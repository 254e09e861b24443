"""The conformance tool against a real server: with lean connections, and through ASGI as on any other server."""

from __future__ import annotations

import subprocess
import sys

import httpx2

from tests.processes import Server
from tests.protocol.conftest import StartServer
from tests.protocol.vectors import PROTOCOL

KEPT_EVENTS = 600
SETTINGS = {"heartbeat_s": 1, "ping_interval_s": 1, "ping_timeout_s": 3, "log_keep_events": KEPT_EVENTS}
TOOL_S = 120.0


def fill_log(server: Server) -> None:
    """More events than are kept, so that the log of the next start has forgotten some."""
    data = {"name": "conformance", "ring_count": 1, "geometry": {}}
    operations = [{"op": "create", "entity": "pattern", "data": data}] * (KEPT_EVENTS + 100)
    answer = httpx2.post(
        f"{server.url}/api/rmos/stores/bulk", json={"operations": operations}, timeout=TOOL_S, trust_env=False
    )
    assert answer.status_code == 200, answer.text


def verdicts(server: Server, *options: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Exit code of the tool, and what it said: word → label → reason."""
    tool = str(PROTOCOL / "conformance" / "run.py")
    done = subprocess.run(
        [sys.executable, tool, "--url", server.monitor_url, "--api", server.url, *options],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=TOOL_S,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert lines, done.stderr
    said: dict[str, dict[str, str]] = {word: {} for word in ("ok", "MISS", "warn", "wait", "note")}
    for line in lines[:-2]:
        word, label, *reason = line.split(maxsplit=2)
        said[word][label] = " ".join(reason)
    assert lines[-1] == f"{len(said['ok'])} passed, {len(said['MISS'])} failed"
    return done.returncode, said


def test_lean_server_keeps_every_rule(start_server: StartServer) -> None:
    first = start_server(**SETTINGS)
    fill_log(first)
    first.stop()

    code, said = verdicts(start_server(**SETTINGS), "--slow")

    assert said["MISS"] == said["warn"] == said["wait"] == {}
    assert len(said["ok"]) > 80
    assert code == 0


def test_server_through_asgi_keeps_every_rule_that_is_in_its_hands(start_server: StartServer) -> None:
    code, said = verdicts(start_server(**SETTINGS, lean_connections=False))

    assert said["MISS"] == {}
    assert said["warn"].keys() <= {"FRM-09", "FRM-14", "LIM-05"}, "the server below ASGI sees the frames, not we"
    assert said["wait"].keys() == {"RES-07", "RES-10", "LIV-03"}, (
        "the log is new; pings are the business of the server below"
    )
    assert code == 0


def test_tool_says_what_is_missed_and_fails(start_server: StartServer) -> None:
    server = start_server(metrics_interval_s=600)

    code, said = verdicts(server, "--only", "V1-14", "CON")

    assert said["MISS"].keys() == {"V1-14"}
    assert "nothing came within" in said["MISS"]["V1-14"]
    assert code == 1


def test_tool_says_when_there_is_no_server() -> None:
    tool = str(PROTOCOL / "conformance" / "run.py")
    done = subprocess.run(
        [sys.executable, tool, "--url", "ws://127.0.0.1:1/ws/monitor", "--api", "http://127.0.0.1:1"],
        capture_output=True,
        text=True,
        timeout=TOOL_S,
        check=False,
    )

    assert done.returncode == 2
    assert "cannot be reached" in done.stderr
