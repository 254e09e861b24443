"""Figures for Prometheus, in a registry of the application: two applications in one process do not mix.

Rule: labels come from our own routes, never from what a client sent, so their number is bounded.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from rmos.runtime import Runtime

_BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class HttpMetrics:
    """Counts answered requests and how long they took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "rmos_http_requests", "Requests answered.", ("method", "route", "status"), registry=registry
        )
        self._duration = Histogram(
            "rmos_http_request_seconds",
            "Time from the head of a request to the end of its answer.",
            ("method",),
            buckets=_BUCKETS_S,
            registry=registry,
        )
        # Finding a child by its labels costs more than counting, so the few that there are are kept.
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def observe(self, method: str, route: str, status: int, duration_s: float) -> None:
        """One request was answered. `route` is the path as declared, e.g. `/api/rmos/stores/patterns/{entity_id}`."""
        key = (method if method in _METHODS else "other", route, status)
        children = self._children.get(key)
        if children is None:
            children = self._requests.labels(key[0], route, status), self._duration.labels(key[0])
            self._children[key] = children
        requests, duration = children
        requests.inc()
        duration.observe(duration_s)


class Gauges:
    """Where the shop stands at the moment somebody looks.

    Attributes:
        writes_waiting: Requests whose write is not committed yet: how far the database is behind.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.writes_waiting = 0
        self._writes = Gauge("rmos_writes_waiting", "Writes that wait for their commit.", registry=registry)
        self._head = Gauge("rmos_events_head", "Newest offset of the event log that is being sent.", registry=registry)
        self._connections = Gauge("rmos_monitor_connections", "Open connections of the monitor.", registry=registry)

    def observe(self, runtime: Runtime) -> None:
        """Take the figures of now."""
        self._writes.set(self.writes_waiting)
        self._head.set(runtime.hub.head)
        self._connections.set(len(runtime.hub.subscribers))
