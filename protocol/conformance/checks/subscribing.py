"""§6: what version 2 adds to subscribing."""

from __future__ import annotations

from rules import check, expect, expect_equal
from world import World, join, new_name, vectors

from .commands import put

_GAP = "system:gap"
SUBSCRIBED = {
    "filters",
    "channels",
    "types",
    "mode",
    "snapshot",
    "id",
    "epoch",
    "offset",
    "recovered",
    "reason",
    "replay",
}


@check("SUB-02")
async def ids_come_back(world: World) -> None:
    async with world.client() as socket:
        for vector in [v for v in vectors("commands.json") if "SUB-02" in v["rules"]][:25]:
            await put(socket, vector)
        answer = await socket.ask({"action": "subscribe"}, "subscribed")
        expect_equal(answer["data"]["id"], None, "data.id without an id")


@check("SUB-03")
async def channels_narrow(world: World) -> None:
    project, machine = new_name(), new_name()
    async with (
        world.client(filters=["job"], channels=[f"project:{project}", f"machine:{machine}"]) as narrow,
        world.client(filters=["pattern"], channels=[f"project:{project}"]) as other_category,
        world.client(filters=["job"], channels=None) as wide,
    ):
        both = await world.create("joblogs", project_id=project, machine_id=machine)
        foreign = await world.create("joblogs", project_id=new_name())
        neither = await world.create("joblogs")
        mine = await world.create("joblogs", machine_id=machine)
        for job in (both, foreign, neither, mine):
            await world.event(wide, job["id"])
        for job in (both, mine):
            expect_equal((await narrow.next_of("job:created"))["data"]["id"], job["id"], "what the narrow one saw")
        expect_equal(await world.before_pong(narrow), [], "what it saw besides")
        await world.silent(other_category)


@check("SUB-04")
async def a_star_asks_for_a_namespace(world: World) -> None:
    machine = new_name()
    async with (
        world.client(filters=["job"], channels=["machine:*"]) as every,
        world.client(filters=["job"], channels=[f"machine:{machine[:-1]}*", f"machin:{machine}"]) as none,
    ):
        for job in [await world.create("joblogs", machine_id=f"{machine}{suffix}") for suffix in ("", ":2", "*")]:
            await world.event(every, job["id"])
        await world.create("joblogs", project_id=machine)
        await world.silent(none)
    async with world.client() as socket:
        for vector in [v for v in vectors("commands.json") if "SUB-04" in v["rules"]]:
            await put(socket, vector)


@check("SUB-05")
async def channels_are_limited(world: World) -> None:
    async with world.client() as socket:
        for vector in [v for v in vectors("commands.json") if "SUB-05" in v["rules"]]:
            await put(socket, vector)


@check("SUB-06")
async def empty_lists_want_nothing(world: World) -> None:
    async with world.client(filters=[]) as no_filters, world.client(filters=["pattern"], channels=[]) as no_channels:
        await world.silent(no_filters, no_channels)


@check("SUB-07")
async def the_answer_says_what_is_in_force(world: World) -> None:
    epoch, head, _ = await world.head()
    async with world.client() as socket:
        command = {"action": "subscribe", "id": "s1", "filters": ["job"], "channels": ["project:p7", "machine:*"]}
        data = (await socket.ask(command, "subscribed"))["data"]
        expect(data.keys() >= SUBSCRIBED, f"data lacks {', '.join(sorted(SUBSCRIBED - data.keys()))}")
        expect_equal(sorted(data["channels"]), ["machine:*", "project:p7"], "data.channels")
        expect_equal((data["id"], data["epoch"]), ("s1", epoch), "id and epoch")
        expect(data["offset"] >= head, f"offset {data['offset']} is behind {head}")


