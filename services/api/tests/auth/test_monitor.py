"""Who may hear what on the live monitor, and for how long: on the real server, past ASGI and through it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from rmos.clock import later, utc_now
from rmos.hub import doorkeeper
from rmos.protocol.commands import SUBPROTOCOL_V2
from tests.auth.shops import AUTH, GuardedShop, bearer, open_guarded_shop, subprotocol

JOBS = "/api/rmos/stores/joblogs"
WAIT_S = 15.0


@pytest.fixture(params=[True, False], ids=["lean", "asgi"])
async def guarded(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[GuardedShop]:
    async with open_guarded_shop(tmp_path, lean_connections=request.param) as shop:
        yield shop


@asynccontextmanager
async def listening(
    shop: GuardedShop, *, query: str = "", offers: tuple[str, ...] = (SUBPROTOCOL_V2,), **headers: str
) -> AsyncIterator[ClientConnection]:
    async with connect(
        shop.monitor_url + query,
        subprotocols=[Subprotocol(offer) for offer in offers] or None,
        additional_headers={name.replace("_", "-"): value for name, value in headers.items()},
        proxy=None,
    ) as socket:
        yield socket


async def frame(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(WAIT_S):
        return dict(json.loads(await socket.recv()))


async def frame_of(socket: ClientConnection, type_: str) -> dict[str, Any]:
    """The next frame of this type."""
    while (found := await frame(socket))["type"] != type_:
        pass
    return found


async def close_code(socket: ClientConnection) -> int:
    """The code of the close, which nothing but system frames may precede."""
    with pytest.raises(ConnectionClosed) as closed:
        await only_system_frames(socket)
    return closed.value.rcvd.code if closed.value.rcvd else 1006


async def only_system_frames(socket: ClientConnection) -> None:
    while True:
        assert (await frame(socket))["type"].startswith("system:")


async def say(socket: ClientConnection, action: str, **fields: Any) -> None:
    await socket.send(json.dumps({"action": action, **fields}))


async def subscribe(socket: ClientConnection, **fields: Any) -> None:
    assert (await frame(socket))["type"] == "system:connected"
    await say(socket, "subscribe", filters=["job"], **fields)
    assert (await frame_of(socket, "system:subscribed"))["type"] == "system:subscribed"


async def add_job(shop: GuardedShop, machine: str) -> None:
    answer = await shop.as_admin.post(JOBS, json={"job_type": "slice", "machine_id": machine})
    assert answer.status_code == 201


async def test_every_way_in_leads_to_the_same_welcome(guarded: GuardedShop) -> None:
    """AUT-01, AUT-02."""
    secret = guarded.keys["viewer"]
    token = await guarded.token(secret)
    ticket = (await guarded.shop.client.post(f"{AUTH}/ticket", headers=bearer(secret))).json()["ticket"]
    await guarded.user("ben")
    async with guarded.client() as browser:
        await guarded.log_in(browser, "ben")
        cookie = f"rmos_session={browser.cookies['rmos_session']}"

    for way, user in (
        ({"Authorization": f"Bearer {secret}"}, "key:the-viewer"),
        ({"Authorization": f"bearer {token}"}, "key:the-viewer"),
        ({"offers": (subprotocol(token), SUBPROTOCOL_V2)}, "key:the-viewer"),
        ({"offers": (SUBPROTOCOL_V2, subprotocol(secret))}, "key:the-viewer"),
        ({"offers": (subprotocol(secret),)}, "key:the-viewer"),
        ({"query": f"?ticket={ticket}"}, "key:the-viewer"),
        ({"Cookie": cookie}, "ben"),
    ):
        async with listening(guarded, **way) as socket:  # type: ignore[arg-type]  # one of several options
            welcome = await frame(socket)
            assert welcome["type"] == "system:connected", way
            assert welcome["data"]["auth"]["required"] is True
            assert welcome["data"]["auth"]["user"] == user
            assert (socket.subprotocol or "").startswith("bearer.") is False


async def test_the_first_message_may_prove_it_and_the_url_is_obeyed_then(guarded: GuardedShop) -> None:
    """AUT-03."""
    async with listening(guarded, query="?filters=job", offers=()) as socket:
        await say(socket, "auth", token=guarded.keys["viewer"])

        assert (await frame(socket))["data"]["auth"]["user"] == "key:the-viewer"
        assert (await frame(socket))["data"]["filters"] == ["job"]
        await add_job(guarded, "cnc1")
        assert (await frame_of(socket, "job:created"))["actor"] == "admin"


@pytest.mark.parametrize(
    "message",
    ['{"action":"subscribe"}', '{"action":"ping"}', "{", '{"action":"auth"}', '{"action":"auth","token":"rmos_no"}'],
)
async def test_who_is_unknown_and_says_anything_else_is_closed(guarded: GuardedShop, message: str) -> None:
    """AUT-03."""
    async with listening(guarded) as socket:
        await socket.send(message)

        assert await close_code(socket) == 4401


async def test_who_stays_silent_hears_nothing_and_is_closed(
    guarded: GuardedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AUT-03: an unauthenticated socket held open."""
    monkeypatch.setattr(doorkeeper, "AUTH_TIMEOUT_S", 1.0)
    async with listening(guarded, query="?filters=all") as socket:
        await add_job(guarded, "cnc1")
        async with asyncio.timeout(WAIT_S):
            first = json.loads(await socket.recv())

        assert (first["type"], first["data"]["code"]) == ("system:closing", 4408)
        assert await close_code(socket) == 4408


