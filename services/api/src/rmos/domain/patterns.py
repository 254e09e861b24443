"""Patterns: the designs of rosettes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rmos.clock import Timestamp
from rmos.domain.entities import JsonObject, JsonValue
from rmos.domain.fields import Field, Values, choice, identifier, integer, json_object, read_fields, text
from rmos.domain.geometry import read_geometry, rings_of
from rmos.domain.revise import next_version
from rmos.errors import InvalidError

PATTERN_TYPES: Final = ("generic", "rosette")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One design. `geometry` keeps the rules of `domain.geometry`; `ring_count` agrees with its rings, if any."""

    id: str
    name: str
    pattern_type: str
    ring_count: int
    geometry: JsonObject
    strip_family_id: str | None
    metadata: JsonObject | None
    created_at: Timestamp
    updated_at: Timestamp
    version: int


FIELDS: Final[Mapping[str, Field]] = {
    "name": Field(text(), required=True),
    "pattern_type": Field(choice(PATTERN_TYPES)),
    "ring_count": Field(integer(at_least=1, at_most=1_000_000)),
    "geometry": Field(read_geometry, default={}),
    "strip_family_id": Field(identifier),
    "metadata": Field(json_object),
}


def create(given: Mapping[str, JsonValue], *, entity_id: str, now: Timestamp) -> Pattern:
    """The first version of a pattern. Without `pattern_type` it is a rosette when the geometry has rings.

    Raises:
        InvalidError: a field is malformed, or `ring_count` is missing or contradicts the rings.
    """
    values = read_fields(FIELDS, given, complete=True)
    _settle_rings(values, values["geometry"])
    if values["ring_count"] is None:
        raise InvalidError.at("/ring_count", "is required unless geometry.rings has at least one ring")
    if values["pattern_type"] is None:
        values["pattern_type"] = _default_type(values["geometry"])
    return Pattern(id=entity_id, **values, created_at=now, updated_at=now, version=1)


def change(pattern: Pattern, changes: Mapping[str, JsonValue], *, now: Timestamp) -> Pattern:
    """The pattern with each given field replaced; null stands for a field's default.

    Raises:
        InvalidError: as `create`.
    """
    values = read_fields(FIELDS, changes)
    geometry = values.get("geometry", pattern.geometry)
    if "geometry" in values or "ring_count" in values:
        values.setdefault("ring_count", None)
        _settle_rings(values, geometry)
        if values["ring_count"] is None:
            del values["ring_count"]  # Without rings to count, the number that was known stays.
    if values.get("pattern_type", "") is None:
        values["pattern_type"] = _default_type(geometry)
    return next_version(pattern, values, now)


def _settle_rings(values: Values, geometry: JsonObject) -> None:
    """Derive what was not given from the rings, and hold what was given against them."""
    rings = rings_of(geometry)
    if rings and values["ring_count"] is None:
        values["ring_count"] = len(rings)
    if rings and values["ring_count"] != len(rings):
        raise InvalidError.at("/ring_count", f"is {values['ring_count']}, but geometry.rings has {len(rings)}")


def _default_type(geometry: JsonObject) -> str:
    return "rosette" if rings_of(geometry) else "generic"
