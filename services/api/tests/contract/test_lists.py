"""`Stores.page`: filters, search, order, and walks that meet each entity once."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import orjson
import pytest

from rmos.domain.entities import JOBLOG, PATTERN, STRIP_FAMILY, Kind
from rmos.errors import InvalidError
from rmos.stores.base import ListQuery, Stores
from tests.contract.builders import deleting, document, making, revision, saving


async def ids(stores: Stores, kind: Kind, **query: Any) -> list[str]:
    """Ids of the page, in its order."""
    page = await stores.page(kind, ListQuery(**{"where": {}} | query))
    return [orjson.loads(item)["id"] for item in page.items]


async def walk(stores: Stores, kind: Kind, **query: Any) -> list[str]:
    """Ids of all pages, by keyset."""
    found: list[str] = []
    after = None
    while True:
        page = await stores.page(kind, ListQuery(**{"where": {}} | query, after=after))
        found += [orjson.loads(item)["id"] for item in page.items]
        after = page.next
        if after is None:
            return found


async def test_items_are_the_stored_bytes(stores: Stores) -> None:
    fields = document(PATTERN, name="Ébène ⟂", note="spaced")
    await stores.write(saving(PATTERN, fields))

    page = await stores.page(PATTERN, ListQuery({}))

    assert page.items == [revision(PATTERN, fields).body]
    assert (page.total, page.next) == (1, None)


async def test_an_empty_list_has_no_next(stores: Stores) -> None:
    page = await stores.page(JOBLOG, ListQuery({"status": "held"}))

    assert (page.items, page.total, page.next) == ([], 0, None)


async def test_exact_filters_combine(stores: Stores) -> None:
    await stores.write(making(PATTERN, id="p"))
    await stores.write(making(JOBLOG, id="a", status="running", machine_id="cnc1", progress=0.5, pattern_id="p"))
    await stores.write(making(JOBLOG, id="b", status="running", machine_id="cnc2"))
    await stores.write(making(JOBLOG, id="c", status="held", machine_id="cnc1"))

    async def found(**where: Any) -> set[str]:
        return set(await ids(stores, JOBLOG, where=where))

    assert await found(status="running") == {"a", "b"}
    assert await found(status="running", machine_id="cnc1") == {"a"}
    assert await found(pattern_id=None) == {"b", "c"}
    assert await found(pattern_id="p") == {"a"}
    assert await found(progress=0.5) == {"a"}
    assert await found(status="Running") == set(), "a status is not free text"
    assert await found(id="c") == {"c"}


async def test_material_is_compared_without_case(stores: Stores) -> None:
    for entity_id, material in (("a", "Ébène"), ("b", "ÉBÈNE"), ("c", "maple")):
        await stores.write(making(STRIP_FAMILY, id=entity_id, material_type=material))

    assert set(await ids(stores, STRIP_FAMILY, where={"material_type": "ébène"})) == {"a", "b"}
    assert set(await ids(stores, STRIP_FAMILY, where={"material_type": "MAPLE"})) == {"c"}


async def test_name_is_matched_by_a_like_pattern_without_case(stores: Stores) -> None:
    for entity_id, name in (("a", "100% Rope"), ("b", "1000 ropes"), ("c", "Öl_rope"), ("d", "ölXrope")):
        await stores.write(making(PATTERN, id=entity_id, name=name))

    async def found(pattern: str) -> set[str]:
        return set(await ids(stores, PATTERN, name_like=pattern))

    assert await found("%rope%") == {"a", "b", "c", "d"}
    assert await found("%\\%%") == {"a"}
    assert await found("öl\\_%") == {"c"}
    assert await found("ÖL_rope") == {"c", "d"}
    assert await found("rope") == set()


async def test_free_text_is_literal_and_looks_into_every_text_field(stores: Stores) -> None:
    await stores.write(making(JOBLOG, id="a", operator="Jörg", machine_id="CNC-1"))
    await stores.write(making(JOBLOG, id="b", operator="x_y%z\\"))

    async def found(text: str) -> set[str]:
        return set(await ids(stores, JOBLOG, text=text))

    assert await found("JÖRG") == {"a"}
    assert await found("cnc") == {"a"}
    assert await found("slice") == {"a", "b"}
    assert await found("_") == {"b"}
    assert await found("%") == {"b"}
    assert await found("z\\") == {"b"}
    assert await found("2026") == set(), "times are no text"


async def test_a_change_moves_an_entity_to_its_new_place(stores: Stores) -> None:
    await stores.write(making(PATTERN, id="p", name="old", ring_count=2))
    await stores.write(saving(PATTERN, document(PATTERN, id="p", version=2, name="new", ring_count=5)))

    assert await ids(stores, PATTERN, where={"ring_count": 2}) == []
    assert await ids(stores, PATTERN, where={"ring_count": 5}) == ["p"]
    assert await ids(stores, PATTERN, text="old") == []
    assert await ids(stores, PATTERN, name_like="new") == ["p"]


async def test_the_default_order_is_newest_first(stores: Stores) -> None:
    for entity_id, created_at in (("a", "2026-01-01"), ("b", "2026-01-03"), ("c", "2026-01-02"), ("d", "2026-01-03")):
        await stores.write(making(PATTERN, id=entity_id, created_at=created_at))

    assert await ids(stores, PATTERN) == ["d", "b", "c", "a"]


JOBS = [
    ("a", None, "slice"),
    ("b", 2.5, "glue_up"),
    ("c", None, "glue_up"),
    ("d", 0.1 + 0.2, "slice"),
    ("e", 2.5, "slice"),
    ("f", 10.0, "batch"),
]

ORDERS: list[tuple[list[tuple[str, bool]], list[str]]] = [
    ([("duration_seconds", False)], ["d", "b", "e", "f", "a", "c"]),
    ([("duration_seconds", True)], ["f", "e", "b", "d", "c", "a"]),
    ([("job_type", False), ("duration_seconds", True)], ["f", "b", "c", "e", "d", "a"]),
    ([("job_type", True), ("duration_seconds", False), ("id", True)], ["d", "e", "a", "b", "c", "f"]),
    ([("id", True), ("job_type", False)], ["f", "e", "d", "c", "b", "a"]),
    ([], ["a", "b", "c", "d", "e", "f"]),
]


@pytest.mark.parametrize(("sort", "expected"), ORDERS)
async def test_order_is_total_with_nulls_last_and_a_walk_keeps_it(
    stores: Stores, sort: list[tuple[str, bool]], expected: list[str]
) -> None:
    for entity_id, duration, job_type in JOBS:
        await stores.write(making(JOBLOG, id=entity_id, duration_seconds=duration, job_type=job_type))

    assert await ids(stores, JOBLOG, sort=sort) == expected
    assert [x for n in range(6) for x in await ids(stores, JOBLOG, sort=sort, limit=1, offset=n)] == expected
    for limit in (1, 2, 3, 5, 6):
        assert await walk(stores, JOBLOG, sort=sort, limit=limit) == expected


async def test_names_sort_as_people_expect(stores: Stores) -> None:
    for entity_id, name in (("a", "beta"), ("b", "Alpha"), ("c", "alpha 2"), ("d", "Gamma")):
        await stores.write(making(PATTERN, id=entity_id, name=name))

    assert await walk(stores, PATTERN, sort=[("name", False)], limit=1) == ["b", "c", "a", "d"]


async def test_total_counts_all_matches_on_every_page(stores: Stores) -> None:
    for i in range(7):
        await stores.write(making(PATTERN, ring_count=1 + i % 2))

    first = await stores.page(PATTERN, ListQuery({"ring_count": 1}, limit=3))
    second = await stores.page(PATTERN, ListQuery({"ring_count": 1}, limit=3, after=first.next))

    assert [(len(p.items), p.total, p.next is None) for p in (first, second)] == [(3, 4, False), (1, 4, True)]


async def test_a_walk_meets_each_once_while_others_come_and_go(stores: Stores) -> None:
    before = [
        await stores.write(making(PATTERN, id=f"p{i:03}", created_at=f"2026-01-{1 + i // 10:02}")) for i in range(100)
    ]
    stop = asyncio.Event()

    async def disturb() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            await stores.write(making(PATTERN, id=f"new{number:05}", created_at=f"2026-01-{1 + number % 12:02}"))
            if number % 3 == 0:
                await stores.write(deleting(PATTERN, f"new{number:05}", 2))

    disturbing = asyncio.ensure_future(disturb())
    met = await walk(stores, PATTERN, limit=3)
    stop.set()
    await disturbing

    assert sorted(i for i in met if i in before) == sorted(before)
    assert len(met) == len(set(met))


def forged(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


DEFAULT_SORT = [["created_at", True], ["id", True]]


@pytest.mark.parametrize(
    "after",
    [
        "",
        "nonsense",
        "ä",
        "====",
        forged(5),
        forged([DEFAULT_SORT]),
        forged([DEFAULT_SORT, ["x"]]),
        forged([DEFAULT_SORT, ["x", "y", "z"]]),
        forged([DEFAULT_SORT, ["x", None]]),
        forged([DEFAULT_SORT, ["x", 5]]),
        forged([DEFAULT_SORT, [{}, "y"]]),
        forged([DEFAULT_SORT, "xy"]) + "!",
        forged([[["name", False], ["id", False]], ["x", "y"]]),
        forged([[["created_at", True], ["id", False]], ["x", "y"]]),
        forged([{"created_at": True}, ["x", "y"]]),
    ],
)
async def test_a_strange_after_is_refused(stores: Stores, after: str) -> None:
    with pytest.raises(InvalidError) as refused:
        await stores.page(PATTERN, ListQuery({}, after=after))

    assert refused.value.errors[0].pointer == "/after"


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"where": {"colour": "red"}}, "/colour"),
        ({"where": {"body": "x"}}, "/body"),
        ({"where": {"ring_count": "three"}}, "/ring_count"),
        ({"where": {"ring_count": True}}, "/ring_count"),
        ({"where": {"ring_count": 2**64}}, "/ring_count"),
        ({"where": {"name": ["x"]}}, "/name"),
        ({"sort": [("search_text", False)]}, "/sort"),
        ({"sort": [("name", False), ("name", True)]}, "/sort"),
        ({"sort": [("name", False), ("ring_count", True), ("version", True), ("pattern_type", True)]}, "/sort"),
        ({"name_like": "x" * 1001}, "/name"),
        ({"text": "x" * 1001}, "/q"),
        ({"offset": -1}, "/offset"),
        ({"offset": 2**63}, "/offset"),
    ],
)
async def test_a_bad_query_names_the_field(stores: Stores, query: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidError) as refused:
        await stores.page(PATTERN, ListQuery(**{"where": {}} | query))

    assert refused.value.errors[0].pointer == pointer


async def test_jobs_have_no_name_to_search(stores: Stores) -> None:
    with pytest.raises(InvalidError, match="no name"):
        await stores.page(JOBLOG, ListQuery({}, name_like="%x%"))


async def test_what_figures_lead_to_filters_and_sorts(stores: Stores) -> None:
    for entity_id, fields in (
        ("ended", {"status": "completed", "start_time": "2026-11-20", "end_time": "2026-11-23"}),
        ("endless", {"status": "failed", "start_time": "2026-11-21"}),
        ("timeless", {"status": "completed", "created_at": "2026-11-22"}),
        ("open", {"status": "running", "start_time": "2026-11-22"}),
        ("cancelled", {"status": "cancelled", "end_time": "2026-11-22"}),
    ):
        await stores.write(making(JOBLOG, id=entity_id, **fields))
    for entity_id, metadata in (("a", {"supplier": " Acme "}), ("b", {"supplier": 7}), ("c", {"supplier": " "})):
        await stores.write(making(STRIP_FAMILY, id=entity_id, metadata=metadata))

    assert await walk(stores, JOBLOG, sort=[("outcome_at", False)], limit=2) == [
        *("endless", "timeless", "ended"),
        *("cancelled", "open"),
    ]
    bounds = {"at_least": {"outcome_at": "2026-11-22"}, "below": {"outcome_at": "2026-11-24"}}
    assert await ids(stores, JOBLOG, sort=[("id", False)], **bounds) == ["ended", "timeless"]
    assert await ids(stores, STRIP_FAMILY, where={"supplier": "Acme"}) == ["a"]
    assert await ids(stores, STRIP_FAMILY, where={"supplier": None}, sort=[("id", False)]) == ["b", "c"]
