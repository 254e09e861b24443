"""mosquitto: MQTT 3.1.1 over WebSockets, QoS 0."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benchmarks.servers.broker import Broker

_CONNECT: Final = bytes.fromhex("100c 0004 4d515454 04 02 0000 0000")
"""Version 4, clean session, no keep-alive, no name."""
_SUBSCRIBE: Final = bytes.fromhex("8206 0001 0001 74 00")
"""To the topic `t`."""
SUBSCRIBED: Final = b"\x90\x03"
"""How the answer to it begins."""


def _pack(text: str) -> bytes:
    """PUBLISH to the topic `t`."""
    body = b"\x00\x01t" + text.encode()
    length, rest = bytearray(), len(body)
    while rest >= 128:
        length.append(rest % 128 | 128)
        rest //= 128
    length.append(rest)
    return b"\x30" + bytes(length) + body


def _config(port: int, publisher_port: int, _: Path) -> str:
    return f"""
listener {publisher_port} 127.0.0.1
listener {port} 127.0.0.1
protocol websockets
allow_anonymous true
set_tcp_nodelay true
max_queued_messages 0
log_type error
"""


BROKER: Final = Broker(
    program="mosquitto",
    arguments=lambda config: ["-c", str(config)],
    config=_config,
    subscription=_CONNECT + _SUBSCRIBE,
    greeting=_CONNECT,
    pack=_pack,
    path="/mqtt",
    subprotocol="mqtt",
)
