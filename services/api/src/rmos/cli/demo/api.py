"""The shop's way to the server: writes that arrive exactly once, whatever happens on the way.

Every write carries an idempotency key. While there is no answer, the same request is sent again with the same key, so
it does not matter whether the server had done it before the connection broke.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import httpx2

from rmos.domain.entities import Kind

Document: TypeAlias = dict[str, Any]
"""An entity as the server answers it. Any: its fields depend on the kind."""

STORES: Final = "/api/rmos/stores"
ANSWER_TIMEOUT_S: Final = 10.0
MAX_WAIT_S: Final = 5.0
"""Longest wait between two attempts: whoever restarts a server in front of the demo does not want to wait for it."""

_COMES_BACK: Final = frozenset({429, 502, 503, 504, 507})
_CONFLICT: Final = 409
_CONFLICT_ATTEMPTS: Final = 3


class RefusedError(Exception):
    """The server understood and said no: somebody else changed the thing, or it is gone."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{detail} ({status})")
        self.status = status


class StoppedError(Exception):
    """The demo was stopped while the server could not be reached."""


class ShopApi:
    """Requests of the demo, one at a time.

    Args:
        client: Its `base_url` is the server.
        stop: Set when the demo shall end; no attempt is repeated then.
        outage: Called with a reason when the server cannot be reached, and with None when it can again.
    """

    def __init__(
        self, client: httpx2.AsyncClient, *, stop: asyncio.Event, outage: Callable[[str | None], None]
    ) -> None:
        self._client = client
        self._stop = stop
        self._outage = outage

    def stop_at(self, stop: asyncio.Event) -> None:
        """From now on another event ends the repetition of attempts."""
        self._stop = stop

    async def create(self, kind: Kind, fields: Document) -> Document:
        """POST; the new entity.

        Raises:
            RefusedError: the server refuses.
            StoppedError: see there; so for every method.
        """
        return self._entity(kind, await self._send("POST", f"{STORES}/{kind.path}", fields))

    async def change(self, kind: Kind, entity_id: str, fields: Document, *, version: int | None = None) -> Document:
        """PUT; the entity afterwards. `version` None changes whatever version there is.

        Raises:
            RefusedError: the server refuses: 404 gone, 409 closed by somebody, 412 another version.
        """
        headers = {} if version is None else {"If-Match": f'"{version}"'}
        return self._entity(kind, await self._send("PUT", f"{STORES}/{kind.path}/{entity_id}", fields, headers))

    async def get(self, kind: Kind, entity_id: str) -> Document:
        """GET of one.

        Raises:
            RefusedError: 404, it is gone.
        """
        return self._entity(kind, await self._send("GET", f"{STORES}/{kind.path}/{entity_id}"))

    async def find(self, kind: Kind, **where: str | int) -> list[Document]:
        """GET of a list, at most 1000 entities."""
        answer = await self._send("GET", f"{STORES}/{kind.path}", params={"limit": 1000, **where})
        return list(answer[kind.plural])

    def _entity(self, kind: Kind, answer: Document) -> Document:
        return dict(answer[kind.name])

    async def _send(
        self,
        method: str,
        path: str,
        body: Document | None = None,
        headers: dict[str, str] | None = None,
        params: dict[str, str | int] | None = None,
    ) -> Document:
        headers = {"Idempotency-Key": str(uuid.uuid4()), **(headers or {})} if method != "GET" else {}
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = await self._client.request(
                    method, path, json=body, headers=headers, params=params, timeout=ANSWER_TIMEOUT_S
                )
            except httpx2.TransportError as error:
                await self._wait(attempt, str(error) or type(error).__name__)
                continue
            # Our own first attempt may still be at work after its connection broke.
            is_own_conflict = answer.status_code == _CONFLICT and 1 < attempt <= _CONFLICT_ATTEMPTS
            if answer.status_code in _COMES_BACK or is_own_conflict:
                await self._wait(attempt, _detail(answer))
                continue
            if attempt > 1:
                self._outage(None)
            if answer.is_error:
                raise RefusedError(answer.status_code, _detail(answer))
            return dict(answer.json())

    async def _wait(self, attempt: int, reason: str) -> None:
        """Wait before the next attempt, longer each time and never in step with other clients."""
        if attempt == 1:
            self._outage(reason)
        wait_s = random.uniform(0.1, min(0.25 * 2**attempt, MAX_WAIT_S))  # noqa: S311 -- jitter
        try:
            async with asyncio.timeout(wait_s):
                await self._stop.wait()
        except TimeoutError:
            return
        raise StoppedError(reason)


def _detail(answer: httpx2.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"answered {answer.status_code}"
