"""WebSocket frames (RFC 6455) without I/O: a parser for what clients send, ready frames for what the server sends.

Rule 1: nothing is negotiated, so every reserved bit is an error.
Rule 2: an idle parser holds no buffer; a message is bounded in bytes and in fragments.
Rule 3: what was complete before a fault is still delivered, then `FrameError` says how to close.
Rule 4: text that is not UTF-8 is refused at its first wrong octet, however it is cut into frames and reads.
"""

from __future__ import annotations

from codecs import IncrementalDecoder, getincrementaldecoder, utf_8_decode
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final, TypeAlias

from rmos.protocol.close_codes import CloseCode

MAX_MESSAGE_BYTES: Final = 65_536
"""Longest message from a client, its fragments together."""
MAX_FRAGMENTS: Final = 64
"""Most fragments of one message: empty ones would otherwise cost time without limit."""

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

_NOT_UTF8: Final = "text is not UTF-8"
_UTF8: Final = getincrementaldecoder("utf-8")
_LONG_HEADER: Final = Struct(">BBH")
_LONGEST_HEADER: Final = Struct(">BBQ")

_FIN: Final = 0x80
_RESERVED: Final = 0x70
_MASKED: Final = 0x80
_MAX_CONTROL_BYTES: Final = 125
_STANDARD_CLOSE_CODES: Final = frozenset({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014})


