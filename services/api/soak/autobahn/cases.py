"""Families 1 to 7 and 10: framing, pings, reserved bits, opcodes, fragments, UTF-8 and closing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from websockets.frames import Opcode

from soak.autobahn.engine import (
    INVALID_TEXT,
    NORMAL,
    NOT_TEXT,
    PROTOCOL_ERROR,
    REFUSED,
    Case,
    Ending,
    Event,
    Hear,
    Step,
    Wait,
)
from soak.autobahn.utf8 import GROUPS, KOSME, is_text
from soak.listener import client_frame

_HELLO: Final = b"Hello, world!"
_BYTES: Final = bytes.fromhex("00fffefdfcfb00ff")
_ECHO: Final[tuple[Event, ...]] = (("text", _HELLO),)
_GREETING: Final = "Hello-µ@ßöäüàá-UTF-8!!".encode()
_SURROGATE: Final = KOSME + b"\xed\xa0\x80edited"
_BEYOND_UNICODE: Final = KOSME + b"\xf4\x90\x80\x80edited"
_SIZES: Final = (0, 125, 126, 127, 128, 65_535, 65_536)
_VALID_CODES: Final = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
_INVALID_CODES: Final = (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999)


def quick_cases() -> Iterator[Case]:
    """All but family 9."""
    for family in (_framing, _pings, _reserved_bits, _opcodes, _fragmentation, _text, _texts, _closing):
        yield from family()
    payload = b"*" * 65_536
    cut = tuple(fragments(Opcode.TEXT, payload, 1300))
    yield Case("10.1.1", "text of 65,536 octets in fragments of 1,300", lambda: cut, (("text", payload),))


def fragments(opcode: int, payload: bytes, size: int) -> Iterator[bytes]:
    """Frames of a message, none with a longer payload."""
    starts = range(0, len(payload), size)
    for start in starts:
        kind = opcode if start == 0 else Opcode.CONT
        yield client_frame(kind, payload[start : start + size], is_final=start == starts[-1])


def chopped(data: bytes, size: int) -> Iterator[bytes]:
    """These octets, not more than so many at once."""
    return (data[start : start + size] for start in range(0, len(data), size))


def _whole(frames: Iterable[bytes]) -> list[bytes]:
    return [b"".join(frames)]


def _octets(frames: Iterable[bytes]) -> list[bytes]:
    return list(chopped(b"".join(frames), 1))


_WAYS: Final[tuple[tuple[str, Callable[[Iterable[bytes]], list[bytes]]], ...]] = (
    ("at once", _whole),
    ("frame by frame", list),
    ("octet by octet", _octets),
)


def _sent(frames: Iterable[Step]) -> Callable[[], Iterable[Step]]:
    steps = tuple(frames)
    return lambda: steps


def _text_frame(payload: bytes, *, is_final: bool = True) -> bytes:
    return client_frame(Opcode.TEXT, payload, is_final=is_final)


def _more(payload: bytes, *, is_final: bool = True) -> bytes:
    return client_frame(Opcode.CONT, payload, is_final=is_final)


def _ping(payload: bytes) -> bytes:
    return client_frame(Opcode.PING, payload)


def _close(code: int | None, reason: bytes = b"") -> bytes:
    return client_frame(Opcode.CLOSE, (b"" if code is None else code.to_bytes(2, "big")) + reason)


def _framing() -> Iterator[Case]:
    for family, opcode, name, octet in ((1, Opcode.TEXT, "text", b"*"), (2, Opcode.BINARY, "binary", b"\xfe")):
        for number, size in enumerate(_SIZES, 1):
            payload = octet * size
            steps = _sent([client_frame(opcode, payload)])
            yield Case(f"1.{family}.{number}", f"{name} of {size} octets", steps, ((name, payload),))
        payload = octet * 65_536
        steps = _sent(chopped(client_frame(opcode, payload), 997))
        yield Case(f"1.{family}.8", f"{name} of 65,536 octets in chops of 997", steps, ((name, payload),))


def _pings() -> Iterator[Case]:
    longest = b"\xfe" * 125
    for number, payload in enumerate((b"", _HELLO, _BYTES, longest), 1):
        yield Case(f"2.{number}", f"ping with {len(payload)} octets", _sent([_ping(payload)]), (("pong", payload),))
    yield Case("2.5", "ping with 126 octets", _sent([_ping(b"\xfe" * 126)]), ending=REFUSED)
    yield Case("2.6", "ping octet by octet", _sent(_octets([_ping(longest)])), (("pong", longest),))
    unasked = client_frame(Opcode.PONG, b"unsolicited pong payload")
    yield Case("2.7", "pong that nobody asked for", _sent([client_frame(Opcode.PONG, b"")]))
    yield Case("2.8", "pong that nobody asked for, with a payload", _sent([unasked]))
    yield Case(
        "2.9", "such a pong, then a ping", _sent([unasked + _ping(b"ping payload")]), (("pong", b"ping payload"),)
    )
    payloads = [b"payload-%d" % number for number in range(10)]
    pongs = tuple(("pong", payload) for payload in payloads)
    for case, (how, cut) in zip(("2.10", "2.11"), (_WAYS[0], _WAYS[2]), strict=True):
        yield Case(case, f"ten pings {how}", _sent(cut(map(_ping, payloads))), pongs)


def _reserved_bits() -> Iterator[Case]:
    yield Case("3.1", "text with RSV 1", _sent([client_frame(Opcode.TEXT, _HELLO, reserved=1)]), ending=REFUSED)
    for bits, (how, cut) in zip((2, 3, 4), _WAYS, strict=True):
        frames = [_text_frame(_HELLO), client_frame(Opcode.TEXT, _HELLO, reserved=bits), _ping(b"")]
        yield Case(f"3.{bits}", f"text, text with RSV {bits}, ping {how}", _sent(cut(frames)), _ECHO, (), REFUSED)
    yield Case("3.5", "binary with RSV 5", _sent([client_frame(Opcode.BINARY, _BYTES, reserved=5)]), ending=REFUSED)
    yield Case("3.6", "binary with RSV 6", _sent([client_frame(Opcode.BINARY, _HELLO, reserved=6)]), ending=REFUSED)
    yield Case("3.7", "close with RSV 7", _sent([client_frame(Opcode.CLOSE, b"", reserved=7)]), ending=REFUSED)


def _opcodes() -> Iterator[Case]:
    for family, first in ((1, 3), (2, 11)):
        yield Case(f"4.{family}.1", f"opcode {first}", _sent([client_frame(first, b"")]), ending=REFUSED)
        frame = client_frame(first + 1, b"reserved opcode payload")
        yield Case(f"4.{family}.2", f"opcode {first + 1} with a payload", _sent([frame]), ending=REFUSED)
        for number, payload, cut in ((3, b"", _whole), (4, _HELLO, _whole), (5, _HELLO, _octets)):
            opcode = first + number - 1
            frames = [_text_frame(_HELLO), client_frame(opcode, payload), _ping(b"")]
            yield Case(f"4.{family}.{number}", f"text, opcode {opcode}, ping", _sent(cut(frames)), _ECHO, (), REFUSED)


def _fragmentation() -> Iterator[Case]:
    one, two = _text_frame(b"fragment1", is_final=False), _more(b"fragment2")
    both: Event = ("text", b"fragment1fragment2")
    for number, opcode in ((1, Opcode.PING), (2, Opcode.PONG)):
        frames = [client_frame(opcode, b"fragment1", is_final=False), two]
        yield Case(f"5.{number}", f"{opcode.name.lower()} in fragments", _sent(_whole(frames)), ending=REFUSED)
    for number, (how, cut) in enumerate(_WAYS, 3):
        yield Case(f"5.{number}", f"text in two fragments {how}", _sent(cut([one, two])), (both,))
    for number, (how, cut) in enumerate(_WAYS, 6):
        frames = [one, _ping(b"ping payload"), two]
        yield Case(
            f"5.{number}", f"ping between fragments {how}", _sent(cut(frames)), (("pong", b"ping payload"), both)
        )
    for start, is_final in ((9, True), (12, False)):
        for number, (how, cut) in enumerate(_WAYS, start):
            frames = [_more(b"non-continuation payload", is_final=is_final), _text_frame(_HELLO)]
            yield Case(f"5.{number}", f"continuation of nothing {how}", _sent(cut(frames)), ending=REFUSED)
    frames = [one, two, _more(b"fragment3", is_final=False), _text_frame(b"fragment4")]
    yield Case("5.15", "text, continuation of nothing, text", _sent(_whole(frames)), (both,), (), REFUSED)
    for number, is_final in ((16, False), (17, True)):
        frames = [
            _more(b"fragment1", is_final=is_final),
            _text_frame(b"fragment2", is_final=False),
            _more(b"fragment3"),
        ]
        yield Case(f"5.{number}", "twice: continuation of nothing, text", _sent(_whole(frames * 2)), ending=REFUSED)
    frames = [one, _text_frame(b"fragment2")]
    yield Case("5.18", "second fragment with the opcode of text", _sent(_whole(frames)), ending=REFUSED)
    first = [one, _more(b"fragment2", is_final=False), _ping(b"pongme 1!")]
    last = [_more(b"fragment3", is_final=False), _more(b"fragment4", is_final=False), _ping(b"pongme 2!")]
    whole = b"".join(b"fragment%d" % number for number in range(1, 6))
    heard: tuple[Event, ...] = (("pong", b"pongme 1!"), ("pong", b"pongme 2!"), ("text", whole))
    for number, (how, cut) in enumerate(_WAYS[:2], 19):
        steps: list[Step] = [*cut(first), Hear(1), *cut([*last, _more(b"fragment5")])]
        yield Case(f"5.{number}", f"five fragments, two pings, {how}", _sent(steps), heard)


def _text() -> Iterator[Case]:
    middle = b"middle frame payload"
    yield Case("6.1.1", "empty text", _sent([_text_frame(b"")]), (("text", b""),))
    for number, payload in ((2, b""), (3, middle)):
        frames = [_text_frame(b"", is_final=False), _more(payload, is_final=False), _more(b"")]
        yield Case(f"6.1.{number}", "three fragments, two or all empty", _sent(_whole(frames)), (("text", payload),))
    half = _GREETING.index("ü".encode())
    for number, payload, size in ((1, _GREETING, 99), (2, _GREETING, half), (3, _GREETING, 1), (4, KOSME, 1)):
        steps = _sent(_whole(fragments(Opcode.TEXT, payload, size)))
        yield Case(f"6.2.{number}", f"valid text in fragments of {size} octets", steps, (("text", payload),))
    for number, size in ((1, 99), (2, 1)):
        steps = _sent(_whole(fragments(Opcode.TEXT, _SURROGATE, size)))
        yield Case(f"6.3.{number}", f"invalid text in fragments of {size} octets", steps, ending=NOT_TEXT)
    yield from _fail_fast()


def _fail_fast() -> Iterator[Case]:
    """Invalid in its second part. The standard lets a server find that out at the end of the message."""
    payload, early, late = _BEYOND_UNICODE, ("timeout", b"A"), ("timeout", b"B")
    for number, (start, stop) in ((1, (11, 15)), (2, (12, 13)), (3, (11, 15)), (4, (12, 13))):
        if number <= 2:
            parts = [_text_frame(payload[:start], is_final=False), _more(payload[start:stop], is_final=False)]
            parts.append(_more(payload[stop:]))
        else:
            frame = _text_frame(payload)
            head = len(frame) - len(payload)
            parts = [frame[: head + start], frame[head + start : head + stop], frame[head + stop :]]
        steps = _sent([parts[0], Wait(b"A"), parts[1], Wait(b"B"), parts[2]])
        name = f"invalid from the second {'fragment' if number <= 2 else 'chop'} on"
        yield Case(f"6.4.{number}", name, steps, (early,), (early, late), NOT_TEXT)


def _texts() -> Iterator[Case]:
    for family, (name, texts) in enumerate(GROUPS, 5):
        for number, text in enumerate(texts, 1):
            steps = _sent([_text_frame(text)])
            if is_text(text):
                yield Case(f"6.{family}.{number}", name, steps, (("text", text),))
            else:
                yield Case(f"6.{family}.{number}", name, steps, ending=NOT_TEXT)


def _closing() -> Iterator[Case]:
    close, text = _close(NORMAL), _text_frame(b"Hello World!")
    one = _text_frame(b"fragment1", is_final=False)
    yield Case("7.1.1", "text, then close", _sent([text]), (("text", b"Hello World!"),))
    yield _closed("7.1.2", "two close frames", close + _close(None), NORMAL)
    yield _closed("7.1.3", "ping after close", close + _ping(b""), NORMAL)
    yield _closed("7.1.4", "text after close", close + text, NORMAL)
    yield _closed("7.1.5", "fragment, close, fragment", one + close + _more(b"fragment2"), NORMAL)
    long = _text_frame((b"BAsd7&jh23" * 26_215)[: 256 * 2**10])
    name = "text of 256 KiB, text, close, ping"
    yield _informational("7.1.6", name, long + text + close + _ping(b""), is_large=True)
    yield _closed("7.3.1", "close without a code", _close(None), NORMAL)
    yield _closed("7.3.2", "close of one octet", _close(None, b"a"), PROTOCOL_ERROR, must_be_clean=False)
    yield _closed("7.3.3", "close with a code", close, NORMAL)
    yield _closed("7.3.4", "close with a reason", _close(NORMAL, b"Hello World!"), NORMAL)
    yield _closed("7.3.5", "close with the longest reason", _close(NORMAL, b"*" * 123), NORMAL)
    too_long = _close(NORMAL, b"*" * 124)
    yield _closed("7.3.6", "close with a reason too long", too_long, PROTOCOL_ERROR, must_be_clean=False)
    not_text = _close(NORMAL, _SURROGATE)
    yield _closed("7.5.1", "reason not UTF-8", not_text, PROTOCOL_ERROR, INVALID_TEXT, must_be_clean=False)
    for number, code in enumerate(_VALID_CODES, 1):
        yield _closed(f"7.7.{number}", f"close with {code}", _close(code), NORMAL, code)
    for number, code in enumerate(_INVALID_CODES, 1):
        yield _closed(f"7.9.{number}", f"close with {code}", _close(code), PROTOCOL_ERROR, must_be_clean=False)
    for number, code in enumerate((5000, 65_535), 1):
        yield _informational(f"7.13.{number}", f"close with {code}", _close(code))


def _closed(number: str, name: str, data: bytes, *codes: int, must_be_clean: bool = True) -> Case:
    ending = Ending(by_client=True, codes=frozenset(codes), must_be_clean=must_be_clean)
    return Case(number, name, _sent([data]), ending=ending, closes_itself=True)


def _informational(number: str, name: str, data: bytes, *, is_large: bool = False) -> Case:
    steps = _sent([data])
    return Case(number, name, steps, closes_itself=True, is_informational=True, is_large=is_large)
