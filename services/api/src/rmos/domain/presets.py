"""Rosettes to begin with, and the materials they are made of.

The traditions are public; the geometry was made here. Lines are half a millimetre, as veneers are sold, and tile
lengths are chosen so that 60 to 120 of them go round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from rmos.domain.entities import JsonObject, JsonValue
from rmos.domain.geometry import rings_of, tiling

_LINE_MM: Final = 0.5
"""Width of one veneer line: the thinnest that is sawn and bent without trouble."""
_KERF_MM: Final = 0.3


@dataclass(frozen=True, slots=True)
class Species:
    """What strips are cut from.

    Attributes:
        color: Of the oiled surface, as CSS takes it.
        density_kg_m3: Air-dry; a textbook mean, from which single boards differ by a tenth and more.
    """

    key: str
    name: str
    color: str
    density_kg_m3: float


SPECIES: Final = (
    Species("maple", "Maple", "#e9d5ab", 705),
    Species("rosewood", "Rosewood", "#4c2720", 830),
    Species("ebony", "Ebony", "#1d1917", 1030),
    Species("walnut", "Walnut", "#6b4a31", 610),
    Species("spruce", "Spruce", "#ecd9b0", 425),
    Species("mahogany", "Mahogany", "#8c4a2f", 545),
    Species("abalone", "Abalone", "#5fa8a0", 2700),
)
_COLOR: Final = {species.key: species.color for species in SPECIES}


@dataclass(frozen=True, slots=True)
class Preset:
    """A rosette to begin with: fields of a pattern, and a key that never changes."""

    key: str
    name: str
    description: str
    geometry: JsonObject


@dataclass(frozen=True, slots=True)
class _Ring:
    """A ring before it has a place."""

    width_mm: float
    members: JsonObject


def _lines(materials: Sequence[str]) -> _Ring:
    """Plain lines, bent round in whole."""
    return _Ring(_LINE_MM * len(materials), {"kind": "purfling", "strips": _strips(materials)})


def _mosaic(materials: Sequence[str], *, tile_length_mm: float, **angles_deg: float) -> _Ring:
    """Tiles, sliced from a stack of strips."""
    members: JsonObject = {"kind": "tiles", "tile_length_mm": tile_length_mm, "kerf_mm": _KERF_MM}
    return _Ring(_LINE_MM * len(materials), {**members, **angles_deg, "strips": _strips(materials)})


def _strips(materials: Sequence[str], width_mm: float = _LINE_MM) -> list[JsonValue]:
    return [{"width_mm": width_mm, "material": material, "color": _COLOR[material]} for material in materials]


def _rosette(soundhole_mm: float, *parts: _Ring | float) -> JsonObject:
    """The parts laid outwards from the edge of the soundhole; a number is that many mm of the soundboard left bare."""
    edge_mm = soundhole_mm / 2
    rings: list[JsonValue] = []
    for part in parts:
        if isinstance(part, _Ring):
            place: JsonObject = {"ring_id": f"ring-{len(rings) + 1}", "radius_mm": edge_mm + part.width_mm / 2}
            rings.append({**place, "width_mm": part.width_mm, **part.members})
        edge_mm += part.width_mm if isinstance(part, _Ring) else part
    return {"soundhole_diameter_mm": soundhole_mm, "rings": rings}


_BWB: Final = _lines(("ebony", "maple", "ebony"))
"""Black, white, black: the classic purfling."""
_WBW: Final = _lines(("maple", "ebony", "maple"))

_ROPE: Final = ("rosewood", "maple", "maple", "walnut", "maple", "maple", "rosewood")
_DIAMOND: Final = ("rosewood", "rosewood", "walnut", "maple", "ebony", "maple", "walnut", "rosewood", "rosewood")
_FINE_ROPE: Final = ("ebony", "maple", "mahogany", "maple", "ebony")
_LEAVES: Final = ("walnut", "maple", "spruce", "mahogany", "spruce", "maple", "walnut")

PRESETS: Final = (
    Preset(
        "spanish_rope",
        "Traditional Spanish rope",
        "One twisted rope of maple and rosewood between black-white-black lines, as on countless Spanish guitars.",
        _rosette(86.0, 2.5, _BWB, _mosaic(_ROPE, tile_length_mm=3.0, twist_angle_deg=30, slice_angle_deg=30), _BWB),
    ),
    Preset(
        "torres_diamond",
        "Torres-style diamond",
        "A broad band of diamonds with an ebony heart, flanked by white-black-white lines.",
        _rosette(85.0, 2.5, _WBW, _mosaic(_DIAMOND, tile_length_mm=3.0, slice_angle_deg=45), _WBW),
    ),
    Preset(
        "hauser_rope",
        "Hauser-style rope",
        "A band of leaves between two fine ropes that turn against each other.",
        _rosette(
            87.0,
            2.0,
            _BWB,
            _mosaic(_FINE_ROPE, tile_length_mm=3.0, twist_angle_deg=-30, slice_angle_deg=45),
            _mosaic(_LEAVES, tile_length_mm=3.2, herringbone_angle_deg=15),
            _mosaic(_FINE_ROPE, tile_length_mm=3.0, twist_angle_deg=30, slice_angle_deg=45),
            _BWB,
        ),
    ),
    Preset(
        "herringbone",
        "Herringbone",
        "Maple and rosewood leaning left and right by turns, for a steel-string guitar.",
        _rosette(
            100.0,
            3.0,
            _BWB,
            _mosaic(("rosewood", "maple", "rosewood", "maple"), tile_length_mm=3.5, herringbone_angle_deg=45),
            _BWB,
        ),
    ),
    Preset(
        "checkerboard",
        "Checkerboard",
        "Two rows of ebony and maple squares; every second tile is turned over.",
        _rosette(
            100.0, 3.0, _WBW, _mosaic(("ebony",) * 3 + ("maple",) * 3, tile_length_mm=3.0, slice_angle_deg=90), _WBW
        ),
    ),
    Preset(
        "ladder",
        "Ladder",
        "Long maple rungs between rosewood rails.",
        _rosette(
            100.0,
            3.0,
            _BWB,
            _mosaic(("rosewood", "maple", "maple", "maple", "rosewood"), tile_length_mm=5.0, slice_angle_deg=90),
            _BWB,
        ),
    ),
    Preset(
        "wave",
        "Wave",
        "Walnut and maple in a slow wave, made by a gentle twist and a slight herringbone.",
        _rosette(
            100.0,
            3.0,
            _WBW,
            _mosaic(
                ("walnut", "maple") * 3,
                tile_length_mm=4.0,
                twist_angle_deg=15,
                herringbone_angle_deg=20,
                slice_angle_deg=60,
            ),
            _WBW,
        ),
    ),
    Preset(
        "bwb_purfling",
        "BWB purfling",
        "Lines alone: a group of seven between two of three, with the soundboard showing between them.",
        _rosette(100.0, 3.0, _BWB, 3.0, _lines(("ebony", "maple") * 3 + ("ebony",)), 3.0, _BWB),
    ),
    Preset(
        "abalone_ring",
        "Abalone ring",
        "A ring of 24 pieces of shell between black-white-black lines.",
        _rosette(
            100.0, 3.0, _BWB, _Ring(2.5, {"kind": "tiles", "segments": 24, "strips": _strips(("abalone",), 2.5)}), _BWB
        ),
    ),
)


def catalogue() -> JsonObject:
    """Presets and species as JSON. `tilings` tells for each ring how it is divided, null where it is not."""
    presets: list[JsonValue] = []
    for preset in PRESETS:
        divided = [tiling(ring) for ring in rings_of(preset.geometry)]
        tilings: list[JsonValue] = [asdict(division) if division else None for division in divided]
        presets.append(asdict(preset) | {"tilings": tilings})
    return {"presets": presets, "species": [asdict(species) for species in SPECIES]}
