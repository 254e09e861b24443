"""`Stores.write`: one transaction, durable before it returns, and nobody's failure but one's own."""

from __future__ import annotations

import asyncio
import threading

import pytest

from rmos.domain.entities import JOBLOG, PATTERN, STRIP_FAMILY
from rmos.errors import ConflictError, CorruptError, UnavailableError
from rmos.stores.base import ListQuery, Reference, Stores, Transaction
from tests.contract.builders import custom, deleting, document, event, making, revision, saving
from tests.contract.engines import Engine


async def test_change_and_event_are_there_when_write_returns(stores: Stores) -> None:
    fields = document(PATTERN, name="wave")

    returned = await stores.write(saving(PATTERN, fields, actor="anna", request_id="r1"))

    assert returned == fields["id"]
    assert await stores.get(PATTERN, fields["id"]) == revision(PATTERN, fields)
    (logged,) = await stores.log.read(0)
    assert (logged.offset, logged.type, logged.key, logged.version) == (1, "pattern:created", returned_key(fields), 1)
    assert (logged.actor, logged.request_id, logged.data) == ("anna", "r1", revision(PATTERN, fields).body)


def returned_key(fields: dict[str, str]) -> str:
    return PATTERN.key(fields["id"])


async def test_what_was_written_outlives_the_stores(engine: Engine) -> None:
    fields = document(STRIP_FAMILY)
    async with engine.open() as stores:
        await stores.write(saving(STRIP_FAMILY, fields))

    async with engine.open() as stores:
        found = await stores.get(STRIP_FAMILY, fields["id"])
        events = await stores.log.read(0)

    assert found == revision(STRIP_FAMILY, fields)
    assert [e.offset for e in events] == [1]


async def test_a_work_that_raises_leaves_nothing(stores: Stores) -> None:
    def work(tx: Transaction) -> None:
        making(PATTERN, id="p1")(tx)
        raise ConflictError("no")

    with pytest.raises(ConflictError, match="no"):
        await stores.write(work)

    assert await stores.get(PATTERN, "p1") is None
    assert (await stores.log.head()).offset == 0


async def test_neighbours_in_a_group_do_not_notice_a_work_that_raises(stores: Stores) -> None:
    def failing(tx: Transaction) -> None:
        making(PATTERN, id="bad")(tx)
        raise ConflictError("no")

    works = [making(PATTERN, id=f"p{i}") if i % 3 else failing for i in range(60)]
    results = await asyncio.gather(*(stores.write(work) for work in works), return_exceptions=True)

    good = [f"p{i}" for i in range(60) if i % 3]
    assert [r for r in results if isinstance(r, str)] == good
    assert sum(isinstance(r, ConflictError) for r in results) == 20
    assert [e.key for e in await stores.log.read(0)] == [PATTERN.key(i) for i in good]
    assert await stores.get(PATTERN, "bad") is None


async def test_neighbours_do_not_notice_a_work_that_the_database_refuses(stores: Stores) -> None:
    """A reference to nothing is refused by the database alone, when the whole group is written."""
    works = [making(JOBLOG, id=f"j{i}", pattern_id=None if i != 7 else "nowhere") for i in range(20)]

    results = await asyncio.gather(*(stores.write(work) for work in works), return_exceptions=True)

    assert [i for i, r in enumerate(results) if not isinstance(r, str)] == [7]
    assert isinstance(results[7], CorruptError)
    assert [e.key for e in await stores.log.read(0)] == [JOBLOG.key(f"j{i}") for i in range(20) if i != 7]
    assert [e.offset for e in await stores.log.read(0)] == list(range(1, 20))


async def test_a_value_that_no_column_takes_fails_its_own_work(stores: Stores) -> None:
    works = [making(PATTERN, id=f"p{i}", ring_count=3 if i != 2 else 2**63) for i in range(5)]

    results = await asyncio.gather(*(stores.write(work) for work in works), return_exceptions=True)

    assert [isinstance(r, OverflowError) for r in results] == [False, False, True, False, False]


@pytest.mark.parametrize("error", [StopIteration("x"), ZeroDivisionError("x"), SystemExit(3), asyncio.CancelledError()])
async def test_whatever_a_work_raises_the_next_write_succeeds(stores: Stores, error: BaseException) -> None:
    def work(_: Transaction) -> None:
        raise error

    outcome = (await asyncio.gather(absorbing(stores, work), return_exceptions=True))[0]

    assert isinstance(outcome, RuntimeError if isinstance(error, StopIteration) else type(error))
    assert await stores.write(making(PATTERN, id="p1")) == "p1"


