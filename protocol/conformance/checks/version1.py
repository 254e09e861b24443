"""§3: version 1 and the events of the shop."""

from __future__ import annotations

import json
import re
import secrets
from typing import Final

from rules import check, expect, expect_equal, miss
from wire import Frame, Socket
from world import STORES, World

TIMESTAMP: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
STATUSES: Final = {
    "pending",
    "planned",
    "ready",
    "running",
    "held",
    "suspended",
    "interrupted",
    "completed",
    "failed",
    "cancelled",
}


@check("V1-01", "V1-02")
async def frames_have_their_form(world: World) -> None:
    async with world.client(filters=["all"]) as socket:
        await socket.ask({"action": "ping"}, "pong")
        await socket.ask({"action": "nonsense"}, "error")
        made = await world.create("patterns")
        await world.event(socket, made["id"])
        for text in socket.texts:
            frame = json.loads(text)
            expect_equal(list(frame)[:3], ["type", "data", "timestamp"], f"the keys of {frame['type']}")
            expect(isinstance(frame["data"], dict), f"data of {frame['type']} is no object")
            if frame["type"].startswith("system:"):
                expect_equal(frame["timestamp"], "", f"the timestamp of {frame['type']}")
            else:
                expect(TIMESTAMP.fullmatch(frame["timestamp"]), f"the timestamp {frame['timestamp']!r} of an event")


@check("V1-03")
async def nothing_comes_unasked(world: World) -> None:
    async with world.client() as socket:
        await world.silent(socket)


@check("V1-04")
async def subscribe_is_answered_with_what_is_in_force(world: World) -> None:
    async with world.client() as socket:
        for asked, answered in (
            (["job", "pattern"], ["job", "pattern"]),
            (["metrics", "pattern", "job"], ["job", "pattern", "metrics"]),
            (["material", "material"], ["material"]),
            (["job", "all"], ["all"]),
            (["metrics", "material", "pattern", "job"], ["all"]),
        ):
            answer = await socket.ask({"action": "subscribe", "filters": asked}, "subscribed")
            expect_equal(answer["data"]["filters"], answered, f"the answer to {asked}")
            expect_equal(next(iter(answer["data"])), "filters", "the first key of data")


@check("V1-05")
async def no_filters_are_all(world: World) -> None:
    async with world.client() as socket:
        answer = await socket.ask({"action": "subscribe"}, "subscribed")
        expect_equal(answer["data"]["filters"], ["all"], "data.filters")
        for plural in ("patterns", "joblogs", "strip-families"):
            await world.event(socket, (await world.create(plural))["id"])


@check("V1-06")
async def subscribe_replaces(world: World) -> None:
    async with world.client(filters=["pattern"], channels=["project:x"]) as socket:
        answer = await socket.ask({"action": "subscribe", "filters": ["material"]}, "subscribed")
        expect_equal(answer["data"]["filters"], ["material"], "data.filters")
        expect_equal(answer["data"]["channels"], None, "data.channels")
        await world.silent(socket)
        made = await world.create("strip-families")
        expect_equal((await socket.next_of("material:created"))["data"]["id"], made["id"], "data.id")


@check("V1-07")
async def each_filter_gets_its_category(world: World) -> None:
    plurals = {"pattern": "patterns", "job": "joblogs", "material": "strip-families"}
    for category in plurals:
        async with world.client(filters=[category]) as socket, world.client(filters=["all"]) as witness:
            made = {other: (await world.create(plural))["id"] for other, plural in plurals.items()}
            await world.event(witness, list(made.values())[-1])
            types = {frame["type"].partition(":")[0] for frame in await world.before_pong(socket)}
            expect_equal(types, {category}, f"what came to {category}")
            ids = [json.loads(text)["data"].get("id") for text in socket.texts]
            expect(made[category] in ids, f"{category}:created did not come")


@check("V1-08")
async def ping_is_answered(world: World) -> None:
    async with world.client() as socket:
        expect_equal((await socket.ask({"action": "ping"}, "pong"))["data"], {}, "data")


@check("V1-09")
async def answers_keep_the_order_of_the_commands(world: World) -> None:
    epoch, head, oldest = await world.head()
    async with world.client() as socket:
        socket.send(
            {"action": "subscribe", "id": "1", "filters": [], "since": f"{epoch}:{max(oldest - 1, head - 1000)}"},
            {"action": "ping", "id": "2"},
            {"action": "subscribe", "id": "3", "filters": [], "since": "gone:1"},
            {"action": "subscribe", "id": "4", "filters": ["nonsense"]},
            {"action": "unsubscribe", "id": "5"},
            {"action": "ping", "id": "6"},
        )
        answers = ("system:subscribed", "system:pong", "system:error", "system:caught_up", "system:gap")
        ids: list[str] = []
        while len(ids) < 6:
            frame = await socket.next_of(*answers)
            ids += [frame["data"]["id"]] if "id" in frame["data"] else []
        expect_equal(ids, ["1", "2", "3", "4", "5", "6"], "the order of the answers")


