"""What a rosette takes to make: strip, saw cuts, stock, and what may go wrong.

Rule 1: the strip of a sliced ring is its circumference and the scrap share of it, and one saw cut for each tile; the
strip of a ring that is laid in one piece has no cuts. Rings of the same strip family are added up.
Rule 2: a warning never refuses anything. It names the ring, the reason and the usual range.
Rule 3: what the numbers do not say is None, and a warning says which number is missing.

Usual ranges: luthiers' practice for guitar rosettes. Fragility is a rule of thumb of this program, see `FRAGILE`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rmos.domain.entities import JsonObject, JsonValue
from rmos.domain.geometry import DEFAULT_KERF_MM, Tiling, circumference_mm, rings_of, tiling
from rmos.domain.presets import SPECIES

DEFAULT_SCRAP_SHARE: Final = 0.05
"""Strip that is lost beside the saw cuts, as a share of what a ring takes."""
DEFAULT_SOUNDHOLE_MM: Final = 100.0
SLICED: Final = "tiles"
"""The kind of ring that is sawn into tiles; a ring that does not tell its kind is one when it is divided."""

USUAL: Final[Mapping[str, tuple[float, float, str]]] = {
    "radius_mm": (38.0, 89.0, "mm"),
    "width_mm": (1.5, 4.5, "mm"),
    "kerf_mm": (0.1, 2.0, "mm"),
    "herringbone_angle_deg": (0.0, 45.0, "°"),
    "twist_angle_deg": (-180.0, 180.0, "°"),
}
"""Range of each number of a ring outside of which it is unusual, and its unit."""
USUAL_SOUNDHOLE_MM: Final = (50.0, 150.0)
POSSIBLE_TILES: Final = (2, 300)
TRADITIONAL_TILES: Final = (60, 120)

FRAGILE: Final[Mapping[str, tuple[float, float]]] = {
    "thin_strip": (0.5, 0.4),
    "slender_tile": (3.0, 5.0),
    "wide_kerf": (0.25, 0.5),
    "short_grain": (30.0, 45.0),
}
"""Where a ring becomes fragile (medium, high): width of its thinnest strip in mm (less is worse), tile width to tile
length, kerf to tile length, and angle of the herringbone or slice in degrees (more is worse)."""
LEVELS: Final = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Stock:
    """A strip family as far as planning needs it. Lengths in mm; `min_stock_mm` None when nobody watches it."""

    id: str
    name: str
    material_type: str
    strip_width_mm: float
    strip_thickness_mm: float
    stock_mm: float
    min_stock_mm: float | None
    lane: str | None


@dataclass(frozen=True, slots=True)
class Caution:
    """Something to look at before making it.

    Attributes:
        code: Why, e.g. `unusual_width`; see docs/reference/plan.md.
        pointer: JSON pointer into the pattern, or into the plan's materials.
        message: The same for people.
    """

    code: str
    pointer: str
    message: str


@dataclass(frozen=True, slots=True)
class RingPlan:
    """One ring of one rosette.

    Attributes:
        strip_mm: Strip that it takes, scrap and kerf included; None without a radius.
        kerf_loss_mm: The part of it that becomes sawdust.
        fragility: `low`, `medium`, `high`; None when no number tells. `fragile_by` are the reasons of that level.
    """

    index: int
    ring_id: str | None
    kind: str
    strip_family_id: str | None
    circumference_mm: float | None
    tiles: Tiling | None
    strip_mm: float | None
    kerf_loss_mm: float
    fragility: str | None
    fragile_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Need:
    """What all rosettes together take of one strip family. Lengths in mm, volume in cm³, mass in g.

    Attributes:
        per_rosette_mm: Strip for one.
        needed_mm: Strip for all.
        missing_mm: What the stock lacks; 0 when it is enough.
        enough_for: Whole rosettes that the stock is enough for.
        mass_g: None for a material of unknown density.
    """

    strip_family_id: str
    name: str
    material_type: str
    per_rosette_mm: float
    needed_mm: float
    stock_mm: float
    missing_mm: float
    enough_for: int
    volume_cm3: float
    mass_g: float | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What `rosettes` of a pattern take.

    Attributes:
        enough_for: Whole rosettes that every family's stock is enough for; None when no ring tells its family.
        tiles: Of one rosette.
        fragility: Of the most fragile ring.
    """

    rosettes: int
    scrap_share: float
    rings: tuple[RingPlan, ...]
    materials: tuple[Need, ...]
    enough_for: int | None
    tiles: int
    fragility: str | None
    warnings: tuple[Caution, ...]


def families_of(geometry: Mapping[str, JsonValue], family_id: str | None) -> frozenset[str]:
    """Every strip family that a pattern is made of: those of its rings, its own where a ring names none."""
    return frozenset(found for ring in rings_of(geometry) if (found := _text(ring, "strip_family_id") or family_id))


