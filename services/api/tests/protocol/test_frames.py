"""frames.json and event-frame.json: the bytes of the wire, in and out."""

from __future__ import annotations

import random
from codecs import getincrementaldecoder
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmos.domain.events import Event
from rmos.protocol.frames import (
    BinaryMessage,
    Close,
    FrameError,
    FrameEvent,
    FrameParser,
    Ping,
    Pong,
    TextMessage,
    close_frame,
    payloads,
    text_frame,
)
from rmos.protocol.messages import event_frame
from tests.protocol.vectors import Vector, join, load, parameters

EVENT_KEYS = ["type", "data", "timestamp", "id", "offset", "channels", "key", "version", "actor"]
MAX_BYTEWISE = 4096
"""Longer vectors are not fed byte by byte, which would take the parser quadratic time."""


def described(event: FrameEvent) -> dict[str, Any]:
    """The event as frames.json writes it."""
    match event:
        case TextMessage(text):
            return {"text": text}
        case BinaryMessage():
            return {"binary": True}
        case Ping(payload):
            return {"ping": payload.hex()}
        case Pong():
            return {"pong": True}
        case Close(payload):
            code = int.from_bytes(payload[:2], "big") if payload else None
            return {"close": code, "reason": payload[2:].decode()}


def outcome(chunks: Sequence[bytes]) -> tuple[list[dict[str, Any]], int | None]:
    """What a server gets out of these reads, and the code it fails with."""
    parser, events = FrameParser(), []
    try:
        for chunk in chunks:
            for event in parser.receive(chunk):
                events.append(described(event))
                if isinstance(event, Close):
                    return events, None
    except FrameError as error:
        return events, int(error.code)
    return events, None


def expected(vector: Vector) -> tuple[list[dict[str, Any]], int | None]:
    events = [{"text": join(event["text"])} if "text" in event else event for event in vector["events"]]
    return events, vector["close"]


def reads(vector: Vector) -> list[bytes]:
    return [bytes.fromhex(join(chunk)) for chunk in vector["chunks"]]


@pytest.mark.parametrize("vector", parameters("frames.json", "client"))
def test_frame_vector_however_it_is_cut(vector: Vector) -> None:
    chunks = reads(vector)
    whole = b"".join(chunks)

    assert outcome(chunks) == expected(vector)
    assert outcome([whole]) == expected(vector)
    if len(whole) <= MAX_BYTEWISE:
        assert outcome([whole[i : i + 1] for i in range(len(whole))]) == expected(vector)


@given(st.randoms(use_true_random=False))
def test_frm_10_random_cuts_of_all_good_vectors_in_a_row_change_nothing(chance: random.Random) -> None:
    good = [v for v in load("frames.json", "client") if v["close"] is None and ends_whole(v)]
    whole = b"".join(b"".join(reads(v)) for v in good)
    cuts = sorted(chance.sample(range(len(whole)), 40))

    got = outcome([whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)])

    assert got == ([event for v in good for event in expected(v)[0]], None)


NEAR_TEXT = st.lists(st.sampled_from(["a", "é", "€", "😀"]).map(str.encode) | st.binary(max_size=2), max_size=12).map(
    b"".join
)


@given(st.lists(NEAR_TEXT, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_frm_07_text_is_refused_in_the_read_of_its_first_wrong_octet(parts: list[bytes], chance: random.Random) -> None:
    frames = [
        masked_frame((0x80 if part == len(parts) - 1 else 0) | (0 if part else 1), payload, chance)
        for part, payload in enumerate(parts)
    ]
    wire = b"".join(frames)
    cuts = sorted(chance.sample(range(len(wire) + 1), min(3, len(wire))))
    chunks = [wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True)]

    assert refused_read(chunks) == first_read_with_a_fault(parts, frames, chunks)


def masked_frame(first: int, payload: bytes, chance: random.Random) -> bytes:
    """As clients send it; for payloads under 126 bytes."""
    key = chance.randbytes(4)
    return bytes((first, 0x80 | len(payload))) + key + bytes(o ^ key[i % 4] for i, o in enumerate(payload))


def refused_read(chunks: Sequence[bytes]) -> int | None:
    """Number of the read that was refused as no text; None when none was."""
    parser = FrameParser()
    for number, chunk in enumerate(chunks):
        try:
            list(parser.receive(chunk))
        except FrameError as error:
            return number if error.code == 1007 else None
    return None


def first_read_with_a_fault(parts: Sequence[bytes], frames: Sequence[bytes], chunks: Sequence[bytes]) -> int | None:
    """Number of the read with the first octet after which no text can follow."""
    places = []  # of each octet of the text in all that is read
    start = 0
    for payload, frame in zip(parts, frames, strict=True):
        places += range(start + len(frame) - len(payload), start + len(frame))
        start += len(frame)
    text = b"".join(parts)
    ends = list(accumulate(map(len, chunks)))
    faults = [place for count, place in enumerate(places, 1) if not decodes_so_far(text[:count])]
    if not faults and not is_utf8(text):
        faults = [start - 1]  # it ends within a character
    return next((number for number, end in enumerate(ends) if end > faults[0]), None) if faults else None


def is_utf8(text: bytes) -> bool:
    """Whether this is a whole text."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def decodes_so_far(text: bytes) -> bool:
    """Whether more octets could make this text."""
    try:
        getincrementaldecoder("utf-8")().decode(text)
    except UnicodeDecodeError:
        return False
    return True


def ends_whole(vector: Vector) -> bool:
    """Whether further vectors may follow in the same stream."""
    return vector["events"] != [] and "close" not in vector["events"][-1]


def test_frm_06_the_reason_of_a_close_is_cut_between_characters() -> None:
    frame = close_frame(4403, "é" * 100)

    assert frame[:4] == bytes((0x88, 124)) + (4403).to_bytes(2, "big")
    assert frame[4:].decode() == "é" * 61


@pytest.mark.parametrize("vector", parameters("frames.json", "server"))
def test_server_frame_vector(vector: Vector) -> None:
    payload = join(vector["text"]).encode()

    frame = text_frame(payload)

    assert frame == bytes.fromhex(vector["head"]) + payload
    assert list(payloads(frame + frame)) == [payload, payload]


def event_of(vector: Vector) -> Event:
    fields = vector["event"]
    return Event(**fields | {"data": fields["data"].encode(), "channels": tuple(fields["channels"])})


@pytest.mark.parametrize("vector", parameters("event-frame.json"))
def test_event_frame_vector(vector: Vector) -> None:
    frame = event_frame(event_of(vector), vector["epoch"])

    assert frame.decode() == vector["frame"]
    assert list(orjson.loads(frame)) == EVENT_KEYS