async def absorbing(stores: Stores, work: object) -> BaseException | None:
    """What the write raised, as a value: SystemExit would end the test run."""
    try:
        await stores.write(work)  # type: ignore[arg-type]  # a work that only raises
    except BaseException as error:
        return error
    return None


async def test_a_work_sees_its_own_changes_and_those_of_earlier_works(stores: Stores) -> None:
    def add_one(tx: Transaction) -> int:
        found = tx.get(PATTERN, "counter")
        version = found.version + 1 if found else 1
        for step in (version, version + 1):
            saving(PATTERN, document(PATTERN, id="counter", version=step))(tx)
            again = tx.get(PATTERN, "counter")
            assert again is not None
            assert again.version == step
        return version + 1

    versions = await asyncio.gather(*(stores.write(add_one) for _ in range(50)))

    assert versions == list(range(2, 102, 2))
    assert [e.version for e in await stores.history(PATTERN.key("counter"))] == list(range(1, 101))


async def test_nobody_reads_a_write_before_it_is_committed(stores: Stores) -> None:
    inside, leave = threading.Event(), threading.Event()

    def slow(tx: Transaction) -> None:
        making(PATTERN, id="p1")(tx)
        inside.set()
        assert leave.wait(10)

    write = asyncio.ensure_future(stores.write(slow))
    await asyncio.to_thread(inside.wait, 10)
    seen_before = (await stores.get(PATTERN, "p1"), await stores.log.read(0), (await stores.log.head()).offset)
    leave.set()
    await write

    assert seen_before == (None, [], 0)
    assert await stores.get(PATTERN, "p1") is not None


async def test_a_cancelled_caller_breaks_nothing(stores: Stores) -> None:
    writes = [asyncio.ensure_future(stores.write(making(PATTERN, id=f"p{i}"))) for i in range(40)]
    await asyncio.sleep(0)
    for write in writes[::2]:
        write.cancel()

    results = await asyncio.gather(*writes, return_exceptions=True)

    assert results[1::2] == [f"p{i}" for i in range(1, 40, 2)]
    assert all(isinstance(r, asyncio.CancelledError) for r in results[::2])
    page = await stores.page(PATTERN, ListQuery({}))
    assert page.total == (await stores.log.head()).offset
    assert await stores.write(making(PATTERN, id="after")) == "after"


async def test_on_commit_is_called_on_the_loop_when_callers_have_their_results(engine: Engine) -> None:
    done: list[bool] = []
    loop = asyncio.get_running_loop()

    def on_commit() -> None:
        assert asyncio.get_running_loop() is loop
        done.append(future.done())

    async with engine.open(on_commit=on_commit) as stores:
        future = asyncio.ensure_future(stores.write(making(PATTERN)))
        await future
        with pytest.raises(ConflictError):
            await stores.write(raising_conflict)

    assert len(done) == 1, "one call for the commit, none for the write that stored nothing"


def raising_conflict(_: Transaction) -> None:
    raise ConflictError("no")


async def test_close_finishes_what_was_submitted_and_refuses_the_rest(engine: Engine) -> None:
    async with engine.open() as stores:
        writes = [asyncio.ensure_future(stores.write(making(PATTERN))) for _ in range(500)]
        await asyncio.sleep(0)
        await asyncio.gather(stores.close(), stores.close())

        assert all(isinstance(result, str) for result in await asyncio.gather(*writes))
        with pytest.raises(UnavailableError, match="closed"):
            await stores.write(making(PATTERN))
        with pytest.raises(UnavailableError, match="closed"):
            await stores.get(PATTERN, "p1")

    assert engine.query("SELECT count(*) FROM patterns") == [(500,)]