def plan_rosettes(
    geometry: Mapping[str, JsonValue],
    stock: Mapping[str, Stock],
    *,
    family_id: str | None = None,
    rosettes: int = 1,
    scrap_share: float = DEFAULT_SCRAP_SHARE,
) -> Plan:
    """The plan of some rosettes.

    Args:
        geometry: As it is stored.
        stock: The families that exist, of those `families_of` names.
        family_id: The pattern's own family, for rings that name none.
        scrap_share: Share of the strip that is lost, 0 to 1.
    """
    rings = rings_of(geometry)
    plans = tuple(_plan_ring(index, ring, family_id, scrap_share) for index, ring in enumerate(rings))
    needs = tuple(_needs(plans, stock, rosettes))
    levels = [plan.fragility for plan in plans if plan.fragility is not None]
    return Plan(
        rosettes=rosettes,
        scrap_share=scrap_share,
        rings=plans,
        materials=needs,
        enough_for=min((need.enough_for for need in needs), default=None),
        tiles=sum(plan.tiles.count for plan in plans if plan.tiles),
        fragility=max(levels, key=LEVELS.index, default=None),
        warnings=(
            *_hole_warnings(geometry, rings),
            *(warning for plan, ring in zip(plans, rings, strict=True) for warning in _ring_warnings(plan, ring)),
            *_family_warnings(plans, stock),
            *_stock_warnings(needs, stock),
        ),
    )


def _plan_ring(index: int, ring: JsonObject, family_id: str | None, scrap_share: float) -> RingPlan:
    radius_mm = _number(ring, "radius_mm")
    round_mm = None if radius_mm is None else circumference_mm(radius_mm)
    tiles = tiling(ring)
    kind = _text(ring, "kind") or (SLICED if tiles else "solid")
    cuts = tiles.count if tiles and kind == SLICED else 0
    kerf_loss_mm = cuts * _kerf_mm(ring)
    fragile = _fragility(ring, tiles if kind == SLICED else None)
    worst = max(fragile.values(), key=LEVELS.index, default=None)
    return RingPlan(
        index=index,
        ring_id=_text(ring, "ring_id"),
        kind=kind,
        strip_family_id=_text(ring, "strip_family_id") or family_id,
        circumference_mm=round_mm,
        tiles=tiles,
        strip_mm=None if round_mm is None else round_mm * (1 + scrap_share) + kerf_loss_mm,
        kerf_loss_mm=kerf_loss_mm,
        fragility=worst,
        fragile_by=tuple(reason for reason, level in fragile.items() if level == worst and worst != LEVELS[0]),
    )


def _fragility(ring: JsonObject, tiles: Tiling | None) -> dict[str, str]:
    """The level by reason, of every reason that the numbers tell."""
    levels = {}
    if widths := [width for strip in _objects(ring, "strips") if (width := _number(strip, "width_mm")) is not None]:
        medium, high = FRAGILE["thin_strip"]
        levels["thin_strip"] = _level(-min(widths), -medium, -high, at_limit=False)
    width_mm = _number(ring, "width_mm")
    if tiles and width_mm is not None:
        levels["slender_tile"] = _level(width_mm / tiles.tile_length_mm, *FRAGILE["slender_tile"])
    if tiles:
        levels["wide_kerf"] = _level(_kerf_mm(ring) / tiles.tile_length_mm, *FRAGILE["wide_kerf"])
    angles = [abs(a) for key in ("herringbone_angle_deg", "slice_angle_deg") if (a := _number(ring, key)) is not None]
    if tiles and angles:
        levels["short_grain"] = _level(max(angles), *FRAGILE["short_grain"])
    return levels


def _level(value: float, medium: float, high: float, *, at_limit: bool = True) -> str:
    """The level of a value that is worse the larger it is; `at_limit` says whether a limit itself is the worse side."""
    if value > high or (at_limit and value == high):
        return LEVELS[2]
    return LEVELS[1] if value > medium or (at_limit and value == medium) else LEVELS[0]


def _needs(plans: Iterable[RingPlan], stock: Mapping[str, Stock], rosettes: int) -> list[Need]:
    strips: dict[str, list[float]] = {}
    for plan in plans:
        family_id = plan.strip_family_id
        if family_id is not None and family_id in stock and plan.strip_mm is not None:
            strips.setdefault(family_id, []).append(plan.strip_mm)
    return [_need(stock[family_id], math.fsum(lengths), rosettes) for family_id, lengths in strips.items()]


def _need(family: Stock, per_rosette_mm: float, rosettes: int) -> Need:
    needed_mm = per_rosette_mm * rosettes
    volume_cm3 = family.strip_width_mm * family.strip_thickness_mm * needed_mm / 1000
    density = _DENSITY.get(family.material_type.casefold())
    return Need(
        strip_family_id=family.id,
        name=family.name,
        material_type=family.material_type,
        per_rosette_mm=per_rosette_mm,
        needed_mm=needed_mm,
        stock_mm=family.stock_mm,
        missing_mm=max(0.0, needed_mm - family.stock_mm),
        enough_for=math.floor(family.stock_mm / per_rosette_mm),
        volume_cm3=volume_cm3,
        mass_g=None if density is None else volume_cm3 * density / 1000,
    )


_DENSITY: Final = {
    name: species.density_kg_m3 for species in SPECIES for name in (species.key, species.name.casefold())
}


