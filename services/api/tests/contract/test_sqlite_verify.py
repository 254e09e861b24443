"""Whatever somebody changes in the log, the walk along the chain names the first event that is not what it was."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rmos.domain.entities import PATTERN
from rmos.errors import InvalidError
from rmos.eventlog.audit import Fault, Link, Walk
from rmos.eventlog.bundle import BundleCheck, BundleWriter
from rmos.eventlog.chain import link
from rmos.eventlog.sqlite_audit import read_ends, read_epochs, read_page
from rmos.stores.sqlite import open_sqlite
from tests.contract.builders import NOW, custom, making

EVENTS = 12
CONTENT = ("type", "category", "key", "version", "channels", "actor", "request_id", "cause", "timestamp", "data")
COLUMNS = (*CONTENT, "hash")


def nobody() -> None:
    """Nobody listens to commits."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of a dozen events, of which the first three have been retired."""
    import asyncio

    path = tmp_path_factory.mktemp("sound") / "rmos.db"

    async def fill() -> None:
        stores = await open_sqlite(path, on_commit=nobody)
        for number in range(EVENTS - 1):
            more = {"channels": ("project:p",), "cause": "why", "request_id": "r"} if number % 2 else {}
            await stores.write(making(PATTERN, name=f"n{number}") if number % 3 else custom("x", **more))
        await stores.write(custom("last", channels=("machine:m",)))
        await stores.close()
        stores = await open_sqlite(path, on_commit=nobody, keep_events=EVENTS - 3)
        async with asyncio.timeout(20):
            while (await stores.log.head()).oldest < 4:
                await asyncio.sleep(0.02)
        await stores.close()

    asyncio.run(fill())
    return path


def copy_of(sound: Path, folder: Path) -> Path:
    return Path(shutil.copy(sound, folder / "rmos.db"))


