"""Family 9: large messages, many fragments, many chops, and many messages one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import repeat
from typing import Final, TypeAlias

from websockets.frames import Opcode

from soak.autobahn.cases import chopped, fragments
from soak.autobahn.engine import Case, Event, Hear, Step
from soak.listener import client_frame

_KIB, _MIB = 2**10, 2**20
_SIZES: Final = (64 * _KIB, 256 * _KIB, _MIB, 4 * _MIB, 8 * _MIB, 16 * _MIB)
_FRAGMENTS: Final = (64, 256, _KIB, 4 * _KIB, 16 * _KIB, 64 * _KIB, 256 * _KIB, _MIB, 4 * _MIB)
_CHOPS: Final = (64, 128, 256, 512, 1024, 2048)
_ROUND_TRIPS: Final = (0, 16, 64, 256, 1024, 4096)
_MESSAGES: Final = 1000

_Kind: TypeAlias = tuple[int, str, bytes]
"""Opcode, name, and what the payload is made of."""
_TEXT: Final[_Kind] = (Opcode.TEXT, "text", b"BAsd7&jh23")
_BINARY: Final[_Kind] = (Opcode.BINARY, "binary", b"\x00\xfe\x23\xfa\xf0")


def limits() -> Iterator[Case]:
    """All 54."""
    for kind, whole, fragmented, chops, round_trips in ((_TEXT, 1, 3, 5, 7), (_BINARY, 2, 4, 6, 8)):
        opcode, name, _ = kind
        for n, size in enumerate(_SIZES, 1):
            payload = _payload(kind, size)
            yield _large(
                f"9.{whole}.{n}", f"{name} of {size} octets", partial(_whole, opcode, payload), (name, payload)
            )
        payload = _payload(kind, 4 * _MIB)
        for n, size in enumerate(_FRAGMENTS, 1):
            steps = partial(_fragmented, opcode, payload, size)
            yield _large(f"9.{fragmented}.{n}", f"{name} of 4 MiB in fragments of {size}", steps, (name, payload))
        payload = _payload(kind, _MIB)
        for n, size in enumerate(_CHOPS, 1):
            steps = partial(_chopped, opcode, payload, size)
            yield _large(f"9.{chops}.{n}", f"{name} of 1 MiB in chops of {size}", steps, (name, payload))
        for n, size in enumerate(_ROUND_TRIPS, 1):
            payload = _payload(kind, size)
            steps = partial(_one_by_one, opcode, payload)
            title = f"{_MESSAGES} messages of {size} octets, {name}, each after the echo of the one before"
            yield _large(f"9.{round_trips}.{n}", title, steps, *repeat((name, payload), _MESSAGES))


def _large(number: str, name: str, steps: partial[Iterator[Step]], *heard: Event) -> Case:
    return Case(number, name, steps, strict=heard, is_large=True)


def _payload(kind: _Kind, size: int) -> bytes:
    pattern = kind[2]
    return (pattern * (size // len(pattern) + 1))[:size]


def _whole(opcode: int, payload: bytes) -> Iterator[Step]:
    yield client_frame(opcode, payload)


def _fragmented(opcode: int, payload: bytes, size: int) -> Iterator[Step]:
    yield from fragments(opcode, payload, size)


def _chopped(opcode: int, payload: bytes, size: int) -> Iterator[Step]:
    yield from chopped(client_frame(opcode, payload), size)


def _one_by_one(opcode: int, payload: bytes) -> Iterator[Step]:
    frame = client_frame(opcode, payload)
    for n in range(1, _MESSAGES + 1):
        yield frame
        yield Hear(n)