def _hole_warnings(geometry: Mapping[str, JsonValue], rings: Sequence[JsonObject]) -> list[Caution]:
    if not rings:
        return [Caution("no_rings", "/geometry/rings", "the pattern has no rings yet; add some to plan it")]
    given_mm = _number(geometry, "soundhole_diameter_mm")
    hole_mm = DEFAULT_SOUNDHOLE_MM if given_mm is None else given_mm
    found = []
    low, high = USUAL_SOUNDHOLE_MM
    if not low <= hole_mm <= high:
        told = f"a soundhole of {hole_mm:g} mm is unusual; usual is {low:g} to {high:g} mm"
        found.append(Caution("unusual_soundhole", "/geometry/soundhole_diameter_mm", told))
    for index, ring in enumerate(rings):
        radius_mm, width_mm = _number(ring, "radius_mm"), _number(ring, "width_mm") or 0.0
        if radius_mm is not None and radius_mm - width_mm / 2 < hole_mm / 2:
            told = (
                f"ring {index + 1} begins at {radius_mm - width_mm / 2:g} mm, inside the soundhole of "
                f"{hole_mm / 2:g} mm radius{' that is assumed' if given_mm is None else ''}"
            )
            found.append(Caution("inside_soundhole", f"/geometry/rings/{index}/radius_mm", told))
    return found


def _ring_warnings(plan: RingPlan, ring: JsonObject) -> list[Caution]:
    pointer, name = f"/geometry/rings/{plan.index}", f"ring {plan.index + 1}"
    found = []
    for key, (low, high, unit) in USUAL.items():
        value = _number(ring, key)
        if value is not None and not low <= value <= high:
            label = key.rsplit("_", 1)[0].replace("_", " ")
            told = f"{name}: {label} {value:g} {unit} is unusual; usual is {low:g} to {high:g} {unit}"
            found.append(Caution(f"unusual_{key.rsplit('_', 1)[0]}", f"{pointer}/{key}", told))
    if plan.circumference_mm is None:
        found.append(Caution("no_radius", f"{pointer}/radius_mm", f"{name} tells no radius; its strip is not counted"))
    elif plan.tiles is None and plan.kind == SLICED:
        told = f"{name} tells neither tile length nor segments; its saw cuts are not counted"
        found.append(Caution("no_tiles", f"{pointer}/tile_length_mm", told))
    elif plan.tiles is not None and plan.kind == SLICED:
        found += _tile_warnings(plan.tiles.count, pointer, name)
    if plan.fragility == LEVELS[2]:
        told = f"{name} is fragile: {', '.join(reason.replace('_', ' ') for reason in plan.fragile_by)}"
        found.append(Caution("fragile", pointer, told))
    return found


def _tile_warnings(count: int, pointer: str, name: str) -> list[Caution]:
    for code, (low, high), word in (
        ("extreme_tiles", POSSIBLE_TILES, "can be made"),
        ("untraditional_tiles", TRADITIONAL_TILES, "is traditional"),
    ):
        if not low <= count <= high:
            return [Caution(code, f"{pointer}/segments", f"{name} has {count} tiles; {low} to {high} {word}")]
    return []


def _family_warnings(plans: Iterable[RingPlan], stock: Mapping[str, Stock]) -> list[Caution]:
    found = []
    for plan in plans:
        pointer, name = f"/geometry/rings/{plan.index}/strip_family_id", f"ring {plan.index + 1}"
        if plan.strip_family_id is None:
            found.append(Caution("no_family", pointer, f"{name} names no strip family; its strip is in no stock"))
        elif plan.strip_family_id not in stock:
            found.append(Caution("unknown_family", pointer, f"{name} names a family that is not here any more"))
    return found


def _stock_warnings(needs: Iterable[Need], stock: Mapping[str, Stock]) -> list[Caution]:
    found = []
    for index, need in enumerate(needs):
        pointer, family = f"/materials/{index}", stock[need.strip_family_id]
        if need.missing_mm > 0:
            told = f"{need.name}: {need.missing_mm:.0f} mm are missing; the stock is enough for {need.enough_for}"
            found.append(Caution("not_enough_stock", pointer, told))
        elif family.min_stock_mm is not None and need.stock_mm - need.needed_mm < family.min_stock_mm:
            told = f"{need.name} falls below its minimum of {family.min_stock_mm:g} mm"
            found.append(Caution("below_minimum", pointer, told))
        if family.lane in ("experimental", "archived"):
            found.append(Caution(f"{family.lane}_family", pointer, f"{need.name} is in the lane {family.lane}"))
    return found


def _kerf_mm(ring: Mapping[str, JsonValue]) -> float:
    given = _number(ring, "kerf_mm")
    return DEFAULT_KERF_MM if given is None else given


def _number(holder: Mapping[str, JsonValue], key: str) -> float | None:
    value = holder.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(holder: Mapping[str, JsonValue], key: str) -> str | None:
    value = holder.get(key)
    return value if isinstance(value, str) else None


def _objects(holder: Mapping[str, JsonValue], key: str) -> list[JsonObject]:
    value = holder.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
