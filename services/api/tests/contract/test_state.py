"""`EventLog.state`: the shop at any offset that the log can still tell of, as if the later events had never been."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmos.domain.entities import JOBLOG, KINDS, PATTERN, STRIP_FAMILY, Kind
from rmos.domain.events import Event, channels_of
from rmos.domain.filters import BIT, EventFilter, parse_filter
from rmos.errors import ExpiredError
from rmos.eventlog.places import locate
from rmos.eventlog.state import SCAN_KEYS
from rmos.stores.base import ListQuery, Stores, Transaction
from tests.contract.builders import custom, deleting, document, event, making, revision, saving
from tests.contract.engines import ENGINES, Engine

EVERYTHING = parse_filter(["all"])
Documents = dict[str, bytes]
Step = tuple[Any, ...]

_STEPS = st.one_of(
    st.tuples(st.just("put"), st.sampled_from(KINDS), st.sampled_from("abc"), st.sampled_from([None, "p1", "p2"])),
    st.tuples(st.just("put"), st.sampled_from(KINDS), st.sampled_from("abc"), st.sampled_from([None, "p1", "p2"])),
    st.tuples(st.just("delete"), st.sampled_from(KINDS), st.sampled_from("abc")),
    st.tuples(st.just("tell"), st.sampled_from(KINDS), st.sampled_from("abcd")),
)
_FILTERS = st.sampled_from(
    [
        EVERYTHING,
        parse_filter(["job"]),
        parse_filter(["material", "pattern"]),
        parse_filter([]),
        parse_filter(["all"], ["project:p1"]),
        parse_filter(["job", "pattern"], ["project:*"]),
        parse_filter(["all"], None, ["job:completed"]),
        EVERYTHING.narrowed(frozenset({"project:p2"})),
    ]
)


async def take(stores: Stores, step: Step) -> None:
    """One change of the shop, as a service makes it; nothing where it would be refused."""
    name, kind, entity_id, *rest = step

    def work(tx: Transaction) -> None:
        before = tx.get(kind, entity_id)
        if name == "tell":
            custom("told", kind.category, key=kind.key(entity_id))(tx)
        elif name == "delete" and before is not None:
            old = orjson.loads(before.body)
            tx.delete(kind, entity_id)
            tx.append(event(kind, old | {"version": before.version + 1}, "deleted", channels=channels_of(old)))
        elif name == "put":
            old = orjson.loads(before.body) if before else {}
            version = before.version + 1 if before else 1
            fields = document(kind, id=entity_id, version=version, project_id=rest[0])
            tx.put(revision(kind, fields), fields)
            heard = channels_of(old, fields)
            tx.append(event(kind, fields, "updated" if before else "created", channels=heard))

    await stores.write(work)


def rebuilt(events: Sequence[Event], wanted: EventFilter = EVERYTHING) -> Documents:
    """The shop made by applying these events to nothing."""
    shop: Documents = {}
    for one in events:
        if one.version is None or one.key is None:
            continue
        if one.type.endswith(":deleted"):
            del shop[one.key]
        else:
            shop[one.key] = one.data
    untyped = EventFilter(wanted.mask, wanted.channels, None, wanted.allowed)
    return {
        key: data
        for key, data in shop.items()
        if untyped.matches(f"{key.partition('/')[0]}:updated", channels_of(orjson.loads(data)))
    }


async def state(stores: Stores, at: int, wanted: EventFilter = EVERYTHING, **paging: int) -> Documents:
    """Every page, joined."""
    shop: Documents = {}
    after: str | None = ""
    while after is not None:
        page = await stores.log.state(at, wanted, after=after, **({"limit": 1000} | paging))
        keys = [entity.key for entity in page.entities]
        assert keys == sorted(set(keys))
        assert all(key > after for key in keys)
        assert page.next is None or page.next > after
        shop |= {entity.key: entity.data for entity in page.entities}
        after = page.next
    return shop


async def lists(stores: Stores) -> Documents:
    """The shop as the lists show it."""
    found: Documents = {}
    for kind in KINDS:
        page = await stores.page(kind, ListQuery({}, limit=1000))
        found |= {kind.key(orjson.loads(body)["id"]): body for body in page.items}
    return found


@pytest.fixture(scope="module", params=sorted(ENGINES))
def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Name of the engine and a folder with an empty database: making one anew for each example takes too long."""
    folder = tmp_path_factory.mktemp("template")

    async def make() -> None:
        async with ENGINES[request.param](folder).open():
            pass

    asyncio.run(make())
    return request.param, folder


