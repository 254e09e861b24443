"""Server-sent events: the same frames in `text/event-stream`, as a browser's `EventSource` reads them.

Rule 1: one event a frame, always of the default kind `message`: one `onmessage` hears all of them.
Rule 2: `id:` is the cursor wherever a frame moves the client, so that `Last-Event-ID` is the place to resume from; a
        frame that moves nothing has none, and `EventSource` keeps the one before.
"""

from __future__ import annotations

from typing import Final

MEDIA_TYPE: Final = "text/event-stream"
COMMENT: Final = b": alive\n"
"""A line that readers ignore. It goes with each heartbeat, for readers that count bytes and not events."""


def stream_event(payload: bytes, cursor: str | None) -> bytes:
    """The lines of one event. A line break in the JSON, which can only be white space, begins another `data:` line."""
    data = b"\ndata: ".join(payload.splitlines())
    return b"data: %b\n\n" % data if cursor is None else b"id: %b\ndata: %b\n\n" % (cursor.encode(), data)


def retry_line(seconds: float) -> bytes:
    """Tells the reader how long to wait before it connects again."""
    return b"retry: %d\n\n" % round(seconds * 1000)
