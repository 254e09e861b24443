"""Strips on the shelf: cutting from them and adding to them. Lengths in mm."""

from __future__ import annotations

from typing import Any, Final

from rmos.domain.geometry import circumference_mm, tiling

OFFCUT_MM: Final = 40.0
"""A shorter rest is of no use and goes into the bin."""
SCRAP_SHARE: Final = 0.05
RING_WITHOUT_NUMBERS_MM: Final = 300.0
"""What a ring takes whose geometry does not say."""

Strip = dict[str, Any]  # Any: callers may keep keys of their own beside id, length_mm and position


def length_of(strips: list[Strip]) -> float:
    """What lies on the shelf."""
    return float(sum(strip.get("length_mm") or 0 for strip in strips))


def cut(strips: list[Strip], need_mm: float) -> list[Strip]:
    """The shelf after `need_mm` was cut, shortest strips first, so that rests are used up before whole strips."""
    left = []
    for strip in sorted(strips, key=lambda strip: strip.get("length_mm") or 0):
        length_mm = float(strip.get("length_mm") or 0)
        taken_mm = min(length_mm, need_mm)
        need_mm -= taken_mm
        if taken_mm == 0:
            left.append(strip)
        elif length_mm - taken_mm >= OFFCUT_MM:
            left.append({**strip, "length_mm": round(length_mm - taken_mm, 1)})
    return left


def add(strips: list[Strip], count: int, length_mm: float, *, batch: str) -> list[Strip]:
    """The shelf after a delivery."""
    return [
        *strips,
        *({"id": f"{batch}-{n}", "length_mm": length_mm, "position": len(strips) + n} for n in range(1, count + 1)),
    ]


def strip_needed_mm(geometry: dict[str, Any]) -> float:  # Any: as the stores keep it
    """Strip that one rosette of this geometry takes: circumferences with scrap, and a saw cut for each tile."""
    total_mm = 0.0
    for ring in geometry.get("rings") or ():
        radius_mm, tiles = ring.get("radius_mm"), tiling(ring)
        total_mm += circumference_mm(radius_mm) * (1 + SCRAP_SHARE) if radius_mm else RING_WITHOUT_NUMBERS_MM
        total_mm += tiles.count * float(ring.get("kerf_mm") or 0.3) if tiles else 0.0
    return round(total_mm or RING_WITHOUT_NUMBERS_MM, 1)


def tiles_of(geometry: dict[str, Any]) -> int:  # Any: as above
    """Tiles of all rings together; one piece for each ring that has none."""
    counts = [tiles.count if (tiles := tiling(ring)) else 1 for ring in geometry.get("rings") or ()]
    return sum(counts) or 1
