"""Rosettes: concentric inlay rings around the soundhole, each of strips, purfling or tiles laid round.

Rule 1: no key is required and unknown keys are kept; a rule is checked only where all its numbers are given.
Rule 2: a rosette that cannot exist is refused; one that is merely unusual is not.
Rule 3: lengths are millimetres, angles degrees; radii are those of the centre line of a ring.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from rmos.domain.documents import child
from rmos.domain.entities import JsonObject, JsonValue
from rmos.domain.fields import (
    Reader,
    choice,
    integer,
    length_mm,
    list_of_objects,
    number,
    raise_if_any,
    read_known,
    text,
)
from rmos.errors import FieldError

RING_KINDS: Final = ("tiles", "purfling", "binding", "solid")
DEFAULT_KERF_MM: Final = 0.3
SEGMENT_KEYS: Final = ("segments", "segment_count", "tile_count")
"""Names under which callers give the number of tiles; the first is ours."""

_TOLERANCE_MM: Final = 1e-6
"""Sums of decimal widths such as 0.1 + 0.2 are a little off; a nanometre is not an overlap."""

_ANY_NUMBER: Final = number()
_SEGMENTS: Final = integer(at_least=1, at_most=100_000)
_STRIP: Final[Mapping[str, Reader]] = {"width_mm": length_mm, "material": text(), "color": text()}
_RING: Final[Mapping[str, Reader]] = {
    "ring_id": text(),
    "kind": choice(RING_KINDS),
    "radius_mm": length_mm,
    "width_mm": length_mm,
    "tile_length_mm": length_mm,
    **dict.fromkeys(SEGMENT_KEYS, _SEGMENTS),
    "kerf_mm": number(at_least=0, at_most=100_000),
    "twist_angle_deg": _ANY_NUMBER,
    "herringbone_angle_deg": _ANY_NUMBER,
    "slice_angle_deg": _ANY_NUMBER,
    "strip_family_id": text(),
    "strips": list_of_objects(_STRIP),
}
_GEOMETRY: Final[Mapping[str, Reader]] = {"soundhole_diameter_mm": length_mm, "rings": list_of_objects(_RING)}


@dataclass(frozen=True, slots=True)
class Tiling:
    """How a ring is divided.

    Attributes:
        count: Number of tiles.
        tile_length_mm: Effective length of one along the centre line, so that all of them close the ring.
        tile_angle_deg: Angle that one spans at the centre of the soundhole.
        kerf_angle_deg: Angle that one saw cut spans there.
    """

    count: int
    tile_length_mm: float
    tile_angle_deg: float
    kerf_angle_deg: float


def circumference_mm(radius_mm: float) -> float:
    """Length of the centre line of a ring."""
    return 2 * math.pi * radius_mm


def tile_count(radius_mm: float, tile_length_mm: float) -> int:
    """How many whole tiles fit round the ring; 0 when one is longer than the circumference."""
    return math.floor(circumference_mm(radius_mm) / tile_length_mm)


def tiling(ring: Mapping[str, JsonValue]) -> Tiling | None:
    """How the ring is divided, or None when its numbers do not say. A given number of tiles beats a given length."""
    radius_mm = _number(ring, "radius_mm")
    if radius_mm is None:
        return None
    tile_length_mm = _number(ring, "tile_length_mm")
    count = segments(ring)
    if count is None and tile_length_mm is not None:
        count = tile_count(radius_mm, tile_length_mm)
    if not count:
        return None
    kerf_mm = _number(ring, "kerf_mm")
    return Tiling(
        count=count,
        tile_length_mm=circumference_mm(radius_mm) / count,
        tile_angle_deg=360 / count,
        kerf_angle_deg=math.degrees((DEFAULT_KERF_MM if kerf_mm is None else kerf_mm) / radius_mm),
    )


def segments(ring: Mapping[str, JsonValue]) -> int | None:
    """The number of tiles that the ring states, under whichever of its names."""
    return next((value for key in SEGMENT_KEYS if isinstance(value := ring.get(key), int)), None)


def rings_of(geometry: Mapping[str, JsonValue]) -> list[JsonObject]:
    """The rings of a geometry that was read before."""
    rings = geometry.get("rings")
    return [ring for ring in rings if isinstance(ring, dict)] if isinstance(rings, list) else []


def read_geometry(value: JsonValue, pointer: str) -> JsonValue:
    """The geometry as it is stored.

    Raises:
        InvalidError: a malformed value, or rings that cannot exist.
    """
    geometry = read_known(_GEOMETRY, value, pointer)
    rings = rings_of(geometry)
    base = child(pointer, "rings")
    faults = [fault for index, ring in enumerate(rings) for fault in _ring_faults(ring, child(base, index))]
    raise_if_any(faults or _overlap_faults(rings, base))
    return geometry


def _ring_faults(ring: JsonObject, pointer: str) -> list[FieldError]:
    faults = []
    radius_mm, width_mm = _number(ring, "radius_mm"), _number(ring, "width_mm")
    if radius_mm is not None and width_mm is not None and width_mm / 2 > radius_mm:
        faults.append(
            FieldError(
                child(pointer, "width_mm"),
                f"a ring of radius {radius_mm:g} mm is at most {2 * radius_mm:g} mm wide, not {width_mm:g}",
            )
        )
    tile_length_mm = _number(ring, "tile_length_mm")
    if radius_mm is not None and tile_length_mm is not None and tile_count(radius_mm, tile_length_mm) == 0:
        faults.append(
            FieldError(
                child(pointer, "tile_length_mm"),
                f"a tile of {tile_length_mm:g} mm is longer than the circumference of "
                f"{circumference_mm(radius_mm):.3f} mm",
            )
        )
    counts = {key: count for key in SEGMENT_KEYS if (count := ring.get(key)) is not None}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{key} {count}" for key, count in counts.items())
        faults.append(FieldError(child(pointer, next(iter(counts))), f"names of the same number disagree: {told}"))
    strips_mm = _strips_width_mm(ring)
    if strips_mm is not None and width_mm is not None and strips_mm > width_mm + _TOLERANCE_MM:
        faults.append(
            FieldError(
                child(pointer, "strips"),
                f"the strips are {strips_mm:g} mm wide together, more than the ring of {width_mm:g} mm",
            )
        )
    return faults


def _strips_width_mm(ring: JsonObject) -> float | None:
    """Width of all strips together; None when there are none or one does not tell its width."""
    strips = ring.get("strips")
    if not isinstance(strips, list) or not strips:
        return None
    widths = [_number(strip, "width_mm") for strip in strips if isinstance(strip, dict)]
    known = [width for width in widths if width is not None]
    return math.fsum(known) if len(known) == len(strips) else None


def _overlap_faults(rings: list[JsonObject], base: str) -> list[FieldError]:
    """Neighbours, from the soundhole outwards, that want the same wood; rings may be given in any order."""
    placed = sorted(
        (radius_mm, width_mm, index)
        for index, ring in enumerate(rings)
        if (radius_mm := _number(ring, "radius_mm")) is not None and (width_mm := _number(ring, "width_mm")) is not None
    )
    faults = []
    for (inner_mm, inner_width_mm, inner), (outer_mm, outer_width_mm, outer) in pairwise(placed):
        ends_mm, starts_mm = inner_mm + inner_width_mm / 2, outer_mm - outer_width_mm / 2
        if ends_mm > starts_mm + _TOLERANCE_MM:
            faults.append(
                FieldError(
                    child(base, outer),
                    f"begins at {starts_mm:g} mm, inside ring {inner}, which ends at {ends_mm:g} mm",
                )
            )
    return faults


def _number(holder: Mapping[str, JsonValue], key: str) -> float | None:
    value = holder.get(key)
    return value if isinstance(value, int | float) else None
