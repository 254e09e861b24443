"""Event logs of job shops and other processes, as a stream of events: XES and CSV, both also packed with gzip.

A module of `import_event_log.py` and `check_event_log.py`, which agree on this reading and on nothing else.

Sources: IEEE 1849-2016 (XES) with the extensions concept, lifecycle, organizational and time.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BufferedIOBase
from pathlib import Path
from typing import Final, TypeAlias
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

START: Final = "start"
COMPLETE: Final = "complete"
ABORT: Final = "abort"
_TRANSITIONS: Final = {
    START: START,
    COMPLETE: COMPLETE,
    "end": COMPLETE,
    "ate_abort": ABORT,
    "pi_abort": ABORT,
    "abort": ABORT,
    "withdraw": ABORT,
}
"""Transitions that begin or end work. Others (schedule, assign, suspend, resume …) change neither end of it."""

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "case": ("case:concept:name", "case id", "case", "caseid", "order", "order id", "job id"),
    "activity": ("concept:name", "activity", "operation", "task", "event"),
    "resource": ("org:resource", "resource", "machine", "machine id", "station"),
    "start": ("start timestamp", "start time", "start"),
    "complete": ("complete timestamp", "complete time", "complete", "end timestamp", "end time", "end"),
    "time": ("time:timestamp", "timestamp", "time"),
    "lifecycle": ("lifecycle:transition", "lifecycle", "transition"),
    "instance": ("concept:instance", "instance"),
}
"""Names of columns that are recognised, in any case and with `_` for spaces, the surest first."""

Columns: TypeAlias = Mapping[str, str]
"""Names that the user gave, by the keys of `COLUMNS`."""


class EventLogError(Exception):
    """The file is no event log, or not one that is understood; the text says where."""


@dataclass(frozen=True, slots=True)
class Event:
    """One moment of the work on one activity of one case.

    Attributes:
        instance: Which of several executions that go on together; None when the log does not tell.
        transition: `START`, `COMPLETE` or `ABORT`.
        time: UTC, to the millisecond.
    """

    case: str
    activity: str
    instance: str | None
    resource: str | None
    transition: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is to be read.

    Attributes:
        columns: Of CSV; those that are not named are recognised.
        time_format: Of `datetime.strptime`; None for ISO 8601, also with `/` between year, month and day.
        zone: Of times that do not tell theirs.
    """

    columns: Columns
    time_format: str | None
    zone: ZoneInfo


def read_events(path: Path, reading: Reading) -> list[Event]:
    """All events of the file by time; those of one time as they stand in the file.

    Raises:
        EventLogError: with what is wrong, and in which row or case.
        OSError: the file cannot be read.
    """
    is_packed, name = path.suffix == ".gz", path.name.removesuffix(".gz").lower()
    with gzip.open(path) if is_packed else path.open("rb") as file:
        try:
            found = list(_xes(file, reading) if name.endswith(".xes") else _csv(file, reading))
        except (ElementTree.ParseError, UnicodeDecodeError, csv.Error, EOFError, gzip.BadGzipFile) as error:
            raise EventLogError(f"{path.name} cannot be read: {error}") from error
    if not found:
        raise EventLogError(f"{path.name} has no event that begins or ends work")
    return sorted(found, key=lambda event: event.time)


def _xes(file: BufferedIOBase, reading: Reading) -> Iterator[Event]:
    case_number = 0
    for _, element in ElementTree.iterparse(file, events=("end",)):  # noqa: S314 -- expat limits expansion by itself
        if _local(element.tag) != "trace":
            continue
        case_number += 1
        case = _attributes(element).get("concept:name", str(case_number))
        for child in element:
            if _local(child.tag) == "event":
                yield from _xes_event(case, _attributes(child), reading)
        element.clear()  # a log has more events than fit into memory as a tree


