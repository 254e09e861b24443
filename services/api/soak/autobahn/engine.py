"""Plays one case against an echo: sends raw octets, hears what comes back, and judges it as Autobahn does.

Stricter in one thing: an ending that is unclean, has a wrong code or comes from the wrong side is a failure here, where
Autobahn only notes it beside the result.
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Final, TypeAlias

from websockets.exceptions import ProtocolError
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader
from websockets.utils import accept_key

from soak.listener import client_frame

PATIENCE_S: Final = 60.0
"""For one case; only a server that hangs takes it."""
FAIL_FAST_S: Final = 0.5
"""How long a case waits for a server that might refuse half a message."""
NORMAL, PROTOCOL_ERROR, INVALID_TEXT = 1000, 1002, 1007
_NAMES: Final = {Opcode.TEXT: "text", Opcode.BINARY: "binary", Opcode.PING: "ping", Opcode.PONG: "pong"}


class Verdict(StrEnum):
    """What a case comes to, in Autobahn's words."""

    OK = "OK"
    NON_STRICT = "NON-STRICT"
    INFORMATIONAL = "INFORMATIONAL"
    FAILED = "FAILED"


Event: TypeAlias = tuple[str, bytes]
"""`text`, `binary`, `ping` or `pong` with its payload; `timeout` with its name."""


@dataclass(frozen=True, slots=True)
class Hear:
    """Go on when so many events came."""

    events: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Give the server time to fail the connection. That it did not is an event, with this name."""

    name: bytes


Step: TypeAlias = bytes | Hear | Wait
"""Bytes are written at once; the server can read them before the next step."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How the connection must end.

    Attributes:
        by_client: Whether this side begins the closing handshake.
        codes: What the server's close frame may say; it may also say nothing.
        must_be_clean: Whether a dropped connection is wrong.
    """

    by_client: bool
    codes: frozenset[int]
    must_be_clean: bool


CLEAN: Final = Ending(by_client=True, codes=frozenset({NORMAL}), must_be_clean=True)
REFUSED: Final = Ending(by_client=False, codes=frozenset({PROTOCOL_ERROR}), must_be_clean=False)
NOT_TEXT: Final = Ending(by_client=False, codes=frozenset({INVALID_TEXT}), must_be_clean=False)


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Attributes:
        number: As Autobahn has it.
        name: What is sent.
        steps: Makes what is sent.
        strict: What has to be heard.
        lax: What may be heard instead, which the standard allows.
        closes_itself: Whether a close frame is among the steps; otherwise one follows when all was heard.
        is_informational: Whether the standard leaves open what comes of it.
        is_large: Whether it needs an echo with raised limits.
    """

    number: str
    name: str
    steps: Callable[[], Iterable[Step]]
    strict: tuple[Event, ...] = ()
    lax: tuple[Event, ...] | None = None
    ending: Ending = CLEAN
    closes_itself: bool = False
    is_informational: bool = False
    is_large: bool = False

    @property
    def allowed(self) -> list[tuple[Event, ...]]:
        """What may be heard."""
        return [self.strict] if self.lax is None else [self.strict, self.lax]


@dataclass(frozen=True, slots=True)
class Result:
    """What a case came to, and why when it failed."""

    case: Case
    verdict: Verdict
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.case.number} ({self.case.name}): {self.verdict}. {self.reason}"


@dataclass(slots=True)
class _Heard:
    """What came of a connection. `close_code` is 0 for a close frame without one, None before there is any."""

    events: list[Event] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    close_code: int | None = None
    was_closed_by_us: bool = False
    was_dropped: bool = False


