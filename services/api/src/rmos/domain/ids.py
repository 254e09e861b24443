"""Identifiers. Entities get a UUIDv7 (RFC 9562, 5.7): its text sorts by creation time."""

from __future__ import annotations

import os
import secrets
import sys
from collections import deque
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits that are not mistaken for each other."""
_DRAWN_AT_ONCE: Final = 256
_stock: deque[bytes] = deque()
if sys.platform != "win32":
    os.register_at_fork(after_in_child=_stock.clear)


def new_id() -> str:
    """A fresh UUIDv7 as text: 48 bits of milliseconds, then version, variant and 74 random bits."""
    milliseconds = int(datetime.now(UTC).timestamp() * 1000)
    random = int.from_bytes(_random_bytes()) >> 6
    value = milliseconds << 80 | 0x7 << 76 | random >> 62 << 64 | 0b10 << 62 | random & (1 << 62) - 1
    return str(UUID(int=value))


def short_name() -> str:
    """A short random name, easy to read aloud: of one life of the log, or of one connection."""
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in _random_bytes()[:6])


def _random_bytes() -> bytes:
    """Ten bytes of the system's randomness, drawn in stock: each draw is a system call. Safe in threads and forks."""
    while True:
        try:
            return _stock.popleft()
        except IndexError:
            drawn = secrets.token_bytes(_DRAWN_AT_ONCE * 10)
            _stock.extend(drawn[at : at + 10] for at in range(0, len(drawn), 10))