@pytest.mark.parametrize(
    "way",
    [
        {"Authorization": "Bearer rmos_unknown"},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."},
        {"offers": ("bearer.!!!", SUBPROTOCOL_V2)},
        {"offers": (subprotocol("rmos_unknown"), SUBPROTOCOL_V2)},
        {"offers": (subprotocol("eyJhbGciOiJub25lIn0.é.ü"), SUBPROTOCOL_V2)},
        {"query": "?ticket=unknown"},
    ],
)
async def test_a_credential_that_does_not_hold_is_refused_at_once(guarded: GuardedShop, way: dict[str, Any]) -> None:
    """AUT-02."""
    async with listening(guarded, **way) as socket:
        assert await close_code(socket) == 4401


async def test_bytes_that_are_not_ascii_in_a_credential_are_refused(guarded: GuardedShop) -> None:
    for header in (b"Authorization: Bearer \xff\xfe.\xe9", b"Sec-WebSocket-Protocol: bearer.\xff\xe9, rmos.monitor.v2"):
        answer = await raw_handshake(guarded, header)
        assert b"system:connected" not in answer
        assert answer.startswith(b"HTTP/1.1 4") or b"4401" in answer or b"\x11\x31" in answer


async def raw_handshake(shop: GuardedShop, header: bytes) -> bytes:
    """Everything that the server says to a handshake with this header, to the end of the connection."""
    reader, writer = await asyncio.open_connection(shop.shop.client.base_url.host, shop.shop.client.base_url.port)
    host = f"{shop.shop.client.base_url.host}:{shop.shop.client.base_url.port}".encode()
    writer.write(
        b"GET /ws/monitor HTTP/1.1\r\nHost: " + host + b"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + header + b"\r\n\r\n"
    )
    try:
        async with asyncio.timeout(WAIT_S):
            return await reader.read()
    finally:
        writer.close()


async def test_a_ticket_is_good_once(guarded: GuardedShop) -> None:
    """AUT-02: a replayed ticket."""
    headers = bearer(guarded.keys["viewer"])
    ticket = (await guarded.shop.client.post(f"{AUTH}/ticket", headers=headers)).json()["ticket"]

    async with listening(guarded, query=f"?ticket={ticket}") as first:
        assert (await frame(first))["type"] == "system:connected"
        async with listening(guarded, query=f"?ticket={ticket}") as second:
            assert await close_code(second) == 4401


@pytest.mark.parametrize("origin", ["null", "http://evil.com", "http://localhost.evil.com"])
async def test_foreign_origins_are_refused_though_the_cookie_holds(guarded: GuardedShop, origin: str) -> None:
    cookie = f"rmos_session={guarded.as_admin.cookies['rmos_session']}"

    async with listening(guarded, Cookie=cookie, Origin=origin) as socket:
        assert await close_code(socket) == 4403


