"""Writes that may be sent again: `Idempotency-Key`.

The answer is remembered in the transaction of the write it answers, so there is no moment at which one exists without
the other. A refused write stores nothing, and is judged anew when it comes again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Final, TypeAlias, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from rmos.errors import ConflictError, InvalidError
from rmos.services.context import Context
from rmos.stores.base import RememberedAnswer, Transaction
from rmos.web.answers import Answer
from rmos.web.deps import actor_of, idempotency_key_of, request_id_of, runtime_of
from rmos.web.metrics import Gauges

T = TypeVar("T")
Work: TypeAlias = Callable[[Transaction, Context], Answer]
"""A write and the answer to it; it runs on the writer thread."""

_REPLAYED: Final = ("Idempotency-Replayed", "true")


async def write(request: Request, body: bytes, work: Work) -> Response:
    """Run `work` in one transaction and answer what it returns; or what it returned when the same request came before.

    Raises:
        InvalidError: the key was used for another request.
        ConflictError: the first request with this key is still running.
    """
    runtime = runtime_of(request)
    clock, actor, request_id = runtime.clock, actor_of(request), request_id_of(request)
    key = idempotency_key_of(request)
    await runtime.hub.room()
    if key is None:
        answer = await _commit(request, lambda tx: work(tx, Context(actor, request_id, clock())))
        return answer.response()

    scope = f"{request.method} {request.url.path} {actor} {key}"
    fingerprint = sha256(request.scope["query_string"] + b"\0" + body).digest()

    def once(tx: Transaction) -> tuple[Answer, bool]:
        before = tx.recall(scope)
        if before is not None:
            if before.fingerprint != fingerprint:
                raise InvalidError(f"Idempotency-Key {key!r} was already used for another request")
            return Answer(before.status, before.headers, before.body), True
        now = clock()
        answer = work(tx, Context(actor, request_id, now))
        tx.remember(RememberedAnswer(scope, fingerprint, answer.status, answer.headers, answer.body, now))
        return answer, False

    running: RunningKeys = request.app.state.running_keys
    with running.claim(scope):
        answer, is_replayed = await _commit(request, once)
    return answer.response(_REPLAYED) if is_replayed else answer.response()


async def _commit(request: Request, work: Callable[[Transaction], T]) -> T:
    gauges: Gauges = request.app.state.gauges
    gauges.writes_waiting += 1
    try:
        return await runtime_of(request).stores.write(work)
    finally:
        gauges.writes_waiting -= 1


class RunningKeys:
    """The idempotency keys whose first request has no answer yet. Used from the event loop alone."""

    def __init__(self) -> None:
        self._scopes: set[str] = set()

    @contextmanager
    def claim(self, scope: str) -> Iterator[None]:
        """Hold the key while its request runs.

        Raises:
            ConflictError: another request holds it.
        """
        if scope in self._scopes:
            raise ConflictError("a request with this Idempotency-Key is still running; try again in a second")
        self._scopes.add(scope)
        try:
            yield
        finally:
            self._scopes.discard(scope)
