"""A running server for the routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.web.shops import Shop, open_shop


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    """A server of its own for each test, with an empty database."""
    async with open_shop(tmp_path) as running:
        yield running
