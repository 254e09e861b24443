"""§8: coming back to where one was."""

from __future__ import annotations

import asyncio

from rules import Wait, check, expect, expect_equal
from wire import Frame, Socket
from world import World, new_name


async def made_jobs(world: World, count: int, **fields: object) -> list[str]:
    """Create job logs one after the other, until the monitor has told of the last; their ids."""
    ids = [(await world.create("joblogs", **fields))["id"] for _ in range(count)]
    await world.settled()
    return ids


async def replayed(socket: Socket) -> list[Frame]:
    """The events up to `system:caught_up`, which closes the list."""
    frames: list[Frame] = []
    while not frames or frames[-1]["type"] != "system:caught_up":
        frame = await socket.next()
        if frame["type"] not in ("system:heartbeat", "metrics:snapshot"):
            frames.append(frame)
    return frames


@check("RES-01")
async def everything_after_the_cursor_follows_once_and_then_live(world: World) -> None:
    epoch, head, _ = await world.head()
    before = await made_jobs(world, 5)
    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(made_jobs(world, 15))
        async with world.client() as socket:
            await socket.ask({"action": "subscribe", "since": f"{epoch}:{head}"}, "subscribed")
            during = await writing
            events: list[Frame] = []
            while not events or events[-1]["data"].get("id") != during[-1]:
                frame = await socket.next()
                events += [frame] if "offset" in frame else []
    offsets = [event["offset"] for event in events]
    expect_equal(offsets, list(range(head + 1, head + 1 + len(offsets))), "the offsets")
    seen = [event["data"]["id"] for event in events if event["data"].get("id") in {*before, *during}]
    expect_equal(seen, before + during, "what came")


@check("RES-01")
async def the_cursor_of_any_event_is_a_start(world: World) -> None:
    project = new_name()
    epoch, head, _ = await world.head()
    made = await made_jobs(world, 4, project_id=project)
    wish = {"filters": ["job"], "channels": [f"project:{project}"]}
    async with world.client() as socket:
        await socket.ask({"action": "subscribe", **wish, "since": f"{epoch}:{head}"}, "subscribed")
        events = (await replayed(socket))[:-1]
        expect_equal([event["data"]["id"] for event in events], made, "what came")
    for index, event in enumerate(events):
        async with world.client() as socket:
            await socket.ask({"action": "subscribe", **wish, "since": event["id"]}, "subscribed")
            rest = [frame["data"]["id"] for frame in (await replayed(socket))[:-1]]
            expect_equal(rest, made[index + 1 :], f"what follows event {index + 1} of 4")


@check("RES-02")
async def the_last_n_that_match_follow(world: World) -> None:
    project = new_name()
    made = await made_jobs(world, 5, project_id=project)
    await made_jobs(world, 2)
    for count in (1, 3, 5, 50):
        async with world.client() as socket:
            command = {"action": "subscribe", "channels": [f"project:{project}"], "last": count}
            data = (await socket.ask(command, "subscribed"))["data"]
            expect_equal(data["recovered"], True, "recovered")
            seen = [frame["data"]["id"] for frame in (await replayed(socket))[:-1]]
            expect_equal(seen, made[-count:], f"the last {count}")
            made += await made_jobs(world, 1, project_id=project)
            expect_equal((await socket.next_of("job:created"))["data"]["id"], made[-1], "what follows live")


@check("RES-03", "RES-04")
async def the_replay_is_announced_and_its_end_is_told(world: World) -> None:
    epoch, head, _ = await world.head()
    await made_jobs(world, 2)
    async with world.client() as socket:
        socket.send({"action": "subscribe", "filters": ["job"], "since": f"{epoch}:{head}"})
        data = (await socket.next_of("system:subscribed"))["data"]
        replay = data["replay"]
        expect_equal((replay["from"], replay["truncated"]), (head + 1, False), "replay.from and .truncated")
        expect(head + 2 <= replay["to"] <= data["offset"], f"replay.to is {replay['to']}")
        *events, end = await replayed(socket)
        expect(end["data"]["offset"] >= replay["to"], f"caught up at {end['data']['offset']}")
        expect(events, "nothing was replayed")
        expect(all(event["offset"] <= end["data"]["offset"] for event in events), "an event is beyond caught_up")
    epoch, head, _ = await world.head()
    async with world.client() as socket:
        data = (await socket.ask({"action": "subscribe", "filters": [], "since": f"{epoch}:{head}"}, "subscribed"))[
            "data"
        ]
        expect_equal((data["recovered"], data["replay"]), (True, None), "recovered and replay at the head")
        expect_equal(
            (await socket.next_of("system:caught_up"))["data"]["offset"] >= head, True, "caught up at the head"
        )


@check("RES-05")
async def another_epoch_is_told(world: World) -> None:
    _, head, _ = await world.head()
    for offset in (0, head, head + 1000):
        await _expect_refusal(world, f"another:{offset}", "epoch_changed")


@check("RES-06")
async def the_future_is_told(world: World) -> None:
    epoch, head, _ = await world.head()
    for offset in (head + 1_000_000, 2**63 - 1):
        await _expect_refusal(world, f"{epoch}:{offset}", "future_cursor")


@check("RES-07")
async def what_is_forgotten_is_told(world: World) -> None:
    epoch, _, oldest = await world.head()
    if oldest == 1:
        raise Wait("the log has forgotten nothing yet: use a server that keeps few events")
    await _expect_refusal(world, f"{epoch}:{oldest - 2}", "expired")
    await _expect_refusal(world, f"{epoch}:0", "expired")


