"""Lists, searches, filters, paging and statistics."""

from __future__ import annotations

import re

import httpx2

from .shops import FAMILIES, JOBS, PATTERNS, STORES, Shop, is_problem, make_family, make_job, make_pattern, pointers


def names(answer: httpx2.Response, plural: str = "patterns") -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()[plural]]


def next_of(answer: httpx2.Response) -> str | None:
    found = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers.get("link", ""))
    return found[1] if found else None


async def test_lists_show_the_newest_first_with_total_and_count(shop: Shop) -> None:
    for name in "abc":
        await shop.make(PATTERNS, make_pattern(name=name))

    answer = await shop.client.get(PATTERNS, params={"limit": 2})

    assert list(answer.json()) == ["success", "patterns", "total", "count"]
    assert names(answer) == ["c", "b"]
    assert (answer.json()["total"], answer.json()["count"]) == (3, 2)
    single = await shop.client.get(f"{PATTERNS}/{answer.json()['patterns'][0]['id']}")
    document = single.content.removeprefix(b'{"success":true,"pattern":').removesuffix(b"}")
    assert document in answer.content


async def test_empty_lists_are_lists(shop: Shop) -> None:
    for path, plural in ((PATTERNS, "patterns"), (JOBS, "joblogs"), (FAMILIES, "strip_families")):
        answer = await shop.client.get(path)
        assert answer.json() == {"success": True, plural: [], "total": 0, "count": 0}
        assert next_of(answer) is None


async def test_next_links_lead_through_everything_once(shop: Shop) -> None:
    for index in range(7):
        await shop.make(PATTERNS, make_pattern(name=f"n{index % 3}", metadata={"index": index}))

    for query in ("limit=2", "limit=3&sort=name", "limit=1&sort=-ring_count,name&q=n"):
        seen: list[int] = []
        url: str | None = f"{PATTERNS}?{query}"
        while url is not None:
            answer = await shop.client.get(url)
            assert answer.json()["total"] == 7
            seen += [item["metadata"]["index"] for item in answer.json()["patterns"]]
            url = next_of(answer)
            assert url is None or "after=" in url
        assert sorted(seen) == list(range(7))


async def test_sort_and_offset(shop: Shop) -> None:
    for name in "bca":
        await shop.make(PATTERNS, make_pattern(name=name))

    assert names(await shop.client.get(PATTERNS, params={"sort": "name"})) == ["a", "b", "c"]
    assert names(await shop.client.get(PATTERNS, params={"sort": "-name", "offset": 1})) == ["b", "a"]


async def test_field_filters_and_free_text(shop: Shop) -> None:
    await shop.make(PATTERNS, make_pattern(name="Rope", geometry={}, ring_count=1))
    await shop.make(PATTERNS, make_pattern(name="Diamond"))
    await shop.make(JOBS, make_job(status="failed", operator="Ana"))
    await shop.make(JOBS, make_job(status="running", progress=0.5))

    assert names(await shop.client.get(PATTERNS, params={"ring_count": 2})) == ["Diamond"]
    assert names(await shop.client.get(PATTERNS, params={"pattern_type": "generic"})) == ["Rope"]
    assert names(await shop.client.get(PATTERNS, params={"q": "rOP"})) == ["Rope"]
    assert (await shop.client.get(JOBS, params={"status": "error"})).json()["total"] == 1
    assert (await shop.client.get(JOBS, params={"progress": "0.5"})).json()["total"] == 1
    assert (await shop.client.get(JOBS, params={"operator": "Ana", "status": "running"})).json()["total"] == 0


async def test_bad_list_parameters_are_refused(shop: Shop) -> None:
    for path, query, pointer in (
        (PATTERNS, "limit=0", "/limit"),
        (PATTERNS, "limit=1001", "/limit"),
        (PATTERNS, "limit=x", "/limit"),
        (PATTERNS, "limit=%2B1", "/limit"),
        (PATTERNS, "limit=%D9%A1", "/limit"),
        (PATTERNS, "limit=1&limit=2", "/limit"),
        (PATTERNS, "offset=-1", "/offset"),
        (PATTERNS, "offset=99999999999999999999", "/offset"),
        (PATTERNS, "sort=color", "/sort"),
        (PATTERNS, "sort=", "/sort"),
        (PATTERNS, "after=nonsense", "/after"),
        (PATTERNS, "ring_count=many", "/ring_count"),
        (PATTERNS, "ring_count=1e400", "/ring_count"),
        (PATTERNS, f"q={'x' * 201}", "/q"),
        (JOBS, "status=done", "/status"),
        (JOBS, "progress=inf", "/progress"),
        (f"{JOBS}/filter/status/done", "", "/status"),
        (f"{PATTERNS}/filter/rings/many", "", "/ring_count"),
        (f"{PATTERNS}/search/name/{'x' * 201}", "", "/text"),
    ):
        answer = await shop.client.get(f"{path}?{query}")
        assert is_problem(answer, 422, "invalid"), query
        assert pointers(answer) == [pointer]


async def test_after_belongs_to_its_sort(shop: Shop) -> None:
    for name in "ab":
        await shop.make(PATTERNS, make_pattern(name=name))
    link = next_of(await shop.client.get(PATTERNS, params={"limit": 1}))
    assert link is not None

    assert is_problem(await shop.client.get(f"{link}&sort=name"), 422, "invalid")
    assert is_problem(await shop.client.get(f"{link}&offset=1"), 422, "invalid")


