"""JSON values: sameness, pointers, and what cannot be stored."""

from __future__ import annotations

import math

import orjson
import pytest
from hypothesis import given

from rmos.domain.documents import MAX_DEPTH, child, is_same, json_faults
from rmos.domain.entities import JsonValue
from tests.domain.strategies import JSON_VALUES


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (1, 1.0, True),
        (True, 1, False),
        (False, 0, False),
        (None, False, False),
        ({"a": True}, {"a": 1}, False),
        ([0], [False], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": None}, {}, False),
        ([1, 2], [2, 1], False),
        ([1], [1, 1], False),
        ("", None, False),
        ([], {}, False),
    ],
)
def test_sameness_is_that_of_json(left: JsonValue, right: JsonValue, expected: bool) -> None:
    assert is_same(left, right) is expected
    assert is_same(right, left) is expected


@given(JSON_VALUES)
def test_everything_without_a_fault_survives_encoding(value: JsonValue) -> None:
    assert json_faults(value) == []
    assert is_same(orjson.loads(orjson.dumps(value)), value)


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ({"a": [0, math.nan]}, "/a/1"),
        ({"a": math.inf}, "/a"),
        ({"a": -math.inf}, "/a"),
        ({"a": {"b": 2**63}}, "/a/b"),
        ({"a": "\ud800"}, "/a"),
        ({"\udfff": math.nan}, ""),
        ({"a": {1: 2}}, "/a"),
        ({"a": object()}, "/a"),
        ({"a": b"bytes"}, "/a"),
        ({"x/y~z": math.nan}, "/x~1y~0z"),
    ],
)
def test_what_json_cannot_hold_is_told_with_its_place(value: object, pointer: str) -> None:
    assert [fault.pointer for fault in json_faults(value)] == [pointer]


def test_depth_is_limited() -> None:
    def nested(levels: int) -> JsonValue:
        value: JsonValue = 0
        for _ in range(levels):
            value = [value]
        return value

    assert json_faults(nested(MAX_DEPTH)) == []
    assert [fault.detail for fault in json_faults(nested(MAX_DEPTH + 1))] == ["nested deeper than 64 levels"]
    assert len(json_faults(nested(100_000))) == 1


def test_a_pointer_escapes_tilde_and_slash() -> None:
    assert child(child("", "a/b"), "~1") == "/a~1b/~01"
    assert child("/rings", 0) == "/rings/0"
