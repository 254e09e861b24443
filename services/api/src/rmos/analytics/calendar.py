"""Calendar days, UTC, as `YYYY-MM-DD`."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from rmos.clock import Timestamp

DAYS_PER_WEEK: Final = 7
DAYS_PER_MONTH: Final = 365.25 / 12


def day_of(moment: Timestamp) -> str:
    """The day that a moment is in."""
    return moment[:10]


def last_days(now: Timestamp, count: int) -> list[str]:
    """The last `count` days, today included, oldest first."""
    today = date.fromisoformat(day_of(now))
    return [(today - timedelta(days=back)).isoformat() for back in range(count - 1, -1, -1)]
