"""Job logs: what the shop does, has done and is going to do.

Rule 1: the status changes only along `TRANSITIONS`; what has ended is reopened only on purpose.
Rule 2: entering `running` sets the start and ending sets the end, unless the request gives them or they are known.
Rule 3: the duration follows from the two times, unless somebody gave another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rmos.clock import Timestamp, seconds_between
from rmos.domain.entities import JsonObject, JsonValue
from rmos.domain.fields import Field, Values, choice, identifier, json_object, number, read_fields, text, timestamp
from rmos.domain.revise import next_version
from rmos.errors import ConflictError, InvalidError

PENDING: Final = "pending"
RUNNING: Final = "running"
COMPLETED: Final = "completed"
FAILED: Final = "failed"

OPEN: Final = (PENDING, "planned", "ready", RUNNING, "held", "suspended", "interrupted")
ENDED: Final = (COMPLETED, FAILED, "cancelled")
STATUSES: Final = OPEN + ENDED
STOPPED: Final = ("held", "suspended", "interrupted")
"""Begun, and not going on."""
IN_PROGRESS: Final = (RUNNING, *STOPPED)
"""Begun and not ended: the work in progress (WIP) of the shop."""

SYNONYMS: Final[Mapping[str, str]] = {"error": FAILED}
"""Statuses that callers may send, and how they are stored."""

TRANSITIONS: Final[Mapping[str, frozenset[str]]] = {
    status: frozenset(STATUSES) - {status} if status in OPEN else frozenset() for status in STATUSES
}
"""Where each status may go by itself."""
REOPENINGS: Final[Mapping[str, frozenset[str]]] = {status: frozenset(STATUSES) - {status} for status in ENDED}
"""Where an ended job may go when the request says `"reopen": true`."""

REASONS: Final = (
    "OPERATIONAL",
    "MATERIAL_SHORTAGE",
    "MACHINE_FAILURE",
    "QUALITY_HOLD",
    "ENGINEERING_CHANGE",
    "GLUE_DRY",
    "OTHER",
)


@dataclass(frozen=True, slots=True)
class JobLog:
    """One job.

    Attributes:
        job_type: Free text; known are `slice`, `batch`, `contour`, `assembly`, `glue_up` and others.
        duration_seconds: Seconds of work; None while unknown.
        progress: Share that is done, 0 to 1.
        reason: One of `REASONS`: why it is in its status; `note` says it in words.
        good_qty: Pieces that came out well; `scrap_qty` and `rework_qty` likewise.
    """

    id: str
    job_type: str
    pattern_id: str | None
    strip_family_id: str | None
    status: str
    start_time: Timestamp | None
    end_time: Timestamp | None
    duration_seconds: float | None
    parameters: JsonObject
    results: JsonObject | None
    machine_id: str | None
    project_id: str | None
    operator: str | None
    progress: float | None
    reason: str | None
    note: str | None
    good_qty: float | None
    scrap_qty: float | None
    rework_qty: float | None
    metadata: JsonObject | None
    created_at: Timestamp
    updated_at: Timestamp
    version: int


def read_status(value: JsonValue, pointer: str) -> JsonValue:
    """A status as it is stored; synonyms are translated.

    Raises:
        InvalidError: an unknown status; the message names the accepted ones.
    """
    known = SYNONYMS.get(value, value) if isinstance(value, str) else value
    return choice(STATUSES)(known, pointer)


_QUANTITY: Final = Field(number(at_least=0))
_PLACE: Final = Field(text(longest=128))
"""Projects and machines name channels, which hold at most 200 characters."""

FIELDS: Final[Mapping[str, Field]] = {
    "job_type": Field(text(), required=True),
    "pattern_id": Field(identifier),
    "strip_family_id": Field(identifier),
    "status": Field(read_status, nullable=False, default=PENDING),
    "start_time": Field(timestamp),
    "end_time": Field(timestamp),
    "duration_seconds": Field(number(at_least=0)),
    "parameters": Field(json_object, default={}),
    "results": Field(json_object),
    "machine_id": _PLACE,
    "project_id": _PLACE,
    "operator": Field(text()),
    "progress": Field(number(at_least=0, at_most=1)),
    "reason": Field(choice(REASONS)),
    "note": Field(text(longest=10_000, multiline=True)),
    "good_qty": _QUANTITY,
    "scrap_qty": _QUANTITY,
    "rework_qty": _QUANTITY,
    "metadata": Field(json_object),
}


def create(given: Mapping[str, JsonValue], *, entity_id: str, now: Timestamp) -> JobLog:
    """The first version of a job log, in any status.

    One that is created as ended is a record of the past: the server does not invent its times.

    Raises:
        InvalidError: a field is missing or malformed, or the job ends before it starts.
    """
    values = read_fields(FIELDS, given, complete=True)
    if values["status"] == RUNNING and values["start_time"] is None:
        values["start_time"] = now
    elapsed_s = _elapsed_s(values["start_time"], values["end_time"])
    if values["duration_seconds"] is None:
        values["duration_seconds"] = elapsed_s
    return JobLog(id=entity_id, **values, created_at=now, updated_at=now, version=1)


def change(job: JobLog, changes: Mapping[str, JsonValue], *, now: Timestamp) -> JobLog:
    """The job with each given field replaced; null stands for a field's default.

    Args:
        changes: Fields of the job, and `reopen`: true lets an ended job change its status.

    Raises:
        InvalidError: a field is malformed, or the job would end before it starts.
        ConflictError: the job has ended, and the status may not change so.
    """
    given = dict(changes)
    reopen = given.pop("reopen", False)
    if not isinstance(reopen, bool):
        raise InvalidError.at("/reopen", "must be true or false")
    values = read_fields(FIELDS, given)
    status = values.get("status", job.status)
    if status != job.status:
        _check_transition(job.status, status, reopen=reopen)
        _stamp(job, values, status, now)
    _settle_duration(job, values)
    return next_version(job, values, now)


def change_name(before: JobLog, after: JobLog) -> str:
    """The name of the event that tells of the change: `completed`, `failed` or `updated`."""
    if after.status != before.status and after.status in (COMPLETED, FAILED):
        return after.status
    return "updated"


def _check_transition(before: str, after: str, *, reopen: bool) -> None:
    if after in TRANSITIONS[before] or (reopen and after in REOPENINGS[before]):
        return
    raise ConflictError(f'job is {before} and cannot become {after}; send "reopen": true to change it all the same')


def _stamp(job: JobLog, values: Values, status: str, now: Timestamp) -> None:
    """Set the times that a change of status implies and the request does not give."""
    if status == RUNNING and job.start_time is None:
        values.setdefault("start_time", now)
    if status in ENDED and job.end_time is None:
        # Never before the start, which may come from a machine whose clock is ahead of ours.
        values.setdefault("end_time", max(now, values.get("start_time", job.start_time) or now))
    if status in OPEN and job.status in ENDED:
        values.setdefault("end_time", None)
        values.setdefault("duration_seconds", None)


def _settle_duration(job: JobLog, values: Values) -> None:
    """Derive the duration anew when the times changed, unless somebody gave one that does not follow from them."""
    if "start_time" not in values and "end_time" not in values:
        return
    elapsed_s = _elapsed_s(values.get("start_time", job.start_time), values.get("end_time", job.end_time))
    if job.duration_seconds is None or job.duration_seconds == _elapsed_s(job.start_time, job.end_time):
        values.setdefault("duration_seconds", elapsed_s)


def _elapsed_s(start: Timestamp | None, end: Timestamp | None) -> float | None:
    """Seconds between the times, to the millisecond; None while one is unknown.

    Raises:
        InvalidError: the end is before the start.
    """
    if start is None or end is None:
        return None
    elapsed_s = round(seconds_between(start, end), 3)
    if elapsed_s < 0:
        raise InvalidError.at("/end_time", f"{end} is before the start, {start}")
    return elapsed_s
