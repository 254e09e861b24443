"""Published path of the monitor functions; they live in `rmos.web.monitor`."""

from rmos.web.monitor import (
    ConnectionManager,
    broadcast_job_event,
    broadcast_material_event,
    broadcast_metrics_snapshot,
    broadcast_pattern_event,
    get_connection_manager,
)

__all__ = [
    "ConnectionManager",
    "broadcast_job_event",
    "broadcast_material_event",
    "broadcast_metrics_snapshot",
    "broadcast_pattern_event",
    "get_connection_manager",
]
