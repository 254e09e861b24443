"""The native parts: compiled on demand, started, and asked.

They are C because an interpreter at the receiving end would be what is measured: one core of Python takes in fewer
messages than one core of the hub gives out.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.figures import NotMeasuredError
from benchmarks.processes import Child

_SOURCES: Final = Path(__file__).parent / "native"
_WITH_TLS: Final = ("-DWITH_TLS", "-lssl", "-lcrypto")
_TLS_HEADER: Final = "openssl/err.h"
_BUILT: Final = Path(__file__).parent / "build"
OVER_TLS: Final = "--tls"
"""The option of native/receiver.c that only a program with OpenSSL has."""
_READY_TIMEOUT_S: Final = 60.0
_TAKE_TIMEOUT_S: Final = 15.0


class NoCompilerError(NotMeasuredError):
    """There is nothing here to build the native parts with; the message says what is needed."""


def compile_native(name: str, *, with_tls: bool = False) -> str:
    """The path of a native program, built if its sources are newer.

    Args:
        with_tls: Built with OpenSSL, beside the program without: that one needs no more than a compiler.

    Raises:
        NoCompilerError: no C compiler that can build it, no OpenSSL to build it with, or not Linux.
    """
    if sys.platform != "linux":
        raise NoCompilerError("the native receiver uses epoll, which only Linux has")
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise NoCompilerError("no C compiler (cc, gcc or clang) is installed, and the native receiver is built by one")
    built = _BUILT / (f"{name}-tls" if with_tls else name)
    sources = [_SOURCES / f"{name}.c", *_SOURCES.glob("*.h")]
    if not built.exists() or built.stat().st_mtime < max(source.stat().st_mtime for source in sources):
        _BUILT.mkdir(exist_ok=True)
        command = [compiler, "-O2", "-std=gnu11", "-Wall", "-Wextra", "-o", str(built), str(sources[0])]
        command += _WITH_TLS if with_tls else ()
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)  # noqa: S603  # our own sources
        if done.returncode:
            if _TLS_HEADER in done.stderr:
                raise NoCompilerError(
                    "the headers of OpenSSL (libssl-dev) are not installed; TLS is received with them"
                )
            raise NoCompilerError(f"{compiler} cannot build {name}: {done.stderr.strip()[-1000:]}")
    return str(built)


@dataclass(frozen=True, slots=True)
class Latency:
    """How long deliveries took, in milliseconds."""

    count: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float

    @classmethod
    def of(cls, said: dict[str, int]) -> Latency:
        """From a native histogram."""
        return cls(said["count"], *(said[name] / 1e6 for name in ("p50_ns", "p90_ns", "p99_ns", "max_ns")))


@dataclass(frozen=True, slots=True)
class Taken:
    """What the receiver counted since it was last asked.

    Attributes:
        events: Messages that are events made by a driver, all connections together.
        others: All other messages: answers, snapshots, events of real entities.
        least, most: Events of the connection that got fewest, and most.
        disorder: Events whose number was not above the one before on the same connection.
        closed: Connections that ended.
        wall_s: How long that was.
        busy: Share of the time in which it was at work: near 1, it would be what is measured.
        cpu: Processor time per second; 1 when it polls without sleeping.
        since_first, since_second: Time since the two stamps of an event.
    """

    events: int
    others: int
    least: int
    most: int
    disorder: int
    closed: int
    bytes: int
    wall_s: float
    busy: float
    cpu: float
    since_first: Latency
    since_second: Latency

    @classmethod
    def of(cls, said: dict[str, Any]) -> Taken:  # Any: a JSON object
        """From what the receiver says."""
        return cls(
            **{name: said[name] for name in ("events", "others", "least", "most", "disorder", "closed", "bytes")},
            wall_s=said["wall_ns"] / 1e9,
            busy=said["busy_ns"] / said["wall_ns"],
            cpu=said["cpu_ns"] / said["wall_ns"],
            since_first=Latency.of(said["first"]),
            since_second=Latency.of(said["second"]),
        )


class Receiver(Child):
    """Many subscribers in one native process."""

    def __init__(
        self,
        port: int,
        connections: int,
        *,
        core: int | None,
        options: Sequence[str],
    ) -> None:
        """
        Args:
            options: Further options of native/receiver.c; how to subscribe is one of them.
        """
        program = compile_native("receiver", with_tls=OVER_TLS in options)
        command = [program, "--port", str(port), "--connections", str(connections), *options]
        super().__init__(command, core=core)

    def wait_until_ready(self) -> None:
        """Until every connection was answered."""
        self.hear_json(timeout_s=_READY_TIMEOUT_S)

    def take(self, events: int = 0) -> Taken:
        """What it counted since the last time, once it has `events` events, or after 10 s."""
        self.tell(f"take {events}")
        return Taken.of(self.hear_json(timeout_s=_TAKE_TIMEOUT_S))

    def lag(self) -> int:
        """Events by which the slowest connection is behind the newest stamped one."""
        self.tell("lag")
        lag: int = self.hear_json(timeout_s=_TAKE_TIMEOUT_S)["lag"]
        return lag
