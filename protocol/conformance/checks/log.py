"""§7: events and the log."""

from __future__ import annotations

import json
import secrets

from rules import check, expect, expect_equal
from world import World, new_name

KEYS = ["type", "data", "timestamp", "id", "offset", "channels", "key", "version", "actor"]
EVENTS = "/api/rmos/monitor/events"


@check("LOG-01", "LOG-02")
async def an_event_is_the_same_bytes_for_everybody(world: World) -> None:
    project = new_name()
    async with (
        world.client(filters=["all"]) as one,
        world.client(filters=["job"]) as two,
        world.client(filters=["job"], channels=[f"project:{project}"]) as three,
    ):
        made = await world.create("joblogs", project_id=project, metadata={"note": "Röschen \U0001d11e \u2028"})
        frames = [await world.event(socket, made["id"]) for socket in (one, two, three)]
        texts = {socket.texts[-1] for socket in (one, two, three)}
        epoch, head, _ = await world.head()
        async with world.client(filters=["job"], since=f"{epoch}:{frames[0]['offset'] - 1}") as late:
            await world.event(late, made["id"])
            texts.add(late.texts[-1])
    expect_equal(len(texts), 1, "the number of forms")
    expect_equal(list(frames[0]), KEYS, "the keys")
    expect_equal(frames[0]["id"], f"{epoch}:{frames[0]['offset']}", "id")
    expect(0 < frames[0]["offset"] <= head, f"offset is {frames[0]['offset']}, head {head}")


@check("LOG-03", "LOG-04")
async def offsets_are_dense(world: World) -> None:
    async with world.client(filters=["all"]) as socket:
        operations = [
            {"op": "create", "entity": "pattern", "data": {"name": "conformance", "ring_count": 1, "geometry": {}}}
        ] * 50
        answer = await world.request("POST", "/api/rmos/stores/bulk", {"operations": operations})
        expect_equal(answer.status, 200, "the status of bulk")
        for plural in ("patterns", "joblogs", "strip-families"):
            last = await world.create(plural)
        await world.event(socket, last["id"])
        offsets = [frame["offset"] for text in socket.texts if "offset" in (frame := json.loads(text))]
        expect(len(offsets) >= 53, f"only {len(offsets)} events came")
        expect_equal(offsets, list(range(offsets[0], offsets[0] + len(offsets))), "the offsets")


@check("LOG-05")
async def the_log_pages_tell_the_same(world: World) -> None:
    epoch, head, _ = await world.head()
    async with world.client(filters=["all"]) as socket:
        made = await world.create("patterns")
        await world.update("patterns", made["id"], name="conformance changed")
        await world.request("POST", "/api/rmos/stores/patterns", {"name": ""})
        last = await world.create("joblogs")
        await world.event(socket, last["id"])
        live = [frame for text in socket.texts if "offset" in (frame := json.loads(text))]
    page = (await world.request("GET", f"{EVENTS}?after={epoch}:{head}&limit=1000")).json()
    stored = [event for event in page["events"] if event["offset"] <= live[-1]["offset"]]
    expect_equal(stored, [event for event in live if event["offset"] > head], "the events of the log")


@check("LOG-06")
async def events_name_their_thing(world: World) -> None:
    async with world.client(filters=["all"]) as socket:
        for plural, category in (("patterns", "pattern"), ("joblogs", "job"), ("strip-families", "material")):
            made = await world.create(plural)
            created = await world.event(socket, made["id"])
            changed = await world.update(plural, made["id"], metadata={"mark": secrets.token_hex(4)})
            updated = await world.event(socket, made["id"])
            for frame, entity in ((created, made), (updated, changed)):
                expect_equal(frame["key"], f"{category}/{made['id']}", "key")
                expect_equal(frame["version"], entity["version"], "version")
                expect(isinstance(frame["actor"], str) and frame["actor"], f"actor is {frame['actor']!r}")
            expect_equal((created["version"], updated["version"]), (1, 2), "the versions")


@check("LOG-07")
async def channels_tell_where_a_job_is_and_was(world: World) -> None:
    old, new, machine = new_name(), new_name(), new_name()
    async with (
        world.client(filters=["job"]) as socket,
        world.client(filters=["job"], channels=[f"project:{old}"]) as left_behind,
    ):
        job = await world.create("joblogs", project_id=old)
        expect_equal((await world.event(socket, job["id"]))["channels"], [f"project:{old}"], "channels of the new job")
        await world.update("joblogs", job["id"], project_id=new, machine_id=machine)
        moved = (await world.event(socket, job["id"]))["channels"]
        expect_equal(sorted(moved), sorted([f"project:{old}", f"project:{new}", f"machine:{machine}"]), "of the move")
        await world.update("joblogs", job["id"], note="conformance")
        after = (await world.event(socket, job["id"]))["channels"]
        expect_equal(sorted(after), sorted([f"project:{new}", f"machine:{machine}"]), "after the move")
        seen = [(await left_behind.next_of("job:created", "job:updated"))["type"] for _ in range(2)]
        expect_equal(seen, ["job:created", "job:updated"], "what the old project saw")
        expect_equal(await world.before_pong(left_behind), [], "what it saw besides")
        pattern = await world.create("patterns")
    epoch, head, _ = await world.head()
    page = (await world.request("GET", f"{EVENTS}?after={epoch}:{head - 1}")).json()
    expect_equal([e["channels"] for e in page["events"] if e["data"].get("id") == pattern["id"]], [[]], "of a pattern")
