"""Kill -9 of the real server in the middle of writes over HTTP, again and again on the same database.

Each writer is a client as it should be: a write that got no answer is sent again with the same key after the restart,
and then must have happened once.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import sys
from collections import Counter
from itertools import count
from pathlib import Path

import httpx2

from tests.crash.checker import Acked, epoch_of, faults

ROUNDS = 30
WRITERS = 8
WAIT_S = 30.0
"""Longest wait for a server to be ready; only a hanging one takes it."""
READY = b"RMOS is ready: "
PATTERNS = "/api/rmos/stores/patterns"

_PROGRAM = """
import os, sys
import rmos.web.app
from rmos.cli.main import app
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        app(["serve", "--port", "0", "--data", sys.argv[1]])
    os.write(1, b"process %d\\n" % child)
    os.waitpid(child, 0)
    os.write(1, b"gone\\n")
"""


class Nursery:
    """A process with everything imported, that becomes `rmos serve` for each round: importing takes a second."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin, self._stdout = process.stdin, process.stdout
        self._server = 0

    @classmethod
    async def open(cls, data: Path) -> Nursery:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RMOS_")}
        return cls(
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", _PROGRAM, str(data)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=kept | {"RMOS_SKIP_WEB": "1", "PYTHONUNBUFFERED": "1"},
            )
        )

    async def serve(self) -> str:
        """The address of a new server, when it is ready."""
        self._stdin.write(b"\n")
        address = ""
        async with asyncio.timeout(WAIT_S):
            while not (self._server and address):
                line = await self._stdout.readline()
                if line.startswith(READY):
                    address = line.removeprefix(READY).decode().strip()
                elif line.startswith(b"process "):
                    self._server = int(line.removeprefix(b"process "))
                else:
                    raise AssertionError(f"no server, but {line!r}")
        return address

    async def kill(self) -> None:
        """Kill the server, and wait until it is gone."""
        os.kill(self._server, signal.SIGKILL)
        self._server = 0
        async with asyncio.timeout(WAIT_S):
            assert await self._stdout.readline() == b"gone\n"

    async def close(self) -> None:
        if self._server:
            await self.kill()
        self._stdin.close()
        await self._process.wait()


class Acknowledged:
    """The writes that were answered, and a way to wait for more of them."""

    def __init__(self) -> None:
        self.writes: list[Acked] = []
        self._wanted = 0
        self._reached = asyncio.Event()

    def add(self, write: Acked) -> None:
        self.writes.append(write)
        if len(self.writes) >= self._wanted:
            self._reached.set()

    async def more(self, number: int) -> None:
        """Wait for so many more."""
        self._wanted = len(self.writes) + number
        self._reached.clear()
        await asyncio.wait_for(self._reached.wait(), WAIT_S)


class Writer:
    """Makes patterns, changes each twice and deletes every third; one request at a time."""

    def __init__(self, name: str, acked: Acknowledged) -> None:
        self._name = name
        self._acked = acked
        self._steps = self._plan()
        self._step = next(self._steps)
        self._pattern = ""

    def _plan(self):  # type: ignore[no-untyped-def]  # an endless generator of (method, name, version)
        for number in count():
            yield "POST", f"{self._name} {number}", 1
            yield "PUT", f"{self._name} {number}, better", 2
            yield "PUT", f"{self._name} {number}, best", 3
            if number % 3 == 0:
                yield "DELETE", f"{self._name} {number}, gone", 4

    async def run(self, client: httpx2.AsyncClient) -> None:
        """Write until the server is gone. The step that was not answered is the first one of the next run."""
        while True:
            method, name, version = self._step
            body = None if method == "DELETE" else {"name": name, "ring_count": 1, "geometry": {"rings": []}}
            try:
                answer = await client.request(
                    method,
                    PATTERNS if method == "POST" else f"{PATTERNS}/{self._pattern}",
                    json=body,
                    headers={"Idempotency-Key": name.replace(" ", "_")},
                )
            except httpx2.TransportError:
                return
            assert answer.is_success, answer.text
            if method == "POST":
                self._pattern = answer.json()["pattern"]["id"]
            self._acked.add(Acked(f"pattern/{self._pattern}", version))
            self._step = next(self._steps)


def doubles(database: Path) -> list[str]:
    """Names that more than one pattern was made with: a write that was sent twice and happened twice."""
    connection = sqlite3.connect(database)
    rows = connection.execute("SELECT json_extract(data, '$.name') FROM events WHERE type = 'pattern:created'")
    names = Counter(name for (name,) in rows)
    connection.close()
    return [name for name, times in names.items() if times > 1]


async def test_thirty_kills_in_the_middle_of_writes_lose_nothing(tmp_path: Path) -> None:
    chance = random.Random(9)  # noqa: S311  # when to kill, not a secret
    database = tmp_path / "rmos.db"
    acked = Acknowledged()
    epoch = ""
    writers = [Writer(f"writer {number}", acked) for number in range(WRITERS)]
    nursery = await Nursery.open(tmp_path)
    try:
        for turn in range(ROUNDS):
            address = await nursery.serve()
            epoch = epoch or epoch_of(database)

            async with httpx2.AsyncClient(base_url=address) as client, asyncio.TaskGroup() as tasks:
                for writer in writers:
                    tasks.create_task(writer.run(client))
                await acked.more(chance.randint(1, 60))
                await asyncio.sleep(chance.uniform(0, 0.01))  # or each kill would come just after an answer
                await nursery.kill()

            assert faults(database, acked.writes, epoch=epoch) == [], f"round {turn}"
            assert doubles(database) == [], f"round {turn}"
    finally:
        await nursery.close()