async def _expect_refusal(world: World, since: str, reason: str) -> None:
    """Not recovered for this reason, and live from the head."""
    async with world.client() as socket:
        command = {"action": "subscribe", "filters": ["pattern"], "since": since}
        data = (await socket.ask(command, "subscribed"))["data"]
        expect_equal((data["recovered"], data["reason"]), (False, reason), f"recovered and reason for {since}")
        expect_equal(data["replay"], None, "replay")
        made = await world.create("patterns")
        event = await world.event(socket, made["id"])
        expect(event["offset"] > data["offset"], "an event from before the head")


@check("RES-12")
async def what_is_lost_is_told_in_offsets(world: World) -> None:
    epoch, _, oldest = await world.head()
    asked = [("another:7", "epoch_changed", 1)]
    if oldest > 2:
        asked.append((f"{epoch}:{oldest - 2}", "expired", oldest - 1))
    for since, reason, first in asked:
        async with world.client() as socket:
            command = {"action": "subscribe", "filters": ["metrics"], "since": since}
            data = (await socket.ask(command, "subscribed"))["data"]
            gap = (await socket.next_of("system:gap"))["data"]
            expect_equal(
                (gap["from"], gap["to"], gap["reason"]), (first, data["offset"], reason), f"the gap after {since}"
            )
    async with world.client() as socket:
        await socket.ask({"action": "subscribe", "filters": [], "since": f"{epoch}:{2**63 - 1}"}, "subscribed")
        expect_equal(await world.before_pong(socket), [], "what follows a cursor from the future")


@check("RES-09")
async def a_time_is_a_start(world: World) -> None:
    project = new_name()
    jobs = await made_jobs(world, 1, project_id=project)
    await asyncio.sleep(0.01)
    jobs += await made_jobs(world, 3, project_id=project)
    wish = {"action": "subscribe", "filters": ["job"], "channels": [f"project:{project}"]}
    async with world.client() as socket:
        await socket.ask({**wish, "last": 4}, "subscribed")
        times = [frame["timestamp"] for frame in (await replayed(socket))[:-1]]
    for time in (times[1], times[0], "2100-01-01T00:00:00+01:00"):
        async with world.client() as socket:
            data = (await socket.ask({**wish, "from_time": time}, "subscribed"))["data"]
            expect_equal((data["recovered"], data["reason"]), (True, None), f"recovered and reason from {time}")
            events = (await replayed(socket))[:-1]
            seen = [frame["data"]["id"] for frame in events if frame["timestamp"] >= time]
            wanted = jobs[times.index(time) :] if time in times else []
            expect_equal(seen, wanted, f"what came from {time}")
            live = await made_jobs(world, 1, project_id=project)
            expect_equal((await socket.next_of("job:created"))["data"]["id"], live[0], "what follows live")
            jobs += live


@check("RES-10")
async def what_the_log_no_longer_has_is_told(world: World) -> None:
    _, _, oldest = await world.head()
    if oldest == 1:
        raise Wait("the log has forgotten nothing yet: use a server that keeps few events")
    for start in ({"last": 10_000}, {"from_time": "1970-01-01T00:00:00Z"}):
        async with world.client() as socket:
            data = (await socket.ask({"action": "subscribe", **start}, "subscribed"))["data"]
            expect_equal((data["recovered"], data["reason"]), (True, "too_far"), f"recovered and reason for {start}")
            expect_equal(data["replay"]["truncated"], True, "replay.truncated")
            events = (await replayed(socket))[:-1]
            expect(events and events[0]["offset"] <= oldest + 50, "what is kept did not follow")


@check("RES-11")
async def a_strict_start_is_kept_or_refused(world: World) -> None:
    epoch, head, oldest = await world.head()
    asked = [({"since": "another:7"}, "epoch_changed"), ({"since": f"{epoch}:{head + 1_000_000}"}, "future_cursor")]
    if oldest > 1:
        asked += [
            ({"since": f"{epoch}:{oldest - 2}"}, "expired"),
            ({"last": 10_000}, "too_far"),
            ({"from_time": "1970-01-01T00:00:00Z"}, "too_far"),
        ]
    async with world.client(filters=["pattern"]) as socket:
        for start, code in asked:
            socket.send({"action": "subscribe", "id": "s", "filters": ["material"], **start, "strict": True})
            data = (await socket.next_of("system:error", "system:subscribed"))["data"]
            expect_equal((data.get("code"), data["id"]), (code, "s"), f"code and id for {start}")
        made = await world.create("patterns")
        await world.event(socket, made["id"])
        command = {"action": "subscribe", "since": f"{epoch}:{head}", "strict": True}
        data = (await socket.ask(command, "subscribed"))["data"]
        expect_equal((data["recovered"], data["reason"]), (True, None), "recovered and reason of a start that is kept")


@check("RES-08")
async def without_a_start_it_is_live(world: World) -> None:
    await made_jobs(world, 1)
    async with world.client() as socket:
        data = (await socket.ask({"action": "subscribe", "filters": ["job"]}, "subscribed"))["data"]
        expect_equal([data[key] for key in ("recovered", "reason", "replay")], [None] * 3, "recovered, reason, replay")
        made = await made_jobs(world, 1)
        expect_equal((await socket.next_of("job:created"))["data"]["id"], made[0], "what came first")
