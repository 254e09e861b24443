"""What a client may say: commands, parsed from text or from an address.

protocol/PROTOCOL.md is normative; protocol/vectors holds the cases that this module and the TypeScript client share.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

import orjson

from rmos.clock import Timestamp
from rmos.domain.cursor import Cursor, Place, parse_place
from rmos.domain.entities import JsonValue
from rmos.domain.fields import timestamp
from rmos.domain.filters import ALL, EventFilter, parse_filter
from rmos.errors import InvalidError

SUBPROTOCOL_V1: Final = "rmos.monitor.v1"
SUBPROTOCOL_V2: Final = "rmos.monitor.v2"
MAX_LAST: Final = 10_000
"""Most events that `last` may ask for."""
MAX_ID_LENGTH: Final = 64
MAX_TOKEN_LENGTH: Final = 8192

MIN_SPEED: Final = 0.1
MAX_SPEED: Final = 1000
MAX: Final = "max"
"""The speed that the client sets by taking its bytes."""

ACTIONS: Final = ("auth", "ping", "subscribe", "unsubscribe", "state", "replay")
V2_KEYS: Final = frozenset({"id", "channels", "types", "since", "last", "from_time", "snapshot", "mode", "strict"})
"""Keys that a version 1 client never sends; one of them makes the connection speak version 2."""
QUERY_KEYS: Final = frozenset({"filters", *V2_KEYS - {"id"}})
"""Keys of `subscribe` that the URL may have."""
_INVALID: Final = {"/filters": "invalid_filter", "/channels": "invalid_channel", "/types": "invalid_type"}
"""Code of the error for each part of a filter."""


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


@dataclass(frozen=True, slots=True)
class FromTime:
    """Start with the first event that is not older than this time."""

    time: Timestamp


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Start with the entities as they are, then go on with what happens to them."""


Start: TypeAlias = Since | Last | FromTime | Snapshot


class Mode(StrEnum):
    """How much of the events a subscriber wants: each one, or of several states of a thing the newest."""

    STREAM = "stream"
    LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Ping:
    """Asks for a `system:pong`."""

    id: str | None
    is_v2: bool


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Replaces the subscription of the connection. `start` None means live.

    `is_strict` asks for a refusal where the answer could only be a part of what the start asks for.
    """

    id: str | None
    is_v2: bool
    wanted: EventFilter
    start: Start | None
    mode: Mode = Mode.STREAM
    is_strict: bool = False


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Ends the subscription; the connection stays."""

    id: str | None
    is_v2: bool = True


@dataclass(frozen=True, slots=True)
class Auth:
    """Says who the client is, with an API key or a token."""

    id: str | None
    is_v2: bool
    token: str


@dataclass(frozen=True, slots=True)
class ReadState:
    """Asks for every entity as it was at a place, None for now; `wanted` None stands for the subscription's filter."""

    id: str | None
    at: Place | None
    wanted: EventFilter | None
    is_v2: bool = True


@dataclass(frozen=True, slots=True)
class StartReplay:
    """Asks for the events after one place up to another, once more.

    Attributes:
        until: The last place; None for the head of the moment.
        speed: Times real time; infinite for as fast as the client takes it.
        wanted: As in `ReadState`.
    """

    id: str | None
    start: Place
    until: Place | None
    speed: float
    is_paused: bool
    wanted: EventFilter | None
    is_v2: bool = True


@dataclass(frozen=True, slots=True)
class SteerReplay:
    """Changes the course of the running replay; None leaves things as they are."""

    id: str | None
    pause: bool | None
    speed: float | None
    seek: Place | None
    is_stop: bool
    is_v2: bool = True


Command: TypeAlias = Auth | Ping | Subscribe | Unsubscribe | ReadState | StartReplay | SteerReplay

