"""The stream of server-sent events, as far as it can be refused."""

from __future__ import annotations

from pathlib import Path

from .shops import is_problem, open_shop


async def test_one_stream_too_many_is_refused_with_429_and_when_to_come_back(tmp_path: Path) -> None:
    async with (
        open_shop(tmp_path, max_connections_per_address=1) as shop,
        shop.client.stream("GET", "/sse/monitor") as first,
    ):
        assert first.status_code == 200

        refused = await shop.client.get("/sse/monitor")

        assert is_problem(refused, 429, "too_many_connections")
        assert int(refused.headers["retry-after"]) >= 1
