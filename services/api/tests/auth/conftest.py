"""A guarded shop of its own for each test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .shops import GuardedShop, open_guarded_shop


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[GuardedShop]:
    """An empty shop in which everybody has to log in."""
    async with open_guarded_shop(tmp_path) as shop:
        yield shop
