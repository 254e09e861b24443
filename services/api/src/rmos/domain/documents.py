"""JSON values: pointers into them, when two are the same, and what may be stored of them."""

from __future__ import annotations

import math
from typing import Final

from rmos.domain.entities import JsonValue
from rmos.errors import FieldError

MAX_DEPTH: Final = 64
"""Deepest nesting of a stored document; real ones stay below ten, and the encoder gives up at 254."""
_MAX_INTEGER: Final = 2**63 - 1
"""Largest integer that every database and JSON library on the way keeps exactly."""


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


def json_faults(value: object, pointer: str = "", depth: int = 0) -> list[FieldError]:
    """What keeps `value` from being stored as JSON: NaN, infinities, huge integers, half surrogates, depth.

    Parsers and Python callers let more through than the type `JsonValue` says.
    """
    if value is None or isinstance(value, bool):
        return []
    if isinstance(value, str):
        return _text_faults(value, pointer)
    if isinstance(value, int):
        if abs(value) > _MAX_INTEGER:
            return [FieldError(pointer, f"integer of {value.bit_length()} bits; at most 63 are kept")]
        return []
    if isinstance(value, float):
        return [] if math.isfinite(value) else [FieldError(pointer, f"{value} is not a JSON number")]
    if depth == MAX_DEPTH:
        return [FieldError(pointer, f"nested deeper than {MAX_DEPTH} levels")]
    if isinstance(value, list):
        return [f for i, v in enumerate(value) for f in json_faults(v, child(pointer, i), depth + 1)]
    if isinstance(value, dict):
        faults: list[FieldError] = []
        for name, member in value.items():
            if not isinstance(name, str):
                faults.append(FieldError(pointer, f"member name {name!r} is not a text"))
            else:
                faults += _text_faults(name, pointer) or json_faults(member, child(pointer, name), depth + 1)
        return faults
    return [FieldError(pointer, f"a {type(value).__name__} cannot be written as JSON")]


def _text_faults(text: str, pointer: str) -> list[FieldError]:
    if text.isascii():
        return []
    try:
        text.encode()
    except UnicodeEncodeError:
        return [FieldError(pointer, "text with half a surrogate pair is not Unicode")]
    return []
