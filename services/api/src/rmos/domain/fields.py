"""Reading what a client sent: one `Field` for each field of an entity, one reader for each type of value.

Rule 1: a reader returns the value as it is stored, or raises `InvalidError` with a pointer and what is accepted.
Rule 2: all faults of a request are told at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from rmos.clock import to_timestamp
from rmos.domain.documents import child, json_faults
from rmos.domain.entities import JsonObject, JsonValue
from rmos.errors import FieldError, InvalidError

Reader: TypeAlias = Callable[[JsonValue, str], JsonValue]
"""Takes the value as sent, which is not null, and its pointer."""

Values: TypeAlias = "dict[str, Any]"  # Any: the type of each value is that of its field, as its reader has made sure
"""Fields as they are stored."""

SERVER_FIELDS: Final = ("id", "created_at", "updated_at", "version")
"""Set by the server. They may be sent back, as in a document that was read, changed and written; nothing follows."""

MAX_ID_LENGTH: Final = 128
RESERVED_IDS: Final = frozenset({".", "..", "statistics", "export.csv", "export.json"})
"""Ids that no URL could name: clients shorten the first two away, and the others are pages of their own."""

_MAX_NUMBER: Final = 1e15
"""Largest magnitude of a number with a meaning; sums over a million entities stay finite and exact."""
_TOLD_FAULTS: Final = 5
"""A message stays readable; `errors` has them all."""
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|z|[+-]\d\d:?\d\d)?", re.ASCII)
_LINE_BREAKS_AND_TABS: Final = str.maketrans("", "", "\n\r\t")


@dataclass(frozen=True, slots=True)
class Field:
    """How one field is read.

    Attributes:
        required: POST must give it, and null is refused.
        nullable: Null stands for the default.
        default: What it is when it was not given.
    """

    read: Reader
    required: bool = False
    nullable: bool = True
    default: JsonValue = None


def read_fields(fields: Mapping[str, Field], given: Mapping[str, JsonValue], *, complete: bool = False) -> Values:
    """The given fields as they are stored; with `complete`, the defaults of the others as well.

    Raises:
        InvalidError: with a `FieldError` for each unknown, missing or malformed field.
    """
    faults = json_faults(dict(given))
    raise_if_any(faults)
    values: Values = {name: field.default for name, field in fields.items()} if complete else {}
    for name, value in given.items():
        if name in SERVER_FIELDS:
            continue
        pointer = child("", name)
        field = fields.get(name)
        if field is None:
            faults.append(FieldError(pointer, f"unknown field; expected one of {', '.join(fields)}"))
        elif value is None:
            if field.required or not field.nullable:
                faults.append(FieldError(pointer, "must not be null"))
            else:
                values[name] = field.default
        else:
            try:
                values[name] = field.read(value, pointer)
            except InvalidError as error:
                faults += error.errors
    if complete:
        faults += [FieldError(f"/{n}", "is required") for n, f in fields.items() if f.required and n not in given]
    raise_if_any(faults)
    return values


def invalid(faults: Sequence[FieldError]) -> InvalidError:
    """One error that tells all of `faults`; its message tells the first few."""
    more = "; …" if len(faults) > _TOLD_FAULTS else ""
    told = "; ".join(f"{f.pointer.removeprefix('/')}: {f.detail}" for f in faults[:_TOLD_FAULTS])
    return InvalidError(told + more, faults)


def raise_if_any(faults: Sequence[FieldError]) -> None:
    """Raise the error of `faults`, if there is any."""
    if faults:
        raise invalid(faults)


def text(*, longest: int = 200, multiline: bool = False) -> Reader:
    """1 to `longest` characters, not blank, without control characters; `multiline` allows line breaks and tabs."""

    def read(value: JsonValue, pointer: str) -> JsonValue:
        if not isinstance(value, str):
            raise InvalidError.at(pointer, f"must be a text, not {_type_name(value)}")
        if not value.strip() or len(value) > longest:
            raise InvalidError.at(pointer, f"must be 1-{longest} characters and not blank, got {len(value)}")
        printable = value.translate(_LINE_BREAKS_AND_TABS) if multiline else value
        if any(ch < " " or "\x7f" <= ch <= "\x9f" for ch in printable):
            raise InvalidError.at(pointer, "must not contain control characters")
        return value

    return read


def number(*, at_least: float = -_MAX_NUMBER, at_most: float = _MAX_NUMBER) -> Reader:
    """A finite number within the bounds, as given."""

    def read(value: JsonValue, pointer: str) -> JsonValue:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidError.at(pointer, f"must be a number, not {_type_name(value)}")
        if not at_least <= value <= at_most:
            raise InvalidError.at(pointer, f"must be {_range(at_least, at_most)}, got {value:g}")
        return value

    return read


def integer(*, at_least: int, at_most: int) -> Reader:
    """A whole number within the bounds; 3.0 is read as 3."""

    def read(value: JsonValue, pointer: str) -> JsonValue:
        if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
            raise InvalidError.at(pointer, f"must be a whole number, not {_type_name(value)}")
        if not at_least <= value <= at_most:
            raise InvalidError.at(pointer, f"must be {at_least} to {at_most}, got {value:g}")
        return int(value)

    return read


def length_mm(value: JsonValue, pointer: str) -> JsonValue:
    """A length that a thing can have, 0.001 to 100,000 mm."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value <= 0:
        raise InvalidError.at(pointer, f"must be greater than 0 mm, got {value:g}")
    return number(at_least=0.001, at_most=100_000)(value, pointer)


