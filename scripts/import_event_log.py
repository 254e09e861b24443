"""Import an event log (XES or CSV) as job logs.

    services/api/.venv/bin/python scripts/import_event_log.py LOG.xes.gz [--job case] [--url http://127.0.0.1:8000]

One job is one execution of an activity, or with `--job case` one whole case. docs/how-to/import-an-event-log.md has the
mapping. Importing again changes nothing: ids follow from the names of log, case and activity. A log that has grown
since is followed: jobs that went on are updated.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from event_log import ABORT, COMPLETE, START, Event, EventLogError, read_events
from event_log_options import CASE, Shop, parser_of, reading_of

_BULK: Final = "/api/rmos/stores/bulk?partial=true"
_BATCH: Final = 1000
"""Operations in one request: about half a megabyte, of the 16 that are accepted."""
_NAMESPACE: Final = uuid.UUID("0b0c8d4e-52a4-5d0e-9c5e-1a3f2b7d6e10")
"""Of the ids; any constant would do, but never another one."""
_PLACE: Final = 128
"""Characters that a machine or project may have."""


@dataclass(slots=True)
class Execution:
    """Work that begins and ends once.

    Attributes:
        end: None while it goes on.
        outcome: `COMPLETE` or `ABORT`; None while it goes on.
    """

    case: str
    activity: str
    resource: str | None
    start: datetime | None
    end: datetime | None = None
    outcome: str | None = None
    is_repeat: bool = False
    is_last: bool = True


def executions(events: Iterable[Event]) -> list[Execution]:
    """Starts and ends put together: by instance where the log tells it, or else the oldest start first.

    Args:
        events: By time.
    """
    found: list[Execution] = []
    going: defaultdict[tuple[str, str, str | None], list[Execution]] = defaultdict(list)
    for event in events:
        queue = going[event.case, event.activity, event.instance]
        if event.transition == START:
            queue.append(Execution(event.case, event.activity, event.resource, event.time))
            found.append(queue[-1])
            continue
        if queue:
            execution = queue.pop(0)
        else:  # a log of ends alone: when the work began is unknown
            execution = Execution(event.case, event.activity, None, None)
            found.append(execution)
        execution.end, execution.outcome = event.time, event.transition
        execution.resource = execution.resource or event.resource
    _mark_repeats(found)
    return found


def _mark_repeats(found: Iterable[Execution]) -> None:
    """Tell which executions follow, and which precede, a completed one of the same activity in the same case."""
    done: dict[tuple[str, str], Execution] = {}
    completed = [(one.end, one) for one in found if one.end is not None and one.outcome == COMPLETE]
    for _, execution in sorted(completed, key=lambda pair: pair[0]):
        before = done.get((execution.case, execution.activity))
        if before is not None:
            before.is_last, execution.is_repeat = False, True
        done[execution.case, execution.activity] = execution


def jobs_of_activities(log: str, found: Sequence[Execution]) -> Iterator[dict[str, Any]]:
    """A job for each execution: the activity is its type, the resource its machine, the case its project."""
    numbers: defaultdict[tuple[str, str], int] = defaultdict(int)
    for execution in found:
        key = execution.case, execution.activity
        numbers[key] += 1
        yield {
            "id": _id(log, *key, str(numbers[key])),
            "job_type": execution.activity[:200],
            "machine_id": execution.resource and execution.resource[:_PLACE],
            "project_id": execution.case[:_PLACE],
            **_course(execution.start, execution.end, execution.outcome),
            **_pieces(execution.outcome, is_last=execution.is_last, is_rework=execution.is_repeat),
            "metadata": {"event_log": log, "case": execution.case, "execution": numbers[key]},
        }


def jobs_of_cases(log: str, found: Sequence[Execution]) -> Iterator[dict[str, Any]]:
    """A job for each case: from its first start (or end) to its last end, waiting included."""
    cases: defaultdict[str, list[Execution]] = defaultdict(list)
    for execution in found:
        cases[execution.case].append(execution)
    for case, parts in cases.items():
        ends = [part.end for part in parts if part.end is not None]
        is_open = len(ends) < len(parts)
        is_done = any(part.outcome == COMPLETE for part in parts)
        outcome = None if is_open else COMPLETE if is_done else ABORT
        yield {
            "id": _id(log, case),
            "job_type": "case",
            "project_id": case[:_PLACE],
            **_course(min([p.start for p in parts if p.start] + ends), None if is_open else max(ends), outcome),
            **_pieces(outcome, is_last=True, is_rework=any(part.is_repeat for part in parts)),
            "metadata": {"event_log": log, "case": case, "executions": len(parts)},
        }


def _course(start: datetime | None, end: datetime | None, outcome: str | None) -> dict[str, Any]:
    status = {COMPLETE: "completed", ABORT: "cancelled", None: "running"}[outcome]
    return {"status": status, "start_time": _told(start), "end_time": _told(end)}


def _pieces(outcome: str | None, *, is_last: bool, is_rework: bool) -> dict[str, Any]:
    """One piece for each activity of a case, counted where it came out in the end."""
    if outcome != COMPLETE:
        return {"good_qty": None, "rework_qty": None}
    return {"good_qty": int(is_last), "rework_qty": int(is_last and is_rework)}


def _told(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _id(*names: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, json.dumps(names)))


def store(shop: Shop, jobs: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Create what is missing and update what is different. Returns how many of each, and of those left alone.

    Raises:
        EventLogError: the server refuses a job.
    """
    counts = {"created": 0, "updated": 0, "unchanged": 0}
    for begin in range(0, len(jobs), _BATCH):
        batch = jobs[begin : begin + _BATCH]
        made = _bulk(shop, [{"op": "create", "entity": "joblog", "data": job} for job in batch])
        counts["created"] += sum(result["status"] == 201 for result in made)
        known = [job for job, result in zip(batch, made, strict=True) if result["status"] == 409]
        before = _versions(shop, known)
        for result in _bulk(shop, [_update(job) for job in known]):
            counts["unchanged" if before[result["id"]] == result["version"] else "updated"] += 1
    return counts


