"""Who is connected to the monitor of this server, and how well they keep up."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from rmos.clock import Timestamp, add_seconds
from rmos.domain.cursor import Cursor
from rmos.domain.entities import JsonObject, JsonValue
from rmos.hub.hub import Hub
from rmos.hub.subscriber import Subscriber
from rmos.protocol.commands import Mode
from rmos.web.answers import API_PREFIX, success
from rmos.web.deps import runtime_of
from rmos.web.log_models import Connections
from rmos.web.queries import DEFAULT_LIMIT, MAX_LIMIT, described_integer, integer, parameters

router = APIRouter(prefix=f"{API_PREFIX}/monitor", tags=["monitor"])


@router.get(
    "/connections",
    summary="List who is connected",
    response_model=Connections,
    openapi_extra={
        "parameters": [
            described_integer(
                "limit", default=DEFAULT_LIMIT, at_least=1, at_most=MAX_LIMIT, meaning="How many at most."
            )
        ]
    },
)
async def connections(request: Request) -> Response:
    """Those that have been there longest come first. `total` counts all of this server."""
    given = parameters(request, ("limit",))
    limit = integer(given, "limit", default=DEFAULT_LIMIT, at_least=1, at_most=MAX_LIMIT)
    runtime = runtime_of(request)
    present = sorted(runtime.hub.subscribers, key=lambda subscriber: (subscriber.connected_at, subscriber.id))
    now = runtime.clock()
    return success(
        connections=[_described(runtime.hub, subscriber, now) for subscriber in present[:limit]], total=len(present)
    )


def _described(hub: Hub, subscriber: Subscriber, now: Timestamp) -> JsonObject:
    group = subscriber.group
    wanted = group.wanted if group else None
    reached = hub.reached(subscriber)
    loop_now = asyncio.get_running_loop().time()
    return {
        "id": subscriber.id,
        "peer": subscriber.sink.peer,
        "user": subscriber.identity.user,
        "protocol": subscriber.session.protocol,
        "transport": "websocket" if subscriber.takes_commands else "sse",
        "filters": [*subscriber.filter_names],
        "channels": _sorted(wanted.channels if wanted else None),
        "types": _sorted(wanted.types if wanted else None),
        "mode": group.order.mode if group else Mode.STREAM,
        "cursor": str(Cursor(hub.epoch, reached)),
        "lag": hub.head - reached,
        "unsent_bytes": subscriber.sink.unsent_bytes,
        "is_paused": subscriber.is_paused,
        "connected_at": add_seconds(now, subscriber.connected_at - loop_now),
        "heard_at": add_seconds(now, subscriber.heard_at - loop_now),
    }


def _sorted(names: frozenset[str] | None) -> JsonValue:
    return None if names is None else [*sorted(names)]
