"""Calendar days, UTC, as `YYYY-MM-DD`."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final, TypeAlias

from rmos.clock import Timestamp

DAYS_PER_WEEK: Final = 7
DAYS_PER_MONTH: Final = 365.25 / 12

Window: TypeAlias = tuple[str, str]
"""The first and the last of some days in a row."""


def day_of(moment: Timestamp) -> str:
    """The day that a moment is in."""
    return moment[:10]


def last_days(now: Timestamp, count: int) -> list[str]:
    """The last `count` days, today included, oldest first."""
    today = date.fromisoformat(day_of(now))
    return [(today - timedelta(days=back)).isoformat() for back in range(count - 1, -1, -1)]


def last_window(now: Timestamp, count: int) -> Window:
    """The first and the last of the last `count` days, today included."""
    calendar = last_days(now, count)
    return calendar[0], calendar[-1]


def day_after(day: str) -> str:
    """The next day."""
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()
