"""Events that programs make."""

from __future__ import annotations

import orjson
import pytest

from rmos.domain.entities import MAX_ENTITY_BYTES, JsonObject
from rmos.domain.events import Category, Event
from rmos.errors import InvalidError, TooLargeError
from rmos.services.custom import append_custom
from tests.services.support import Shop


async def append(shop: Shop, category: Category, name: str, data: JsonObject) -> Event:
    await shop.stores.write(lambda tx: append_custom(tx, category, name, data, shop.context))
    return (await shop.stores.log.read(0))[-1]


async def test_the_published_example_is_logged(shop: Shop):
    data: JsonObject = {"id": "job-123", "status": "custom", "message": "Custom event data"}

    event = await append(shop, Category.JOB, "custom_status", data)

    assert (event.type, event.key, event.version, event.channels) == ("job:custom_status", "job/job-123", None, ())
    assert orjson.loads(event.data) == data


@pytest.mark.parametrize("category", Category)
async def test_every_category_is_open_to_programs(shop: Shop, category: Category):
    event = await append(shop, category, "note", {"text": "hello"})

    assert (event.type, event.key) == (f"{category}:note", None)


async def test_it_is_heard_at_the_project_and_the_machine_it_names(shop: Shop):
    event = await append(shop, Category.METRICS, "machine_silent", {"machine_id": "cnc1", "project_id": 7, "id": 7})

    assert (event.channels, event.key) == (("machine:cnc1",), None)


@pytest.mark.parametrize(
    ("name", "data", "error"),
    [
        ("Bad Name", {}, InvalidError),
        ("", {}, InvalidError),
        ("ok", {"x": float("inf")}, InvalidError),
        ("ok", {"x": object()}, InvalidError),
        ("ok", {"x": "x" * MAX_ENTITY_BYTES}, TooLargeError),
    ],
)
async def test_what_cannot_be_logged_is_refused(shop: Shop, name: str, data: JsonObject, error: type[Exception]):
    with pytest.raises(error):
        await append(shop, Category.JOB, name, data)

    assert (await shop.stores.log.head()).offset == 0
