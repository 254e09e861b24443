"""Hold the figures of an imported event log against figures counted from the file itself.

    services/api/.venv/bin/python scripts/check_event_log.py LOG.xes.gz [--job case] [--url http://127.0.0.1:8000]

Nothing of RMOS counts here: starts and ends are matched, added up and swept over anew, from the events as they stand in
the file. One line of JSON tells the largest relative difference of each figure; the exit code is 1 when one is larger
than `--tolerance`. The server must hold the jobs of this log alone.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from event_log import COMPLETE, START, Event, EventLogError, read_events
from event_log_options import CASE, Shop, parser_of, reading_of

_MAX_DAYS: Final = 365
"""The longest window that figures are told of. Of a longer log the last part is checked."""


@dataclass(frozen=True, slots=True)
class Window:
    """Whole days, UTC, from the first to the last one."""

    first: date
    last: date

    @property
    def begin(self) -> datetime:
        """Where the window begins."""
        return datetime(self.first.year, self.first.month, self.first.day, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The last millisecond of the window."""
        return self.begin + timedelta(days=self.days, milliseconds=-1)

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    def holds(self, time: datetime | None) -> bool:
        """Whether it lies within."""
        return time is not None and self.begin <= time <= self.end


@dataclass(slots=True)
class Span:
    """A job as the file tells of it."""

    job_type: str
    start: datetime | None
    end: datetime | None
    is_completed: bool


def spans_of_activities(events: Iterable[Event]) -> list[Span]:
    """Each execution: an end belongs to the oldest start that has none."""
    open_starts: defaultdict[tuple[str, str, str | None], deque[Span]] = defaultdict(deque)
    spans = []
    for event in events:
        waiting = open_starts[event.case, event.activity, event.instance]
        if event.transition == START or not waiting:
            start = event.time if event.transition == START else None
            spans.append(Span(event.activity, start, None, is_completed=False))
            waiting.append(spans[-1])
        if event.transition != START:
            span = waiting.popleft()
            span.end, span.is_completed = event.time, event.transition == COMPLETE
    return spans


def spans_of_cases(events: Iterable[Event]) -> list[Span]:
    """Each case: from its first event to its last one; open when it has more starts than ends."""
    cases: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        cases[event.case].append(event)
    spans = []
    for told in cases.values():
        is_open = any(span.end is None for span in spans_of_activities(told))
        is_completed = not is_open and any(event.transition == COMPLETE for event in told)
        spans.append(Span("case", told[0].time, None if is_open else told[-1].time, is_completed))
    return spans


def pieces(events: Sequence[Event], window: Window, *, of_cases: bool) -> tuple[int, int]:
    """Pieces that came out within the window, and those of them that took more than one completion of an activity."""
    completions = Counter((event.case, event.activity) for event in events if event.transition == COMPLETE)
    if not of_cases:
        out = {(event.case, event.activity): event.time for event in events if event.transition == COMPLETE}
        within = [key for key, time in out.items() if window.holds(time)]
        return len(within), sum(completions[key] > 1 for key in within)
    cases = dict(zip(dict.fromkeys(event.case for event in events), spans_of_cases(events), strict=True))
    done = {case for case, span in cases.items() if span.is_completed and window.holds(span.end)}
    reworked = {case for (case, _), count in completions.items() if count > 1}
    return len(done), len(done & reworked)


def average_wip(spans: Iterable[Span], window: Window) -> float:
    """Jobs begun and not ended, averaged over the window by sweeping over every start and end."""
    steps: Counter[datetime] = Counter({window.begin: 0, window.end: 0})
    for span in spans:
        if span.start is not None:
            steps[max(span.start, window.begin)] += 1
            steps[max(span.end or window.end, window.begin)] -= 1
    moments = sorted(moment for moment in steps if moment <= window.end)
    going, area_s = 0, 0.0
    for here, there in pairwise(moments):
        going += steps[here]
        area_s += going * (there - here).total_seconds()
    return area_s / (window.end - window.begin).total_seconds()


