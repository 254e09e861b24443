"""The stream client of `rmos tail` against a server that follows a script (labels: protocol/PROTOCOL.md §12)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from rmos.cli import stream as stream_module
from rmos.cli.stream import (
    Connected,
    Gap,
    LiveEvent,
    Malformed,
    MonitorStream,
    Notice,
    Start,
    StreamEndedError,
    Waiting,
)
from rmos.domain.cursor import Cursor

Scene = Callable[["Client"], Awaitable[None]]
WAIT_S = 10.0


class Client:
    """The client as the scripted server sees it, in one connection."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket

    async def hear(self) -> dict[str, Any]:
        """The next command."""
        return dict(json.loads(await self.socket.recv()))

    async def system(self, name: str, **data: Any) -> None:
        """Send a system frame."""
        await self.socket.send(json.dumps({"type": f"system:{name}", "data": data, "timestamp": ""}))

    async def greet(self, *, epoch: str = "e", offset: int = 0, oldest: int = 1, **data: Any) -> dict[str, Any]:
        """Say hello; returns the subscription that follows."""
        await self.system("connected", epoch=epoch, offset=offset, oldest=oldest, **data)
        return await self.hear()

    async def event(self, offset: int, *, epoch: str = "e", **more: Any) -> None:
        """Send an event of the log, with further keys."""
        frame = {"type": "job:updated", "data": {"n": offset}, "timestamp": "2026-11-24T10:00:00.000Z"}
        await self.socket.send(json.dumps(frame | {"id": f"{epoch}:{offset}", "offset": offset, **more}))


@asynccontextmanager
async def scripted(*scenes: Scene) -> AsyncIterator[str]:
    """A server that plays one scene for each connection, in order, and then restarts."""
    left = list(scenes)

    async def play(socket: ServerConnection) -> None:
        await left.pop(0)(Client(socket))
        await socket.close(1012, "server restarts")

    async with serve(play, "127.0.0.1", 0, subprotocols=[Subprotocol("rmos.monitor.v2")]) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/ws/monitor"


async def follow(
    url: str, count: int, *, start: Start = None, filters: Sequence[str] = ("all",)
) -> tuple[list[int], list[Notice]]:
    """The offsets of the first `count` events, and the notices until then."""
    notices: list[Notice] = []
    stream = MonitorStream(url, filters=filters, channels=None, start=start, notify=notices.append)
    offsets: list[int] = []
    async with asyncio.timeout(WAIT_S), aclosing(stream.events()) as events:
        async for event in events:
            offsets.append(event.frame["data"]["n"])
            if len(offsets) == count:
                break
    return offsets, notices


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "MAX_WAIT_S", 0.01)


async def test_after_an_outage_it_resumes_from_the_last_event_and_drops_what_comes_twice() -> None:
    asked: list[dict[str, Any]] = []

    async def first(client: Client) -> None:
        asked.append(await client.greet())
        await client.system("subscribed", filters=["pattern"], epoch="e", offset=0, recovered=None)
        await client.event(1)
        await client.event(2)

    async def second(client: Client) -> None:
        asked.append(await client.greet(offset=3))
        await client.system(
            "subscribed", filters=["pattern"], epoch="e", offset=3, recovered=True, replay={"from": 3, "to": 3}
        )
        await client.event(2)
        await client.event(3)
        await client.hear()

    async with scripted(first, second) as url:
        offsets, notices = await follow(url, 3)

    assert offsets == [1, 2, 3]
    assert [command.get("since") for command in asked] == [None, "e:2"]
    assert [type(notice) for notice in notices] == [Connected, Waiting, Connected]


async def test_what_is_replayed_is_not_dropped_and_moves_nothing() -> None:
    """PST-10."""
    asked: list[dict[str, Any]] = []

    async def first(client: Client) -> None:
        await client.greet()
        await client.system("subscribed", filters=["all"], epoch="e", offset=5, recovered=None)
        await client.event(6)
        await client.event(2, replay=True)
        await client.event(7)
        await client.event(9, replay=True)

    async def second(client: Client) -> None:
        asked.append(await client.greet(offset=8))
        await client.system("subscribed", filters=["all"], epoch="e", offset=8, recovered=True, replay=None)
        await client.event(8)

    async with scripted(first, second) as url:
        offsets, _ = await follow(url, 5)

    assert offsets == [6, 2, 7, 9, 8]
    assert asked[0]["since"] == "e:7"


