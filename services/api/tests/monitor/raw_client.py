"""A WebSocket client of raw bytes, for what well-behaved libraries refuse to send."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

import orjson

TIMEOUT_S: Final = 10.0
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
END: Final = -1
"""In place of an opcode: the server has closed the TCP connection."""

_MASK: Final = b"\x11\x22\x33\x44"


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, is_masked: bool = True, reserved: int = 0) -> bytes:
    """A client frame, as wrong as wanted."""
    head = bytes([fin << 7 | reserved << 4 | opcode])
    length, mask_bit = len(payload), 0x80 if is_masked else 0
    if length < 126:
        head += bytes([mask_bit | length])
    elif length < 65_536:
        head += bytes([mask_bit | 126]) + length.to_bytes(2, "big")
    else:
        head += bytes([mask_bit | 127]) + length.to_bytes(8, "big")
    if not is_masked:
        return head + payload
    return head + _MASK + bytes(byte ^ _MASK[i % 4] for i, byte in enumerate(payload))


class RawClient:
    """One connection. Every wait ends after `TIMEOUT_S`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, response: str) -> None:
        self.reader = reader
        self.writer = writer
        self.response = response

    @classmethod
    async def open(cls, port: int, *, query: str = "", headers: dict[str, str] | None = None) -> RawClient:
        """Shake hands; the server must accept."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        lines = [
            f"GET /ws/monitor{query} HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
            *[f"{name}: {value}" for name, value in (headers or {}).items()],
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        async with asyncio.timeout(TIMEOUT_S):
            response = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        assert response.startswith("HTTP/1.1 101"), response
        assert "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in response, "RFC 6455, 1.3"
        return cls(reader, writer, response)

    def send(self, *frames: bytes) -> None:
        """Send these bytes at once."""
        self.writer.write(b"".join(frames))

    def say(self, command: object) -> None:
        """Send a command."""
        self.send(frame(TEXT, orjson.dumps(command)))

    async def receive(self) -> tuple[int, bytes]:
        """The next frame: opcode and payload; `END` when the connection is closed."""
        async with asyncio.timeout(TIMEOUT_S):
            try:
                first, second = await self.reader.readexactly(2)
                assert not second & 0x80, "server frames are not masked"
                length = second & 0x7F
                if length >= 126:
                    length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8), "big")
                return first & 0x0F, await self.reader.readexactly(length)
            except (asyncio.IncompleteReadError, ConnectionError):
                return END, b""

    async def message(self, wanted: str | None = None) -> dict[str, Any]:
        """The next text frame; of this type, when one is named (others are passed over)."""
        while True:
            opcode, payload = await self.receive()
            assert opcode in (TEXT, PING), f"expected {wanted or 'a message'}, got {opcode} {payload!r}"
            if opcode == PING:
                self.send(frame(PONG, payload))
                continue
            message: dict[str, Any] = orjson.loads(payload)
            if wanted is None or message["type"] == wanted:
                return message

    async def subscribed(self, **keys: Any) -> dict[str, Any]:
        """Subscribe and return the data of the answer."""
        self.say({"action": "subscribe", **keys})
        data: dict[str, Any] = (await self.message("system:subscribed"))["data"]
        return data

    async def is_usable(self) -> bool:
        """Whether a ping is answered."""
        self.say({"action": "ping"})
        return (await self.message("system:pong"))["data"] == {}

    async def closed(self) -> tuple[int, list[dict[str, Any]]]:
        """Wait for the close frame: its code (0 when it has none), and the messages before it. Then for the end."""
        before: list[dict[str, Any]] = []
        while True:
            opcode, payload = await self.receive()
            if opcode == TEXT:
                before.append(orjson.loads(payload))
            elif opcode == CLOSE:
                break
            assert opcode != END, "closed without a close frame"
        self.send(frame(CLOSE, payload[:2]))
        while (await self.receive())[0] != END:
            pass
        return int.from_bytes(payload[:2], "big"), before

    async def cut(self) -> None:
        """Cut the connection, as a pulled cable does."""
        self.writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()
