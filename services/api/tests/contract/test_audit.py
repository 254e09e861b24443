"""The chain over the log, and what retention leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rmos.domain.entities import PATTERN
from rmos.domain.events import NewEvent
from rmos.eventlog.chain import GENESIS, header_of, link
from rmos.stores.base import Stores, Transaction
from tests.contract.builders import NOW, custom, deleting, document, making, saving
from tests.contract.engines import ENGINES, Engine
from tests.contract.test_log import wait_for_oldest


def test_the_header_is_canonical_json() -> None:
    event = NewEvent(
        "job:created", b"{}", NOW, "job/é\u007f\u0001\n", 3, ("project:p7", "machine:m"), "ana", None, "why"
    )

    assert header_of(event, 12).decode() == (
        '{"actor":"ana","cause":"why","channels":["project:p7","machine:m"],"key":"job/é\u007f\\u0001\\n",'
        f'"offset":12,"request_id":null,"timestamp":"{NOW}","type":"job:created","version":3}}'
    )


def test_a_hash_is_that_of_the_parts_in_line() -> None:
    """Also of data that are hashed in pieces. The value was computed by hand once and must stay."""
    for size in (0, 1900, 2047, 5000, 300_000):
        event = NewEvent("job:x", b"7" * size, NOW)
        line = b"\x05" * 32 + header_of(event, 1) + b"\n" + event.data
        assert link(b"\x05" * 32, event, 1) == sha256(line).digest()
    assert (
        link(GENESIS, NewEvent("job:x", b"{}", NOW), 1).hex()
        == "ad6cb3696f2b3ebdc5d353e194238e5f47d9dd0748177d3d2680cb7ada388555"
    )


async def test_every_event_is_chained_to_the_one_before(engine: Engine) -> None:
    async with engine.open() as stores:
        await asyncio.gather(*(stores.write(making(PATTERN, name=f"n{n}")) for n in range(30)))
    async with engine.open() as stores:
        await stores.write(custom("x", cause="a reason", channels=("project:p",)))
        events = await stores.log.read(0)

    previous = GENESIS
    for event, (stored,) in zip(events, engine.query("SELECT hash FROM events ORDER BY 1 * offset"), strict=True):
        previous = link(previous, event, event.offset)
        assert stored == previous
    assert events[-1].cause == "a reason"
    assert engine.query("SELECT anchor, hash FROM log_head") == [(GENESIS, previous)]


async def test_retention_moves_the_anchor_along(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rmos.stores.sqlite.housekeeping.PRUNE_ROWS", 3)
    async with engine.open() as stores:
        for _ in range(20):
            await stores.write(custom("x"))
    hashes = [GENESIS, *(found for (found,) in engine.query("SELECT hash FROM events ORDER BY 1 * offset"))]

    async with engine.open(keep_events=5) as stores:
        await wait_for_oldest(stores, 16)
        assert engine.query("SELECT oldest, anchor, hash FROM log_head") == [(16, hashes[15], hashes[20])]
    async with engine.open(keep_days=1e-6) as stores:  # all of them are older
        await wait_for_oldest(stores, 21)
        assert engine.query("SELECT oldest, anchor, hash FROM log_head") == [(21, hashes[20], hashes[20])]


Step = Callable[[dict[str, int]], Callable[[Transaction], object] | None]


def put(name: str) -> Step:
    """Create the pattern, or store its next version."""

    def step(versions: dict[str, int]) -> Callable[[Transaction], object]:
        versions[name] = versions.get(name, 0) + 1
        return saving(PATTERN, document(PATTERN, id=name, version=versions[name]))

    return step


def drop(name: str) -> Step:
    """Delete the pattern, if it is there."""

    def step(versions: dict[str, int]) -> Callable[[Transaction], object] | None:
        version = versions.pop(name, None)
        return None if version is None else deleting(PATTERN, name, version + 1)

    return step


def sight(name: str) -> Step:
    """A program makes an event about the pattern; it may even look like a deletion."""
    return lambda _: custom("deleted", "pattern", key=f"pattern/{name}")


names = st.sampled_from(["a", "b", "c"])
steps = st.lists(st.one_of(names.map(put), names.map(drop), names.map(sight)), max_size=25)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps, keep=st.integers(1, 12))
async def test_what_is_retired_and_the_kept_events_make_the_shop_at_every_offset(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step], keep: int
) -> None:
    engine = ENGINES["sqlite"](tmp_path_factory.mktemp("shop"))
    states: list[dict[str, bytes]] = [{}]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rmos.stores.sqlite.housekeeping.PRUNE_ROWS", 2)
        async with engine.open() as stores:
            versions: dict[str, int] = {}
            for step in steps:
                if (work := step(versions)) is not None:
                    await stores.write(work)
                    states.append(await patterns(stores))
        head = len(states) - 1
        oldest = max(1, head - keep + 1)
        async with engine.open(keep_events=keep) as stores:
            await wait_for_oldest(stores, oldest)
            events = await stores.log.read(0)
    retired = {str(key).partition("/")[2]: data for key, data in engine.query("SELECT key, data FROM retired")}

    state = dict(retired)
    assert state == states[oldest - 1]
    for event in events:
        name = str(event.key).partition("/")[2]
        if event.version is not None:
            state[name] = event.data
            if event.type == "pattern:deleted":
                del state[name]
        assert state == states[event.offset]


async def patterns(stores: Stores) -> dict[str, bytes]:
    """Documents by id."""
    found = {name: await stores.get(PATTERN, name) for name in "abc"}
    return {name: revision.body for name, revision in found.items() if revision is not None}
