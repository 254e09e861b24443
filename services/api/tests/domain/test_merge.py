"""Merge patch as RFC 7396 has it, and diffs that can be applied."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given

from rmos.domain.documents import is_same
from rmos.domain.entities import JsonObject, JsonValue
from rmos.domain.merge import diff, merge_patch
from tests.domain.strategies import JSON_OBJECTS, JSON_VALUES

RFC_7396_APPENDIX_A: list[tuple[JsonValue, JsonValue, JsonValue]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("target", "patch", "expected"), RFC_7396_APPENDIX_A)
def test_merge_patch_gives_the_results_of_the_standard(
    target: JsonValue, patch: JsonValue, expected: JsonValue
) -> None:
    assert is_same(merge_patch(target, patch), expected)


@given(JSON_VALUES, JSON_VALUES)
def test_merge_patch_is_idempotent_and_touches_neither(target: JsonValue, patch: JsonValue) -> None:
    before = copy.deepcopy((target, patch))

    once = merge_patch(target, patch)

    assert is_same(merge_patch(once, patch), once)
    assert (target, patch) == before


@given(JSON_VALUES, JSON_VALUES)
def test_setting_what_a_diff_tells_gives_the_target(before: JsonValue, after: JsonValue) -> None:
    assert is_same(applied(before, diff(before, after)), after)


@given(JSON_OBJECTS, JSON_OBJECTS)
def test_what_a_diff_says_was_before_was_there(before: JsonObject, after: JsonObject) -> None:
    for change in diff(before, after):
        assert is_same(found(before, str(change["path"])), change["from"])


@given(JSON_VALUES)
def test_equal_documents_have_no_diff(value: JsonValue) -> None:
    assert diff(value, copy.deepcopy(value)) == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"name": "A"}, {"name": "B"}, [{"path": "/name", "from": "A", "to": "B"}]),
        ({"m": {"a": 1}}, {"m": {"a": 1, "b": 2}}, [{"path": "/m/b", "from": None, "to": 2}]),
        ({"m": {"a": 1, "b": 2}}, {"m": {"a": 1}}, [{"path": "/m", "from": {"a": 1, "b": 2}, "to": {"a": 1}}]),
        ({"l": [1, 2]}, {"l": [1, 3]}, [{"path": "/l/1", "from": 2, "to": 3}]),
        ({"l": [1]}, {"l": [1, 2]}, [{"path": "/l", "from": [1], "to": [1, 2]}]),
        ({"a": True}, {"a": 1}, [{"path": "/a", "from": True, "to": 1}]),
        ({"a/b": {"~": 1}}, {"a/b": {"~": None}}, [{"path": "/a~1b/~0", "from": 1, "to": None}]),
    ],
)
def test_a_diff_names_the_smallest_place_that_can_be_set(
    before: JsonValue, after: JsonValue, expected: list[JsonObject]
) -> None:
    assert diff(before, after) == expected


def applied(document: JsonValue, changes: list[JsonObject]) -> JsonValue:
    """The document after each path was set to its `to`, as a client would do it."""
    result = copy.deepcopy(document)
    for change in changes:
        *parents, last = tokens(str(change["path"])) or [None]
        if last is None:
            result = change["to"]
            continue
        holder = result
        for token in parents:
            assert token is not None
            holder = member(holder, token)
        if isinstance(holder, list):
            holder[int(last)] = change["to"]
        else:
            assert isinstance(holder, dict)
            holder[last] = change["to"]
    return result


def found(document: JsonValue, path: str) -> JsonValue:
    for token in tokens(path):
        document = member(document, token)
    return document


def member(holder: JsonValue, token: str) -> JsonValue:
    if isinstance(holder, list):
        return holder[int(token)]
    assert isinstance(holder, dict)
    return holder.get(token)


def tokens(path: str) -> list[str]:
    return [token.replace("~1", "/").replace("~0", "~") for token in path.split("/")[1:]]
