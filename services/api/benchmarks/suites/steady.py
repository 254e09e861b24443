"""Steady load: 100 durable events a second to 1,000 subscribers. Does anybody fall behind as time goes on?

Each event is a write of its own to the store. Its clock starts inside its transaction, before the commit, so the
disk's share is in the figures; `after_commit` starts when the server's event loop has learnt of the commit.
The published way is not run: it cannot deliver so much (see the fan-out figures), so its lag would only grow.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.bench import Bench
from benchmarks.figures import Result, Rounds
from benchmarks.native import Receiver, Taken
from benchmarks.processes import Child, ChildError
from benchmarks.stamps import create_stamps

RATE: Final = 100
"""Events a second."""
_PATIENCE: Final = 10
"""How many times as long as planned a server may take before it is given up."""
_LATE: Final = 1.05
"""How many times as long as planned it may take to have kept the pace; and a second to drain."""
_LOOK_S: Final = 0.25
"""Time between two looks at the lag."""
_THIRDS: Final = ("first", "middle", "last")
_UNITS: Final = {
    "steady.first_third.p50": "ms",
    "steady.last_third.p50": "ms",
    "steady.first_third.p99": "ms",
    "steady.last_third.p99": "ms",
    "steady.last_third.after_commit.p50": "ms",
    "steady.last_third.after_commit.p99": "ms",
    "steady.max": "ms",
    "steady.lag.max": "events",
    "steady.server": "CPU s/s",
    "steady.receiver": "CPU s/s",
}


def run(bench: Bench) -> list[Result]:
    """Load the shop for a while, and compare the last third of the time with the first."""
    rounds = Rounds()
    for _ in range(bench.plan.rounds):
        with (
            rounds.attempt(*_UNITS),
            tempfile.NamedTemporaryFile(prefix="rmos-bench-") as stamps,
            bench.server("shop-log") as (server, port),
        ):
            create_stamps(Path(stamps.name))
            options = ("--stamps", stamps.name)
            with bench.subscribers(port, bench.plan.subscribers, options=options) as receiver:
                _measure(bench, rounds, server, receiver, stamps.name)
    return rounds.results(_UNITS, against=_compared)


def take_steady(
    bench: Bench, server: Child, receiver: Receiver, seconds: float, stamps: str, *, rate: int = RATE
) -> Taken:
    """What all subscribers were delivered of `rate` events a second.

    Raises:
        ChildError: that was not exactly what it should be, or the server could not keep the pace.
    """
    receiver.take()
    began = time.monotonic()
    server.tell(f"steady {rate} {seconds} {stamps}")
    expected = server.hear_json(timeout_s=_PATIENCE * seconds + 10)["events"] * bench.plan.subscribers
    if time.monotonic() - began > _LATE * seconds + 1:
        raise ChildError(f"{rate} events a second are more than it can deliver to {bench.plan.subscribers}")
    taken = receiver.take(expected)
    if taken.events != expected or taken.disorder or taken.closed:
        raise ChildError(f"{expected} deliveries were expected, but the receiver says {taken}")
    return taken


def _compared(name: str) -> dict[str, str]:
    return {"first_third": name.replace("last_third", "first_third")} if "after_commit" not in name else {}


def _measure(bench: Bench, rounds: Rounds, server: Child, receiver: Receiver, stamps: str) -> None:
    began, third_s = time.monotonic(), bench.plan.steady_s / len(_THIRDS)
    receiver.take()
    server.tell(f"steady {RATE} {bench.plan.steady_s} {stamps}")
    lag, taken = 0, dict[str, Taken]()
    for index, third in enumerate(_THIRDS):
        while (left_s := began + (index + 1) * third_s - time.monotonic()) > 0:
            lag = max(lag, receiver.lag())
            time.sleep(min(_LOOK_S, left_s))
        if third == _THIRDS[-1]:
            said = server.hear_json(timeout_s=60)
            expected = said["events"] * bench.plan.subscribers - sum(part.events for part in taken.values())
            taken[third] = receiver.take(expected)
        else:
            taken[third] = receiver.take()
    total = sum(part.events for part in taken.values())
    parts = taken.values()
    if total != said["events"] * bench.plan.subscribers or any(part.disorder or part.closed for part in parts):
        raise ChildError(f"{said['events']} events were written, but the receiver says {taken}")

    for third in ("first", "last"):
        rounds.add(f"steady.{third}_third.p50", taken[third].since_first.p50_ms)
        rounds.add(f"steady.{third}_third.p99", taken[third].since_first.p99_ms)
    rounds.add("steady.last_third.after_commit.p50", taken["last"].since_second.p50_ms)
    rounds.add("steady.last_third.after_commit.p99", taken["last"].since_second.p99_ms)
    rounds.add("steady.max", max(part.since_first.max_ms for part in parts))
    rounds.add("steady.lag.max", lag)
    rounds.add("steady.server", said["cpu_ns"] / 1e9 / bench.plan.steady_s)
    rounds.add("steady.receiver", max(part.cpu for part in parts))
