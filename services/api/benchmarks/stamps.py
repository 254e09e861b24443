"""Moments of events, shared with the receiver through a mapped file.

Pair 0 of 64-bit words holds the newest number, pair n the two moments of event n (CLOCK_MONOTONIC, ns; 0: not yet).
The receiver measures each delivery against both, so that no clock has to be in the payload.
"""

from __future__ import annotations

import mmap
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

MAX_EVENTS: Final = 100_000
_PAIR_BYTES: Final = 16


def create_stamps(path: Path) -> None:
    """An empty file for numbers up to `MAX_EVENTS`."""
    with path.open("wb") as file:
        file.truncate((MAX_EVENTS + 1) * _PAIR_BYTES)


class Stamps:
    """The writing side. Each number is stamped by one thread."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        self._words = memoryview(self._map).cast("Q")
        self._unwoken = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._words.release()
        self._map.close()

    def begun(self, number: int) -> None:
        """Event `number` was handed to its transaction, which is not committed yet."""
        self._words[2 * number] = time.monotonic_ns()
        self._words[0] = number

    def woke(self) -> None:
        """The event loop has learnt of a commit: of everything begun that was not told of before.

        A transaction begun meanwhile is stamped too early, which makes its delivery look slower, never faster.
        """
        newest, now = self._words[0], time.monotonic_ns()
        for number in range(self._unwoken, newest + 1):
            self._words[2 * number + 1] = now
        self._unwoken = newest + 1