@pytest.mark.parametrize("sign", ["heartbeat", "caught_up"])
async def test_signs_of_life_move_the_cursor_of_a_narrow_filter(sign: str) -> None:
    asked: list[dict[str, Any]] = []

    async def first(client: Client) -> None:
        await client.greet()
        await client.system("subscribed", filters=["pattern"], epoch="e", offset=0, recovered=None)
        await client.system(sign, offset=40)

    async def second(client: Client) -> None:
        asked.append(await client.greet(offset=41))
        await client.system("subscribed", filters=["pattern"], epoch="e", offset=41, recovered=True, replay=None)
        await client.event(41)
        await client.hear()

    async with scripted(first, second) as url:
        await follow(url, 1, filters=["pattern"])

    assert asked[0] == {"action": "subscribe", "filters": ["pattern"], "since": "e:40"}


async def test_what_cannot_be_recovered_is_reported_and_the_new_epoch_is_taken() -> None:
    asked: list[dict[str, Any]] = []

    async def first(client: Client) -> None:
        await client.greet(epoch="new", offset=7)
        await client.system(
            "subscribed", filters=["pattern"], epoch="new", offset=7, recovered=False, reason="epoch_changed"
        )

    async def second(client: Client) -> None:
        asked.append(await client.greet(epoch="new", offset=8))
        await client.system("subscribed", filters=["pattern"], epoch="new", offset=8, recovered=True, replay=None)
        await client.event(8, epoch="new")
        await client.hear()

    async with scripted(first, second) as url:
        offsets, notices = await follow(url, 1, start=Cursor("old", 3))

    assert Gap(Cursor("old", 3), "epoch_changed") in notices
    assert asked[0]["since"] == "new:7"
    assert offsets == [8]


async def test_the_newest_events_are_asked_for_once_and_then_the_cursor_is_used() -> None:
    asked: list[dict[str, Any]] = []

    async def first(client: Client) -> None:
        asked.append(await client.greet(offset=9))
        await client.system(
            "subscribed", filters=["pattern"], epoch="e", offset=9, recovered=True, replay={"from": 8, "to": 9}
        )
        await client.event(8)

    async def second(client: Client) -> None:
        asked.append(await client.greet(offset=9))
        await client.system(
            "subscribed", filters=["pattern"], epoch="e", offset=9, recovered=True, replay={"from": 9, "to": 9}
        )
        await client.event(9)
        await client.hear()

    async with scripted(first, second) as url:
        offsets, _ = await follow(url, 2, start=2)

    assert offsets == [8, 9]
    assert [(c.get("last"), c.get("since")) for c in asked] == [(2, None), (None, "e:8")]


async def test_oldest_starts_before_the_first_event_that_is_kept() -> None:
    asked: list[dict[str, Any]] = []

    async def scene(client: Client) -> None:
        asked.append(await client.greet(offset=9, oldest=5))
        await client.system(
            "subscribed", filters=["pattern"], epoch="e", offset=9, recovered=True, replay={"from": 5, "to": 9}
        )
        await client.event(5)
        await client.hear()

    async with scripted(scene) as url:
        await follow(url, 1, start="oldest")

    assert asked[0]["since"] == "e:4"


@pytest.mark.parametrize("code", [1002, 1007, 1009, 4400, 4403, 4429, 4500])
async def test_a_close_for_good_ends_the_stream_with_its_reason(code: int) -> None:
    async def scene(client: Client) -> None:
        await client.socket.close(code, "not you")

    async with scripted(scene) as url:
        with pytest.raises(StreamEndedError, match=f"not you.*{code}"):
            await follow(url, 1)


