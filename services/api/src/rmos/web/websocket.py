"""`/ws/monitor`: decides who may come in and in which version, then hands the connection to the hub.

Refusals come *after* the handshake: before it they would be an HTTP 403, of which a browser shows only code 1006.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.websockets import WebSocket

from rmos.hub.hub import Hub
from rmos.hub.subscriber import Subscriber
from rmos.protocol.close_codes import CloseCode
from rmos.protocol.messages import SUBPROTOCOL_V1, SUBPROTOCOL_V2, CommandError, Subscribe, parse_query
from rmos.runtime import Runtime
from rmos.web.asgi_connection import AsgiConnection
from rmos.web.detach import DETACH
from rmos.web.lean_connection import LeanConnection
from rmos.web.origins import OriginPolicy

MONITOR_PATH: Final = "/ws/monitor"
_SUBPROTOCOLS: Final = (SUBPROTOCOL_V2, SUBPROTOCOL_V1)
"""In order of preference."""
_SECRET: Final = "bearer."  # noqa: S105 -- the prefix of an offered token, which is never selected

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


@router.websocket(MONITOR_PATH)
async def monitor(socket: WebSocket) -> None:
    """One client of the live stream, from its handshake on."""
    runtime: Runtime = socket.app.state.runtime
    offered = [name for name in socket.scope["subprotocols"] if not name.startswith(_SECRET)]
    selected = select_subprotocol(offered)
    is_v2 = selected == SUBPROTOCOL_V2
    greet = _greeting(socket, runtime, is_unknown=bool(offered) and selected not in _SUBPROTOCOLS)
    take = socket.scope.get("extensions", {}).get(DETACH)
    if take is not None:
        headers = [(b"sec-websocket-protocol", selected.encode())] if selected else []
        take(LeanConnection(runtime.hub, is_v2=is_v2, greet=greet), headers)
        return
    await socket.accept(subprotocol=selected)
    await AsgiConnection(runtime.hub, socket).serve(is_v2=is_v2, greet=greet)


def select_subprotocol(offered: list[str]) -> str | None:
    """The best version that was offered; else the first name, as a browser wants one of its own back; else None."""
    for name in _SUBPROTOCOLS:
        if name in offered:
            return name
    return offered[0] if offered else None


def _greeting(socket: WebSocket, runtime: Runtime, *, is_unknown: bool) -> Callable[[Subscriber], None]:
    """What happens once the client can be written to: it is welcomed, or told why not."""
    hub, policy = runtime.hub, OriginPolicy.of(runtime.settings)
    origin, host = socket.headers.get("origin"), socket.headers.get("host", "")
    address = socket.scope["server"][0] if socket.scope.get("server") else None
    if not policy.is_host_allowed(host, address):
        return _refusal(hub, CloseCode.FORBIDDEN, f"host {host[:60]!r} is not this server")
    if origin is not None and not policy.is_origin_allowed(origin, host):
        return _refusal(hub, CloseCode.FORBIDDEN, f"origin {origin[:60]!r} is not allowed")
    if is_unknown:
        return _refusal(hub, CloseCode.BAD_REQUEST, f"unknown subprotocol; expected {' or '.join(_SUBPROTOCOLS)}")
    first = _first_command(socket)
    return lambda subscriber: hub.welcome(subscriber, first)


def _refusal(hub: Hub, code: CloseCode, reason: str) -> Callable[[Subscriber], None]:
    return lambda subscriber: hub.close(subscriber, code, reason)


def _first_command(socket: WebSocket) -> Subscribe | CommandError | None:
    try:
        return parse_query(socket.query_params.multi_items())
    except CommandError as error:
        return error
