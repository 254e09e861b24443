"""The step from one version of an entity to the next, the same for every kind."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, ClassVar, Protocol, TypeVar

from rmos.clock import Timestamp
from rmos.domain.documents import is_same
from rmos.domain.entities import JsonObject
from rmos.domain.fields import Values


class Entity(Protocol):
    """What every kind of entity is: a frozen dataclass whose fields, in their order, are its document."""

    __dataclass_fields__: ClassVar[dict[str, Any]]  # Any: the standard library's own description of a dataclass

    @property
    def id(self) -> str: ...
    @property
    def created_at(self) -> Timestamp: ...
    @property
    def updated_at(self) -> Timestamp: ...
    @property
    def version(self) -> int: ...


E = TypeVar("E", bound=Entity)


def document_of(entity: Entity) -> JsonObject:
    """The JSON object that GET answers and an event carries."""
    return {field.name: getattr(entity, field.name) for field in fields(entity)}


def next_version(entity: E, values: Values, now: Timestamp) -> E:
    """The entity with these values as its next version, or the very same entity when that changes nothing."""
    if all(is_same(value, getattr(entity, name)) for name, value in values.items()):
        return entity
    return replace(entity, **values, updated_at=now, version=entity.version + 1)
