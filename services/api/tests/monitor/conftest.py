"""One real server for each way in which connections are served; every test of the suite runs on both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.monitor.raw_client import RawClient
from tests.processes import Server

Connect = Callable[..., Coroutine[Any, Any, RawClient]]

LEAN = {"lean": "true", "asgi": "false"}


@pytest.fixture(scope="package", params=LEAN)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose connections have left ASGI (`lean`), and one whose have not (`asgi`)."""
    data: Path = tmp_path_factory.mktemp(request.param)
    running = Server(data, RMOS_LEAN_CONNECTIONS=LEAN[request.param], RMOS_METRICS_INTERVAL_S="0.3")
    yield running.wait_until_ready()
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