class _Peer(asyncio.Protocol):
    """The client's side of one connection. It answers a close frame and nothing else."""

    def __init__(self) -> None:
        self.heard = _Heard()
        self.is_over = False
        self._transport: asyncio.Transport
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._stream = StreamReader()
        self._reader = self._read()
        self._is_open = self._has_closed = False

    async def open(self, port: int, path: str) -> None:
        """Connect, and shake hands."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_connection(lambda: self, "127.0.0.1", port)
        self._room.set()
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
        ]
        self._wanted_key = accept_key(key).encode()
        self._transport.write("\r\n".join([*lines, "", ""]).encode())
        await self.until(lambda: self._is_open)

    async def send(self, data: bytes) -> None:
        """Write, and let the server read."""
        self._transport.write(data)
        await asyncio.sleep(0)
        await self._room.wait()

    def close(self, payload: bytes) -> None:
        """Send a close frame, unless one was sent."""
        if not self._has_closed:
            self.sent_close()
            self._transport.write(client_frame(Opcode.CLOSE, payload))

    def sent_close(self) -> None:
        """A close frame is on its way."""
        self._has_closed = True
        self.heard.was_closed_by_us = self.heard.close_code is None

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for this, or the end."""
        while not (is_so() or self.is_over):
            self._news.clear()
            await self._news.wait()

    def is_ending(self) -> bool:
        """Whether the server has closed or dropped the connection."""
        return self.is_over or self.heard.close_code is not None

    def has_heard(self, events: int) -> bool:
        """Whether so many events came."""
        return len(self.heard.events) >= events

    def cut(self) -> None:
        """Drop the connection."""
        self._transport.abort()

    # --- the transport's side ---------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Bytes of the server."""
        self._stream.feed_data(data)
        try:
            next(self._reader, None)
        except ProtocolError as error:
            self.heard.faults.append(f"the server's frame is wrong: {error}")
            self._transport.abort()
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end."""
        self.heard.was_dropped = exc is not None
        self.is_over = True
        self._room.set()
        self._news.set()

    def pause_writing(self) -> None:
        """The server does not read as fast as this side writes."""
        self._room.clear()

    def resume_writing(self) -> None:
        """It does again."""
        self._room.set()

    def _read(self) -> Generator[None, None, None]:
        head = b""
        while line := (yield from self._stream.read_line(8192)).strip():
            head += line + b"\n"
        if b" 101 " not in head or self._wanted_key not in head:
            self.heard.faults.append(f"the server did not shake hands: {head!r}")
        self._is_open = True
        message: Frame | None = None
        while True:
            frame = yield from Frame.parse(self._stream.read_exact, mask=False, max_size=None)
            if self.heard.close_code is not None:
                self.heard.faults.append("a frame came after the close frame")
            if frame.opcode is Opcode.CLOSE:
                self.heard.close_code = int.from_bytes(frame.data[:2], "big")
                self.close(bytes(frame.data[:2]))
                continue
            if frame.opcode in (Opcode.PING, Opcode.PONG):
                self.heard.events.append((_NAMES[frame.opcode], bytes(frame.data)))
                continue
            if (frame.opcode is Opcode.CONT) != (message is not None):
                self.heard.faults.append("the server's fragments are out of order")
                return
            message = frame if message is None else Frame(message.opcode, bytes(message.data) + frame.data, frame.fin)
            if message.fin:
                self.heard.events.append((_NAMES[message.opcode], bytes(message.data)))
                message = None


async def run(case: Case, port: int, *, patience_s: float = PATIENCE_S) -> Result:
    """Play a case against the echo on this port."""
    peer = _Peer()
    try:
        async with asyncio.timeout(patience_s):
            await peer.open(port, "/large" if case.is_large else "/")
            await _play(case, peer)
    except TimeoutError:
        peer.heard.faults.append(f"not over after {patience_s:g} s")
    finally:
        peer.cut()
    return _judged(case, peer.heard)


async def run_all(cases: Iterable[Case], port: int, *, at_once: int) -> list[Result]:
    """Play so many cases beside each other; the results in their order."""
    places = asyncio.Semaphore(at_once)

    async def one(case: Case) -> Result:
        async with places:
            return await run(case, port)

    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(one(case)) for case in cases]
    return [task.result() for task in running]


async def _play(case: Case, peer: _Peer) -> None:
    if case.closes_itself:
        peer.sent_close()
    for step in case.steps():
        if peer.is_ending():
            break
        match step:
            case Hear(events):
                await peer.until(partial(peer.has_heard, events))
            case Wait(name):
                await asyncio.sleep(FAIL_FAST_S)
                if not peer.is_ending():
                    peer.heard.events.append(("timeout", name))
            case data:
                await peer.send(data)
    if case.ending.by_client and not case.closes_itself:
        await peer.until(lambda: peer.heard.events == list(case.strict) or not _is_promising(case, peer.heard.events))
        peer.close(NORMAL.to_bytes(2, "big"))
    await peer.until(lambda: not _is_promising(case, peer.heard.events))


def _is_promising(case: Case, events: Sequence[Event]) -> bool:
    """Whether these may be the first of what may be heard. What was heard of an informational case is not asked."""
    return case.is_informational or any(list(wanted[: len(events)]) == list(events) for wanted in case.allowed)


def _judged(case: Case, heard: _Heard) -> Result:
    if heard.faults:
        return Result(case, Verdict.FAILED, "; ".join(heard.faults))
    if case.is_informational:
        return Result(case, Verdict.INFORMATIONAL, f"heard {_shown(heard.events)}, closed with {heard.close_code}")
    events = tuple(heard.events)
    if events not in case.allowed:
        return Result(case, Verdict.FAILED, f"heard {_shown(events)} instead of {_shown(case.strict)}")
    if (fault := _ending_fault(case.ending, heard)) is not None:
        return Result(case, Verdict.FAILED, fault)
    return Result(case, Verdict.OK if events == case.strict else Verdict.NON_STRICT)


def _ending_fault(wanted: Ending, heard: _Heard) -> str | None:
    if heard.was_closed_by_us != wanted.by_client:
        return f"closed by the {'client' if heard.was_closed_by_us else 'server'}"
    if wanted.must_be_clean and (heard.close_code is None or heard.was_dropped):
        return "the connection was dropped without a close frame"
    if heard.close_code and heard.close_code not in wanted.codes:
        return f"closed with {heard.close_code} instead of {sorted(wanted.codes)}"
    return None


def _shown(events: Iterable[Event]) -> str:
    shown = [f"{kind} {payload[:30]!r}{'…' if len(payload) > 30 else ''}" for kind, payload in events]
    return ", ".join(shown) or "nothing"
