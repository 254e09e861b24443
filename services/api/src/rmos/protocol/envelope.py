"""A frame taken apart again, so that another form can be made of it.

Every frame is `{"type", "data", "timestamp", …}` in this order (PROTOCOL.md, V1-01), encoded by `messages` without
white space; types hold no quotes. So `data` can be cut out of the bytes, and is passed on as it was stored.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import orjson

_DATA: Final = b',"data":'
_TIMESTAMP: Final = b',"timestamp":'
"""Within a JSON string the quotes would be escaped, so its last occurrence is where `data` ends."""


class Envelope(NamedTuple):
    """What a frame is made of.

    Attributes:
        type: e.g. `job:completed` or `system:pong`.
        data: The bytes of `data`, verbatim.
        rest: `timestamp` and the keys behind it; a logged event has an `id` there.
    """

    type: str
    data: bytes
    rest: dict[str, Any]  # Any: JSON


def open_frame(payload: bytes) -> Envelope:
    """Take apart a frame that `messages` built."""
    start = payload.index(_DATA)
    end = payload.rindex(_TIMESTAMP)
    event_type: str = orjson.loads(payload[len(b'{"type":') : start])
    return Envelope(event_type, payload[start + len(_DATA) : end], orjson.loads(b"{" + payload[end + 1 :]))


def cursor_of(envelope: Envelope, epoch: str) -> str | None:
    """The place in the log that a client has reached with this frame; None when the frame does not move it.

    That is the event's own `id`. A frame of the connection moves the client as PROTOCOL.md says (CLI-04, CLI-07): to
    where a subscription begins, or to the offset up to which nothing more is to come.
    """
    if "id" in envelope.rest:
        return None if envelope.rest.get("replay") else str(envelope.rest["id"])
    match envelope.type:
        case "system:heartbeat" | "system:caught_up":
            offset = orjson.loads(envelope.data)["offset"]
        case "system:subscribed":
            data = orjson.loads(envelope.data)
            if data.get("snapshot"):
                return None  # a reader that is cut off within the snapshot must not go on from behind it
            offset = data["replay"]["from"] - 1 if data["replay"] else data["offset"]
        case _:
            return None
    return f"{epoch}:{offset}"
