"""The application: every route, every middleware, and the running shop behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from prometheus_client import CollectorRegistry
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp

from rmos.runtime import open_runtime
from rmos.settings import Settings, version
from rmos.web import (
    advanced_api,
    analytics_api,
    asyncapi,
    audit_api,
    auth_api,
    charts_api,
    connections_api,
    events_api,
    health_api,
    monitor,
    plan_api,
    presets_api,
    shop_api,
    sse,
    state_api,
    stores_api,
    websocket,
)
from rmos.web.detach import DetachMiddleware
from rmos.web.direct import call_directly
from rmos.web.docs_pages import add_docs_pages
from rmos.web.errors import add_error_handlers
from rmos.web.guard import guard_routes
from rmos.web.idempotency import RunningKeys
from rmos.web.metrics import Gauges, HttpMetrics
from rmos.web.middleware import RequestMiddleware
from rmos.web.openapi import describe
from rmos.web.origins import OriginPolicy
from rmos.web.webapp import WEBAPP_DIR, WebApp

_EXPOSED_HEADERS: Final = ("ETag", "Idempotency-Replayed", "Link", "Location", "Retry-After", "X-Request-ID")
_PREFLIGHT_MAX_AGE_S: Final = 600


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application; its database is opened when it starts. Without `settings` the environment is read."""
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_runtime(settings) as runtime:
            app.state.runtime = runtime
            with monitor.running(runtime):
                yield

    app = FastAPI(
        title="RMOS",
        version=version(),
        description="Patterns, jobs and materials of a rosette workshop. Every change is an event on `/ws/monitor`.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        # `/metrics` and the log lines are our own; FastAPI would look for its exporters at each request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.running_keys = RunningKeys()
    app.state.registry = registry = CollectorRegistry()
    app.state.gauges = Gauges(registry)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]  # the documented way to extend it
    add_error_handlers(app)
    for module in (
        stores_api,
        analytics_api,
        advanced_api,
        charts_api,
        shop_api,
        events_api,
        state_api,
        connections_api,
        audit_api,
        presets_api,
        plan_api,
        auth_api,
        health_api,
        websocket,
        sse,
        asyncapi,
    ):
        # Not by `include_router`: included routers are matched twice over, which was 250 of the 350 µs of a POST.
        app.router.routes.extend(module.router.routes)
    add_docs_pages(app)
    call_directly(app.router.routes)
    guard_routes(app.router.routes)
    app.router.default = WebApp(WEBAPP_DIR)
    _add_middleware(app, settings, HttpMetrics(registry))
    app.build_middleware_stack = lambda: _layers(app, settings)  # type: ignore[method-assign]  # leaves FastAPI's out
    return app


def _add_middleware(app: FastAPI, settings: Settings, metrics: HttpMetrics) -> None:
    """The last one added is the outermost."""
    policy = OriginPolicy.of(settings)
    if policy.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=sorted(policy.origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["*"],
            expose_headers=_EXPOSED_HEADERS,
            max_age=_PREFLIGHT_MAX_AGE_S,
        )
    app.add_middleware(RequestMiddleware, policy=policy, metrics=metrics)


def _layers(app: FastAPI, settings: Settings) -> ASGIApp:
    """What lies around the routes.

    FastAPI would add three layers more: for telemetry and body limits, which are not used here, and for faults, which
    `RequestMiddleware` answers. The stack of exits stays for routes that somebody adds to this application.
    """
    layers: ASGIApp = ExceptionMiddleware(AsyncExitStackMiddleware(app.router), handlers=app.exception_handlers)
    for layer, args, kwargs in reversed(app.user_middleware):
        layers = layer(layers, *args, **kwargs)
    if settings.lean_connections:  # around everything, or its `send` is not the server's own
        layers = DetachMiddleware(layers, sockets={websocket.MONITOR_PATH: websocket.serve}, streams=(sse.STREAM_PATH,))
    return layers