async def play(engine: Engine, steps: Sequence[Step], keep: int, places: Sequence[float], wanted: EventFilter) -> None:
    async with engine.open() as stores:
        for step in steps:
            await take(stores, step)
        events = await stores.log.read(0, limit=1000)
        for k in {round(place * len(events)) for place in places}:
            assert await state(stores, k) == rebuilt(events[:k])
            assert await state(stores, k, wanted, limit=2) == rebuilt(events[:k], wanted)
        assert await state(stores, len(events)) == await lists(stores)

    async with engine.open(keep_events=keep) as stores:
        oldest = max(len(events) - keep + 1, 1)
        while (await stores.log.head()).oldest < oldest:
            await asyncio.sleep(0.001)
        for k in range(oldest - 1, len(events) + 1):
            assert await state(stores, k, wanted) == rebuilt(events[:k], wanted)
        assert await state(stores, len(events), limit=1) == await lists(stores)
        if oldest > 1:
            with pytest.raises(ExpiredError):
                await stores.log.state(oldest - 2, wanted, limit=1)


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(_STEPS, min_size=1, max_size=40),
    keep=st.integers(1, 45),
    places=st.lists(st.floats(0, 1), min_size=1, max_size=4),
    wanted=_FILTERS,
)
def test_the_state_at_k_is_the_shop_rebuilt_from_the_first_k_events(
    template: tuple[str, Path], steps: Sequence[Step], keep: int, places: Sequence[float], wanted: EventFilter
) -> None:
    engine, empty = template
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("rmos.stores.sqlite.housekeeping.PRUNE_ROWS", 7)
        database = shutil.copytree(empty, Path(folder) / "database")
        asyncio.run(play(ENGINES[engine](database), steps, keep, places, wanted))


async def test_pages_stay_the_same_while_others_write(stores: Stores) -> None:
    for number in range(5):
        await stores.write(making(JOBLOG, id=f"j{number}"))
    first = await stores.log.state(5, EVERYTHING, limit=2)

    await stores.write(saving(JOBLOG, document(JOBLOG, id="j3", version=2)))
    await stores.write(deleting(JOBLOG, "j4", 2))
    await stores.write(making(JOBLOG, id="j11"))
    second = await stores.log.state(5, EVERYTHING, after=first.next or "", limit=10)

    assert [entity.key for entity in first.entities + second.entities] == [f"job/j{number}" for number in range(5)]
    assert [entity.version for entity in second.entities] == [1, 1, 1]
    assert second.next is None


async def test_a_page_says_who_made_an_entity_so(stores: Stores) -> None:
    fields = document(PATTERN, id="p", updated_at="2026-11-24T11:00:00.000Z", version=2)
    await stores.write(making(PATTERN, id="p"))
    await stores.write(saving(PATTERN, fields))

    (entity,) = (await stores.log.state(2, EVERYTHING, limit=1)).entities

    assert entity == ("pattern/p", 2, 2, "2026-11-24T11:00:00.000Z", orjson.dumps(fields))
    assert entity.category == "pattern"


async def test_a_page_ends_when_its_documents_are_large(stores: Stores) -> None:
    for number in range(3):
        await stores.write(making(STRIP_FAMILY, id=f"f{number}", name="x" * 1000))

    sizes = []
    after: str | None = ""
    while after is not None:
        page = await stores.log.state(3, EVERYTHING, after=after, limit=10, max_bytes=100)
        sizes.append(len(page.entities))
        after = page.next

    assert sizes == [1, 1, 1]


async def test_a_page_looks_at_a_bounded_number_of_entities(stores: Stores) -> None:
    def make_many(tx: Transaction) -> None:
        for number in range(SCAN_KEYS + 10):
            making(JOBLOG, id=f"j{number:05}")(tx)

    await stores.write(making(PATTERN, id="p"))
    await stores.write(make_many)

    before_the_jobs = await stores.log.state(1, EVERYTHING, limit=10)

    assert before_the_jobs.entities == []
    assert before_the_jobs.next == f"job/j{SCAN_KEYS - 1:05}"
    assert list(await state(stores, 1)) == ["pattern/p"]
    assert BIT["job"] & EVERYTHING.mask
    assert len(await state(stores, SCAN_KEYS + 11)) == SCAN_KEYS + 11


async def test_a_time_is_the_newest_event_that_is_not_later(stores: Stores) -> None:
    def at(minute: int) -> str:
        return f"2026-11-24T10:{minute:02}:00.000Z"

    for minute in (1, 2, 2, 5):
        fields = document(JOBLOG, updated_at=at(minute))
        await stores.write(saving(JOBLOG, fields))

    found = [(await locate(stores.log, at(minute), now=at(9), pointer="/at")).offset for minute in range(7)]

    assert found == [0, 1, 3, 3, 3, 4, 4]
    assert [await stores.log.time_of(offset) for offset in (0, 1, 4, 5)] == [None, at(1), at(5), None]


@pytest.mark.parametrize("kind", KINDS)
async def test_an_id_that_is_used_again_is_a_new_entity(stores: Stores, kind: Kind) -> None:
    await stores.write(making(kind, id="x"))
    await stores.write(deleting(kind, "x", 2))
    await stores.write(making(kind, id="x"))

    found = [list(await state(stores, at)) for at in range(4)]

    assert found == [[], [kind.key("x")], [], [kind.key("x")]]
