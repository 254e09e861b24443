"""Identifiers. Entities get a UUIDv7 (RFC 9562, 5.7): its text sorts by creation time."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from uuid import UUID


def new_id() -> str:
    """A fresh UUIDv7 as text: 48 bits of milliseconds, then version, variant and 74 random bits."""
    milliseconds = int(datetime.now(UTC).timestamp() * 1000)
    value = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(UUID(int=value))


def new_epoch() -> str:
    """A short random name for one life of the log; six characters that are easy to read aloud."""
    return "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(6))
