"""The bodies of answers about the event log, who listens to it, and its audit (see `models`)."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from rmos.web.models import JobLog, JsonMap, Model, Pattern, StripFamily, Success, Time

Hash: TypeAlias = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="SHA-256, in hexadecimal.")]


class LogEpoch(Model):
    epoch: Annotated[str, Field(examples=["k3f9q2"])]
    start: Annotated[int, Field(alias="from", description="Its first offset.")]
    reason: Annotated[str, Field(examples=["created"])]
    time: Time


class LogFault(Model):
    offset: Annotated[int, Field(description="The first event that is not what the chain says.")]
    reason: Annotated[str, Field(examples=["its content was changed"])]


class Verification(Model):
    ok: bool
    checked: Annotated[int, Field(description="Events that are what they were.")]
    compared: Annotated[int, Field(description="Noted hashes that lay within the log; 0 or 1.")]
    fault: LogFault | None
    epoch: str
    oldest: int
    anchor: Annotated[Hash, Field(description="Hash of the event before the oldest one kept.")]
    head: int
    hash: Annotated[Hash, Field(description="Hash of the newest event.")]
    noted: Annotated[str, Field(description="The head as `head` takes it at another time; keep it elsewhere.")]
    epochs: list[LogEpoch]


class VerificationAnswer(Success):
    verification: Verification


class EventFrame(Model):
    """An event exactly as on the WebSocket."""

    type: Annotated[str, Field(examples=["job:completed"])]
    data: JsonMap
    timestamp: Time
    id: Annotated[str, Field(examples=["k3f9q2:1042"])]
    offset: int
    channels: list[str]
    key: str | None
    version: int | None
    actor: str


class EventPage(Success):
    events: list[EventFrame]
    next: Annotated[str, Field(description="Cursor to go on from.")]
    head: Annotated[str, Field(description="Cursor of the newest event.")]


class PlaceInLog(Model):
    offset: int
    cursor: Annotated[str, Field(examples=["k3f9q2:1042"])]
    time: Annotated[Time | None, Field(description="When the event there happened; null when it is not kept.")]


class StateAnswer(Success):
    at: PlaceInLog
    patterns: list[Pattern]
    joblogs: list[JobLog]
    strip_families: list[StripFamily]
    next: Annotated[str | None, Field(description="`after` of the next page; null when this is the last.")]


class Connection(Model):
    id: Annotated[str, Field(description="As in `system:connected`.")]
    peer: Annotated[str, Field(examples=["127.0.0.1:51234"])]
    user: str
    protocol: Annotated[str, Field(examples=["rmos.monitor.v2"])]
    transport: Literal["websocket", "sse"]
    filters: list[str]
    channels: list[str] | None
    types: list[str] | None
    mode: Literal["stream", "latest"]
    cursor: Annotated[str, Field(description="Everything wanted up to here was written to it.")]
    lag: Annotated[int, Field(description="Events between the cursor and the head.")]
    unsent_bytes: int
    is_paused: Annotated[bool, Field(description="Whether it takes no more just now.")]
    connected_at: Time
    heard_at: Time


class Connections(Success):
    connections: list[Connection]
    total: int
