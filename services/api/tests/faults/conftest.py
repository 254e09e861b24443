"""Places on which servers of the tests live. Everything is imported once for all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import pytest_asyncio

from soak.listener import Listener, hang_up
from soak.preload import System, compiler
from soak.servers import Nursery, Place

Open: TypeAlias = Callable[..., Coroutine[Any, Any, Place]]


@pytest.fixture(scope="package")
def nursery() -> Iterator[Nursery]:
    with Nursery() as process:
        yield process


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory) -> System:
    """A system that can be told to go wrong, for the servers of `frail_nursery`."""
    if compiler() is None:
        pytest.skip("clock and fsync cannot be made to fail here: that takes Linux and a C compiler")
    return System(tmp_path_factory.mktemp("system"))


@pytest.fixture(scope="package")
def frail_nursery(system: System) -> Iterator[Nursery]:
    with Nursery(system=system) as process:
        yield process


@pytest_asyncio.fixture
async def open_place(nursery: Nursery, tmp_path: Path) -> AsyncIterator[Open]:
    """Opens places, and closes them when the test is over."""
    opened: list[Place] = []

    async def open_one(data: Path | None = None, *, within: Nursery = nursery, **settings: str) -> Place:
        opened.append(await within.place(data or tmp_path / "data", **settings))
        return opened[-1]

    yield open_one
    for place in opened:
        await place.close()


@pytest_asyncio.fixture
async def place(open_place: Open) -> Place:
    """A new one, with the usual settings."""
    return await open_place()


@pytest_asyncio.fixture
async def guarded_place(open_place: Open) -> Place:
    """A new one where everybody has to say who they are, for an `Ordeal`."""
    return await open_place(RMOS_AUTH="required")


@pytest_asyncio.fixture
async def listeners() -> AsyncIterator[list[Listener]]:
    """Whoever is put into this list is hung up when the test is over."""
    there: list[Listener] = []
    yield there
    await hang_up(there)
