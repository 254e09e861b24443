"""The brake on guessing passwords: after some failures the next attempt has to wait, longer each time.

It counts for each address and user together, so that nobody locks others out, and for each address alone, so that
nobody tries one password on many users.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final, TypeAlias

from rmos.errors import RateLimitedError

FREE_FAILURES: Final = 5
"""Failures of one user from one address that cost nothing: people mistype."""
FREE_FAILURES_OF_ADDRESS: Final = 20
"""A whole workshop may share an address."""
LONGEST_WAIT_S: Final = 900.0
_FORGOTTEN_S: Final = 3600.0
_KEPT: Final = 10_000
"""Pairs remembered; the one that failed longest ago goes when there are more."""

_Pair: TypeAlias = tuple[str, str | None]


@dataclass(slots=True)
class _Failures:
    count: int
    last_at: float


class Brake:
    """Failures of the last hour. Used from the event loop alone. `clock` is any steady one, in seconds."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[_Pair, _Failures] = OrderedDict()

    def check(self, address: str, user: str) -> None:
        """Let an attempt pass, or not. It counts as a failure until `succeeded`, so attempts at once count all.

        Raises:
            RateLimitedError: too soon after the last failures.
        """
        now = self._clock()
        for pair, free in _pairs(address, user):
            failures = self._failures.get(pair)
            if failures is not None and now - failures.last_at < (wait_s := _wait_s(failures.count, free)):
                left_s = math.ceil(wait_s - (now - failures.last_at))
                raise RateLimitedError(f"too many failed logins; try again in {left_s} s", retry_after_s=left_s)
        for pair, _ in _pairs(address, user):
            self._count(pair, now)

    def succeeded(self, address: str, user: str) -> None:
        """The attempt was no failure."""
        self._failures.pop((address, user), None)
        if (of_address := self._failures.get((address, None))) is not None:
            of_address.count -= 1

    def _count(self, pair: _Pair, now: float) -> None:
        failures = self._failures.pop(pair, None)
        if failures is None or now - failures.last_at > _FORGOTTEN_S:
            failures = _Failures(0, now)
        failures.count += 1
        failures.last_at = now
        self._failures[pair] = failures
        if len(self._failures) > _KEPT:
            self._failures.popitem(last=False)


def _pairs(address: str, user: str) -> tuple[tuple[_Pair, int], ...]:
    return ((address, user), FREE_FAILURES), ((address, None), FREE_FAILURES_OF_ADDRESS)


def _wait_s(failures: int, free: int) -> float:
    """Seconds after the last failure: none, then 1, 2, 4, …"""
    return 0.0 if failures < free else min(2.0 ** min(failures - free, 20), LONGEST_WAIT_S)
