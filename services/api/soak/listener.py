"""A client of the monitor as it should be: keeps its cursor, comes back with it, and writes down all that it heard.

Cheap enough for thousands in one process, and independent of the server's own code for the wire.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final
from zlib import crc32

import orjson

from soak.journal import Heard, Stretch

_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_AGAIN_S: Final = 0.05
_MASK: Final = b"\x11\x22\x33\x44"


def client_frame(opcode: int, payload: bytes, *, is_final: bool = True, reserved: int = 0) -> bytes:
    """A masked frame (RFC 6455). `reserved` are its three reserved bits, as a number."""
    length = len(payload)
    first = is_final << 7 | reserved << 4 | opcode
    if length < 126:
        head = bytes([first, 0x80 | length])
    elif length < 65_536:
        head = bytes([first, 0xFE]) + length.to_bytes(2, "big")
    else:
        head = bytes([first, 0xFF]) + length.to_bytes(8, "big")
    mask = int.from_bytes((_MASK * (length // 4 + 1))[:length], "big")
    return head + _MASK + (int.from_bytes(payload, "big") ^ mask).to_bytes(length, "big")


class Frames:
    """Cuts the bytes of a server into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def cut(self, data: bytes) -> list[tuple[int, bytes]]:
        """Opcode and payload of every frame that is complete now."""
        data = self._rest + data if self._rest else data
        found: list[tuple[int, bytes]] = []
        at, size = 0, len(data)
        while size - at >= 2:
            length, start = data[at + 1], at + 2
            if length >= 126:
                start += 2 if length == 126 else 8
                if size < start:
                    break
                length = int.from_bytes(data[at + 2 : start], "big")
            if size < start + length:
                break
            found.append((data[at] & 0x0F, data[start : start + length]))
            at = start + length
        self._rest = data[at:]
        return found


class Blocks:
    """Cuts the bytes of a stream of server-sent events into what frames of a WebSocket would be."""

    def __init__(self) -> None:
        self._rest = b""

    def cut(self, data: bytes) -> list[tuple[int, bytes]]:
        """The data of every event that is complete now, as text."""
        *blocks, self._rest = (self._rest + data).split(b"\n\n")
        lines = (
            [line.removeprefix(b"data: ") for line in block.split(b"\n") if line.startswith(b"data: ")]
            for block in blocks
        )
        return [(_TEXT, b"\n".join(of_it)) for of_it in lines if of_it]


