"""Identifiers. Entities get a UUIDv7 (RFC 9562, 5.7): its text sorts by creation time."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits that are not mistaken for each other."""


def new_id() -> str:
    """A fresh UUIDv7 as text: 48 bits of milliseconds, then version, variant and 74 random bits."""
    milliseconds = int(datetime.now(UTC).timestamp() * 1000)
    random = secrets.randbits(74)  # drawn at once: each draw is a system call
    value = milliseconds << 80 | 0x7 << 76 | random >> 62 << 64 | 0b10 << 62 | random & (1 << 62) - 1
    return str(UUID(int=value))


def short_name() -> str:
    """A short random name, easy to read aloud: of one life of the log, or of one connection."""
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in secrets.token_bytes(6))
