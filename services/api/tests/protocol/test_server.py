"""Rules that need a hand on the server: it is full, it stops, it comes back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.processes import WAIT_S, Server
from tests.protocol.conftest import StartServer

SUBSCRIBED_TO_PATTERNS = "?filters=pattern"


def open_monitor(server: Server, query: str = "") -> ClientConnection:
    return connect(server.monitor_url + query, compression=None, proxy=None, open_timeout=WAIT_S)


def receive(socket: ClientConnection) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(socket.recv(timeout=WAIT_S))
    return frame


def close_of(socket: ClientConnection) -> tuple[int, dict[str, Any]]:
    """The code of the close frame and the data of the `system:closing` before it."""
    announced: dict[str, Any] = {}
    try:
        while True:
            frame = receive(socket)
            announced = frame["data"] if frame["type"] == "system:closing" else announced
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 1006, announced


def test_con_14_a_full_server_tells_the_next_one_to_come_back(start_server: StartServer) -> None:
    server = start_server(max_connections=2)

    with open_monitor(server) as first, open_monitor(server) as second:
        assert [receive(s)["type"] for s in (first, second)] == ["system:connected"] * 2
        with open_monitor(server) as third:
            code, announced = close_of(third)
        first.send('{"action":"ping"}')
        assert receive(first)["type"] == "system:pong"

    assert code == announced["code"] == 4129
    assert announced["reconnect"] is True
    assert announced["retry_after"] > 0


@pytest.mark.parametrize("lean", [True, False], ids=["lean", "asgi"])
def test_cls_03_log_08_a_restart_keeps_the_epoch_and_every_cursor(start_server: StartServer, lean: bool) -> None:
    server = start_server(lean_connections=lean)
    with open_monitor(server, SUBSCRIBED_TO_PATTERNS) as socket:
        before = receive(socket)["data"]
        receive(socket)
        server.post_pattern("seen")
        seen = receive(socket)
        server.post_pattern("missed")
        exit_code = server.stop()
        code, announced = close_of(socket)
    again = start_server(lean_connections=lean)
    with open_monitor(again, f"{SUBSCRIBED_TO_PATTERNS}&since={seen['id']}") as socket:
        after = receive(socket)["data"]
        answer = receive(socket)["data"]
        missed = receive(socket)
        caught_up = receive(socket)

    assert exit_code == 0
    assert code in (1012, 4000)
    if lean:  # the server below ASGI closes by itself
        assert (announced["code"], announced["reconnect"]) == (code, True)
    assert after["epoch"] == before["epoch"]
    assert (answer["recovered"], answer["replay"]) == (True, {"from": 2, "to": 2, "truncated": False})
    assert (missed["data"]["name"], missed["offset"]) == ("missed", 2)
    assert (caught_up["type"], caught_up["data"]) == ("system:caught_up", {"offset": 2})
