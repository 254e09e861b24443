"""Every failed request is answered by one JSON shape: problem details (RFC 9457) with a code for programs.

    {"type", "title", "status", "detail", "code", "request_id", "errors": [{"pointer", "detail"}]}

Rule 1: `detail` is a sentence for people, `code` is stable and for programs, `errors` names each faulty field.
Rule 2: a fault of ours is logged once and tells the client nothing but the request id to look for.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match

from rmos.domain.documents import child
from rmos.errors import (
    ClientError,
    FieldError,
    InvalidError,
    RateLimitedError,
    RmosError,
    UnauthorizedError,
    UnavailableError,
)

log = logging.getLogger(__name__)

PROBLEM_JSON: Final = "application/problem+json"
MAX_FIELD_ERRORS: Final = 100
"""Field errors told in one answer; who has more mistakes than these starts with them."""

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_CODE_OF_STATUS: Final = {
    400: "bad_request",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    421: "misdirected",
    426: "upgrade_required",
}


def problem(
    status: int,
    detail: str,
    *,
    code: str | None = None,
    request_id: str | None,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer to a failed request. `code` None means the usual one of the status."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code or _CODE_OF_STATUS.get(status, "client_error" if status < 500 else "internal"),
        "request_id": request_id,
        "errors": [{"pointer": e.pointer, "detail": e.detail} for e in errors[:MAX_FIELD_ERRORS]],
    }
    return Response(_encode(body), status, headers, PROBLEM_JSON)


def _encode(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:  # a lone surrogate of a percent-encoded path, quoted back in the detail
        printable = {k: v.encode(errors="replace").decode() if isinstance(v, str) else v for k, v in body.items()}
        return orjson.dumps({**printable, "errors": []})


def add_error_handlers(app: FastAPI) -> None:
    """Answer every exception that a route may raise. What is not handled here is a fault: see `unexpected`."""
    app.exception_handler(RmosError)(_on_rmos_error)
    app.exception_handler(HTTPException)(_on_http_exception)
    app.exception_handler(RequestValidationError)(_on_invalid_parameters)
    app.exception_handler(ClientDisconnect)(_on_client_gone)


def unexpected(error: Exception, request_id: str, method: str, path: str) -> Response:
    """Log a fault of ours, once, and answer 500 without a word about it."""
    log.error("request failed", exc_info=error, extra={"request_id": request_id, "method": method, "path": path})
    return problem(
        500, f"internal error; the server's log tells more under request {request_id}", request_id=request_id
    )


def _on_rmos_error(request: Request, error: RmosError) -> Response:
    if not isinstance(error, ClientError | UnavailableError):
        log.error("request failed", exc_info=error, extra={"request_id": request.state.request_id})
    return problem(
        error.status,
        error.message,
        code=error.code,
        request_id=request.state.request_id,
        errors=error.errors if isinstance(error, InvalidError) else (),
        headers=_headers_of(error),
    )


def _headers_of(error: RmosError) -> dict[str, str] | None:
    if isinstance(error, UnavailableError | RateLimitedError):
        return {"Retry-After": str(error.retry_after_s)}
    return {"WWW-Authenticate": "Bearer"} if isinstance(error, UnauthorizedError) else None


def _on_http_exception(request: Request, error: HTTPException) -> Response:
    """What the framework raises says no more than the status, so the sentence is made here."""
    where, detail, headers = f"{request.method} {request.url.path}", error.detail, error.headers
    if error.status_code == 405:
        methods = ", ".join(_methods_of(request))
        detail, headers = f"{where} is not offered; {methods} is", {"Allow": methods}
    elif error.status_code == 404:
        detail = f"there is nothing at {where}; the interface is described at /docs"
    return problem(error.status_code, detail, request_id=request.state.request_id, headers=headers)


def _methods_of(request: Request) -> list[str]:
    """The methods offered at the path of the request; the framework names only those of the first route that fits."""
    scope = {"type": "http", "path": request.scope["path"], "headers": [], "root_path": ""}
    routes = request.app.router.routes
    return [m for m in _METHODS if any(r.matches({**scope, "method": m})[0] is Match.FULL for r in routes)]


def _on_invalid_parameters(request: Request, error: RequestValidationError) -> Response:
    """Parameters that the framework reads by itself; the shape is that of all other refusals."""
    errors = [_field_error(fault) for fault in error.errors()]
    detail = "; ".join(f"{e.pointer.removeprefix('/')}: {e.detail}" for e in errors[:5])
    return problem(422, detail, code=InvalidError.code, request_id=request.state.request_id, errors=errors)


def _field_error(fault: Mapping[str, Any]) -> FieldError:
    """Pydantic's location begins with where the value came from (`query`, `path`, `body`); the pointer does not."""
    pointer = ""
    for step in fault["loc"][1:]:
        pointer = child(pointer, step)
    return FieldError(pointer, fault["msg"][:1].lower() + fault["msg"][1:])


def _on_client_gone(_request: Request, _error: ClientDisconnect) -> Response:
    """The client hung up while it sent its body; nobody reads this answer."""
    return Response(status_code=400)
