"""The competitors that are not part of RMOS: how each is started, and how one subscribes to it.

What `make bench-deps` installs lies beside this file: Python packages in an environment of their own (`.deps`), Node
packages in `servers/node`. Brokers are the system's. What is missing is named in the output, and nothing else.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from benchmarks import events
from benchmarks.figures import NotMeasuredError
from benchmarks.servers import mosquitto, nats_server, nchan
from benchmarks.servers.broker import SYSTEM_PATH, Broker

_HERE: Final = Path(__file__).parent
DEPS: Final = _HERE / ".deps"
"""The environment that `make bench-deps` makes."""
_NODE: Final = _HERE / "servers" / "node"
_INSTALL: Final = "make bench-deps installs it"
_SUBSCRIBE: Final = ("--subscribe", json.dumps({"action": "subscribe", "filters": ["all"]}))


@dataclass(frozen=True, slots=True)
class Peer:
    """One competitor.

    Attributes:
        command: What starts it; raises NotMeasuredError where it is not installed.
        receiver: Options of native/receiver.c by which one subscribes to it.
        in_delay: Whether its delays are measured: it can stamp its events (see `stamps`) and deliver enough of them.
    """

    name: str
    command: Callable[[], list[str]]
    receiver: Sequence[str] = _SUBSCRIBE
    in_delay: bool = True


def _ours(server: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks.servers", server]


def _apart(server: str) -> list[str]:
    """A server of the environment that `make bench-deps` makes."""
    if not list(DEPS.glob(f"lib/python*/site-packages/{server}")):
        raise NotMeasuredError(f"{server} is not installed; {_INSTALL}")
    return [str(DEPS / "bin" / "python"), "-m", "benchmarks.servers", server]


def _node(script: str, package: str, *options: str) -> list[str]:
    node = shutil.which("node")
    if node is None or not (_NODE / "node_modules" / package).is_dir():
        raise NotMeasuredError(f"node with {package} is not installed; {_INSTALL}")
    return [node, str(_NODE / script), events.HEAD, events.TAIL, *options]


def _broker(name: str, broker: Broker, answer: bytes, *, module: str | None = None) -> Peer:
    def command() -> list[str]:
        if shutil.which(broker.program, path=SYSTEM_PATH) is None or (module and not Path(module).exists()):
            raise NotMeasuredError(f"{name} is not installed; {_INSTALL}")
        return _ours(name)

    options = ["--scan", "--answer", os.fsdecode(answer), "--path", broker.path]
    if broker.subprotocol:
        options += ["--header", f"Sec-WebSocket-Protocol: {broker.subprotocol}"]
    if broker.subscription:
        options += ["--subscribe-hex", broker.subscription.hex()]
    return Peer(name, command, options)


PEERS: Final = (
    Peer("socketify", lambda: _apart("socketify")),
    Peer("websockets", lambda: _ours("websockets")),
    Peer("granian", lambda: _apart("granian"), in_delay=False),
    Peer("ws", lambda: _node("ws.mjs", "ws", "each"), in_delay=False),
    Peer("ws.prepared", lambda: _node("ws.mjs", "ws", "prepared"), in_delay=False),
    Peer(
        "socket.io",
        lambda: _node("socketio.mjs", "socket.io"),
        ("--scan", "--answer", "40{", "--path", "/socket.io/?EIO=4&transport=websocket", "--subscribe", "40"),
        in_delay=False,
    ),
    _broker("mosquitto", mosquitto.BROKER, mosquitto.SUBSCRIBED),
    _broker("nats-server", nats_server.BROKER, nats_server.SUBSCRIBED),
    _broker("nchan", nchan.BROKER, nchan.SUBSCRIBED, module=nchan.MODULE),
)


def describe_peers() -> Mapping[str, str]:
    """Versions of what is installed of them."""
    versions = {
        found.name: found.version
        for found in metadata.distributions(path=[str(path) for path in DEPS.glob("lib/python*/site-packages")])
        if found.name in ("socketify", "granian")
    }
    for package in ("ws", "socket.io"):
        about = _NODE / "node_modules" / package / "package.json"
        if about.exists():
            versions[package] = json.loads(about.read_text(encoding="utf-8"))["version"]
    for name, command in (
        ("node", ("node", "--version")),
        ("mosquitto", ("mosquitto", "-h")),
        ("nats-server", ("nats-server", "-v")),
        ("nginx", ("nginx", "-v")),
    ):
        if (said := _first_line(*command)) is not None:
            versions[name] = said.rpartition(" ")[2].removeprefix("nginx/").removeprefix("v")
    return versions


def _first_line(program: str, option: str) -> str | None:
    path = shutil.which(program) or shutil.which(program, path=SYSTEM_PATH)
    if path is None:
        return None
    done = subprocess.run([path, option], capture_output=True, text=True, timeout=10)  # noqa: S603  # asks for a version
    return next(iter((done.stdout + done.stderr).splitlines()), None)
