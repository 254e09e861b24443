"""Query parameters of lists: which there are, how they are read, and how they are described.

One table, `stores.schema.FIELDS`, decides which fields filter and sort, so this page and the database cannot disagree.
Lists are parsed here and not by the web framework, because an unknown parameter must be refused with the known ones:
`?staus=failed` would otherwise list everything.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request

from rmos.analytics.calendar import day_of
from rmos.clock import Timestamp
from rmos.domain.entities import JsonValue, Kind
from rmos.domain.fields import timestamp
from rmos.domain.filters import ALL, EventFilter, parse_filter
from rmos.domain.jobs import read_status
from rmos.errors import InvalidError
from rmos.stores.base import ListQuery
from rmos.stores.schema import FIELDS

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000
MAX_OFFSET: Final = 10**9
MAX_TEXT_LENGTH: Final = 200

DEFAULT_SORT: Final = "-created_at,-id"
PAGING: Final = ("limit", "offset", "after", "sort")
_EVENT_FILTER_MEANINGS: Final = {
    "filters": "Categories, separated by commas: `job`, `pattern`, `material` or `all`.",
    "channels": "Channels, separated by commas, e.g. `project:p7,machine:*`.",
    "types": "Types, separated by commas, e.g. `job:completed,job:failed`.",
}

BOUNDS: Final = {"from": "this or later", "before": "earlier than this"}
"""Endings of parameters that bound a time: `end_time_from`, `end_time_before`."""

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def list_query(request: Request, kind: Kind, *, paging: tuple[str, ...] = PAGING) -> ListQuery:
    """The query of a list: paging, `q` and any searchable field of the kind.

    Raises:
        InvalidError: an unknown or repeated parameter, or a malformed value.
    """
    fields, times = FIELDS[kind.name], _times(kind)
    bounds = [f"{name}_{word}" for name in times for word in BOUNDS]
    given = parameters(request, (*paging, "q", *fields, *bounds))
    where = {name: field_value(kind, name, text) for name, text in given.items() if name in fields}
    at_least, below = (
        {name: _moment(given[key], f"/{key}") for name in times if (key := f"{name}_{word}") in given}
        for word in BOUNDS
    )
    return replace(paged(given, where=where, text=_search_text(given)), at_least=at_least, below=below)


def _times(kind: Kind) -> list[str]:
    """The fields that hold times, each of which can be bounded by `BOUNDS`."""
    return [name for name, type_ in FIELDS[kind.name].items() if type_ is str and name.endswith(("_time", "_at"))]


def _moment(text: str, pointer: str) -> Timestamp:
    """The canonical text of a time, or of the beginning of a day, UTC.

    Raises:
        InvalidError: neither.
    """
    if _DAY.fullmatch(text):
        text = f"{text}T00:00:00Z"
    return str(timestamp(text, pointer))


def paged(
    given: Mapping[str, str],
    *,
    where: Mapping[str, JsonValue] | None = None,
    name_like: str | None = None,
    text: str | None = None,
) -> ListQuery:
    """A query with the paging of the given parameters.

    Raises:
        InvalidError: a malformed value.
    """
    query = ListQuery(
        where or {},
        name_like=name_like,
        text=text,
        limit=integer(given, "limit", default=DEFAULT_LIMIT, at_least=1, at_most=MAX_LIMIT),
        offset=integer(given, "offset", default=0, at_least=0, at_most=MAX_OFFSET),
        after=given.get("after"),
        sort=_sort(given.get("sort", DEFAULT_SORT)),
    )
    if query.after is not None and "offset" in given:
        raise InvalidError.at("/offset", "excludes after; a page begins at one place")
    return query


def parameters(request: Request, accepted: tuple[str, ...]) -> dict[str, str]:
    """The query parameters by name.

    Raises:
        InvalidError: an unknown one, or one given twice.
    """
    given: dict[str, str] = {}
    if not request.scope["query_string"]:  # most have none, and looking at none costs 20 µs
        return given
    for name, value in request.query_params.multi_items():
        if name not in accepted:
            choice = f"accepted: {', '.join(accepted)}" if accepted else "none is accepted here"
            raise InvalidError.at(f"/{name[:80]}", f"unknown query parameter; {choice}")
        if name in given:
            raise InvalidError.at(f"/{name}", "given more than once")
        given[name] = value
    return given


def event_filter(given: Mapping[str, str]) -> EventFilter:
    """The filter in `filters`, `channels` and `types`, as on the monitor; everything where none is given.

    Raises:
        InvalidError: as `domain.filters.parse_filter`.
    """
    lists = {
        name: [part for part in given[name].split(",") if part] for name in _EVENT_FILTER_MEANINGS if name in given
    }
    return parse_filter(lists.get("filters", [ALL]), lists.get("channels"), lists.get("types"))


def flag(request: Request, name: str) -> bool:
    """The only query parameter of a request, as a yes or no; no when it is absent.

    Raises:
        InvalidError: neither `true` nor `false`, or another parameter.
    """
    given = parameters(request, (name,)).get(name, "false")
    if given not in ("true", "false"):
        raise InvalidError.at(f"/{name}", f"expected true or false, not {given[:80]!r}")
    return given == "true"


def integer(given: Mapping[str, str], name: str, *, default: int, at_least: int, at_most: int) -> int:
    """A whole number among the parameters.

    Raises:
        InvalidError: no number, or out of bounds.
    """
    text = given.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20 and at_least <= int(text) <= at_most):
        raise InvalidError.at(f"/{name}", f"expected a whole number from {at_least} to {at_most}, not {text[:80]!r}")
    return int(text)


def window_end(given: Mapping[str, str], name: str, *, now: Timestamp) -> Timestamp:
    """The moment at which a window of days ends: that of the named parameter's day, or now.

    Raises:
        InvalidError: no calendar day, or one that has not begun.
    """
    text = given.get(name)
    if text is None or text == day_of(now):
        return now
    if not _DAY.fullmatch(text) or not _is_day(text) or text > day_of(now):
        raise InvalidError.at(f"/{name}", f"expected a day up to today, as YYYY-MM-DD, not {text[:80]!r}")
    return f"{text}T23:59:59.999Z"


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def number(given: Mapping[str, str], name: str, *, default: float, at_least: float, at_most: float) -> float:
    """A number among the parameters.

    Raises:
        InvalidError: no number, or out of bounds.
    """
    text = given.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not at_least <= value <= at_most:
        raise InvalidError.at(f"/{name}", f"expected a number from {at_least:g} to {at_most:g}, not {text[:80]!r}")
    return value


def field_value(kind: Kind, name: str, text: str) -> JsonValue:
    """The value of a field that a list is filtered by, from its text in a URL.

    Raises:
        InvalidError: not of the field's type, or an unknown status.
    """
    if name == "status":
        return read_status(text, "/status")
    type_ = FIELDS[kind.name][name]
    if type_ is str:
        return text
    try:
        value = int(text) if type_ is int else float(text)
    except ValueError:
        raise InvalidError.at(f"/{name}", f"expected a number, not {text[:80]!r}") from None
    if abs(value) > 2**53:  # also infinite; NaN fails the comparison and is found nowhere
        raise InvalidError.at(f"/{name}", f"number out of range: {text[:80]!r}")
    return value


def searched(text: str, pointer: str) -> str:
    """A text to search for.

    Raises:
        InvalidError: it is longer than any name.
    """
    if len(text) > MAX_TEXT_LENGTH:
        raise InvalidError.at(pointer, f"has {len(text)} characters; at most {MAX_TEXT_LENGTH} are accepted")
    return text


def like_pattern(text: str) -> str:
    """The LIKE pattern of a searched name.

    The published callers send either a plain text, which is then looked for as a substring with `%` and `_` meaning
    themselves, or a whole LIKE pattern, which shows in its `%` at both ends.
    """
    if len(text) > 1 and text.startswith("%") and text.endswith("%"):
        return text.replace("\\", "\\\\")
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def next_link(request: Request, after: str | None) -> dict[str, str]:
    """The `Link` header to this same list after the given place; none where the list ends."""
    if after is None:
        return {}
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in ("after", "offset")]
    return {"Link": f'<{request.url.path}?{urlencode([*kept, ("after", after)])}>; rel="next"'}


def described(kind: Kind) -> list[dict[str, Any]]:
    """The parameters of a list, for OpenAPI."""
    return [*described_paging(), *described_filters(kind)]


def described_filters(kind: Kind) -> list[dict[str, Any]]:
    """The conditions that a list takes, for OpenAPI."""
    types = {str: "string", int: "integer", float: "number"}
    filters = [
        _described(name, {"type": types[type_]}, f"Only those with exactly this `{name}`.")
        for name, type_ in FIELDS[kind.name].items()
    ]
    bounds = [
        _described(f"{name}_{word}", {"type": "string"}, f"Only those whose `{name}` is {meaning}; a day or a time.")
        for name in _times(kind)
        for word, meaning in BOUNDS.items()
    ]
    return [described_text("q", "Text that occurs anywhere."), *filters, *bounds]


def described_paging() -> list[dict[str, Any]]:
    """The parameters of every list, for OpenAPI."""
    limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
    return [
        _described("limit", limit, "How many at most."),
        _described("offset", {"type": "integer", "minimum": 0, "default": 0}, "How many to pass over."),
        _described("after", {"type": "string"}, 'Where to go on, from the `Link: rel="next"` of the page before.'),
        _described(
            "sort",
            {"type": "string", "default": DEFAULT_SORT},
            "Fields by weight, with a minus for descending.",
        ),
    ]


def described_event_filter(*names: str) -> list[dict[str, Any]]:
    """Those of the parameters of `event_filter`, for OpenAPI."""
    return [described_text(name, _EVENT_FILTER_MEANINGS[name]) for name in names]


def described_integer(
    name: str, *, default: int | None = None, at_least: int, at_most: int, meaning: str
) -> dict[str, Any]:
    """A whole number as a parameter, for OpenAPI; without a default its absence means something of its own."""
    schema = {"type": "integer", "minimum": at_least, "maximum": at_most}
    return _described(name, schema if default is None else {**schema, "default": default}, meaning)


def described_day(name: str, meaning: str) -> dict[str, Any]:
    """A calendar day as a parameter, for OpenAPI."""
    return _described(name, {"type": "string", "format": "date"}, meaning)


def described_number(name: str, *, default: float, at_least: float, at_most: float, meaning: str) -> dict[str, Any]:
    """A number as a parameter, for OpenAPI."""
    schema = {"type": "number", "minimum": at_least, "maximum": at_most, "default": default}
    return _described(name, schema, meaning)


def described_text(name: str, meaning: str, *, required: bool = False) -> dict[str, Any]:
    """A text as a parameter, for OpenAPI."""
    return _described(name, {"type": "string"}, meaning) | {"required": required}


def described_flag(name: str, meaning: str) -> dict[str, Any]:
    """A yes or no as a parameter, for OpenAPI."""
    return _described(name, {"type": "boolean", "default": False}, meaning)


def _described(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def _search_text(given: Mapping[str, str]) -> str | None:
    return searched(given["q"], "/q") if given.get("q") else None


def _sort(text: str) -> tuple[tuple[str, bool], ...]:
    return tuple((name.removeprefix("-"), name.startswith("-")) for name in text.split(","))
