"""The rules of each kind in one table, for what treats all kinds alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from rmos.clock import Timestamp
from rmos.domain import jobs, materials, patterns
from rmos.domain.entities import JOBLOG, PATTERN, STRIP_FAMILY, JsonValue
from rmos.domain.revise import Entity

E = TypeVar("E", bound=Entity)
E_co = TypeVar("E_co", bound=Entity, covariant=True)
E_contra = TypeVar("E_contra", bound=Entity, contravariant=True)


class Create(Protocol[E_co]):
    """Makes the first version of an entity."""

    def __call__(self, given: Mapping[str, JsonValue], *, entity_id: str, now: Timestamp) -> E_co: ...


class Change(Protocol[E]):
    """Makes the next version of an entity; the very same entity when nothing changes."""

    def __call__(self, entity: E, changes: Mapping[str, JsonValue], /, *, now: Timestamp) -> E: ...


class ChangeName(Protocol[E_contra]):
    """Names the event of a change, e.g. `updated`."""

    def __call__(self, before: E_contra, after: E_contra, /) -> str: ...


@dataclass(frozen=True, slots=True)
class Rules(Generic[E]):
    """What can be done with one kind. `entity` is its dataclass, made of a document by `entity(**document)`."""

    entity: type[E]
    create: Create[E]
    change: Change[E]
    change_name: ChangeName[E]


def _updated(before: Entity, after: Entity) -> str:
    return "updated"


RULES: Final[Mapping[str, Rules[Any]]] = {  # Any: each kind has its own dataclass, and each entry fits together
    PATTERN.name: Rules(patterns.Pattern, patterns.create, patterns.change, _updated),
    JOBLOG.name: Rules(jobs.JobLog, jobs.create, jobs.change, jobs.change_name),
    STRIP_FAMILY.name: Rules(materials.StripFamily, materials.create, materials.change, _updated),
}
"""By name of the kind."""
