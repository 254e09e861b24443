"""The messages of the monitor: commands parsed from text, frames built as UTF-8 JSON.

protocol/PROTOCOL.md is normative; protocol/vectors holds the cases that this module and the TypeScript client share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import orjson

from rmos.clock import Timestamp
from rmos.domain.cursor import Cursor
from rmos.domain.entities import JsonObject
from rmos.domain.events import Event
from rmos.domain.filters import ALL, EventFilter, parse_filter
from rmos.errors import InvalidError

SUBPROTOCOL_V1: Final = "rmos.monitor.v1"
SUBPROTOCOL_V2: Final = "rmos.monitor.v2"
MAX_LAST: Final = 10_000
"""Most events that `last` may ask for."""
MAX_ID_LENGTH: Final = 64

ACTIONS: Final = ("ping", "subscribe", "unsubscribe")
LATER_ACTIONS: Final = ("auth", "replay", "state")
LATER_KEYS: Final = ("from_time", "mode", "snapshot", "strict", "types")
V2_KEYS: Final = frozenset({"id", "channels", "since", "last", *LATER_KEYS})
"""Keys that a version 1 client never sends; one of them makes the connection speak version 2."""


class CommandError(Exception):
    """A command that cannot be obeyed. It is answered by `system:error`; the connection stays usable."""

    def __init__(self, code: str, message: str, command_id: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.command_id = command_id


@dataclass(frozen=True, slots=True)
class Since:
    """Start after this cursor."""

    cursor: Cursor


@dataclass(frozen=True, slots=True)
class Last:
    """Start so that the `count` newest matching events come first."""

    count: int


Start: TypeAlias = Since | Last


@dataclass(frozen=True, slots=True)
class Ping:
    """Asks for a `system:pong`."""

    id: str | None
    is_v2: bool


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Replaces the subscription of the connection. `start` None means live."""

    id: str | None
    is_v2: bool
    wanted: EventFilter
    start: Start | None


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Ends the subscription; the connection stays."""

    id: str | None
    is_v2: bool = True


Command: TypeAlias = Ping | Subscribe | Unsubscribe


def parse_command(text: str | bytes) -> Command:
    """The command in a client's text message.

    Raises:
        CommandError: what was wrong and what is accepted.
    """
    message = _parse_object(text)
    command_id = _command_id(message)
    action = message.get("action")
    if not isinstance(action, str):
        raise CommandError("invalid_command", f"no action; expected one of {', '.join(ACTIONS)}", command_id)
    if action in LATER_ACTIONS:
        raise CommandError("unsupported", f"action {action!r} is not offered by this server yet", command_id)
    is_v2 = not V2_KEYS.isdisjoint(message)
    match action:
        case "ping":
            return Ping(command_id, is_v2)
        case "unsubscribe":
            return Unsubscribe(command_id)
        case "subscribe":
            return _parse_subscribe(message, command_id, is_v2=is_v2)
    raise CommandError(
        "unknown_action", f"unknown action {action[:80]!r}; expected one of {', '.join(ACTIONS)}", command_id
    )


def parse_query(query: Sequence[tuple[str, str]]) -> Subscribe | None:
    """The subscription in the URL (`filters`, `channels`, `since`, `last`), or None when there is none.

    Raises:
        CommandError: as for the same keys of a command.
    """
    given = {name: value for name, value in query if name in ("filters", "channels", "since", "last")}
    if not given:
        return None
    message: dict[str, Any] = {}  # Any: it is checked below exactly as a client's JSON is
    for name in ("filters", "channels"):
        if name in given:
            message[name] = [part for part in given[name].split(",") if part]
    if "since" in given:
        message["since"] = given["since"]
    if "last" in given:
        digits = given["last"]
        message["last"] = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else digits
    return _parse_subscribe(message, None, is_v2=bool(given.keys() - {"filters"}))


def _parse_object(text: str | bytes) -> dict[str, Any]:
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if "depth" in error.msg:
            raise CommandError("too_deep", "the message is nested deeper than 1024 levels") from None
        raise CommandError("invalid_json", f"not JSON: {error.msg}") from None
    if not isinstance(message, dict):
        raise CommandError("invalid_command", 'expected a JSON object such as {"action": "subscribe"}')
    return message


def _command_id(message: dict[str, Any]) -> str | None:
    given = message.get("id")
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, str | int) or len(str(given)) > MAX_ID_LENGTH:
        raise CommandError(
            "invalid_command", f"id must be a string or an integer of at most {MAX_ID_LENGTH} characters"
        )
    return str(given)


def _parse_subscribe(message: dict[str, Any], command_id: str | None, *, is_v2: bool) -> Subscribe:
    for key in LATER_KEYS:
        if key in message and not (key == "mode" and message[key] == "stream"):
            raise CommandError("unsupported", f"{key} is not offered by this server yet", command_id)
    names = _strings(message.get("filters", [ALL]), "filters", "invalid_filter", command_id)
    channels = message.get("channels")
    if channels is not None:
        channels = _strings(channels, "channels", "invalid_channel", command_id)
    try:
        wanted = parse_filter(names, channels)
    except InvalidError as error:
        code = "invalid_channel" if error.errors[0].pointer == "/channels" else "invalid_filter"
        raise CommandError(code, error.errors[0].detail, command_id) from None
    return Subscribe(command_id, is_v2, wanted, _parse_start(message, command_id))


def _strings(value: object, name: str, code: str, command_id: str | None) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise CommandError(code, f"{name} must be a list of strings", command_id)
    return value


def _parse_start(message: dict[str, Any], command_id: str | None) -> Start | None:
    since, last = message.get("since"), message.get("last")
    if since is not None and last is not None:
        raise CommandError("invalid_command", "since and last exclude each other", command_id)
    if last is not None:
        if isinstance(last, bool) or not isinstance(last, int) or not 1 <= last <= MAX_LAST:
            raise CommandError("invalid_command", f"last must be an integer from 1 to {MAX_LAST}", command_id)
        return Last(last)
    if since is None:
        return None
    if not isinstance(since, str):
        raise CommandError("invalid_cursor", "since must be a string <epoch>:<offset>", command_id)
    try:
        return Since(Cursor.parse(since))
    except InvalidError as error:
        raise CommandError("invalid_cursor", error.errors[0].detail, command_id) from None


def event_frame(event: Event, epoch: str) -> bytes:
    """The frame of a logged event; the same bytes for every client."""
    tail = orjson.dumps(
        {
            "timestamp": event.timestamp,
            "id": f"{epoch}:{event.offset}",
            "offset": event.offset,
            "channels": event.channels,
            "key": event.key,
            "version": event.version,
            "actor": event.actor,
        }
    )
    return b'{"type":%b,"data":%b,%b' % (orjson.dumps(event.type), event.data, tail[1:])


def metrics_frame(data: JsonObject, timestamp: Timestamp) -> bytes:
    """A `metrics:snapshot`: live only, so it has no id."""
    return orjson.dumps({"type": "metrics:snapshot", "data": data, "timestamp": timestamp})


def system_frame(name: str, data: JsonObject) -> bytes:
    """A frame of the connection itself. Its timestamp is empty, as published."""
    return orjson.dumps({"type": f"system:{name}", "data": data, "timestamp": ""})


def error_frame(error: CommandError, *, retry_after: float | None = None) -> bytes:
    """The answer to a command that cannot be obeyed; `retry_after` in seconds where waiting helps."""
    return system_frame(
        "error",
        {
            "id": error.command_id,
            "code": error.code,
            "message": error.message,
            "temporary": retry_after is not None,
            "retry_after": retry_after,
        },
    )


def closing_frame(code: int, reason: str, *, reconnect: bool, retry_after: float | None = None) -> bytes:
    """Tells, before the close frame, why the server closes and whether to come back (`retry_after` in seconds)."""
    return system_frame("closing", {"code": code, "reason": reason, "reconnect": reconnect, "retry_after": retry_after})
