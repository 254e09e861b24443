"""The native receiver: its counts are what every figure stands on."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.native import OVER_TLS, NoCompilerError, Receiver, Taken, compile_native
from benchmarks.processes import ChildError
from benchmarks.stamps import Stamps, create_stamps
from rmos.protocol.frames import PING, server_frame, text_frame
from tests.benchmarks.conftest import TlsSettings

CAN_BUILD = sys.platform == "linux" and any(shutil.which(name) for name in ("cc", "gcc", "clang"))
needs_compiler = pytest.mark.skipif(not CAN_BUILD, reason="the native receiver needs Linux and a C compiler")

SUBSCRIBED = text_frame(b'{"type":"system:subscribed","data":{},"timestamp":""}')
SUBSCRIBE = ("--subscribe", "subscribe")
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n"


def event(seq: int, *, padding: int = 300) -> bytes:
    return text_frame(b'{"type":"job:bench","data":{"seq":%d,"filler":"%b"}}' % (seq, b"x" * padding))


class ScriptedServer:
    """Answers handshakes and subscriptions. When told to go, it sends every connection the same bytes, in pieces."""

    def __init__(
        self, script: bytes, piece_bytes: int, *, greeting: bytes = b"", tls: ssl.SSLContext | None = None
    ) -> None:
        self.heard = b""
        self.has_heard = threading.Event()
        self._script = script
        self._piece_bytes = piece_bytes
        self._greeting = greeting
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._going = asyncio.Event()

    @contextmanager
    def serving(self) -> Iterator[int]:
        """Serve in a thread of its own, since the harness blocks. Gives the port."""
        thread = threading.Thread(target=self._loop.run_forever)
        thread.start()
        listening = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(5)
        try:
            yield listening.sockets[0].getsockname()[1]
        finally:
            asyncio.run_coroutine_threadsafe(self._stop(listening), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(5)
            self._loop.close()

    def go(self) -> None:
        """Send the script."""
        self._loop.call_soon_threadsafe(self._going.set)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)

    async def _stop(self, listening: asyncio.Server) -> None:
        listening.close()
        self._going.set()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait_for(asyncio.gather(*others), 5)  # they end when their clients have gone

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SWITCHING + self._greeting)
        await reader.readexactly(2 + 4 + len("subscribe"))
        writer.write(SUBSCRIBED)
        await self._going.wait()
        await asyncio.gather(self._play(writer), self._listen_to(reader))
        writer.close()

    async def _play(self, writer: asyncio.StreamWriter) -> None:
        for start in range(0, len(self._script), self._piece_bytes):
            writer.write(self._script[start : start + self._piece_bytes])
            await writer.drain()

    async def _listen_to(self, reader: asyncio.StreamReader) -> None:
        """Meanwhile, not at the end: a client that leaves early resets the connection, and takes its words along."""
        while data := await reader.read(4096):
            self.heard += data
            self.has_heard.set()


def receive(
    script: bytes,
    *,
    expected: int,
    piece_bytes: int,
    connections: int = 3,
    options: tuple[str, ...] = (),
    tls: ssl.SSLContext | None = None,
) -> Taken:
    server = ScriptedServer(script, piece_bytes, tls=tls)
    with (
        server.serving() as port,
        Receiver(port, connections, core=None, options=(*SUBSCRIBE, *options)) as receiver,
    ):
        receiver.wait_until_ready()
        receiver.take()  # the answers
        server.go()
        return receiver.take(expected)


def script_of_all_sizes() -> bytes:
    """Twelve events in frames with heads of 2, 4 and 10 bytes."""
    sizes = (0, 80, 300, 70_000)
    return b"".join(event(seq, padding=sizes[seq % len(sizes)]) for seq in range(1, 13))


@needs_compiler
@pytest.mark.parametrize("piece_bytes", [7, 333, 1 << 20])
def test_every_event_is_counted_once_however_the_bytes_are_cut(piece_bytes: int) -> None:
    script = script_of_all_sizes()

    taken = receive(script, expected=3 * 12, piece_bytes=piece_bytes)

    assert (taken.events, taken.least, taken.most, taken.disorder) == (36, 12, 12, 0)
    assert taken.bytes == 3 * len(script)


@pytest.mark.parametrize("piece_bytes", [7, 333, 1 << 20])
def test_every_event_is_counted_once_however_tls_cuts_the_bytes(piece_bytes: int, tls: TlsSettings) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls["RMOS_TLS_CERT"], tls["RMOS_TLS_KEY"])
    script = script_of_all_sizes()

    taken = receive(script, expected=3 * 12, piece_bytes=piece_bytes, options=(OVER_TLS,), tls=context)

    assert (taken.events, taken.least, taken.most, taken.disorder, taken.closed) == (36, 12, 12, 0, 0)
    assert taken.bytes == 3 * len(script)


@needs_compiler
def test_what_comes_together_with_the_answer_to_the_handshake_is_counted() -> None:
    server = ScriptedServer(b"", 1000, greeting=event(1) + event(2))

    with server.serving() as port, Receiver(port, 3, core=None, options=SUBSCRIBE) as receiver:
        receiver.wait_until_ready()
        taken = receiver.take(6)

    assert (taken.events, taken.least, taken.disorder) == (6, 2, 0)


@needs_compiler
def test_other_messages_are_not_counted_as_events() -> None:
    snapshot = text_frame(b'{"type":"metrics:snapshot","data":{"jobs":{}},"timestamp":""}')

    taken = receive(snapshot + event(1) + snapshot, expected=3, piece_bytes=50)

    assert taken.events == 3


@needs_compiler
def test_repeated_and_late_events_are_noticed() -> None:
    script = b"".join(event(seq) for seq in (1, 2, 2, 4, 3))

    taken = receive(script, expected=5, piece_bytes=1000, connections=1)

    assert (taken.events, taken.disorder) == (5, 2)


@needs_compiler
@pytest.mark.parametrize("piece_bytes", [7, 333, 1 << 20])
def test_events_of_other_protocols_are_found_wherever_they_stand(piece_bytes: int) -> None:
    mark = b'"data":{"seq":'
    packets = b"".join(b"MSG t %b%d,%b}\r\n" % (mark, seq, b"x" * 90) for seq in range(98, 103))
    script = text_frame(packets) + text_frame(b'MSG t "data":{"sequence":1}') + text_frame(packets[:50]) + b" "

    taken = receive(script, expected=18, piece_bytes=piece_bytes, options=("--scan", "--answer", "system:subscribed"))

    assert (taken.events, taken.least, taken.most, taken.disorder) == (18, 6, 6, 3)


@needs_compiler
def test_pings_are_answered_with_their_payload() -> None:
    server = ScriptedServer(server_frame(PING, b"are you there") + event(1), piece_bytes=3)
    with server.serving() as port, Receiver(port, 1, core=None, options=SUBSCRIBE) as receiver:
        receiver.wait_until_ready()
        server.go()
        assert server.has_heard.wait(5)

    assert server.heard.endswith(b"are you there")


@needs_compiler
def test_delays_are_measured_against_both_stamps(tmp_path: Path) -> None:
    path = tmp_path / "stamps"
    create_stamps(path)
    with Stamps(path) as stamps:
        stamps.begun(1)
        stamps.woke()
        stamps.begun(2)

        taken = receive(event(1) + event(2), expected=6, piece_bytes=1000, options=("--stamps", str(path)))

    assert (taken.since_first.count, taken.since_second.count) == (6, 3)
    assert 0 < taken.since_first.p50_ms <= taken.since_first.p99_ms <= taken.since_first.max_ms < 60_000


@needs_compiler
def test_refused_handshake_says_so() -> None:
    refusing = threading.Event()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
        writer.close()

    async def serve() -> None:
        async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
            ports.append(server.sockets[0].getsockname()[1])
            refusing.set()
            await asyncio.to_thread(done.wait, 10)

    ports: list[int] = []
    done = threading.Event()
    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert refusing.wait(5)
    try:
        with (
            Receiver(ports[0], 1, core=None, options=SUBSCRIBE) as receiver,
            pytest.raises(ChildError, match="403 Forbidden"),
        ):
            receiver.wait_until_ready()
    finally:
        done.set()
        thread.join(10)


def test_without_a_compiler_the_reason_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(shutil, "which", lambda _: None)

    with pytest.raises(NoCompilerError, match="no C compiler"):
        compile_native("receiver")
