"""When the shop works: shifts by name, on days of the week, in the time of the place.

Rule 1: a shift whose end is not after its start goes over midnight, and belongs to the day on which it begins.
Rule 2: times are those of the wall clock. Where it is put forward or back, a shift is as much shorter or longer.
Rule 3: a moment in two shifts belongs to the one that is named first; outside of all it belongs to none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from rmos.clock import Timestamp, from_timestamp, to_timestamp

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Shift:
    """One shift. `weekdays` are those of its beginning, 1 (Monday) to 7."""

    name: str
    weekdays: frozenset[int]
    start: time
    end: time

    def holds(self, moment: datetime) -> bool:
        """Whether a moment of the wall clock is in it."""
        now, today = moment.time(), moment.isoweekday()
        if self.start < self.end:
            return today in self.weekdays and self.start <= now < self.end
        yesterday = (moment - _DAY).isoweekday()
        return (today in self.weekdays and now >= self.start) or (yesterday in self.weekdays and now < self.end)


@dataclass(frozen=True, slots=True)
class Shifts:
    """The shifts of a place. None at all is a shop that has not said when it works."""

    shifts: tuple[Shift, ...] = ()
    zone: str = "UTC"

    def __bool__(self) -> bool:
        return bool(self.shifts)

    def shift_of(self, moment: Timestamp) -> str | None:
        """Name of the shift that a moment is in."""
        if not self.shifts:
            return None
        local = from_timestamp(moment).astimezone(_zone(self.zone))
        return next((shift.name for shift in self.shifts if shift.holds(local)), None)

    def began_at(self, moment: Timestamp) -> Timestamp | None:
        """When the shift began that a moment is in; None outside of all."""
        zone = _zone(self.zone)
        local = from_timestamp(moment).astimezone(zone)
        shift = next((shift for shift in self.shifts if shift.holds(local)), None)
        if shift is None:
            return None
        day = local.date() if local.time() >= shift.start else local.date() - _DAY
        return to_timestamp(datetime.combine(day, shift.start, zone))

    def planned_s(self, days: Iterable[str]) -> dict[str, float]:
        """Seconds of each shift that begins on these days, by name. Shifts of one name are added up."""
        planned = {shift.name: 0.0 for shift in self.shifts}
        for day in map(date.fromisoformat, days):
            for shift in self.shifts:
                if day.isoweekday() in shift.weekdays:
                    planned[shift.name] += self._length_s(shift, day)
        return planned

    def _length_s(self, shift: Shift, day: date) -> float:
        zone = _zone(self.zone)
        end_day = day if shift.start < shift.end else day + _DAY
        start = datetime.combine(day, shift.start, zone)
        end = datetime.combine(end_day, shift.end, zone)
        return end.timestamp() - start.timestamp()


def every_day(weekdays: frozenset[int], hours: float) -> Shifts:
    """A shop that works so many hours, 0 to 24, on each of these days, whenever that may be."""
    length = timedelta(hours=hours)
    if not length:
        return Shifts()
    end = (datetime.combine(date.min, time()) + length).time()
    return Shifts((Shift("day", weekdays, time(), end),))


@lru_cache(maxsize=4)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