class FrameError(Exception):
    """The peer broke RFC 6455 or a limit; the connection is to be closed with `code`."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class TextMessage:
    """A whole text message."""

    text: str


@dataclass(frozen=True, slots=True)
class BinaryMessage:
    """A whole binary message; the monitor has no use for its content."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Ping:
    """A ping; its payload goes back in a pong."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    """A pong; any pong proves that the peer lives."""


@dataclass(frozen=True, slots=True)
class Close:
    """The peer closes; `payload` (its code and reason, or empty) is echoed."""

    payload: bytes


FrameEvent: TypeAlias = TextMessage | BinaryMessage | Ping | Pong | Close


class FrameParser:
    """Turns the bytes of one client into messages and control frames. Not to be shared between connections."""

    __slots__ = ("_checked", "_decoder", "_fragments", "_message", "_opcode", "_rest")

    max_message_bytes: ClassVar[int] = MAX_MESSAGE_BYTES
    max_fragments: ClassVar[int] = MAX_FRAGMENTS

    def __init__(self) -> None:
        self._rest = b""
        self._message: bytearray | None = None
        self._opcode = 0
        self._fragments = 0
        self._decoder: IncrementalDecoder | None = None
        """Of a text message that is not yet whole."""
        self._checked = 0
        """Octets of the unfinished frame that the decoder has seen."""

    def receive(self, data: bytes) -> Iterator[FrameEvent]:
        """Yield what these bytes complete. The iterator must be used up, or the parser given up.

        Raises:
            FrameError: a fault, after everything that came before it was yielded.
        """
        if self._rest:
            data = self._rest + data
            self._rest = b""
        position = 0
        while (header := self._header(data, position)) is not None:
            first, start, length = header
            end = start + length
            if len(data) < end:
                self._check_unfinished(first, data[start:], data[start - 4 : start])
                break
            payload = _unmask(data[start:end], data[start - 4 : start])
            position = end
            event = self._control(first, payload) if first & 0x08 else self._data(first, payload)
            if event is not None:
                yield event
            if isinstance(event, Close):
                return
        self._rest = data[position:]

    def _header(self, data: bytes, position: int) -> tuple[int, int, int] | None:
        """First byte, start and length of the payload at `position`; None when the header is not all there.

        Checked as early as possible, so that a length of 2^60 is refused before anything is buffered for it.
        """
        if len(data) - position < 2:
            return None
        first, second = data[position], data[position + 1]
        length, start = second & 0x7F, position + 6
        opcode = first & 0x0F
        if first & _RESERVED:
            raise FrameError(CloseCode.PROTOCOL_ERROR, "reserved bits are set")
        if not second & _MASKED:
            raise FrameError(CloseCode.PROTOCOL_ERROR, "client frames must be masked")
        if opcode in (CLOSE, PING, PONG):
            if length > _MAX_CONTROL_BYTES or not first & _FIN:
                raise FrameError(CloseCode.PROTOCOL_ERROR, "control frame is too long or fragmented")
            return first, start, length
        if opcode not in (CONTINUATION, TEXT, BINARY):
            raise FrameError(CloseCode.PROTOCOL_ERROR, f"unknown opcode {opcode}")
        if (opcode == CONTINUATION) != (self._message is not None):
            raise FrameError(CloseCode.PROTOCOL_ERROR, "fragments are out of order")
        extended = {126: 2, 127: 8}.get(length, 0)
        if extended:
            if len(data) - position < 2 + extended:
                return None
            length = int.from_bytes(data[position + 2 : position + 2 + extended], "big")
        if length + len(self._message or b"") > self.max_message_bytes:
            raise FrameError(CloseCode.MESSAGE_TOO_BIG, f"message is over {self.max_message_bytes} bytes")
        return first, start + extended, length

    def _check_unfinished(self, first: int, masked: bytes, key: bytes) -> None:
        """Look at what has come of a frame since it was last looked at."""
        opcode = first & 0x0F
        if (self._opcode if opcode == CONTINUATION else opcode) == TEXT:
            turn = self._checked % 4
            self._check_text(_unmask(masked[self._checked :], key[turn:] + key[:turn]))
            self._checked = len(masked)

    def _check_text(self, octets: bytes) -> None:
        if self._decoder is None:
            self._decoder = _UTF8()
        try:
            self._decoder.decode(octets)
        except UnicodeDecodeError:
            raise FrameError(CloseCode.INVALID_TEXT, _NOT_UTF8) from None

    def _data(self, first: int, payload: bytes) -> TextMessage | BinaryMessage | None:
        checked, self._checked = self._checked, 0
        if self._message is None:
            if first & _FIN:
                self._decoder = None
                return _message(first & 0x0F, payload)
            self._opcode, self._message, self._fragments = first & 0x0F, bytearray(), 0
        self._fragments += 1
        if self._fragments > self.max_fragments:
            raise FrameError(CloseCode.MESSAGE_TOO_BIG, f"message has over {self.max_fragments} fragments")
        self._message += payload
        if not first & _FIN:
            if self._opcode == TEXT:
                self._check_text(payload[checked:])
            return None
        whole, self._message, self._decoder = bytes(self._message), None, None
        return _message(self._opcode, whole)

    def _control(self, first: int, payload: bytes) -> Ping | Pong | Close:
        match first & 0x0F:
            case 0x9:
                return Ping(payload)
            case 0xA:
                return Pong()
            case _:
                _check_close(payload)
                return Close(payload)


def server_frame(opcode: int, payload: bytes) -> bytes:
    """An unmasked, final frame, as servers send it."""
    first, length = _FIN | opcode, len(payload)
    if length < 126:
        return bytes((first, length)) + payload
    if length < 65_536:
        return _LONG_HEADER.pack(first, 126, length) + payload
    return _LONGEST_HEADER.pack(first, 127, length) + payload


def text_frame(payload: bytes) -> bytes:
    """A text frame with this UTF-8 payload."""
    return server_frame(TEXT, payload)


def close_frame(code: int, reason: str) -> bytes:
    """A close frame; the reason is cut to what a control frame holds, never inside a character."""
    text = reason.encode()[: _MAX_CONTROL_BYTES - 2].decode(errors="ignore")
    return server_frame(CLOSE, code.to_bytes(2, "big") + text.encode())


def payloads(frames: bytes) -> Iterator[bytes]:
    """The payloads of joined server frames, in order."""
    position = 0
    while position < len(frames):
        length, start = frames[position + 1], position + 2
        if length >= 126:
            extended = 2 if length == 126 else 8
            length = int.from_bytes(frames[start : start + extended], "big")
            start += extended
        position = start + length
        yield frames[start:position]


def _message(opcode: int, payload: bytes) -> TextMessage | BinaryMessage:
    return TextMessage(_text(payload)) if opcode == TEXT else BinaryMessage(payload)


def _text(payload: bytes) -> str:
    try:
        return utf_8_decode(payload, "strict", True)[0]
    except UnicodeDecodeError:
        raise FrameError(CloseCode.INVALID_TEXT, _NOT_UTF8) from None


def _check_close(payload: bytes) -> None:
    if not payload:
        return
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or not (code in _STANDARD_CLOSE_CODES or 3000 <= code < 5000):
        raise FrameError(CloseCode.PROTOCOL_ERROR, "bad close frame")
    _text(payload[2:])


def _unmask(data: bytes, key: bytes) -> bytes:
    """XOR with the repeated key, as one operation on big integers: the fastest way in pure Python."""
    length = len(data)
    repeated = (key * (length // 4 + 1))[:length]
    return (int.from_bytes(data, "little") ^ int.from_bytes(repeated, "little")).to_bytes(length, "little")