def choice(accepted: Sequence[str]) -> Reader:
    """One of the accepted texts."""

    def read(value: JsonValue, pointer: str) -> JsonValue:
        if not isinstance(value, str) or value not in accepted:
            raise InvalidError.at(pointer, f"unknown value {_shown(value)}; expected one of {', '.join(accepted)}")
        return value

    return read


def json_object(value: JsonValue, pointer: str) -> JsonValue:
    """Any object, kept as it is."""
    if not isinstance(value, dict):
        raise InvalidError.at(pointer, f"must be an object, not {_type_name(value)}")
    return value


def list_of_objects(known: Mapping[str, Reader]) -> Reader:
    """A list of objects whose known members are read where they are given and not null; the others are kept."""

    def read(value: JsonValue, pointer: str) -> JsonValue:
        if not isinstance(value, list):
            raise InvalidError.at(pointer, f"must be a list, not {_type_name(value)}")
        faults: list[FieldError] = []
        items: list[JsonValue] = []
        for index, item in enumerate(value):
            try:
                items.append(read_known(known, item, child(pointer, index)))
            except InvalidError as error:
                faults += error.errors
        raise_if_any(faults)
        return items

    return read


def read_known(known: Mapping[str, Reader], value: JsonValue, pointer: str) -> JsonObject:
    """An object with its known members read where they are given and not null, and all others kept.

    Raises:
        InvalidError: not an object, or with a `FieldError` for each malformed member.
    """
    if not isinstance(value, dict):
        raise InvalidError.at(pointer, f"must be an object, not {_type_name(value)}")
    result = dict(value)
    faults: list[FieldError] = []
    for name, read in known.items():
        member = value.get(name)
        if member is not None:
            try:
                result[name] = read(member, child(pointer, name))
            except InvalidError as error:
                faults += error.errors
    raise_if_any(faults)
    return result


def timestamp(value: JsonValue, pointer: str) -> JsonValue:
    """An RFC 3339 time, as canonical text. One without a zone is read as UTC, as the published callers mean it."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise InvalidError.at(
            pointer, f"must be an RFC 3339 time such as 2026-11-24T10:00:00.000Z, got {_shown(value)}"
        )
    try:
        moment = datetime.fromisoformat(value.upper())
        return to_timestamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise InvalidError.at(pointer, f"there is no time {value!r}") from error


def identifier(value: JsonValue, pointer: str) -> str:
    """An id: 1 to 128 printable characters without slash or white space.

    Raises:
        InvalidError: another value, or a word that the web interface needs itself.
    """
    if (
        not isinstance(value, str)
        or not 1 <= len(value) <= MAX_ID_LENGTH
        or not value.isprintable()
        or "/" in value
        or any(ch.isspace() for ch in value)
    ):
        raise InvalidError.at(
            pointer, f"must be 1-{MAX_ID_LENGTH} printable characters without slash or space, got {_shown(value)}"
        )
    if value in RESERVED_IDS:
        raise InvalidError.at(pointer, f"{value!r} is reserved; choose another id")
    return value


def _range(at_least: float, at_most: float) -> str:
    if at_most == _MAX_NUMBER and at_least != -_MAX_NUMBER:
        return f"at least {at_least:g}"
    return f"{at_least:g} to {at_most:g}"


def _type_name(value: JsonValue) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, int | float):
        return f"{value:g}"
    return "a list" if isinstance(value, list) else "an object"


def _shown(value: JsonValue) -> str:
    return repr(value[:80]) if isinstance(value, str) else _type_name(value)
