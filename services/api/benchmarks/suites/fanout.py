"""Fan-out: deliveries per second of processor time to 1,000 subscribers, with K events pending together.

    rmos           the hub on the lean path, fed with ready events: the figure to compare
    rmos.durable   the same, each batch written to the store in one transaction and read back from the log
    rmos.sse       the hub, ready events, as server-sent events instead of WebSockets
    rmos.asgi      the hub, ready events, on the fallback for servers that a connection cannot leave
    published      a naive `send_json` to each, compression off: the stronger form, so the one ratios are taken to
    published.compressed   the same as uvicorn does it by default, to clients that accept compression (K = 1 only)
    send           a loop of send() in C: the reference
    socketify …    competitors, each written as its documentation shows; see `peers` and the docstring of each server

"Ready" means that the event exists in memory as an object and is neither encoded nor framed: both of the compared
ways encode it within the figure. All of the server's processor time counts, kernel included. K events are given, then
the server is waited for until its sockets have everything, then the next K are given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from benchmarks import events
from benchmarks.bench import ALL, Bench
from benchmarks.figures import Result, Rounds
from benchmarks.native import Receiver
from benchmarks.peers import PEERS, Peer
from benchmarks.processes import Child, ChildError

BATCHES: Final = (1, 8, 32)
Filters: TypeAlias = tuple[tuple[str, ...], ...]

_WARM_UP_S: Final = 0.2
_BOTTLENECK: Final = 0.9
"""Share of time at work above which the receiver is held to be what was measured."""


@dataclass(frozen=True, slots=True)
class _Way:
    """One competitor: its name, its server (None: the native loop), what is special about it.

    Attributes:
        options: Further options of native/receiver.c.
        receiver: All of them, how to subscribe included; None for the command `subscribe` over a WebSocket.
    """

    name: str
    server: str | Peer | None
    settings: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    receiver: Sequence[str] | None = None
    batches: tuple[int, ...] = BATCHES


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a server delivered.

    Attributes:
        per_cpu_s: Deliveries per second of its processor time.
        per_s: Deliveries per second.
        receiver_busy: The receiver's share of time at work.
    """

    per_cpu_s: float
    per_s: float
    receiver_busy: float


_AS_STREAM: Final = ("--stream", "--scan", "--answer", "system:subscribed", "--path", "/sse/monitor?filters=all")
_RMOS: Final = _Way("rmos", "shop-ready")
_PUBLISHED: Final = _Way("published", "published")
_CASES: Final = {
    "all": (
        ALL,
        (
            _RMOS,
            _PUBLISHED,
            _Way("rmos.durable", "shop-log"),
            _Way("rmos.sse", "shop-ready", receiver=_AS_STREAM),
            _Way("rmos.asgi", "shop-ready", settings={"RMOS_LEAN_CONNECTIONS": "false"}),
            _Way("published.compressed", "published-compressed", options=("--compressed",), batches=(1,)),
            _Way("send", None),
            *(_Way(peer.name, peer, receiver=peer.receiver) for peer in PEERS),
        ),
    ),
    "filters8": (events.EIGHT_FILTERS, (_RMOS, _PUBLISHED)),
}


def run(bench: Bench) -> list[Result]:
    """Measure every way, one right after the other, round by round."""
    rounds, busiest = Rounds(), 0.0
    units = {_name(case, batch, way): "deliveries/CPU s" for case, batch, way in _order()}
    for _ in range(bench.plan.rounds):
        for case, (filters, ways) in _CASES.items():
            for way in ways:
                with rounds.attempt(*(_name(case, batch, way) for batch in way.batches)):
                    busiest = max(busiest, _measure_way(bench, rounds, case, filters, way))
    return rounds.results(units, against=_compared, notes=dict.fromkeys(units, bottleneck(busiest)))


def bottleneck(busiest: float) -> str:
    """What to say of the receiver, by its greatest share of time at work."""
    note = f"receiver at work {busiest:.0%} of the time at most"
    return f"{note}: it may be the bottleneck" if busiest > _BOTTLENECK else note


def _measure_way(bench: Bench, rounds: Rounds, case: str, filters: Filters, way: _Way) -> float:
    """Add one round of one competitor; returns the receiver's greatest share of time at work."""
    busiest = 0.0
    with _serve(bench, way) as (server, port), _receive(bench, way, port, filters) as receiver:
        for batch in way.batches:
            speed = measure_fan_out(bench, server, receiver, filters, batch)
            rounds.add(_name(case, batch, way), speed.per_cpu_s)
            busiest = max(busiest, speed.receiver_busy)
    return busiest


def _serve(bench: Bench, way: _Way) -> AbstractContextManager[tuple[Child, int]]:
    match way.server:
        case None:
            return bench.send_loop(bench.plan.subscribers)
        case Peer():
            return bench.peer(way.server)
        case _:
            return bench.server(way.server, way.settings)


def _receive(bench: Bench, way: _Way, port: int, filters: Filters) -> AbstractContextManager[Receiver]:
    if way.receiver is not None:
        return bench.receiver(port, bench.plan.subscribers, ("--spin", *way.receiver))
    return bench.subscribers(port, bench.plan.subscribers, filters, options=("--spin", *way.options))


def measure_fan_out(bench: Bench, server: Child, receiver: Receiver, filters: Filters, batch: int) -> Speed:
    """Warm up and measure, for the planned time.

    Raises:
        ChildError: the receiver did not get exactly what it should.
    """
    for seconds in (_WARM_UP_S, bench.plan.fan_out_s):
        receiver.take()
        server.tell(f"fan-out {batch} {seconds}")
        said = server.hear_json(timeout_s=60)
        # Who does not say where it began sends all of its events to everybody.
        expected = events.deliveries(filters, bench.plan.subscribers, said.get("first", 1), said["events"])
        taken = receiver.take(expected)
        if taken.events != expected or taken.disorder or taken.closed:
            raise ChildError(f"{expected} deliveries were expected, but the receiver says {taken}")
    return Speed(taken.events / (said["cpu_ns"] / 1e9), taken.events / (said["wall_ns"] / 1e9), taken.busy)


def _name(case: str, batch: int, way: _Way) -> str:
    return f"fanout.{case}.k{batch}.{way.name}"


def _order() -> list[tuple[str, int, _Way]]:
    """Competitors side by side."""
    return [
        (case, batch, way)
        for case, (_, ways) in _CASES.items()
        for batch in BATCHES
        for way in ways
        if batch in way.batches
    ]


def _compared(name: str) -> Mapping[str, str]:
    place = name.split(".")[:3]
    return {other: ".".join([*place, other]) for other in ("published", "send")}
