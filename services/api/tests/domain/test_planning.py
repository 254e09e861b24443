"""What rosettes take: known answers, and what must hold for every pattern."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmos.domain.planning import Plan, Stock, families_of, plan_rosettes
from rmos.domain.presets import PRESETS


def family(stock_mm: float = 10_000.0, **fields: object) -> Stock:
    given = {
        "id": "f1",
        "name": "Maple 0.6",
        "material_type": "Maple",
        "strip_width_mm": 2.0,
        "strip_thickness_mm": 0.6,
        "min_stock_mm": None,
        "lane": "safe",
    }
    return Stock(**{**given, **fields}, stock_mm=stock_mm)  # type: ignore[arg-type]


def ring(**fields: object) -> dict[str, object]:
    return {"radius_mm": 52.0, "width_mm": 2.5, "tile_length_mm": 4.0, "kind": "tiles", **fields}


def plan(*rings: dict[str, object], stock: Stock | None = None, **options: object) -> Plan:
    held = {} if stock is None else {stock.id: stock}
    return plan_rosettes({"rings": list(rings)}, held, family_id="f1", **options)  # type: ignore[arg-type,dict-item]


def codes(found: Plan) -> set[str]:
    return {caution.code for caution in found.warnings}


def test_a_sliced_ring_takes_its_circumference_its_scrap_and_a_cut_for_each_tile():
    found = plan(ring(radius_mm=47.5, tile_length_mm=2.4, kerf_mm=0.3), stock=family(), scrap_share=0.05)
    assert found.rings[0].tiles is not None
    assert found.rings[0].tiles.count == 124
    expected = 2 * math.pi * 47.5 * 1.05 + 124 * 0.3
    assert found.rings[0].strip_mm == pytest.approx(expected)
    assert found.materials[0].needed_mm == pytest.approx(expected)
    assert found.materials[0].enough_for == math.floor(10_000 / expected)
    assert found.materials[0].volume_cm3 == pytest.approx(2.0 * 0.6 * expected / 1000)
    assert found.materials[0].mass_g == pytest.approx(found.materials[0].volume_cm3 * 0.705)


def test_a_purfling_line_is_bent_and_not_sawn():
    found = plan(ring(kind="purfling", width_mm=0.5), stock=family())
    assert found.rings[0].kerf_loss_mm == 0
    assert found.rings[0].strip_mm == pytest.approx(2 * math.pi * 52 * 1.05)


def test_rings_of_one_family_are_added_up():
    both = plan(ring(), ring(radius_mm=60.0), stock=family())
    parts = [plan(ring(radius_mm=radius), stock=family()).materials[0].per_rosette_mm for radius in (52.0, 60.0)]
    assert both.materials[0].per_rosette_mm == pytest.approx(sum(parts))
    assert len(both.materials) == 1


def test_a_ring_that_names_a_family_does_not_take_the_patterns():
    assert families_of({"rings": [{"strip_family_id": "f2"}, {}]}, "f1") == {"f1", "f2"}
    assert families_of({"rings": [{"strip_family_id": "f2"}]}, None) == {"f2"}
    assert families_of({}, "f1") == frozenset()


def test_the_scarcest_family_says_for_how_many_it_is_enough():
    scarce = family(500.0, id="f2", name="Ebony")
    rings = [ring(), ring(radius_mm=60.0, strip_family_id="f2")]
    found = plan_rosettes({"rings": rings}, {"f1": family(), "f2": scarce}, family_id="f1")  # type: ignore[dict-item]
    assert found.enough_for == 1


def test_too_little_stock_is_said_with_what_is_missing():
    found = plan(ring(), stock=family(500.0), rosettes=3)
    assert found.materials[0].missing_mm == pytest.approx(found.materials[0].needed_mm - 500)
    assert "not_enough_stock" in codes(found)


def test_a_stock_that_would_fall_below_its_minimum_is_said():
    assert "below_minimum" in codes(plan(ring(), stock=family(1000.0, min_stock_mm=900.0)))
    assert "below_minimum" not in codes(plan(ring(), stock=family(1000.0, min_stock_mm=100.0)))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"width_mm": 6.0}, "unusual_width"),
        ({"radius_mm": 95.0}, "unusual_radius"),
        ({"kerf_mm": 3.0}, "unusual_kerf"),
        ({"herringbone_angle_deg": 60.0}, "unusual_herringbone_angle"),
        ({"twist_angle_deg": 270.0}, "unusual_twist_angle"),
        ({"radius_mm": 45.0}, "inside_soundhole"),
        ({"tile_length_mm": 1.0}, "extreme_tiles"),
        ({"tile_length_mm": 10.0}, "untraditional_tiles"),
        ({"tile_length_mm": None}, "no_tiles"),
        ({"radius_mm": None}, "no_radius"),
        ({"strips": [{"width_mm": 0.3}]}, "fragile"),
        ({"tile_length_mm": 0.6, "kerf_mm": 0.4}, "fragile"),
    ],
)
def test_what_is_unusual_or_missing_is_said_and_where(fields: dict[str, object], code: str):
    found = plan({key: value for key, value in ring(**fields).items() if value is not None}, stock=family())
    assert code in codes(found)
    assert all(caution.pointer.startswith("/geometry/rings/0") for caution in found.warnings)


def test_the_worst_reason_makes_a_ring_fragile():
    found = plan(ring(strips=[{"width_mm": 0.45}], width_mm=2.5)).rings[0]
    assert found.fragility == "medium"
    assert found.fragile_by == ("thin_strip",)
    assert plan(ring(strips=[{"width_mm": 0.5}])).rings[0].fragility == "low"


def test_a_ring_of_no_family_is_in_no_stock():
    found = plan_rosettes({"rings": [ring()]}, {})  # type: ignore[dict-item]
    assert codes(found) == {"no_family"}
    assert found.enough_for is None
    assert codes(plan(ring())) == {"unknown_family"}


def test_a_pattern_without_rings_says_so():
    assert codes(plan()) == {"no_rings"}


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
def test_a_preset_can_be_made(preset):
    found = plan_rosettes(preset.geometry, {"f1": family(100_000.0)}, family_id="f1")
    assert found.enough_for
    assert not codes(found) & {"extreme_tiles", "no_radius", "no_tiles", "inside_soundhole"}


@given(
    st.lists(st.floats(40, 89), min_size=1, max_size=6), st.floats(0, 1), st.integers(1, 50), st.floats(0, 1_000_000)
)
def test_what_the_stock_is_enough_for_fits_and_one_more_does_not(
    radii: list[float], scrap: float, rosettes: int, stock_mm: float
):
    found = plan(*(ring(radius_mm=radius) for radius in radii), stock=family(stock_mm), scrap_share=scrap)
    need, enough = found.materials[0], found.enough_for
    assert enough is not None
    assert need.per_rosette_mm * enough <= stock_mm * (1 + 1e-12)
    assert need.per_rosette_mm * (enough + 1) > stock_mm
    many = plan(*(ring(radius_mm=radius) for radius in radii), stock=family(stock_mm), rosettes=rosettes)
    assert many.materials[0].needed_mm == pytest.approx(many.materials[0].per_rosette_mm * rosettes)