def change(path: Path, sql: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as database:
        assert database.execute(sql, values).rowcount
        database.commit()


def walk(path: Path, known: Iterable[tuple[int, bytes]] = ()) -> Walk:
    found = Walk(known)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        while not found.feed(read_page(database, found.after)):
            pass
    return found


def bundle(path: Path, first: int, last: int) -> list[bytes]:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        writer = BundleWriter(first, last, epochs=read_epochs(database), now=NOW)
        text = b""
        while not writer.is_complete:
            text += writer.lines(read_page(database, writer.after))
        return (text + writer.end()).splitlines(keepends=True)


@pytest.fixture(params=[1, 3, 250])
def page_events(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of different lengths, so that faults lie at their ends as well."""
    monkeypatch.setattr("rmos.eventlog.sqlite_audit.PAGE_EVENTS", request.param)


@pytest.mark.usefixtures("page_events")
def test_a_sound_log_is_found_sound(sound: Path) -> None:
    found = walk(sound)

    assert found.fault is None
    assert found.checked == EVENTS - 3
    with closing(sqlite3.connect(sound)) as database:
        assert found.ends == read_ends(database)


def other(value: Any) -> Any:
    """Another value, of the same type where there was one."""
    match value:
        case None:
            return "x"
        case int():
            return value + 1
        case bytes():
            return bytes([value[0] ^ 1]) + value[1:]
        case _:
            return f"{value} "


@pytest.mark.usefixtures("page_events")
@pytest.mark.parametrize("offset", range(4, EVENTS + 1))
@pytest.mark.parametrize("column", COLUMNS)
def test_a_changed_field_is_named(sound: Path, tmp_path: Path, column: str, offset: int) -> None:
    path = copy_of(sound, tmp_path)
    with closing(sqlite3.connect(path)) as database:
        ((value,),) = database.execute(f'SELECT {column} FROM events WHERE "offset" = ?', (offset,)).fetchall()
    change(path, f'UPDATE events SET {column} = ? WHERE "offset" = ?', other(value), offset)

    fault = walk(path).fault

    assert fault is not None
    assert fault.offset == offset
    assert ("hash was changed" in fault.reason) == (column == "hash")


TYPES: list[Callable[[Any], Any]] = [
    lambda value: None,
    lambda value: value.encode() if isinstance(value, str) else "text",
    lambda value: b"\x00\xff",
    lambda value: "\x00" + str(value),
    lambda value: 2.5,
    lambda value: 2**62,
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(offset=st.integers(4, EVENTS), column=st.sampled_from(COLUMNS), to=st.sampled_from(TYPES))
def test_a_field_of_another_type_is_named(
    sound: Path, tmp_path_factory: pytest.TempPathFactory, offset: int, column: str, to: Callable[[Any], Any]
) -> None:
    path = copy_of(sound, tmp_path_factory.mktemp("changed"))
    with closing(sqlite3.connect(path)) as database:
        where = f'FROM events WHERE "offset" = {offset}'
        before = database.execute(f"SELECT {column}, typeof({column}) {where}").fetchall()
        try:
            database.execute(f'UPDATE events SET {column} = ? WHERE "offset" = ?', (to(before[0][0]), offset))
        except sqlite3.IntegrityError:
            return  # NULL where there must be a value
        database.commit()
        after = database.execute(f"SELECT {column}, typeof({column}) {where}").fetchall()

    fault = walk(path).fault

    assert (fault and fault.offset) == (None if after == before else offset)


@pytest.mark.usefixtures("page_events")
@pytest.mark.parametrize("offset", range(4, EVENTS + 1))
def test_a_deleted_event_is_missed(sound: Path, tmp_path: Path, offset: int) -> None:
    path = copy_of(sound, tmp_path)
    change(path, 'DELETE FROM events WHERE "offset" = ?', offset)

    assert walk(path).fault == Fault(offset, "it is missing")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pair=st.lists(st.integers(4, EVENTS), min_size=2, max_size=2, unique=True))
def test_swapped_events_are_named(sound: Path, tmp_path_factory: pytest.TempPathFactory, pair: list[int]) -> None:
    path = copy_of(sound, tmp_path_factory.mktemp("swapped"))
    one, two = pair
    for old, new in ((one, 99), (two, one), (99, two)):
        change(path, 'UPDATE events SET "offset" = ? WHERE "offset" = ?', new, old)

    fault = walk(path).fault

    assert fault is not None
    assert fault.offset == min(pair)


@pytest.mark.usefixtures("page_events")
@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("UPDATE log_head SET head = 9", Fault(10, "the log says that it ends at event 9")),
        ("UPDATE log_head SET head = 13", Fault(13, "it is missing")),
        ("UPDATE log_head SET oldest = 6", Fault(4, "the log says that it begins at event 6")),
        ("UPDATE log_head SET oldest = 2", Fault(2, "it is missing")),
        (
            "UPDATE log_head SET anchor = zeroblob(32)",
            Fault(4, "its content was changed, or the hash that the log begins with"),
        ),
        ("UPDATE log_head SET hash = zeroblob(32)", Fault(12, "the log keeps another hash of its newest event")),
        ('DELETE FROM events WHERE "offset" > 8', Fault(9, "it is missing")),
        ("DELETE FROM events", Fault(4, "it is missing")),
    ],
)
def test_ends_that_do_not_fit_are_named(sound: Path, tmp_path: Path, sql: str, fault: Fault) -> None:
    path = copy_of(sound, tmp_path)
    change(path, sql)

    assert walk(path).fault == fault


def hash_at(database: sqlite3.Connection, offset: int) -> bytes:
    """The stored hash of an event."""
    return bytes(database.execute('SELECT hash FROM events WHERE "offset" = ?', (offset,)).fetchone()[0])


def rewrite_from(path: Path, offset: int) -> None:
    """What somebody does who knows how: change an event and compute every hash after it anew, and the head's."""
    change(path, """UPDATE events SET actor = 'mallory' WHERE "offset" = ?""", offset)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        previous = hash_at(database, offset - 1)
        for place in range(offset, EVENTS + 1):
            (row, *_) = read_page(database, place - 1).rows
            assert isinstance(row, Link)
            previous = link(previous, row.event, place)
            change(path, 'UPDATE events SET hash = ? WHERE "offset" = ?', previous, place)
    change(path, "UPDATE log_head SET hash = ?", previous)


@pytest.mark.usefixtures("page_events")
def test_a_rewritten_tail_is_known_only_by_what_was_noted_before(sound: Path, tmp_path: Path) -> None:
    noted = list(BundleCheck(bundle(sound, 5, 10)))
    path = copy_of(sound, tmp_path)
    rewrite_from(path, 7)

    assert walk(path).fault is None
    assert walk(path, noted[-1:]).fault == Fault(10, "it is another event than the one whose hash was noted")
    assert walk(path, noted).fault == Fault(7, "it is another event than the one whose hash was noted")
    assert walk(sound, noted).fault is None
    assert walk(sound, noted).compared == 7


def test_a_noted_hash_beyond_the_end_is_missed(sound: Path) -> None:
    assert walk(sound, [(40, bytes(32))]).fault == Fault(13, "the log ends at 12, and event 40 was noted")


def test_a_noted_hash_from_before_retention_is_not_compared(sound: Path) -> None:
    found = walk(sound, [(2, bytes(32))])

    assert (found.fault, found.compared) == (None, 0)


@pytest.mark.usefixtures("page_events")
@pytest.mark.parametrize(("first", "last"), [(4, 12), (5, 5), (7, 12), (13, 12), (4, 3)])
def test_a_bundle_of_any_range_proves_itself(sound: Path, first: int, last: int) -> None:
    check = BundleCheck(bundle(sound, first, last))
    hashes = list(check)

    assert check.fault is None
    assert check.checked == last - first + 1
    assert [offset for offset, _ in hashes] == list(range(first - 1, last + 1))
    assert walk(sound, hashes).fault is None


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_byte_of_an_event_in_a_bundle_can_be_changed(sound: Path, data: st.DataObject) -> None:
    lines = bundle(sound, 5, 10)
    number = data.draw(st.integers(1, len(lines) - 1))
    line = bytearray(lines[number])
    line[data.draw(st.integers(0, len(line) - 2))] ^= data.draw(st.sampled_from([1, 2, 32]))
    lines[number] = bytes(line)

    check = BundleCheck("".join(part.decode("latin-1") for part in lines).encode("latin-1").splitlines(keepends=True))
    list(check)

    assert check.fault is not None
    assert check.fault.offset == min(number + 4, 10) or (number == 7 and check.fault.offset == 11)


@pytest.mark.parametrize("number", range(1, 8))
def test_a_line_that_is_gone_from_a_bundle_is_missed(sound: Path, number: int) -> None:
    lines = bundle(sound, 5, 10)
    del lines[number]

    check = BundleCheck(lines)
    list(check)

    assert check.fault is not None
    assert check.fault.offset == number + 4


@pytest.mark.parametrize("first", [b"", b"{}", b"no JSON", b'{"format":"rmos-audit-bundle","version":2}', b"[]"])
def test_what_is_no_bundle_is_refused(first: bytes) -> None:
    with pytest.raises(InvalidError, match="bundle"):
        BundleCheck([first])