def _update(job: dict[str, Any]) -> dict[str, Any]:
    # An ended job changes when the log that was imported before was cut off amid its executions.
    data = {name: value for name, value in job.items() if name != "id"} | {"reopen": True}
    return {"op": "update", "entity": "joblog", "id": job["id"], "data": data}


def _versions(shop: Shop, jobs: Sequence[dict[str, Any]]) -> dict[str, int]:
    """The stored version of each, by an update that changes nothing."""
    nothing = [{"op": "update", "entity": "joblog", "id": job["id"], "data": {}} for job in jobs]
    return {result["id"]: result["version"] for result in _bulk(shop, nothing)}


def _bulk(shop: Shop, operations: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    if not operations:
        return []
    results: list[dict[str, Any]] = shop.ask(_BULK, {"operations": operations})["results"]
    for result in results:
        if result["status"] not in (200, 201, 409):
            told = operations[result["index"]].get("data", {}).get("metadata")
            raise EventLogError(f"the server refuses {told}: {result['error']['detail']}")
    return results


def main() -> int:
    """Import the file; one line of JSON says what came of it."""
    parser = parser_of(__doc__)
    parser.add_argument("--name", help="name of the log, a part of the ids; the file's when it is not given")
    given = parser.parse_args()
    name = given.name or given.file.name.removesuffix(".gz").rpartition(".")[0]
    try:
        events = read_events(given.file, reading_of(given))
        found = executions(events)
        jobs = list((jobs_of_cases if given.job == CASE else jobs_of_activities)(name, found))
        counts = store(Shop(given.url, given.token), jobs)
    except (EventLogError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    cases = len({execution.case for execution in found})
    print(json.dumps({"log": name, "events": len(events), "cases": cases, "jobs": len(jobs), **counts}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
