"""Users, keys and sessions: kept like everything else, and a version that tells of every change."""

from __future__ import annotations

import asyncio

import pytest

from rmos.domain.access import AccessBook, ApiKey, Role, Session, User
from rmos.errors import ConflictError
from rmos.stores.base import Stores, Transaction
from tests.contract.builders import NOW
from tests.contract.engines import Engine

ANA = User("ana", Role.ADMIN, NOW, password="$argon2id$x", channels=frozenset({"machine:*", "project:p7"}))  # noqa: S106
BEN = User("ben", Role.VIEWER, NOW, disabled=True)
KEY = ApiKey("k1", "saw", Role.OPERATOR, "ab" * 32, NOW, "ana", expires_at=NOW)
SESSION = Session("cd" * 32, "ana", NOW, NOW)


async def test_records_come_back_as_they_were_given(engine: Engine) -> None:
    async with engine.open() as stores:
        for record in (ANA, BEN, KEY, SESSION):
            await stores.write(lambda tx, record=record: tx.put_access(record))  # type: ignore[misc]

    async with engine.open() as stores:
        book = await stores.access()

    assert book.users == {"ana": ANA, "ben": BEN}
    assert book.keys == {"k1": KEY}
    assert book.sessions == {SESSION.digest: SESSION}


async def test_the_version_rises_with_every_change_and_with_no_other_write(stores: Stores) -> None:
    versions = [await stores.access_version()]
    for work in (
        lambda tx: tx.put_access(ANA),
        lambda tx: tx.put_access(BEN),
        lambda tx: tx.drop_access(BEN),
        lambda tx: tx.access(),
    ):
        await stores.write(work)
        versions.append(await stores.access_version())

    first = versions[0]
    assert versions == [first, first + 1, first + 2, first + 3, first + 3]
    assert (await stores.access()).version == first + 3
    assert set((await stores.access()).users) == {"ana"}


async def test_a_transaction_sees_what_earlier_ones_and_itself_changed(stores: Stores) -> None:
    def work(tx: Transaction, user: User) -> AccessBook:
        tx.put_access(user)
        return tx.access()

    books = await asyncio.gather(stores.write(lambda tx: work(tx, ANA)), stores.write(lambda tx: work(tx, BEN)))

    assert [set(book.users) for book in books] == [{"ana"}, {"ana", "ben"}]


async def test_nothing_is_kept_of_a_write_that_failed(stores: Stores) -> None:
    def work(tx: Transaction) -> None:
        tx.put_access(ANA)
        raise ConflictError("no")

    before = await stores.access_version()
    with pytest.raises(ConflictError):
        await stores.write(work)

    assert (await stores.access()).users == {}
    assert await stores.access_version() == before
