"""Pages of the event log."""

from __future__ import annotations

from typing import Any

from tests.streams import cloud_event_faults

from .shops import FAMILIES, JOBS, PATTERNS, Shop, is_problem, make_family, make_job, make_pattern, pointers

EVENTS = "/api/rmos/monitor/events"


async def page(shop: Shop, **params: Any) -> dict[str, Any]:
    answer = await shop.client.get(EVENTS, params=params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert list(body) == ["success", "events", "next", "head"]
    return body


async def test_an_empty_log_has_a_place_to_go_on_from(shop: Shop) -> None:
    first = await page(shop)
    assert first["events"] == []
    assert first["next"] == first["head"]

    await shop.make(PATTERNS, make_pattern())

    assert [event["offset"] for event in (await page(shop, after=first["next"]))["events"]] == [1]


async def test_pages_follow_each_other_without_gap_or_repeat(shop: Shop) -> None:
    for _ in range(5):
        await shop.make(PATTERNS, make_pattern())

    seen, after = [], {}
    for _ in range(4):
        body = await page(shop, limit=2, **after)
        seen += [event["offset"] for event in body["events"]]
        after = {"after": body["next"]}

    assert seen == [1, 2, 3, 4, 5]
    epoch = body["head"].partition(":")[0]
    assert body["head"] == f"{epoch}:5"
    assert body["next"] == body["head"]


async def test_events_are_frames_as_on_the_wire(shop: Shop) -> None:
    await shop.make(JOBS, make_job(project_id="p7"))

    (event,) = (await page(shop))["events"]

    assert list(event) == ["type", "data", "timestamp", "id", "offset", "channels", "key", "version", "actor"]
    assert event["type"] == "job:created"


async def test_types_narrow_to_exact_types(shop: Shop) -> None:
    await shop.make(JOBS, make_job())
    await shop.make(PATTERNS, make_pattern())
    await shop.make(FAMILIES, make_family())

    assert [e["offset"] for e in (await page(shop, types="job:created,material:created"))["events"]] == [1, 3]
    assert (await page(shop, types="job:failed"))["events"] == []

    assert pointers(await shop.client.get(EVENTS, params={"types": "jobs"})) == ["/types"]


async def test_filters_and_channels_narrow_and_the_cursor_still_moves(shop: Shop) -> None:
    await shop.make(JOBS, make_job(project_id="p7"))
    await shop.make(JOBS, make_job(machine_id="cnc1"))
    await shop.make(PATTERNS, make_pattern())
    await shop.make(FAMILIES, make_family())

    async def types(**params: str) -> list[str]:
        return [event["type"] for event in (await page(shop, **params))["events"]]

    assert await types(filters="job") == ["job:created", "job:created"]
    assert await types(filters="pattern,material") == ["pattern:created", "material:created"]
    assert await types(filters="all", channels="project:p7") == ["job:created"]
    assert await types(channels="machine:*,project:p7") == ["job:created", "job:created"]
    assert await types(filters="metrics") == []
    body = await page(shop, filters="metrics")
    assert body["next"] == body["head"]
    assert body["head"].endswith(":4")


async def test_bad_parameters_are_refused(shop: Shop) -> None:
    for params, pointer in (
        ({"filters": "jobs"}, "/filters"),
        ({"channels": "p7"}, "/channels"),
        ({"after": "7"}, "/after"),
        ({"after": "x:-1"}, "/after"),
        ({"after": f"x:{2**63}"}, "/after"),
        ({"limit": "0"}, "/limit"),
        ({"limit": "1001"}, "/limit"),
    ):
        answer = await shop.client.get(EVENTS, params=params)
        assert is_problem(answer, 422, "invalid"), params
        assert pointers(answer) == [pointer]


async def test_a_cursor_that_would_skip_events_is_refused(shop: Shop) -> None:
    head = (await page(shop))["head"]
    epoch = head.partition(":")[0]

    assert is_problem(await shop.client.get(EVENTS, params={"after": "other1:0"}), 409, "conflict")
    assert is_problem(await shop.client.get(EVENTS, params={"after": f"{epoch}:1"}), 409, "conflict")


async def test_cloud_events_come_as_a_batch_whose_link_goes_on(shop: Shop) -> None:
    for _ in range(3):
        await shop.make(PATTERNS, make_pattern())
    plain = (await page(shop))["events"]

    first = await shop.client.get(EVENTS, params={"format": "cloudevents", "limit": 2})
    rest = await shop.client.get(first.links["next"]["url"])
    end = await shop.client.get(rest.links["next"]["url"])

    assert {answer.headers["content-type"] for answer in (first, rest, end)} == {"application/cloudevents-batch+json"}
    events = first.json() + rest.json()
    assert [cloud_event_faults(event) for event in events] == [[], [], []]
    assert [event["id"] for event in events] == [event["id"] for event in plain]
    assert [event["data"] for event in events] == [event["data"] for event in plain]
    assert end.json() == []


async def test_an_unknown_format_is_refused(shop: Shop) -> None:
    answer = await shop.client.get(EVENTS, params={"format": "xml"})

    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == ["/format"]
