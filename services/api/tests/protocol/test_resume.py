"""The server's half of resume.json: which starts a hub can keep, and what it then sends."""

from __future__ import annotations

import json

import pytest

from rmos.eventlog.base import LogHead
from tests.hub.fakes import MemoryLog, open_shop
from tests.protocol.vectors import Vector, parameters


class StandingLog(MemoryLog):
    """A log that stands where a vector says."""

    def __init__(self, epoch: str, offset: int, oldest: int) -> None:
        super().__init__()
        self._epoch = epoch
        self.oldest = oldest
        for _ in range(offset):
            self.append("job:updated")

    async def head(self) -> LogHead:
        return LogHead(self._epoch, (await super().head()).offset, self.oldest)


@pytest.mark.parametrize("vector", parameters("resume.json", "server"))
async def test_resume_vector(vector: Vector) -> None:
    head = vector["head"]

    async with open_shop(StandingLog(**head)) as shop:
        client = shop.connect(json.dumps({"action": "subscribe", "since": vector["since"]}))
        await shop.settle()
        shop.write(2)
        await shop.settle()

    (answer,) = client.system("subscribed")
    replay = vector["replay"]
    live = [head["offset"] + 1, head["offset"] + 2]
    replayed = list(range(replay["from"], replay["to"] + 1)) if replay else []
    assert (answer["recovered"], answer["reason"]) == (vector["recovered"], vector["reason"])
    assert answer["replay"] == (replay and {**replay, "truncated": False})
    assert client.offsets() == replayed + live
    assert [data["offset"] for data in client.system("caught_up")] == ([head["offset"]] if vector["recovered"] else [])