async def test_too_many_waiting_writes_are_refused(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rmos.stores.sqlite.writer.MAX_WAITING", 10)

    results = await asyncio.gather(*(stores.write(making(PATTERN)) for _ in range(15)), return_exceptions=True)

    assert [isinstance(r, UnavailableError) for r in results] == [False] * 10 + [True] * 5
    await stores.write(making(PATTERN))


async def test_a_group_takes_many_rows_and_large_ones(stores: Stores) -> None:
    def bulk(tx: Transaction) -> None:
        for i in range(1500):
            making(JOBLOG, id=f"j{i:04}", parameters={"note": "x" * (200_000 if i % 100 == 0 else 10)})(tx)

    await stores.write(bulk)

    assert (await stores.page(JOBLOG, ListQuery({}))).total == 1500
    assert (await stores.log.head()).offset == 1500


async def test_referrers_follow_the_changes_of_the_transaction(stores: Stores) -> None:
    await stores.write(making(STRIP_FAMILY, id="f1"))
    await stores.write(making(STRIP_FAMILY, id="f2"))
    await stores.write(making(PATTERN, id="stays", strip_family_id="f1"))
    await stores.write(making(PATTERN, id="moves", strip_family_id="f1"))
    await stores.write(making(PATTERN, id="goes", strip_family_id="f1"))

    def work(tx: Transaction) -> list[Reference]:
        saving(PATTERN, document(PATTERN, id="moves", version=2, strip_family_id="f2"))(tx)
        deleting(PATTERN, "goes", 2)(tx)
        making(PATTERN, id="comes", strip_family_id="f1")(tx)
        making(JOBLOG, id="job", strip_family_id="f1", pattern_id="comes")(tx)
        making(PATTERN, id="came and went", strip_family_id="f1")(tx)
        deleting(PATTERN, "came and went", 2)(tx)
        return tx.referrers(STRIP_FAMILY, "f1")

    found = await stores.write(work)
    after = await stores.write(lambda tx: tx.referrers(STRIP_FAMILY, "f1"))
    of_pattern = await stores.write(lambda tx: tx.referrers(PATTERN, "comes"))

    expected = {
        Reference(PATTERN, "stays", "strip_family_id"),
        Reference(PATTERN, "comes", "strip_family_id"),
        Reference(JOBLOG, "job", "strip_family_id"),
    }
    assert (len(found), set(found)) == (3, expected)
    assert set(after) == expected
    assert of_pattern == [Reference(JOBLOG, "job", "pattern_id")]


async def test_parents_and_children_may_come_and_go_in_one_transaction(stores: Stores) -> None:
    def make(tx: Transaction) -> None:
        making(JOBLOG, id="j", pattern_id="p", strip_family_id="f")(tx)
        making(PATTERN, id="p", strip_family_id="f")(tx)
        making(STRIP_FAMILY, id="f")(tx)

    def unmake(tx: Transaction) -> None:
        for kind, entity_id in ((STRIP_FAMILY, "f"), (PATTERN, "p"), (JOBLOG, "j")):
            deleting(kind, entity_id, 2)(tx)

    await stores.write(make)
    assert await stores.get(JOBLOG, "j") is not None
    await stores.write(unmake)

    assert [await stores.get(k, i) for k, i in ((JOBLOG, "j"), (PATTERN, "p"), (STRIP_FAMILY, "f"))] == [None] * 3


async def test_deleting_what_is_referenced_is_refused_by_the_database_too(stores: Stores) -> None:
    await stores.write(making(STRIP_FAMILY, id="f"))
    await stores.write(making(PATTERN, id="p", strip_family_id="f"))

    with pytest.raises(CorruptError):
        await stores.write(deleting(STRIP_FAMILY, "f", 2))

    assert await stores.get(STRIP_FAMILY, "f") is not None
    assert (await stores.log.head()).offset == 2


async def test_an_entity_can_be_deleted_and_made_again(stores: Stores) -> None:
    fields = document(PATTERN, id="p")
    await stores.write(saving(PATTERN, fields))
    await stores.write(deleting(PATTERN, "p", 2))
    assert await stores.get(PATTERN, "p") is None

    again = document(PATTERN, id="p", name="again")
    await stores.write(saving(PATTERN, again))

    assert await stores.get(PATTERN, "p") == revision(PATTERN, again)
    assert [e.type for e in await stores.history(PATTERN.key("p"))] == [
        "pattern:created",
        "pattern:deleted",
        "pattern:created",
    ]


async def test_events_of_one_work_keep_their_order(stores: Stores) -> None:
    def work(tx: Transaction) -> None:
        for i in range(300):
            custom(f"n{i}")(tx)

    await asyncio.gather(stores.write(custom("first")), stores.write(work), stores.write(custom("last")))

    names = [e.type for e in await stores.log.read(0, limit=1000)]
    assert names == ["job:first", *(f"job:n{i}" for i in range(300)), "job:last"]


async def test_event_keeps_every_field(stores: Stores) -> None:
    fields = document(JOBLOG, note='ä\u2028\x7f"\\\n', operator="Ünal")
    written = event(JOBLOG, fields, "failed", channels=("project:p 7", "machine:ü"), actor='bö"b', request_id=None)

    await stores.write(lambda tx: tx.append(written))

    (read,) = await stores.log.read(0)
    for name in ("type", "data", "timestamp", "key", "version", "channels", "actor", "request_id", "category"):
        assert getattr(read, name) == getattr(written, name)
