"""Secrets that are good once and for a short time: login codes and tickets.

Only their SHA-256 is kept, and only in memory: a restart ends them.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from hashlib import sha256
from typing import Final, Generic, TypeVar

T = TypeVar("T")

MAX_WAITING: Final = 10_000
"""Codes that may wait to be used; the oldest goes when there are more."""


def new_secret() -> str:
    """32 random bytes, as text for a URL."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is kept of a secret: its SHA-256, in hexadecimal. Random secrets need no slow hash."""
    return sha256(secret.encode(errors="surrogateescape")).hexdigest()


class OneTimeCodes(Generic[T]):
    """Codes that stand for a value, each of which is given out once. Used from the event loop alone."""

    def __init__(self, lifetime_s: float) -> None:
        self._lifetime_s = lifetime_s
        self._waiting: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def issue(self, value: T) -> str:
        """A new code for the value."""
        code = new_secret()
        self._waiting[digest(code)] = (asyncio.get_running_loop().time() + self._lifetime_s, value)
        if len(self._waiting) > MAX_WAITING:
            self._waiting.popitem(last=False)
        return code

    def redeem(self, code: str) -> T | None:
        """The value of the code, which is void from now on; None for an unknown, used or late one."""
        ends_at, value = self._waiting.pop(digest(code), (0.0, None))
        return value if asyncio.get_running_loop().time() < ends_at else None