async def test_live_events_and_replays_are_narrowed_to_the_channels(guarded: GuardedShop) -> None:
    """AUT-06."""
    secret = await guarded.key("screen", channels=["machine:cnc1"])
    for machine in ("cnc1", "cnc2"):
        await add_job(guarded, machine)

    async with listening(guarded, query="?filters=all&last=10", Authorization=f"Bearer {secret}") as socket:
        await frame_of(socket, "system:subscribed")
        for machine in ("cnc2", "cnc1"):
            await add_job(guarded, machine)
        await say(socket, "subscribe", filters=["all"], channels=["machine:cnc2"], last=10)
        await frame_of(socket, "system:caught_up")
        heard = []
        while (found := await frame(socket))["type"] != "system:caught_up":
            if not found["type"].startswith("system:"):
                heard.append(found["channels"])

    assert heard
    assert all(channels == ["machine:cnc1"] for channels in heard)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"role": "operator"}, 4302),
        ({"channels": ["machine:cnc1"]}, 4302),
        ({"disabled": True}, 4401),
        ({"password": "another password"}, 4401),
        (None, 4401),
    ],
)
async def test_a_change_of_a_user_ends_their_connections(
    guarded: GuardedShop, change: dict[str, Any] | None, code: int
) -> None:
    """AUT-05: role lowered, user removed."""
    await guarded.user("ben")
    async with guarded.client() as browser:
        await guarded.log_in(browser, "ben")
        cookie = f"rmos_session={browser.cookies['rmos_session']}"
        token = (await browser.post(f"{AUTH}/token")).json()["token"]
    async with (
        listening(guarded, Cookie=cookie) as by_cookie,
        listening(guarded, Authorization=f"Bearer {token}") as by_token,
        listening(guarded, Authorization=f"Bearer {guarded.keys['viewer']}") as other,
    ):
        for socket in (by_cookie, by_token, other):
            await subscribe(socket)

        if change is None:
            await guarded.as_admin.delete(f"{AUTH}/users/ben")
        else:
            await guarded.as_admin.patch(f"{AUTH}/users/ben", json=change)

        assert await close_code(by_cookie) == await close_code(by_token) == code
        await say(other, "ping")
        assert (await frame_of(other, "system:pong"))["data"] == {}


async def test_a_revoked_key_ends_its_connections_also_those_of_its_tickets(guarded: GuardedShop) -> None:
    """AUT-05."""
    secret = await guarded.key("saw")
    (key,) = (k for k in (await guarded.as_admin.get(f"{AUTH}/keys")).json()["keys"] if k["name"] == "saw")
    ticket = (await guarded.shop.client.post(f"{AUTH}/ticket", headers=bearer(secret))).json()["ticket"]
    async with (
        listening(guarded, Authorization=f"Bearer {secret}") as by_key,
        listening(guarded, query=f"?ticket={ticket}") as by_ticket,
    ):
        for socket in (by_key, by_ticket):
            await subscribe(socket)

        await guarded.as_admin.delete(f"{AUTH}/keys/{key['id']}")

        assert await close_code(by_key) == await close_code(by_ticket) == 4401


async def test_a_credential_that_ends_is_announced_and_then_closed(guarded: GuardedShop) -> None:
    """AUT-04."""
    expires_at = later(utc_now(), 3)
    secret = await guarded.key("short", expires_at=expires_at)

    async with listening(guarded, Authorization=f"Bearer {secret}") as socket:
        assert (await frame(socket))["data"]["auth"]["expires_at"] == expires_at
        assert await frame(socket) == {
            "type": "system:token_expiring",
            "data": {"expires_at": expires_at},
            "timestamp": "",
        }
        assert await close_code(socket) == 4301


async def test_a_new_token_goes_on_without_a_disconnect(guarded: GuardedShop) -> None:
    """AUT-04."""
    secret = guarded.keys["viewer"]
    token = await guarded.token(secret)
    async with listening(guarded, Authorization=f"Bearer {token}") as socket:
        await subscribe(socket)
        await say(socket, "auth", id="a", token=secret)
        renewed = await frame_of(socket, "system:authenticated")
        await add_job(guarded, "cnc1")
        event = await frame_of(socket, "job:created")

    assert renewed["data"] == {"id": "a", "user": "key:the-viewer", "expires_at": None}
    assert event["offset"] == 1


async def test_a_token_of_somebody_else_or_a_bad_one_changes_nothing(guarded: GuardedShop) -> None:
    """AUT-04."""
    async with listening(guarded, Authorization=f"Bearer {guarded.keys['viewer']}") as socket:
        await subscribe(socket)
        await say(socket, "auth", id="a", token=guarded.keys["admin"])
        await say(socket, "auth", id="b", token="rmos_unknown")  # noqa: S106 -- a wrong one

        refusals = [(await frame_of(socket, "system:error"))["data"] for _ in range(2)]
        await add_job(guarded, "cnc1")

        assert [(r["id"], r["code"]) for r in refusals] == [("a", "forbidden"), ("b", "unauthorized")]
        assert (await frame_of(socket, "job:created"))["offset"] == 1
