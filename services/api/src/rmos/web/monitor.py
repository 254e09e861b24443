"""The published functions of the monitor: broadcast an event of one's own, look at who is connected.

They take no server as an argument, so one place must know the running one: here, set by the application's lifespan.
Custom events go through the log like all others, so they are never lost and can be replayed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rmos.domain.events import ACTOR_SYSTEM, METRICS_SNAPSHOT, Category
from rmos.errors import NotRunningError
from rmos.hub.subscriber import Subscriber
from rmos.protocol.messages import metrics_frame
from rmos.runtime import Runtime
from rmos.services.context import Context
from rmos.services.custom import append_custom

__all__ = [
    "ConnectionManager",
    "broadcast_job_event",
    "broadcast_material_event",
    "broadcast_metrics_snapshot",
    "broadcast_pattern_event",
    "get_connection_manager",
]

_running: Runtime | None = None


@contextmanager
def running(runtime: Runtime) -> Iterator[None]:
    """Make this the server that the published functions act on, for the time of the block."""
    global _running
    before, _running = _running, runtime
    try:
        yield
    finally:
        _running = before


async def broadcast_job_event(event: str, data: Mapping[str, Any]) -> None:
    """Broadcast `job:<event>` with this data to everybody who listens to jobs. Returns when it is stored.

    Raises:
        NotRunningError: no server runs in this process.
        InvalidError: `event` is no event name, or `data` is not JSON.
    """
    await _broadcast(Category.JOB, event, data)


async def broadcast_pattern_event(event: str, data: Mapping[str, Any]) -> None:
    """Broadcast `pattern:<event>`; otherwise as `broadcast_job_event`."""
    await _broadcast(Category.PATTERN, event, data)


async def broadcast_material_event(event: str, data: Mapping[str, Any]) -> None:
    """Broadcast `material:<event>`; otherwise as `broadcast_job_event`."""
    await _broadcast(Category.MATERIAL, event, data)


async def broadcast_metrics_snapshot(data: Mapping[str, Any]) -> None:
    """Send `metrics:snapshot` with this data to everybody who listens to metrics now. It is not stored.

    Raises:
        NotRunningError: no server runs in this process.
    """
    runtime = _required()
    runtime.hub.broadcast(METRICS_SNAPSHOT, metrics_frame(dict(data), runtime.clock()))


class ConnectionManager:
    """Who is connected, under the published names. Copies of the moment: changing them changes nothing."""

    def __init__(self, runtime: Runtime | None = None) -> None:
        self._runtime = runtime

    @property
    def active_connections(self) -> set[Subscriber]:
        """Every open connection."""
        return set(self._runtime.hub.subscribers) if self._runtime else set()

    @property
    def subscription_filters(self) -> dict[Subscriber, list[str]]:
        """The filters of every open connection; an empty list before it subscribes."""
        return {subscriber: subscriber.filter_names for subscriber in self.active_connections}


def get_connection_manager() -> ConnectionManager:
    """The connections of the server in this process; none where no server runs."""
    return ConnectionManager(_running)


async def _broadcast(category: Category, event: str, data: Mapping[str, Any]) -> None:
    runtime = _required()
    context = Context(actor=ACTOR_SYSTEM, request_id=None, now=runtime.clock())
    await runtime.stores.write(lambda tx: append_custom(tx, category, event, dict(data), context))


def _required() -> Runtime:
    if _running is None:
        raise NotRunningError("no RMOS server runs in this process; call this from code that the server itself runs")
    return _running
