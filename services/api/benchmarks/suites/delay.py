"""Delay: from publishing to delivery, 50 events a second to 1,000 subscribers, beside others.

The clock of RMOS starts when its event loop has learnt of the commit, as in `steady.…after_commit`: reading the log,
encoding and framing are in its figures. That of a competitor starts when a ready text is published; nothing is durable
there. Brokers are published to from a process on the server's core, whose part is in the figure, too. Competitors in
Node are not run, since their clock cannot be shared with the receiver, nor is granian, which cannot deliver so much.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from benchmarks.bench import Bench
from benchmarks.figures import Result, Rounds
from benchmarks.native import Receiver
from benchmarks.peers import PEERS, Peer
from benchmarks.processes import Child
from benchmarks.stamps import create_stamps
from benchmarks.suites.steady import take_steady

RATE: Final = 50
"""Events a second: half of what `steady` has, which most competitors could not deliver."""
_PARTS: Final = ("p50", "p99")
_RMOS: Final = "rmos"
_PEERS: Final[Mapping[str, Peer]] = {peer.name: peer for peer in PEERS if peer.in_delay}


def run(bench: Bench) -> list[Result]:
    """Measure RMOS and every competitor that can be, one right after the other, round by round."""
    rounds = Rounds()
    ways = (_RMOS, *_PEERS)
    for _ in range(bench.plan.rounds):
        for way in ways:
            with rounds.attempt(*(f"delay.{part}.{way}" for part in _PARTS)):
                _measure(bench, rounds, way)
    units = {f"delay.{part}.{way}": "ms" for part in _PARTS for way in ways}
    return rounds.results(units, against=lambda name: {_RMOS: ".".join([*name.split(".")[:2], _RMOS])})


def _measure(bench: Bench, rounds: Rounds, way: str) -> None:
    with tempfile.NamedTemporaryFile(prefix="rmos-bench-") as stamps, _serve(bench, way) as (server, port):
        create_stamps(Path(stamps.name))
        with _receive(bench, way, port, ("--stamps", stamps.name)) as receiver:
            taken = take_steady(bench, server, receiver, bench.plan.steady_s / 3, stamps.name, rate=RATE)
    latency = taken.since_second if way == _RMOS else taken.since_first
    rounds.add(f"delay.p50.{way}", latency.p50_ms)
    rounds.add(f"delay.p99.{way}", latency.p99_ms)


def _serve(bench: Bench, way: str) -> AbstractContextManager[tuple[Child, int]]:
    return bench.server("shop-log") if way == _RMOS else bench.peer(_PEERS[way])


def _receive(bench: Bench, way: str, port: int, options: tuple[str, ...]) -> AbstractContextManager[Receiver]:
    if way == _RMOS:
        return bench.subscribers(port, bench.plan.subscribers, options=options)
    return bench.receiver(port, bench.plan.subscribers, (*_PEERS[way].receiver, *options))