def count(events: Sequence[Event], window: Window, *, of_cases: bool) -> dict[str, Any]:
    """All figures, from the file."""
    spans = spans_of_cases(events) if of_cases else spans_of_activities(events)
    exits = [span for span in spans if window.holds(span.end)]
    leads: defaultdict[str, list[float]] = defaultdict(list)
    for span in exits:
        if span.is_completed and span.start is not None and span.end is not None:
            leads[span.job_type].append((span.end - span.start).total_seconds())
    timed = [(span.end - span.start).total_seconds() for span in exits if span.start and span.end]
    cycle_s = statistics.fmean(timed) if timed else None
    wip = average_wip(spans, window)
    window_s = (window.end - window.begin).total_seconds()
    produced, reworked = pieces(events, window, of_cases=of_cases)
    return {
        "jobs": len(spans),
        "throughput": Counter(
            span.end.date().isoformat() for span in exits if span.is_completed and span.end is not None
        ),
        "cycle_time": {None: cycle_s} | {name: statistics.fmean(found) for name, found in leads.items()},
        "wip": wip,
        "residual": None if cycle_s is None else wip - len(timed) / window_s * cycle_s,
        "rework": reworked / produced if produced else None,
        "first_pass": (produced - reworked) / produced if produced else None,
    }


def ask(shop: Shop, window: Window) -> dict[str, Any]:
    """The same figures, as the server tells them."""
    asked = f"?days={window.days}&until={window.last.isoformat()}"
    status = shop.ask("/api/analytics/jobs/status")
    through = shop.ask(f"/api/analytics/jobs/throughput{asked}")
    flow = shop.ask(f"/api/analytics/shop/flow{asked}")
    total = shop.ask(f"/api/analytics/shop{asked}")["total"]
    return {
        "jobs": status["total_jobs"],
        "throughput": {day["date"]: day["count"] for day in through["daily"] if day["count"]},
        "cycle_time": {None: flow["cycle_time_s"]}
        | {row["job_type"]: row["cycle_time_s"] for row in flow["job_types"] if row["n"]},
        "wip": flow["average_wip"],
        "residual": flow["residual"],
        "rework": total["rework_ratio"],
        "first_pass": total["first_pass_yield"],
    }


def differences(counted: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, float]:
    """The largest relative difference of each figure. The residual, which may be 0, is measured by the WIP."""
    return {
        "throughput": _largest(counted["throughput"], told["throughput"]),
        "cycle_time": _largest(counted["cycle_time"], told["cycle_time"]),
        "wip": _difference(counted["wip"], told["wip"]),
        "residual": _difference(counted["residual"], told["residual"], by=counted["wip"]),
        "rework": _difference(counted["rework"], told["rework"]),
        "first_pass": _difference(counted["first_pass"], told["first_pass"]),
    }


def _largest(counted: Mapping[Any, float | None], told: Mapping[Any, float | None]) -> float:
    return max((_difference(counted.get(name), told.get(name)) for name in {*counted, *told}), default=0.0)


def _difference(counted: float | None, told: float | None, *, by: float | None = None) -> float:
    """Relative; 1 where only one of the two knows the figure."""
    if counted is None or told is None:
        return float((counted is None) != (told is None))
    whole = by or max(abs(counted), abs(told))
    return abs(counted - told) / whole if whole else 0.0


def window_of(events: Sequence[Event], today: date) -> Window:
    """The days of the log that are over, at most as many as figures are told of.

    Raises:
        EventLogError: it has none.
    """
    last = min(events[-1].time.date(), today - timedelta(days=1))
    first = max(events[0].time.date(), last - timedelta(days=_MAX_DAYS - 1))
    if first > last:
        raise EventLogError("the log begins today: figures can be held against a file once the day is over")
    return Window(first, last)


def main() -> int:
    """Print the line. Returns 1 when figures differ, 2 when they cannot be compared."""
    parser = parser_of(__doc__)
    parser.add_argument("--tolerance", type=float, default=1e-6, help="largest relative difference that is none")
    given = parser.parse_args()
    try:
        events = read_events(given.file, reading_of(given))
        window = window_of(events, datetime.now(UTC).date())
        counted = count(events, window, of_cases=given.job == CASE)
        told = ask(Shop(given.url, given.token), window)
        if counted["jobs"] != told["jobs"]:
            raise EventLogError(f"the file makes {counted['jobs']} jobs, the server holds {told['jobs']}")
    except (EventLogError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    found = differences(counted, told)
    figures = {name: counted[name] for name in ("jobs", "wip", "residual", "rework", "first_pass")}
    figures |= {"completed": counted["throughput"].total(), "cycle_time_s": counted["cycle_time"][None]}
    days = {"from": window.first.isoformat(), "to": window.last.isoformat()}
    print(json.dumps({**days, "largest_relative_difference": found, "counted": figures}))
    return int(max(found.values()) > given.tolerance)


if __name__ == "__main__":
    sys.exit(main())
