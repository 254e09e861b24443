"""Pages of the event log, for scripts that would rather ask than listen."""

from __future__ import annotations

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from rmos.domain.cursor import Cursor
from rmos.errors import ConflictError, InvalidError
from rmos.protocol.cloudevents import BATCH_MEDIA_TYPE
from rmos.protocol.messages import event_frame
from rmos.web.answers import API_PREFIX
from rmos.web.deps import JSON, identity_of, runtime_of
from rmos.web.formats import CLOUD_EVENTS, FORMATS, JSON_FORMAT, described_format
from rmos.web.log_models import EventPage
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
    "/events",
    summary="Read the event log",
    response_model=EventPage,
    openapi_extra={
        "parameters": [
            described_text("after", "Cursor `<epoch>:<offset>` after which to begin; default: the oldest event kept."),
            described_integer(
                "limit", default=DEFAULT_LIMIT, at_least=1, at_most=MAX_LIMIT, meaning="How many at most."
            ),
            *described_event_filter("filters", "channels", "types"),
            described_format(),
        ]
    },
)
async def events(request: Request) -> Response:
    """The oldest come first, each as on the WebSocket. `next` is where to go on, also when there is nothing yet.

    CloudEvents come as a batch, which has no place for `next`; then it stands in `Link`, on every page.
    """
    given = parameters(request, ("after", "limit", "filters", "channels", "types", "format"))
    is_batch = _is_batch(given.get("format", JSON_FORMAT))
    limit = integer(given, "limit", default=DEFAULT_LIMIT, at_least=1, at_most=MAX_LIMIT)
    wanted = event_filter(given).narrowed(identity_of(request).channels)
    runtime = runtime_of(request)
    log = runtime.stores.log
    head = await log.head()
    after = _start(given.get("after"), epoch=head.epoch, newest=head.offset, oldest=head.oldest)
    found = await log.read_matching(after, wanted, limit=limit)
    # A short page has been read to its end: the head read before it was passed, and is the place to go on from.
    is_full = len(found) == limit
    reached = found[-1].offset if is_full else max(head.offset, found[-1].offset if found else 0)
    cursor = str(Cursor(head.epoch, reached))
    frames = [event_frame(event, head.epoch) for event in found]
    if is_batch:
        return Response(
            b"[%b]" % b",".join(runtime.forms.cloud_event(frame) for frame in frames),
            headers=next_link(request, cursor),
            media_type=BATCH_MEDIA_TYPE,
        )
    body = b'{"success":true,"events":[%b],"next":%b,"head":%b}' % (
        b",".join(frames),
        orjson.dumps(cursor),
        orjson.dumps(str(Cursor(head.epoch, head.offset))),
    )
    return Response(body, headers=next_link(request, cursor if is_full else None), media_type=JSON)


def _is_batch(name: str) -> bool:
    """Whether CloudEvents are asked for.

    Raises:
        InvalidError: an unknown format.
    """
    if name not in FORMATS:
        raise InvalidError.at("/format", f"unknown format {name[:80]!r}; expected {' or '.join(FORMATS)}")
    return name == CLOUD_EVENTS


def _start(after: str | None, *, epoch: str, newest: int, oldest: int) -> int:
    """The offset after which to read.

    Raises:
        InvalidError: malformed.
        ConflictError: a cursor from which nothing can be read without a gap; the message says why and what to do.
    """
    if after is None:
        return oldest - 1
    try:
        cursor = Cursor.parse(after)
    except InvalidError as error:
        raise InvalidError.at("/after", error.errors[0].detail) from None
    if cursor.epoch != epoch:
        raise ConflictError(f"cursor {after!r} is of another log, this one is {epoch!r}; begin again without `after`")
    if cursor.offset > newest:
        raise ConflictError(
            f"cursor {after!r} is ahead of the log, which ends at {newest}; begin again without `after`"
        )
    if cursor.offset < oldest - 1:
        raise ConflictError(f"the events after {after!r} are no longer kept; begin again without `after`")
    return cursor.offset
