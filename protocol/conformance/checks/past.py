"""§13: looking back."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from rules import check, expect, expect_equal
from wire import Frame, Socket
from world import World, new_name

STATE = "/api/rmos/monitor/state"
FUTURE = "2999-01-01T00:00:00Z"


async def replayed(socket: Socket) -> tuple[list[Frame], Frame]:
    """Replayed events up to the `system:replay` that ends them, and that frame."""
    events: list[Frame] = []
    while (frame := await socket.next())["type"] != "system:replay" or frame["data"]["state"] == "playing":
        events += [frame] if frame.get("replay") else []
    return events, frame


async def a_stretch(world: World) -> tuple[str, str, list[str]]:
    """A project with three jobs: its name, the place before them, their ids."""
    project = new_name()
    epoch, head, _ = await world.head()
    made = [(await world.create("joblogs", project_id=project))["id"] for _ in range(3)]
    await world.settled()
    return project, f"{epoch}:{head}", made


async def told(socket: Socket, **keys: object) -> dict[str, Any]:
    """The whole answer to `state`: its first frame, with the job logs of the further ones added."""
    data: dict[str, Any] = (await socket.ask({"action": "state", **keys}, "snapshot"))["data"]
    part = data
    while not part["is_last"]:
        part = (await socket.next_of("system:snapshot"))["data"]
        data["joblogs"] += part["joblogs"]
    return data


@check("PST-01", "PST-03", "PST-04")
async def the_state_is_the_shop_of_then(world: World) -> None:
    project, before, made = await a_stretch(world)
    narrow = {"channels": [f"project:{project}"]}
    async with world.client() as socket:
        old = await told(socket, at=before, **narrow)
        expect_equal(old["joblogs"], [], "the jobs before they were made")
        expect_equal(old["at"]["cursor"], before, "the cursor")
        now = await told(socket, id="s", **narrow)
        expect_equal([job["id"] for job in now["joblogs"]], sorted(made), "the jobs")
        expect_equal(now["id"], "s", "id")
        then = now["at"]["cursor"]
        changed = await world.update("joblogs", made[0], status="running")
        await world.delete("joblogs", made[1])
        await world.settled()
        again = await told(socket, at=then, **narrow)
        expect_equal(again["joblogs"], now["joblogs"], "the jobs as they were, after changes")
        timed = await told(socket, at=changed["updated_at"], **narrow)
        expect(changed in timed["joblogs"], "the change is not there at its own time")
        answer = await world.request("GET", f"{STATE}?at={then}&channels=project:{project}")
        expect_equal(json.loads(answer.body)["joblogs"], now["joblogs"], "the jobs over HTTP")


@check("PST-02")
async def places_that_are_unknown_are_refused(world: World) -> None:
    epoch, head, oldest = await world.head()
    cases = [("another:1", "epoch_changed"), (f"{epoch}:{head + 10**6}", "future_cursor"), (FUTURE, "future_cursor")]
    if oldest > 1:
        cases += [(f"{epoch}:{oldest - 2}", "expired")]
    async with world.client(filters=["pattern"]) as socket:
        for place, code in cases:
            for command in ({"action": "state", "at": place}, {"action": "replay", "from": place}):
                error = (await socket.ask({"id": "x", **command}, "error"))["data"]
                expect_equal((error["id"], error["code"]), ("x", code), f"the answer to {place}")


@check("PST-05", "PST-06", "PST-07")
async def a_replay_tells_everything_once_more(world: World) -> None:
    project, before, made = await a_stretch(world)
    async with world.client() as socket:
        command = {"action": "replay", "id": "r", "from": before, "speed": "max", "channels": [f"project:{project}"]}
        answer = (await socket.ask(command, "replay"))["data"]
        expect_equal((answer["id"], answer["state"], answer["speed"]), ("r", "playing", "max"), "the answer")
        events, end = await replayed(socket)
        expect_equal([event["data"]["id"] for event in events], made, "what was replayed")
        expect_equal((end["data"]["id"], end["data"]["state"]), ("r", "finished"), "the end")
        expect(all(list(event)[-1] == "replay" for event in events), "the mark is not at the end of the frame")


@check("PST-07")
async def events_come_as_far_apart_as_they_were(world: World) -> None:
    project = new_name()
    epoch, head, _ = await world.head()
    await world.create("joblogs", project_id=project)
    await asyncio.sleep(0.3)
    await world.create("joblogs", project_id=project)
    await world.settled()
    async with world.client() as socket:
        wish = {"action": "replay", "from": f"{epoch}:{head}", "channels": [f"project:{project}"], "speed": 0.5}
        await socket.ask(wish, "replay")
        await socket.next_of("job:created")
        first_at = asyncio.get_running_loop().time()
        await socket.next_of("job:created")
        took = asyncio.get_running_loop().time() - first_at
        expect(took > 0.4, f"0.3 s at half the speed took {took:.2f} s")


@check("PST-05", "PST-06")
async def a_replay_is_steered(world: World) -> None:
    project, before, made = await a_stretch(world)
    narrow = {"channels": [f"project:{project}"]}
    async with world.client() as socket:
        begun = (await socket.ask({"action": "replay", "from": before, "pause": True, **narrow}, "replay"))["data"]
        expect_equal(begun["state"], "paused", "the state")
        faster = (await socket.ask({"action": "replay", "id": "f", "speed": 1000}, "replay"))["data"]
        expect_equal((faster["id"], faster["state"], faster["speed"]), ("f", "paused", 1000), "the faster one")
        await socket.ask({"action": "replay", "seek": before, "pause": False, "speed": 0}, "replay")
        events, _ = await replayed(socket)
        expect_equal([event["data"]["id"] for event in events], made, "what was replayed")
        for ending in ({"action": "replay", "stop": True}, {"action": "unsubscribe"}):
            await socket.ask({"action": "replay", "id": "b", "from": before, "pause": True}, "replay")
            end = (await socket.ask(ending, "replay"))["data"]
            expect_equal((end["id"], end["state"]), ("b", "stopped"), f"the end by {ending}")


@check("PST-08")
async def the_subscription_goes_on_beside_it(world: World) -> None:
    project, before, made = await a_stretch(world)
    async with world.client(channels=[f"project:{project}"]) as socket:
        await socket.ask({"action": "replay", "from": before, "speed": "max"}, "replay")
        fresh = (await world.create("joblogs", project_id=project))["id"]
        seen: dict[bool, list[str]] = {True: [], False: []}
        while len(seen[True]) < len(made) or not seen[False]:
            frame = await socket.next()
            if frame["type"] == "job:created":
                seen[frame.get("replay", False)].append(frame["data"]["id"])
        expect_equal((seen[True][: len(made)], seen[False]), (made, [fresh]), "replayed and live")


@check("PST-09")
async def who_takes_nothing_delays_nobody(world: World) -> None:
    epoch, _, oldest = await world.head()
    async with world.client() as stuck, world.client(filters=["pattern"]) as other:
        stuck.stall()
        stuck.send({"action": "replay", "from": f"{epoch}:{oldest - 1}", "speed": "max"}, {"action": "state"})
        made = await world.create("patterns")
        await world.event(other, made["id"])
