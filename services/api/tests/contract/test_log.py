"""`EventLog`: dense, in commit order, never skipping, one epoch."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest

from rmos.clock import to_timestamp
from rmos.domain.entities import PATTERN
from rmos.domain.events import Event, NewEvent
from rmos.domain.filters import EventFilter, parse_filter
from rmos.eventlog.base import LastEvents, LogHead
from rmos.stores.base import Stores, Transaction
from tests.contract.builders import NOW, custom, deleting, document, making, saving
from tests.contract.engines import Engine

EVERYTHING = parse_filter(["all"])


async def test_an_empty_log_says_so(stores: Stores) -> None:
    head = await stores.log.head()

    assert (head.offset, head.oldest) == (0, 1)
    assert head.epoch
    assert await stores.log.read(0) == []
    assert await stores.log.read_matching(0, EVERYTHING, limit=5) == []
    assert await stores.log.last_matching(3, EVERYTHING) == LastEvents(0, 0)


async def test_offsets_are_dense_under_16_concurrent_writers(stores: Stores) -> None:
    chance = random.Random(5)  # noqa: S311  # which works fail, not a secret

    def work(number: int, fails: bool) -> object | None:
        def run(tx: Transaction) -> None:
            for step in range(number % 4):
                custom(f"w{number}.{step}")(tx)
            if fails:
                raise LookupError

        return run

    async def writer(first: int) -> None:
        for number in range(first, first + 60):
            await asyncio.gather(stores.write(work(number, chance.random() < 0.2)), return_exceptions=True)

    await asyncio.gather(*(writer(w * 60) for w in range(16)))

    events = await read_all(stores)
    head = await stores.log.head()
    assert [e.offset for e in events] == list(range(1, head.offset + 1))
    assert len(events) > 500
    assert are_whole(events)


def are_whole(events: list[Event]) -> bool:
    """Whether each work's events stand together and complete."""
    names = [e.type.removeprefix("job:w").split(".") for e in events]
    expected = 0
    for number, step in names:
        if int(step) != expected:
            return False
        expected = (int(step) + 1) % (int(number) % 4)
    return expected == 0


async def read_all(stores: Stores, *, after: int = 0) -> list[Event]:
    found: list[Event] = []
    while page := await stores.log.read(after):
        found += page
        after = page[-1].offset
    return found


async def test_a_reader_beside_writers_misses_nothing(stores: Stores) -> None:
    seen: list[int] = []

    async def follow() -> None:
        while len(seen) < 2000:
            seen.extend(e.offset for e in await stores.log.read(len(seen), limit=37))

    async def write() -> None:
        for _ in range(250):
            await stores.write(custom("x"))

    async with asyncio.timeout(30):
        await asyncio.gather(follow(), *(write() for _ in range(8)))

    assert seen == list(range(1, 2001))


async def test_a_page_ends_at_its_limit_or_its_bytes(stores: Stores) -> None:
    def big(tx: Transaction) -> None:
        for size in (10, 100_000, 100_000, 100_000, 300_000, 10):
            tx.append(NewEvent("job:x", b'"' + b"x" * size + b'"', NOW))

    await stores.write(big)

    async def lengths(after: int, **options: int) -> list[int]:
        return [len(e.data) - 2 for e in await stores.log.read(after, **options)]

    assert await lengths(0) == [10, 100_000, 100_000, 100_000]
    assert await lengths(4) == [300_000], "at least one, however large"
    assert await lengths(0, limit=2) == [10, 100_000]
    assert await lengths(0, max_bytes=11) == [10]
    assert await lengths(0, max_bytes=12) == [10, 100_000], "not yet past it"
    assert await lengths(5) == [10]
    assert await lengths(6) == []
    assert await lengths(99) == []


async def write_mixture(stores: Stores) -> None:
    """Offsets 1–8."""
    for category, name, channels in (
        ("job", "a", ("machine:cnc1", "project:p1")),
        ("pattern", "b", ()),
        ("material", "c", ()),
        ("job", "d", ("machine:cnc2",)),
        ("metrics", "e", ("machine:cnc1",)),
        ("pattern", "f", ("project:p1",)),
        ("job", "g", ()),
        ("material", "h", ()),
    ):
        await stores.write(custom(name, category, channels=channels))


MATCHES = [
    (EVERYTHING, [1, 2, 3, 4, 5, 6, 7, 8]),
    (parse_filter(["job"]), [1, 4, 7]),
    (parse_filter(["job", "material"]), [1, 3, 4, 7, 8]),
    (parse_filter([]), []),
    (parse_filter(["all"], ["machine:cnc1"]), [1, 5]),
    (parse_filter(["job", "pattern"], ["machine:*"]), [1, 4]),
    (parse_filter(["all"], ["project:p1", "machine:cnc2"]), [1, 4, 6]),
    (parse_filter(["material"], ["project:*"]), []),
    (parse_filter(["all"], None, ["job:d", "pattern:b", "metrics:e"]), [2, 4, 5]),
    (parse_filter(["job", "pattern"], None, ["job:d", "pattern:b", "metrics:e"]), [2, 4]),
    (parse_filter(["job"], None, ["pattern:b"]), []),
    (parse_filter(["all"], None, []), []),
    (parse_filter(["all"], ["machine:*"], ["job:a", "job:g", "metrics:e"]), [1, 5]),
    (parse_filter(["all"]).narrowed(frozenset({"project:p1"})), [1, 6]),
    (parse_filter(["all"], ["machine:*"]).narrowed(frozenset({"project:p1"})), [1]),
    (parse_filter(["all"], None, ["job:a", "job:d"]).narrowed(frozenset({"machine:cnc2"})), [4]),
    (parse_filter(["all"]).narrowed(frozenset()), []),
]


