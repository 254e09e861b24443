"""Messages that no honest client would send, made from valid ones; always the same for a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any, Final

NASTY_VALUES: Final[Sequence[str]] = (
    "null",
    "true",
    "NaN",
    "-Infinity",
    "1e400",
    "-0",
    "0.5",
    "9223372036854775808",
    "1" * 400,
    '""',
    '"\\u0000"',
    '"\\ud800"',
    '"\\udfff\\ud800"',
    '"' + "x" * 5000 + '"',
    '"<script>alert(1)</script>"',
    '"\'; DROP TABLE events; --"',
    '"../../../../etc/passwd"',
    '"%s%n{}{0}"',
    "[]",
    "{}",
    "[[[]]]",
    '{"__proto__":{}}',
    "[" * 10_000,
    "[" * 900 + "]" * 900,
    '{"a":' * 2000 + "1" + "}" * 2000,
)
"""JSON texts, and what only looks like it."""
NASTY_BYTES: Final[Sequence[bytes]] = (b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\\", b'"', b"\n", b"{", b"[", b"")


def mutated(chance: random.Random, valid: Any) -> bytes:  # Any: JSON
    """A message like this one, and yet not."""
    mutate: Callable[[random.Random, Any], bytes] = chance.choice(_MUTATIONS)
    return mutate(chance, valid)


def nonsense(chance: random.Random, size: int) -> bytes:
    """So many random bytes at most."""
    return chance.randbytes(chance.randint(0, size))


def _nasty_value(chance: random.Random, valid: Any) -> bytes:
    """One value takes the place of another, of any type."""
    mark = "\x01nasty\x01"
    replaced = json.dumps(_replaced(chance, valid, mark))
    return replaced.replace(json.dumps(mark), chance.choice(NASTY_VALUES)).encode()


def _replaced(chance: random.Random, value: Any, by: str) -> Any:
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(list(value))
        return {**value, key: _replaced(chance, value[key], by)}
    if isinstance(value, list) and value and chance.random() < 0.5:
        place = chance.randrange(len(value))
        return [*value[:place], _replaced(chance, value[place], by), *value[place + 1 :]]
    return by


def _doubled_key(chance: random.Random, valid: Any) -> bytes:
    text = json.dumps(valid)
    key = chance.choice(list(valid)) if isinstance(valid, dict) and valid else "action"
    return f"{text[:-1]}, {json.dumps(key)}: {chance.choice(NASTY_VALUES)}}}".encode()


def _unknown_key(chance: random.Random, valid: Any) -> bytes:
    text = json.dumps(valid)
    return f"{text[:-1]}, {chance.choice(NASTY_VALUES[9:16])}: {chance.choice(NASTY_VALUES)}}}".encode()


def _cut_off(chance: random.Random, valid: Any) -> bytes:
    text = json.dumps(valid).encode()
    return text[: chance.randrange(len(text))]


def _flipped(chance: random.Random, valid: Any) -> bytes:
    text = bytearray(json.dumps(valid).encode())
    for _ in range(chance.randint(1, 4)):
        text[chance.randrange(len(text))] = chance.randrange(256)
    return bytes(text)


def _spliced(chance: random.Random, valid: Any) -> bytes:
    text = json.dumps(valid).encode()
    place = chance.randrange(len(text))
    return text[:place] + chance.choice(NASTY_BYTES) + text[place:]


def _bare(chance: random.Random, _valid: Any) -> bytes:
    return chance.choice(NASTY_VALUES).encode()


def _random(chance: random.Random, _valid: Any) -> bytes:
    return nonsense(chance, 300)


_MUTATIONS: Final = (
    _nasty_value,
    _nasty_value,
    _doubled_key,
    _unknown_key,
    _cut_off,
    _flipped,
    _spliced,
    _bare,
    _random,
)
