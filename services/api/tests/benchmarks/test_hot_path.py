"""What instructions are counted of must be a delivery of everything to everybody."""

from __future__ import annotations

import pytest

from benchmarks.hot_path import deliver


@pytest.mark.parametrize("filters", [1, 8])
async def test_every_event_reaches_every_subscriber(filters: int) -> None:
    assert await deliver(20, 8, 9, filters) == 20


async def test_nothing_is_delivered_when_there_is_nothing() -> None:
    assert await deliver(0, 8, 3, 1) == 0
