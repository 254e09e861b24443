"""A running shop on a free port, and bodies to send to it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from fastapi import FastAPI

from rmos.settings import Settings
from rmos.web.app import create_app

STORES = "/api/rmos/stores"
PATTERNS, JOBS, FAMILIES = f"{STORES}/patterns", f"{STORES}/joblogs", f"{STORES}/strip-families"
TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Shop:
    """A server, and a client that talks to it."""

    app: FastAPI
    client: httpx2.AsyncClient
    database: Path

    async def make(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create an entity; returns its document."""
        answer = await self.client.post(path, json=body)
        assert answer.status_code == 201, answer.text
        (document,) = (value for key, value in answer.json().items() if key != "success")
        return document

    async def events(self) -> list[dict[str, Any]]:
        """Every event of the log."""
        answer = await self.client.get("/api/rmos/monitor/events", params={"limit": 1000})
        assert answer.status_code == 200, answer.text
        return answer.json()["events"]

    async def event_types(self) -> list[str]:
        """The types of every event of the log."""
        return [event["type"] for event in await self.events()]

    async def counts(self) -> list[int]:
        """How many patterns, jobs, families and events there are."""
        totals = [
            (await self.client.get(path, params={"limit": 1})).json()["total"] for path in (PATTERNS, JOBS, FAMILIES)
        ]
        return [*totals, len(await self.events())]


@asynccontextmanager
async def open_shop(folder: Path, **settings: Any) -> AsyncIterator[Shop]:
    """Serve an app on a free port, for the time of the block."""
    effective = Settings(data=folder, **settings)
    app = create_app(effective)
    listener = socket.create_server(("127.0.0.1", 0))
    server = _Server(uvicorn.Config(app, lifespan="on", log_config=None, timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await server.is_started.wait()
        host, port = listener.getsockname()
        async with httpx2.AsyncClient(base_url=f"http://{host}:{port}", timeout=TIMEOUT_S) as client:
            yield Shop(app, client, effective.database_path)
    finally:
        server.should_exit = True
        await asyncio.wait_for(serving, TIMEOUT_S)
        listener.close()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_started = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.is_started.set()


def make_pattern(**fields: Any) -> dict[str, Any]:
    """The body of a pattern."""
    rings = [{"radius_mm": 45.0, "width_mm": 3.0}, {"radius_mm": 50.0, "width_mm": 3.0}]
    return {"name": "Torres diamond", "geometry": {"rings": rings}, **fields}


def make_job(**fields: Any) -> dict[str, Any]:
    """The body of a job log."""
    return {"job_type": "slice", "parameters": {"blade_id": "b1"}, **fields}


def make_family(**fields: Any) -> dict[str, Any]:
    """The body of a strip family."""
    return {
        "name": "Maple 0.5",
        "strip_width_mm": 0.5,
        "strip_thickness_mm": 0.6,
        "material_type": "Maple",
        "strips": [{"id": "s1", "length_mm": 650, "position": 1}],
        **fields,
    }


def is_problem(answer: httpx2.Response, status: int, code: str) -> bool:
    """Whether the answer is a problem of this status and code, in the one shape that all have."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = json.loads(answer.content)
    assert list(problem) == ["type", "title", "status", "detail", "code", "request_id", "errors"]
    assert problem["status"] == status
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert isinstance(problem["detail"], str)
    assert problem["detail"]
    assert all(list(error) == ["pointer", "detail"] for error in problem["errors"])
    return problem["code"] == code


def pointers(answer: httpx2.Response) -> list[str]:
    """The pointers of the field errors of a problem."""
    return [error["pointer"] for error in answer.json()["errors"]]
