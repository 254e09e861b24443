"""Strip families: the wood (or shell) that rings are sliced from. Events and filters call them materials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rmos.clock import Timestamp
from rmos.domain.entities import JsonObject, JsonValue
from rmos.domain.fields import Field, choice, json_object, length_mm, list_of_objects, number, read_fields, text
from rmos.domain.revise import next_version

LANES: Final = ("experimental", "tuned_v1", "tuned_v2", "safe", "archived")
"""How far a family can be trusted on the machine."""


@dataclass(frozen=True, slots=True)
class StripFamily:
    """Strips of one cross-section.

    Attributes:
        material_type: Free text, compared without case.
        strips: What is in stock: `{"id", "length_mm", "position", …}` each.
        lane: One of `LANES`, or None when nobody has said.
        min_stock_mm: Length in stock below which the family runs low; None when nobody watches it.
        materials: The parts of a mixed family: `{"key", "type", "species", "thickness_mm", "cam_profile"}` each.
    """

    id: str
    name: str
    strip_width_mm: float
    strip_thickness_mm: float
    material_type: str
    strips: list[JsonObject]
    lane: str | None
    min_stock_mm: float | None
    materials: list[JsonObject] | None
    metadata: JsonObject | None
    created_at: Timestamp
    updated_at: Timestamp
    version: int


FIELDS: Final[Mapping[str, Field]] = {
    "name": Field(text(), required=True),
    "strip_width_mm": Field(length_mm, required=True),
    "strip_thickness_mm": Field(length_mm, required=True),
    "material_type": Field(text(), required=True),
    "strips": Field(list_of_objects({"length_mm": number(at_least=0), "position": number()}), default=[]),
    "lane": Field(choice(LANES)),
    "min_stock_mm": Field(number(at_least=0)),
    "materials": Field(
        list_of_objects(
            {"key": text(), "type": text(), "species": text(), "thickness_mm": length_mm, "cam_profile": text()}
        )
    ),
    "metadata": Field(json_object),
}


def create(given: Mapping[str, JsonValue], *, entity_id: str, now: Timestamp) -> StripFamily:
    """The first version of a strip family.

    Raises:
        InvalidError: a field is missing or malformed.
    """
    values = read_fields(FIELDS, given, complete=True)
    return StripFamily(id=entity_id, **values, created_at=now, updated_at=now, version=1)


def change(family: StripFamily, changes: Mapping[str, JsonValue], *, now: Timestamp) -> StripFamily:
    """The family with each given field replaced; null stands for a field's default.

    Raises:
        InvalidError: a field is malformed.
    """
    return next_version(family, read_fields(FIELDS, changes), now)
