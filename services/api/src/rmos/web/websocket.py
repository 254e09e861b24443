"""`/ws/monitor`: decides who may come in and in which version, then hands the connection to the hub.

Refusals come *after* the handshake: before it they would be an HTTP 403, of which a browser shows only code 1006.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from rmos.auth.identity import UNKNOWN, Identity
from rmos.errors import UnauthorizedError
from rmos.hub.hub import Hub
from rmos.hub.subscriber import Sink, Subscriber
from rmos.protocol.close_codes import CloseCode
from rmos.protocol.cloudevents import SUBPROTOCOL as CLOUD_EVENTS
from rmos.protocol.commands import SUBPROTOCOL_V1, SUBPROTOCOL_V2, CommandError, Subscribe, parse_query
from rmos.protocol.forms import TEXT_FRAMES, Form
from rmos.runtime import Runtime
from rmos.web.asgi_connection import AsgiConnection
from rmos.web.deps import address_of
from rmos.web.detach import DETACH, Headers
from rmos.web.identify import SUBPROTOCOL_PREFIX, identify
from rmos.web.lean_connection import LeanConnection
from rmos.web.origins import OriginPolicy

MONITOR_PATH: Final = "/ws/monitor"
_SUBPROTOCOLS: Final = (SUBPROTOCOL_V2, SUBPROTOCOL_V1, CLOUD_EVENTS)
"""In order of preference. The last one is version 2 with frames in another form."""

router = APIRouter(tags=["monitor"])


@router.get(
    MONITOR_PATH,
    status_code=426,
    response_class=Response,
    summary="The live monitor (WebSocket)",
    responses={426: {"description": "This address speaks WebSocket: connect with ws:// or wss://"}},
)
async def upgrade_required() -> Response:
    """Open `ws://…/ws/monitor` with a WebSocket client; the protocol is described in PROTOCOL.md."""
    raise HTTPException(
        426,
        "this address speaks WebSocket; connect with ws:// or wss://",
        headers={"Upgrade": "websocket", "Connection": "Upgrade"},
    )


@dataclass(frozen=True, slots=True)
class Admission:
    """What a handshake came to.

    Attributes:
        subprotocol: The one that is spoken, for the answer; None when none was offered.
        connect: Takes the client in, once it can be written to.
        greet: Welcomes it then, or turns it away.
    """

    subprotocol: str | None
    connect: Callable[[Sink], Subscriber]
    greet: Callable[[Subscriber], None]


def admit(handshake: HTTPConnection) -> Admission:
    """Decide who comes in, in which version."""
    runtime: Runtime = handshake.app.state.runtime
    offered = [name for name in handshake.scope["subprotocols"] if not name.startswith(SUBPROTOCOL_PREFIX)]
    selected = select_subprotocol(offered)
    is_v2 = selected in (SUBPROTOCOL_V2, CLOUD_EVENTS)
    form: Form = runtime.forms.cloud_event_frames if selected == CLOUD_EVENTS else TEXT_FRAMES
    identity, greet = _greeting(handshake, runtime, is_unknown=bool(offered) and selected not in _SUBPROTOCOLS)

    def connect(sink: Sink) -> Subscriber:
        return runtime.hub.connect(sink, is_v2=is_v2, identity=identity, form=form, address=address_of(handshake))

    return Admission(selected, connect, greet)


def enter(handshake: HTTPConnection) -> tuple[LeanConnection, Headers]:
    """A client that leaves ASGI with its handshake, and the headers of the answer to that."""
    admission = admit(handshake)
    hub: Hub = handshake.app.state.runtime.hub
    headers = [(b"sec-websocket-protocol", admission.subprotocol.encode("latin-1"))] if admission.subprotocol else []
    return LeanConnection(hub, connect=admission.connect, greet=admission.greet), headers


@router.websocket(MONITOR_PATH)
async def monitor(socket: WebSocket) -> None:
    """One client of the live stream, from its handshake on."""
    take = socket.scope.get("extensions", {}).get(DETACH)
    if take is not None:
        take(*enter(socket))
        return
    admission = admit(socket)
    await socket.accept(subprotocol=admission.subprotocol)
    connection = AsgiConnection(socket.app.state.runtime.hub, socket)
    await connection.run(admission.connect(connection), admission.greet)


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """The same as an application of its own."""
    await monitor(WebSocket(scope, receive, send))


def select_subprotocol(offered: list[str]) -> str | None:
    """The best version that was offered; else the first name, as a browser wants one of its own back; else None."""
    for name in _SUBPROTOCOLS:
        if name in offered:
            return name
    return offered[0] if offered else None


def _greeting(
    handshake: HTTPConnection, runtime: Runtime, *, is_unknown: bool
) -> tuple[Identity, Callable[[Subscriber], None]]:
    """Who it is, and what happens once the client can be written to: it is welcomed, told why not, or asked."""
    hub, policy = runtime.hub, OriginPolicy.of(runtime.settings)
    origin, host = handshake.headers.get("origin"), handshake.headers.get("host", "")
    address = handshake.scope["server"][0] if handshake.scope.get("server") else None
    if not policy.is_host_allowed(host, address):
        return UNKNOWN, _refusal(hub, CloseCode.FORBIDDEN, f"host {host[:60]!r} is not this server")
    if origin is not None and not policy.is_origin_allowed(origin, host):
        return UNKNOWN, _refusal(hub, CloseCode.FORBIDDEN, f"origin {origin[:60]!r} is not allowed")
    if is_unknown:
        return UNKNOWN, _refusal(
            hub, CloseCode.BAD_REQUEST, f"unknown subprotocol; expected {' or '.join(_SUBPROTOCOLS)}"
        )
    try:
        identity = identify(handshake)
    except UnauthorizedError as error:
        return UNKNOWN, _refusal(hub, CloseCode.UNAUTHORIZED, error.message)
    first = _first_command(handshake)
    return identity or UNKNOWN, lambda subscriber: hub.welcome(subscriber, first)


def _refusal(hub: Hub, code: CloseCode, reason: str) -> Callable[[Subscriber], None]:
    return lambda subscriber: hub.close(subscriber, code, reason)


def _first_command(handshake: HTTPConnection) -> Subscribe | CommandError | None:
    try:
        return parse_query(handshake.query_params.multi_items())
    except CommandError as error:
        return error
