"""What is counted of a pattern or strip family, taken out of its document."""

from __future__ import annotations

import math
from collections.abc import Mapping

from rmos.analytics.facts import FamilyFact, PatternFact, RingFact
from rmos.domain.entities import JsonObject, JsonValue
from rmos.domain.geometry import rings_of, segments, tiling


def pattern_fact(document: JsonObject) -> PatternFact:
    """The facts of a stored pattern."""
    geometry, family_id = document["geometry"], document["strip_family_id"]
    return PatternFact(
        id=str(document["id"]),
        name=str(document["name"]),
        ring_count=int(str(document["ring_count"])),
        family_id=family_id if isinstance(family_id, str) else None,
        rings=tuple(ring_fact(ring) for ring in rings_of(geometry if isinstance(geometry, dict) else {})),
    )


def ring_fact(ring: Mapping[str, JsonValue]) -> RingFact:
    """The facts of a ring. The radius is `radius_mm`, or else `radius`, as the published callers send it.

    The number of segments is the one given, or else as many tiles as fit round the ring.
    """
    radius_mm = _positive(ring.get("radius_mm")) or _positive(ring.get("radius"))
    if radius_mm is None:
        return RingFact(None, segments(ring))
    tiles = tiling({**ring, "radius_mm": radius_mm})
    return RingFact(radius_mm, tiles.count if tiles else None)


def family_fact(document: JsonObject) -> FamilyFact:
    """The facts of a stored strip family."""
    strips, metadata, lane = document["strips"], document["metadata"], document["lane"]
    held = [strip for strip in strips if isinstance(strip, dict)] if isinstance(strips, list) else []
    supplier = metadata.get("supplier") if isinstance(metadata, dict) else None
    return FamilyFact(
        id=str(document["id"]),
        name=str(document["name"]),
        material=str(document["material_type"]),
        lane=lane if isinstance(lane, str) else None,
        supplier=(supplier.strip(" ") or None) if isinstance(supplier, str) else None,  # as `stores.schema.SUPPLIER`
        strip_width_mm=float(str(document["strip_width_mm"])),
        strip_thickness_mm=float(str(document["strip_thickness_mm"])),
        strips=len(held),
        stock_mm=math.fsum(_positive(strip.get("length_mm")) or 0 for strip in held),
        min_stock_mm=_positive(document["min_stock_mm"]),
    )


def _positive(value: JsonValue) -> float | None:
    """A length in mm that a thing can have; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value <= 1e9 else None
