"""Calls the function of a route straight away.

FastAPI describes our routes (OpenAPI) but has nothing to do in a request: they read path, query and body by themselves.
Its solving of no dependencies, two exit stacks and a second layer of error handlers were a sixth of a POST.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

Endpoint: TypeAlias = Callable[..., Awaitable[Response]]
"""Takes `request`, or nothing, and the parameters of the path as text."""


def call_directly(routes: Iterable[BaseRoute]) -> None:
    """Put the plain call of its function in place of what FastAPI has made of each route.

    Raises:
        TypeError: a function asks for what is neither the request nor in the path.
    """
    for route in routes:
        if isinstance(route, APIRoute):
            route.app = _direct(route)


def _direct(route: APIRoute) -> ASGIApp:
    endpoint: Endpoint = route.endpoint
    wanted = set(inspect.signature(endpoint).parameters)
    if wanted - {"request"} != set(route.param_convertors):
        raise TypeError(f"{route.path} is given the request and what is in its path, not {', '.join(sorted(wanted))}")

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        given = dict(scope["path_params"])
        if "request" in wanted:
            given["request"] = Request(scope, receive, send)
        response = await endpoint(**given)
        await response(scope, receive, send)

    return call
