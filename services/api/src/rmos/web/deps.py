"""What routes need from a request: the runtime, who acts, the body, the version it was made for.

Plain functions and not FastAPI dependencies: the hot path would pay for solving them at every request.
"""

from __future__ import annotations

import re
from typing import Final

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection, Request

from rmos.auth.identity import Identity
from rmos.domain.entities import JsonObject, JsonValue
from rmos.errors import BadRequestError, InvalidError, PreconditionFailedError, TooLargeError
from rmos.runtime import Runtime

MAX_BULK_BYTES: Final = 16 * 1024 * 1024
"""Largest body of a bulk request or an import."""

JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"
CSV: Final = "text/csv"

_ENTITY_TAG: Final = re.compile(r'"(\d{1,18})"')
_IDEMPOTENCY_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


def runtime_of(request: Request) -> Runtime:
    """The running shop behind this application."""
    runtime: Runtime = request.app.state.runtime
    return runtime


def identity_of(request: HTTPConnection) -> Identity:
    """Who the request belongs to, as the guard of its route has found out (`web.guard`)."""
    identity: Identity = request.scope["state"]["identity"]
    return identity


def address_of(connection: HTTPConnection) -> str | None:
    """The address of the client's machine; what a trusted proxy says of it has been taken over by the server."""
    client = connection.client
    return client.host if client else None


def actor_of(request: Request) -> str:
    """Who acts, for the events that the request makes."""
    return identity_of(request).user


def request_id_of(request: Request) -> str:
    """The id that the answer and the log carry."""
    request_id: str = request.state.request_id
    return request_id


def media_type_of(request: Request, accepted: tuple[str, ...]) -> str:
    """The content type of the body, without parameters; the first of `accepted` when there is none.

    Raises:
        HTTPException: 415, another one. Only these make a browser ask before it sends the body to another site.
    """
    given = request.headers.get("content-type", accepted[0]).partition(";")[0].strip().lower()
    if given not in accepted:
        raise HTTPException(415, f"unknown content type {given[:100]!r}; expected {' or '.join(accepted)}")
    return given


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """The whole body.

    Raises:
        TooLargeError: it is longer than `limit_bytes`; what is over the limit is never kept.
        ClientDisconnect: the client hung up before the end.
    """
    declared = request.headers.get("content-length")
    if declared is not None and int(declared) > limit_bytes:  # the server's parser has made sure that it is a number
        raise TooLargeError(f"the body has {declared} bytes; at most {limit_bytes} are accepted")
    # Straight from the server: most bodies come in one piece, and `request.body()` makes a generator for each.
    body = bytearray()
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > limit_bytes:
            raise TooLargeError(f"the body has more than {limit_bytes} bytes")
        if not message.get("more_body", False):
            return bytes(body)


def parse_json(body: bytes) -> JsonValue:
    """The JSON value of a body: RFC 8259, so no NaN, no Infinity, no lone surrogate, and valid UTF-8.

    Raises:
        BadRequestError: it is not JSON, or nested deeper than 1024 levels.
    """
    try:
        value: JsonValue = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequestError(f"the body is not JSON: {error}") from None
    return value


def parse_object(body: bytes) -> JsonObject:
    """The JSON object of a body.

    Raises:
        BadRequestError: it is not JSON.
        InvalidError: it is JSON, but not an object.
    """
    value = parse_json(body)
    if not isinstance(value, dict):
        raise InvalidError.at("", "expected a JSON object")
    return value


def if_match_of(request: Request) -> int | None:
    """The version that `If-Match` asks for; None when there is no such header, or when it is `*`.

    Raises:
        PreconditionFailedError: a weak tag, which never matches here.
        BadRequestError: not one entity tag of ours.
    """
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return None
    if given.startswith("W/"):
        raise PreconditionFailedError(f"If-Match {given[:80]} is a weak tag; send the ETag as it was given")
    tag = _ENTITY_TAG.fullmatch(given.strip())
    if tag is None:
        raise BadRequestError(f'bad If-Match {given[:80]!r}; expected one entity tag such as "3"')
    return int(tag[1])


def has_version(request: Request, version: int) -> bool:
    """Whether `If-None-Match` says that the client already has this version."""
    given = request.headers.get("if-none-match")
    if given is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in given.split(",")]
    return "*" in tags or etag(version) in tags


def idempotency_key_of(request: Request) -> str | None:
    """The `Idempotency-Key`, or None.

    Raises:
        BadRequestError: it is empty, longer than 255 characters, or has others than visible ASCII.
    """
    key = request.headers.get("idempotency-key")
    if key is not None and not _IDEMPOTENCY_KEY.fullmatch(key):
        raise BadRequestError(f"bad Idempotency-Key {key[:80]!r}; expected 1-255 visible ASCII characters")
    return key


def etag(version: int) -> str:
    """The entity tag of a version."""
    return f'"{version}"'
