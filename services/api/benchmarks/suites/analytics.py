"""Analytics: how long each route takes over 1,000 to 1,000,000 job logs, over HTTP, from one caller.

analytics.<route>.n<jobs>     warm: nothing has changed since the figures were last asked for
analytics.changed.n<jobs>     a job is changed, then the figures are asked for: they follow the change first
analytics.anew.n<jobs>        counting everything anew, as after an upgrade, per job

The exponent in the notes is that of jobs in the time of a route, fitted over all sizes (least squares of the
logarithms): 0 says that the time does not grow with the history, 1 that it grows in proportion.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.bench import Bench
from benchmarks.figures import NotMeasuredError, Result, Rounds, exponent
from benchmarks.jobs_dataset import fill_file

REPEATS: Final = 5
"""Requests of one route in a round; the median counts."""
_PREFIX: Final = "/api/analytics"
_JOB: Final = "/api/rmos/stores/joblogs/job-00000000"
_IN_PATH: Final = {"pattern_id": "pattern-000", "measure": "duration"}
_NEEDED: Final = {"x": "pattern.complexity_score", "y": "job.waste_percentage"}
"""Values of parameters without which a route refuses."""
_PATIENCE_S: Final = 600.0


def run(bench: Bench) -> list[Result]:
    """Measure every route that answers to GET, size by size."""
    rounds, units = Rounds(), dict[str, str]()
    for jobs in bench.plan.jobs:
        with tempfile.TemporaryDirectory(prefix="rmos-bench-") as folder:
            asyncio.run(fill_file(Path(folder) / "rmos.db", jobs=jobs))
            with bench.rmos_serve({"RMOS_DATA": folder}) as (_, port):
                units |= _measure(port, jobs, bench.plan.rounds, rounds)
    names = sorted(units, key=lambda name: (name.rpartition(".n")[0], int(name.rpartition(".n")[2])))
    return rounds.results({name: units[name] for name in names}, notes=_exponents(names, rounds, bench.plan.jobs))


def _measure(port: int, jobs: int, count: int, rounds: Rounds) -> dict[str, str]:
    """Every figure of one size. Returns their units."""
    caller = _Caller(port)
    anew = f"analytics.anew.n{jobs}"
    rounds.add(anew, caller.until_counted() / jobs * 1e6)
    units = {anew: "µs/job"}
    for _ in range(count):
        for name, path in caller.routes().items():
            units[f"analytics.{name}.n{jobs}"] = "ms"
            rounds.add(f"analytics.{name}.n{jobs}", caller.warm_ms(path))
        units[f"analytics.changed.n{jobs}"] = "ms"
        rounds.add(f"analytics.changed.n{jobs}", caller.changed_ms())
    return units


def _exponents(names: Sequence[str], rounds: Rounds, sizes: Sequence[int]) -> dict[str, str]:
    """By how much a route slows down over all sizes, as the note of its largest one."""
    notes: dict[str, str] = {}
    if len(sizes) < 2:
        return notes
    for name in names:
        route, _, size = name.rpartition(".n")
        times = [rounds.median(f"{route}.n{jobs}") for jobs in sizes]
        told = [time for time in times if time]
        if int(size) == max(sizes) and len(told) == len(sizes):
            notes[name] = f"{route}: exponent {exponent(sizes, told):.2f}"
    return notes


class _Caller:
    """One client on one connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._changes = 0

    def routes(self) -> dict[str, str]:
        """Name and path of every route to measure."""
        paths = json.loads(self._ask("GET", "/openapi.json")[1])["paths"]
        found = {}
        for path, operations in paths.items():
            if path.startswith(_PREFIX) and "get" in operations:
                asked = {parameter["name"] for parameter in operations["get"].get("parameters", ())}
                query = "&".join(f"{name}={value}" for name, value in _NEEDED.items() if name in asked)
                name = path.removeprefix(f"{_PREFIX}/").replace("/{pattern_id}", "").replace("{measure}", "duration")
                found[name.replace("/", ".")] = path.format(**_IN_PATH) + (f"?{query}" if query else "")
        return found

    def until_counted(self) -> float:
        """Seconds until the figures have caught up for the first time."""
        begin = time.perf_counter()
        while self._ask("GET", f"{_PREFIX}/jobs/status")[0] == 503:
            if time.perf_counter() - begin > _PATIENCE_S:
                raise NotMeasuredError("the figures did not catch up")
        return time.perf_counter() - begin

    def warm_ms(self, path: str) -> float:
        """Median time of the route, after one request that does not count."""
        self._get_ms(path)
        return statistics.median(self._get_ms(path) for _ in range(REPEATS))

    def changed_ms(self) -> float:
        """Median time of the figures right after a change of one job."""
        times = []
        for _ in range(REPEATS):
            self._changes += 1
            status, said = self._ask("PATCH", _JOB, json.dumps({"metadata": {"change": self._changes}}))
            if status != 200:
                raise NotMeasuredError(f"a job could not be changed: {said[:200]!r}")
            times.append(self._get_ms(f"{_PREFIX}/jobs/status"))
        return statistics.median(times)

    def _get_ms(self, path: str) -> float:
        begin = time.perf_counter()
        status, said = self._ask("GET", path)
        if status != 200:
            raise NotMeasuredError(f"{path} answers {status}: {said[:200]!r}")
        return (time.perf_counter() - begin) * 1e3

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        self._connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        answer = self._connection.getresponse()
        return answer.status, answer.read()
