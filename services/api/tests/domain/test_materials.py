"""Strip families."""

from __future__ import annotations

import pytest

from rmos.domain import materials
from rmos.domain.entities import JsonValue
from rmos.domain.materials import StripFamily
from rmos.domain.revise import document_of
from rmos.errors import InvalidError

NOW = "2026-11-24T10:00:00.000Z"


def make_family(**given: JsonValue) -> StripFamily:
    required = {"name": "Maple 0.6", "strip_width_mm": 6, "strip_thickness_mm": 0.6, "material_type": "maple"}
    return materials.create(required | given, entity_id="f1", now=NOW)


def test_a_family_has_every_field():
    assert document_of(make_family(strips=[{"id": "s1", "length_mm": 600, "position": 0, "shelf": "B"}])) == {
        "id": "f1",
        "name": "Maple 0.6",
        "strip_width_mm": 6,
        "strip_thickness_mm": 0.6,
        "material_type": "maple",
        "strips": [{"id": "s1", "length_mm": 600, "position": 0, "shelf": "B"}],
        "lane": None,
        "min_stock_mm": None,
        "materials": None,
        "metadata": None,
        "created_at": NOW,
        "updated_at": NOW,
        "version": 1,
    }


@pytest.mark.parametrize("lane", materials.LANES)
def test_every_lane_is_known(lane: str):
    assert make_family(lane=lane).lane == lane


def test_a_mixed_family_names_its_parts():
    parts = [{"key": "a", "type": "wood", "species": "maple", "thickness_mm": 0.6, "cam_profile": "fine", "x": 1}]

    assert make_family(materials=parts).materials == parts


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"strip_width_mm": 0}, "/strip_width_mm"),
        ({"strip_width_mm": None}, "/strip_width_mm"),
        ({"strip_thickness_mm": -0.6}, "/strip_thickness_mm"),
        ({"strip_thickness_mm": "0.6"}, "/strip_thickness_mm"),
        ({"material_type": None}, "/material_type"),
        ({"strips": [{"length_mm": -1}]}, "/strips/0/length_mm"),
        ({"strips": [1]}, "/strips/0"),
        ({"lane": "fast"}, "/lane"),
        ({"min_stock_mm": -1}, "/min_stock_mm"),
        ({"materials": [{"thickness_mm": 0}]}, "/materials/0/thickness_mm"),
        ({"metadata": []}, "/metadata"),
    ],
)
def test_a_bad_family_is_refused_with_the_place(given: dict[str, JsonValue], pointer: str):
    with pytest.raises(InvalidError) as caught:
        make_family(**given)

    assert [fault.pointer for fault in caught.value.errors] == [pointer]


def test_the_required_fields_are_named():
    with pytest.raises(InvalidError) as caught:
        materials.create({}, entity_id="f1", now=NOW)

    assert [fault.pointer for fault in caught.value.errors] == [
        "/name",
        "/strip_width_mm",
        "/strip_thickness_mm",
        "/material_type",
    ]


def test_an_empty_stock_is_null_or_an_empty_list():
    family = make_family(strips=[{"length_mm": 600}])

    assert materials.change(family, {"strips": None}, now=NOW).strips == []