@check("V1-10")
async def changes_make_their_events(world: World) -> None:
    async with world.client(filters=["all"]) as socket:
        for plural, category, change in (
            ("patterns", "pattern", {"name": "conformance changed"}),
            ("strip-families", "material", {"name": "conformance changed"}),
            ("joblogs", "job", {"status": "running"}),
        ):
            made = await world.create(plural)
            await _expect_event(world, socket, f"{category}:created", made)
            await _expect_event(world, socket, f"{category}:updated", await world.update(plural, made["id"], **change))
        for status in ("completed", "failed"):
            made = await world.create("joblogs", status="running")
            await _expect_event(world, socket, "job:created", made)
            ended = await world.update("joblogs", made["id"], status=status)
            await _expect_event(world, socket, f"job:{status}", ended)
            noted = await world.update("joblogs", made["id"], status=status, note="conformance")
            await _expect_event(world, socket, "job:updated", noted)
            born = await world.create("joblogs", status=status)
            await _expect_event(world, socket, "job:created", born)


@check("V1-11")
async def deletions_make_their_events(world: World) -> None:
    async with world.client(filters=["all"]) as socket:
        for plural, category in (("patterns", "pattern"), ("strip-families", "material"), ("joblogs", "job")):
            made = await world.create(plural)
            await world.event(socket, made["id"])
            await world.delete(plural, made["id"])
            await _expect_event(world, socket, f"{category}:deleted", made)


async def _expect_event(world: World, socket: Socket, event_type: str, entity: dict[str, object]) -> None:
    """The next event of the entity has this type and carries it, and nothing else came of it."""
    frame = await world.event(socket, str(entity["id"]))
    expect_equal(frame["type"], event_type, "the event")
    expect_equal(frame["data"], entity, f"data of {event_type}")


@check("V1-12")
async def data_is_what_get_answers(world: World) -> None:
    async with world.client(filters=["all"]) as socket:
        for plural, fields in (
            (
                "patterns",
                {"name": "conformance Röschen \U0001d11e", "metadata": {"z": 1.50, "a": [1e3, None, "\u2028"]}},
            ),
            ("joblogs", {"status": "running", "results": {"b": {}, "a": 0.1}}),
            ("strip-families", {"metadata": {"supplier": "<b>&amp;</b>"}}),
        ):
            made = await world.create(plural, **fields)
            await world.event(socket, made["id"])
            body = (await world.request("GET", f"{STORES}/{plural}/{made['id']}")).body.decode()
            data = socket.texts[-1].partition('"data":')[2].rpartition(',"timestamp":')[0]
            expect(data in body, f"data {data[:100]}… is not in the answer of GET {body[:160]}…")


@check("V1-13")
async def nothing_changed_means_no_event(world: World) -> None:
    pattern = await world.create("patterns")
    await world.settled()
    async with world.client(filters=["all"], channels=None) as socket, world.client(filters=["all"]) as witness:
        await world.update("patterns", pattern["id"], name=pattern["name"], ring_count=pattern["ring_count"])
        for method, path, body in (
            ("POST", "/patterns", {"name": ""}),
            ("POST", "/patterns", {"ring_count": "many"}),
            ("POST", "/joblogs", {"job_type": "slice", "pattern_id": "conformance-nobody"}),
            ("PUT", f"/patterns/{pattern['id']}", {"ring_count": 0}),
            ("PUT", f"/patterns/{secrets.token_hex(8)}", {"name": "x"}),
            ("DELETE", f"/patterns/{secrets.token_hex(8)}", None),
        ):
            answer = await world.request(method, STORES + path, body)
            expect(400 <= answer.status < 500, f"{method} {path} with {body} got {answer.status}")
        fence = await world.create("strip-families")
        await world.event(witness, fence["id"])
        events = [(frame["type"], frame["data"]["id"]) for frame in await _events(world, socket)]
        expect_equal(events, [("material:created", fence["id"])], "what came of it")


async def _events(world: World, socket: Socket) -> list[Frame]:
    return [frame for frame in await world.before_pong(socket) if frame["type"] != "metrics:snapshot"]


@check("V1-14")
async def a_snapshot_comes_at_once(world: World) -> None:
    async with world.client(filters=["metrics"]) as socket:
        snapshot = await socket.next_of("metrics:snapshot")
        expect_equal(list(snapshot), ["type", "data", "timestamp"], "its keys")
        jobs, entities = snapshot["data"]["jobs"], snapshot["data"]["entities"]
        expect_equal(set(jobs["by_status"]), STATUSES, "the statuses")
        in_progress = sum(jobs["by_status"][s] for s in ("running", "held", "suspended", "interrupted"))
        expect_equal(jobs["wip"], in_progress, "wip")
        expect_equal(set(entities), {"patterns", "joblogs", "strip_families"}, "the entities")
        expect_equal(entities["joblogs"], sum(jobs["by_status"].values()), "the number of job logs")
        expect(snapshot["data"]["offset"] >= 0, f"offset is {snapshot['data']['offset']}")
        expect(isinstance(jobs["running"], list), "running is no list")


@check("V1-14")
async def snapshots_come_periodically(world: World) -> None:
    async with world.client(filters=["metrics"]) as socket:
        first = await socket.next_of("metrics:snapshot")
        for _ in range(2):
            later = await socket.next_of("metrics:snapshot", wait_s=60 if world.is_slow else 8)
            expect(later["timestamp"] >= first["timestamp"], "time ran backwards")


@check("V1-16")
async def version_1_gets_no_frames_of_version_2(world: World) -> None:
    known = {"connected", "subscribed", "pong", "error", "closing"}
    async with world.client(filters=["all"]) as socket:
        for plural in ("patterns", "joblogs"):
            await world.event(socket, (await world.create(plural))["id"])
        await socket.ask({"action": "ping"}, "pong")
        for text in socket.texts:
            kind, _, name = json.loads(text)["type"].partition(":")
            if kind == "system" and name not in known:
                miss(f"system:{name} came")
