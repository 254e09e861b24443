"""Finds out who a request or a WebSocket comes from. The same ways in for both, in this order:

    `Authorization: Bearer <API key or token>`, the subprotocol `bearer.<base64url of it>` (WebSocket), `?ticket=`
    (on the monitor), the cookie of a session (browsers).

Rule 1: a credential that was sent and does not hold is refused, never passed over for the next one. The cookie is the
        exception: a browser sends it without being asked, also long after its session has ended.
Rule 2: while authentication is off nobody is asked for anything, and whatever is sent is ignored.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from starlette.requests import HTTPConnection

from rmos.auth.access import Access
from rmos.auth.identity import LOCAL, Identity
from rmos.errors import UnauthorizedError

COOKIE: Final = "rmos_session"
SUBPROTOCOL_PREFIX: Final = "bearer."
TICKET_PATHS: Final = frozenset({"/ws/monitor", "/sse/monitor"})
"""Where a ticket in the address is taken, because a browser can send nothing else there."""


def access_of(connection: HTTPConnection) -> Access:
    """Who may come in to this application."""
    access: Access = connection.scope["app"].state.runtime.access
    return access


def is_auth_required(connection: HTTPConnection) -> bool:
    """Whether who comes in here must say who they are."""
    server = connection.scope.get("server")
    return access_of(connection).is_required_at(server[0] if server else None)


def identify(connection: HTTPConnection) -> Identity | None:
    """Who it is; None for somebody who has shown nothing yet.

    Raises:
        UnauthorizedError: what was shown does not hold.
    """
    if not is_auth_required(connection):
        return LOCAL
    access = access_of(connection)
    if (authorization := connection.headers.get("authorization")) is not None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise UnauthorizedError("unknown Authorization; expected Bearer and an API key or a token")
        return access.bearer(token.strip())
    for offered in connection.scope.get("subprotocols", ()):
        if offered.startswith(SUBPROTOCOL_PREFIX):
            return access.bearer(_decoded(offered.removeprefix(SUBPROTOCOL_PREFIX)))
    if connection.scope["path"] in TICKET_PATHS and (ticket := connection.query_params.get("ticket")) is not None:
        return access.ticket(ticket)
    if (secret := connection.cookies.get(COOKIE)) is not None:
        return access.session(secret)
    return None


def identify_or_refuse(connection: HTTPConnection) -> Identity:
    """Who it is.

    Raises:
        UnauthorizedError: nobody knows.
    """
    identity = identify(connection)
    if identity is None:
        raise UnauthorizedError("log in, or send an API key or a token as Authorization: Bearer")
    return identity


def _decoded(text: str) -> str:
    """The token in a subprotocol: base64url, with or without padding."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise UnauthorizedError("the bearer subprotocol is not base64url of a token") from None
