"""One readable line for each event of the live stream."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from rich.text import Text

from rmos.clock import from_timestamp

COLOURS: Final = {"job": "dodger_blue1", "pattern": "medium_purple1", "material": "orange1", "metrics": "green3"}
"""The published colours of the categories."""

_TYPE_WIDTH: Final = 17
_STATUS_STYLES: Final = {"failed": "bold red", "completed": "bold green", "running": "bold", "held": "yellow"}
_ID_TAIL: Final = 6
"""Characters of an id that are shown. Ids of one minute share their beginning, so the end is what tells them apart."""


def event_line(frame: dict[str, Any]) -> Text:  # Any: JSON whose shape depends on the event's type
    """Time of day, type, what happened, where, by whom, and the offset."""
    event_type = str(frame["type"])
    category, _, name = event_type.partition(":")
    line = Text(no_wrap=True)
    line.append(_time_of_day(frame.get("timestamp")), style="dim")
    line.append("  ")
    line.append(_printable(event_type).ljust(_TYPE_WIDTH), style=COLOURS.get(category, "bold"))
    line.append("  ")
    describe = _DESCRIBE.get(category, _describe_other)
    line.append_text(describe(frame["data"], name))
    for channel in frame.get("channels") or ():
        line.append(f"  {_printable(channel)}", style="cyan")
    if frame.get("actor") not in (None, "local"):
        line.append(f"  by {_printable(frame['actor'])}", style="dim")
    if "offset" in frame:
        line.append(f"  #{frame['offset']}", style="dim")
    return line


def _describe_job(data: dict[str, Any], _name: str) -> Text:
    status = _printable(data.get("status", ""))
    text = Text(f"{_printable(data.get('job_type') or 'job')} {_short(data.get('id'))} ")
    text.append(status, style=_STATUS_STYLES.get(status, ""))
    progress = data.get("progress")
    if isinstance(progress, int | float) and status not in ("completed", "cancelled"):
        text.append(f" {progress:.0%}")
    if data.get("reason"):
        text.append(f" {_printable(data['reason'])}", style="yellow")
    if data.get("note"):
        text.append(f" “{_printable(data['note'])}”")
    good, scrap = data.get("good_qty"), data.get("scrap_qty")
    if isinstance(good, int | float) and status in ("completed", "failed"):
        text.append(f" good {good:g}" + (f", scrap {scrap:g}" if isinstance(scrap, int | float) else ""))
    if status in ("completed", "failed") and isinstance(data.get("duration_seconds"), int | float):
        text.append(f" in {_duration(data['duration_seconds'])}")
    return text


def _describe_pattern(data: dict[str, Any], _name: str) -> Text:
    return Text(f"{_printable(data.get('name', ''))} {_short(data.get('id'))} {_count(data.get('ring_count'), 'ring')}")


def _describe_material(data: dict[str, Any], _name: str) -> Text:
    text = Text(f"{_printable(data.get('name', ''))} {_short(data.get('id'))}")
    width, thickness = data.get("strip_width_mm"), data.get("strip_thickness_mm")
    if isinstance(width, int | float) and isinstance(thickness, int | float):
        text.append(f" {width:g} × {thickness:g} mm")
    strips = data.get("strips")
    if isinstance(strips, list):
        lengths = [strip.get("length_mm") for strip in strips if isinstance(strip, dict)]
        total_mm = sum(length for length in lengths if isinstance(length, int | float))
        text.append(f", {_count(len(strips), 'strip')}, {total_mm / 1000:.1f} m")
    return text


def _describe_metrics(data: dict[str, Any], name: str) -> Text:
    jobs = data.get("jobs")
    if name != "snapshot" or not isinstance(jobs, dict):
        return _describe_other(data, name)
    by_status = jobs.get("by_status") or {}
    counts = [f"{status} {count}" for status, count in by_status.items() if count]
    return Text(_printable(f"in work {jobs.get('wip', 0)}; jobs: {', '.join(counts) or 'none'}"))


def _describe_other(data: dict[str, Any], _name: str) -> Text:
    """An event that a program made: its message, else its first plain values."""
    if isinstance(data.get("message"), str):
        return Text(_printable(data["message"]))
    plain = [f"{key}={value}" for key, value in data.items() if isinstance(value, str | int | float)]
    return Text(_printable(" ".join(plain[:4])))


_DESCRIBE: Final = {
    "job": _describe_job,
    "pattern": _describe_pattern,
    "material": _describe_material,
    "metrics": _describe_metrics,
}


def _printable(value: object) -> str:
    """Text without anything that could steer a terminal; names come from whoever may write to the shop."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in str(value))


def _short(entity_id: object) -> str:
    text = _printable(entity_id or "")
    return text if len(text) <= 2 * _ID_TAIL else f"…{text[-_ID_TAIL:]}"


def _time_of_day(timestamp: object) -> str:
    """Local time, as the clock on the wall shows it."""
    try:
        return from_timestamp(str(timestamp)).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return datetime.now().astimezone().strftime("%H:%M:%S")


def _count(number: object, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
