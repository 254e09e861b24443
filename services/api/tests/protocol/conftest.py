"""Servers of the tests here are ended with the test, whatever happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.processes import Server

StartServer = Callable[..., Server]


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Starts a server with these settings, on the data of the test, and waits until it is ready."""
    started: list[Server] = []

    def start(**settings: object) -> Server:
        environment = {f"RMOS_{name.upper()}": str(value).lower() for name, value in settings.items()}
        started.append(Server(tmp_path / "data", **environment))
        return started[-1].wait_until_ready()

    yield start
    for server in started:
        server.kill()
