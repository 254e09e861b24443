"""A WebSocket client that sees every byte, and can send what no decent client would.

It answers pings, checks that the server's frames have the form of RFC 6455, and keeps all text frames it has read.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from rules import Miss, expect, miss

WAIT_S: Final = 5.0
"""Longest wait for an answer that must come."""
TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
_ACCEPT: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

Frame = dict[str, Any]  # Any: JSON whose shape depends on its type


@dataclass(frozen=True, slots=True)
class Received:
    """One frame of the server as it came: its opcode and its payload."""

    opcode: int
    payload: bytes

    @property
    def code(self) -> int | None:
        """The code of a close frame."""
        return int.from_bytes(self.payload[:2], "big") if len(self.payload) >= 2 else None


class EndOfStreamError(Exception):
    """The server closed the TCP connection."""


def client_frame(opcode: int, payload: bytes, *, is_final: bool = True) -> bytes:
    """A masked frame, as clients must send it."""
    first, length, key = (0x80 if is_final else 0) | opcode, len(payload), os.urandom(4)
    if length < 126:
        head = bytes((first, 0x80 | length))
    elif length < 65_536:
        head = bytes((first, 0x80 | 126)) + struct.pack("!H", length)
    else:
        head = bytes((first, 0x80 | 127)) + struct.pack("!Q", length)
    return head + key + bytes(byte ^ key[i & 3] for i, byte in enumerate(payload))


class Socket:
    """One connection. Open it with `World.open`, which also closes it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        self._reader = reader
        self._writer = writer
        self._buffer = bytearray()
        self._frames: asyncio.Queue[Received | Miss | None] = asyncio.Queue()
        self._is_reading = asyncio.Event()
        self._is_reading.set()
        self.answers_pings = True
        lines = head.split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {n.strip().lower(): v.strip() for n, _, v in (line.partition(":") for line in lines[1:])}
        self.texts: list[str] = []
        """Every text frame read so far."""

    @classmethod
    async def connect(
        cls, url: str, *, subprotocols: Sequence[str] = (), headers: Mapping[str, str] | None = None
    ) -> Socket:
        """Shake hands. The answer's status is checked by who needs it; see `accepted`."""
        parts = urlsplit(url)
        host, port = parts.hostname or "127.0.0.1", parts.port or 80
        key = base64.b64encode(os.urandom(16))
        lines = {
            "Host": parts.netloc,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": key.decode(),
            "Sec-WebSocket-Version": "13",
            **({"Sec-WebSocket-Protocol": ", ".join(subprotocols)} if subprotocols else {}),
            **(headers or {}),
        }
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        request = f"GET {target} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in lines.items()) + "\r\n"
        async with asyncio.timeout(WAIT_S):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(request.encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        socket = cls(reader, writer, head.removesuffix("\r\n\r\n"))
        socket._pump = asyncio.create_task(socket._read_all())
        socket.wanted_accept = base64.b64encode(hashlib.sha1(key + _ACCEPT, usedforsecurity=False).digest()).decode()
        return socket

    wanted_accept: str = ""
    """What `Sec-WebSocket-Accept` must be."""
    _pump: asyncio.Task[None]

    @property
    def subprotocol(self) -> str | None:
        """What the server selected."""
        return self.headers.get("sec-websocket-protocol")

    def accepted(self) -> Socket:
        """Itself; a miss when the handshake was refused."""
        expect(self.status == 101, f"the handshake got {self.status}")
        return self

    # --- sending ----------------------------------------------------------------------------------------------

    def send_bytes(self, data: bytes) -> None:
        """Send raw bytes."""
        with contextlib.suppress(ConnectionError):
            self._writer.write(data)

    def send_text(self, *texts: str) -> None:
        """Send text messages, all in one write."""
        self.send_bytes(b"".join(client_frame(TEXT, text.encode()) for text in texts))

    def send(self, *commands: Mapping[str, object]) -> None:
        """Send commands, all in one write."""
        self.send_text(*(json.dumps(command) for command in commands))

    async def flushed(self) -> None:
        """Wait until the system has taken what was sent."""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(WAIT_S):
                await self._writer.drain()

    # --- receiving --------------------------------------------------------------------------------------------

    async def receive(self, wait_s: float = WAIT_S) -> Received:
        """The next frame of any kind.

        Raises:
            TimeoutError: none came in time.
            EndOfStreamError: the server closed the TCP connection.
        """
        async with asyncio.timeout(wait_s):
            frame = await self._frames.get()
        if frame is None:
            raise EndOfStreamError
        if isinstance(frame, Miss):
            raise frame
        if frame.opcode == TEXT:
            self.texts.append(frame.payload.decode())
        return frame

    def stall(self) -> None:
        """Read no more, until `resume`."""
        self._is_reading.clear()

    def resume(self) -> None:
        """Read on."""
        self._is_reading.set()

    async def _read_all(self) -> None:
        """Read and answer pings beside the check, which may be busy with another connection."""
        try:
            while data := await self._reader.read(262_144):
                self._buffer += data
                while (frame := self._take()) is not None:
                    if frame.opcode == PING and self.answers_pings:
                        self.send_bytes(client_frame(PONG, frame.payload))
                    self._frames.put_nowait(frame)
                await self._is_reading.wait()
        except Miss as broken:
            self._frames.put_nowait(broken)
        except ConnectionError:
            pass
        self._frames.put_nowait(None)

    async def next(self, wait_s: float = WAIT_S) -> Frame:
        """The next text frame, parsed; a close is a miss."""
        try:
            frame = await self._next_of_opcodes(TEXT, CLOSE, wait_s=wait_s)
        except EndOfStreamError:
            miss("the connection ended")
        if frame.opcode == CLOSE:
            miss(f"the connection was closed with {frame.code}")
        parsed: Frame = json.loads(frame.payload)
        return parsed

    async def _next_of_opcodes(self, *opcodes: int, wait_s: float) -> Received:
        """The next frame with one of these opcodes. Others, such as pings, do not prolong the wait."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_s
        while True:
            try:
                frame = await self.receive(max(0.0, deadline - loop.time()))
            except TimeoutError:
                miss(f"nothing came within {wait_s:g} s")
            if frame.opcode in opcodes:
                return frame

    async def next_of(self, *types: str, wait_s: float = WAIT_S) -> Frame:
        """The next frame of one of these types; heartbeats and snapshots that nobody asks for here are passed over."""
        while (frame := await self.next(wait_s))["type"] not in types:
            expect(
                frame["type"] in ("system:heartbeat", "metrics:snapshot"),
                f"{frame['type']} came instead of {' or '.join(types)}: {json.dumps(frame)[:200]}",
            )
        return frame

    async def ask(self, command: Mapping[str, object], answer: str) -> Frame:
        """Send a command and return its answer, e.g. `subscribed`."""
        self.send(command)
        return await self.next_of(f"system:{answer}")

    async def closed(self) -> Received:
        """Read to the close frame and answer it; a miss when the connection ends without one."""
        try:
            frame = await self._next_of_opcodes(CLOSE, wait_s=WAIT_S)
        except EndOfStreamError:
            miss("the connection ended without a close frame")
        self.send_bytes(client_frame(CLOSE, frame.payload[:2]))
        return frame

    async def ended(self) -> None:
        """Wait for the end of the TCP connection; a miss when anything but silence comes before it."""
        try:
            frame = await self.receive()
        except EndOfStreamError:
            return
        except TimeoutError:
            miss("the connection stays open after the close")
        miss(f"a frame with opcode {frame.opcode} came after the close")

    def close(self) -> None:
        """Cut the connection."""
        self._pump.cancel()
        self._writer.transport.abort()

    def _take(self) -> Received | None:
        """The frame at the head of the buffer, if it is all there."""
        data = self._buffer
        if len(data) < 2:
            return None
        expect(data[0] & 0x70 == 0, f"the server set reserved bits: first byte {data[0]:#04x}")
        expect(data[0] & 0x80, "the server fragmented a message")
        expect(not data[1] & 0x80, "the server masked a frame")
        length, start = data[1] & 0x7F, 2
        if length >= 126:
            size, least = (2, 126) if length == 126 else (8, 65_536)
            start += size
            if len(data) < start:
                return None
            length = int.from_bytes(data[2:start], "big")
            expect(length >= least, f"the server used {size} bytes for the length {length}")
        if len(data) < start + length:
            return None
        frame = Received(data[0] & 0x0F, bytes(data[start : start + length]))
        del data[: start + length]
        return frame
