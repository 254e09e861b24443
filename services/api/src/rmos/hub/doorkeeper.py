"""Whose the open connections are: asks the unknown, warns before a credential ends, and ends what may not go on.

Rule 1: who is unknown is sent nothing and obeyed in nothing but `auth`, and has `AUTH_TIMEOUT_S` for it.
Rule 2: connections of one identity are judged together, so a change costs as much as there are identities.
Rule 3: no timer per connection: one look every `LOOK_S`.
"""

from __future__ import annotations

import asyncio
import heapq
from itertools import count
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from rmos.auth.identity import Identity
from rmos.clock import Clock, Timestamp, later
from rmos.errors import UnauthorizedError
from rmos.hub.subscriber import Subscriber
from rmos.protocol.close_codes import CloseCode
from rmos.protocol.commands import Auth, CommandError, Subscribe
from rmos.protocol.messages import error_frame, system_frame
from rmos.protocol.session import Outcome

if TYPE_CHECKING:
    from rmos.hub.hub import Hub

AUTH_TIMEOUT_S: Final = 10.0
WARNING_S: Final = 60.0
"""How long before its end a credential is told to be about to expire."""
LOOK_S: Final = 0.5

First: TypeAlias = Subscribe | CommandError | None
"""What the URL of a connection asked for."""


class Authority(Protocol):
    """Knows credentials and what they are worth (`auth.access.Access`)."""

    def bearer(self, token: str) -> Identity:
        """Whose an API key or a token is.

        Raises:
            UnauthorizedError: nobody's.
        """
        ...

    def current(self, identity: Identity) -> Identity | None:
        """The same somebody with what they may do now; None when they may no longer come in."""
        ...


class NoAuthority:
    """Where authentication is off: nobody has anything to prove, and nothing ever changes."""

    def bearer(self, token: str) -> Identity:
        """Nothing is known here.

        Raises:
            UnauthorizedError: always.
        """
        raise UnauthorizedError("authentication is off, so no token is known here")

    def current(self, identity: Identity) -> Identity | None:
        """As it was."""
        return identity