@pytest.mark.parametrize(("wanted", "offsets"), MATCHES)
async def test_matching_events_are_found(
    stores: Stores, wanted: EventFilter, offsets: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rmos.eventlog.sqlite._SCAN_EVENTS", 2)  # so that a search takes several reads
    await write_mixture(stores)

    for after in range(9):
        found = await stores.log.read_matching(after, wanted, limit=100)
        assert [e.offset for e in found] == [o for o in offsets if o > after]
    assert [e.offset for e in await stores.log.read_matching(0, wanted, limit=2)] == offsets[:2]


def at(minutes: float) -> str:
    return to_timestamp(datetime(2026, 11, 24, 10, tzinfo=UTC) + timedelta(minutes=minutes))


STEPS: dict[str, list[float]] = {
    "rising": [0, 1, 1, 2, 5, 9],
    "set back a little": [0, 10, 11, 5, 6, 12],
    "set back twice": [0, 60, 30, 31, 80, 25, 26, 90],
    "set back by an hour": [100, 101, 41, 42, 102, 103],
    "all at once": [7, 7, 7],
    "empty": [],
}


@pytest.mark.parametrize("minutes", STEPS.values(), ids=list(STEPS))
@pytest.mark.parametrize("filler", [0, 40])
async def test_a_time_is_found_and_nothing_of_it_or_later_lies_before(
    stores: Stores, minutes: list[float], filler: int
) -> None:
    times = [*(at(-200 - n) for n in range(filler, 0, -1)), *map(at, minutes), *(at(300 + n) for n in range(filler))]
    for time in times:
        await stores.write(custom("tick", timestamp=time))

    for asked in sorted({*times, at(-500), at(3.5), at(1000)}):
        first = next((offset for offset, time in enumerate(times, 1) if time >= asked), len(times) + 1)
        assert await stores.log.offset_before(asked) == first - 1, asked
    assert await stores.log.offset_before("0001-01-01T00:00:00.000Z") == 0


@pytest.mark.parametrize(("wanted", "offsets"), MATCHES)
async def test_the_place_of_the_last_matching_events_is_found(
    stores: Stores, wanted: EventFilter, offsets: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rmos.eventlog.sqlite._SCAN_EVENTS", 2)
    await write_mixture(stores)

    for count in range(1, 10):
        last = await stores.log.last_matching(count, wanted)
        assert [o for o in offsets if o > last.after] == offsets[-count:]
        assert last.count == len(offsets[-count:])


async def test_history_has_all_events_of_a_key_also_after_deletion(stores: Stores) -> None:
    for version in (1, 2, 3):
        await stores.write(saving(PATTERN, document(PATTERN, id="p", version=version)))
        await stores.write(making(PATTERN))
    await stores.write(deleting(PATTERN, "p", 4))

    history = await stores.history("pattern/p")

    assert [(e.type, e.version) for e in history] == [
        ("pattern:created", 1),
        ("pattern:updated", 2),
        ("pattern:updated", 3),
        ("pattern:deleted", 4),
    ]
    assert [e.version for e in await stores.history("pattern/p", limit=2)] == [3, 4]
    assert await stores.history("pattern/q") == []


async def test_epoch_and_offsets_go_on_after_a_restart(engine: Engine) -> None:
    heads: list[LogHead] = []
    for _ in range(3):
        async with engine.open() as stores:
            heads.append(await stores.log.head())
            await stores.write(custom("x"))

    assert [h.offset for h in heads] == [0, 1, 2]
    assert len({h.epoch for h in heads}) == 1


async def wait_for_oldest(stores: Stores, oldest: int) -> LogHead:
    async with asyncio.timeout(20):
        while (head := await stores.log.head()).oldest < oldest:  # pruning tells nobody
            await asyncio.sleep(0.02)
    return head


async def test_retention_by_number_keeps_the_newest(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rmos.stores.sqlite.housekeeping.PRUNE_ROWS", 7)
    async with engine.open(keep_events=10) as stores:
        await asyncio.gather(*(stores.write(custom("x")) for _ in range(50)))

        head = await wait_for_oldest(stores, 41)
        kept = await stores.log.read(0)
        await stores.write(custom("y"))
        after_next = await stores.log.read(50)

    assert (head.oldest, head.offset) == (41, 50)
    assert [e.offset for e in kept] == list(range(41, 51))
    assert [e.offset for e in after_next] == [51]


async def test_retention_by_age_drops_the_old_ones(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rmos.stores.sqlite.housekeeping.PRUNE_ROWS", 4)
    now = datetime.now(UTC)
    ages = [*range(20, 0, -1), 0, 0]  # in days, oldest first

    async with engine.open(keep_days=5.5) as stores:
        for age in ages:
            time = to_timestamp(now - timedelta(days=age))
            await stores.write(lambda tx, time=time: tx.append(NewEvent("job:x", b"{}", time)))  # type: ignore[misc]

        head = await wait_for_oldest(stores, 16)
        kept = await stores.log.read(0)

    assert [e.offset for e in kept] == list(range(16, 23))
    assert (head.oldest, head.offset) == (16, 22)


async def test_a_log_that_lost_everything_to_retention_goes_on(engine: Engine) -> None:
    old = to_timestamp(datetime.now(UTC) - timedelta(days=9))
    async with engine.open(keep_days=1) as stores:
        for _ in range(3):
            await stores.write(lambda tx: tx.append(NewEvent("job:x", b"{}", old)))
        head = await wait_for_oldest(stores, 4)
        await stores.write(custom("new"))
        kept = await stores.log.read(0)

    assert (head.oldest, head.offset) == (4, 3)
    assert [(e.offset, e.type) for e in kept] == [(4, "job:new")]
