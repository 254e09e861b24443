"""Who a request or a connection belongs to.

One `Identity` value is shared by everything that came in with the same credential, so it is compared and kept cheaply.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rmos.clock import Timestamp
from rmos.domain.access import Role
from rmos.domain.events import ACTOR_LOCAL


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody, as far as the server knows and as long as their credential holds.

    Attributes:
        user: Name of the user, `key:<name>` for a program with an API key; the `actor` of events.
        channels: Channel patterns (`machine:*`) that it is limited to; None for no limit. Who is limited may use the
            monitor and nothing else.
        expires_at: When the credential ends; None for never.
        credential: What it came in with, as `auth.access` names it; None while authentication is off.
    """

    user: str
    role: Role
    channels: frozenset[str] | None = None
    expires_at: Timestamp | None = None
    credential: str | None = None

    @classmethod
    def local(cls) -> Identity:
        """Everybody, while authentication is off."""
        return LOCAL


LOCAL: Final = Identity(ACTOR_LOCAL, Role.ADMIN)
UNKNOWN: Final = Identity("", Role.VIEWER, frozenset())
"""A connection that has not proved yet whose it is: it may hear nothing."""
