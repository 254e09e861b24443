"""Published path of the `/ws/monitor` router; it lives in `rmos.web.websocket`."""

from rmos.web.websocket import router

__all__ = ["router"]
