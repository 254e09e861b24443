"""Every test that asks for `engine` or `stores` runs once on each engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rmos.stores.base import Stores
from tests.contract.engines import ENGINES, Engine


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """An empty database."""
    return ENGINES[request.param](tmp_path)


@pytest.fixture
async def stores(engine: Engine) -> AsyncIterator[Stores]:
    """Stores on an empty database, with default options."""
    async with engine.open() as opened:
        yield opened
