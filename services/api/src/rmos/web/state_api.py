"""The shop as it was: looking back in time over HTTP."""

from __future__ import annotations

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from rmos.domain.cursor import parse_place
from rmos.protocol.messages import entity_lists, place_of
from rmos.services.state import Bookmark, state_at
from rmos.web.answers import API_PREFIX
from rmos.web.deps import JSON, identity_of, runtime_of
from rmos.web.log_models import StateAnswer
from rmos.web.queries import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    described_event_filter,
    described_integer,
    described_text,
    event_filter,
    integer,
    next_link,
    parameters,
)

router = APIRouter(prefix=f"{API_PREFIX}/monitor", tags=["monitor"])


@router.get(
    "/state",
    summary="Read the shop as it was",
    response_model=StateAnswer,
    openapi_extra={
        "parameters": [
            described_text("at", "A cursor `<epoch>:<offset>`, or a time; default: now."),
            *described_event_filter("filters", "channels"),
            described_integer(
                "limit", default=DEFAULT_LIMIT, at_least=1, at_most=MAX_LIMIT, meaning="How many at most."
            ),
            described_text("after", "Where to go on, from `next` of the page before; it names the place, too."),
        ]
    },
)
async def state(request: Request) -> Response:
    """Every entity in its version of that moment, in order of kind and id. Pages may be short; `next` ends them."""
    given = parameters(request, ("at", "filters", "channels", "limit", "after"))
    limit = integer(given, "limit", default=DEFAULT_LIMIT, at_least=1, at_most=MAX_LIMIT)
    wanted = event_filter(given).narrowed(identity_of(request).channels)
    runtime = runtime_of(request)
    found = await state_at(
        runtime.stores.log,
        parse_place(given["at"], "/at") if "at" in given else None,
        wanted,
        after=Bookmark.parse(given["after"]) if "after" in given else None,
        limit=limit,
        now=runtime.clock(),
    )
    after = None if found.next is None else str(found.next)
    body = b'{"success":true,"at":%b,%b,"next":%b}' % (
        orjson.dumps(place_of(found.at, found.time)),
        entity_lists(found.page.documents),
        orjson.dumps(after),
    )
    return Response(body, headers=next_link(request, after), media_type=JSON)
