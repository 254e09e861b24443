"""`rmos tail` against real servers."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from rmos.domain.cursor import Cursor
from tests.cli.conftest import StartCommand, StartServer
from tests.processes import Command, Server, run_rmos


def is_live(tail: Command) -> bool:
    """It has subscribed."""
    return any("live on" in line for line in tail.errors)


def head_of(server: Server) -> Cursor:
    """Where its log stands."""
    return Cursor.parse(server.get("/api/rmos/monitor/events", limit=1)["head"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_prints_one_line_for_each_event_and_ends_with_0(shop: Server, start_command: StartCommand, number: int) -> None:
    tail = start_command("tail", "--url", shop.url, "--filter", "pattern")
    tail.wait_until(is_live, "subscription")

    shop.post_pattern("Rosette of the day")
    tail.wait_until(lambda tail: bool(tail.lines), "event")

    assert tail.stop(number) == 0
    assert len(tail.lines) == 1
    assert "pattern:created" in tail.lines[0]
    assert "Rosette of the day" in tail.lines[0]
    assert "3 rings" in tail.lines[0]
    assert "\x1b" not in tail.lines[0]  # not a terminal


def test_resumes_across_a_restart_without_loss_or_doubles(
    start_server: StartServer, start_command: StartCommand, tmp_path: Path
) -> None:
    server = start_server().wait_until_ready()
    tail = start_command("tail", "--url", server.url, "--json", "--filter", "pattern")
    tail.wait_until(is_live, "subscription")
    names = [f"before {n}" for n in range(5)]
    for name in names:
        server.post_pattern(name)
    tail.wait_until(lambda tail: len(tail.lines) == len(names), "events before the restart")

    assert server.stop() == 0
    tail.wait_until(lambda tail: any("not connected" in line for line in tail.errors), "notice of the outage")
    # What happens in a second server on another port, but in the same data, is what the tail cannot see.
    other = start_server(data=server.data).wait_until_ready()
    for n in range(5):
        names.append(f"meanwhile {n}")
        other.post_pattern(names[-1])
    assert other.stop() == 0
    again = start_server(data=server.data, port=server.port).wait_until_ready()
    names.append("after")
    again.post_pattern("after")
    tail.wait_until(lambda tail: len(tail.lines) == len(names), "events after the restart")

    assert tail.stop() == 0
    frames = [json.loads(line) for line in tail.lines]
    assert [frame["data"]["name"] for frame in frames] == names
    assert [frame["offset"] for frame in frames] == list(range(1, len(names) + 1))
    assert not any("GAP" in line for line in tail.errors)


def test_a_log_that_was_recreated_is_shown_as_a_gap(shop: Server, start_command: StartCommand) -> None:
    tail = start_command("tail", "--url", shop.url, "--since", "nowhere:3")

    tail.wait_until(lambda tail: any("GAP" in line for line in tail.errors), "gap")

    assert any("nowhere:3" in line and "recreated" in line for line in tail.errors)


def test_starts_with_the_newest_events_when_asked(shop: Server, start_command: StartCommand) -> None:
    for n in range(3):
        shop.post_pattern(f"newest {n}")

    tail = start_command("tail", "--url", shop.url, "--filter", "pattern", "--last", "2")
    tail.wait_until(lambda tail: len(tail.lines) == 2, "two events")

    assert ["newest 1" in tail.lines[0], "newest 2" in tail.lines[1]] == [True, True]


def test_starts_at_a_time_with_the_types_that_are_asked_for(shop: Server, start_command: StartCommand) -> None:
    made = [shop.post_pattern(f"of today {n}") for n in range(2)]

    tail = start_command("tail", "--url", shop.url, "--type", "pattern:created", "--from-time", made[0]["created_at"])
    tail.wait_until(lambda tail: any("of today 1" in line for line in tail.lines), "both events")

    assert "of today 0" in tail.lines[-2]


def test_replays_a_stretch_of_the_log_and_ends(shop: Server, start_command: StartCommand) -> None:
    head = head_of(shop)
    made = [shop.post_pattern(f"of the shift {n}") for n in range(4)]

    tail = start_command(
        "tail",
        "--url",
        shop.url,
        "--json",
        "--filter",
        "pattern",
        "--replay",
        f"{head.epoch}:{head.offset + 1}",
        "--to",
        f"{head.epoch}:{head.offset + 3}",
        "--speed",
        "0",
    )
    code = tail.wait()

    frames = [json.loads(line) for line in tail.lines]
    assert code == 0
    assert [(frame["offset"], frame["data"]["name"]) for frame in frames] == [
        (head.offset + 2, made[1]["name"]),
        (head.offset + 3, made[2]["name"]),
    ]
    assert all(frame["replay"] is True for frame in frames)
    assert any("this is the past" in line for line in tail.errors)
    assert any("ended" in line for line in tail.errors)


def test_a_replay_goes_on_across_a_restart_and_ends_where_it_was_to(
    start_server: StartServer, start_command: StartCommand
) -> None:
    server = start_server().wait_until_ready()
    epoch = head_of(server).epoch
    names = [f"{n}" for n in range(3)]
    for name in names:
        server.post_pattern(name)
        time.sleep(0.4)  # ten times as long in the replay: not all of it is out when the server stops
    tail = start_command(
        "tail", "--url", server.url, "--json", "--filter", "pattern", "--replay", f"{epoch}:0", "--speed", "0.1"
    )
    tail.wait_until(lambda tail: bool(tail.lines), "first event")

    assert server.stop() == 0
    assert len(tail.lines) < len(names)
    again = start_server(data=server.data, port=server.port).wait_until_ready()
    again.post_pattern("after the replay began")
    code = tail.wait()

    assert code == 0
    assert [json.loads(line)["data"]["name"] for line in tail.lines] == names


def test_a_replay_of_another_log_is_refused_in_one_sentence(shop: Server) -> None:
    result = run_rmos("tail", "--url", shop.url, "--replay", "nowhere:3")

    assert result.returncode == 1
    assert "nowhere" in result.stderr


def test_waits_for_a_server_that_is_not_there_yet(start_command: StartCommand) -> None:
    tail = start_command("tail", "--url", "http://127.0.0.1:1")

    tail.wait_until(lambda tail: len(tail.errors) >= 2, "two attempts")

    assert all("connection refused" in line for line in tail.errors)
    assert tail.stop() == 0


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--filter", "jobs"], "unknown filter 'jobs'; expected one of"),
        (["--channel", "cnc1"], "bad channel 'cnc1'"),
        (["--since", "x"], "bad cursor 'x'"),
        (["--type", "completed"], "bad event type 'completed'"),
        (["--from-time", "yesterday"], "must be an RFC 3339 time"),
        (["--since", "e:1", "--last", "3"], "exclude each other"),
        (["--last", "3", "--from-time", "2026-11-24T06:00:00Z"], "exclude each other"),
        (["--replay", "e:1", "--last", "3"], "do not go with it"),
        (["--replay", "yesterday"], "bad place 'yesterday'"),
        (["--replay", "e:1", "--speed", "0.01"], "--speed is 0.01"),
        (["--to", "e:1"], "belong to --replay"),
        (["--url", "localhost"], "--url is 'localhost'"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_sentence(arguments: list[str], part: str) -> None:
    result = run_rmos("tail", *arguments)

    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert part in result.stderr
