"""commands.json, filters.json and cursors.json against the server's parser."""

from __future__ import annotations

import math
from typing import Any

import pytest

from rmos.domain.cursor import Cursor, Place
from rmos.domain.filters import EventFilter, parse_filter
from rmos.errors import InvalidError
from rmos.protocol.commands import (
    Command,
    CommandError,
    FromTime,
    Last,
    Mode,
    ReadState,
    Since,
    Snapshot,
    Start,
    StartReplay,
    SteerReplay,
    Subscribe,
    Unsubscribe,
    parse_command,
    parse_query,
)
from tests.protocol.vectors import Vector, join, parameters


def described(command: Command) -> dict[str, Any]:
    """The command as commands.json writes it."""
    match command:
        case ReadState(command_id, at, wanted):
            return {
                "action": "state",
                "id": command_id,
                "version": 2,
                "at": described_place(at),
                "wanted": described_filter(wanted),
            }
        case StartReplay():
            steps = {"from": command.start, "to": command.until, "seek": None}
            return described_replay(
                command.id, steps, command.speed, command.is_paused, stop=False, wanted=command.wanted
            )
        case SteerReplay():
            steps = {"from": None, "to": None, "seek": command.seek}
            return described_replay(command.id, steps, command.speed, command.pause, stop=command.is_stop, wanted=None)
    common = {"action": type(command).__name__.lower(), "id": command.id, "version": 2 if command.is_v2 else 1}
    if not isinstance(command, Subscribe):
        return common
    channels, types = command.wanted.channels, command.wanted.types
    optional = {
        "types": None if types is None else sorted(types),
        "mode": None if command.mode is Mode.STREAM else command.mode,
        "strict": command.is_strict or None,
    }
    return {
        **common,
        "filters": command.wanted.names,
        "channels": None if channels is None else sorted(channels),
        "start": described_start(command.start),
        **{name: value for name, value in optional.items() if value is not None},
    }


def described_replay(
    command_id: str | None,
    places: dict[str, Place | None],
    speed: float | None,
    pause: bool | None,
    *,
    stop: bool,
    wanted: EventFilter | None,
) -> dict[str, Any]:
    return {
        "action": "replay",
        "id": command_id,
        "version": 2,
        **{name: described_place(place) for name, place in places.items()},
        "speed": "max" if speed == math.inf else speed,
        "pause": pause,
        "stop": stop,
        "wanted": described_filter(wanted),
    }


def described_place(place: Place | None) -> str | None:
    return None if place is None else str(place)


def described_filter(wanted: EventFilter | None) -> dict[str, Any] | None:
    if wanted is None:
        return None
    channels, types = (None if names is None else sorted(names) for names in (wanted.channels, wanted.types))
    return {"filters": wanted.names, "channels": channels, "types": types}


def described_start(start: Start | None) -> dict[str, Any] | None:
    match start:
        case Since(cursor):
            return {"since": {"epoch": cursor.epoch, "offset": str(cursor.offset)}}
        case Last(count):
            return {"last": count}
        case Snapshot():
            return {"snapshot": True}
        case FromTime(time):
            return {"from_time": time}
        case None:
            return None


@pytest.mark.parametrize("vector", parameters("commands.json"))
def test_command_vector(vector: Vector) -> None:
    if "command" in vector:
        assert described(parse_command(join(vector["raw"]))) == vector["command"]
        return

    with pytest.raises(CommandError) as refusal:
        parse_command(join(vector["raw"]))

    assert (refusal.value.code, refusal.value.command_id) == (vector["error"], vector["id"])
    assert 0 < len(refusal.value.message) < 500


