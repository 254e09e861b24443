"""The schemas accept what the builders make and what vectors call right, and refuse the rest."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from jsonschema import Draft202012Validator

from rmos.domain.entities import JOBLOG
from rmos.domain.events import Category
from rmos.domain.jobs import STATUSES
from rmos.protocol.close_codes import CloseCode
from rmos.protocol.commands import CommandError
from rmos.protocol.messages import closing_frame, error_frame, event_frame, metrics_frame
from rmos.protocol.session import Refusal, ServerSession
from rmos.services import entities
from rmos.services.context import Context
from rmos.services.metrics import metrics_snapshot
from rmos.stores.sqlite import open_sqlite
from tests.hub.fakes import MemoryLog, open_shop
from tests.hub.test_sweep import until
from tests.protocol.schemas import documents, problems
from tests.protocol.test_frames import event_of
from tests.protocol.vectors import Vector, join, load, parameters

BEYOND_SCHEMA = {
    "since: 2^63": "a pattern for a largest number would be unreadable",
    "last: a whole number with a point": "JSON Schema counts 5.0 as an integer",
    "from_time: a thirteenth month": "a pattern that knows the calendar would be unreadable",
}
"""Vectors of commands that a schema cannot tell from good ones, and why."""


def is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


@pytest.mark.parametrize("name", list(documents()))
def test_schema_is_valid_and_named_by_its_file(name: str) -> None:
    document = documents()[name]

    Draft202012Validator.check_schema(document)

    assert document["$id"] == name
    assert document["title"]
    assert document["description"]


def test_every_frame_and_command_schema_is_part_of_the_whole() -> None:
    parts = {ref["$ref"] for whole in ("frame.json", "command.json") for ref in documents()[whole]["oneOf"]}

    assert parts == documents().keys() - {"frame.json", "command.json", "common.json"}


@pytest.mark.parametrize(
    "vector",
    [p for p in parameters("commands.json") if is_json(join(p.values[0]["raw"])) and p.id not in BEYOND_SCHEMA],
)
def test_command_schema_agrees_with_vector(vector: Vector) -> None:
    found = problems("command.json", orjson.loads(join(vector["raw"])))

    assert (found == []) == ("command" in vector), found


@pytest.mark.parametrize("vector", [p for p in parameters("server-frames.json") if p.values[0]["schema"]])
def test_frame_that_a_server_may_send_is_valid(vector: Vector) -> None:
    frame = orjson.loads(join(vector["raw"]))

    assert problems(vector["schema"], frame) == []
    assert problems("frame.json", frame) == []


@pytest.mark.parametrize(
    "vector",
    [
        p
        for p in parameters("server-frames.json")
        if p.values[0]["understood"]["kind"] == "malformed" and is_json(join(p.values[0]["raw"]))
    ],
)
def test_malformed_frame_is_refused(vector: Vector) -> None:
    assert problems("frame.json", orjson.loads(join(vector["raw"]))) != []


@pytest.mark.parametrize("vector", parameters("event-frame.json"))
def test_event_frame_is_valid(vector: Vector) -> None:
    frame = orjson.loads(event_frame(event_of(vector), vector["epoch"]))

    assert problems("event.json", frame) == []
    assert problems("frame.json", frame) == []


@pytest.mark.parametrize("vector", [v for v in load("commands.json") if "error" in v], ids=lambda v: v["name"])
def test_error_frame_is_valid(vector: Vector) -> None:
    refusal = ServerSession(is_v2=False, now=0).receive(join(vector["raw"]), 0)

    assert isinstance(refusal, Refusal)
    assert problems("system-error.json", orjson.loads(refusal.frame)) == []


def test_error_frame_that_asks_to_wait_is_valid() -> None:
    frame = error_frame(CommandError("unavailable", "the event log cannot be read just now", "s1"), retry_after=1)

    assert problems("system-error.json", orjson.loads(frame)) == []


@pytest.mark.parametrize("code", list(CloseCode), ids=lambda code: code.name)
def test_closing_frame_is_valid(code: CloseCode) -> None:
    frame = closing_frame(code, code.reason, reconnect=code.reconnects, retry_after=1)

    assert problems("system-closing.json", orjson.loads(frame)) == []


@pytest.mark.parametrize(("code", "reconnect"), [(4403, True), (4400, True), (4399, False), (4000, False)], ids=str)
def test_closing_frame_that_contradicts_its_range_is_refused(code: int, reconnect: bool) -> None:
    frame = closing_frame(code, "x", reconnect=reconnect)

    assert problems("system-closing.json", orjson.loads(frame)) != []


async def test_metrics_frame_is_valid(tmp_path: Path) -> None:
    statuses = documents()["metrics-snapshot.json"]["properties"]["data"]["properties"]["jobs"]["properties"][
        "by_status"
    ]
    now = "2026-11-24T10:00:05.000Z"
    context = Context("local", None, now)
    stores = await open_sqlite(tmp_path / "rmos.db", on_commit=lambda: None)
    await stores.write(
        lambda tx: entities.create(tx, JOBLOG, {"job_type": "slice", "status": "running", "machine_id": "m1"}, context)
    )

    frame = orjson.loads(metrics_frame(await metrics_snapshot(stores, now), now))
    await stores.close()

    assert len(frame["data"]["jobs"]["running"]) == 1
    assert problems("metrics-snapshot.json", frame) == []
    assert problems("frame.json", frame) == []
    assert sorted(statuses["required"]) == sorted(STATUSES)


async def test_every_frame_of_a_running_hub_is_valid() -> None:
    log = MemoryLog()
    for category in (Category.JOB, Category.PATTERN, Category.MATERIAL):
        log.append(f"{category}:updated", channels=("project:p7",))

    async with open_shop(log, heartbeat_s=0.05) as shop:
        client = shop.connect(
            '{"action":"subscribe","id":1,"filters":["job"],"channels":["project:*"],"last":10}',
            '{"action":"subscribe","filters":["job","material"],"since":"epoch1:1"}',
            '{"action":"subscribe","filters":["pattern"],"since":"gone:1"}',
            '{"action":"ping"}',
            '{"action":"ping","id":"p"}',
            '{"action":"dance"}',
            '{"action":"state"}',
            '{"action":"replay","from":"epoch1:0","speed":"max","filters":["all"]}',
            '{"action":"replay","from":"epoch1:0","pause":true}',
            '{"action":"unsubscribe"}',
        )
        await shop.settle()
        await until(lambda: client.system("heartbeat"))
        shop.hub.close_everyone(CloseCode.SHUTDOWN)

    kinds = {frame["type"] for frame in client.frames()}
    assert kinds >= {
        "system:connected",
        "system:subscribed",
        "system:caught_up",
        "system:pong",
        "system:error",
        "system:snapshot",
        "system:replay",
        "system:heartbeat",
        "system:closing",
        "job:updated",
        "material:updated",
    }
    for frame in client.frames():
        assert problems("frame.json", frame) == [], frame
