"""The presets are rosettes that a luthier would build, and that the rules accept."""

from __future__ import annotations

import orjson
import pytest

from rmos.domain import patterns
from rmos.domain.geometry import rings_of, tiling
from rmos.domain.presets import PRESETS, SPECIES, Preset, catalogue

by_key = pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)


def test_the_whole_tradition_is_there():
    assert {preset.key for preset in PRESETS} == {
        "spanish_rope",
        "torres_diamond",
        "hauser_rope",
        "herringbone",
        "checkerboard",
        "ladder",
        "wave",
        "bwb_purfling",
        "abalone_ring",
    }


@by_key
def test_a_preset_becomes_a_rosette_as_it_is(preset: Preset):
    given = {"name": preset.name, "geometry": preset.geometry}

    pattern = patterns.create(given, entity_id="p1", now="2026-11-24T10:00:00.000Z")

    assert pattern.pattern_type == "rosette"
    assert pattern.geometry == preset.geometry
    assert pattern.ring_count == len(rings_of(preset.geometry)) >= 3


@by_key
def test_a_preset_is_within_what_is_usual(preset: Preset):
    hole_mm = preset.geometry["soundhole_diameter_mm"]

    assert 50 <= hole_mm <= 150
    for ring in rings_of(preset.geometry):
        assert 38 <= ring["radius_mm"] <= 89
        assert ring["radius_mm"] - ring["width_mm"] / 2 >= hole_mm / 2
        assert 1.5 <= ring["width_mm"] <= 4.5
        assert sum(strip["width_mm"] for strip in ring["strips"]) == pytest.approx(ring["width_mm"])
        assert all(strip["width_mm"] >= 0.5 for strip in ring["strips"])
        division = tiling(ring)
        if ring["kind"] == "tiles":
            assert division is not None
            assert 2 <= division.count <= 300
            assert "segments" in ring or 60 <= division.count <= 120


@by_key
def test_a_preset_is_made_of_known_species_in_their_colours(preset: Preset):
    colors = {species.key: species.color for species in SPECIES}

    for ring in rings_of(preset.geometry):
        for strip in ring["strips"]:
            assert strip["color"] == colors[strip["material"]]


def test_species_have_the_densities_of_the_trade():
    densities = {species.key: species.density_kg_m3 for species in SPECIES}

    assert densities.items() >= {
        ("maple", 705),
        ("rosewood", 830),
        ("ebony", 1030),
        ("walnut", 610),
        ("spruce", 425),
        ("mahogany", 545),
    }


def test_the_catalogue_is_json_and_tells_how_rings_are_divided():
    document = catalogue()

    assert orjson.loads(orjson.dumps(document)) == document
    rope = next(preset for preset in document["presets"] if preset["key"] == "spanish_rope")
    assert [tiles and tiles["count"] for tiles in rope["tilings"]] == [None, 102, None]
