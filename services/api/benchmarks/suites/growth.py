"""Growth: what one event costs the server as the work around it grows, 8 events pending together.

growth.subscribers.n<N>   N subscribers of everything, ready events
growth.filters.n<N>       1,000 subscribers with N different filters, each of which lets every event through
growth.history.n<N>       100 subscribers, durable events, N events in the log already
growth.idle.n<N>          100 subscribers of everything, and N connections that hear none of it

The exponent in the notes is that of N in the cost of an event, fitted over all sizes: 0 says that the cost does not
grow, 1 that it grows in proportion.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from benchmarks import events
from benchmarks.bench import Bench, fill_log
from benchmarks.figures import Result, Rounds, exponent
from benchmarks.native import Receiver
from benchmarks.processes import Child, ChildError

BATCH: Final = 8
_FEW: Final = 100
_WARM_UP_S: Final = 0.2
_ALL: Final = ('{"action":"subscribe","filters":["all"]}',)
_NOBODY: Final = ('{"action":"subscribe","v":2,"filters":["all"],"channels":["bench:nobody"]}',)


def run(bench: Bench) -> list[Result]:
    """Measure every size of everything, round by round."""
    rounds, sizes = Rounds(), bench.plan.growth
    units = {f"growth.{what}.n{size}": "CPU us/event" for what in sizes for size in sizes[what]}
    for _ in range(bench.plan.rounds):
        for size in sizes["subscribers"]:
            with rounds.attempt(f"growth.subscribers.n{size}"), _ready(bench, size, _ALL) as (server, _, receiver):
                rounds.add(f"growth.subscribers.n{size}", _cost(bench, server, receiver, size))
        for size in sizes["filters"]:
            subscribers = bench.plan.subscribers
            with (
                rounds.attempt(f"growth.filters.n{size}"),
                _ready(bench, subscribers, _different(size)) as (server, _, receiver),
            ):
                rounds.add(f"growth.filters.n{size}", _cost(bench, server, receiver, subscribers))
        for size in sizes["history"]:
            with rounds.attempt(f"growth.history.n{size}"), bench.server("shop-log") as (server, port):
                fill_log(server, size)
                with bench.receiver(port, _FEW, _options(_ALL)) as receiver:
                    rounds.add(f"growth.history.n{size}", _cost(bench, server, receiver, _FEW))
        for size in sizes["idle"]:
            with (
                rounds.attempt(f"growth.idle.n{size}"),
                _ready(bench, _FEW, _ALL) as (server, port, receiver),
                bench.receiver(port, size, _options(_NOBODY)[1:]),
            ):
                rounds.add(f"growth.idle.n{size}", _cost(bench, server, receiver, _FEW))
    return rounds.results(units, notes=_exponents(rounds, sizes))


@contextmanager
def _ready(bench: Bench, subscribers: int, commands: Iterable[str]) -> Iterator[tuple[Child, int, Receiver]]:
    """The shop with ready events, its port, and who listens."""
    with (
        bench.server("shop-ready") as (server, port),
        bench.receiver(port, subscribers, _options(commands)) as receiver,
    ):
        yield server, port, receiver


def _options(commands: Iterable[str]) -> list[str]:
    return ["--spin", *(word for command in commands for word in ("--subscribe", command))]


def _different(count: int) -> list[str]:
    """Subscriptions that differ, and all hear everything: each names one more channel on which nothing happens."""
    return [
        json.dumps({"action": "subscribe", "v": 2, "filters": ["all"], "channels": [events.CHANNELS[0], f"bench:{n}"]})
        for n in range(count)
    ]


def _cost(bench: Bench, server: Child, receiver: Receiver, subscribers: int) -> float:
    """Processor time of one event, in microseconds.

    Raises:
        ChildError: the receiver did not get exactly what it should.
    """
    for seconds in (_WARM_UP_S, bench.plan.fan_out_s):
        receiver.take()
        server.tell(f"fan-out {BATCH} {seconds}")
        said = server.hear_json(timeout_s=60)
        taken = receiver.take(said["events"] * subscribers)
        if taken.events != said["events"] * subscribers or taken.disorder or taken.closed:
            raise ChildError(f"{said['events']} events were sent, but the receiver says {taken}")
    cost: float = said["cpu_ns"] / said["events"] / 1e3
    return cost


def _exponents(rounds: Rounds, sizes: dict[str, Sequence[int]]) -> dict[str, str]:
    notes = {}
    for what, all_sizes in sizes.items():
        found = [(size, rounds.median(f"growth.{what}.n{size}")) for size in all_sizes]
        told = [(size, cost) for size, cost in found if cost]
        if len(told) > 1:
            slope = exponent(*zip(*told, strict=True))
            notes[f"growth.{what}.n{all_sizes[-1]}"] = f"growth.{what}: exponent {slope:.2f}"
    return notes
