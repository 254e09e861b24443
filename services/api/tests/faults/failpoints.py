"""Points at which a server kills itself, as a power cut would; applied in its process before it starts."""

from __future__ import annotations

import os
import signal
import sqlite3
from itertools import count
from pathlib import Path
from typing import Any

from rmos.hub.fan_out import FanOut
from rmos.stores import sqlite
from rmos.stores.sqlite.writer import Writer
from rmos.web.lean_connection import LeanConnection

STATEMENTS = {
    "before the transaction": "BEGIN IMMEDIATE",
    "in the transaction": "INSERT INTO events",
    "before the commit": "COMMIT",
}
"""The point is just before the statement is run."""
AFTER = ("after the commit, before the answer", "after the answer, before the fan-out", "in the fan-out")


def die(point: str, times: int) -> None:
    """Kill this process when it comes to the point for the n-th time."""
    passed = count(1)

    def pass_by() -> None:
        if next(passed) == times:
            os.kill(os.getpid(), signal.SIGKILL)

    if point in STATEMENTS:
        _before_statement(STATEMENTS[point], pass_by)
    elif point == AFTER[0]:
        _before_method(Writer, "_answer", pass_by, only_if=lambda arguments: arguments["committed"])
    elif point == AFTER[1]:
        _before_method(FanOut, "_tick", pass_by)
    elif point == AFTER[2]:
        _at_writes_of_events(pass_by)
    else:
        raise SystemExit(f"unknown point {point}")


def _before_statement(beginning: str, pass_by: Any) -> None:
    connect = sqlite.connect_writer

    def connect_watched(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.set_trace_callback(lambda text: pass_by() if text.startswith(beginning) else None)
        return connection

    sqlite.connect_writer = connect_watched  # type: ignore[attr-defined]  # imported there to be used there


def _before_method(owner: type, name: str, pass_by: Any, *, only_if: Any = lambda _: True) -> None:
    method = getattr(owner, name)

    def watched(self: Any, *arguments: Any, **named: Any) -> Any:
        if only_if(named):
            pass_by()
        return method(self, *arguments, **named)

    setattr(owner, name, watched)


class _Watched:
    """The transport of a connection. Events are told by a key that only they have."""

    def __init__(self, transport: Any, pass_by: Any) -> None:
        self._transport = transport
        self._pass_by = pass_by

    def write(self, data: bytes) -> None:
        self._transport.write(data)
        if b'"channels":' in data and b'"version":' in data:
            self._pass_by()


def _at_writes_of_events(pass_by: Any) -> None:
    LeanConnection.transport = property(lambda self: _Watched(self._transport, pass_by))  # type: ignore[assignment,method-assign,misc]  # a property takes the place of one
