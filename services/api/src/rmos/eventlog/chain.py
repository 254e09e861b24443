"""The hash chain of the log: each event's hash covers the event and the hash before it.

    hash(n) = SHA-256( hash(n - 1) ‖ header(n) ‖ 0x0A ‖ data(n) )

`header` is canonical JSON (RFC 8785) of everything but the data, which are taken as they are stored. JSON in that form
holds no line feed, so nothing can be moved from one part to the other. docs/reference/audit.md states it for others.

Rule: the form never changes. What it would no longer cover needs a version of its own in every bundle and database.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

import orjson

from rmos.domain.events import NewEvent

HASH_BYTES: Final = 32
GENESIS: Final = bytes(HASH_BYTES)
"""What stands in the place of the hash before the very first event."""

_PIECE_BYTES: Final = 2047
"""hashlib gives the GIL up for more at once, and beside a busy event loop it takes 5 ms to win it back."""


def header_of(event: NewEvent, offset: int) -> bytes:
    """Everything of the event but its data, as canonical JSON: members in order of their names, no white space.

    orjson escapes as RFC 8785 asks, and there are no numbers but integers.
    """
    return orjson.dumps(
        {
            "actor": event.actor,
            "cause": event.cause,
            "channels": event.channels,
            "key": event.key,
            "offset": offset,
            "request_id": event.request_id,
            "timestamp": event.timestamp,
            "type": event.type,
            "version": event.version,
        }
    )


def link(previous: bytes, event: NewEvent, offset: int) -> bytes:
    """The hash of the event at `offset`, which follows on an event with the hash `previous`."""
    text = previous + header_of(event, offset) + b"\n" + event.data
    if len(text) <= _PIECE_BYTES:
        return sha256(text).digest()
    digest = sha256()
    for start in range(0, len(text), _PIECE_BYTES):
        digest.update(text[start : start + _PIECE_BYTES])
    return digest.digest()
