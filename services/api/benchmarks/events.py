"""The event that every competitor sends: about 390 bytes on the wire, as an update of a job log is.

The number comes first in `data`, so that the receiver finds it without parsing.
"""

from __future__ import annotations

import json
from typing import Final

CATEGORIES: Final = ("job", "pattern", "material", "metrics")
"""In turn, by number, so that every filter sees its share."""

EIGHT_FILTERS: Final = (
    ("all",),
    ("job",),
    ("pattern",),
    ("material",),
    ("metrics",),
    ("job", "pattern"),
    ("material", "metrics"),
    ("pattern", "material"),
)
"""Eight different subscriptions; a subscriber sees 43.75 % of the events on average."""

NAME: Final = "bench"
TIMESTAMP: Final = "2026-11-24T10:00:00.123Z"
CHANNELS: Final = ("project:p7", "machine:cnc1")

_REST: Final = {
    "id": "0198c2f0-7a41-7cc3-98c4-dc0c0c07398f",
    "job_type": "slice",
    "pattern_id": "0198c2f0-6b1e-7d52-b7a1-51d0e4e6ad2f",
    "machine_id": "cnc1",
    "operator": "operator-1",
    "status": "running",
    "progress": 0.25,
}
_REST_ENCODED: Final = json.dumps(_REST, separators=(",", ":")).encode().removeprefix(b"{")


def category_of(number: int) -> str:
    """The category of event `number`."""
    return CATEGORIES[number % len(CATEGORIES)]


def data_of(number: int) -> bytes:
    """The `data` of event `number`, encoded."""
    return b'{"seq":%d,%b' % (number, _REST_ENCODED)


def message_of(number: int) -> dict[str, object]:
    """The whole message of event `number`, not encoded: what the published way is given."""
    return {
        "type": f"{category_of(number)}:{NAME}",
        "data": {"seq": number, **_REST},
        "timestamp": TIMESTAMP,
        "id": f"k3f9q2:{number}",
        "offset": number,
        "channels": list(CHANNELS),
        "key": None,
        "version": None,
        "actor": "system",
    }


HEAD, TAIL = json.dumps(message_of(0), separators=(",", ":")).split("0", 1)
"""The message, encoded, before and after its number."""


def text_of(number: int) -> str:
    """The whole message of event `number`, put together: cheaper than encoding it, in favour of whoever is compared."""
    return f"{HEAD}{number}{TAIL}"


def matches(filters: tuple[str, ...], number: int) -> bool:
    """Whether a subscriber with these filters is sent event `number`."""
    return "all" in filters or category_of(number) in filters


def deliveries(filters: tuple[tuple[str, ...], ...], connections: int, first: int, events: int) -> int:
    """How many messages `events` events, beginning with number `first`, are for connections dealt these filters."""
    total = 0
    for index, names in enumerate(filters):
        members = len(range(index, connections, len(filters)))
        total += members * sum(matches(names, number) for number in range(first, first + events))
    return total
