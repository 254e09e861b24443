"""The epoch changes exactly when the file was replaced, and somebody is told."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
from pathlib import Path

import pytest

from rmos.eventlog.base import LogHead
from rmos.stores.sqlite import open_sqlite
from tests.contract.builders import custom


def nobody() -> None:
    """Nobody listens to commits."""


class Shop:
    """A database and the file beside it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.path = folder / "rmos.db"
        self.witness = folder / "rmos.db.epoch.json"

    async def live(self, events: int = 0) -> LogHead:
        """Open, write so many events, close. Where the log stood at the opening."""
        stores = await open_sqlite(self.path, on_commit=nobody)
        head = await stores.log.head()
        for _ in range(events):
            await stores.write(custom("x"))
        await stores.close()
        return head

    def recorded(self) -> tuple[str, int]:
        content = json.loads(self.witness.read_bytes())
        return content["epoch"], content["head"]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shop")


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.message for r in caplog.records if r.levelno >= logging.WARNING]


async def test_a_clean_close_records_exactly_where_the_log_stands(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    first = await shop.live(events=5)
    recorded = shop.recorded()
    second = await shop.live()

    assert recorded == (first.epoch, 5)
    assert (second.epoch, second.offset) == (first.epoch, 5)
    assert warnings(caplog) == []


async def test_the_head_is_recorded_while_the_shop_runs(shop: Shop) -> None:
    stores = await open_sqlite(shop.path, on_commit=nobody)
    epoch = (await stores.log.head()).epoch
    assert shop.recorded() == (epoch, 0)

    for _ in range(3):
        await stores.write(custom("x"))
    async with asyncio.timeout(20):
        while shop.recorded() != (epoch, 3):  # a file tells nobody
            await asyncio.sleep(0.02)
    await stores.close()


async def test_an_older_backup_gets_a_new_epoch(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    first = await shop.live(events=5)
    backup = shutil.copy(shop.path, shop.path.with_name("backup.db"))
    await shop.live(events=3)
    shutil.copy(backup, shop.path)

    restored = await shop.live(events=1)
    after = await shop.live()

    assert restored.epoch != first.epoch
    assert restored.offset == 5
    assert warnings(caplog) == ["the database was replaced; the log has a new epoch"]
    assert "event 8 had been written" in caplog.records[-1].__dict__["reason"]
    assert (after.epoch, after.offset) == (restored.epoch, 6)


async def test_another_database_gets_a_new_epoch(shop: Shop, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    other = Shop(tmp_path / "other")
    epochs = {(await shop.live(events=2)).epoch, (await other.live(events=9)).epoch}
    shutil.copy(other.path, shop.path)

    found = await shop.live()

    assert found.epoch not in epochs
    assert found.offset == 9
    assert warnings(caplog) == ["the database was replaced; the log has a new epoch"]


async def test_a_lost_database_is_made_anew_and_said(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    first = await shop.live(events=2)
    shop.path.unlink()

    found = await shop.live()

    assert found.epoch != first.epoch
    assert found.offset == 0
    assert warnings(caplog) == ["the database was missing and has been made anew; the log has a new epoch"]


async def test_a_copy_without_its_witness_keeps_its_epoch(
    shop: Shop, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = await shop.live(events=2)
    copy = Shop(tmp_path / "copy")
    shutil.copy(shop.path, copy.path)

    found = await copy.live()

    assert found == LogHead(first.epoch, 2, 1)
    assert copy.recorded() == (first.epoch, 2)
    assert warnings(caplog) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"5", b'{"epoch": "x"}', b'{"epoch": "x", "head": null}'])
async def test_an_unreadable_witness_is_made_anew(shop: Shop, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    first = await shop.live(events=2)
    shop.witness.write_bytes(content)

    found = await shop.live()

    assert (found.epoch, found.offset) == (first.epoch, 2)
    assert shop.recorded() == (first.epoch, 2)
    assert warnings(caplog) == ["the epoch file cannot be read and is made anew"]


async def test_a_database_ahead_of_its_witness_keeps_its_epoch(shop: Shop) -> None:
    """As after a kill: commits go on after the witness was last written."""
    first = await shop.live(events=2)
    witness = shop.witness.read_bytes()
    await shop.live(events=2)
    shop.witness.write_bytes(witness)

    found = await shop.live()

    assert (found.epoch, found.offset) == (first.epoch, 4)
