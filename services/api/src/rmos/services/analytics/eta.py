"""When the running jobs will be done, and how good such estimates have been."""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict
from typing import Final

from rmos.analytics.eta import Past, Report, Trial, choose_past, estimate, quality
from rmos.clock import Timestamp, add_seconds, seconds_between
from rmos.domain.entities import JsonObject
from rmos.domain.jobs import COMPLETED
from rmos.stores.figures import Figures, JobQuery

COMPARED_JOBS: Final = 200
"""Newest completed jobs that a job is compared with: older ones were made with other tools and hands."""
TRIED_JOBS: Final = 2_000
"""Newest completed jobs on which estimates are tried; the older half is only learned from."""
MIN_TRIED: Final = 20
"""Estimates below which their quality says little."""
FURTHEST_S: Final = 10 * 365.25 * 86_400
"""An end further off than ten years is no estimate: some duration was mistyped."""
_TRIED_AT: Final = (0.0, 0.25, 0.5, 0.75)
"""Shares of a job's duration at which it is asked for; a running shop does not know them."""


class Pasts:
    """The past of each type and pattern that is asked for, read once."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._read: dict[tuple[str, str | None], list[float]] = {}

    def of(self, job_type: str, pattern_id: str | None) -> Past:
        """What a job of this type and pattern is compared with."""
        of_pattern = self._durations(job_type, pattern_id) if pattern_id is not None else []
        return choose_past(of_pattern, self._durations(job_type, None))

    def _durations(self, job_type: str, pattern_id: str | None) -> list[float]:
        key = (job_type, pattern_id)
        if key not in self._read:
            self._read[key] = self._figures.durations(job_type, pattern_id, limit=COMPARED_JOBS)
        return self._read[key]


def estimate_running(figures: Figures, running: Iterable[JsonObject], now: Timestamp) -> dict[str, JsonObject]:
    """By id: the estimate of each running job, from its document."""
    pasts = Pasts(figures)
    return {str(job["id"]): _told(job, pasts, now) for job in running}


def _told(job: JsonObject, pasts: Pasts, now: Timestamp) -> JsonObject:
    start, pattern_id = job["start_time"], job["pattern_id"]
    if not isinstance(start, str):
        return {"expected_end": None, "interval": None, "basis": "none", "n": 0, "overrun_s": None, "too_few": True}
    found = estimate(
        pasts.of(str(job["job_type"]), pattern_id if isinstance(pattern_id, str) else None),
        elapsed_s=max(0.0, seconds_between(start, now)),
        report=_report(job, start),
    )
    return {
        "expected_end": None if found.duration_s is None else _end(start, found.duration_s),
        "interval": None if found.interval_s is None else [_end(start, duration_s) for duration_s in found.interval_s],
        "basis": found.basis,
        "n": found.n,
        "overrun_s": found.overrun_s,
        "too_few": found.interval_s is None,
    }


def _end(start: Timestamp, duration_s: float) -> Timestamp | None:
    return add_seconds(start, duration_s) if duration_s <= FURTHEST_S else None


def _report(job: JsonObject, start: Timestamp) -> Report | None:
    """The progress as it was when the job was last changed; nobody says when it was measured."""
    progress = job["progress"]
    if isinstance(progress, bool) or not isinstance(progress, int | float):
        return None
    return Report(float(progress), max(0.0, seconds_between(start, str(job["updated_at"]))))


def eta_quality(figures: Figures) -> JsonObject:
    """Each of the newer jobs estimated from those before it, at the start and while it ran; no progress is used.

    A job is asked for at shares of its own duration. So it is compared with those that ran longer, as it would have
    been; but the later the share, the more of them are the slow ones, and the harder it is.
    """
    jobs = figures.jobs(JobQuery((), (COMPLETED,), ("duration_seconds",), TRIED_JOBS))
    durations: dict[tuple[str, str | None], _Newest] = {}
    trials: list[Trial] = []
    for number, job in enumerate(jobs):
        duration_s = job.duration_seconds or 0.0
        of_type = durations.setdefault((job.job_type, None), _Newest())
        of_pattern = durations.setdefault((job.job_type, job.pattern_id or ""), _Newest())
        if number >= len(jobs) // 2 and duration_s > 0:
            past = choose_past(of_pattern.ascending if job.pattern_id else [], of_type.ascending)
            trials += [Trial(share, estimate(past, elapsed_s=share * duration_s), duration_s) for share in _TRIED_AT]
        of_type.add(duration_s)
        of_pattern.add(duration_s)
    at = {share: [trial for trial in trials if trial.elapsed_share == share] for share in _TRIED_AT}
    started = quality(at[0.0])
    return {
        **asdict(started),
        "jobs": len(at[0.0]),
        "wanted_coverage": 0.8,
        "too_few": started.n < MIN_TRIED,
        "by_basis": {
            basis: asdict(quality([trial for trial in at[0.0] if trial.found.basis == basis]))
            for basis in ("pattern", "job_type")
        },
        "while_running": [{"elapsed_share": share, **asdict(quality(found))} for share, found in at.items()],
    }


class _Newest:
    """The newest `COMPARED_JOBS` durations, ascending."""

    def __init__(self) -> None:
        self.ascending: list[float] = []
        self._order: deque[float] = deque()

    def add(self, duration_s: float) -> None:
        """The next one in time."""
        self._order.append(duration_s)
        insort(self.ascending, duration_s)
        if len(self._order) > COMPARED_JOBS:
            self.ascending.remove(self._order.popleft())
