"""Commands that run until somebody stops them."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from types import FrameType


def run_until_interrupted(main: Coroutine[object, object, None]) -> None:
    """Run `main` to its end, or until Ctrl-C or SIGTERM cancels it. Both are a clean end."""

    def as_interrupt(_signal: int, _frame: FrameType | None) -> None:
        signal.raise_signal(signal.SIGINT)  # asyncio turns this one into the cancellation of `main`

    # A shell starts background commands with SIGINT ignored, and asyncio would leave it so.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, as_interrupt)
    try:
        asyncio.run(main)
    except KeyboardInterrupt:
        return
