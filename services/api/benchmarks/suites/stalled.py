"""One client that reads nothing: what the others notice of it.

1,000 subscribers are told of 100 durable events a second, in one half of a round with one more client that asked for
all of the past, takes what its socket holds, and then reads no more; `GET /connections` confirms that it is stalled.
The published way is not run: it awaits each client in turn, so one that stalls stops everybody.
"""

from __future__ import annotations

import http.client
import json
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Final

from benchmarks.bench import ALL_OF_THE_PAST, Bench, fill_log
from benchmarks.figures import NotMeasuredError, Result, Rounds
from benchmarks.native import Latency
from benchmarks.stamps import create_stamps
from benchmarks.suites.steady import take_steady

_PAST_EVENTS: Final = 40_000
"""About 16 MB: more than any socket holds."""
_UNITS: Final = {
    "stalled.without.p50": "ms",
    "stalled.with.p50": "ms",
    "stalled.without.p99": "ms",
    "stalled.with.p99": "ms",
}
_STALL_TIMEOUT_S: Final = 10.0


def run(bench: Bench) -> list[Result]:
    """Measure both halves of every round, on one server each."""
    rounds = Rounds()
    for _ in range(bench.plan.rounds):
        with rounds.attempt(*_UNITS):
            for half in ("without", "with"):
                latency = _measure(bench, has_stalled=half == "with")
                rounds.add(f"stalled.{half}.p50", latency.p50_ms)
                rounds.add(f"stalled.{half}.p99", latency.p99_ms)
    return rounds.results(
        _UNITS, against=lambda name: {"without": name.replace(".with.", ".without.")} if ".with." in name else {}
    )


def _measure(bench: Bench, *, has_stalled: bool) -> Latency:
    with (
        tempfile.NamedTemporaryFile(prefix="rmos-bench-") as stamps,
        bench.server("shop-log", {"RMOS_STALL_TIMEOUT_S": "3600"}) as (server, port),
    ):
        create_stamps(Path(stamps.name))
        fill_log(server, _PAST_EVENTS)
        with (
            _stalled_client(port) if has_stalled else nullcontext(),
            bench.subscribers(port, bench.plan.subscribers, options=("--stamps", stamps.name)) as receiver,
        ):
            return take_steady(bench, server, receiver, bench.plan.steady_s / 2, stamps.name).since_first


@contextmanager
def _stalled_client(port: int) -> Iterator[None]:
    """A client that has stalled, while it lasts."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", port))
        client.sendall(
            b"GET /ws/monitor HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        client.recv(1024)
        command = ALL_OF_THE_PAST.encode()  # masked with zeros, which leaves it as it is
        client.sendall(b"\x81" + bytes([0x80 | len(command)]) + bytes(4) + command)
        _wait_until_stalled(port)
        yield
        if not _is_stalled(port):
            raise NotMeasuredError("the client that should be stalled is not")


def _wait_until_stalled(port: int) -> None:
    until = time.monotonic() + _STALL_TIMEOUT_S
    while not _is_stalled(port):
        if time.monotonic() > until:
            raise NotMeasuredError("the client that should stall does not")
        time.sleep(0.1)


def _is_stalled(port: int) -> bool:
    """Whether the server says that it waits for its oldest client to read."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/api/rmos/monitor/connections")
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return any(one["is_paused"] and one["lag"] for one in answer["connections"][:1])
