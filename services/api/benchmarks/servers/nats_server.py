"""nats-server: core NATS over WebSockets, without compression."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benchmarks.servers.broker import Broker

SUBSCRIBED: Final = b"+OK"


def _pack(text: str) -> bytes:
    data = text.encode()
    return b"PUB t %d\r\n%b\r\n" % (len(data), data)


def _config(port: int, publisher_port: int, _: Path) -> str:
    return f"""
listen: "127.0.0.1:{publisher_port}"
ping_interval: "1h"
websocket {{ listen: "127.0.0.1:{port}", no_tls: true }}
"""


BROKER: Final = Broker(
    program="nats-server",
    arguments=lambda config: ["-c", str(config)],
    config=_config,
    subscription=b'CONNECT {"verbose":true}\r\nSUB t 1\r\n',
    greeting=b'CONNECT {"verbose":false}\r\n',
    pack=_pack,
)
