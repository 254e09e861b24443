"""Rosettes that can exist are taken, others refused with the place of the fault; known numbers come out."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmos.domain.entities import JsonObject, JsonValue
from rmos.domain.geometry import circumference_mm, read_geometry, tile_count, tiling
from rmos.errors import InvalidError


def make_ring(**members: JsonValue) -> JsonObject:
    return dict(members)


def read(*rings: JsonValue, **members: JsonValue) -> JsonValue:
    return read_geometry({"rings": list(rings), **members}, "/geometry")


def pointers_of(*rings: JsonValue, **members: JsonValue) -> list[str]:
    with pytest.raises(InvalidError) as caught:
        read(*rings, **members)
    return [fault.pointer for fault in caught.value.errors]


@pytest.mark.parametrize(
    ("radius_mm", "tile_length_mm", "count", "effective_mm"),
    [(47.5, 2.4, 124, 2.4069), (40.0, 2.5, 100, 2.5133)],
)
def test_tiles_of_a_wanted_length_are_stretched_to_close_the_ring(
    radius_mm: float, tile_length_mm: float, count: int, effective_mm: float
) -> None:
    division = tiling(make_ring(radius_mm=radius_mm, tile_length_mm=tile_length_mm))

    assert division is not None
    assert division.count == tile_count(radius_mm, tile_length_mm) == count
    assert division.tile_length_mm == pytest.approx(effective_mm, abs=5e-5)


@pytest.mark.parametrize(
    ("radius_mm", "segments", "tile_length_mm"), [(40, 60, 4.189), (45, 72, 3.927), (50, 84, 3.740)]
)
@pytest.mark.parametrize("key", ["segments", "segment_count", "tile_count"])
def test_a_given_number_of_tiles_is_read_under_each_of_its_names(
    key: str, radius_mm: float, segments: int, tile_length_mm: float
) -> None:
    division = tiling(make_ring(radius_mm=radius_mm, **{key: segments}))

    assert division is not None
    assert division.count == segments
    assert division.tile_length_mm == pytest.approx(tile_length_mm, abs=5e-4)
    assert division.tile_angle_deg == pytest.approx(360 / segments)


def test_a_given_number_of_tiles_beats_a_given_length() -> None:
    division = tiling(make_ring(radius_mm=40, tile_length_mm=2.5, segments=90))

    assert division is not None
    assert division.count == 90


def test_the_kerf_angle_is_in_degrees_and_has_a_default() -> None:
    explicit = tiling(make_ring(radius_mm=50, segments=80, kerf_mm=0.5))
    default = tiling(make_ring(radius_mm=50, segments=80))

    assert explicit is not None
    assert explicit.kerf_angle_deg == pytest.approx(0.5 / 50 * 180 / math.pi)
    assert default is not None
    assert default.kerf_angle_deg == pytest.approx(0.3 / 50 * 180 / math.pi)


@pytest.mark.parametrize(
    "ring", [{}, {"radius_mm": 40}, {"segments": 60}, {"tile_length_mm": 2}, {"radius": 40, "angle": 0}]
)
def test_a_ring_that_does_not_say_has_no_tiling(ring: JsonObject) -> None:
    assert tiling(ring) is None


@given(st.floats(0.1, 1000), st.floats(0.01, 1000))
def test_tiles_close_the_ring_and_are_no_shorter_than_wanted(radius_mm: float, tile_length_mm: float) -> None:
    division = tiling({"radius_mm": radius_mm, "tile_length_mm": tile_length_mm})

    if division is None:
        assert tile_length_mm > circumference_mm(radius_mm)
    else:
        assert division.count * division.tile_length_mm == pytest.approx(circumference_mm(radius_mm))
        assert division.tile_length_mm >= tile_length_mm * (1 - 1e-9)


@pytest.mark.parametrize(
    "geometry",
    [
        {},
        {"rings": []},
        {"rings": [{"radius": 40, "angle": 0}, {"radius": 40, "angle": 15}]},
        {
            "rings": [{"kind": None, "radius_mm": None, "strips": None}],
            "artist": "unknown",
            "layers": [[1, {"x": None}]],
        },
        {"rings": [{"radius_mm": 20, "width_mm": 9, "strips": [{"width_mm": 0.2}], "note": ["kept"]}]},
        {"rings": [{"radius_mm": 200, "segments": 1, "twist_angle_deg": 999, "kerf_mm": 0}]},
    ],
)
def test_what_is_unusual_or_unknown_is_kept_as_it_is(geometry: JsonObject) -> None:
    assert read_geometry(geometry, "/geometry") == geometry


def test_rings_that_touch_do_not_overlap_whatever_their_order() -> None:
    outer = make_ring(radius_mm=48.75, width_mm=3.5)
    inner = make_ring(radius_mm=46.25, width_mm=1.5)
    decimals = (make_ring(radius_mm=0.1, width_mm=0.2), make_ring(radius_mm=0.3, width_mm=0.2))

    read(inner, outer)
    read(outer, inner)
    read(*decimals)


def test_overlapping_rings_are_refused_at_the_outer_one() -> None:
    inner = make_ring(radius_mm=46.25, width_mm=1.5)
    outer = make_ring(radius_mm=48.75, width_mm=3.6)

    assert pointers_of(inner, outer) == ["/geometry/rings/1"]
    assert pointers_of(outer, inner) == ["/geometry/rings/0"]


def test_overlap_is_not_judged_where_a_number_is_missing() -> None:
    read(make_ring(radius_mm=40, width_mm=4), make_ring(radius_mm=41), make_ring(width_mm=4))


def test_strips_may_fill_a_ring_but_not_be_wider() -> None:
    fitting = [{"width_mm": 0.1}, {"width_mm": 0.2}, {"width_mm": 1.2}]

    read(make_ring(width_mm=1.5, strips=fitting))

    assert pointers_of(make_ring(width_mm=1.4, strips=fitting)) == ["/geometry/rings/0/strips"]
    read(make_ring(width_mm=1.4, strips=[*fitting, {"material": "maple"}]))
    read(make_ring(strips=fitting))


def test_a_tile_longer_than_the_circumference_is_refused() -> None:
    read(make_ring(radius_mm=1, tile_length_mm=6.28))

    assert pointers_of(make_ring(radius_mm=1, tile_length_mm=6.29)) == ["/geometry/rings/0/tile_length_mm"]


def test_a_ring_wider_than_its_own_disc_is_refused() -> None:
    read(make_ring(radius_mm=1, width_mm=2))

    assert pointers_of(make_ring(radius_mm=1, width_mm=2.1)) == ["/geometry/rings/0/width_mm"]


def test_names_of_the_same_number_must_agree() -> None:
    read(make_ring(segments=60, tile_count=60))

    assert pointers_of(make_ring(segments=60, tile_count=61)) == ["/geometry/rings/0/segments"]


@pytest.mark.parametrize(
    ("ring", "pointer"),
    [
        ({"width_mm": 0}, "/width_mm"),
        ({"width_mm": -1}, "/width_mm"),
        ({"radius_mm": "46"}, "/radius_mm"),
        ({"radius_mm": True}, "/radius_mm"),
        ({"tile_length_mm": 0}, "/tile_length_mm"),
        ({"kerf_mm": -0.1}, "/kerf_mm"),
        ({"segments": 0}, "/segments"),
        ({"segments": 2.5}, "/segments"),
        ({"kind": "mosaic"}, "/kind"),
        ({"twist_angle_deg": "30"}, "/twist_angle_deg"),
        ({"strips": {"width_mm": 1}}, "/strips"),
        ({"strips": [{"width_mm": 0}]}, "/strips/0/width_mm"),
        ({"strips": [7]}, "/strips/0"),
    ],
)
def test_a_malformed_member_is_told_with_its_place(ring: JsonObject, pointer: str) -> None:
    assert pointers_of(make_ring(ring_id="first"), ring) == [f"/geometry/rings/1{pointer}"]


def test_all_faults_of_all_rings_are_told_at_once() -> None:
    assert pointers_of({"width_mm": 0, "segments": 0}, {"radius_mm": -1}, soundhole_diameter_mm=0) == [
        "/geometry/soundhole_diameter_mm",
        "/geometry/rings/0/width_mm",
        "/geometry/rings/0/segments",
        "/geometry/rings/1/radius_mm",
    ]


@pytest.mark.parametrize("geometry", [[], "x", 1, True, {"rings": {}}, {"rings": [[]]}, {"rings": [None]}])
def test_a_geometry_of_another_shape_is_refused(geometry: JsonValue) -> None:
    with pytest.raises(InvalidError):
        read_geometry(geometry, "/geometry")