class Listener(asyncio.Protocol):
    """One client, over any number of connections of WebSocket; `StreamListener` is its twin for server-sent events.

    Attributes:
        heard: Its journal.
        closings: Code of each `system:closing` it was sent.
        close_code: Of the newest close frame; 0 before one came, and when it has none.
        caught_up: How often it was told that its replay is over.
        on_event: Called with each new event, in order.
        token: What it comes in with, where everybody has to say who they are.
    """

    def __init__(self, heard: Heard, *, on_event: Callable[[dict[str, Any]], None] | None = None) -> None:
        self.heard = heard
        self.closings: list[int] = []
        self.close_code = 0
        self.caught_up = 0
        self.on_event = on_event
        self.token: str | None = None
        self.transport: asyncio.Transport | None = None
        self._is_greeted = False
        self._cutter: Frames | Blocks | None = None
        self._head = b""
        self._news: asyncio.Future[None] | None = None

    # --- for whoever runs it ----------------------------------------------------------------------------------

    async def connect(self, port: int, *, receive_buffer_bytes: int | None = None) -> None:
        """Connect, and subscribe: from the cursor where there is one.

        Args:
            receive_buffer_bytes: What the system holds for it at most; None for the usual megabytes.

        Raises:
            OSError: nobody listens there.
        """
        self._cutter, self._head, self._is_greeted = None, b"", False
        loop = asyncio.get_running_loop()
        connection = socket.socket()
        connection.setblocking(False)
        if receive_buffer_bytes is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        try:
            await loop.sock_connect(connection, ("127.0.0.1", port))
        except BaseException:
            connection.close()
            raise
        transport, _ = await loop.create_connection(lambda: self, sock=connection)
        credential = [] if self.token is None else [f"Authorization: Bearer {self.token}"]
        head = [f"GET {self._path()} HTTP/1.1", f"Host: 127.0.0.1:{port}", *credential, *self._headers()]
        transport.write("\r\n".join([*head, "", ""]).encode())

    async def come_again(self, port: int) -> None:
        """Have itself told everything behind its cursor, on a new connection where there is none.

        Raises:
            OSError: nobody listens there.
        """
        if self.transport is None:
            await self.connect(port)
        else:
            self.subscribe()

    @property
    def is_open(self) -> bool:
        """Whether there is a connection that was greeted."""
        return self.transport is not None and self._is_greeted

    @property
    def position(self) -> int:
        """Everything up to here was heard; -1 before the first answer."""
        return self.heard.stretches[-1].upto if self.heard.stretches else -1

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until the server's frames have made it so."""
        while not is_so():
            self._news = asyncio.get_running_loop().create_future()
            await self._news

    async def reach(self, offset: int) -> None:
        """Wait until it has heard everything up to there."""
        await self.until(lambda: self.position >= offset)

    def subscribe(self) -> None:
        """Subscribe as it does after connecting: from the cursor where there is one."""
        command: dict[str, Any] = {"action": "subscribe", "filters": self.heard.filters}
        if self.heard.channels is not None:
            command["channels"] = self.heard.channels
        if self.heard.cursor is not None:
            command["since"] = self.heard.cursor
        self.say(command)

    def say(self, command: object) -> None:
        """Send a command."""
        self.send(client_frame(_TEXT, orjson.dumps(command)))

    def send(self, data: bytes) -> None:
        """Send these bytes, whatever they are."""
        if self.transport is not None:
            self.transport.write(data)

    def pause(self) -> None:
        """Take nothing more of what the server sends."""
        if self.transport is not None:
            self.transport.pause_reading()

    def resume(self) -> None:
        """Take everything again."""
        if self.transport is not None:
            self.transport.resume_reading()

    def cut(self) -> None:
        """Cut the connection, as a pulled cable does."""
        if self.transport is not None:
            self.transport.abort()

    async def gone(self) -> None:
        """Wait for the end of the connection."""
        await self.until(lambda: self.transport is None)

    # --- the wire ---------------------------------------------------------------------------------------------

    _accepted = b"HTTP/1.1 101"
    _make_cutter: Callable[[], Frames | Blocks] = Frames

    def _path(self) -> str:
        return "/ws/monitor"

    def _headers(self) -> list[str]:
        return [
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: rmos.monitor.v2",
        ]

    # --- the transport's side ---------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The TCP connection is there."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # what TCP gives
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, whoever wanted it."""
        self.transport = None
        self._tell()

    def data_received(self, data: bytes) -> None:
        """Bytes of the server."""
        if self._cutter is None:
            head, end, data = (self._head + data).partition(b"\r\n\r\n")
            if not end:
                self._head = head
                return
            if not head.startswith(self._accepted):
                self.heard.broken.append(f"the handshake was answered with {head[:40]!r}")
                self.cut()
                return
            self._cutter = self._make_cutter()
        for opcode, payload in self._cutter.cut(data):
            if opcode == _TEXT:
                self._take(payload)
            elif opcode == _PING:
                self.send(client_frame(_PONG, payload))
            elif opcode == _CLOSE and self.transport is not None:
                self.close_code = int.from_bytes(payload[:2], "big")
                self.send(client_frame(_CLOSE, payload[:2]))
                self.transport.close()
        self._tell()

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    # --- what frames mean -------------------------------------------------------------------------------------

    def _take(self, payload: bytes) -> None:
        frame = orjson.loads(payload)
        if "offset" in frame:
            self._event(frame, payload)
        elif frame["type"].startswith("system:"):
            self._system(frame["type"].removeprefix("system:"), frame["data"])

    def _event(self, frame: dict[str, Any], payload: bytes) -> None:
        epoch, offset = frame["id"].rsplit(":", 1)
        stretch = self.heard.stretches[-1] if self.heard.stretches else None
        if stretch is None or stretch.epoch != epoch or int(offset) != frame["offset"]:
            self.heard.broken.append(f"event {frame['id']} came within {self.heard.cursor}")
            return
        stretch.offsets.append(frame["offset"])
        stretch.sums.append(crc32(payload))
        stretch.upto = max(stretch.upto, frame["offset"])
        if self.heard.state is not None and frame["key"] is not None:
            if frame["type"].endswith(":deleted"):
                self.heard.state.pop(frame["key"], None)
            else:
                self.heard.state[frame["key"]] = frame["data"]
        if self.on_event is not None:
            self.on_event(frame)

    def _system(self, name: str, data: dict[str, Any]) -> None:
        match name:
            case "connected":
                self.subscribe()
            case "subscribed":
                self._is_greeted = True
                self._begin(data)
            case "heartbeat" | "caught_up":
                self.caught_up += name == "caught_up"
                if self.heard.stretches:
                    self.heard.stretches[-1].upto = max(self.position, data["offset"])
            case "gap" if data["to"] <= self.position:
                pass  # it says in offsets what `recovered: false` has just said
            case "gap":
                self._lose(self.heard.stretches[-1].epoch, data["to"], f"gap: {data['reason']}")
            case "closing":
                self.closings.append(data["code"])
            case "error":
                self.heard.broken.append(f"its subscription was refused: {data['message']}")
            case _:
                pass

    def _begin(self, answer: dict[str, Any]) -> None:
        stretches = self.heard.stretches
        if not stretches:
            after = answer["offset"] if answer["replay"] is None else answer["replay"]["from"] - 1
            stretches.append(Stretch(answer["epoch"], after, after))
        elif answer["recovered"] is False:
            self._lose(answer["epoch"], answer["offset"], answer["reason"])
        elif answer["recovered"] is None or answer["epoch"] != stretches[-1].epoch:
            self.heard.broken.append(f"since {self.heard.cursor} was answered with {answer}")

    def _lose(self, epoch: str, after: int, because: str) -> None:
        self.heard.stretches.append(Stretch(epoch, after, after, because))
        self.heard.state = None  # it would have to be read anew


class StreamListener(Listener):
    """The same client over server-sent events, as a browser's EventSource is: it comes back with `Last-Event-ID`."""

    _accepted = b"HTTP/1.1 200"
    _make_cutter = Blocks

    def _path(self) -> str:
        channels = "" if self.heard.channels is None else f"&channels={','.join(self.heard.channels)}"
        return f"/sse/monitor?filters={','.join(self.heard.filters)}{channels}"

    def _headers(self) -> list[str]:
        came_to = [] if self.heard.cursor is None else [f"Last-Event-ID: {self.heard.cursor}"]
        return ["Accept: text/event-stream", "Connection: close", *came_to]

    async def come_again(self, port: int) -> None:
        """Always on a new connection: a stream cannot be asked."""
        self.cut()
        await self.gone()
        await self.connect(port)


async def catch_up(listeners: Sequence[Listener], port: int, head: int, *, timeout_s: float = 60.0) -> list[Listener]:
    """Bring everybody to the head, each from the cursor it has kept. Returns those that did not get there in time."""

    async def one(listener: Listener) -> None:
        while True:
            listener.caught_up = 0
            await listener.come_again(port)  # a narrow filter is told the head by the end of a replay
            await listener.until(
                lambda: (
                    listener.transport is None
                    or listener.caught_up > 0
                    or (listener.is_open and listener.position >= head)
                )
            )
            if listener.position >= head:
                return
            await asyncio.sleep(_AGAIN_S)

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s), asyncio.TaskGroup() as tasks:
            for listener in listeners:
                tasks.create_task(one(listener))
    return [listener for listener in listeners if listener.position < head]


async def hang_up(listeners: Sequence[Listener]) -> None:
    """End every connection."""
    for listener in listeners:
        listener.cut()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(listener.gone(), 5)
