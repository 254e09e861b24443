"""The forms in which a frame travels. Each is a pure function of the frame's JSON, and one object a server.

Compared by identity: a form is part of the key of a group, and looked up for every event.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from rmos.protocol.cloudevents import cloud_event, source_of
from rmos.protocol.envelope import cursor_of, open_frame
from rmos.protocol.frames import text_frame
from rmos.protocol.sse import COMMENT, stream_event

_HEARTBEAT: Final = b'{"type":"system:heartbeat"'


class Form(Protocol):
    """How frames are written to a subscriber's transport."""

    def encode(self, payload: bytes) -> bytes:
        """The frame with this JSON, ready to be written; joined ones can be told apart again."""
        ...


class TextFrames:
    """The JSON in text frames of a WebSocket."""

    def encode(self, payload: bytes) -> bytes:
        """A text frame."""
        return text_frame(payload)


class EventStream:
    """The JSON as server-sent events."""

    def __init__(self, epoch: str) -> None:
        self._epoch = epoch

    def encode(self, payload: bytes) -> bytes:
        """An event of the stream."""
        event = stream_event(payload, cursor_of(open_frame(payload), self._epoch))
        return COMMENT + event if payload.startswith(_HEARTBEAT) else event


class CloudEventFrames:
    """CloudEvents in text frames of a WebSocket."""

    def __init__(self, source: str) -> None:
        self._source = source

    def encode(self, payload: bytes) -> bytes:
        """A text frame with one CloudEvent."""
        return text_frame(cloud_event(open_frame(payload), self._source))


class CloudEventStream:
    """CloudEvents as server-sent events."""

    def __init__(self, epoch: str, source: str) -> None:
        self._epoch = epoch
        self._source = source

    def encode(self, payload: bytes) -> bytes:
        """An event of the stream, with the same `id:` as in `EventStream`."""
        envelope = open_frame(payload)
        event = stream_event(cloud_event(envelope, self._source), cursor_of(envelope, self._epoch))
        return COMMENT + event if payload.startswith(_HEARTBEAT) else event


TEXT_FRAMES: Final = TextFrames()
"""The published form. The hub keeps every event in it, whoever listens."""


@dataclass(frozen=True, slots=True)
class Forms:
    """Every form that one server speaks."""

    event_stream: EventStream
    cloud_event_frames: CloudEventFrames
    cloud_event_stream: CloudEventStream
    source: str

    @classmethod
    def of(cls, *, epoch: str, site: str) -> Forms:
        """The forms of a server with this log and this name."""
        source = source_of(site)
        return cls(EventStream(epoch), CloudEventFrames(source), CloudEventStream(epoch, source), source)

    def cloud_event(self, payload: bytes) -> bytes:
        """The frame with this JSON as a bare CloudEvent, as it stands in a batch."""
        return cloud_event(open_frame(payload), self.source)
