"""Writes: everything acknowledged is durable (SQLite, WAL, synchronous=FULL), entity and event in one transaction.

writes.store              the store alone, 64 concurrent callers in the server process
writes.one_commit_each    the usual way beside it: a transaction a write, in a thread
writes.post               single POSTs of a job to `rmos serve`, 64 callers
writes.echo               an empty FastAPI POST of the same body: what the framework alone can do
writes.bulk               POSTs of 100 jobs each, 64 callers
writes.post.listened      100 single POSTs a second while 1,000 subscribers are told of each: time to the answer
writes.bulk.listened      bulk POSTs, 64 callers, to 1,000 subscribers: what arrives there
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.bench import Bench
from benchmarks.figures import Result, Rounds
from benchmarks.processes import Child, ChildError

CALLERS: Final = 64
BULK: Final = 100
RATE: Final = 100
_JOBS: Final = "/api/rmos/stores/joblogs"
_BULK: Final = "/api/rmos/stores/bulk"
_JOB: Final = {
    "job_type": "slice",
    "status": "running",
    "progress": 0.25,
    "machine_id": "cnc1",
    "project_id": "p7",
    "operator": "operator-1",
    "parameters": {"blade_id": "b-12", "speed": 1800, "feed_mm_min": 420},
}
_UNITS: Final = {
    "writes.store": "writes/s",
    "writes.one_commit_each": "writes/s",
    "writes.post": "requests/s",
    "writes.post.p50": "ms",
    "writes.post.p99": "ms",
    "writes.post.cpu": "CPU us/request",
    "writes.echo": "requests/s",
    "writes.echo.cpu": "CPU us/request",
    "writes.bulk": "jobs/s",
    "writes.post.listened.p50": "ms",
    "writes.post.listened.p99": "ms",
    "writes.bulk.listened": "jobs/s",
    "writes.bulk.listened.deliveries": "deliveries/s",
}
_AGAINST: Final = {
    "writes.store": {"one_commit_each": "writes.one_commit_each"},
    "writes.post": {"echo": "writes.echo"},
    "writes.post.cpu": {"echo": "writes.echo.cpu"},
}


def run(bench: Bench) -> list[Result]:
    """Measure every kind of write, round by round."""
    rounds = Rounds()
    for _ in range(bench.plan.rounds):
        _measure_stores(bench, rounds)
        _measure_posts(bench, rounds)
        _measure_posts_to_listeners(bench, rounds)
        _measure_bulk_to_listeners(bench, rounds)
    return rounds.results(_UNITS, against=lambda name: _AGAINST.get(name, {}))


def _measure_stores(bench: Bench, rounds: Rounds) -> None:
    with rounds.attempt("writes.store", "writes.one_commit_each"), bench.server("shop-log") as (server, _):
        for name, command in (("writes.store", "write"), ("writes.one_commit_each", "write-one-commit-each")):
            server.tell(f"{command} {CALLERS} {bench.plan.writes_s}")
            said = server.hear_json(timeout_s=60)
            rounds.add(name, said["writes"] / (said["wall_ns"] / 1e9))


def _measure_posts(bench: Bench, rounds: Rounds) -> None:
    with rounds.attempt("writes.echo", "writes.echo.cpu"), bench.server("published") as (server, port):
        _measure_post(bench, rounds, "writes.echo", server, port, "/echo")
    names = ("writes.post", "writes.post.p50", "writes.post.p99", "writes.post.cpu")
    with rounds.attempt(*names), bench.rmos_serve() as (server, port):
        said = _measure_post(bench, rounds, "writes.post", server, port, _JOBS)
        rounds.add("writes.post.p50", said["latency"]["p50_ns"] / 1e6)
        rounds.add("writes.post.p99", said["latency"]["p99_ns"] / 1e6)
    with rounds.attempt("writes.bulk"), bench.rmos_serve() as (_, port), _body(_bulk()) as body:
        said = bench.post(port, _BULK, body, callers=CALLERS)
        rounds.add("writes.bulk", said["accepted"] * BULK / (said["wall_ns"] / 1e9))


def _measure_post(
    bench: Bench, rounds: Rounds, name: str, server: Child, port: int, path: str
) -> dict[str, Any]:  # Any: JSON
    """Single POSTs as fast as they are answered: requests a second, and processor time of one."""
    with _body(_JOB) as body:
        cpu_s = server.cpu_s()
        said = bench.post(port, path, body, callers=CALLERS)
        rounds.add(f"{name}.cpu", (server.cpu_s() - cpu_s) / said["accepted"] * 1e6)
    rounds.add(name, said["accepted"] / (said["wall_ns"] / 1e9))
    return said


def _measure_posts_to_listeners(bench: Bench, rounds: Rounds) -> None:
    names = ("writes.post.listened.p50", "writes.post.listened.p99")
    with rounds.attempt(*names), bench.rmos_serve() as (_, port), _body(_JOB) as body:
        with bench.subscribers(port, bench.plan.subscribers) as receiver:
            said = bench.post(port, _JOBS, body, callers=CALLERS, rate=RATE)
            taken = receiver.take()
        if taken.closed:
            raise ChildError(f"{taken.closed} subscribers were closed")
        rounds.add("writes.post.listened.p50", said["latency"]["p50_ns"] / 1e6)
        rounds.add("writes.post.listened.p99", said["latency"]["p99_ns"] / 1e6)


def _measure_bulk_to_listeners(bench: Bench, rounds: Rounds) -> None:
    names = ("writes.bulk.listened", "writes.bulk.listened.deliveries")
    with rounds.attempt(*names), bench.rmos_serve() as (_, port), _body(_bulk()) as body:
        with bench.subscribers(port, bench.plan.subscribers) as receiver:
            receiver.take()
            said = bench.post(port, _BULK, body, callers=CALLERS)
            taken = receiver.take()
        if taken.closed:
            raise ChildError(f"{taken.closed} subscribers were closed")
        rounds.add("writes.bulk.listened", said["accepted"] * BULK / (said["wall_ns"] / 1e9))
        rounds.add("writes.bulk.listened.deliveries", taken.others / (said["wall_ns"] / 1e9))


def _bulk() -> dict[str, object]:
    return {"operations": [{"op": "create", "entity": "joblog", "data": _JOB}] * BULK}


@contextmanager
def _body(document: dict[str, object]) -> Iterator[Path]:
    """The document in a file."""
    with tempfile.NamedTemporaryFile("w", prefix="rmos-bench-", suffix=".json") as file:
        json.dump(document, file)
        file.flush()
        yield Path(file.name)
