"""Processes that a test starts are ended with it, whatever happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.processes import Command, Server

StartServer = Callable[..., Server]
StartCommand = Callable[..., Command]


@pytest.fixture
def start_command() -> Iterator[StartCommand]:
    """Starts commands; see `Command`."""
    started: list[Command] = []

    def start(*arguments: str, **extra: str) -> Command:
        started.append(Command(*arguments, **extra))
        return started[-1]

    yield start
    for command in started:
        command.kill()


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Starts servers; see `Server`. Their data is in a folder of the test unless another one is given."""
    started: list[Server] = []

    def start(*arguments: str, data: Path | None = None, port: int = 0, **extra: str) -> Server:
        started.append(Server(data or tmp_path / "data", *arguments, port=port, **extra))
        return started[-1]

    yield start
    for server in started:
        server.kill()


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One running server for every test that neither stops it nor minds what others have written."""
    server = Server(tmp_path_factory.mktemp("shop"))
    try:
        yield server.wait_until_ready()
    finally:
        server.kill()
