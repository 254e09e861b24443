"""Obeys the commands that every measured server understands: one line on stdin, one line of JSON on stdout.

    fan-out <batch> <seconds>          publish `batch` events, wait until every socket has them, again and again
    steady <rate> <seconds> <stamps>   publish `rate` events a second, each stamped (see `stamps`) before it is

Standard library only: competitors run in environments of their own.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, TypeAlias

from benchmarks import events
from benchmarks.stamps import Stamps

ANSWER: Final = '{"type":"system:subscribed"}'
"""What a client is told when its subscription is in force."""
Publish: TypeAlias = Callable[[list[str]], Awaitable[None]]
"""Gives these events to every subscriber, and returns when the kernel has them all."""


async def obey(publish: Publish, *, cpu_ns: Callable[[], int] = time.process_time_ns) -> None:
    """Publish the events that all competitors send, as commanded, until stdin ends.

    Args:
        cpu_ns: Processor time of what is measured so far.
    """
    made = 0

    async def publish_next(batch: int) -> None:
        nonlocal made
        first, made = made + 1, made + batch
        await publish([events.text_of(number) for number in range(first, made + 1)])

    lines = await read_commands()
    while line := await lines.readline():
        match line.decode().split():
            case ["fan-out", batch, seconds]:
                say(await fan_out(publish_next, int(batch), float(seconds), cpu_ns))
            case ["steady", rate, seconds, stamps]:
                with Stamps(Path(stamps)) as moments:
                    say(await _steady(publish_next, float(rate), float(seconds), moments, made + 1))
            case words:
                raise ValueError(f"unknown command {words}")


async def fan_out(
    publish: Callable[[int], Awaitable[None]],
    batch: int,
    seconds: float,
    cpu_ns: Callable[[], int] = time.process_time_ns,
) -> dict[str, int]:
    """Publish batch after batch for so long. Returns how many events that were, and what they cost."""
    count = 0
    began_cpu, began = cpu_ns(), time.monotonic_ns()
    while time.monotonic_ns() < began + seconds * 1e9:
        await publish(batch)
        count += batch
    return {"events": count, "cpu_ns": cpu_ns() - began_cpu, "wall_ns": time.monotonic_ns() - began}


async def _steady(
    publish: Callable[[int], Awaitable[None]], rate: float, seconds: float, stamps: Stamps, first: int
) -> dict[str, int]:
    loop = asyncio.get_running_loop()
    began, count = loop.time(), round(rate * seconds)
    for index in range(count):
        await asyncio.sleep(max(0.0, began + index / rate - loop.time()))
        stamps.begun(first + index)
        await publish(1)
    return {"events": count}


async def read_commands() -> asyncio.StreamReader:
    """The lines of stdin."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    return lines


def say(answer: dict[str, Any]) -> None:
    """Answer with one line."""
    print(json.dumps(answer), flush=True)
