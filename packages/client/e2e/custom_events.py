"""The published server with a program of its own inside: each line on standard input becomes an event of a job.

A line is JSON: `{"event": "custom_status", "data": {…}}`. Serves on a free port, which the ready line names.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys

import uvicorn
from app.main import app
from app.websocket.monitor import broadcast_job_event


async def broadcast_lines(server: uvicorn.Server) -> None:
    """Broadcast until the input ends, then end the server."""
    while line := await asyncio.to_thread(sys.stdin.readline):
        told = json.loads(line)
        await broadcast_job_event(told["event"], told["data"])
    server.should_exit = True


async def main() -> None:
    """Serve, and broadcast beside it."""
    sock = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    print(f"RMOS is ready: http://127.0.0.1:{sock.getsockname()[1]}", flush=True)
    broadcasting = asyncio.create_task(broadcast_lines(server))
    await serving
    broadcasting.cancel()


if __name__ == "__main__":
    asyncio.run(main())
