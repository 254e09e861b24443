"""`rmos tail`: the live stream in the terminal."""

from __future__ import annotations

import re
import sys
from typing import Annotated, Final

import typer
from rich.console import Console

from rmos.cli.address import Token, Url, authorization, monitor_url, server_url
from rmos.cli.failure import fail
from rmos.cli.interrupt import run_until_interrupted
from rmos.cli.lines import event_line
from rmos.cli.stream import (
    Connected,
    Gap,
    Malformed,
    MonitorStream,
    Notice,
    Replaying,
    Start,
    StreamEndedError,
    Stretch,
    Waiting,
)
from rmos.domain.cursor import Cursor, parse_place
from rmos.domain.fields import timestamp
from rmos.domain.filters import ALL, parse_filter
from rmos.errors import InvalidError, StartupError
from rmos.protocol.commands import MAX_LAST, MAX_SPEED, MIN_SPEED, FromTime

METRICS_SNAPSHOT: Final = "metrics:snapshot"
_SEPARATOR: Final = re.compile(r"[,\s]+")


def tail(
    url: Url = None,
    token: Token = None,
    filters: Annotated[
        list[str] | None, typer.Option("--filter", help="job, pattern, material, metrics or all; may be repeated.")
    ] = None,
    channels: Annotated[
        list[str] | None,
        typer.Option(
            "--channel", help="Only this project or machine, e.g. machine:cnc1 or project:*; may be repeated."
        ),
    ] = None,
    types: Annotated[
        list[str] | None, typer.Option("--type", help="Only this type, e.g. job:completed; may be repeated.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Start after this cursor (<epoch>:<offset>), or `oldest` for all that is kept.")
    ] = None,
    last: Annotated[int | None, typer.Option(min=1, max=MAX_LAST, help="Start with so many newest events.")] = None,
    from_time: Annotated[
        str | None, typer.Option(help="Start with the first event of this time, e.g. 2026-11-24T06:00:00Z.")
    ] = None,
    replay: Annotated[
        str | None,
        typer.Option(help="Show what happened after this time or cursor once more, then end, instead of following."),
    ] = None,
    to: Annotated[
        str | None, typer.Option(help="With --replay: the last time or cursor. Default: the newest event.")
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=MAX_SPEED,
            help="With --replay: times real time, not under 0.1; 0 for as fast as it can be shown. Default: 1.",
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print each event as it was sent, one JSON object a line.")
    ] = False,
) -> None:
    """Print what happens in the shop, as it happens, until Ctrl-C; or, with --replay, what happened."""
    out = Console(highlight=False, markup=False, soft_wrap=True)
    notices = Console(stderr=True, highlight=False, markup=False, soft_wrap=True, style="dim")

    async def follow(stream: MonitorStream) -> None:
        metrics: object = None
        async for event in stream.events():
            if json:
                sys.stdout.write(event.raw + "\n")
                sys.stdout.flush()
                continue
            if event.frame["type"] == METRICS_SNAPSHOT:
                if event.frame["data"] == metrics:
                    continue  # it comes every few seconds; a person wants to see what changes
                metrics = event.frame["data"]
            out.print(event_line(event.frame))

    try:
        if replay is not None and [since, last, from_time] != [None, None, None]:
            raise StartupError("--replay has a start of its own; --since, --last and --from-time do not go with it")
        server = server_url(url)
        names, rooms, kinds = _words(filters) or [ALL], _words(channels), _words(types)
        parse_filter(names, rooms, kinds)  # a mistake is said here, in the words of the command line
        stream = MonitorStream(
            monitor_url(server),
            headers=authorization(token),
            filters=names,
            channels=rooms,
            types=kinds,
            start=_stretch(replay, to, speed) or _start(since, last, from_time),
            notify=lambda notice: notices.print(describe(notice, server), style=_style(notice)),
        )
        run_until_interrupted(follow(stream))
    except (StartupError, StreamEndedError) as error:
        fail(error.message)
    except InvalidError as error:
        fail(error.errors[0].detail)
    except BrokenPipeError:
        # The reader of a pipe has seen enough. Python would complain once more when it closes the stream.
        sys.stderr.close()


def _words(values: list[str] | None) -> list[str] | None:
    """`--filter job --filter pattern` and `--filter job,pattern` mean the same."""
    return [word for value in values for word in _SEPARATOR.split(value) if word] if values else None


def _start(since: str | None, last: int | None, from_time: str | None) -> Start:
    if [since, last, from_time].count(None) < 2:
        raise StartupError("--since, --last and --from-time exclude each other")
    if from_time is not None:
        return FromTime(str(timestamp(from_time, "/from_time")))
    if since is None:
        return last
    return "oldest" if since == "oldest" else Cursor.parse(since)


def _stretch(replay: str | None, to: str | None, speed: float | None) -> Stretch | None:
    if replay is None:
        if to is not None or speed is not None:
            raise StartupError("--to and --speed belong to --replay")
        return None
    if speed is not None and 0 < speed < MIN_SPEED:
        raise StartupError(f"--speed is {speed:g}; expected at least {MIN_SPEED}, or 0 for as fast as it can be shown")
    until = None if to is None else parse_place(to, "/to")
    return Stretch(parse_place(replay, "/replay"), until, 1.0 if speed is None else speed)


def describe(notice: Notice, server: str) -> str:
    """What a person at the terminal should know besides the events."""
    match notice:
        case Connected(None):
            return f"-- live on {server}"
        case Connected(cursor):
            return f"-- live on {server}, going on after {cursor}"
        case Replaying(is_over=True):
            return "-- the replay has ended"
        case Replaying(0):
            return f"-- replay from {server}: this is the past"
        case Replaying(wait_s):
            return f"-- for a while nothing happened; the next event comes in {wait_s:.0f} s"
        case Waiting(reason, wait_s):
            return f"-- not connected to {server}: {reason}; trying again in {wait_s:.1f} s"
        case Gap(None, reason):
            return f"-- GAP: the events asked for are not there any more ({_REASONS.get(reason, reason)})"
        case Gap(position, reason):
            return f"-- GAP: what happened after {position} cannot be shown ({_REASONS.get(reason, reason)})"
        case Malformed(text):
            return f"-- something that is not an event was left out: {text!r}"


_REASONS: Final = {
    "epoch_changed": "the log was recreated or restored",
    "expired": "it is older than the log keeps",
    "future_cursor": "the log does not reach that far",
}


def _style(notice: Notice) -> str:
    return "bold red" if isinstance(notice, Gap) else "yellow" if isinstance(notice, Waiting) else "dim"
