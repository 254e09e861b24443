"""A client of the monitor that never gives up: it reconnects, resumes from its cursor and reports every loss.

Rule 1: an event is yielded once, in order; the cursor moves after its consumer came back for the next one.
Rule 2: what cannot be recovered is reported by a `Gap`, never left out in silence (protocol/PROTOCOL.md §12).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from rmos.domain.cursor import Cursor, Place
from rmos.errors import RmosError
from rmos.protocol.close_codes import CloseCode
from rmos.protocol.commands import MAX, SUBPROTOCOL_V2, FromTime

MAX_WAIT_S: Final = 16.0
"""Longest wait between two attempts; they go on for ever."""
MAX_FRAME_BYTES: Final = 4 * 1024 * 1024
"""A frame carries an entity of at most 256 KiB; the rest is room for servers with other limits."""
CONNECT_TIMEOUT_S: Final = 10.0
SILENT_HEARTBEATS: Final = 2.5
"""A line on which so many heartbeats are missing is dead, though the socket may look open for minutes."""


_LOG_IN: Final = "; --token takes the secret of `rmos token create`"


class StreamEndedError(RmosError):
    """The server ended the stream for good; coming back would not help."""

    code = "stream_ended"


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """One event: the frame as it was sent, and what is in it."""

    raw: str
    frame: dict[str, Any]  # Any: JSON whose shape depends on the event's type


@dataclass(frozen=True, slots=True)
class Connected:
    """The subscription is active. `resumed` is the cursor from which the missed events follow, None when live."""

    resumed: Cursor | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """The connection is gone; the next attempt begins in `wait_s` seconds."""

    reason: str
    wait_s: float


@dataclass(frozen=True, slots=True)
class Gap:
    """Events after `position` cannot be delivered any more; the stream goes on live."""

    position: Cursor | None
    reason: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """Something came that is not a frame; it was dropped."""

    text: str


@dataclass(frozen=True, slots=True)
class Replaying:
    """A replay begins, or has nothing to send for `wait_s` seconds; `is_over`: its end is reached."""

    wait_s: float = 0
    is_over: bool = False


_REQUIRED: Final[dict[str, tuple[tuple[str, type], ...]]] = {
    "system:subscribed": (("filters", list),),
    "system:heartbeat": (("offset", int),),
    "system:caught_up": (("offset", int),),
    "system:gap": (("to", int),),
    "system:replay": (("state", str), ("offset", int)),
    "system:closing": (("code", int),),
}
"""What a system frame is of no use without."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the log to be replayed instead of following what happens.

    Attributes:
        until: The last place; None for the head when the replay begins.
        speed: Times real time; 0 for as fast as it is taken.
    """

    after: Place
    until: Place | None
    speed: float


Notice: TypeAlias = Connected | Waiting | Gap | Malformed | Replaying
Start: TypeAlias = Cursor | int | FromTime | Literal["oldest"] | Stretch | None
"""A cursor, a number of newest events, a time, everything that is kept, a stretch of the past, or None for live."""


class MonitorStream:
    """Follows the monitor of one server. Used by one task, once.

    Args:
        url: Address of the monitor, `ws://…/ws/monitor`.
        headers: Of the handshake, to come in with.
        filters: Names of categories, or `all`.
        channels: Channels to narrow to; None for all.
        types: Exact types to narrow to; None for all.
        start: Where to begin.
        notify: Called with what is not an event.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        filters: Sequence[str],
        channels: Sequence[str] | None,
        types: Sequence[str] | None = None,
        start: Start,
        notify: Callable[[Notice], None],
    ) -> None:
        self._url = url
        self._headers = dict(headers or {})
        self._filters = list(filters)
        self._channels = None if channels is None else list(channels)
        self._types = None if types is None else list(types)
        self._start = start
        self._notify = notify
        self._position = start if isinstance(start, Cursor) else None
        self._attempt = 0
        self._retry_after_s = 0.0
        self._announced_code: int | None = None
        self._silence_s: float | None = None

    async def events(self) -> AsyncGenerator[LiveEvent]:
        """Every wanted event, until the server closes with 1000, or a replay has come to its end.

        Raises:
            StreamEndedError: the server refuses this client or this subscription.
        """
        while True:
            self._retry_after_s, self._announced_code = 0.0, None
            try:
                async with aclosing(self._one_connection()) as events:
                    async for event in events:
                        yield event
                return
            except ConnectionClosed as error:
                code = self._close_code(error)
                said = error.rcvd.reason if error.rcvd and error.rcvd.reason else "connection lost"
                reason = f"{said} ({code})"
                if code == 1000:
                    return
                if code in (1002, 1003, 1007, 1009) or 4400 <= code < 5000:
                    advice = _LOG_IN if code in (CloseCode.UNAUTHORIZED, CloseCode.AUTH_TIMEOUT) else ""
                    raise StreamEndedError(f"the server closed the connection for good: {reason}{advice}") from None
            except InvalidStatus as error:
                status = error.response.status_code
                if 400 <= status < 500:
                    raise StreamEndedError(f"{self._url} answered {status}; is it an RMOS server?") from None
                reason = f"the server answered {status}"
            except InvalidHandshake as error:
                reason = str(error)
            except TimeoutError:
                reason = "no sign of life"
            except OSError as error:
                reason = _os_reason(error)
            self._attempt += 1
            wait_s = self._retry_after_s + random.uniform(0, min(2 ** (self._attempt - 1), MAX_WAIT_S))  # noqa: S311 -- jitter
            self._notify(Waiting(reason, wait_s))
            await asyncio.sleep(wait_s)

    def _close_code(self, error: ConnectionClosed) -> int:
        """The code of the close frame; the announced one where that got lost or said nothing (CLI-12)."""
        code = error.rcvd.code if error.rcvd else 1006
        return self._announced_code if self._announced_code and code in (1005, 1006) else code

    async def _one_connection(self) -> AsyncGenerator[LiveEvent]:
        async with connect(
            self._url,
            additional_headers=self._headers,
            subprotocols=[Subprotocol(SUBPROTOCOL_V2)],
            compression=None,
            max_size=MAX_FRAME_BYTES,
            open_timeout=CONNECT_TIMEOUT_S,
            proxy=None,
        ) as socket:
            while True:
                async with asyncio.timeout(self._silence_s):
                    raw = await socket.recv(decode=False)
                frame = _parse_frame(raw)
                if frame is None:
                    self._notify(Malformed(raw[:200].decode(errors="replace")))
                    continue
                data = frame["data"]
                match frame["type"]:
                    case "system:connected" if isinstance(self._start, Stretch):
                        await self._replay(socket, data, self._start)
                    case "system:connected":
                        await self._subscribe(socket, data)
                    case "system:replay":
                        is_over = data["state"] == "finished"
                        self._notify(Replaying(float(data.get("wait_s") or 0), is_over))
                        if is_over:
                            return
                    case "system:subscribed":
                        self._subscribed(data)
                    case "system:heartbeat" | "system:caught_up" if not isinstance(self._start, Stretch):
                        self._advance(data.get("offset", 0))
                    case "system:gap" if self._position is None or data.get("to", 0) > self._position.offset:
                        self._notify(Gap(self._position, str(data.get("reason"))))
                    case "system:closing":
                        self._announced_code = data.get("code")
                        self._retry_after_s = float(data.get("retry_after") or 0)
                    case "system:error" if not data.get("temporary") or isinstance(self._start, Stretch):
                        raise StreamEndedError(str(data.get("message")))
                    case str(name) if not name.startswith("system:") and self._is_new(frame):
                        yield LiveEvent(raw.decode(), frame)
                        if "id" in frame and bool(frame.get("replay")) == isinstance(self._start, Stretch):
                            self._position = Cursor.parse(frame["id"])

    def _welcomed(self, hello: dict[str, Any]) -> None:
        self._attempt = 0
        if heartbeat_s := hello.get("heartbeat_s"):
            self._silence_s = SILENT_HEARTBEATS * float(heartbeat_s)

    async def _replay(self, socket: ClientConnection, hello: dict[str, Any], stretch: Stretch) -> None:
        """Ask for the stretch; after a lost connection, for the rest of it."""
        self._welcomed(hello)
        if stretch.until is None and (head := _cursor_in(hello)):
            stretch = self._start = replace(stretch, until=head)
        command = {
            "action": "replay",
            "from": str(self._position or stretch.after),
            "to": None if stretch.until is None else str(stretch.until),
            "speed": stretch.speed or MAX,
            **self._wanted(),
        }
        await socket.send(orjson.dumps(command), text=True)

    def _wanted(self) -> dict[str, Any]:
        wanted = {"filters": self._filters, "channels": self._channels, "types": self._types}
        return {name: value for name, value in wanted.items() if value is not None}

    async def _subscribe(self, socket: ClientConnection, hello: dict[str, Any]) -> None:
        """Ask for everything after the position; before there is one, for what the start says."""
        self._welcomed(hello)
        if self._start == "oldest" and self._position is None and (head := _cursor_in(hello)):
            self._position = Cursor(head.epoch, max(int(hello.get("oldest", 1)) - 1, 0))
        command = {"action": "subscribe", **self._wanted()}
        if self._position is not None:
            command["since"] = str(self._position)
        elif isinstance(self._start, int):
            command["last"] = self._start
        elif isinstance(self._start, FromTime):
            command["from_time"] = self._start.time
        await socket.send(orjson.dumps(command), text=True)

    def _subscribed(self, data: dict[str, Any]) -> None:
        here, recovered = _cursor_in(data), data.get("recovered")
        if recovered is False:
            self._notify(Gap(self._position, str(data.get("reason"))))
        if here is not None and not recovered:
            self._position = here
        elif here is not None and self._position is None:  # the newest events were asked for
            replay = data.get("replay")
            self._position = Cursor(here.epoch, replay["from"] - 1) if replay else here
        self._notify(Connected(self._position if recovered else None))

    def _is_new(self, frame: dict[str, Any]) -> bool:
        """False for an event that was yielded already. One without an id, or of a replay, is always new."""
        if self._position is None or "id" not in frame or frame.get("replay"):
            return True
        cursor = Cursor.parse(frame["id"])
        return cursor.epoch != self._position.epoch or cursor.offset > self._position.offset

    def _advance(self, offset: int) -> None:
        if self._position is not None and offset > self._position.offset:
            self._position = Cursor(self._position.epoch, offset)


