"""`/sse/monitor`: the live stream as server-sent events, for whoever has HTTP but no WebSocket.

What is refused is refused before the stream begins, as any other request; a browser's EventSource then stops. Once it
has begun, `system:closing` is the last event, EventSource connects again by itself, and goes on from `Last-Event-ID`.
"""

from __future__ import annotations

import random
from typing import Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rmos.domain.filters import EVERYTHING, EventFilter
from rmos.hub.subscriber import Sink, Subscriber
from rmos.protocol.commands import CommandError, Subscribe, parse_query
from rmos.protocol.forms import CloudEventStream, EventStream
from rmos.protocol.sse import MEDIA_TYPE, retry_line
from rmos.runtime import Runtime
from rmos.web.asgi_stream import AsgiStream
from rmos.web.deps import address_of, identity_of, request_id_of, runtime_of
from rmos.web.detach import DETACH
from rmos.web.errors import problem
from rmos.web.formats import FORMATS, JSON_FORMAT, described_format
from rmos.web.lean_stream import LeanStream
from rmos.web.origins import OriginPolicy
from rmos.web.queries import described_event_filter, described_flag, described_text

STREAM_PATH: Final = "/sse/monitor"
_STARTS: Final = ("since", "last", "from_time")
_RETRY_S: Final = (1.0, 3.0)
"""How long a client waits before it comes back: drawn for each, so that a crowd does not return at once."""
_LIVE: Final = Subscribe(None, is_v2=True, wanted=EventFilter(EVERYTHING), start=None)
_HEADERS: Final = (
    (b"content-type", MEDIA_TYPE.encode()),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would hold events back until it has a page full of them
)

router = APIRouter(tags=["monitor"])


@router.get(
    STREAM_PATH,
    response_class=Response,
    summary="The live monitor (server-sent events)",
    openapi_extra={
        "parameters": [
            *described_event_filter("filters", "channels", "types"),
            described_text("since", "Cursor `<epoch>:<offset>` to resume from; `Last-Event-ID` beats every start."),
            described_text("last", "How many of the newest matching events come first."),
            described_text("from_time", "Time, RFC 3339, from which to begin."),
            described_text("mode", "`stream` (default), or `latest` for the newest state of each thing alone."),
            described_flag("strict", "Refuse with 409 where the events asked for are not all kept."),
            described_flag("snapshot", "Begin with everything as it is now."),
            described_format(),
        ],
        "responses": {"200": {"description": "The stream", "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}},
    },
)
async def stream(request: Request) -> Response:
    """One event a frame of the monitor, with its cursor as `id`. The first is `system:subscribed`."""
    runtime = runtime_of(request)
    _check_origin(request, runtime)
    form = _form(request, runtime)
    try:
        command = _command(request)
    except CommandError as error:
        return problem(400, error.message, code=error.code, request_id=request_id_of(request))
    refusal = await runtime.hub.refusal(command)
    if refusal is not None:
        return problem(409, refusal.message, code=refusal.code, request_id=request_id_of(request))
    reason = runtime.hub.too_many(address_of(request), identity_of(request))
    if reason is not None:
        headers = {"Retry-After": "1"}
        return problem(429, reason, code="too_many_connections", request_id=request_id_of(request), headers=headers)
    if request.state.is_head:
        return Response(headers={name.decode(): value.decode() for name, value in _HEADERS})
    return _Stream(runtime, command, form, request)


class _Stream(Response):
    """An answer that lasts as long as its client listens."""

    def __init__(
        self, runtime: Runtime, command: Subscribe, form: EventStream | CloudEventStream, request: Request
    ) -> None:
        super().__init__()
        self.raw_headers = list(_HEADERS)
        self._hub = runtime.hub
        self._command = command
        self._form = form
        self._identity = identity_of(request)
        self._address = address_of(request)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Leave ASGI where that is offered, else stream through it."""
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        if DETACH in scope.get("extensions", {}):
            await send({**start, DETACH: LeanStream(self._hub, connect=self._connect, greet=self._begin)})
            return
        await send(start)
        sink = AsgiStream(self._hub, Request(scope, receive), send)
        await sink.run(self._connect(sink), self._begin)

    def _connect(self, sink: Sink) -> Subscriber:
        return self._hub.connect(sink, is_v2=True, identity=self._identity, form=self._form, address=self._address)

    def _begin(self, subscriber: Subscriber) -> None:
        subscriber.sink.transport.write(retry_line(random.uniform(*_RETRY_S)))  # noqa: S311  # no secret
        self._hub.listen(subscriber, self._command)


def _check_origin(request: Request, runtime: Runtime) -> None:
    """A page of another site may not listen, as it may not over the WebSocket.

    Raises:
        HTTPException: 403, the origin is foreign.
    """
    origin = request.headers.get("origin")
    policy = OriginPolicy.of(runtime.settings)
    if origin is not None and not policy.is_origin_allowed(origin, request.headers.get("host", "")):
        raise HTTPException(403, f"pages of {origin[:100]!r} may not listen; RMOS_ALLOWED_ORIGINS names who may")


def _form(request: Request, runtime: Runtime) -> EventStream | CloudEventStream:
    """The form that `format` asks for.

    Raises:
        HTTPException: 400, an unknown one.
    """
    name = request.query_params.get("format", JSON_FORMAT)
    if name not in FORMATS:
        raise HTTPException(400, f"unknown format {name[:80]!r}; expected {' or '.join(FORMATS)}")
    return runtime.forms.event_stream if name == JSON_FORMAT else runtime.forms.cloud_event_stream


def _command(request: Request) -> Subscribe:
    """The subscription in the URL, to everything where it names none. `Last-Event-ID` beats every other start.

    A snapshot is the exception: nobody knows whether the client had got all of it, so it comes anew.

    Raises:
        CommandError: as for the same keys of a command.
    """
    query = request.query_params.multi_items()
    last_id = request.headers.get("last-event-id")
    if last_id and ("snapshot", "true") not in query:
        query = [("since", last_id), *[(name, value) for name, value in query if name not in _STARTS]]
    return parse_query(query) or _LIVE
