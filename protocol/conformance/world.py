"""What checks work with: sockets on the monitor, and a shop that can be changed over REST."""

from __future__ import annotations

import asyncio
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

from rules import PROTOCOL, Wait, expect
from wire import WAIT_S, Frame, Socket

STORES: Final = "/api/rmos/stores"
_NAMES: Final = {"patterns": "pattern", "joblogs": "joblog", "strip-families": "strip_family"}
_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))

Json = dict[str, Any]  # Any: JSON whose shape depends on the route


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes

    def json(self) -> Any:  # Any: as `Json`
        """The body, parsed."""
        return json.loads(self.body)


class World:
    """The server under test."""

    def __init__(self, url: str, api: str, *, is_slow: bool) -> None:
        self.url = url
        self.api = api.rstrip("/")
        self.is_slow = is_slow

    # --- the monitor ------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def open(
        self, query: str = "", *, subprotocols: Sequence[str] = (), headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[Socket]:
        """A connection; nothing was read from it yet."""
        url = f"{self.url}?{query}" if query else self.url
        socket = await Socket.connect(url, subprotocols=subprotocols, headers=headers)
        try:
            yield socket
        finally:
            socket.close()

    @asynccontextmanager
    async def client(self, **subscription: object) -> AsyncIterator[Socket]:
        """A connection that was welcomed and, where keys are given, subscribed with them."""
        async with self.open() as socket:
            await socket.accepted().next_of("system:connected")
            if subscription:
                await socket.ask({"action": "subscribe", **subscription}, "subscribed")
            yield socket

    async def before_pong(self, socket: Socket) -> list[Frame]:
        """Everything that reached a client so far. Whoever asks must have seen elsewhere that it was sent by now."""
        frames: list[Frame] = []
        mark = secrets.token_hex(4)
        socket.send({"action": "ping", "id": mark})
        while (frame := await socket.next())["type"] != "system:pong" or frame["data"].get("id") != mark:
            frames.append(frame)
        return [frame for frame in frames if frame["type"] != "system:heartbeat"]

    async def settled(self) -> None:
        """Wait until every change that was answered before this call has been sent to whoever wants it.

        A server may answer a writer before it tells the listeners.
        """
        async with self.client(filters=["pattern"]) as witness:
            made = await self.create("patterns", name="conformance fence")
            await self.event(witness, made["id"])

    async def silent(self, *sockets: Socket) -> None:
        """A miss when an event reached one of these clients, of all changes that were answered before this call."""
        await self.settled()
        for socket in sockets:
            others = [f["type"] for f in await self.before_pong(socket) if not f["type"].startswith("system:")]
            expect(not others, f"{', '.join(others)} arrived")

    async def event(self, socket: Socket, entity_id: str) -> Frame:
        """The next event of this entity; other events are passed over, they may be of somebody else."""
        while True:
            frame = await socket.next()
            if frame["data"].get("id") == entity_id and not frame["type"].startswith("system:"):
                return frame

    async def heartbeat_s(self) -> float:
        """The announced period; `Wait` when it is too long for this run."""
        async with self.open() as socket:
            period = float((await socket.accepted().next())["data"]["heartbeat_s"])
        if period > 2 and not self.is_slow:
            raise Wait(f"the heartbeat is {period:g} s: use --slow, or a server with a shorter one")
        return period

    # --- the shop ---------------------------------------------------------------------------------------------

    async def request(self, method: str, path: str, body: Any = None) -> Answer:  # Any: JSON of the caller
        """One HTTP request."""
        return await asyncio.to_thread(self._request, method, path, body)

    def _request(self, method: str, path: str, body: Any) -> Answer:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 -- the person at the keyboard named the server
            self.api + path, data=data, method=method, headers={"Content-Type": "application/json"} if data else {}
        )
        try:
            with _DIRECT.open(request, timeout=WAIT_S * 2) as response:
                return Answer(response.status, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read())

    async def create(self, plural: str, **fields: object) -> Json:
        """Create a pattern, job log or strip family and return it."""
        defaults: dict[str, Json] = {
            "patterns": {"name": "conformance pattern", "ring_count": 3, "geometry": {"rings": []}},
            "joblogs": {"job_type": "slice", "parameters": {"conformance": True}},
            "strip-families": {
                "name": "conformance family",
                "strip_width_mm": 2.0,
                "strip_thickness_mm": 0.8,
                "material_type": "maple",
                "strips": [],
            },
        }
        answer = await self.request("POST", f"{STORES}/{plural}", defaults[plural] | fields)
        expect(answer.status == 201, f"POST {plural} got {answer.status}: {answer.body[:200]!r}")
        made: Json = answer.json()[_NAMES[plural]]
        return made

    async def update(self, plural: str, entity_id: str, **fields: object) -> Json:
        """Change it and return it."""
        answer = await self.request("PUT", f"{STORES}/{plural}/{entity_id}", fields)
        expect(answer.status == 200, f"PUT {plural} got {answer.status}: {answer.body[:200]!r}")
        changed: Json = answer.json()[_NAMES[plural]]
        return changed

    async def delete(self, plural: str, entity_id: str) -> None:
        """Delete it."""
        answer = await self.request("DELETE", f"{STORES}/{plural}/{entity_id}")
        expect(answer.status == 200, f"DELETE {plural} got {answer.status}: {answer.body[:200]!r}")

    async def head(self) -> tuple[str, int, int]:
        """Epoch, head and oldest offset of the log, as the monitor announces them."""
        async with self.open() as socket:
            data = (await socket.accepted().next())["data"]
        return data["epoch"], data["offset"], data["oldest"]

    @property
    def authority(self) -> str:
        """Host and port of the monitor."""
        return urlsplit(self.url).netloc


def new_name() -> str:
    """A name that nobody else uses, for projects and machines."""
    return f"conformance-{secrets.token_hex(6)}"


@cache
def vectors(file: str, part: str = "vectors") -> list[Json]:
    """The test vectors of a file of protocol/vectors."""
    found: list[Json] = json.loads((PROTOCOL / "vectors" / file).read_text(encoding="utf-8"))[part]
    return found


def join(pieces: str | list[Any]) -> str:
    """The text that pieces stand for, see protocol/vectors/README.md."""
    if isinstance(pieces, str):
        return pieces
    return "".join(piece if isinstance(piece, str) else piece["repeat"] * piece["times"] for piece in pieces)
