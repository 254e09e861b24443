"""`rmos backup` beside a running server, `rmos restore` without one, and what clients are told afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.cli.conftest import StartServer
from tests.processes import WAIT_S, Server, run_rmos

PATTERNS = "/api/rmos/stores/patterns"


def listen(server: Server, since: str | None = None) -> ClientConnection:
    query = "" if since is None else f"&since={since}"
    return connect(
        f"{server.monitor_url}?filters=all{query}",
        subprotocols=["rmos.monitor.v2"],  # type: ignore[list-item]  # any text will do
        proxy=None,
        open_timeout=WAIT_S,
    )


def wait_for(client: ClientConnection, type_: str) -> dict[str, Any]:
    """The next frame of this type."""
    while True:
        frame: dict[str, Any] = json.loads(client.recv(timeout=WAIT_S))
        if frame["type"] == type_:
            return frame


def names(server: Server) -> set[str]:
    return {pattern["name"] for pattern in server.get(PATTERNS)["patterns"]}


def counted(server: Server) -> Any:
    return server.get("/api/analytics/patterns/rings")


def test_going_back_is_told_to_every_client(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server().wait_until_ready()
    data, copy = str(server.data), tmp_path / "backup.db"
    server.post_pattern("before")
    figures = counted(server)

    made = run_rmos("backup", str(copy), "--data", data)
    with listen(server) as client:
        server.post_pattern("after")
        cursor = wait_for(client, "pattern:created")["id"]
    assert counted(server) != figures
    refused = run_rmos("restore", str(copy), "--data", data)
    server.stop()
    done = run_rmos("restore", str(copy), "--data", data)
    server = start_server().wait_until_ready()

    assert made.returncode == 0, made.stderr
    assert "events 1 to 1, verified" in made.stdout
    assert refused.returncode == 1
    assert "another RMOS server" in refused.stderr
    assert done.returncode == 0, done.stderr
    assert "restored as it was at event 1" in done.stdout
    assert ".before-restore-" in done.stdout
    assert names(server) == {"before"}
    assert counted(server) == figures
    with listen(server, since=cursor) as client:
        answer = wait_for(client, "system:subscribed")["data"]
        assert (answer["recovered"], answer["reason"]) == (False, "epoch_changed")
        server.post_pattern("another life")
        assert wait_for(client, "pattern:created")["offset"] == 2
    verified = run_rmos("verify", "--data", data)
    assert verified.returncode == 0, verified.stderr
    assert f"restored: epoch {cursor.partition(':')[0]} as it was at event 1" in verified.stdout


def test_a_backup_has_a_name_of_its_own_where_none_is_given(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server().wait_until_ready()

    first = run_rmos("backup", str(tmp_path), "--data", str(server.data))
    (made,) = tmp_path.glob("rmos-*.db")
    again = run_rmos("backup", str(made), "--data", str(server.data))
    nowhere = run_rmos("backup", "--data", str(tmp_path / "nowhere"))

    assert first.returncode == 0, first.stderr
    assert again.returncode == nowhere.returncode == 1
    assert f"{made} is there already" in again.stderr
    assert "there is no database" in nowhere.stderr