def _parse_frame(raw: bytes) -> dict[str, Any] | None:
    """The frame in a message, or None when it is malformed (CLI-02)."""
    try:
        frame = orjson.loads(raw)
        data = frame["data"]
        category, _, name = frame["type"].partition(":")
        is_well_formed = (
            isinstance(data, dict)
            and bool(category and name)
            and isinstance(frame.get("timestamp", ""), str)
            and isinstance(frame.get("channels", []), list)
            and ("id" not in frame or Cursor.parse(frame["id"]).offset == frame["offset"])
            and all(isinstance(data[key], kind) for key, kind in _REQUIRED.get(frame["type"], ()))
        )
    except (ValueError, TypeError, KeyError, AttributeError, RmosError):
        return None
    return dict(frame) if is_well_formed else None


def _cursor_in(data: dict[str, Any]) -> Cursor | None:
    """The place that a `system:*` frame names; None from a server that speaks only version 1."""
    epoch, offset = data.get("epoch"), data.get("offset")
    return Cursor(epoch, offset) if isinstance(epoch, str) and isinstance(offset, int) else None


def _os_reason(error: OSError) -> str:
    """What went wrong, in few words: of several addresses that were tried, what the last one said."""
    if error.errno is None or error.strerror is None:
        return str(error).lower() or "connection lost"
    return error.strerror.lower() if "Connect call failed" not in error.strerror else "connection refused"
