"""JSON values: pointers into them, when two are the same, and what may be stored of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, TypeAlias

from rmos.domain.entities import JsonValue
from rmos.errors import FieldError

MAX_DEPTH: Final = 64
"""Deepest nesting of a stored document; real ones stay below ten, and the encoder gives up at 254."""
_MAX_INTEGER: Final = 2**63 - 1
"""Largest integer that every database and JSON library on the way keeps exactly."""

_Fault: TypeAlias = "tuple[tuple[str | int, ...], str]"
"""The way from the root to the value, and what is wrong with it."""


def child(pointer: str, token: str | int) -> str:
    """The JSON pointer (RFC 6901) of a member or element of what `pointer` names."""
    return f"{pointer}/{str(token).replace('~', '~0').replace('/', '~1')}"


def is_same(left: JsonValue, right: JsonValue) -> bool:
    """Whether two values are the same JSON.

    Unlike `==`, `true` is not 1. The order of members does not matter, and 1 is 1.0.
    """
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and left.keys() == right.keys()
            and all(is_same(value, right[name]) for name, value in left.items())
        )
    if isinstance(left, list):
        return (
            isinstance(right, list)
            and len(left) == len(right)
            and all(is_same(*pair) for pair in zip(left, right, strict=True))
        )
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def json_faults(value: object) -> list[FieldError]:
    """What keeps `value` from being stored as JSON: NaN, infinities, huge integers, half surrogates, depth.

    Parsers and Python callers let more through than the type `JsonValue` says.
    """
    return [FieldError("".join(child("", token) for token in path), detail) for path, detail in _faults(value, 0)]


def _faults(value: object, depth: int) -> Sequence[_Fault]:
    """Paths are put together on the way back, so that a value without a fault, as nearly all are, costs none."""
    if isinstance(value, str):
        return _text_faults(value)
    if value is None or isinstance(value, bool):
        return ()
    if isinstance(value, int):
        return [((), f"integer of {value.bit_length()} bits; at most 63 are kept")] if abs(value) > _MAX_INTEGER else ()
    if isinstance(value, float):
        return () if math.isfinite(value) else [((), f"{value} is not a JSON number")]
    if not isinstance(value, list | dict):
        return [((), f"a {type(value).__name__} cannot be written as JSON")]
    if depth == MAX_DEPTH:
        return [((), f"nested deeper than {MAX_DEPTH} levels")]
    faults: list[_Fault] = []
    for token, member in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(value, dict) and not isinstance(token, str):
            faults.append(((), f"member name {token!r} is not a text"))
        elif isinstance(token, str) and (nameless := _text_faults(token)):
            faults += nameless  # Of such a name no pointer can be made, so its member is not looked into.
        else:
            faults += [((token, *path), detail) for path, detail in _faults(member, depth + 1)]
    return faults


def _text_faults(text: str) -> Sequence[_Fault]:
    if text.isascii():
        return ()
    try:
        text.encode()
    except UnicodeEncodeError:
        return [((), "text with half a surrogate pair is not Unicode")]
    return ()