_ACTION: Final[Mapping[type[Command], str]] = {
    Auth: "auth",
    Ping: "ping",
    Subscribe: "subscribe",
    Unsubscribe: "unsubscribe",
    ReadState: "state",
    StartReplay: "replay",
    SteerReplay: "replay",
}


def action_of(command: Command) -> str:
    """The action that a client asks the command by."""
    return _ACTION[type(command)]


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
    is_v2 = not V2_KEYS.isdisjoint(message)
    match action:
        case "auth":
            return Auth(command_id, is_v2, _token(message, command_id))
        case "ping":
            return Ping(command_id, is_v2)
        case "unsubscribe":
            return Unsubscribe(command_id)
        case "subscribe":
            return _parse_subscribe(message, command_id, is_v2=is_v2)
        case "state":
            return ReadState(command_id, _place(message, "at", command_id), _narrower(message, command_id))
        case "replay":
            return _parse_replay(message, command_id)
    raise CommandError(
        "unknown_action", f"unknown action {action[:80]!r}; expected one of {', '.join(ACTIONS)}", command_id
    )


def parse_query(query: Sequence[tuple[str, str]]) -> Subscribe | None:
    """The subscription in the URL (the keys of `subscribe` but `id`), or None when there is none.

    Raises:
        CommandError: as for the same keys of a command.
    """
    given = {name: value for name, value in query if name in QUERY_KEYS}
    if not given:
        return None
    message = {name: _json_of(name, value) for name, value in given.items()}
    return _parse_subscribe(message, None, is_v2=bool(given.keys() - {"filters"}))


def _json_of(name: str, value: str) -> Any:  # Any: it is checked exactly as a client's JSON is
    """The value of a URL parameter as a command would have it; one that does not fit is left, and refused, as text."""
    match name:
        case "filters" | "channels" | "types":
            return [part for part in value.split(",") if part]
        case "last" if value.isascii() and value.isdigit() and len(value) < 10:
            return int(value)
        case "snapshot" | "strict" if value in ("true", "false"):
            return value == "true"
    return value


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


def _token(message: dict[str, Any], command_id: str | None) -> str:
    token = message.get("token")
    if not isinstance(token, str) or not 0 < len(token) <= MAX_TOKEN_LENGTH:
        raise CommandError(
            "invalid_command", f"token must be a string of 1 to {MAX_TOKEN_LENGTH} characters", command_id
        )
    return token


def _parse_subscribe(message: dict[str, Any], command_id: str | None, *, is_v2: bool) -> Subscribe:
    wanted = _parse_filter(message, command_id)
    return Subscribe(
        command_id,
        is_v2,
        wanted,
        _parse_start(message, command_id),
        mode=_parse_mode(message, command_id),
        is_strict=_flag(message, "strict", command_id) is True,
    )


def _parse_filter(message: dict[str, Any], command_id: str | None) -> EventFilter:
    names = _strings(message.get("filters", [ALL]), "filters", command_id)
    channels, types = (
        None if message.get(name) is None else _strings(message[name], name, command_id)
        for name in ("channels", "types")
    )
    try:
        return parse_filter(names, channels, types)
    except InvalidError as error:
        raise CommandError(_INVALID[error.errors[0].pointer], error.errors[0].detail, command_id) from None


def _strings(value: object, name: str, command_id: str | None) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise CommandError(_INVALID[f"/{name}"], f"{name} must be a list of strings", command_id)
    return value


def _flag(message: dict[str, Any], name: str, command_id: str | None) -> bool | None:
    """Yes or no; None when it is left open."""
    value = message.get(name)
    if value is not None and not isinstance(value, bool):
        raise CommandError("invalid_command", f"{name} must be true or false", command_id)
    return value


def _parse_mode(message: dict[str, Any], command_id: str | None) -> Mode:
    mode = message.get("mode")
    if mode is None:
        return Mode.STREAM
    if not isinstance(mode, str) or mode not in tuple(Mode):
        raise CommandError("invalid_command", f"mode must be one of {', '.join(Mode)}", command_id)
    return Mode(mode)


