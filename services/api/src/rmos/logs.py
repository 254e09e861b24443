"""How log lines look. Code logs through stdlib loggers; structlog only renders what they say.

Rule 1: one handler, on the root logger, to standard error; standard output belongs to commands.
Rule 2: what could let somebody in, or what somebody wrote, is never rendered (`_without_secrets`).
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, Literal

import structlog

from rmos.clock import utc_now

__all__ = ["configure_logging"]

_LEFT_OUT: Final = "[left out]"
_SECRET_FIELDS: Final = frozenset(
    {"authorization", "body", "cookie", "data", "headers", "password", "payload", "secret", "set-cookie", "ticket"}
)
_SECRET_TEXT: Final = re.compile(
    r"""rmos_[A-Za-z0-9_-]{16,}              # API key
      | eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_.-]+   # JWT
      | (?<=bearer[ .])\S+                   # header or subprotocol
      | (?<=\#login=)\S+                     # one-use login code
    """,
    re.VERBOSE | re.IGNORECASE,
)
_FROM_UVICORN: Final = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")


def configure_logging(level: str, log_format: Literal["console", "json"]) -> None:
    """Render every log line of the process, uvicorn's included. May be called again; the last call counts.

    Args:
        level: Least level that is shown: `debug`, `info`, `warning` or `error`.
        log_format: `console` for people (coloured on a terminal), `json` for programs: one object a line.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                _timestamp,
                _without_secrets,
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(log_format)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries tell of every step at INFO; a shop owner needs what RMOS says, and of the others only what went wrong.
    root.setLevel(level.upper() if level in ("debug", "error") else "WARNING")
    logging.getLogger("rmos").setLevel(level.upper())
    for name in _FROM_UVICORN:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    # Requests have a canonical line of our own, so uvicorn's would be the second.
    logging.getLogger("uvicorn.access").setLevel("CRITICAL")


def _rendering(log_format: Literal["console", "json"]) -> list[structlog.typing.Processor]:
    if log_format == "json":
        return [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()]
    return [
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
    ]


def _timestamp(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The canonical time, the same form as in events."""
    event["timestamp"] = utc_now()
    return event


def _without_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Mask secrets in texts; leave out fields that carry secrets or what a client sent."""
    for name, value in event.items():
        if name.lower() in _SECRET_FIELDS or "token" in name.lower():
            event[name] = _LEFT_OUT
        elif isinstance(value, str):
            event[name] = _SECRET_TEXT.sub(_LEFT_OUT, value)
    return event
