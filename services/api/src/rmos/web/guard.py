"""Stands before each route: finds out who asks, and lets through whom the table of permissions allows.

Wrapped around the routes when the application is made, so that the hot path pays for no second matching of routes, and
a route that nobody thought of is closed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping

from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from rmos.auth.identity import LOCAL
from rmos.auth.permissions import OPEN, ROUTES, Rule, require
from rmos.web.identify import identify_or_refuse, is_auth_required


def guard_routes(routes: Iterable[BaseRoute]) -> None:
    """Put a guard before each route over HTTP that is not open to everybody. WebSockets are let in by their own."""
    for route in routes:
        if not isinstance(route, Route | Mount) or isinstance(route.app, Guard):
            continue
        rules = {method: ROUTES.get(f"{method} {route.path}") for method in methods_of(route)}
        if any(rule != OPEN for rule in rules.values()):
            route.app = Guard(route.app, rules)


def methods_of(route: Route | Mount) -> list[str]:
    """The methods of a route; HEAD is GET, as everywhere (`web.middleware`), and files are only read."""
    methods = route.methods if isinstance(route, Route) else None
    return sorted((methods or {"GET"}) - {"HEAD"})


class Guard:
    """A route behind its rules, by method."""

    def __init__(self, app: ASGIApp, rules: Mapping[str, Rule | None]) -> None:
        self._app = app
        self._rules = rules

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Let the request through.

        Raises:
            UnauthorizedError: nobody knows who asks.
            ForbiddenError: they may not.
        """
        connection = HTTPConnection(scope)
        if is_auth_required(connection):
            identity = identify_or_refuse(connection)
            require(identity, self._rules.get(scope["method"]), f"{scope['method']} {scope['path']}")
        else:
            identity = LOCAL
        scope["state"]["identity"] = identity
        return self._app(scope, receive, send)
