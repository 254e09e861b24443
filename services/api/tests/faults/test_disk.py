"""A disk that is full or fails: writes are refused and say so, all else goes on, and nothing needs a restart."""

from __future__ import annotations

import asyncio
import errno
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from soak.checker import Evidence, violations
from soak.crash import Ordeal, make_writers
from soak.journal import Outcome
from soak.listener import Listener, hang_up
from soak.load import post_one
from soak.preload import System
from soak.servers import Nursery, Served
from soak.writers import STORES, client_for
from tests.faults.conftest import Open
from tests.faults.listening import listening

BALLAST_BYTES = 3 * 1024 * 1024
WAIT_S = 60


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MiB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here, so none can be filled: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def fill(client: httpx2.AsyncClient) -> httpx2.Response:
    """Write until something is refused; that answer."""
    async with asyncio.timeout(WAIT_S):
        while (answer := await post_one(client, size_bytes=200_000)).is_success:
            pass
    return answer


async def still_serves(server: Served, client: httpx2.AsyncClient) -> None:
    """Reading goes on, and so does the monitor."""
    assert (await client.get("/healthz")).status_code == 200
    assert (await client.get(f"{STORES}/patterns?limit=1")).status_code == 200
    newcomer: list[Listener] = []
    await listening(server, newcomer)
    await hang_up(newcomer)


async def test_a_full_disk_refuses_writes_and_recovers_without_a_restart(
    open_place: Open, small_disk: Path, listeners: list[Listener]
) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(BALLAST_BYTES))
    place = await open_place(small_disk / "data")
    server = await place.serve()
    (listener,) = await listening(server, listeners)

    async with client_for(server.url) as client:
        refused = await fill(client)
        before = await server.head()
        again = [await post_one(client, size_bytes=200_000) for _ in range(5)]
        await still_serves(server, client)
        ballast.unlink()
        after = await post_one(client, size_bytes=200_000)

    assert refused.status_code in (503, 507)
    assert refused.json()["code"] in ("storage_full", "unavailable")
    assert {answer.status_code for answer in again} <= {503, 507}
    assert after.status_code == 201, after.text
    assert await server.head() == before + 1
    await asyncio.wait_for(listener.reach(before + 1), WAIT_S)
    assert violations(Evidence(place.database, listeners=[listener.heard])) == []


async def test_a_failing_fsync_acknowledges_nothing_and_recovers_without_a_restart(
    open_place: Open, frail_nursery: Nursery, system: System
) -> None:
    place = await open_place(within=frail_nursery, RMOS_AUTH="required")
    ordeal = await Ordeal.on(place, writers=4, listeners=5)
    server = await place.serve()
    await ordeal.live_through(server, 10)

    refused = make_writers(ordeal.journal, 4, prefix="refused")
    ordeal.writers += refused

    system.fail_fsync(errno.EIO)
    async with client_for(server.url, token=server.token) as client:
        accepted = await asyncio.gather(*(writer.attempt(client) for writer in refused))
        await still_serves(server, client)
    system.fail_fsync(0)

    assert accepted == [False] * 4
    assert [writer.statuses for writer in refused] == [[503]] * 4
    assert all(int(writer.retry_after[0] or 0) >= 1 for writer in refused)
    assert await ordeal.settle(server) == []
    await hang_up(ordeal.listeners)


async def test_a_kill_after_a_failing_fsync_leaves_whole_writes_only(
    open_place: Open, frail_nursery: Nursery, system: System
) -> None:
    """What the disk was given before it failed may be there after a kill, or not; but then as one whole, and once."""
    place = await open_place(within=frail_nursery, RMOS_AUTH="required")
    ordeal = await Ordeal.on(place, writers=4, listeners=5)
    server = await place.serve()
    await ordeal.live_through(server, 10)

    system.fail_fsync(errno.EIO)
    async with client_for(server.url, token=server.token) as client:
        await asyncio.gather(*(writer.attempt(client) for writer in ordeal.writers))
    await place.kill()
    system.fail_fsync(0)
    for write in ordeal.journal.writes.values():
        if write.outcome is Outcome.REFUSED:
            write.outcome = Outcome.UNKNOWN

    assert await ordeal.settle(await place.serve()) == []
    await hang_up(ordeal.listeners)
