"""Runs a message broker in a process of its own and publishes to it, as `driving` commands.

The broker's processor time counts, the publisher's does not. A batch goes to it in one piece, and the next one when a
subscriber of our own, one more than there are, has all of this one.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from benchmarks.servers.driving import obey, say

SYSTEM_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where brokers are, also for who is not root."""
_START_TIMEOUT_S: Final = 10.0
_DELIVERY_TIMEOUT_S: Final = 10.0
_STILL_S: Final = 0.02
"""Who has used no processor time for so long has done all it was given."""


@dataclass(frozen=True, slots=True)
class Broker:
    """What is special about one.

    Attributes:
        program: Its executable.
        arguments: What it is started with, by the path of its configuration.
        config: Its configuration, by the port for subscribers, the port for the publisher, and a folder of its own.
        subscription: What a subscriber sends first; empty when connecting is enough.
        greeting: What the publisher sends first.
        pack: The bytes by which one text is published.
        path, subprotocol: Of its WebSocket.
    """

    program: str
    arguments: Callable[[Path], list[str]]
    config: Callable[[int, int, Path], str]
    subscription: bytes
    greeting: bytes
    pack: Callable[[str], bytes]
    path: str = "/"
    subprotocol: str | None = None


def run(broker: Broker) -> None:
    """Run the broker until stdin ends or SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    program = shutil.which(broker.program, path=SYSTEM_PATH)
    if program is None:
        sys.exit(f"{broker.program} is not installed")
    port, publisher_port = _free_ports()
    with tempfile.TemporaryDirectory(prefix="rmos-bench-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)  # some brokers give up root, and must still read it
        config = folder / "config"
        config.write_text(broker.config(port, publisher_port, folder))
        process = subprocess.Popen([program, *broker.arguments(config)], stdout=sys.stderr)  # noqa: S603  # a constant command
        stack.callback(process.wait)
        stack.callback(process.terminate)
        publisher = stack.enter_context(_connect(publisher_port))
        publisher.sendall(broker.greeting)
        watcher = stack.enter_context(_subscribe(broker, port))
        say({"port": port})

        async def publish(texts: list[str]) -> None:
            with contextlib.suppress(BlockingIOError):
                publisher.recv(1 << 20, socket.MSG_DONTWAIT)  # its answers, which nobody needs
            publisher.sendall(b"".join(map(broker.pack, texts)))
            seen = 0
            while seen < len(texts):
                message = watcher.recv(_DELIVERY_TIMEOUT_S)
                seen += (message.encode() if isinstance(message, str) else message).count(b'"data":{"seq":')

        asyncio.run(obey(publish, cpu_ns=lambda: _cpu_when_still_ns(process.pid)))


def _subscribe(broker: Broker, port: int) -> ClientConnection:
    _connect(port).close()
    watcher = connect(
        f"ws://127.0.0.1:{port}{broker.path}",
        subprotocols=[Subprotocol(broker.subprotocol)] if broker.subprotocol else None,
        compression=None,
        max_queue=None,
    )
    if broker.subscription:
        watcher.send(broker.subscription)
    return watcher


def _connect(port: int) -> socket.socket:
    """A connection as soon as somebody listens there."""
    until = time.monotonic() + _START_TIMEOUT_S
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def _free_ports() -> tuple[int, int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


def _cpu_when_still_ns(pid: int) -> int:
    """Processor time of a process, all threads, once it has nothing more to do."""
    clock = ~pid << 3 | 2  # CLOCK_PROCESS_CPUTIME_ID of another process, as Linux numbers them
    now = time.clock_gettime_ns(clock)
    while True:
        time.sleep(_STILL_S)
        before, now = now, time.clock_gettime_ns(clock)
        if now == before:
            return now