@pytest.mark.parametrize("vector", parameters("filters.json"))
def test_filter_vector(vector: Vector) -> None:
    if "error" in vector:
        with pytest.raises(InvalidError) as refusal:
            parse_filter(vector["filters"], vector["channels"], vector.get("types"))
        pointers = {"invalid_filter": "/filters", "invalid_channel": "/channels", "invalid_type": "/types"}
        pointer = pointers[vector["error"]]
        assert refusal.value.errors[0].pointer == pointer
        return

    wanted = parse_filter(vector["filters"], vector["channels"], vector.get("types"))

    assert wanted.names == vector["names"]
    for event in vector["events"]:
        assert wanted.matches(event["type"], event["channels"]) is event["matches"], event


@pytest.mark.parametrize("vector", parameters("cursors.json"))
def test_cursor_vector(vector: Vector) -> None:
    text = join(vector["text"])
    if "error" in vector:
        with pytest.raises(InvalidError):
            Cursor.parse(text)
        return

    assert Cursor.parse(text) == Cursor(vector["epoch"], int(vector["offset"]))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, None),
        ({"token": "x"}, None),
        ({"filters": "job,pattern"}, {"version": 1, "filters": ["job", "pattern"], "channels": None, "start": None}),
        ({"filters": ""}, {"version": 1, "filters": [], "channels": None, "start": None}),
        ({"channels": "machine:*"}, {"version": 2, "filters": ["all"], "channels": ["machine:*"], "start": None}),
        ({"last": "5"}, {"version": 2, "filters": ["all"], "channels": None, "start": {"last": 5}}),
        (
            {"types": "job:completed,job:failed", "mode": "latest", "strict": "true"},
            {
                "version": 2,
                "filters": ["all"],
                "channels": None,
                "start": None,
                "types": ["job:completed", "job:failed"],
                "mode": "latest",
                "strict": True,
            },
        ),
        (
            {"filters": "job", "snapshot": "true"},
            {"version": 2, "filters": ["job"], "channels": None, "start": {"snapshot": True}},
        ),
        (
            {"from_time": "2026-11-24T10:00:00Z", "strict": "false"},
            {
                "version": 2,
                "filters": ["all"],
                "channels": None,
                "start": {"from_time": "2026-11-24T10:00:00.000Z"},
            },
        ),
        (
            {"filters": "job", "since": "k3f9q2:7"},
            {
                "version": 2,
                "filters": ["job"],
                "channels": None,
                "start": {"since": {"epoch": "k3f9q2", "offset": "7"}},
            },
        ),
    ],
)
def test_con_11_the_url_subscribes_like_a_command(query: dict[str, str], expected: dict[str, Any] | None) -> None:
    command = parse_query(list(query.items()))

    assert (None if command is None else described(command)) == (
        None if expected is None else {"action": "subscribe", "id": None, **expected}
    )


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"filters": "jobs"}, "invalid_filter"),
        ({"channels": "machine"}, "invalid_channel"),
        ({"since": ""}, "invalid_cursor"),
        ({"since": "7"}, "invalid_cursor"),
        ({"last": "many"}, "invalid_command"),
        ({"last": "0"}, "invalid_command"),
        ({"last": "-5"}, "invalid_command"),
        ({"last": "99999999999"}, "invalid_command"),
        ({"last": "5", "since": "k3f9q2:7"}, "invalid_command"),
        ({"types": "job"}, "invalid_type"),
        ({"mode": ""}, "invalid_command"),
        ({"strict": "yes"}, "invalid_command"),
        ({"snapshot": "1"}, "invalid_command"),
        ({"from_time": "now"}, "invalid_command"),
        ({"from_time": "2026-11-24T10:00:00Z", "last": "5"}, "invalid_command"),
    ],
)
def test_con_12_a_bad_url_parameter_gets_the_error_of_the_same_key(query: dict[str, str], code: str) -> None:
    with pytest.raises(CommandError) as refusal:
        parse_query(list(query.items()))

    assert refusal.value.code == code


def test_unsubscribe_is_of_version_2() -> None:
    assert parse_command('{"action":"unsubscribe"}') == Unsubscribe(None, is_v2=True)
