"""One real server for each way in which connections are served; every test of the suite runs on each."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.monitor.raw_client import RawClient
from tests.processes import ROOT, Command, Server

Connect = Callable[..., Coroutine[Any, Any, RawClient]]

_RUNNING = re.compile(r"running on (http://\S+)")


class PublishedServer(Server):
    """Plain uvicorn with the published import."""

    def __init__(self, data: Path, **extra: str) -> None:
        where = ("--app-dir", str(ROOT / "services/api"), "--port", "0")
        self.data = data
        Command.__init__(self, sys.executable, "-m", "uvicorn", "app.main:app", *where, RMOS_DATA=str(data), **extra)

    def wait_until_ready(self) -> Server:
        """Wait for the line with the address."""
        self.wait_until(lambda server: any(_RUNNING.search(line) for line in server.errors), "running line")
        return self

    @property
    def url(self) -> str:
        """The address it printed."""
        return next(found[1] for line in self.errors if (found := _RUNNING.search(line)))


def lean(data: Path, **extra: str) -> Server:
    """`rmos serve`, whose connections never see ASGI."""
    return Server(data, RMOS_LEAN_CONNECTIONS="true", **extra)


def asgi(data: Path, **extra: str) -> Server:
    """Connections that stay with ASGI."""
    return Server(data, RMOS_LEAN_CONNECTIONS="false", **extra)


WAYS: dict[str, Callable[..., Server]] = {"lean": lean, "detached": PublishedServer, "asgi": asgi}
"""`detached`: under plain uvicorn connections begin in ASGI and leave it."""


def way_of(server: Server) -> Callable[..., Server]:
    """What starts servers like this one."""
    return next(start for name, start in WAYS.items() if name in server.data.name)


@pytest.fixture(scope="package", params=WAYS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for each way in which connections are served."""
    data: Path = tmp_path_factory.mktemp(request.param)
    running = WAYS[request.param](data, RMOS_METRICS_INTERVAL_S="0.3")
    try:
        yield running.wait_until_ready()
    finally:
        running.kill()


@pytest_asyncio.fixture
async def connect(server: Server) -> AsyncIterator[Connect]:
    """Opens raw connections, and cuts them when the test is over."""
    opened: list[RawClient] = []

    async def open_one(**options: Any) -> RawClient:
        opened.append(await RawClient.open(server.port, **options))
        return opened[-1]

    yield open_one
    for client in opened:
        await client.cut()


@pytest.fixture(name="lean")
def lean_connect(server: Server, connect: Connect, request: pytest.FixtureRequest) -> Connect:
    """As `connect`, where the frames are parsed here; through ASGI the server below sees them first."""
    if "[asgi" in request.node.name:
        pytest.skip("the server below sees the frames")
    return connect
