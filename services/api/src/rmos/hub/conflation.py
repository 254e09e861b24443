"""What mode `latest` leaves of a block of events: of the states of a thing the newest, of everything else each one.

Rule 1: only what is about to be written together is conflated, so it costs no memory; the faster a client takes its
        bytes, the less it misses.
Rule 2: an event is left out only for a later one that the same client is sent in the same write and that says all it
        said. Beginnings, ends and events of programs are never left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rmos.domain.events import Category
from rmos.domain.filters import EventFilter

if TYPE_CHECKING:
    from rmos.hub.ring import Entry

_STATES: Final = frozenset({"created", "updated", "completed", "failed", "deleted"})
"""Names of the events that carry the whole entity."""


def conflated(entries: Sequence[Entry], wanted: EventFilter) -> tuple[list[Entry], int]:
    """Of the events that the filter wants those that are left, and how many are left out."""
    kept: list[Entry] = []
    seen: set[str] = set()
    matching = [entry for entry in entries if wanted.matches(entry.type, entry.channels)]
    for entry in reversed(matching):
        subject, is_replaceable = _subject(entry)
        if subject is not None:
            if is_replaceable and subject in seen:
                continue
            seen.add(subject)
        kept.append(entry)
    kept.reverse()
    return kept, len(matching) - len(kept)


def _subject(entry: Entry) -> tuple[str | None, bool]:
    """What the event tells the state of (None: of nothing), and whether a later state of that makes it superfluous."""
    category, _, name = entry.type.partition(":")
    if entry.key is None:
        return None, False
    if entry.version is not None:
        return (entry.key, name == "updated") if name in _STATES else (None, False)
    if category == Category.METRICS:
        return f"{entry.type} {entry.key}", True
    return None, False
