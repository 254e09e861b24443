"""§13: server-sent events, and CloudEvents in every place."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from rules import check, expect, expect_equal, miss
from wire import WAIT_S
from world import Json, World, new_name

EVENTS = "/api/rmos/monitor/events"


@dataclass
class StreamEvent:
    """An event of a stream: what `Last-Event-ID` is after it, its kind, its data, and whether a comment came before."""

    place: str
    kind: str
    data: bytes
    is_commented: bool

    @property
    def frame(self) -> Json:
        """The JSON in its data."""
        parsed: Json = json.loads(self.data)
        return parsed


class Stream:
    """A reader of server-sent events."""

    def __init__(self, reader: asyncio.StreamReader, head: str) -> None:
        self._reader = reader
        self._is_chunked = "transfer-encoding: chunked" in head
        self._rest = b""
        self.head = head
        self.place = ""
        self.retry = ""

    async def next(self, wait_s: float = WAIT_S) -> StreamEvent:
        """The next event; the end of the stream is a miss."""
        kind, data, is_commented = "message", [], False
        async with asyncio.timeout(wait_s):
            while (line := await self._line()) or not data:
                name, _, value = line.partition(b":")
                value = value.removeprefix(b" ")
                match name:
                    case b"" if line:
                        is_commented = True
                    case b"data":
                        data.append(value)
                    case b"id":
                        self.place = value.decode()
                    case b"event":
                        kind = value.decode()
                    case b"retry":
                        self.retry = value.decode()
        return StreamEvent(self.place, kind, b"\n".join(data), is_commented)

    async def next_of(self, *types: str, wait_s: float = WAIT_S) -> StreamEvent:
        """The next event whose frame is of one of these types."""
        while (event := await self.next(wait_s)).frame["type"] not in types:
            pass
        return event

    async def _line(self) -> bytes:
        while b"\n" not in self._rest:
            self._rest += await self._chunk()
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    async def _chunk(self) -> bytes:
        if not self._is_chunked:
            data = await self._reader.read(65_536)
        else:
            size = int(await self._reader.readline() or b"0", 16)
            data = (await self._reader.readexactly(size + 2))[:-2]
        return data or miss("the stream ended")


@asynccontextmanager
async def stream(world: World, query: str = "", **headers: str) -> AsyncIterator[Stream]:
    """A stream whose head was read."""
    address = urlsplit(world.api)
    is_secure = address.scheme == "https"
    port = address.port or (443 if is_secure else 80)
    reader, writer = await asyncio.open_connection(address.hostname, port, ssl=is_secure or None)
    lines = [f"GET /sse/monitor?{query} HTTP/1.1", f"Host: {address.netloc}", "Accept: text/event-stream"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    try:
        async with asyncio.timeout(WAIT_S):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        expect(" 200 " in head.partition("\r\n")[0], f"the stream got {head.partition(chr(13))[0]!r}")
        yield Stream(reader, head)
    finally:
        writer.transport.abort()


@check("SSE-01", "SSE-02", "SSE-07")
async def a_stream_begins_with_its_subscription(world: World) -> None:
    async with stream(world) as everything, stream(world, "filters=pattern,job") as narrow:
        expect("content-type: text/event-stream" in everything.head, "another content type")
        expect("cache-control: no-store" in everything.head, "the stream may be stored")
        first = await everything.next()
        expect_equal((first.kind, first.frame["type"]), ("message", "system:subscribed"), "the first event")
        expect_equal(first.frame["data"]["filters"], ["all"], "what is subscribed without parameters")
        expect(everything.retry.isdecimal(), "there is no retry")
        expect_equal((await narrow.next()).frame["data"]["filters"], ["job", "pattern"], "what is subscribed")


@check("SSE-02", "SSE-03")
async def events_of_a_stream_are_those_of_the_socket_with_their_cursors(world: World) -> None:
    project = new_name()
    query = f"filters=job&channels=project:{project}"
    async with stream(world, query) as listener, world.client(channels=[f"project:{project}"]) as socket:
        await listener.next()
        await world.create("joblogs", project_id=project)
        event, frame = await listener.next_of("job:created"), await socket.next_of("job:created")
    expect_equal(event.frame, frame, "the event")
    expect_equal(event.place, frame["id"], "the id")


@check("SSE-03", "SSE-04")
async def every_place_of_a_stream_is_one_to_resume_from(world: World) -> None:
    project = new_name()
    query = f"filters=job&channels=project:{project}"
    async with stream(world, query) as listener:
        place = (await listener.next()).place
    made = [(await world.create("joblogs", project_id=project))["id"] for _ in range(4)]
    await world.settled()
    seen: list[str] = []
    for _ in range(5):  # cut after each event, and once between the answer and the first of them
        async with stream(world, f"{query}&last=1", Last_Event_ID=place) as listener:
            answer = await listener.next()
            expect_equal(answer.frame["data"]["recovered"], True, "recovered")
            expect_equal(answer.place, place, "the place of the answer")
            event = await listener.next_of("job:created", "system:caught_up")
            place = event.place
            seen += [event.frame["data"]["id"]] if event.frame["type"] == "job:created" else []
    expect_equal(seen, made, "what came")


@check("SSE-05")
async def a_bad_request_is_refused_before_the_stream(world: World) -> None:
    for query, status, code in (
        ("filters=jobs", 400, "invalid_filter"),
        ("since=7", 400, "invalid_cursor"),
        ("since=another:7&strict=true", 409, "epoch_changed"),
    ):
        answer = await world.request("GET", f"/sse/monitor?{query}")
        expect_equal((answer.status, answer.json()["code"]), (status, code), f"the answer to {query}")


@check("SSE-06")
async def heartbeats_of_a_stream_have_a_comment_and_a_place(world: World) -> None:
    period = await world.heartbeat_s()
    async with stream(world, "filters=") as listener:
        epoch = (await listener.next()).frame["data"]["epoch"]
        beat = await listener.next_of("system:heartbeat", wait_s=period * 3 + WAIT_S)
    expect(beat.is_commented, "no comment came with the heartbeat")
    expect_equal(beat.place, f"{epoch}:{beat.frame['data']['offset']}", "the place")


@check("CE-01", "CE-02", "CE-03")
async def cloud_events_are_spoken_on_their_subprotocol(world: World) -> None:
    async with world.open(subprotocols=["cloudevents.json"]) as socket, world.client(filters=["job"]) as plain:
        expect_equal(socket.accepted().subprotocol, "cloudevents.json", "the subprotocol")
        expect_equal((await socket.next())["type"], "rmos.system.connected", "the first frame")
        socket.send({"action": "subscribe", "id": "s1", "filters": ["job"]})
        answer = await socket.next_of("rmos.system.subscribed")
        expect_equal((answer["specversion"], answer["data"]["id"]), ("1.0", "s1"), "the answer")
        job = await world.create("joblogs", project_id="p7", machine_id="cnc1")
        event = await world.event(socket, job["id"])
        frame = await world.event(plain, job["id"])
    _compare(event, frame)


@check("CE-04")
async def cloud_events_are_the_data_of_a_stream_and_a_batch_of_the_log(world: World) -> None:
    epoch, head, _ = await world.head()
    async with stream(world, "filters=pattern&format=cloudevents") as listener:
        await listener.next()
        pattern = await world.create("patterns")
        event = await listener.next_of("rmos.pattern.created")
        while event.frame["data"]["id"] != pattern["id"]:
            event = await listener.next_of("rmos.pattern.created")
    expect_equal(event.place, event.frame["id"], "the id of the stream")
    after = f"{EVENTS}?after={epoch}:{head}&limit=1000"
    frames = {frame["id"]: frame for frame in (await world.request("GET", after)).json()["events"]}
    batch = (await world.request("GET", f"{after}&format=cloudevents")).json()
    for found in (event.frame, *[one for one in batch if one["id"] in frames]):
        _compare(found, frames[found["id"]])


def _compare(event: Json, frame: Json) -> None:
    """A CloudEvent says what the frame says."""
    wanted = {
        "specversion": "1.0",
        "id": frame["id"],
        "source": event.get("source"),
        "type": f"rmos.{frame['type'].replace(':', '.', 1)}",
        "subject": frame["key"],
        "time": frame["timestamp"],
        "datacontenttype": "application/json",
        "offset": str(frame["offset"]),
        "actor": frame["actor"],
        "entityversion": frame["version"],
        "channels": ",".join(frame["channels"]),
        "data": frame["data"],
    }
    expect_equal(event, {name: value for name, value in wanted.items() if value not in (None, "")}, "the CloudEvent")
    expect(str(event["source"]).startswith("/rmos/"), f"the source is {event['source']!r}")
