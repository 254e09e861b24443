"""The one source of the time of day. Every stored or sent time is RFC 3339 UTC with milliseconds and `Z`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

Timestamp: TypeAlias = str
"""Canonical text such as `2026-11-24T10:00:00.123Z`. It sorts as the time does."""

Clock: TypeAlias = Callable[[], Timestamp]


def utc_now() -> Timestamp:
    """The present time, canonical."""
    return to_timestamp(datetime.now(UTC))


def to_timestamp(moment: datetime) -> Timestamp:
    """Canonical text of an aware datetime; anything below a millisecond is cut off.

    Raises:
        ValueError: `moment` has no zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no zone")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_timestamp(text: Timestamp) -> datetime:
    """The aware datetime of any RFC 3339 text.

    Raises:
        ValueError: not RFC 3339, or without a zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no zone")
    return moment


def later(moment: Timestamp, seconds: float) -> Timestamp:
    """So many seconds after the moment; before it for a negative number."""
    return to_timestamp(from_timestamp(moment) + timedelta(seconds=seconds))


def seconds_between(start: Timestamp, end: Timestamp) -> float:
    """Seconds from `start` to `end`; negative when `end` is earlier."""
    return (from_timestamp(end) - from_timestamp(start)).total_seconds()


def add_seconds(start: Timestamp, seconds: float) -> Timestamp:
    """The time `seconds` after `start`.

    Raises:
        OverflowError: beyond the year 9999.
    """
    return to_timestamp(from_timestamp(start) + timedelta(seconds=seconds))
