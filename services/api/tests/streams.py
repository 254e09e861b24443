"""Readers of what the twins of the WebSocket send, each written after its own standard."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import orjson

_ATTRIBUTE = re.compile(r"[a-z0-9]{1,20}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_URI_REFERENCE = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")


@dataclass
class StreamEvent:
    """One dispatched event. `last_id` is what `Last-Event-ID` would say after it."""

    data: str
    last_id: str
    name: str = "message"

    @property
    def frame(self) -> dict[str, Any]:
        """The JSON in its data."""
        return dict(orjson.loads(self.data))


@dataclass
class EventStreamReader:
    """A browser's EventSource, as far as its stream goes (WHATWG HTML, 9.2.6)."""

    last_id: str = ""
    retry_ms: int | None = None
    comments: list[str] = field(default_factory=list)
    _rest: bytes = b""
    _data: list[str] = field(default_factory=list)
    _name: str = ""

    def feed(self, chunk: bytes) -> list[StreamEvent]:
        """The events that these bytes complete."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        found = (self._take(line.decode()) for line in lines)
        return [event for event in found if event is not None]

    def _take(self, line: str) -> StreamEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "":
                self.comments.append(value)
            case "data":
                self._data.append(value)
            case "id" if "\0" not in value:
                self.last_id = value
            case "event":
                self._name = value
            case "retry" if value.isdecimal():
                self.retry_ms = int(value)
        return None

    def _dispatch(self) -> StreamEvent | None:
        data, self._data = self._data, []
        name, self._name = self._name, ""
        return StreamEvent("\n".join(data), self.last_id, name or "message") if data else None


def cloud_event_faults(event: dict[str, Any]) -> list[str]:
    """What breaks CloudEvents 1.0.2 and its JSON format; nothing when all is well."""
    faults = [f"{name} is missing or empty" for name in ("id", "source", "type") if not _is_text(event.get(name))]
    if event.get("specversion") != "1.0":
        faults.append(f"specversion {event.get('specversion')!r}")
    if "data" in event and "data_base64" in event:
        faults.append("data twice")
    for name, value in event.items():
        if name in ("data", "data_base64"):
            continue
        if not _ATTRIBUTE.fullmatch(name):
            faults.append(f"{name!r} is no name of an attribute")
        is_integer = isinstance(value, int) and -(2**31) <= value < 2**31  # booleans included
        if not is_integer and not isinstance(value, str):
            faults.append(f"{name} is {value!r}, neither text, Boolean nor a whole number of 32 bits")
    if not _URI_REFERENCE.fullmatch(str(event.get("source"))):
        faults.append(f"source {event.get('source')!r} is no URI reference")
    if "time" in event and not _TIME.fullmatch(event["time"]):
        faults.append(f"time {event['time']!r} is not RFC 3339")
    if "subject" in event and not _is_text(event["subject"]):
        faults.append("subject is empty")
    if "datacontenttype" in event and not re.fullmatch(r"[a-z]+/[a-z+.-]+", event["datacontenttype"]):
        faults.append(f"datacontenttype {event['datacontenttype']!r}")
    return faults


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""
