"""A stretch of the log once more: paced by its timestamps, steered, beside a live stream that does not notice."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from rmos.auth.identity import Identity
from rmos.domain.access import Role
from tests.hub.fakes import EPOCH, NOON, MemoryLog, RecordingSink, open_shop


class Clock:
    """A clock that the test turns on."""

    def __init__(self) -> None:
        self.time = 0.0
        self._turned = asyncio.Event()

    def now(self) -> float:
        return self.time

    async def wait(self, interrupted: asyncio.Event, seconds: float) -> None:
        until = self.time + seconds
        while self.time < until and not interrupted.is_set():
            turned = self._turned
            waits = [asyncio.ensure_future(event.wait()) for event in (turned, interrupted)]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()

    async def turn(self, seconds: float) -> None:
        """Let time pass, and everybody do what is due."""
        await settle()
        self.time += seconds
        self._turned.set()
        self._turned = asyncio.Event()
        await settle()


async def settle() -> None:
    for _ in range(60):
        await asyncio.sleep(0)


def at(second: int) -> str:
    return f"2026-11-24T10:{second // 60:02}:{second % 60:02}.000Z"


def cursor(offset: int) -> str:
    return f"{EPOCH}:{offset}"


def a_log(*seconds: int, event_type: str = "job:updated") -> MemoryLog:
    """A log with an event at each of these seconds."""
    log = MemoryLog()
    for second in seconds:
        log.append(event_type, timestamp=at(second), channels=("project:p1",) if second % 2 else ())
    return log


def replay(**keys: object) -> str:
    return json.dumps({"action": "replay", **keys})


def replayed(client: RecordingSink) -> list[int]:
    """Offsets of the replayed events."""
    return [frame["offset"] for frame in client.frames() if frame.get("replay")]


def live(client: RecordingSink) -> list[int]:
    return [frame["offset"] for frame in client.frames() if "offset" in frame and "replay" not in frame]


def states(client: RecordingSink) -> list[tuple[str, int]]:
    return [(data["state"], data["offset"]) for data in client.system("replay")]


def errors(client: RecordingSink) -> list[str]:
    return [data["code"] for data in client.system("error")]


async def test_events_come_as_far_apart_as_they_happened_at_that_speed() -> None:
    clock = Clock()
    async with open_shop(a_log(0, 10, 20, 30), pace=clock) as shop:
        client = shop.connect(replay(**{"from": cursor(0)}, speed=5, id="r"))

        seen = []
        for _ in range(7):
            await clock.turn(1)
            seen.append(len(replayed(client)))

        assert seen == [1, 2, 2, 3, 3, 4, 4]
        assert states(client) == [("playing", 0), ("finished", 4)]
        assert {(data["id"], data["to"]) for data in client.system("replay")} == {("r", 4)}


async def test_a_replayed_frame_is_the_event_with_a_mark() -> None:
    async with open_shop(a_log(0)) as shop:
        client = shop.connect('{"action":"subscribe","last":1}')
        await settle()
        shop.say(client, replay(**{"from": cursor(0)}))
        await settle()

        (original,) = [frame for frame in client.frames() if "offset" in frame and "replay" not in frame]
        (again,) = [frame for frame in client.frames() if frame.get("replay")]
        assert again == original | {"replay": True}


async def test_the_highest_speed_is_what_the_client_takes() -> None:
    clock = Clock()
    async with open_shop(a_log(*range(0, 2000, 10)), pace=clock) as shop:
        for speed in (0, "max"):
            client = shop.connect(replay(**{"from": cursor(0)}, speed=speed))
            for _ in range(20):
                await settle()

            assert replayed(client) == list(range(1, 201))
            assert states(client) == [("playing", 0), ("finished", 200)]
            assert client.system("replay")[-1]["speed"] == "max"
            assert client.system("replay")[-1]["time"] == at(1990)


async def test_from_and_to_may_be_times_and_a_start_in_time_waits_for_its_first_event() -> None:
    clock = Clock()
    async with open_shop(a_log(0, 10, 20, 30), pace=clock) as shop:
        client = shop.connect(replay(**{"from": at(5)}, to=at(25)))

        await clock.turn(4)
        assert replayed(client) == []
        await clock.turn(1)
        assert replayed(client) == [2]
        await clock.turn(10)

        assert replayed(client) == [2, 3]
        assert states(client)[-1] == ("finished", 3)


async def test_a_long_wait_is_told() -> None:
    clock = Clock()
    async with open_shop(a_log(0, 5, 100), pace=clock) as shop:
        client = shop.connect(replay(**{"from": cursor(0)}, speed=2))

        await clock.turn(2.5)
        await clock.turn(10)

        assert [data["wait_s"] for data in client.system("replay")] == [0, 47.5]


async def test_a_paused_replay_stands_still_and_goes_on_where_it_stood() -> None:
    clock = Clock()
    async with open_shop(a_log(0, 10, 20), pace=clock) as shop:
        client = shop.connect(replay(**{"from": cursor(0)}))

        await clock.turn(4)
        shop.say(client, replay(pause=True, id=7))
        await clock.turn(100)
        assert replayed(client) == [1]
        shop.say(client, replay(pause=False))
        await clock.turn(5)
        assert replayed(client) == [1]
        await clock.turn(1)

        assert replayed(client) == [1, 2]
        (paused,) = [data for data in client.system("replay") if data["state"] == "paused"]
        assert (paused["id"], paused["time"]) == ("7", at(4))


async def test_a_replay_may_begin_paused() -> None:
    clock = Clock()
    async with open_shop(a_log(0, 10), pace=clock) as shop:
        client = shop.connect(replay(**{"from": cursor(0)}, pause=True))
        await clock.turn(100)
        assert (replayed(client), states(client)) == ([], [("paused", 0)])

        shop.say(client, replay(pause=False, speed="max"))
        await settle()

        assert replayed(client) == [1, 2]


async def test_the_speed_may_change_on_the_way() -> None:
    clock = Clock()
    async with open_shop(a_log(0, 10, 20), pace=clock) as shop:
        client = shop.connect(replay(**{"from": cursor(0)}))

        await clock.turn(5)
        shop.say(client, replay(speed=5))
        await clock.turn(1)
        assert replayed(client) == [1, 2]
        await clock.turn(2)

        assert replayed(client) == [1, 2, 3]


@pytest.mark.parametrize("place", [cursor(1), at(5)])
async def test_seeking_goes_back_and_forth(place: str) -> None:
    clock = Clock()
    async with open_shop(a_log(0, 10, 20, 30), pace=clock) as shop:
        client = shop.connect(replay(**{"from": cursor(0)}))
        await clock.turn(10)
        shop.say(client, replay(seek=cursor(3)))
        await clock.turn(10)
        assert replayed(client) == [1, 2, 4]

        shop.say(client, replay(**{"from": cursor(0)}, pause=True))
        await settle()
        shop.say(client, replay(seek=place, pause=False, speed="max"))
        await settle()

        assert replayed(client) == [1, 2, 4, 2, 3, 4]


async def test_the_live_stream_goes_on_beside_it_and_its_cursor_does_not_move() -> None:
    clock = Clock()
    async with open_shop(a_log(0, 10, 20), pace=clock) as shop:
        client = shop.connect('{"action":"subscribe"}', replay(**{"from": cursor(0)}))

        await clock.turn(10)
        shop.write(2)
        await clock.turn(10)

        assert replayed(client) == [1, 2, 3]
        assert live(client) == [4, 5]
        assert shop.hub.reached(client.subscriber) == 5


@pytest.mark.parametrize(
    ("keys", "offsets"),
    [
        ({}, [1, 2, 3, 4]),
        ({"filters": ["pattern"]}, [5]),
        ({"filters": ["all"]}, [1, 2, 3, 4, 5]),
        ({"channels": ["project:p1"]}, [2, 4]),
        ({"types": ["pattern:created"]}, [5]),
    ],
)
async def test_the_filter_is_that_of_the_subscription_unless_the_command_has_one(
    keys: dict[str, Any], offsets: list[int]
) -> None:
    log = a_log(0, 1, 2, 3)
    log.append("pattern:created")
    async with open_shop(log) as shop:
        client = shop.connect('{"action":"subscribe","filters":["job"]}')
        shop.say(client, replay(**{"from": cursor(0)}, speed="max", **keys))
        await settle()

        assert replayed(client) == offsets


async def test_nobody_is_replayed_what_they_may_not_hear() -> None:
    async with open_shop(a_log(0, 1, 2, 3)) as shop:
        client = shop.connect()
        client.subscriber.identity = Identity("guest", Role.VIEWER, frozenset({"project:*"}))
        shop.say(client, replay(**{"from": cursor(0)}, speed="max", filters=["all"]))
        await settle()

        assert replayed(client) == [2, 4]


async def test_a_new_replay_and_unsubscribe_and_stop_end_the_old_one() -> None:
    clock = Clock()
    async with open_shop(a_log(0, 10, 20), pace=clock) as shop:
        client = shop.connect()
        for number, ending in enumerate(
            (replay(**{"from": cursor(1)}, id="next"), '{"action":"unsubscribe"}', replay(stop=True))
        ):
            shop.say(client, replay(**{"from": cursor(0)}, id=f"r{number}"))
            await settle()
            shop.say(client, ending)
            await settle()

        ended = [data["id"] for data in client.system("replay") if data["state"] == "stopped"]
        assert ended == ["r0", "next", "r1", "r2"]
        before = len(replayed(client))
        await clock.turn(100)
        assert len(replayed(client)) == before


async def test_commands_are_answered_in_their_order() -> None:
    async with open_shop(a_log(0)) as shop:
        client = shop.connect(
            replay(**{"from": cursor(0)}, pause=True), '{"action":"state"}', '{"action":"ping"}', replay(stop=True)
        )
        await settle()

        names = [frame["type"].partition(":")[2] for frame in client.frames()][1:]
        assert names == ["replay", "snapshot", "pong", "replay"]


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({"from": "other1:0"}, "epoch_changed"),
        ({"from": cursor(9)}, "future_cursor"),
        ({"from": cursor(2), "to": "2999-01-01T00:00:00Z"}, "future_cursor"),
        ({"from": cursor(1)}, "expired"),
        ({"from": cursor(3), "to": cursor(2)}, "invalid_command"),
        ({"pause": True}, "invalid_command"),
    ],
)
async def test_what_cannot_be_replayed_is_refused(keys: dict[str, Any], code: str) -> None:
    log = a_log(0, 1, 2, 3)
    log.oldest = 3
    async with open_shop(log) as shop:
        client = shop.connect(replay(**keys))
        await settle()

        assert errors(client) == [code]
        assert states(client) == []


async def test_a_replay_that_retention_overtakes_says_so_and_stops() -> None:
    clock = Clock()
    async with open_shop(a_log(*range(0, 2000, 10)), pace=clock) as shop:
        client = shop.connect(replay(**{"from": cursor(0)}, pause=True))
        await settle()

        shop.log.oldest = 100
        shop.say(client, replay(pause=False))
        await settle()

        assert errors(client) == ["expired"]
        assert states(client)[-1] == ("stopped", 0)


async def test_a_client_that_takes_nothing_is_written_one_page_at_most() -> None:
    async with open_shop(a_log(*[0] * 1000)) as shop:
        client = shop.connect(replay(**{"from": cursor(0)}, speed="max"), capacity=2000)
        await settle()
        stuck = len(replayed(client))

        while states(client)[-1][0] != "finished":
            client.drain()
            await settle()

        assert 0 < stuck <= 64
        assert replayed(client) == list(range(1, 1001))


async def test_replays_of_full_clients_do_not_hold_up_the_live_stream() -> None:
    async with open_shop(a_log(*[0] * 1000)) as shop:
        listener = shop.connect('{"action":"subscribe"}')
        looking = shop.connect('{"action":"subscribe"}', replay(**{"from": cursor(0)}, speed="max"), capacity=100)
        await settle()
        assert looking.subscriber.is_paused

        shop.write(5)
        await settle()  # not one turn of the clock: a crowd that has just filled up would make the tick wait

        assert live(listener) == [1001, 1002, 1003, 1004, 1005]


async def test_a_client_that_leaves_ends_its_replay() -> None:
    clock = Clock()
    async with open_shop(a_log(0, 10, 20), pace=clock) as shop:
        client = shop.connect(replay(**{"from": cursor(0)}))
        await settle()
        count = len(client.writes)

        shop.hub.gone(client.subscriber)
        await clock.turn(100)

        assert len(client.writes) == count


async def test_there_are_not_more_replays_than_the_server_bears(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rmos.hub.time_travel.MAX_REPLAYS", 1)
    async with open_shop(a_log(0, 10), pace=Clock()) as shop:
        shop.connect(replay(**{"from": cursor(0)}))
        await settle()
        late = shop.connect(replay(**{"from": cursor(0)}))
        await settle()

        (error,) = late.system("error")
        assert (error["code"], error["temporary"]) == ("unavailable", True)


# --- the state ----------------------------------------------------------------------------------------------------


def a_shop_log(count: int) -> MemoryLog:
    log = MemoryLog()
    for number in range(count):
        log.append("job:created", key=f"job/{number:05}", version=1, data=b'{"id":"%05d"}' % number)
    return log


async def test_the_state_comes_in_pages_and_the_last_one_says_so() -> None:
    async with open_shop(a_shop_log(1200)) as shop:
        client = shop.connect('{"action":"state","id":"s"}')
        await settle()

        pages = client.system("snapshot")
        assert [len(page["joblogs"]) for page in pages] == [500, 500, 200]
        assert [page["is_last"] for page in pages] == [False, False, True]
        assert pages[0] | {"joblogs": 0} == {
            "id": "s",
            "at": {"offset": 1200, "cursor": cursor(1200), "time": NOON},
            "is_last": False,
            "patterns": [],
            "joblogs": 0,
            "strip_families": [],
        }


async def test_the_state_waits_for_a_slow_client_and_live_events_go_on() -> None:
    async with open_shop(a_shop_log(1200)) as shop:
        client = shop.connect('{"action":"subscribe"}', '{"action":"state"}', capacity=1000)
        await settle()
        assert len(client.system("snapshot")) == 1

        shop.write(1)
        while not client.system("snapshot")[-1]["is_last"] or not live(client):
            client.drain()
            await settle()

        assert [len(page["joblogs"]) for page in client.system("snapshot")] == [500, 500, 200]
        assert live(client) == [1201]


async def test_a_new_state_takes_the_place_of_the_old_one() -> None:
    async with open_shop(a_shop_log(1200)) as shop:
        client = shop.connect('{"action":"state","id":"a"}', capacity=1000)
        await settle()
        shop.say(client, json.dumps({"action": "state", "id": "b", "at": cursor(1)}))
        await settle()
        client.drain()
        await settle()

        assert [(page["id"], page["is_last"]) for page in client.system("snapshot")] == [("a", False), ("b", True)]


async def test_a_place_that_is_unknown_is_refused() -> None:
    log = a_shop_log(3)
    log.oldest = 3
    async with open_shop(log) as shop:
        for place, code in ((cursor(1), "expired"), (cursor(4), "future_cursor"), ("x:1", "epoch_changed")):
            client = shop.connect(json.dumps({"action": "state", "at": place, "id": 1}))
            await settle()

            assert errors(client) == [code]
            assert client.system("error")[0]["id"] == "1"
            assert not client.system("snapshot")
