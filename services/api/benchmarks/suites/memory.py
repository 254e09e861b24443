"""Memory of an idle connection, and what taking it in costs.

A connection is subscribed to everything, has had one ping answered, and is then left alone. Memory is what the server
process holds more than before (RSS), divided by the number of connections.

    rmos        `rmos serve`, the lean path
    rmos.asgi   `rmos serve` on the fallback for servers that a connection cannot leave
    published   the naive server, compression off
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Final, TypeAlias

from benchmarks.bench import PING, Bench
from benchmarks.figures import Result, Rounds
from benchmarks.processes import Child

_SETTLE_S: Final = 1.0
_Serve: TypeAlias = Callable[[Bench], AbstractContextManager[tuple[Child, int]]]
_WAYS: Final[Mapping[str, _Serve]] = {
    "rmos": lambda bench: bench.rmos_serve(),
    "rmos.asgi": lambda bench: bench.rmos_serve({"RMOS_LEAN_CONNECTIONS": "false"}),
    "published": lambda bench: bench.server("published"),
}


def run(bench: Bench) -> list[Result]:
    """Measure every way at every number of connections, each with a server of its own."""
    rounds = Rounds()
    units: dict[str, str] = {}
    for connections in bench.plan.idle:
        for way in _WAYS:
            units[_memory(connections, way)] = "KB/connection"
        for way in _WAYS:
            units[_connect(connections, way)] = "CPU us/connection"
    for _ in range(bench.plan.rounds):
        for connections in bench.plan.idle:
            for way, serve in _WAYS.items():
                memory, connect = _memory(connections, way), _connect(connections, way)
                with rounds.attempt(memory, connect), serve(bench) as (server, port):
                    bytes_each, cpu_s_each = _measure(bench, server, port, connections)
                    rounds.add(memory, bytes_each / 1024)
                    rounds.add(connect, cpu_s_each * 1e6)
    return rounds.results(units, against=_compared)


def _measure(bench: Bench, server: Child, port: int, connections: int) -> tuple[float, float]:
    """Bytes and CPU seconds of one connection."""
    options = ("--ping", PING)
    with bench.subscribers(port, 1, options=options):
        pass  # what is loaded with the first connection belongs to no connection
    time.sleep(_SETTLE_S)
    resident, cpu_s = server.resident_bytes(), server.cpu_s()
    with bench.subscribers(port, connections, options=options):
        cpu_s = server.cpu_s() - cpu_s
        time.sleep(_SETTLE_S)
        return (server.resident_bytes() - resident) / connections, cpu_s / connections


def _memory(connections: int, way: str) -> str:
    return f"memory.n{connections}.{way}"


def _connect(connections: int, way: str) -> str:
    return f"memory.connect.n{connections}.{way}"


def _compared(name: str) -> Mapping[str, str]:
    return {"published": name.removesuffix(".asgi").removesuffix(".rmos") + ".published"} if "rmos" in name else {}