def _parse_start(message: dict[str, Any], command_id: str | None) -> Start | None:
    starts: list[Start] = [Snapshot()] if _flag(message, "snapshot", command_id) else []
    for name, parse in (("since", _parse_since), ("last", _parse_last), ("from_time", _parse_from_time)):
        if message.get(name) is not None:
            starts.append(parse(message[name], command_id))
    if len(starts) > 1:
        raise CommandError("invalid_command", "since, last, from_time and snapshot exclude each other", command_id)
    return starts[0] if starts else None


def _parse_since(since: object, command_id: str | None) -> Since:
    if not isinstance(since, str):
        raise CommandError("invalid_cursor", "since must be a string <epoch>:<offset>", command_id)
    try:
        return Since(Cursor.parse(since))
    except InvalidError as error:
        raise CommandError("invalid_cursor", error.errors[0].detail, command_id) from None


def _parse_last(last: object, command_id: str | None) -> Last:
    if isinstance(last, bool) or not isinstance(last, int) or not 1 <= last <= MAX_LAST:
        raise CommandError("invalid_command", f"last must be an integer from 1 to {MAX_LAST}", command_id)
    return Last(last)


def _parse_from_time(time: JsonValue, command_id: str | None) -> FromTime:
    try:
        return FromTime(str(timestamp(time, "/from_time")))
    except InvalidError as error:
        raise CommandError("invalid_command", f"from_time: {error.errors[0].detail}", command_id) from None


def _parse_replay(message: dict[str, Any], command_id: str | None) -> StartReplay | SteerReplay:
    start, until, seek = (_place(message, name, command_id) for name in ("from", "to", "seek"))
    speed, pause = _parse_speed(message, command_id), _flag(message, "pause", command_id)
    wanted = _narrower(message, command_id)
    is_stop = _flag(message, "stop", command_id) is True
    if start is not None:
        if seek is not None or is_stop:
            raise CommandError("invalid_command", "seek and stop steer a replay that runs; from begins one", command_id)
        return StartReplay(command_id, start, until, 1.0 if speed is None else speed, pause is True, wanted)
    if until is not None or wanted is not None:
        raise CommandError("invalid_command", "to and filters belong to from, which begins a replay", command_id)
    if pause is None and speed is None and seek is None and not is_stop:
        raise CommandError(
            "invalid_command", "expected from to begin a replay, or pause, speed, seek or stop to steer it", command_id
        )
    return SteerReplay(command_id, pause, speed, seek, is_stop)


def _place(message: dict[str, Any], name: str, command_id: str | None) -> Place | None:
    given = message.get(name)
    if given is None:
        return None
    if not isinstance(given, str):
        raise CommandError("invalid_cursor", f"{name} must be a cursor <epoch>:<offset> or a time", command_id)
    try:
        return parse_place(given, f"/{name}")
    except InvalidError as error:
        raise CommandError("invalid_cursor", f"{name}: {error.errors[0].detail}", command_id) from None


def _narrower(message: dict[str, Any], command_id: str | None) -> EventFilter | None:
    """The filter of a command that may have one of its own; None when it has not."""
    if all(message.get(name) is None for name in ("filters", "channels", "types")):
        return None
    return _parse_filter({name: value for name, value in message.items() if value is not None}, command_id)


def _parse_speed(message: dict[str, Any], command_id: str | None) -> float | None:
    speed = message.get("speed")
    if speed is None:
        return None
    if speed == MAX:
        return math.inf
    if isinstance(speed, int | float) and not isinstance(speed, bool):
        if speed == 0:
            return math.inf
        if MIN_SPEED <= speed <= MAX_SPEED:
            return float(speed)
    raise CommandError(
        "invalid_command", f"speed must be a number from {MIN_SPEED} to {MAX_SPEED}, or 0 or {MAX!r}", command_id
    )
