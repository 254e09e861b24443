"""§8a: starting with the entities as they are."""

from __future__ import annotations

from typing import Any, Final

from rules import check, expect, expect_equal
from wire import Frame, Socket
from world import World, new_name

LISTS: Final = ("patterns", "joblogs", "strip_families")


async def begun(world: World, socket: Socket, **keys: Any) -> tuple[Frame, list[Frame]]:
    """Subscribe with a snapshot: the answer, and its frames."""
    answer = await socket.ask({"action": "subscribe", "snapshot": True, **keys}, "subscribed")
    frames: list[Frame] = []
    while not frames or not frames[-1]["data"]["is_last"]:
        frame = await socket.next()
        expect("offset" not in frame, "an event came within the snapshot")
        frames += [frame] if frame["type"] == "system:snapshot" else []
    return answer, frames


def documents(frames: list[Frame], plural: str) -> list[dict[str, Any]]:
    """What a snapshot holds of one kind."""
    return [document for frame in frames for document in frame["data"][plural]]


@check("SNP-01", "SNP-02")
async def a_snapshot_is_what_get_answers(world: World) -> None:
    pattern = await world.create("patterns")
    family = await world.create("strip-families")
    gone = await world.create("patterns")
    await world.delete("patterns", gone["id"])
    job = await world.create("joblogs")
    job = await world.update("joblogs", job["id"], status="running")
    async with world.client() as socket:
        answer, frames = await begun(world, socket, id="s")
        data = answer["data"]
        expect_equal(data["snapshot"], {"offset": data["offset"]}, "data.snapshot")
        expect_equal([data[key] for key in ("recovered", "reason", "replay")], [None] * 3, "recovered, reason, replay")
        for frame in frames:
            expect_equal((frame["data"]["id"], frame["timestamp"]), ("s", ""), "id and timestamp")
            expect_equal(frame["data"]["at"]["cursor"], f"{data['epoch']}:{data['offset']}", "at.cursor")
        expect_equal([f["data"]["is_last"] for f in frames], [False] * (len(frames) - 1) + [True], "is_last")
        for plural, wanted in zip(LISTS, (pattern, job, family), strict=True):
            found = documents(frames, plural)
            ids = [document["id"] for document in found]
            expect_equal(len(ids), len(set(ids)), f"{plural}: ids that come once")
            expect_equal([d for d in found if d["id"] == wanted["id"]], [wanted], f"the one of {plural}")
            expect(gone["id"] not in ids, "what was deleted is still there")


@check("SNP-03")
async def what_happens_since_follows(world: World) -> None:
    project = new_name()
    job = await world.create("joblogs", project_id=project)
    await world.settled()
    async with world.client() as socket:
        answer, frames = await begun(world, socket, filters=["job"], channels=[f"project:{project}"])
        expect_equal([d["version"] for d in documents(frames, "joblogs")], [job["version"]], "versions in the snapshot")
        end = await socket.next_of("system:caught_up", "job:created", "job:updated")
        expect_equal(end["type"], "system:caught_up", "what follows a snapshot after which nothing happened")
        expect(end["data"]["offset"] >= answer["data"]["offset"], "caught up before the snapshot")
        changed = await world.update("joblogs", job["id"], status="running")
        event = await world.event(socket, job["id"])
        expect_equal(event["data"], changed, "the event after it")


@check("SNP-04")
async def channels_narrow_it_and_types_do_not(world: World) -> None:
    project = new_name()
    mine = await world.create("joblogs", project_id=project)
    await world.create("joblogs", project_id=new_name())
    await world.settled()
    wish = {"filters": ["job", "metrics"], "channels": [f"project:{project}"], "types": ["job:completed"]}
    async with world.client() as socket:
        _, frames = await begun(world, socket, **wish, mode="latest")
        expect_equal([d["id"] for d in documents(frames, "joblogs")], [mine["id"]], "the job logs")
        expect_equal(documents(frames, "patterns"), [], "the patterns")
    async with world.client() as socket:
        _, frames = await begun(world, socket, filters=["metrics"])
        expect_equal([documents(frames, plural) for plural in LISTS], [[], [], []], "a snapshot of metrics")


@check("SNP-05")
async def a_snapshot_can_be_given_up(world: World) -> None:
    async with world.client() as socket:
        socket.send({"action": "subscribe", "snapshot": True})
        socket.send({"action": "ping", "id": "p"})
        socket.send({"action": "subscribe", "filters": []})
        for wanted in ("system:pong", "system:subscribed"):
            while (await socket.next())["type"] != wanted:
                pass
        await world.silent(socket)