async def test_search_by_name_takes_wildcards_literally_unless_it_is_a_pattern(shop: Shop) -> None:
    for name in ("100% maple", "1000 maple", "a_b", "axb", "back\\slash", "Ärger"):
        await shop.make(PATTERNS, make_pattern(name=name))

    async def found(text: str) -> list[str]:
        answer = await shop.client.get(f"{PATTERNS}/search/name/{text}", params={"sort": "name"})
        assert list(answer.json()) == ["success", "patterns", "count"]
        assert answer.json()["count"] == len(answer.json()["patterns"])
        return names(answer)

    assert await found("100%25") == ["100% maple"]
    assert await found("a_b") == ["a_b"]
    assert await found("MAPLE") == ["100% maple", "1000 maple"]
    assert await found("%25a_b%25") == ["a_b", "axb"]
    assert await found("%5C") == ["back\\slash"]
    assert await found("%C3%A4rg") == ["Ärger"]
    assert await found("nothing") == []


async def test_published_filters(shop: Shop) -> None:
    family = await shop.make(FAMILIES, make_family(material_type="Maple"))
    pattern = await shop.make(PATTERNS, make_pattern())
    await shop.make(JOBS, make_job(pattern_id=pattern["id"], status="failed", job_type="glue_up"))
    await shop.make(JOBS, make_job())

    for path, plural, count in (
        (f"{PATTERNS}/filter/rings/2", "patterns", 1),
        (f"{PATTERNS}/filter/rings/3", "patterns", 0),
        (f"{JOBS}/filter/status/failed", "joblogs", 1),
        (f"{JOBS}/filter/status/error", "joblogs", 1),
        (f"{JOBS}/filter/status/pending", "joblogs", 1),
        (f"{JOBS}/filter/pattern/{pattern['id']}", "joblogs", 1),
        (f"{JOBS}/filter/pattern/nope", "joblogs", 0),
        (f"{JOBS}/filter/type/glue_up", "joblogs", 1),
        (f"{FAMILIES}/filter/material/mAPLE", "strip_families", 1),
        (f"{FAMILIES}/search/name/maple", "strip_families", 1),
    ):
        answer = await shop.client.get(path)
        assert list(answer.json()) == ["success", plural, "count"]
        assert (answer.json()["count"], len(answer.json()[plural])) == (count, count), path
    assert (await shop.client.get(f"{FAMILIES}/{family['id']}")).status_code == 200


async def test_statistics_of_an_empty_shop_are_zeros_and_nulls(shop: Shop) -> None:
    patterns = (await shop.client.get(f"{PATTERNS}/statistics")).json()
    jobs = (await shop.client.get(f"{JOBS}/statistics")).json()
    families = (await shop.client.get(f"{FAMILIES}/statistics")).json()

    assert patterns["statistics"] == {
        "total_count": 0,
        "avg_ring_count": None,
        "min_ring_count": None,
        "max_ring_count": None,
        "unique_families": 0,
    }
    assert jobs["statistics"] == {
        "total_count": 0,
        "completed_count": 0,
        "failed_count": 0,
        "running_count": 0,
        "pending_count": 0,
        "success_rate": None,
        "avg_duration": None,
        "unique_job_types": 0,
        "unique_patterns": 0,
    }
    assert families["statistics"] == {
        "total_count": 0,
        "unique_materials": 0,
        "avg_width_mm": None,
        "min_width_mm": None,
        "max_width_mm": None,
        "avg_thickness_mm": None,
        "material_counts": {},
    }


async def test_statistics_count(shop: Shop) -> None:
    for status in ("completed", "completed", "completed", "failed", "running"):
        await shop.make(JOBS, make_job(status=status))

    figures = (await shop.client.get(f"{JOBS}/statistics")).json()["statistics"]

    assert figures["total_count"] == 5
    assert figures["success_rate"] == 75.0


async def test_migration_status_names_no_path(shop: Shop) -> None:
    await shop.make(PATTERNS, make_pattern())

    answer = await shop.client.get(f"{STORES}/migration/status")

    assert answer.status_code == 200
    assert answer.json()["success"] is True
    assert str(shop.database.parent) not in answer.text


async def test_times_are_bounded_by_days_or_moments(shop: Shop) -> None:
    for day in (20, 21, 22):
        await shop.make(JOBS, make_job(id=f"j{day}", status="completed", end_time=f"2026-11-{day}T10:00:00Z"))
    await shop.make(JOBS, make_job(id="open"))

    async def found(**query: str) -> list[str]:
        answer = await shop.client.get(JOBS, params={"sort": "id", **query})
        assert answer.status_code == 200, answer.text
        ids = [job["id"] for job in answer.json()["joblogs"]]
        assert answer.json()["total"] == len(ids)
        return ids

    assert await found(end_time_from="2026-11-21", end_time_before="2026-11-22") == ["j21"]
    assert await found(end_time_from="2026-11-21T10:00:00.000Z") == ["j21", "j22"]
    assert await found(end_time_before="2026-11-21T12:00:00+02:00", status="completed") == ["j20"]
    assert await found(created_at_from="2000-01-01") == ["j20", "j21", "j22", "open"]
    answer = await shop.client.get(JOBS, params={"end_time_from": "yesterday"})
    assert is_problem(answer, 422, "invalid")
    assert pointers(answer) == ["/end_time_from"]
