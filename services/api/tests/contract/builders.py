"""Entities and works for the suites. Each work is what a service does: put the revision, append its event."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import orjson

from rmos.domain.entities import JOBLOG, PATTERN, STRIP_FAMILY, Kind, Revision
from rmos.domain.events import NewEvent
from rmos.stores.base import Transaction

NOW = "2026-11-24T10:00:00.000Z"
_numbers = count(1)

_DEFAULTS: dict[str, dict[str, Any]] = {
    PATTERN.name: {"name": "rope", "ring_count": 3, "pattern_type": "rosette", "strip_family_id": None},
    JOBLOG.name: {"job_type": "slice", "status": "pending", "pattern_id": None, "strip_family_id": None},
    STRIP_FAMILY.name: {
        "name": "maple strips",
        "material_type": "maple",
        "strip_width_mm": 2.0,
        "strip_thickness_mm": 0.6,
    },
}


def document(kind: Kind, **fields: Any) -> dict[str, Any]:
    """A document with defaults for what is not given, and an id of its own."""
    common = {"id": f"{kind.name}-{next(_numbers):06}", "version": 1, "created_at": NOW, "updated_at": NOW}
    return common | _DEFAULTS[kind.name] | fields


def revision(kind: Kind, fields: dict[str, Any]) -> Revision:
    """The revision of a document."""
    return Revision(kind, fields["id"], fields["version"], orjson.dumps(fields))


def event(kind: Kind, fields: dict[str, Any], name: str, **more: Any) -> NewEvent:
    """The event of a document."""
    return NewEvent(
        f"{kind.category}:{name}",
        orjson.dumps(fields),
        fields["updated_at"],
        key=kind.key(fields["id"]),
        version=fields["version"],
        **more,
    )


def saving(kind: Kind, fields: dict[str, Any], **more: Any) -> Callable[[Transaction], str]:
    """A work that stores the document as it is. Returns its id."""

    def work(tx: Transaction) -> str:
        tx.put(revision(kind, fields), fields)
        tx.append(event(kind, fields, "created" if fields["version"] == 1 else "updated", **more))
        return str(fields["id"])

    return work


def making(kind: Kind, **fields: Any) -> Callable[[Transaction], str]:
    """A work that stores a new document. Returns its id."""
    return saving(kind, document(kind, **fields))


def deleting(kind: Kind, entity_id: str, version: int) -> Callable[[Transaction], None]:
    """A work that deletes an entity and says so in the log."""

    def work(tx: Transaction) -> None:
        tx.delete(kind, entity_id)
        tx.append(event(kind, {"id": entity_id, "version": version, "updated_at": NOW}, "deleted"))

    return work


def custom(name: str, category: str = "job", **more: Any) -> Callable[[Transaction], None]:
    """A work that only appends an event."""
    return lambda tx: tx.append(NewEvent(**{"type": f"{category}:{name}", "data": b"{}", "timestamp": NOW, **more}))
