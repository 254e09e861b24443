"""How many connections there may be: in all, from one address, and of one user. Streams count as WebSockets do.

Rule 1: a refusal is cheap and says nothing in the log but once in a while, or a storm of clients would be one of work.
Rule 2: programs of this machine are not limited unless a limit was set, nor is a user where nobody logs in: there all
        are the same one.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from rmos.auth.identity import Identity
from rmos.hub.subscriber import Subscriber

log = logging.getLogger(__name__)

PER_ADDRESS: Final = 1000
"""Connections from one address of another machine where nothing was set: a workshop behind one router."""
_SAY_EVERY_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class MaxConnections:
    """As in the settings. `per_address` None means `PER_ADDRESS` for other machines, and no limit for this one."""

    total: int
    per_address: int | None
    per_user: int


class Limits:
    """Counts who was admitted. Part of the hub, and used by it alone."""

    def __init__(self, most: MaxConnections) -> None:
        self._most = most
        self._admitted: dict[Subscriber, tuple[str | None, str | None]] = {}
        self._addresses: Counter[str | None] = Counter()
        self._users: Counter[str | None] = Counter()
        self._refused = 0
        self._said_at = -_SAY_EVERY_S

    def refusal(self, address: str | None, identity: Identity) -> str | None:
        """Why one more from this address, of this user, is too many; None when it is not."""
        if len(self._admitted) >= self._most.total:
            return self._refuse("this server has as many connections as it may")
        return self._refusal(address, _user_of(identity))

    def admit(self, subscriber: Subscriber) -> str | None:
        """Count it, or say why it is too many. One that has said who it is since is admitted once more."""
        address, user = subscriber.address, _user_of(subscriber.identity)
        before = self._admitted.get(subscriber)
        if before is None:
            reason = self.refusal(address, subscriber.identity)
        else:
            self._forget(before)
            reason = self._refusal(address, user)
        if reason is not None:
            self._admitted.pop(subscriber, None)
            return reason
        self._admitted[subscriber] = (address, user)
        self._addresses[address] += 1
        self._users[user] += 1
        return None

    def forget(self, subscriber: Subscriber) -> None:
        """It is gone."""
        counted = self._admitted.pop(subscriber, None)
        if counted is not None:
            self._forget(counted)

    def _refusal(self, address: str | None, user: str | None) -> str | None:
        most = self._most_of(address)
        if most is not None and self._addresses[address] >= most:
            return self._refuse("too many connections from this address")
        if user is not None and self._users[user] >= self._most.per_user:
            return self._refuse("too many connections of this user")
        return None

    def _most_of(self, address: str | None) -> int | None:
        if address is None:
            return None
        if self._most.per_address is not None:
            return self._most.per_address
        return None if _is_this_machine(address) else PER_ADDRESS

    def _forget(self, counted: tuple[str | None, str | None]) -> None:
        for counts, key in zip((self._addresses, self._users), counted, strict=True):
            counts[key] -= 1
            if not counts[key]:
                del counts[key]  # whoever came by once is not remembered

    def _refuse(self, reason: str) -> str:
        self._refused += 1
        now = asyncio.get_running_loop().time()
        if now - self._said_at >= _SAY_EVERY_S:
            log.warning("connections refused", extra={"reason": reason, "refused": self._refused})
            self._said_at, self._refused = now, 0
        return reason


def _user_of(identity: Identity) -> str | None:
    """Whose connections are counted together; None for somebody unknown, and where nobody logs in."""
    return None if identity.credential is None else identity.user


def _is_this_machine(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:  # a socket of the file system
        return True
