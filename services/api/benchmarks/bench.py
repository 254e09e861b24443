"""What every suite works with: the plan of this run, the cores, and ways to start what is measured."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from benchmarks import events
from benchmarks.native import Receiver, compile_native
from benchmarks.peers import Peer
from benchmarks.processes import Child, ChildError

_START_TIMEOUT_S: Final = 60.0
_FILL_TIMEOUT_S: Final = 600.0
PING: Final = '{"action":"ping"}'
ALL: Final = (("all",),)
ALL_OF_THE_PAST: Final = '{"action":"subscribe","v":2,"filters":["all"],"from_time":"2000-01-01T00:00:00Z"}'
_GROWTH: Final[Mapping[str, Sequence[int]]] = {
    "subscribers": (100, 300, 1_000, 3_000, 5_000),
    "filters": (1, 10, 100, 1_000),
    "history": (1_000, 30_000, 300_000),
    "idle": (10, 100, 1_000, 5_000),
}
_FILL_BATCH: Final = 1_000

RMOS_SETTINGS: Final = {
    "RMOS_METRICS_INTERVAL_S": "3600",  # a snapshot between two events would be counted as fan-out
    "RMOS_LOG_LEVEL": "warning",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Attributes:
        rounds: How often everything is repeated; figures are medians.
        fan_out_s: Measured time of one fan-out figure.
        steady_s: Length of the steady load.
        writes_s: Measured time of one figure of writing.
        subscribers: Connections in fan-out and steady load.
        idle: Numbers of connections at which memory is measured.
        jobs: Numbers of job logs over which figures are asked for.
        replay_events: Length of the log that one client is sent.
        growth: Sizes at which the cost of an event is measured, by what grows.
    """

    rounds: int = 3
    fan_out_s: float = 1.2
    steady_s: float = 21.0
    writes_s: float = 3.0
    subscribers: int = 1000
    idle: tuple[int, ...] = (1000, 5000)
    jobs: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    replay_events: int = 500_000
    growth: dict[str, Sequence[int]] = field(default_factory=lambda: dict(_GROWTH))

    @classmethod
    def quick(cls) -> Self:
        """A look in about a minute; too short for figures to be quoted."""
        return cls(
            rounds=1,
            fan_out_s=0.2,
            steady_s=3.0,
            writes_s=0.5,
            idle=(1000,),
            jobs=(1_000, 10_000),
            replay_events=50_000,
            growth={what: sizes[:2] for what, sizes in _GROWTH.items()},
        )


def fill_log(server: Child, count: int) -> int:
    """Write at least so many events to the log of a `shop-log` server. Returns how many those were."""
    server.tell(f"fill {count} {_FILL_BATCH}")
    written: int = server.hear_json(timeout_s=_FILL_TIMEOUT_S)["events"]
    return written


@dataclass(frozen=True, slots=True)
class Bench:
    """The plan, and the cores of the server and of the load (None: not pinned)."""

    plan: Plan
    server_core: int | None
    load_core: int | None

    @contextmanager
    def server(self, name: str, settings: Mapping[str, str] | None = None) -> Iterator[tuple[Child, int]]:
        """One of `benchmarks.servers`, and its port."""
        with tempfile.TemporaryDirectory(prefix="rmos-bench-") as folder:
            environment = {**RMOS_SETTINGS, "RMOS_DATA": folder, **(settings or {})}
            command = [sys.executable, "-m", "benchmarks.servers", name]
            with Child(command, core=self.server_core, environment=environment) as server:
                yield server, server.hear_json(timeout_s=_START_TIMEOUT_S)["port"]

    @contextmanager
    def rmos_serve(self, settings: Mapping[str, str] | None = None) -> Iterator[tuple[Child, int]]:
        """The real `rmos serve` with an empty shop, and its port."""
        with tempfile.TemporaryDirectory(prefix="rmos-bench-") as folder:
            environment = {**RMOS_SETTINGS, "RMOS_DATA": folder, **(settings or {})}
            command = [str(Path(sys.executable).with_name("rmos")), "serve", "--port", "0"]
            with Child(command, core=self.server_core, environment=environment) as server:
                yield server, int(server.hear(timeout_s=_START_TIMEOUT_S).rpartition(":")[2])

    @contextmanager
    def send_loop(self, connections: int) -> Iterator[tuple[Child, int]]:
        """The native reference, and its port."""
        command = [compile_native("send_loop"), "--connections", str(connections)]
        command += ["--head", events.HEAD, "--tail", events.TAIL]
        with Child(command, core=self.server_core) as server:
            yield server, server.hear_json(timeout_s=_START_TIMEOUT_S)["port"]

    @contextmanager
    def peer(self, peer: Peer) -> Iterator[tuple[Child, int]]:
        """A competitor that is not ours, and its port.

        Raises:
            NotMeasuredError: it is not installed.
        """
        with Child(peer.command(), core=self.server_core) as server:
            yield server, server.hear_json(timeout_s=_START_TIMEOUT_S)["port"]

    @contextmanager
    def subscribers(
        self,
        port: int,
        connections: int,
        filters: Sequence[Sequence[str]] = ALL,
        *,
        options: Sequence[str] = (),
    ) -> Iterator[Receiver]:
        """That many connections, every one of them subscribed."""
        commands = [json.dumps({"action": "subscribe", "filters": list(names)}) for names in filters]
        given = [word for command in commands for word in ("--subscribe", command)]
        with self.receiver(port, connections, [*given, *options]) as receiver:
            yield receiver

    @contextmanager
    def receiver(self, port: int, connections: int, options: Sequence[str]) -> Iterator[Receiver]:
        """That many connections, subscribed as the options of native/receiver.c say."""
        with Receiver(port, connections, core=self.load_core, options=options) as receiver:
            receiver.wait_until_ready()
            yield receiver

    def post(self, port: int, path: str, body: Path, *, callers: int, rate: float = 0) -> dict[str, Any]:  # Any: JSON
        """Post the file from so many callers for the planned time, `rate` a second or as fast as they are answered.

        Raises:
            ChildError: a request was refused or not answered.
        """
        command = [compile_native("poster"), "--port", str(port), "--path", path, "--body", str(body)]
        command += ["--callers", str(callers), "--seconds", str(self.plan.writes_s), "--rate", str(rate)]
        with Child(command, core=self.load_core) as poster:
            said = poster.hear_json(timeout_s=self.plan.writes_s + 15)
            if said["refused"]:
                raise ChildError(f"{said['refused']} requests to {path} were refused")
            return said
