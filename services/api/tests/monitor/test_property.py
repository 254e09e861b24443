"""Whatever is written, cut and resumed: what a client saw is its filter of the log, in order, each event once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx2
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.monitor.raw_client import RawClient
from tests.monitor.sse_client import SseClient
from tests.processes import Server

T = TypeVar("T")
FILTERS = st.sampled_from([["all"], ["job"], ["pattern"], ["job", "material"], ["pattern", "material"]])
TYPES = st.none() | st.sets(
    st.sampled_from(["job:created", "job:updated", "job:completed", "pattern:created"]), min_size=1
)
CHANNELS = st.sampled_from([None, None, ["machine:m1"], ["machine:*"]])
WISHES = st.fixed_dictionaries(
    {
        "filters": FILTERS,
        "types": TYPES.map(lambda types: None if types is None else sorted(types)),
        "channels": CHANNELS,
        "mode": st.sampled_from(["stream", "stream", "latest"]),
    }
)
"""What a listener subscribes with."""
PATHS = {
    "pattern": ("patterns", {"name": "p", "ring_count": 1, "geometry": {}}),
    "job": ("joblogs", {"job_type": "slice", "machine_id": "m1"}),
    "material": (
        "strip-families",
        {"name": "f", "strip_width_mm": 1, "strip_thickness_mm": 1, "material_type": "maple", "strips": []},
    ),
}
STATUSES = st.sampled_from(["running", "held", "completed", "failed", "cancelled"])


class Listener:
    """A client that is now and then cut off, with what it has seen.

    Attributes:
        started: Offset at which its first subscription became active.
        cursor: The newest event that it has seen, or where it started.
    """

    def __init__(self, wish: dict[str, Any]) -> None:
        self.wish = wish
        self.left_out = 0
        self.started = 0
        self.cursor = ""
        self.seen: list[int] = []
        self.client: RawClient | SseClient | None = None

    async def connect(self, port: int) -> None:
        """Subscribe: live the first time, from the cursor ever after."""
        self.client = await RawClient.open(port)
        if not self.cursor:
            answer = await self.client.subscribed(**self.wish)
            self.started, self.cursor = answer["offset"], f"{answer['epoch']}:{answer['offset']}"
            return
        answer = await self.client.subscribed(**self.wish, since=self.cursor)
        assert answer["recovered"] is True, answer

    async def read_some(self, count: int) -> None:
        """See at most so many of the events that have arrived."""
        assert isinstance(self.client, RawClient)
        self.client.say({"action": "ping"})
        while count and (message := await self.client.message())["type"] != "system:pong":
            count -= self._see(message)

    async def read_to(self, offset: int) -> None:
        """Read on until it has seen the event with this offset."""
        assert isinstance(self.client, RawClient)
        while not self.seen or self.seen[-1] < offset:
            self._see(await self.client.message())

    async def cut(self) -> None:
        """Lose the connection."""
        assert self.client is not None
        client, self.client = self.client, None
        await client.cut()

    def _see(self, message: dict[str, Any]) -> int:
        if message["type"] == "system:conflated":
            self.left_out += message["data"]["count"]
        if "offset" not in message:
            return 0
        self.seen.append(message["offset"])
        self.cursor = message["id"]
        return 1


class StreamListener(Listener):
    """The same over server-sent events. It resumes from what `Last-Event-ID` says, whichever frame said it last."""

    stream: SseClient
    place: str

    async def connect(self, port: int) -> None:
        is_first = not self.cursor
        wish = {
            name: value if isinstance(value, str) else ",".join(value) for name, value in self.wish.items() if value
        }
        self.client = self.stream = await SseClient.open(port, f"?{urlencode(wish)}", last_id=self.cursor or None)
        answer = (await self._next())["data"]
        self.cursor = self.place
        if is_first:
            self.started = answer["offset"]
        else:
            assert answer["recovered"] is True, answer

    async def read_some(self, count: int) -> None:
        with contextlib.suppress(TimeoutError):  # nothing tells that no more has arrived; it is cut next in any case
            async with asyncio.timeout(0.1):
                while count:
                    count -= self._see(await self._next())

    async def read_to(self, offset: int) -> None:
        while not self.seen or self.seen[-1] < offset:
            self._see(await self._next())

    async def _next(self) -> dict[str, Any]:
        event = await self.stream.event()
        self.place = event.last_id
        return event.frame

    def _see(self, message: dict[str, Any]) -> int:
        count = super()._see(message)
        self.cursor = self.place
        return count


class Shop(RuleBasedStateMachine):
    """Writes over REST; listeners that come, go and resume over the WebSocket and over server-sent events."""

    server: Server

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.http = httpx2.Client(base_url=self.server.url, timeout=20, trust_env=False)
        self.listeners: list[Listener] = []
        self.open_jobs: list[str] = []
        self.patterns: list[str] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do this on the loop of the connections."""
        return self.loop.run_until_complete(work)

    @initialize(wish=WISHES)
    def first_listeners(self, wish: dict[str, Any]) -> None:
        self.listen(wish, Listener)
        self.listen(wish, StreamListener)

    @precondition(lambda self: len(self.listeners) < 5)
    @rule(wish=WISHES, kind=st.sampled_from([Listener, StreamListener]))
    def listen(self, wish: dict[str, Any], kind: type[Listener]) -> None:
        listener = kind(wish)
        self.run(listener.connect(self.server.port))
        self.listeners.append(listener)

    @rule(category=st.sampled_from(sorted(PATHS)), count=st.integers(1, 5))
    def create(self, category: str, count: int) -> None:
        path, fields = PATHS[category]
        for _ in range(count):
            answer = self.http.post(f"/api/rmos/stores/{path}", json=fields)
            assert answer.status_code == 201, answer.text
            if category == "job":
                self.open_jobs.append(answer.json()["joblog"]["id"])
            if category == "pattern":
                self.patterns.append(answer.json()["pattern"]["id"])

    @precondition(lambda self: self.open_jobs)
    @rule(data=st.data(), status=STATUSES)
    def move_a_job(self, data: st.DataObject, status: str) -> None:
        job = data.draw(st.sampled_from(self.open_jobs))
        assert self.http.put(f"/api/rmos/stores/joblogs/{job}", json={"status": status}).status_code == 200
        if status in ("completed", "failed", "cancelled"):
            self.open_jobs.remove(job)

    @precondition(lambda self: self.patterns)
    @rule()
    def delete_a_pattern(self) -> None:
        assert self.http.delete(f"/api/rmos/stores/patterns/{self.patterns.pop()}").status_code == 200

    @rule()
    def refused_write(self) -> None:
        assert self.http.post("/api/rmos/stores/joblogs", json={"job_type": 7}).status_code == 422

    @precondition(lambda self: any(listener.client for listener in self.listeners))
    @rule(data=st.data(), reads=st.integers(0, 3))
    def cut(self, data: st.DataObject, reads: int) -> None:
        """A listener reads a little of what waits for it, then its line is cut."""
        listener = data.draw(st.sampled_from([one for one in self.listeners if one.client]))
        self.run(listener.read_some(reads))
        self.run(listener.cut())

    @precondition(lambda self: any(listener.client is None for listener in self.listeners))
    @rule(data=st.data())
    def resume(self, data: st.DataObject) -> None:
        listener = data.draw(st.sampled_from([one for one in self.listeners if one.client is None]))
        self.run(listener.connect(self.server.port))

    @invariant()
    def nobody_saw_anything_twice_or_out_of_order(self) -> None:
        for listener in self.listeners:
            assert listener.seen == sorted(set(listener.seen))

    def teardown(self) -> None:
        """In the end everybody resumes, and has seen exactly its filter of the log."""
        for listener in self.listeners:
            if listener.client is None:
                self.run(listener.connect(self.server.port))
            wanted = self.wanted(listener)
            if wanted:
                self.run(listener.read_to(wanted[-1]))
            assert self.is_all(listener, wanted)
            self.run(listener.read_some(1))
            assert self.is_all(listener, wanted), "something came that is not in the log"
            self.run(listener.cut())
        self.http.close()
        self.loop.close()

    def wanted(self, listener: Listener) -> list[int]:
        """The listener's filter of the log since it came, by the log pages."""
        after = f"{listener.cursor.partition(':')[0]}:{listener.started}"
        query: dict[str, Any] = {"after": after, "limit": 1000}
        query |= {key: ",".join(listener.wish[key]) for key in ("filters", "types", "channels") if listener.wish[key]}
        page = self.http.get("/api/rmos/monitor/events", params=query).json()
        assert len(page["events"]) < 1000, "one page holds all that one run writes"
        return [event["offset"] for event in page["events"]]

    @staticmethod
    def is_all(listener: Listener, wanted: list[int]) -> bool:
        """Whether it saw all of this; in mode `latest`, whether it was told of what is missing (if cut off, twice)."""
        if listener.wish["mode"] == "stream":
            return listener.seen == wanted
        return set(listener.seen) <= set(wanted) and len(listener.seen) + listener.left_out >= len(wanted)


def test_what_a_client_saw_is_its_filter_of_the_log(server: Server):
    class ShopOfThisServer(Shop):
        pass

    ShopOfThisServer.server = server
    run_state_machine_as_test(
        ShopOfThisServer,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            phases=(Phase.generate,),  # a missing event shows as a time-out: shrinking would take an hour
            suppress_health_check=list(HealthCheck),
        ),
    )
