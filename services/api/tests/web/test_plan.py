"""The plan of a stored pattern, through HTTP."""

from __future__ import annotations

import pytest

from .shops import FAMILIES, PATTERNS, Shop, is_problem, make_family, make_pattern, pointers

RING = {"radius_mm": 52.0, "width_mm": 2.5, "tile_length_mm": 4.0, "kind": "tiles", "kerf_mm": 0.3}


async def stored(shop: Shop, **fields: object) -> str:
    """A pattern of one ring, made of a family that holds two metres."""
    family = await shop.make(FAMILIES, make_family(strips=[{"id": "s1", "length_mm": 2000}]))
    made = await shop.make(
        PATTERNS, {"name": "Rope", "geometry": {"rings": [RING]}, "strip_family_id": family["id"], **fields}
    )
    return f"/api/rmos/patterns/{made['id']}/plan"


async def test_a_pattern_is_planned_against_what_is_in_stock(shop: Shop) -> None:
    answer = await shop.client.get(await stored(shop), params={"rosettes": 5, "scrap": 0.1})

    assert answer.status_code == 200, answer.text
    plan = answer.json()["plan"]
    assert (plan["rosettes"], plan["scrap_share"], plan["pattern"]["name"]) == (5, 0.1, "Rope")
    assert plan["rings"][0]["tiles"]["count"] == 81
    assert plan["materials"][0]["per_rosette_mm"] == pytest.approx(326.7256 * 1.1 + 81 * 0.3, abs=0.001)
    assert plan["enough_for"] == 5
    assert plan["materials"][0]["missing_mm"] == 0


async def test_a_pattern_without_rings_has_a_plan_that_says_so(shop: Shop) -> None:
    made = await shop.make(PATTERNS, make_pattern(ring_count=3, geometry={}))
    plan = (await shop.client.get(f"/api/rmos/patterns/{made['id']}/plan")).json()["plan"]
    assert (plan["rings"], plan["materials"], plan["enough_for"], plan["fragility"]) == ([], [], None, None)
    assert [warning["code"] for warning in plan["warnings"]] == ["no_rings"]


async def test_the_plan_of_nothing_is_not_found(shop: Shop) -> None:
    answer = await shop.client.get("/api/rmos/patterns/nope/plan")
    assert is_problem(answer, 404, "not_found")


@pytest.mark.parametrize(("name", "value"), [("rosettes", "0"), ("rosettes", "x"), ("scrap", "1.5"), ("count", "1")])
async def test_a_bad_parameter_is_named(shop: Shop, name: str, value: str) -> None:
    answer = await shop.client.get(await stored(shop), params={name: value})
    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == [f"/{name}"]
