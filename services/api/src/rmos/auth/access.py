"""Who may come in: what is kept of users, keys and sessions, held in memory and never more than a second old.

Rule 1: a credential is judged by what is kept *now*. A token of somebody who was removed, or whose role or channels
        have changed since, is worth nothing.
Rule 2: any program may change what is kept (`rmos user` runs beside the server), so its version is polled.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Literal

from rmos.auth.brake import Brake
from rmos.auth.identity import Identity
from rmos.auth.one_time import OneTimeCodes, digest
from rmos.auth.passwords import Passwords
from rmos.auth.tokens import Tokens
from rmos.clock import Clock, Timestamp, utc_now
from rmos.domain.access import AccessBook, User
from rmos.errors import ConflictError, StorageError, UnauthorizedError
from rmos.settings import is_loopback
from rmos.stores.base import Stores

log = logging.getLogger(__name__)

Mode = Literal["auto", "required", "off"]

KEY_PREFIX: Final = "rmos_"
KEY_ACTOR: Final = "key:"
"""Begins the name of who came with a key; no user has a colon in theirs."""
POLL_S: Final = 0.4
"""A change made elsewhere must stop live connections within a second."""
TICKET_S: Final = 30.0
LOGIN_CODE_S: Final = 3600.0
_SESSION: Final = "session:"
_KEY: Final = "key:"
"""How credentials are named: what kind, and which."""


class Access:
    """Everybody who may come in. One a process, used from the event loop alone.

    Attributes:
        tickets: One-time tickets, each for the identity of who asked for it.
        login_codes: One-time codes that log a browser in, each for the name of a user.
        brake: On the guessing of passwords.
    """

    def __init__(self, stores: Stores, tokens: Tokens | None, *, mode: Mode, clock: Clock = utc_now) -> None:
        """
        Args:
            tokens: None only where `mode` is `off`.
        """
        self.tickets: OneTimeCodes[Identity] = OneTimeCodes(TICKET_S)
        self.login_codes: OneTimeCodes[str] = OneTimeCodes(LOGIN_CODE_S)
        self.brake = Brake()
        self.passwords = Passwords()
        self._stores = stores
        self._tokens = tokens
        self._mode = mode
        self._clock = clock
        self._listeners: list[Callable[[], None]] = []
        self._identities: dict[str, Identity] = {}
        self._key_ids: dict[str, str] = {}
        self.book = AccessBook(0, ())

    # --- life -------------------------------------------------------------------------------------------------

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Have `listener` called after each change of who may come in."""
        self._listeners.append(listener)

    async def refresh(self) -> None:
        """Take over what is kept now, if it has changed.

        Raises:
            UnavailableError: the database does not answer.
        """
        if await self._stores.access_version() == self.book.version:
            return
        book = await self._stores.access()
        if book.version <= self.book.version:  # another refresh was faster
            return
        self._take_over(book)
        for listener in self._listeners:
            listener()

    async def run(self) -> None:
        """Follow the changes of other programs, until cancelled."""
        is_readable = True
        while True:
            await asyncio.sleep(POLL_S)
            try:
                await self.refresh()
            except StorageError as error:
                if is_readable:
                    log.warning("users and keys cannot be read just now", extra={"error": str(error)})
                is_readable = False
            else:
                is_readable = True

    def close(self) -> None:
        """End the threads."""
        self.passwords.close()

    def _take_over(self, book: AccessBook) -> None:
        identities = [
            Identity(user.name, user.role, user.channels, session.expires_at, f"{_SESSION}{session.digest}")
            for session in book.sessions.values()
            if (user := book.users.get(session.user)) is not None and not user.disabled
        ]
        identities += [
            Identity(f"{KEY_ACTOR}{key.name}", key.role, key.channels, key.expires_at, f"{_KEY}{key.id}")
            for key in book.keys.values()
        ]
        self._identities = {str(identity.credential): identity for identity in identities}
        self._key_ids = {key.digest: key.id for key in book.keys.values()}
        self.book = book

    # --- who is it? -------------------------------------------------------------------------------------------

    def is_required_at(self, address: str | None) -> bool:
        """Whether who comes in at this address of the server must say who they are."""
        if self._mode == "auto":
            return address is not None and not is_loopback(address)
        return self._mode == "required"

    def session(self, secret: str) -> Identity | None:
        """Who the cookie belongs to; None when the session has ended."""
        return self._alive(f"{_SESSION}{digest(secret)}")

    def bearer(self, token: str) -> Identity:
        """Who an API key or a signed token belongs to.

        Raises:
            UnauthorizedError: it is neither, or no longer valid.
        """
        if token.startswith(KEY_PREFIX):
            identity = self._alive(f"{_KEY}{self._key_ids.get(digest(token))}")
            if identity is None:
                raise UnauthorizedError("the API key is unknown, was revoked or has expired")
            return identity
        claims = self._required_tokens().read(token)
        identity = self._alive(claims.credential)
        if identity is None or identity.user != claims.user:
            raise UnauthorizedError("the token's owner has logged out or may no longer come in; log in again")
        if (identity.role, identity.channels) != (claims.role, claims.channels):
            raise UnauthorizedError("the permissions have changed since the token was made; get a new one")
        return replace(identity, expires_at=claims.expires_at)

    def ticket(self, code: str) -> Identity:
        """Who asked for the ticket, which is used up by this.

        Raises:
            UnauthorizedError: unknown, used or late, or its owner may no longer come in.
        """
        identity = self.tickets.redeem(code)
        if identity is not None:
            identity = self.current(identity)
        if identity is None or self._has_ended(identity):
            raise UnauthorizedError("the ticket is unknown, was used or is too old; get a new one")
        return identity

    def current(self, identity: Identity) -> Identity | None:
        """The same somebody with what they may do now; None when they may no longer come in."""
        if identity.credential is None:
            return identity
        known = self._identities.get(identity.credential)
        if known is None or known.user != identity.user:
            return None
        return known if known.expires_at == identity.expires_at else replace(known, expires_at=identity.expires_at)

    async def check_password(self, address: str, name: str, password: str) -> User:
        """The user of this name and password, who asks from this address.

        Raises:
            RateLimitedError: too many failures before.
            UnauthorizedError: there is no such user, or it is another password, or they may not log in.
        """
        self.brake.check(address, name)
        user = self.book.users.get(name)
        is_right = await self.passwords.fits(password, user.password if user else None)
        if user is None or user.disabled or not is_right:
            raise UnauthorizedError("user or password is wrong")
        self.brake.succeeded(address, name)
        return user

    # --- proofs for later -------------------------------------------------------------------------------------

    def token_for(self, identity: Identity) -> tuple[str, Timestamp]:
        """A signed token of this somebody, and when it expires.

        Raises:
            ConflictError: authentication is off, so there is nothing to prove.
        """
        if identity.credential is None:
            raise ConflictError("authentication is off, so no token is needed")
        return self._required_tokens().issue(identity, self._clock())

    def _required_tokens(self) -> Tokens:
        if self._tokens is None:
            raise UnauthorizedError("authentication is off, so no token is known here")
        return self._tokens

    def _alive(self, credential: str) -> Identity | None:
        identity = self._identities.get(credential)
        return None if identity is None or self._has_ended(identity) else identity

    def _has_ended(self, identity: Identity) -> bool:
        return identity.expires_at is not None and identity.expires_at <= self._clock()
