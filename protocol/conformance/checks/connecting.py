"""§2: the handshake, the first frame, the URL."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from ipaddress import ip_address
from urllib.parse import urlsplit

from rules import check, expect, expect_equal
from world import World

WELCOME = {"message", "protocol", "client", "epoch", "offset", "oldest", "heartbeat_s", "server_time", "auth", "limits"}


@check("CON-01")
async def handshake(world: World) -> None:
    async with world.open() as socket:
        socket.accepted()
        expect_equal(socket.headers.get("sec-websocket-accept"), socket.wanted_accept, "Sec-WebSocket-Accept")


@check("CON-02")
async def no_extension_is_negotiated(world: World) -> None:
    offer = {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
    async with world.open(headers=offer) as socket:
        socket.accepted()
        expect("sec-websocket-extensions" not in socket.headers, "an extension was selected")
        await socket.next_of("system:connected")


@check("CON-03")
async def plain_http_is_told_to_upgrade(world: World) -> None:
    path = urlsplit(world.url).path
    expect_equal((await world.request("GET", path)).status, 426, f"the status of GET {path}")
    expect(path in (await world.request("GET", "/openapi.json")).json()["paths"], f"{path} is not in /openapi.json")


@check("CON-04")
async def a_version_that_was_offered_is_selected(world: World) -> None:
    one, two = "rmos.monitor.v1", "rmos.monitor.v2"
    for offered, wanted in ([one], one), ([two], two), ([one, two], two), ([two, one], two), (["chat", one], one):
        async with world.open(subprotocols=offered) as socket:
            expect_equal(socket.accepted().subprotocol, wanted, f"the answer to {', '.join(offered)}")
            spoken = (await socket.next_of("system:connected"))["data"]["protocol"]
            expect_equal(spoken, wanted, f"data.protocol after {', '.join(offered)}")


@check("CON-05")
async def nothing_is_selected_without_an_offer(world: World) -> None:
    async with world.open() as socket:
        expect_equal(socket.accepted().subprotocol, None, "the subprotocol")
        expect_equal((await socket.next())["data"]["protocol"], "rmos.monitor.v1", "data.protocol")


@check("CON-06")
async def unknown_subprotocols_are_refused(world: World) -> None:
    async with world.open(subprotocols=["chat", "rmos.monitor.v99"]) as socket:
        expect(socket.accepted().subprotocol in ("chat", "rmos.monitor.v99"), "none of the offers was selected")
        expect_equal((await socket.closed()).code, 4400, "the close code")


@check("CON-07")
async def credentials_are_never_selected(world: World) -> None:
    token = f"bearer.{secrets.token_hex(8)}"
    async with world.open(subprotocols=[token, "rmos.monitor.v1"]) as socket:
        expect_equal(socket.accepted().subprotocol, "rmos.monitor.v1", "the subprotocol")
    async with world.open(subprotocols=[token]) as socket:
        expect_equal(socket.accepted().subprotocol, None, "the subprotocol")


@check("CON-08")
async def own_origin_and_none_are_accepted(world: World) -> None:
    for headers in {}, {"Origin": f"http://{world.authority}"}:
        async with world.open(headers=headers) as socket:
            await socket.accepted().next_of("system:connected")


@check("CON-09")
async def foreign_origins_are_refused(world: World) -> None:
    host = urlsplit(world.url).hostname or ""
    foreign = [
        "null",
        "",
        "https://evil.example",
        f"http://{host}:1",
        f"http://{world.authority}.evil.example",
        "file://",
    ]
    refusals = [{"Origin": origin} for origin in foreign]
    with contextlib.suppress(ValueError):
        if ip_address(host).is_loopback:
            refusals.append({"Host": "evil.example"})
            refusals.append({"Host": "evil.example", "Origin": "http://evil.example"})
    for headers in refusals:
        async with world.open(headers=headers) as socket:
            expect_equal((await socket.accepted().closed()).code, 4403, f"the close code for {headers}")


@check("CON-10", "LIM-01")
async def the_welcome_says_where_the_log_stands(world: World) -> None:
    async with world.open() as socket:
        welcome = await socket.accepted().next()
    data = welcome["data"]
    expect_equal(welcome["type"], "system:connected", "the first frame")
    expect(data.keys() >= WELCOME, f"data lacks {', '.join(sorted(WELCOME - data.keys()))}")
    expect_equal(data["message"], "Real-time monitoring active", "data.message")
    expect(data["auth"].keys() >= {"required", "user", "expires_at"}, f"data.auth is {data['auth']}")
    limits = {"max_frame_bytes": 65_536, "max_channels": 100, "commands_per_s": 10, "command_burst": 30}
    expect_equal({name: data["limits"].get(name) for name in limits}, limits, "data.limits")
    expect(1 <= data["oldest"] <= data["offset"] + 1, f"oldest {data['oldest']}, offset {data['offset']}")
    expect(data["epoch"] and ":" not in data["epoch"], f"the epoch is {data['epoch']!r}")


@check("CON-11")
async def the_url_subscribes(world: World) -> None:
    epoch, head, _ = await world.head()
    for query, wanted in {
        "filters=job,pattern": {"filters": ["job", "pattern"], "channels": None, "recovered": None},
        "filters=": {"filters": []},
        "channels=machine:*,project:p7": {"filters": ["all"], "channels": ["machine:*", "project:p7"]},
        f"since={epoch}:{head}&other=x": {"filters": ["all"], "recovered": True},
        "filters=material&last=1": {"filters": ["material"], "recovered": True},
    }.items():
        async with world.open(query) as socket:
            await socket.accepted().next_of("system:connected")
            data = (await socket.next_of("system:subscribed"))["data"]
            expect_equal({name: data[name] for name in wanted}, wanted, f"the answer to ?{query}")
    async with world.open("colour=blue") as socket:
        await socket.accepted().next_of("system:connected")
        expect_equal(await world.before_pong(socket), [], "what follows ?colour=blue")


@check("CON-12")
async def a_bad_url_gets_an_error_and_no_subscription(world: World) -> None:
    for query, code in {
        "filters=jobs": "invalid_filter",
        "channels=machine": "invalid_channel",
        "since=7": "invalid_cursor",
        "last=many": "invalid_command",
        "filters=pattern&last=0": "invalid_command",
        "last=1&since=x:1": "invalid_command",
    }.items():
        async with world.open(query) as socket:
            await socket.accepted().next_of("system:connected")
            expect_equal((await socket.next_of("system:error"))["data"]["code"], code, f"the answer to ?{query}")
            if code == "invalid_filter":
                await world.silent(socket)
            await socket.ask({"action": "ping"}, "pong")


@check("CON-13")
async def newcomers_disturb_nobody(world: World) -> None:
    channel = f"project:{(project := secrets.token_hex(6))}"
    async with world.client(filters=["job"], channels=[channel]) as socket, asyncio.TaskGroup() as tasks:
        tasks.create_task(_come_and_go(world))
        made = [(await world.create("joblogs", project_id=project))["id"] for _ in range(10)]
        seen = [(await socket.next_of("job:created"))["data"]["id"] for _ in made]
        expect_equal(seen, made, "what the first client saw")
        expect_equal(await world.before_pong(socket), [], "what it saw besides")


async def _come_and_go(world: World) -> None:
    for _ in range(10):
        async with world.client(filters=["all"]) as other:
            await world.before_pong(other)