class Doorkeeper:
    """Part of the hub, and used by it alone."""

    def __init__(self, hub: Hub, authority: Authority, clock: Clock) -> None:
        self._hub = hub
        self._authority = authority
        self._clock = clock
        self._unknown: dict[Subscriber, tuple[float, First]] = {}
        """With the time of the loop until which they are waited for; the oldest come first."""
        self._known: dict[Identity, set[Subscriber]] = {}
        self._due: list[tuple[Timestamp, int, Identity, bool]] = []
        """A heap: when, a number so that identities are never compared, whose, and whether it is the end."""
        self._numbers = count()
        self._planned: set[Identity] = set()

    def ask(self, subscriber: Subscriber, first: First) -> None:
        """Wait for `auth`; then do what the URL asked for."""
        self._unknown[subscriber] = (asyncio.get_running_loop().time() + AUTH_TIMEOUT_S, first)

    def lets_in(self, subscriber: Subscriber) -> bool:
        """Whether the identity still holds that was found during the handshake; closes the connection if not."""
        now = self._authority.current(subscriber.identity)
        if now != subscriber.identity:
            self._hub.close(subscriber, _code_for(now))
        return not subscriber.is_closed

    def enter(self, subscriber: Subscriber) -> None:
        """Watch over a connection that was let in. Those without a credential have nothing that could end."""
        identity = subscriber.identity
        if identity.credential is None:
            return
        self._known.setdefault(identity, set()).add(subscriber)
        if identity.expires_at is None:
            return
        warn_at = later(identity.expires_at, -WARNING_S)
        is_soon = warn_at <= self._clock()
        if is_soon:
            self._warn(subscriber, identity.expires_at)
        if identity not in self._planned:
            self._planned.add(identity)
            due = identity.expires_at if is_soon else warn_at
            self._plan(due, identity, is_end=is_soon)

    def forget(self, subscriber: Subscriber) -> None:
        """It is gone."""
        self._unknown.pop(subscriber, None)
        of_same = self._known.get(subscriber.identity)
        if of_same is not None:
            of_same.discard(subscriber)
            if not of_same:
                del self._known[subscriber.identity]

    def hear(self, subscriber: Subscriber, outcome: Outcome) -> None:
        """What somebody unknown has said: who they are, or they have to go."""
        if not isinstance(outcome, Auth):
            self._hub.close(subscriber, CloseCode.UNAUTHORIZED, "authenticate first: the first message must be auth")
            return
        try:
            identity = self._authority.bearer(outcome.token)
        except UnauthorizedError as error:
            self._hub.close(subscriber, CloseCode.UNAUTHORIZED, error.message)
            return
        _, first = self._unknown.pop(subscriber)
        subscriber.identity = identity
        self._hub.welcome(subscriber, first)

    def renew(self, subscriber: Subscriber, command: Auth) -> None:
        """Go on with a new credential of the same somebody, without a gap in what they hear."""
        before = subscriber.identity
        if before.credential is None:
            self._answer(subscriber, command)
            return
        try:
            after = self._authority.bearer(command.token)
        except UnauthorizedError as error:
            self._hub.send(subscriber, error_frame(CommandError("unauthorized", error.message, command.id)))
            return
        if after.user != before.user:
            refusal = CommandError("forbidden", f"the token is not {before.user}'s; connect anew with it", command.id)
            self._hub.send(subscriber, error_frame(refusal))
        elif (after.role, after.channels) != (before.role, before.channels):
            self._hub.close(subscriber, CloseCode.PERMISSIONS_CHANGED)
        else:
            self.forget(subscriber)
            subscriber.identity = after
            self._answer(subscriber, command)
            self.enter(subscriber)

    def review(self) -> None:
        """Something about who may come in has changed: close who may not go on as they are."""
        for identity, subscribers in tuple(self._known.items()):
            now = self._authority.current(identity)
            if now != identity:
                self._close_all(subscribers, _code_for(now))

    async def run(self) -> None:
        """Look after everybody, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            self._end_waiting(asyncio.get_running_loop().time())
            self._end_expired(self._clock())

    def _end_waiting(self, now: float) -> None:
        for subscriber, (until, _) in tuple(self._unknown.items()):
            if until > now:
                return
            self._hub.close(subscriber, CloseCode.AUTH_TIMEOUT)

    def _end_expired(self, now: Timestamp) -> None:
        while self._due and self._due[0][0] <= now:
            _, _, identity, is_end = heapq.heappop(self._due)
            if is_end:
                self._planned.discard(identity)
                self._close_all(self._known.get(identity, set()), CloseCode.TOKEN_EXPIRED)
            elif identity.expires_at is not None:
                self._plan(identity.expires_at, identity, is_end=True)
                for subscriber in tuple(self._known.get(identity, ())):
                    self._warn(subscriber, identity.expires_at)

    def _plan(self, when: Timestamp, identity: Identity, *, is_end: bool) -> None:
        heapq.heappush(self._due, (when, next(self._numbers), identity, is_end))

    def _close_all(self, subscribers: set[Subscriber], code: CloseCode) -> None:
        for subscriber in tuple(subscribers):
            self._hub.close(subscriber, code)

    def _warn(self, subscriber: Subscriber, expires_at: Timestamp) -> None:
        if subscriber.session.is_v2:
            self._hub.send(subscriber, system_frame("token_expiring", {"expires_at": expires_at}))

    def _answer(self, subscriber: Subscriber, command: Auth) -> None:
        identity = subscriber.identity
        self._hub.send(
            subscriber,
            system_frame("authenticated", {"id": command.id, "user": identity.user, "expires_at": identity.expires_at}),
        )


def _code_for(now: Identity | None) -> CloseCode:
    """How to close a connection whose identity has become this one."""
    return CloseCode.UNAUTHORIZED if now is None else CloseCode.PERMISSIONS_CHANGED
