"""Passwords: hashed with Argon2id, slowly, and on threads of their own.

Rule: a check takes the same time whether the user exists or not, so nobody learns names by asking.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_THREADS: Final = 2
"""Hashes at once. Each takes 64 MiB and a core for some ten milliseconds, and the shop goes on beside them."""
_HASHER: Final = PasswordHasher()  # RFC 9106, second recommended option


class Passwords:
    """Hashes and checks. Used from the event loop; what waits, waits in the order in which it came."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="rmos-password")

    async def hash(self, password: str) -> str:
        """The hash to keep."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, hash_password, password)

    async def fits(self, password: str, kept: str | None) -> bool:
        """Whether the password is the one of this hash; never, but as slowly, for None."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, _fits, password, kept)

    def close(self) -> None:
        """Forget what still waits."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def hash_password(password: str) -> str:
    """The hash to keep. Slow on purpose: not for the event loop."""
    return _HASHER.hash(password)


def _fits(password: str, kept: str | None) -> bool:
    try:
        _HASHER.verify(kept or _of_nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


@cache
def _of_nobody() -> str:
    return hash_password("a password that nobody has")
