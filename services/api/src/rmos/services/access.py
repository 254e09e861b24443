"""Who may come in: one function for each thing that can be done about it.

Rule 1: secrets are made and hashed before, outside of the transaction; only what is kept of them is handed in.
Rule 2: as long as anybody is an admin somebody stays one, or nobody could mend it from a browser.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from rmos.clock import Timestamp, from_timestamp, to_timestamp
from rmos.domain.access import (
    KEY_FIELDS,
    USER_CHANGES,
    USER_FIELDS,
    AccessBook,
    ApiKey,
    Role,
    Session,
    User,
)
from rmos.domain.entities import JsonObject, JsonValue
from rmos.domain.fields import Values, read_fields
from rmos.errors import ConflictError, InvalidError, NotFoundError
from rmos.stores.base import Transaction

SESSION_DAYS: Final = 30
FIRST_ADMIN: Final = "admin"


def read_user(given: Mapping[str, JsonValue]) -> Values:
    """The fields of a new user, the password still in clear.

    Raises:
        InvalidError: with a `FieldError` for each fault.
    """
    return read_fields(USER_FIELDS, given, complete=True)


def read_user_changes(given: Mapping[str, JsonValue]) -> Values:
    """What is to be changed of a user, the password still in clear.

    Raises:
        InvalidError: as `read_user`.
    """
    return read_fields(USER_CHANGES, given)


def read_key(given: Mapping[str, JsonValue], now: Timestamp) -> Values:
    """The fields of a new key.

    Raises:
        InvalidError: as `read_user`; also when it would have expired already.
    """
    values = read_fields(KEY_FIELDS, given, complete=True)
    if values["expires_at"] is not None and values["expires_at"] <= now:
        raise InvalidError.at("/expires_at", "is in the past")
    return values


def add_user(tx: Transaction, values: Values, now: Timestamp) -> User:
    """Let somebody in. `values` as `read_user` gives them, with the hash for the password.

    Raises:
        ConflictError: there is a user of this name, whatever its case.
    """
    name = values["name"]
    if any(known.casefold() == name.casefold() for known in tx.access().users):
        raise ConflictError(f"there is a user {name!r} already")
    user = User(name, Role(values["role"]), now, values["password"], _channels(values), values["disabled"])
    tx.put_access(user)
    return user


def change_user(tx: Transaction, name: str, values: Values) -> User:
    """Change what is given. A new password, or being disabled, ends the sessions of the user.

    Raises:
        NotFoundError: there is no such user.
        ConflictError: nobody would be an admin any more.
    """
    book = tx.access()
    before = _user(book, name)
    changes: Values = dict(values)
    if "role" in changes:
        changes["role"] = Role(changes["role"])
    if "channels" in changes:
        changes["channels"] = _channels(changes)
    after = replace(before, **changes)
    _keep_an_admin(book, before, after)
    if after == before:
        return before
    tx.put_access(after)
    if after.disabled or after.password != before.password:
        _end_sessions(tx, book, name)
    return after


def remove_user(tx: Transaction, name: str) -> None:
    """Let somebody in no more.

    Raises:
        NotFoundError, ConflictError: as `change_user`.
    """
    book = tx.access()
    user = _user(book, name)
    _keep_an_admin(book, user, None)
    tx.drop_access(user)
    _end_sessions(tx, book, name)


def add_key(tx: Transaction, values: Values, *, key_id: str, digest: str, created_by: str, now: Timestamp) -> ApiKey:
    """Let a program in. `values` as `read_key` gives them.

    Raises:
        ConflictError: there is a key of this name: the actor of its events would be ambiguous.
    """
    name = values["name"]
    if any(key.name.casefold() == name.casefold() for key in tx.access().keys.values()):
        raise ConflictError(f"there is a key {name!r} already")
    key = ApiKey(key_id, name, Role(values["role"]), digest, now, created_by, _channels(values), values["expires_at"])
    tx.put_access(key)
    return key


def remove_key(tx: Transaction, key_id: str) -> ApiKey:
    """Let a program in no more. Returns the key that was.

    Raises:
        NotFoundError: there is no such key.
    """
    key = tx.access().keys.get(key_id)
    if key is None:
        raise NotFoundError(f"key not found: {key_id}")
    tx.drop_access(key)
    return key


def open_session(tx: Transaction, name: str, *, digest: str, now: Timestamp) -> Session:
    """Remember a browser that has proved who it is. Sessions that have ended are forgotten by the way.

    Raises:
        NotFoundError: the user is gone, or may not log in.
    """
    book = tx.access()
    if _user(book, name).disabled:
        raise NotFoundError(f"user not found: {name}")
    for session in book.sessions.values():
        if session.expires_at <= now:
            tx.drop_access(session)
    session = Session(digest, name, now, to_timestamp(from_timestamp(now) + timedelta(days=SESSION_DAYS)))
    tx.put_access(session)
    return session


def close_session(tx: Transaction, digest: str) -> None:
    """Forget a browser; nothing happens when it was forgotten before."""
    session = tx.access().sessions.get(digest)
    if session is not None:
        tx.drop_access(session)


def first_key(tx: Transaction, *, key_id: str, digest: str, now: Timestamp) -> bool:
    """At the very first start, when nobody may come in: a key for the admin. False at every later one."""
    book = tx.access()
    if book.users or book.keys:
        return False
    values: Values = {"name": FIRST_ADMIN, "role": Role.ADMIN, "channels": None, "expires_at": None}
    add_key(tx, values, key_id=key_id, digest=digest, created_by=FIRST_ADMIN, now=now)
    return True


def admin_who_logs_in(tx: Transaction, now: Timestamp) -> str | None:
    """Whose login code the server prints: the oldest admin, made where there is none; None when the name is taken."""
    users = tx.access().users
    admins = sorted((user.created_at, user.name) for user in users.values() if _is_active_admin(user))
    if admins:
        return admins[0][1]
    if FIRST_ADMIN in users:
        return None
    tx.put_access(User(FIRST_ADMIN, Role.ADMIN, now))
    return FIRST_ADMIN


def user_document(user: User) -> JsonObject:
    """What is told of a user: everything but the hash."""
    return {
        "name": user.name,
        "role": user.role.value,
        "channels": None if user.channels is None else [*sorted(user.channels)],
        "disabled": user.disabled,
        "has_password": user.password is not None,
        "created_at": user.created_at,
    }


def key_document(key: ApiKey) -> JsonObject:
    """What is told of a key: everything but the secret, which nobody knows any more."""
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role.value,
        "channels": None if key.channels is None else [*sorted(key.channels)],
        "expires_at": key.expires_at,
        "created_at": key.created_at,
        "created_by": key.created_by,
    }


def _channels(values: Values) -> frozenset[str] | None:
    return None if values["channels"] is None else frozenset(values["channels"])


def _user(book: AccessBook, name: str) -> User:
    user = book.users.get(name)
    if user is None:
        raise NotFoundError(f"user not found: {name}")
    return user


def _is_active_admin(user: User | None) -> bool:
    return user is not None and user.role is Role.ADMIN and user.channels is None and not user.disabled


def _keep_an_admin(book: AccessBook, before: User, after: User | None) -> None:
    if not _is_active_admin(before) or _is_active_admin(after):
        return
    if sum(map(_is_active_admin, book.users.values())) == 1:
        raise ConflictError(f"{before.name} is the last admin; make another one first")


def _end_sessions(tx: Transaction, book: AccessBook, name: str) -> None:
    for session in book.sessions.values():
        if session.user == name:
            tx.drop_access(session)
