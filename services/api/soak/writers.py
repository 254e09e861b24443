"""Writers as clients should be: each write has an idempotency key, and one that got no answer is sent again with it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Final
from zlib import crc32

import httpx2

from soak.journal import Journal, Outcome
from soak.servers import bearer

STORES: Final = "/api/rmos/stores"
MACHINES: Final = ("cnc1", "cnc2")
_RETRY_S: Final = 0.05
_NOT_NOW: Final = (429, 503, 507)
"""Refused before the commit; the same write may succeed later."""


@dataclass(frozen=True, slots=True)
class _Kind:
    category: str
    path: str
    body: str
    """Key of the entity in an answer."""

    def fields(self, mark: str) -> dict[str, Any]:  # Any: JSON
        if self.category == "pattern":
            return {"name": mark, "ring_count": 1, "geometry": {"rings": []}}
        # A write may move the job: so events are heard on one or two of the channels that rights are limited to.
        machine = MACHINES[crc32(mark.encode()) % len(MACHINES)]
        return {"job_type": "slice", "machine_id": machine, "note": mark}


_PATTERN: Final = _Kind("pattern", "patterns", "pattern")
_JOB: Final = _Kind("job", "joblogs", "joblog")


class Writer:
    """Makes entities, changes each twice and deletes every third; one request at a time.

    Attributes:
        statuses: Every status it was answered with, in order.
        retry_after: That header of each answer that put it off.
    """

    def __init__(self, name: str, journal: Journal, *, category: str = "pattern") -> None:
        self._name = name
        self._journal = journal
        self._kind = _PATTERN if category == "pattern" else _JOB
        self._entity = ""
        self._steps = self._plan()
        self._step = next(self._steps)
        self.statuses: list[int] = []
        self.retry_after: list[str | None] = []

    def _plan(self) -> Iterator[tuple[str, str, int]]:
        """Method, text and version of each write, without end."""
        for number in count():
            for version, quality in enumerate(("", ", better", ", best"), start=1):
                yield "POST" if version == 1 else "PUT", f"{self._name} {number}{quality}", version
            if number % 3 == 0:
                yield "DELETE", "", 4

    async def run(self, client: httpx2.AsyncClient) -> None:
        """Write until the server is gone. What was not answered is the first write of the next run."""
        try:
            while True:
                await self.step(client)
        except httpx2.TransportError:
            return

    async def step(self, client: httpx2.AsyncClient) -> None:
        """One write, sent until it is accepted.

        Raises:
            httpx2.TransportError: the server is gone.
        """
        while not await self.attempt(client):  # noqa: ASYNC110  # only trying tells whether it is accepted
            await asyncio.sleep(_RETRY_S)

    async def attempt(self, client: httpx2.AsyncClient) -> bool:
        """Send the present write once. Whether it was accepted.

        Raises:
            httpx2.TransportError: no answer came.
        """
        method, text, version = self._step
        write = self._journal.begin(text or f"delete {self._kind.category}/{self._entity}")
        write.outcome = Outcome.UNKNOWN
        path = f"{STORES}/{self._kind.path}"
        answer = await client.request(
            method,
            path if method == "POST" else f"{path}/{self._entity}",
            json=self._kind.fields(text) if text else None,
            headers={"Idempotency-Key": write.mark.replace(" ", "_").replace(",", ".")},
        )
        self.statuses.append(answer.status_code)
        if answer.status_code in _NOT_NOW:
            write.outcome = Outcome.REFUSED
            self.retry_after.append(answer.headers.get("Retry-After"))
            return False
        if not answer.is_success:
            self._journal.surprises.append(f"{write.mark!r} was answered with {answer.status_code}: {answer.text}")
            self._begin_anew()
            return True
        if method == "POST":
            self._entity = answer.json()[self._kind.body]["id"]
        self._journal.ack(write, f"{self._kind.category}/{self._entity}", version)
        self._step = next(self._steps)
        return True

    def _begin_anew(self) -> None:
        """Go on with another entity."""
        while self._step[0] != "POST" or self._step[1] in self._journal.writes:
            self._step = next(self._steps)


def client_for(url: str, *, token: str | None = None) -> httpx2.AsyncClient:
    """An HTTP client for many writers, who come in with this token where one is asked for."""
    limits = httpx2.Limits(max_connections=None)
    return httpx2.AsyncClient(base_url=url, headers=bearer(token), timeout=60, limits=limits, trust_env=False)
