"""The versions of an entity, with who made each and what it changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import orjson

from rmos.domain.entities import JsonObject
from rmos.domain.events import Event
from rmos.domain.merge import diff

_TOLD_ELSEWHERE: Final = ("updated_at", "version")
"""They differ in every version, and `time` and `version` tell them."""


def history_of(events: Iterable[Event]) -> list[JsonObject]:
    """One entry for each version, oldest first.

    `diff` is empty where there is no version before to compare with: at the creation, and where retention has cut
    the log. Events that programs made about the entity are no versions.
    """
    history: list[JsonObject] = []
    before: JsonObject | None = None
    for event in events:
        if event.version is None:
            continue
        name = event.type.partition(":")[2]
        document: JsonObject = orjson.loads(event.data)
        content = {field: value for field, value in document.items() if field not in _TOLD_ELSEWHERE}
        history.append(
            {
                "version": event.version,
                "time": event.timestamp,
                "actor": event.actor,
                "request_id": event.request_id,
                "cause": event.cause,
                "event": event.type,
                "diff": [] if before is None else list(diff(before, content)),
            }
        )
        before = None if name == "deleted" else content  # An id may be used again after a deletion.
    return history
