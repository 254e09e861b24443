"""Patterns: the number of rings, the type, and versions."""

from __future__ import annotations

import pytest

from rmos.domain import patterns
from rmos.domain.entities import JsonValue
from rmos.domain.patterns import Pattern
from rmos.domain.revise import document_of
from rmos.errors import InvalidError

NOW = "2026-11-24T10:00:00.000Z"
LATER = "2026-11-24T11:00:00.000Z"
TWO_RINGS: JsonValue = {"rings": [{"radius": 40, "angle": 0}, {"radius": 45, "angle": 15}]}


def make_pattern(**given: JsonValue) -> Pattern:
    return patterns.create({"name": "Rope", "ring_count": 1} | given, entity_id="p1", now=NOW)


def change(pattern: Pattern, **changes: JsonValue) -> Pattern:
    return patterns.change(pattern, changes, now=LATER)


def test_the_document_has_every_field_in_its_published_order():
    assert document_of(make_pattern()) == {
        "id": "p1",
        "name": "Rope",
        "pattern_type": "generic",
        "ring_count": 1,
        "geometry": {},
        "strip_family_id": None,
        "metadata": None,
        "created_at": NOW,
        "updated_at": NOW,
        "version": 1,
    }
    assert list(document_of(make_pattern()))[:4] == ["id", "name", "pattern_type", "ring_count"]


def test_the_published_bodies_are_accepted():
    guide = make_pattern(name="Test Pattern", ring_count=3, geometry={"rings": []})
    smoke = make_pattern(ring_count=3, geometry={"rings": [{"radius": r, "angle": a} for r, a in [(40, 0)] * 3]})

    assert (guide.ring_count, guide.pattern_type) == (3, "generic")
    assert (smoke.ring_count, smoke.pattern_type) == (3, "rosette")


def test_the_number_of_rings_is_derived_when_it_is_absent():
    pattern = patterns.create({"name": "Rope", "geometry": TWO_RINGS}, entity_id="p1", now=NOW)

    assert pattern.ring_count == 2


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"ring_count": 3, "geometry": TWO_RINGS}, "/ring_count"),
        ({"ring_count": None}, "/ring_count"),
        ({"ring_count": None, "geometry": {"rings": []}}, "/ring_count"),
        ({"ring_count": 0}, "/ring_count"),
        ({"name": None}, "/name"),
        ({"pattern_type": "mosaic"}, "/pattern_type"),
        ({"geometry": []}, "/geometry"),
        ({"geometry": {"rings": [{"width_mm": 0}]}}, "/geometry/rings/0/width_mm"),
        ({"metadata": "x"}, "/metadata"),
        ({"strip_family_id": "a b"}, "/strip_family_id"),
    ],
)
def test_a_bad_pattern_is_refused_with_the_place(given: dict[str, JsonValue], pointer: str):
    with pytest.raises(InvalidError) as caught:
        make_pattern(**given)

    assert [fault.pointer for fault in caught.value.errors] == [pointer]


def test_a_change_is_the_next_version_and_keeps_what_it_does_not_name():
    after = change(make_pattern(metadata={"a": 1}), name="Wave")

    assert (after.name, after.version, after.created_at, after.updated_at) == ("Wave", 2, NOW, LATER)
    assert after.metadata == {"a": 1}


@pytest.mark.parametrize(
    "changes",
    [{}, {"name": "Rope"}, {"ring_count": 1.0}, {"metadata": {"b": 2, "a": True}}, {"id": "p1", "version": 99}],
)
def test_a_change_that_changes_nothing_is_the_same_pattern(changes: dict[str, JsonValue]):
    pattern = make_pattern(metadata={"a": True, "b": 2})

    assert change(pattern, **changes) is pattern


def test_true_is_another_value_than_1():
    assert change(make_pattern(metadata={"a": True}), metadata={"a": 1}).version == 2


def test_other_rings_count_anew():
    assert change(make_pattern(), geometry=TWO_RINGS).ring_count == 2


def test_the_number_of_rings_stays_when_the_rings_are_taken_out():
    after = change(make_pattern(ring_count=2, geometry=TWO_RINGS), geometry={"rings": []})

    assert after.ring_count == 2


def test_the_number_cannot_contradict_the_stored_rings():
    with pytest.raises(InvalidError) as caught:
        change(make_pattern(ring_count=2, geometry=TWO_RINGS), ring_count=3)

    assert caught.value.errors[0].pointer == "/ring_count"


def test_null_clears_a_field_to_its_default():
    pattern = make_pattern(metadata={"a": 1}, geometry={"x": 1}, pattern_type="rosette", strip_family_id="f1")

    after = change(pattern, metadata=None, geometry=None, pattern_type=None, strip_family_id=None, ring_count=None)

    assert (after.metadata, after.geometry, after.pattern_type, after.strip_family_id) == (None, {}, "generic", None)
    assert after.ring_count == 1
