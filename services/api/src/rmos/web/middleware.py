"""What every HTTP request passes on its way in and out: one pure ASGI layer, so the hot path pays for it once.

In: a request id, and the checks of `origins`. Out: the request id, security headers, a metric and a log line.
A fault that no handler knows ends here as a 500. WebSockets pass untouched; their route has checks of its own.
"""

from __future__ import annotations

import logging
import random
import re
from time import perf_counter
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rmos.web.errors import problem, unexpected
from rmos.web.metrics import HttpMetrics
from rmos.web.origins import OriginPolicy

log = logging.getLogger(__name__)

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""Sent with every answer. A route may set a Content-Security-Policy and a Cache-Control of its own."""

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_DEFAULTS: Final = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"cache-control", b"no-store"),
)
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._~-]{1,64}")


class RequestMiddleware:
    """The outermost layer of every HTTP request."""

    def __init__(self, app: ASGIApp, *, policy: OriginPolicy, metrics: HttpMetrics) -> None:
        self._app = app
        self._policy = policy
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_at = perf_counter()
        method = scope["method"]
        headers = _headers(scope)
        request_id = _request_id(headers)
        # A copy: the server still looks at its own scope, where HEAD tells it to leave out the body.
        scope = {**scope, "method": "GET" if method == "HEAD" else method}
        scope["state"] = {**scope.get("state", {}), "request_id": request_id, "is_head": method == "HEAD"}
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": _completed(message["headers"], request_id)}
            await send(message)

        try:
            refusal = self._refusal(scope, method, headers, request_id)
            await (refusal or self._app)(scope, receive, send_with_headers)
        except Exception as error:
            if status:  # the answer has begun: only cutting it off tells the client that it is not whole
                raise
            answer = unexpected(error, request_id, method, scope["path"])
            await answer(scope, receive, send_with_headers)
        finally:
            self._record(scope, method, status, perf_counter() - started_at, request_id)

    def _refusal(self, scope: Scope, method: str, headers: dict[bytes, bytes], request_id: str) -> ASGIApp | None:
        host = headers.get(b"host", b"").decode("latin-1")
        server = scope.get("server")
        if not self._policy.is_host_allowed(host, server[0] if server else None):
            detail = (
                f"this server is not called {host[:100]!r}; open it as http://localhost, or name the address that "
                "people use in RMOS_ALLOWED_ORIGINS"
            )
            return problem(421, detail, request_id=request_id)
        origin = headers.get(b"origin")
        if origin is not None and (method not in SAFE_METHODS or b"access-control-request-method" in headers):
            text = origin.decode("latin-1")
            if not self._policy.is_origin_allowed(text, host):
                detail = f"pages of {text[:100]!r} may not change anything here; RMOS_ALLOWED_ORIGINS names who may"
                return problem(403, detail, code="foreign_origin", request_id=request_id)
        return None

    def _record(self, scope: Scope, method: str, status: int, duration_s: float, request_id: str) -> None:
        route = getattr(scope.get("route"), "path", "none")
        self._metrics.observe(method, route, status, duration_s)
        # A shop owner reads INFO: what was refused is of interest there, what went well is not.
        level = logging.INFO if status >= 400 or status == 0 else logging.DEBUG
        if log.isEnabledFor(level):
            fields: dict[str, Any] = {"method": method, "path": scope["path"], "status": status}
            fields |= {"milliseconds": round(duration_s * 1000, 1), "request_id": request_id}
            log.log(level, "request", extra=fields)


def _headers(scope: Scope) -> dict[bytes, bytes]:
    return dict(scope["headers"])


def _request_id(headers: dict[bytes, bytes]) -> str:
    """The client's own id when it is a plain word, else a fresh one."""
    given = headers.get(b"x-request-id", b"").decode("latin-1")
    if _REQUEST_ID.fullmatch(given):
        return given
    return f"{random.getrandbits(64):016x}"


def _completed(headers: list[tuple[bytes, bytes]], request_id: str) -> list[tuple[bytes, bytes]]:
    names = {name for name, _ in headers}
    missing = [header for header in _DEFAULTS if header[0] not in names]
    return [*headers, *missing, *SECURITY_HEADERS, (b"x-request-id", request_id.encode("latin-1"))]
