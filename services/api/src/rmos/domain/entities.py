"""What the three kinds of entity have in common: their names, their documents, their revisions.

Words: an *entity* is a frozen dataclass (`Pattern`, `JobLog`, `StripFamily`); its *document* is the JSON object
that GET answers and an event carries; a *revision* is one version of an entity with its document encoded once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = "dict[str, JsonValue]"

MAX_ENTITY_BYTES: Final = 256 * 1024
"""Largest encoded document. One event frame must fit the buffers of a small screen."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of entity and every name it goes by on the published interface."""

    name: str
    """In envelopes, bulk operations and table rows: `pattern`, `joblog`, `strip_family`."""
    plural: str
    """In list envelopes and as the table name: `patterns`, `joblogs`, `strip_families`."""
    path: str
    """In URLs: `patterns`, `joblogs`, `strip-families`."""
    category: str
    """In event types, filters and keys: `pattern`, `job`, `material`."""
    label: str
    """In sentences for people: `Pattern not found: <id>`."""

    def key(self, entity_id: str) -> str:
        """Name of one entity across all kinds, e.g. `job/0198c2f0-…`."""
        return f"{self.category}/{entity_id}"


PATTERN: Final = Kind("pattern", "patterns", "patterns", "pattern", "Pattern")
JOBLOG: Final = Kind("joblog", "joblogs", "joblogs", "job", "JobLog")
STRIP_FAMILY: Final = Kind("strip_family", "strip_families", "strip-families", "material", "Strip family")
KINDS: Final = (PATTERN, JOBLOG, STRIP_FAMILY)


@dataclass(frozen=True, slots=True)
class Revision:
    """One stored version of an entity.

    Attributes:
        body: The document as UTF-8 JSON; the very bytes of GET and of the event's `data`.
    """

    kind: Kind
    id: str
    version: int
    body: bytes