@pytest.mark.parametrize("code", [1001, 1011, 1012, 4000, 4008, 4108, 4129, 3999])
async def test_any_other_close_brings_it_back(code: int) -> None:
    async def first(client: Client) -> None:
        await client.socket.close(code, "later")

    async def second(client: Client) -> None:
        await client.greet()
        await client.system("subscribed", filters=["pattern"], epoch="e", offset=0, recovered=None)
        await client.event(1)
        await client.hear()

    async with scripted(first, second) as url:
        offsets, notices = await follow(url, 1)

    assert offsets == [1]
    assert isinstance(notices[0], Waiting)


async def test_an_announced_code_counts_when_the_close_frame_is_lost() -> None:
    async def scene(client: Client) -> None:
        await client.greet()
        await client.system("closing", code=4403, reason="forbidden", reconnect=False, retry_after=None)
        client.socket.transport.abort()

    async with scripted(scene) as url:
        with pytest.raises(StreamEndedError, match="4403"):
            await follow(url, 1)


async def test_it_waits_as_long_as_the_server_asks() -> None:
    async def first(client: Client) -> None:
        await client.greet()
        await client.system("closing", code=1012, reason="server restarts", reconnect=True, retry_after=0.05)
        await client.socket.close(1012, "server restarts")

    async def second(client: Client) -> None:
        await client.greet()
        await client.event(1)
        await client.hear()

    async with scripted(first, second) as url:
        _, notices = await follow(url, 1)

    waits = [notice for notice in notices if isinstance(notice, Waiting)]
    assert waits[0].reason == "server restarts (1012)"
    assert waits[0].wait_s >= 0.05


async def test_a_refused_subscription_ends_the_stream_with_what_the_server_said() -> None:
    async def scene(client: Client) -> None:
        await client.greet()
        await client.system("error", code="invalid_filter", message="unknown filter 'x'", temporary=False)
        await client.hear()

    async with scripted(scene) as url:
        with pytest.raises(StreamEndedError, match="unknown filter 'x'"):
            await follow(url, 1)


async def test_a_silent_line_is_left() -> None:
    async def first(client: Client) -> None:
        await client.greet(heartbeat_s=0.05)
        await client.socket.wait_closed()

    async def second(client: Client) -> None:
        await client.greet(heartbeat_s=5)
        await client.event(1)
        await client.hear()

    async with scripted(first, second) as url:
        _, notices = await follow(url, 1)

    assert next(notice.reason for notice in notices if isinstance(notice, Waiting)) == "no sign of life"


@pytest.mark.parametrize(
    "text", ["{", "[]", "1", '{"type": "job:x"}', '{"type": 1, "data": {}}', '{"type": "job:x", "data": {}, "id": "?"}']
)
async def test_what_is_not_a_frame_is_reported_and_dropped(text: str) -> None:
    async def scene(client: Client) -> None:
        await client.greet()
        await client.socket.send(text)
        await client.event(1)
        await client.hear()

    async with scripted(scene) as url:
        offsets, notices = await follow(url, 1)

    assert offsets == [1]
    assert Malformed(text) in notices


async def test_a_close_with_1000_ends_the_stream_in_silence() -> None:
    async def scene(client: Client) -> None:
        await client.greet()
        await client.event(1)
        await client.socket.close(1000)

    async with scripted(scene) as url:
        offsets, notices = await follow(url, 2)

    assert offsets == [1]
    assert notices == []


async def test_a_server_of_version_1_is_followed_without_a_cursor() -> None:
    received: list[LiveEvent] = []

    async def scene(client: Client) -> None:
        await client.system("connected", message="Real-time monitoring active")
        await client.hear()
        await client.system("subscribed", filters=["all"])
        await client.socket.send('{"type": "job:created", "data": {"id": "j"}, "timestamp": ""}')
        await client.hear()

    async with scripted(scene) as url, asyncio.timeout(WAIT_S):
        stream = MonitorStream(url, filters=["all"], channels=None, start=None, notify=lambda _: None)
        async with aclosing(stream.events()) as events:
            async for event in events:
                received.append(event)
                break

    assert [event.frame["data"] for event in received] == [{"id": "j"}]
