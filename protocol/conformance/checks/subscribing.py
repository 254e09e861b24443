"""§6: what version 2 adds to subscribing."""

from __future__ import annotations

from rules import check, expect, expect_equal
from world import World, join, new_name, vectors

from .commands import put

SUBSCRIBED = {"filters", "channels", "id", "epoch", "offset", "recovered", "reason", "replay"}


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


@check("LOG-09")
async def cursors_are_read_as_written(world: World) -> None:
    wanted = vectors("cursors.json")
    for first in range(0, len(wanted), 15):
        async with world.client() as socket:
            for vector in wanted[first : first + 15]:
                socket.send({"action": "subscribe", "filters": [], "since": join(vector["text"])})
                frame = await socket.next_of("system:subscribed", "system:error")
                answer = frame["data"].get("code", "accepted")
                expect_equal(answer, vector.get("error", "accepted"), f"the answer to {vector['name']!r}")
