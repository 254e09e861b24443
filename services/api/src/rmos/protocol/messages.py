"""What the server says: frames as UTF-8 JSON.

protocol/PROTOCOL.md is normative; protocol/vectors holds the cases that this module and the TypeScript client share.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import orjson

from rmos.clock import Timestamp
from rmos.domain.cursor import Cursor
from rmos.domain.entities import JsonObject
from rmos.domain.events import METRICS_SNAPSHOT, Event
from rmos.protocol.commands import MAX, CommandError


def event_frame(event: Event, epoch: str) -> bytes:
    """The frame of a logged event; the same bytes for every client."""
    return orjson.dumps(
        {
            "type": event.type,
            "data": orjson.Fragment(event.data),
            "timestamp": event.timestamp,
            "id": f"{epoch}:{event.offset}",
            "offset": event.offset,
            "channels": event.channels,
            "key": event.key,
            "version": event.version,
            "actor": event.actor,
        }
    )


def replayed_frame(event: Event, epoch: str) -> bytes:
    """The frame of a logged event that is told once more: the same bytes, and a mark."""
    return event_frame(event, epoch)[:-1] + b',"replay":true}'


def metrics_frame(data: JsonObject, timestamp: Timestamp) -> bytes:
    """A `metrics:snapshot`: live only, so it has no id."""
    return orjson.dumps({"type": METRICS_SNAPSHOT, "data": data, "timestamp": timestamp})


def place_of(cursor: Cursor, time: Timestamp | None) -> JsonObject:
    """A place in the log, as `at` tells it; `time` is None where the log does not hold the event there."""
    return {"offset": cursor.offset, "cursor": str(cursor), "time": time}


def entity_lists(documents: Mapping[str, Sequence[bytes]]) -> bytes:
    """Encoded documents by plural name, as members of a JSON object: `"patterns":[…],"joblogs":[…],…`."""
    return b",".join(b'"%b":[%b]' % (plural.encode(), b",".join(found)) for plural, found in documents.items())


def system_frame(name: str, data: JsonObject) -> bytes:
    """A frame of the connection itself. Its timestamp is empty, as published."""
    return orjson.dumps({"type": f"system:{name}", "data": data, "timestamp": ""})


def snapshot_frame(
    at: Cursor,
    time: Timestamp | None,
    documents: Mapping[str, Sequence[bytes]],
    *,
    command_id: str | None,
    is_last: bool,
) -> bytes:
    """One page of the state at a place. `documents` are encoded, by plural name of their kind."""
    head = orjson.dumps({"id": command_id, "at": place_of(at, time), "is_last": is_last})
    return b'{"type":"system:snapshot","data":%b,%b},"timestamp":""}' % (head[:-1], entity_lists(documents))


def gap_frame(after: int, upto: int, reason: str) -> bytes:
    """Tells that the events with `after` < offset <= `upto` were asked for and will not come."""
    return system_frame("gap", {"from": after + 1, "to": upto, "reason": reason})


def conflated_frame(after: int, upto: int, count: int) -> bytes:
    """Tells that of the events with `after` < offset <= `upto` so many were left out, as mode `latest` asks for."""
    return system_frame("conflated", {"from": after + 1, "to": upto, "count": count})


def replay_frame(
    state: str, *, offset: int, to: int, time: Timestamp | None, speed: float, wait_s: float, command_id: str | None
) -> bytes:
    """Where a replay stands, and its last offset. `wait_s` is not 0 when nothing is to come for so many seconds."""
    return system_frame(
        "replay",
        {
            "id": command_id,
            "state": state,
            "offset": offset,
            "to": to,
            "time": time,
            "speed": MAX if math.isinf(speed) else speed,
            "wait_s": round(wait_s, 3),
        },
    )


def error_frame(error: CommandError, *, retry_after: float | None = None) -> bytes:
    """The answer to a command that cannot be obeyed; `retry_after` in seconds where waiting helps."""
    return system_frame(
        "error",
        {
            "id": error.command_id,
            "code": error.code,
            "message": error.message,
            "temporary": retry_after is not None,
            "retry_after": retry_after,
        },
    )


def closing_frame(code: int, reason: str, *, reconnect: bool, retry_after: float | None = None) -> bytes:
    """Tells, before the close frame, why the server closes and whether to come back (`retry_after` in seconds)."""
    return system_frame("closing", {"code": code, "reason": reason, "reconnect": reconnect, "retry_after": retry_after})
