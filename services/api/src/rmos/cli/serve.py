"""`rmos serve`: the server, started so that every failure is one sentence and every stop is clean."""

from __future__ import annotations

import logging
import math
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType
from typing import Annotated, Final

import typer
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rmos.cli.effective import read_settings
from rmos.cli.failure import fail
from rmos.cli.http import DeadlineProtocol, opening_monitors
from rmos.cli.listening import (
    BACKLOG,
    address_of,
    listen,
    require_allowed_host,
    require_usable_certificate,
    require_usable_folder,
)
from rmos.errors import StartupError
from rmos.logs import configure_logging
from rmos.settings import Settings

log = logging.getLogger(__name__)

MAX_FRAME_BYTES: Final = 65_536
"""Largest message of a client (protocol, flow control inwards)."""

_EVERY_ADDRESS: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 -- to compare
_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. Default: RMOS_HOST, else 127.0.0.1.")] = None,
    port: Annotated[
        int | None, typer.Option(help="TCP port; 0 takes a free one. Default: RMOS_PORT, else 8000.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of the database. Default: RMOS_DATA, else `data` in a checkout.")
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(help="Certificate with its chain, PEM. Default: RMOS_TLS_CERT.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key of it, PEM. Default: RMOS_TLS_KEY.")] = None,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A reverse proxy in front ends TLS, and says who the client is.")
    ] = False,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Allow an address other machines can reach, without TLS or a login.")
    ] = False,
) -> None:
    """Serve the shop: REST, the live monitor and the web app, until Ctrl-C or SIGTERM."""
    _end_cleanly_on_signals()
    try:
        settings = read_settings(
            host=host,
            port=port,
            data=data,
            tls_cert=tls_cert,
            tls_key=tls_key,
            behind_proxy=behind_proxy or None,
            insecure=insecure or None,
        )
        configure_logging(settings.log_level, settings.log_format)
        require_usable_certificate(settings)
        require_allowed_host(settings)
        require_usable_folder(settings.database_path.parent)
        sockets = listen(settings.host, settings.port)
        _run(settings, sockets)
    except StartupError as error:
        fail(error.message)


def _run(settings: Settings, sockets: list[socket.socket]) -> None:
    # Here and not above: it loads the whole web framework, and a taken port should be said at once.
    from rmos.cli.introduction import introduction
    from rmos.web.app import create_app
    from rmos.web.upgrade import Upgrades

    app = create_app(settings)
    # Behind a proxy uvicorn finds out who the client is in a layer around the app, so nothing may go past that.
    opens_monitors = settings.lean_connections and not settings.behind_proxy
    http = opening_monitors(Upgrades(app)) if opens_monitors else DeadlineProtocol
    guard = _StartupGuard(app)
    logging.getLogger("uvicorn.error").addFilter(guard.is_worth_a_line)
    scheme = "http" if settings.tls_cert is None else "https"
    here = "127.0.0.1" if settings.host in _EVERY_ADDRESS else settings.host

    async def lines() -> list[str]:
        ready = f"RMOS is ready: {address_of(sockets, settings.host, scheme=scheme)}"
        return [ready, *await introduction(app.state.runtime, address_of(sockets, here, scheme=scheme))]

    server = _Server(_uvicorn_config(settings, guard, http), lines=lines)
    try:
        server.run(sockets=sockets)
    except SystemExit:  # uvicorn's way to end when the lifespan failed
        if guard.failure is None:
            raise
    finally:
        for sock in sockets:
            sock.close()
    if isinstance(guard.failure, StartupError):
        raise guard.failure
    if guard.failure is not None:
        log.error("the server could not start", exc_info=guard.failure)
        fail("the server could not start because of a fault of its own; see the log above")


def _uvicorn_config(settings: Settings, app: ASGIApp, http: type[DeadlineProtocol]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        interface="asgi3",
        lifespan="on",
        http=http,
        backlog=BACKLOG,
        ws_max_size=MAX_FRAME_BYTES,
        ws_per_message_deflate=False,  # it costs a factor of 2 to 3 in fan-out
        ws_ping_interval=settings.ping_interval_s,
        ws_ping_timeout=settings.ping_timeout_s,
        log_config=None,  # `configure_logging` has done it
        access_log=False,  # requests have a canonical line of our own
        # A forged X-Forwarded-For must not pass for another client: nobody is believed but the proxy.
        proxy_headers=settings.behind_proxy,
        forwarded_allow_ips=settings.trusted_proxies if settings.behind_proxy else [],
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        server_header=False,
        timeout_graceful_shutdown=math.ceil(settings.shutdown_grace_s),
    )


class _Server(uvicorn.Server):
    """Says some lines on standard output once requests are answered."""

    def __init__(self, config: uvicorn.Config, *, lines: Callable[[], Awaitable[list[str]]]) -> None:
        super().__init__(config)
        self._lines = lines

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started and not self.should_exit:
            for line in await self._lines():
                typer.echo(line)


class _StartupGuard:
    """Remembers why the lifespan failed, and keeps its traceback out of uvicorn's log.

    Requests pass through without a frame of their own, and with uvicorn's `send` untouched, which the lean WebSocket
    needs.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.failure: Exception | None = None

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "lifespan":
            return self._lifespan(scope, receive, send)
        return self._app(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_without_traceback(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "lifespan.startup.complete"
            if message["type"] == "lifespan.startup.failed":
                message = {"type": message["type"]}
            await send(message)

        try:
            await self._app(scope, receive, send_without_traceback)
        except Exception as error:
            if not started:
                self.failure = error
            raise

    def is_worth_a_line(self, _record: logging.LogRecord) -> bool:
        """False once the start has failed: the command says why, and uvicorn would only add that it did."""
        return self.failure is None


def _end_cleanly_on_signals() -> None:
    """Make a stop by signal end with exit code 0, also before there is a server.

    While it serves, uvicorn has handlers of its own. When it has stopped it restores these and raises the signal once
    more, which by default would end the process as killed.
    """

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise typer.Exit(0)

    for number in _STOP_SIGNALS:
        signal.signal(number, end)
