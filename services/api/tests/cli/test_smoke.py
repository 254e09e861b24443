"""scripts/smoke.py prints the published lines, and only when they are true."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from tests.processes import ROOT, WAIT_S, Server, environment

PUBLISHED = """\
=== N10.0 WebSocket Smoke Test ===

1. Testing server availability...
   ✓ Server is running

2. Checking WebSocket router registration...
   ✓ WebSocket endpoint registered at /ws/monitor

3. Testing RMOS entity creation...
   ✓ Pattern created: <id>
     (WebSocket event 'pattern:created' should have been broadcast)
   ✓ JobLog created: <id>
     (WebSocket event 'job:created' should have been broadcast)

4. Testing joblog update (status change)...
   ✓ JobLog updated to 'completed'
     (WebSocket event 'job:completed' should have been broadcast)

5. Verifying WebSocket infrastructure...
   ✓ All broadcast functions importable
   ✓ ConnectionManager instance: ConnectionManager
   ✓ Active connections: 0

============================================
Tests Passed: 5
Tests Failed: 0

✓ All N10.0 WebSocket smoke tests passed!
"""


def smoke(base_url: str, timeout_s: float = WAIT_S) -> subprocess.CompletedProcess[str]:
    """Run the script as a person would."""
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "smoke.py"), "--base-url", base_url, "--timeout", str(timeout_s)],
        env=environment(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=3 * WAIT_S,
        check=False,
    )


def test_prints_the_published_output_against_a_real_server(shop: Server) -> None:
    result = smoke(shop.url)

    assert result.stderr == ""
    assert re.sub(r"created: [0-9a-f-]{36}\n", "created: <id>\n", result.stdout) == PUBLISHED
    assert result.returncode == 0


def test_turns_red_when_the_websocket_is_silent() -> None:
    with silent_server() as url:
        result = smoke(url, timeout_s=0.5)

    assert result.returncode == 1
    assert "✓ Pattern created" in result.stdout
    assert "✗ the WebSocket event 'pattern:created' was not seen within 0.5 s" in result.stdout
    assert "should have been broadcast" not in result.stdout
    assert "Tests Passed: 3\nTests Failed: 2\n" in result.stdout
    assert "All N10.0 WebSocket smoke tests passed" not in result.stdout


def test_turns_red_without_a_server() -> None:
    result = smoke("http://127.0.0.1:1", timeout_s=2)

    assert result.returncode == 1
    assert "Tests Passed: 1\nTests Failed: 4\n" in result.stdout  # the imports need no server


async def answer(request: Request) -> JSONResponse:
    """Store nothing, but answer as if it had been."""
    if request.method == "GET":
        return JSONResponse({"paths": {"/ws/monitor": {}}})
    kind = "pattern" if "patterns" in request.url.path else "joblog"
    return JSONResponse({"success": True, kind: {"id": "x", **await request.json()}})


async def subscribe_and_be_silent(monitor: WebSocket) -> None:
    """Promise events and send none."""
    await monitor.accept()
    async for _ in monitor.iter_text():
        await monitor.send_json({"type": "system:subscribed", "data": {}, "timestamp": ""})


@contextmanager
def silent_server() -> Iterator[str]:
    """A server that keeps every promise but the live one."""
    application = Starlette(
        routes=[
            WebSocketRoute("/ws/monitor", subscribe_and_be_silent),
            Route("/{path:path}", answer, methods=["GET", "POST", "PUT"]),
        ]
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(application, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(WAIT_S)
