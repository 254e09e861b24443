"""The figures of `metrics:snapshot`."""

from __future__ import annotations

from typing import Final

from rmos.clock import Timestamp, seconds_between
from rmos.domain.entities import JsonObject
from rmos.domain.jobs import IN_PROGRESS
from rmos.stores.base import Overview

_RUNNING_FIELDS: Final = ("id", "job_type", "pattern_id", "machine_id", "project_id", "progress", "start_time")


def metrics_snapshot(overview: Overview, now: Timestamp) -> JsonObject:
    """What the screens show of the shop at this moment.

    `elapsed_s` of a running job spares a screen the comparison of `start_time` with a clock of its own, which may be
    wrong; it is None where the start is unknown.
    """
    by_status = dict(overview.jobs_by_status)
    return {
        "jobs": {
            "by_status": dict(by_status),
            "wip": sum(by_status[status] for status in IN_PROGRESS),
            "running": [_running(job, now) for job in overview.running],
        },
        "entities": dict(overview.entities),
        "offset": overview.offset,
    }


def _running(job: JsonObject, now: Timestamp) -> JsonObject:
    start = job["start_time"]
    elapsed_s = max(0.0, seconds_between(start, now)) if isinstance(start, str) else None
    return {field: job[field] for field in _RUNNING_FIELDS} | {"elapsed_s": elapsed_s}