@check("SUB-08")
async def unsubscribe_ends_it(world: World) -> None:
    async with world.client(filters=["all"]) as socket:
        answer = await socket.ask({"action": "unsubscribe"}, "subscribed")
        expect_equal((answer["data"]["filters"], answer["data"]["channels"]), ([], None), "filters and channels")
        await world.silent(socket)
        await socket.ask({"action": "subscribe", "filters": ["pattern"]}, "subscribed")
        await world.event(socket, (await world.create("patterns"))["id"])


@check("SUB-09")
async def snapshots_are_heard_on_no_channel(world: World) -> None:
    async with world.client() as socket, world.client(filters=["metrics"]) as witness:
        await socket.ask({"action": "subscribe", "filters": ["metrics"], "channels": ["machine:*"]}, "subscribed")
        await witness.next_of("metrics:snapshot")
        async with world.client(filters=["metrics"]) as later:
            await later.next_of("metrics:snapshot")
        types = [frame["type"] for frame in await world.before_pong(socket)]
        expect("metrics:snapshot" not in types, "a snapshot came")


@check("SUB-10")
async def types_narrow(world: World) -> None:
    project = new_name()
    ended = ["job:completed", "pattern:created"]
    async with (
        world.client(filters=["job"], channels=[f"project:{project}"], types=ended) as narrow,
        world.client(filters=["job"], types=["pattern:created"]) as never,
    ):
        job = await world.create("joblogs", project_id=project)
        await world.update("joblogs", job["id"], status="running")
        await world.update("joblogs", job["id"], status="completed")
        await world.create("patterns")
        frame = await narrow.next_of("job:completed", "job:created", "job:updated", "pattern:created")
        expect_equal((frame["type"], frame["data"]["id"]), ("job:completed", job["id"]), "what came")
        await world.silent(narrow, never)
    async with world.client() as socket:
        for vector in [v for v in vectors("commands.json") if "SUB-10" in v["rules"]]:
            await put(socket, vector)


@check("SUB-11", "SUB-12")
async def latest_leaves_out_only_what_is_superseded_and_says_how_much(world: World) -> None:
    epoch, head, _ = await world.head()
    project = new_name()
    job = await world.create("joblogs", project_id=project)
    for progress in (10, 20, 30, 40):
        await world.update("joblogs", job["id"], parameters={"progress": progress})
    await world.update("joblogs", job["id"], status="running")
    await world.update("joblogs", job["id"], status="completed")
    await world.settled()
    wish = {"action": "subscribe", "filters": ["job"], "channels": [f"project:{project}"], "since": f"{epoch}:{head}"}
    async with world.client() as socket:
        data = (await socket.ask({**wish, "mode": "latest"}, "subscribed"))["data"]
        expect_equal(data["mode"], "latest", "data.mode")
        seen, left_out = [], 0
        while (frame := await socket.next())["type"] != "system:caught_up":
            if frame["type"] == "system:conflated":
                report = frame["data"]
                left_out += report["count"]
                expect(head < report["from"] <= report["to"], f"the range is {report['from']} to {report['to']}")
            elif "offset" in frame:
                seen.append(frame)
        expect_equal(len(seen) + left_out, 7, "events that came and that were reported as left out, together")
        expect_equal((seen[0]["type"], seen[-1]["type"]), ("job:created", "job:completed"), "beginning and end")
        live = await world.create("joblogs", project_id=project)
        expect_equal((await world.event(socket, live["id"]))["type"], "job:created", "what follows live")


@check("LOG-09")
async def cursors_are_read_as_written(world: World) -> None:
    wanted = vectors("cursors.json")
    for first in range(0, len(wanted), 15):
        async with world.client() as socket:
            for vector in wanted[first : first + 15]:
                socket.send({"action": "subscribe", "filters": [], "since": join(vector["text"])})
                while (frame := await socket.next_of("system:subscribed", "system:error", "system:gap"))[
                    "type"
                ] == _GAP:
                    pass  # of the vector before
                answer = frame["data"].get("code", "accepted")
                expect_equal(answer, vector.get("error", "accepted"), f"the answer to {vector['name']!r}")
