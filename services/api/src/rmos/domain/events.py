"""Events: what the log keeps and every client is told.

Rule 1: a type is `<category>:<name>`; the category is one of `Category` and decides who may see it.
Rule 2: an event is written once, in the transaction of the change it tells of, and never changed. That is a rule and
        not enforced: a frozen dataclass takes three times as long to make, and a replay makes one for every event.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rmos.clock import Timestamp
from rmos.errors import InvalidError

ACTOR_LOCAL: Final = "local"
"""Who acts while authentication is off."""
ACTOR_SYSTEM: Final = "system"
"""Who acts when the server itself makes an event."""

METRICS_SNAPSHOT: Final = "metrics:snapshot"
"""The one type that tells of a state and not of a change: sent live, not in the log, heard on no channel."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_.-]{0,63}")


class Category(StrEnum):
    """The published filters, except `all`."""

    JOB = "job"
    PATTERN = "pattern"
    MATERIAL = "material"
    METRICS = "metrics"


@dataclass(slots=True)
class NewEvent:
    """An event on its way into the log.

    Attributes:
        type: `<category>:<name>`, e.g. `job:completed`.
        data: The event's `data` as UTF-8 JSON, encoded once.
        timestamp: When it happened.
        key: Entity it tells of, e.g. `job/<id>`; None for a custom event without an id.
        version: The entity's version after the change; None for custom events.
        channels: Where it is heard besides its category, e.g. `project:p7`.
        actor: Who caused it.
        request_id: The HTTP request that caused it; None when none did.
        cause: What brought it about besides the request, e.g. `delete pattern/<id>`; None when nothing did.
    """

    type: str
    data: bytes
    timestamp: Timestamp
    key: str | None = None
    version: int | None = None
    channels: tuple[str, ...] = ()
    actor: str = ACTOR_LOCAL
    request_id: str | None = None
    cause: str | None = None

    @property
    def category(self) -> Category:
        """The part of the type before the colon."""
        return Category(self.type.partition(":")[0])


@dataclass(slots=True)
class Event(NewEvent):
    """An event of the log. `offset` is dense: 1, 2, 3, … in commit order within one epoch."""

    offset: int = 0


def event_type(category: Category, name: str) -> str:
    """The type of a (custom) event.

    Raises:
        InvalidError: `name` is not 1–64 characters of `a-z 0-9 _ . -`, starting with a letter.
    """
    if not _NAME.fullmatch(name):
        raise InvalidError.at(
            "/event", f"bad event name {name!r}; expected 1-64 of a-z 0-9 _ . - starting with a letter"
        )
    return f"{category}:{name}"


def channels_of(*documents: Mapping[str, object]) -> tuple[str, ...]:
    """Channels of a change between these documents, or of the entity that one document tells of.

    One for each project and machine, in the order of the documents, projects first, without repeats.
    """
    named = [
        f"{namespace}:{name}"
        for namespace, field in (("project", "project_id"), ("machine", "machine_id"))
        for document in documents
        if isinstance(name := document.get(field), str) and name
    ]
    return tuple(dict.fromkeys(named))
