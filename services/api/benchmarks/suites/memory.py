"""Memory of an idle connection, and what taking it in costs.

A connection is subscribed to everything, has had one ping answered, and is then left alone. Memory is what the server
process holds more than before (RSS), divided by the number of connections.

    rmos        `rmos serve`, the lean path
    rmos.tls    `rmos serve` with a certificate, so that each connection begins with a TLS handshake
    rmos.asgi   `rmos serve` on the fallback for servers that a connection cannot leave
    published   the naive server, compression off
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Final, TypeAlias

from benchmarks.bench import PING, Bench
from benchmarks.certificate import tls_settings
from benchmarks.figures import Result, Rounds
from benchmarks.native import OVER_TLS
from benchmarks.processes import Child

_SETTLE_S: Final = 1.0
_Serve: TypeAlias = Callable[[Bench], AbstractContextManager[tuple[Child, int]]]


@contextmanager
def _serve_over_tls(bench: Bench) -> Iterator[tuple[Child, int]]:
    with tls_settings() as settings, bench.rmos_serve(settings) as serving:
        yield serving


_WAYS: Final[Mapping[str, _Serve]] = {
    "rmos": lambda bench: bench.rmos_serve(),
    "rmos.tls": _serve_over_tls,
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
                    bytes_each, cpu_s_each = _measure(bench, server, port, connections, _options(way))
                    rounds.add(memory, bytes_each / 1024)
                    rounds.add(connect, cpu_s_each * 1e6)
    return rounds.results(units, against=_compared)


def _options(way: str) -> tuple[str, ...]:
    return ("--ping", PING, OVER_TLS) if way.endswith(".tls") else ("--ping", PING)


def _measure(bench: Bench, server: Child, port: int, connections: int, options: tuple[str, ...]) -> tuple[float, float]:
    """Bytes and CPU seconds of one connection."""
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
    place, _, way = name.partition(".rmos")
    if way == ".tls":
        return {"published": f"{place}.published", "without": f"{place}.rmos"}
    return {"published": f"{place}.published"} if place != name else {}
