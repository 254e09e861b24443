"""A small job shop, simulated: cases queue for machines, and what fails its inspection is worked on again.

It is what event logs for tests are made of, and the truth that they are held against.
"""

from __future__ import annotations

import csv
import gzip
import heapq
import io
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import quoteattr

BEGIN = datetime(2025, 3, 3, 6, tzinfo=UTC)
_ROUTES = (
    (("saw", 25), ("plane", 15), ("rout", 55), ("inlay", 80), ("inspect", 10)),
    (("saw", 20), ("rout", 40), ("glue", 120), ("inspect", 12)),
)
"""Activities with their mean minutes."""
_MACHINES = {"saw": "saw-1", "plane": "bench", "rout": "cnc-1", "inlay": "bench", "glue": "press", "inspect": "desk"}
_REWORK = 0.18
"""Share of inspections after which the activity before is done again, and then the inspection."""


@dataclass(frozen=True, slots=True)
class Work:
    """One execution of an activity; `queued` is when the case began to wait for the machine."""

    case: str
    activity: str
    machine: str
    queued: datetime
    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.end - self.start).total_seconds()


def simulate(cases: int, *, seed: int = 1) -> list[Work]:
    """All work on so many cases, by start. Times are whole milliseconds."""
    chance = random.Random(seed)  # noqa: S311 -- a simulation
    arrivals, moment = [], BEGIN
    for number in range(cases):
        moment += timedelta(milliseconds=round(chance.expovariate(1 / 90) * 60_000))
        arrivals.append((moment, number, 0, chance.randrange(len(_ROUTES))))
    free: dict[str, datetime] = {}
    done: list[Work] = []
    waiting = arrivals[:]
    heapq.heapify(waiting)  # who comes first to a machine is served first
    while waiting:
        queued, number, step, route = heapq.heappop(waiting)
        activity, minutes = _ROUTES[route][step]
        machine = _MACHINES[activity]
        start = max(queued, free.get(machine, BEGIN))
        end = start + timedelta(milliseconds=round(chance.gammavariate(4, minutes / 4) * 60_000))
        free[machine] = end
        done.append(Work(f"order <{number}>", activity, machine, queued, start, end))
        is_failed = activity == "inspect" and chance.random() < _REWORK
        following = step - 1 if is_failed else step + 1
        if following < len(_ROUTES[route]):
            heapq.heappush(waiting, (end, number, following, route))
    return sorted(done, key=lambda work: work.start)


def operations(works: Iterable[Work]) -> Counter[tuple[str, str]]:
    """How often each activity of each case was done."""
    return Counter((work.case, work.activity) for work in works)


def write_xes(path: Path, works: Sequence[Work], *, until: datetime | None = None) -> Path:
    """The log as XES, packed, with the events up to a moment. Waiting is told as `schedule`, as real logs do."""
    text = io.StringIO()
    text.write('<?xml version="1.0" encoding="UTF-8"?>\n<log xes.version="1.0" xmlns="http://www.xes-standard.org/">\n')
    text.write('<global scope="event"><string key="concept:name" value="none"/></global>\n')
    for case in dict.fromkeys(work.case for work in works):
        text.write(f'<trace><string key="concept:name" value={quoteattr(case)}/>\n')
        for work in (work for work in works if work.case == case):
            for transition, time in (("schedule", work.queued), ("start", work.start), ("complete", work.end)):
                if until is None or time <= until:
                    _write_event(text, work, transition, time)
        text.write("</trace>\n")
    text.write("</log>\n")
    path.write_bytes(gzip.compress(text.getvalue().encode()))
    return path


def _write_event(text: io.StringIO, work: Work, transition: str, time: datetime) -> None:
    told = {"concept:name": work.activity, "org:resource": work.machine, "lifecycle:transition": transition}
    strings = "".join(f'<string key="{key}" value={quoteattr(value)}/>' for key, value in told.items())
    text.write(f'<event>{strings}<date key="time:timestamp" value="{time.isoformat()}"/></event>\n')


def write_csv(path: Path, works: Iterable[Work]) -> Path:
    """The log as a table with both ends of an execution in a row, in the order of the ends."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, delimiter=";")
        rows.writerow(["Case ID", "Activity", "Resource", "Start Timestamp", "Complete Timestamp"])
        for work in sorted(works, key=lambda one: one.end):
            times = [f"{time:%Y/%m/%d %H:%M:%S.%f}" for time in (work.start, work.end)]
            rows.writerow([work.case, work.activity, work.machine, *times])
    return path


def write_csv_of_events(path: Path, works: Iterable[Work]) -> Path:
    """The log as a table with an event in a row, under names of its own."""
    events = [(time, work, name) for work in works for name, time in (("START", work.start), ("COMPLETE", work.end))]
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["auftrag", "activity", "wo", "timestamp", "lifecycle:transition"])
        for time, work, name in sorted(events, key=lambda event: event[0]):
            rows.writerow([work.case, work.activity, work.machine, time.isoformat(), name])
    return path
