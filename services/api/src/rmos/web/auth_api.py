"""Logging in, proofs for the monitor, and the administration of users and API keys.

Rule: every answer about access leaves a log line with who and what, and none with a secret.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, TypeVar

from fastapi import APIRouter
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from rmos.auth.access import KEY_PREFIX, TICKET_S
from rmos.auth.identity import Identity
from rmos.auth.one_time import digest, new_secret
from rmos.clock import later
from rmos.domain.access import ApiKey, User
from rmos.domain.entities import JsonObject, JsonValue
from rmos.domain.ids import short_name
from rmos.errors import InvalidError, NotFoundError, UnauthorizedError
from rmos.services import access as services
from rmos.stores.base import Transaction
from rmos.web.access_models import (
    AuthAnswer,
    KeyAnswer,
    KeyCreate,
    KeyList,
    Login,
    NewKeyAnswer,
    TicketAnswer,
    TokenAnswer,
    UserAnswer,
    UserChange,
    UserCreate,
    UserList,
)
from rmos.web.answers import API_PREFIX, created, success
from rmos.web.deps import JSON, actor_of, identity_of, media_type_of, parse_object, read_body, request_id_of, runtime_of
from rmos.web.identify import COOKIE, access_of, identify, is_auth_required
from rmos.web.models import Success
from rmos.web.openapi import body_of
from rmos.web.queries import parameters

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_BODY_BYTES: Final = 64 * 1024
_SECURE_SCHEMES: Final = frozenset({"https", "wss"})

router = APIRouter(prefix=f"{API_PREFIX}/auth", tags=["auth"])


# --- who am I? ------------------------------------------------------------------------------------------------


@router.get("/me", summary="Who am I, and is that asked?", response_model=AuthAnswer)
async def me(request: Request) -> Response:
    """Always 200, so that a page can ask before it shows anything; `user` is null for who must log in."""
    parameters(request, ())
    try:
        identity = identify(request)
    except UnauthorizedError:
        identity = None
    return _auth_answer(request, identity)


@router.post("/login", summary="Log in", response_model=AuthAnswer, openapi_extra=body_of(Login, JSON))
async def login(request: Request) -> Response:
    """With the one-use `code` that the server printed, or with `user` and `password`. Sets a cookie for a browser."""
    given = await _body(request)
    if not is_auth_required(request):
        return _auth_answer(request, Identity.local())
    try:
        name = await _proved_user(request, given)
    except UnauthorizedError:
        _note(request, "login refused", subject=given.get("user"))
        raise
    secret, runtime = new_secret(), runtime_of(request)
    try:
        await _write(request, lambda tx: services.open_session(tx, name, digest=digest(secret), now=runtime.clock()))
    except NotFoundError:  # removed a moment ago
        raise UnauthorizedError("user or password is wrong") from None
    identity = access_of(request).session(secret)
    answer = _auth_answer(request, identity)
    answer.set_cookie(
        COOKIE,
        secret,
        max_age=services.SESSION_DAYS * 24 * 3600,
        secure=request.url.scheme in _SECURE_SCHEMES,
        httponly=True,
        samesite="strict",
    )
    _note(request, "logged in", subject=name)
    return answer


async def _proved_user(request: Request, given: JsonObject) -> str:
    """The name of the user that the body proves.

    Raises:
        InvalidError: it tries to prove nothing.
        UnauthorizedError: it does not.
    """
    access = access_of(request)
    code, name, password = (given.get(member) for member in ("code", "user", "password"))
    if isinstance(code, str) and given.keys() == {"code"}:
        of_code = access.login_codes.redeem(code)
        if of_code is None:
            raise UnauthorizedError(
                "the login code is unknown, was used or is too old; restart the server for a new one"
            )
        return of_code
    if isinstance(name, str) and isinstance(password, str) and given.keys() == {"user", "password"}:
        return (await access.check_password(_address(request), name, password)).name
    raise InvalidError('expected {"code": …} or {"user": …, "password": …}, each a text')


@router.post("/logout", summary="Log out", response_model=AuthAnswer)
async def logout(request: Request) -> Response:
    """Ends the session of the cookie, and with it every token and connection that came from it."""
    secret = request.cookies.get(COOKIE)
    if secret is not None and access_of(request).session(secret) is not None:
        await _write(request, lambda tx: services.close_session(tx, digest(secret)))
        _note(request, "logged out")
    answer = _auth_answer(request, None if is_auth_required(request) else Identity.local())
    answer.delete_cookie(COOKIE, secure=request.url.scheme in _SECURE_SCHEMES, httponly=True, samesite="strict")
    return answer


def _auth_answer(request: HTTPConnection, identity: Identity | None) -> Response:
    channels = identity.channels if identity else None
    return success(
        auth={
            "required": is_auth_required(request),
            "user": identity.user if identity else None,
            "role": identity.role.value if identity else None,
            "channels": None if channels is None else [*sorted(channels)],
            "expires_at": identity.expires_at if identity else None,
        }
    )


# --- proofs for the monitor -----------------------------------------------------------------------------------


@router.post("/token", summary="A short-lived token", response_model=TokenAnswer)
async def token(request: Request) -> Response:
    """A signed token that is worth what its caller is, for 15 minutes: for the monitor of a page."""
    given, expires_at = access_of(request).token_for(identity_of(request))
    return success(token=given, expires_at=expires_at)


@router.post("/ticket", summary="A one-time ticket", response_model=TicketAnswer)
async def ticket(request: Request) -> Response:
    """Good once within 30 s, as `?ticket=` on the WebSocket or the event stream, where no header can be set."""
    code = access_of(request).tickets.issue(identity_of(request))
    return success(ticket=code, expires_at=later(runtime_of(request).clock(), TICKET_S))


# --- users ----------------------------------------------------------------------------------------------------


@router.get("/users", summary="List users", response_model=UserList)
async def list_users(request: Request) -> Response:
    """In the order of their names, without any secret."""
    parameters(request, ())
    users = (await runtime_of(request).stores.access()).users
    return success(users=[services.user_document(users[name]) for name in sorted(users)])


@router.post(
    "/users", status_code=201, summary="Add a user", response_model=UserAnswer, openapi_extra=body_of(UserCreate, JSON)
)
async def add_user(request: Request) -> Response:
    """Without a password they cannot log in until they are given one."""
    values = services.read_user(await _body(request))
    values = await _with_hash(request, values)
    runtime = runtime_of(request)
    user: User = await _write(request, lambda tx: services.add_user(tx, values, runtime.clock()))
    _note(request, "user added", subject=user.name, role=user.role.value)
    return created(user=services.user_document(user))


@router.patch(
    "/users/{name}", summary="Change a user", response_model=UserAnswer, openapi_extra=body_of(UserChange, JSON)
)
async def change_user(request: Request, name: str) -> Response:
    """Their live connections follow at once: closed with 4302 when they may do something else, else with 4401."""
    given = await _body(request)
    values = await _with_hash(request, services.read_user_changes(given))
    user: User = await _write(request, lambda tx: services.change_user(tx, name, values))
    _note(request, "user changed", subject=name, fields=sorted(given))
    return success(user=services.user_document(user))


@router.delete("/users/{name}", summary="Remove a user", response_model=Success)
async def remove_user(request: Request, name: str) -> Response:
    """Ends their sessions, tokens and connections. The last admin cannot be removed."""
    parameters(request, ())
    await _write(request, lambda tx: services.remove_user(tx, name))
    _note(request, "user removed", subject=name)
    return success()


async def _with_hash(request: Request, values: dict[str, JsonValue]) -> dict[str, JsonValue]:
    password = values.get("password")
    if not isinstance(password, str):
        return values
    return {**values, "password": await access_of(request).passwords.hash(password)}


# --- keys -----------------------------------------------------------------------------------------------------


@router.get("/keys", summary="List API keys", response_model=KeyList)
async def list_keys(request: Request) -> Response:
    """In the order of their names, without any secret."""
    parameters(request, ())
    keys = (await runtime_of(request).stores.access()).keys
    return success(keys=[services.key_document(key) for key in sorted(keys.values(), key=lambda key: key.name)])


@router.post(
    "/keys",
    status_code=201,
    summary="Make an API key",
    response_model=NewKeyAnswer,
    openapi_extra=body_of(KeyCreate, JSON),
)
async def add_key(request: Request) -> Response:
    """`secret` is shown this once; the server keeps its SHA-256."""
    runtime, actor = runtime_of(request), actor_of(request)
    values = services.read_key(await _body(request), runtime.clock())
    key_id, secret = short_name(), f"{KEY_PREFIX}{new_secret()}"

    def work(tx: Transaction) -> ApiKey:
        now = runtime.clock()
        return services.add_key(tx, values, key_id=key_id, digest=digest(secret), created_by=actor, now=now)

    key = await _write(request, work)
    _note(request, "API key made", subject=key.name, role=key.role.value)
    return created(key=services.key_document(key), secret=secret)


@router.delete("/keys/{key_id}", summary="Revoke an API key", response_model=KeyAnswer)
async def remove_key(request: Request, key_id: str) -> Response:
    """Ends its connections too."""
    parameters(request, ())
    key = await _write(request, lambda tx: services.remove_key(tx, key_id))
    _note(request, "API key revoked", subject=key.name)
    return success(key=services.key_document(key))


# --- shared ---------------------------------------------------------------------------------------------------


async def _body(request: Request) -> JsonObject:
    parameters(request, ())
    media_type_of(request, (JSON,))
    return parse_object(await read_body(request, MAX_BODY_BYTES))


async def _write(request: Request, work: Callable[[Transaction], T]) -> T:
    """Change who may come in, and act by it from the next line on."""
    result = await runtime_of(request).stores.write(work)
    await access_of(request).refresh()
    return result


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _note(request: Request, what: str, *, subject: object = None, **fields: object) -> None:
    """A log line. `subject` is whom or what it is about; None for the caller alone."""
    by: Identity | None = request.scope["state"].get("identity")
    log.info(
        what,
        extra={
            "by": by.user if by else None,
            "subject": subject if subject is None else str(subject)[:64],
            "peer": _address(request),
            "request_id": request_id_of(request),
            **fields,
        },
    )