def _xes_event(case: str, told: Mapping[str, str], reading: Reading) -> Iterator[Event]:
    transition = _TRANSITIONS.get(told.get("lifecycle:transition", COMPLETE).lower())
    if transition is None:
        return
    for key in ("concept:name", "time:timestamp"):
        if key not in told:
            raise EventLogError(f"case {case!r}: an event without {key}")
    resource = told.get("org:resource") or None
    time = _time(told["time:timestamp"], f"case {case!r}", reading)
    yield Event(case, told["concept:name"], told.get("concept:instance"), resource, transition, time)


def _attributes(element: ElementTree.Element) -> dict[str, str]:
    return {key: child.get("value", "") for child in element if (key := child.get("key")) is not None}


def _local(tag: str) -> str:
    """The name without its namespace, which older files do not have."""
    return tag.rpartition("}")[2]


def _csv(file: BufferedIOBase, reading: Reading) -> Iterator[Event]:
    # A line may end within quotes, so the text is not split here.
    lines = (line.decode("utf-8-sig" if number == 0 else "utf-8") for number, line in enumerate(file))
    head = next(lines, "")
    delimiter = max(",;\t|", key=head.count)
    names = next(csv.reader([head], delimiter=delimiter), [])
    columns = _recognised(names, reading.columns)
    for number, row in enumerate(csv.DictReader(lines, names, delimiter=delimiter), start=2):
        told = {key: (row.get(name) or "").strip() for key, name in columns.items()}
        yield from _csv_events(told, f"row {number}", reading)


def _csv_events(told: Mapping[str, str], where: str, reading: Reading) -> Iterator[Event]:
    if not told["case"] or not told["activity"]:
        raise EventLogError(f"{where}: no case or no activity")
    resource, instance = told.get("resource") or None, told.get("instance") or None
    if "time" in told:
        transition = _TRANSITIONS.get((told.get("lifecycle") or COMPLETE).lower())
        moments = [] if transition is None else [(transition, told["time"])]
    else:
        # Both ends stand in one row, which makes the row the instance.
        instance = where if told.get("start") and told.get("complete") else instance
        moments = [(START, told.get("start", "")), (COMPLETE, told.get("complete", ""))]
    for transition, text in moments:
        if text:
            time = _time(text, where, reading)
            yield Event(told["case"], told["activity"], instance, resource, transition, time)


def _recognised(names: Sequence[str], given: Columns) -> dict[str, str]:
    """The column of each key, as far as there is one.

    Raises:
        EventLogError: a needed column is missing; with those that there are.
    """
    plain = {name.strip().lower().replace("_", " "): name for name in names}
    columns: dict[str, str] = {}
    for key, accepted in COLUMNS.items():
        if key in given:
            if given[key] not in names:
                raise EventLogError(f"no column {given[key]!r}; there are {', '.join(names)}")
            columns[key] = given[key]
        elif (found := next((name for name in accepted if name in plain), None)) is not None:
            columns[key] = plain[found]
    if "start" in columns and "complete" in columns:
        columns.pop("time", None)
    elif "time" in columns:
        columns.pop("start", None)
        columns.pop("complete", None)
    missing = [key for key in ("case", "activity") if key not in columns]
    if not columns.keys() & {"time", "complete"}:
        missing.append("time")
    if missing:
        options = ", ".join(f"--{key}-column" for key in missing)
        raise EventLogError(f"say with {options} where it stands; there are the columns {', '.join(names)}")
    return columns


def _time(text: str, where: str, reading: Reading) -> datetime:
    try:
        if reading.time_format is not None:
            time = datetime.strptime(text, reading.time_format)  # noqa: DTZ007 -- the zone follows
        else:
            time = datetime.fromisoformat(text.replace("/", "-"))
        time = (time if time.tzinfo else time.replace(tzinfo=reading.zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise EventLogError(f"{where}: {text[:80]!r} is no time that is understood; --time-format helps") from error
    return time.replace(microsecond=time.microsecond // 1000 * 1000)
