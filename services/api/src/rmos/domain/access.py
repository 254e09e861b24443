"""Who may do what: roles, and what is kept of users, API keys and sessions.

Secrets are never kept: of a password its hash, of every other secret its SHA-256.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final, TypeAlias

from rmos.clock import Timestamp
from rmos.domain.entities import JsonValue
from rmos.domain.events import ACTOR_LOCAL, ACTOR_SYSTEM
from rmos.domain.fields import Field, choice, timestamp
from rmos.domain.filters import parse_filter
from rmos.errors import InvalidError

MIN_PASSWORD_LENGTH: Final = 10
MAX_PASSWORD_LENGTH: Final = 200
"""Longer ones would only make hashing cost more."""
RESERVED_NAMES: Final = frozenset({ACTOR_LOCAL, ACTOR_SYSTEM})
"""Actors of events that are no user."""

_NAME: Final = re.compile(r"[^\W_][\w.@-]{0,63}")


class Role(StrEnum):
    """Each role may do what the ones before it may.

    `viewer` reads. `operator` changes the shop: patterns, job logs, strip families. `admin` decides who may do what.
    """

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Whether this role may do what the other one may."""
        return _RANK[self] >= _RANK[other]


_RANK: Final = {role: rank for rank, role in enumerate(Role)}

Address: TypeAlias = tuple[str, str]
"""What kind of record, and its name within the kind."""


@dataclass(frozen=True, slots=True)
class User:
    """A person who may log in.

    Attributes:
        password: Argon2 hash; None when they cannot log in by password.
        channels: Channel patterns they are limited to; None for no limit.
    """

    name: str
    role: Role
    created_at: Timestamp
    password: str | None = None
    channels: frozenset[str] | None = None
    disabled: bool = False

    @property
    def address(self) -> Address:
        """Its place in the book."""
        return "user", self.name


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What a program proves itself with.

    Attributes:
        digest: SHA-256 of the secret, in hexadecimal.
        expires_at: None for never.
        created_by: The actor who made it.
    """

    id: str
    name: str
    role: Role
    digest: str
    created_at: Timestamp
    created_by: str
    channels: frozenset[str] | None = None
    expires_at: Timestamp | None = None

    @property
    def address(self) -> Address:
        """Its place in the book."""
        return "key", self.id


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that has logged in. `digest` is the SHA-256 of its cookie, in hexadecimal."""

    digest: str
    user: str
    created_at: Timestamp
    expires_at: Timestamp

    @property
    def address(self) -> Address:
        """Its place in the book."""
        return "session", self.digest


AccessRecord: TypeAlias = User | ApiKey | Session


class AccessBook:
    """Everybody who may come in, at one moment. `version` rises with every change of it."""

    def __init__(self, version: int, records: Iterable[AccessRecord]) -> None:
        self.version = version
        self.records: Mapping[Address, AccessRecord] = {record.address: record for record in records}

    @cached_property
    def users(self) -> dict[str, User]:
        """By name."""
        return {record.name: record for record in self.records.values() if isinstance(record, User)}

    @cached_property
    def keys(self) -> dict[str, ApiKey]:
        """By id."""
        return {record.id: record for record in self.records.values() if isinstance(record, ApiKey)}

    @cached_property
    def sessions(self) -> dict[str, Session]:
        """By digest."""
        return {record.digest: record for record in self.records.values() if isinstance(record, Session)}

    def changed(self, changes: Mapping[Address, AccessRecord | None]) -> AccessBook:
        """The book after these changes; None removes."""
        after = {**self.records, **changes}
        return AccessBook(self.version, (record for record in after.values() if record is not None))


def name(value: JsonValue, pointer: str) -> str:
    """A name of a user or a key: 1 to 64 letters, digits and `. _ @ -`, beginning with a letter or a digit.

    Raises:
        InvalidError: another value, or a word with a meaning of its own.
    """
    if not isinstance(value, str) or not _NAME.fullmatch(normal := unicodedata.normalize("NFC", value)):
        raise InvalidError.at(pointer, "must be 1-64 letters, digits and . _ @ -, beginning with a letter or a digit")
    if normal.casefold() in RESERVED_NAMES:
        raise InvalidError.at(pointer, f"{normal!r} is reserved; choose another name")
    return normal


def password(value: JsonValue, pointer: str) -> str:
    """A password that is long enough. The message never repeats it.

    Raises:
        InvalidError: too short, too long or no text.
    """
    if not isinstance(value, str) or not MIN_PASSWORD_LENGTH <= len(value) <= MAX_PASSWORD_LENGTH:
        raise InvalidError.at(pointer, f"must be a text of {MIN_PASSWORD_LENGTH}-{MAX_PASSWORD_LENGTH} characters")
    return value


def channels(value: JsonValue, pointer: str) -> list[JsonValue]:
    """Channel patterns as in a subscription, sorted.

    Raises:
        InvalidError: not a list of channels.
    """
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidError.at(pointer, "must be a list of channels such as project:p7 or machine:*")
    try:
        wanted = parse_filter((), [str(item) for item in value]).channels
    except InvalidError as error:
        raise InvalidError.at(pointer, error.errors[0].detail) from None
    return [*sorted(wanted or ())]


def flag(value: JsonValue, pointer: str) -> bool:
    """True or false.

    Raises:
        InvalidError: anything else.
    """
    if not isinstance(value, bool):
        raise InvalidError.at(pointer, "must be true or false")
    return value


_ROLE: Final = Field(choice([*Role]), required=True)
USER_CHANGES: Final[Mapping[str, Field]] = {
    "role": _ROLE,
    "password": Field(password),
    "channels": Field(channels),
    "disabled": Field(flag, nullable=False, default=False),
}
"""What may be changed of a user. A password that is null ends logging in by password."""
USER_FIELDS: Final[Mapping[str, Field]] = {"name": Field(name, required=True), **USER_CHANGES}
KEY_FIELDS: Final[Mapping[str, Field]] = {
    "name": Field(name, required=True),
    "role": _ROLE,
    "channels": Field(channels),
    "expires_at": Field(timestamp),
}
