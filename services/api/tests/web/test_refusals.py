"""Bad input: a problem that names field and reason, nothing stored, no event, and the next write works."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest

from .shops import FAMILIES, JOBS, PATTERNS, STORES, Shop, is_problem, make_pattern, pointers

JSON = {"Content-Type": "application/json"}
DEEP = b'{"name":"x","metadata":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}"
QUITE_DEEP = b'{"name":"x","ring_count":1,"metadata":' + b'{"a":' * 200 + b"1" + b"}" * 200 + b"}"

MALFORMED = {
    "no JSON": b"{name: x}",
    "nothing": b"",
    "cut off": b'{"name": "x"',
    "two values": b"{} {}",
    "NaN": b'{"name":"x","ring_count":1,"metadata":{"v":NaN}}',
    "Infinity": b'{"name":"x","ring_count":1,"metadata":{"v":-Infinity}}',
    "too large a number": b'{"name":"x","ring_count":1,"metadata":{"v":1e999}}',
    "invalid UTF-8": b'{"name":"\xff","ring_count":1}',
    "lone surrogate": b'{"name":"\\ud800","ring_count":1}',
    "raw surrogate": b'{"name":"\xed\xa0\x80","ring_count":1}',
    "byte order mark": b'\xef\xbb\xbf{"name":"x","ring_count":1}',
    "10,000 levels": DEEP,
}

INVALID: dict[str, tuple[str, bytes, list[str]]] = {
    "list": (PATTERNS, b"[]", [""]),
    "null": (PATTERNS, b"null", [""]),
    "text": (PATTERNS, b'"pattern"', [""]),
    "nothing given": (PATTERNS, b"{}", ["/name"]),
    "null name": (PATTERNS, b'{"name":null,"ring_count":1}', ["/name"]),
    "number as name": (PATTERNS, b'{"name":7,"ring_count":1}', ["/name"]),
    "empty name": (PATTERNS, b'{"name":"","ring_count":1}', ["/name"]),
    "long name": (PATTERNS, b'{"name":"%b","ring_count":1}' % (b"x" * 201), ["/name"]),
    "text as count": (PATTERNS, b'{"name":"x","ring_count":"3"}', ["/ring_count"]),
    "true as count": (PATTERNS, b'{"name":"x","ring_count":true}', ["/ring_count"]),
    "zero count": (PATTERNS, b'{"name":"x","ring_count":0}', ["/ring_count"]),
    "no count": (PATTERNS, b'{"name":"x"}', ["/ring_count"]),
    "count contradicts rings": (PATTERNS, b'{"name":"x","ring_count":2,"geometry":{"rings":[{}]}}', ["/ring_count"]),
    "list as geometry": (PATTERNS, b'{"name":"x","ring_count":1,"geometry":[]}', ["/geometry"]),
    "impossible ring": (
        PATTERNS,
        b'{"name":"x","geometry":{"rings":[{"radius_mm":45,"width_mm":-1}]}}',
        ["/geometry/rings/0/width_mm"],
    ),
    "unknown field": (PATTERNS, b'{"name":"x","ring_count":1,"nmae":"y"}', ["/nmae"]),
    "every fault at once": (PATTERNS, b'{"name":7,"ring_count":"3","x":1}', ["/name", "/ring_count", "/x"]),
    "200 levels": (PATTERNS, QUITE_DEEP, ["/metadata" + "/a" * 63]),
    "id with slash": (PATTERNS, b'{"id":"a/b","name":"x","ring_count":1}', ["/id"]),
    "id that is a word of the interface": (PATTERNS, b'{"id":"statistics","name":"x","ring_count":1}', ["/id"]),
    "unknown status": (JOBS, b'{"job_type":"slice","status":"done"}', ["/status"]),
    "null status": (JOBS, b'{"job_type":"slice","status":null}', ["/status"]),
    "bad time": (JOBS, b'{"job_type":"slice","start_time":"yesterday"}', ["/start_time"]),
    "ends before it starts": (
        JOBS,
        b'{"job_type":"slice","start_time":"2026-01-02T00:00:00Z","end_time":"2026-01-01T00:00:00Z"}',
        ["/end_time"],
    ),
    "progress over 1": (JOBS, b'{"job_type":"slice","progress":1.5}', ["/progress"]),
    "unknown reason": (JOBS, b'{"job_type":"slice","reason":"LAZY"}', ["/reason"]),
    "no width": (FAMILIES, b'{"name":"x","strip_thickness_mm":1,"material_type":"maple"}', ["/strip_width_mm"]),
    "zero width": (
        FAMILIES,
        b'{"name":"x","strip_width_mm":0,"strip_thickness_mm":1,"material_type":"maple"}',
        ["/strip_width_mm"],
    ),
}


async def assert_nothing_happened(shop: Shop) -> None:
    """No refusal left a trace, and a good request still works."""
    assert await shop.counts() == [0, 0, 0, 0]
    assert (await shop.client.post(PATTERNS, json=make_pattern())).status_code == 201
    assert await shop.counts() == [1, 0, 0, 1]


async def test_malformed_bodies_get_400(shop: Shop, subtests: pytest.Subtests) -> None:
    for name, body in MALFORMED.items():
        for path in (PATTERNS, f"{STORES}/bulk", f"{PATTERNS}/import"):
            with subtests.test(name, path=path):
                answer = await shop.client.post(path, content=body, headers=JSON)
                assert is_problem(answer, 400, "bad_request")
                assert "JSON" in answer.json()["detail"]

    await assert_nothing_happened(shop)


async def test_invalid_bodies_get_422_with_pointers(shop: Shop, subtests: pytest.Subtests) -> None:
    for name, (path, body, expected) in INVALID.items():
        with subtests.test(name):
            answer = await shop.client.post(path, content=body, headers=JSON)
            assert is_problem(answer, 422, "invalid")
            assert pointers(answer) == expected

    await assert_nothing_happened(shop)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_invalid_changes_are_refused(shop: Shop, method: str) -> None:
    created = await shop.client.post(PATTERNS, json=make_pattern())
    member = created.headers["location"]

    for body, status in (
        (b'{"name":null}', 422),
        (b'{"name":5}', 422),
        (b'{"ring_count":9}', 422),
        (b'{"id":"another"}', 422),
        (b'{"strip_family_id":"nope"}', 422),
        (b"[1]", 422),
        (b"{", 400),
    ):
        answer = await shop.client.request(method, member, content=body, headers=JSON)
        assert is_problem(answer, status, "invalid" if status == 422 else "bad_request")

    assert (await shop.client.get(member)).content == created.content
    assert await shop.event_types() == ["pattern:created"]


async def test_large_bodies_get_413(shop: Shop) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(300):
            yield b" " * 1024

    entity = b'{"name":"%b"}' % (b"x" * 256 * 1024)
    assert is_problem(await shop.client.post(PATTERNS, content=entity, headers=JSON), 413, "too_large")
    assert is_problem(await shop.client.post(PATTERNS, content=chunks(), headers=JSON), 413, "too_large")
    many = b'{"operations":["%b"]}' % (b"x" * 16 * 1024 * 1024)
    assert is_problem(await shop.client.post(f"{STORES}/bulk", content=many, headers=JSON), 413, "too_large")
    assert is_problem(await shop.client.post(f"{PATTERNS}/import", content=many, headers=JSON), 413, "too_large")

    await assert_nothing_happened(shop)


async def test_a_body_in_chunks_is_read_whole(shop: Shop) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for part in (b'{"name":', b'"in parts",', b'"ring_count":2}'):
            yield part

    answer = await shop.client.post(PATTERNS, content=chunks(), headers=JSON)

    assert answer.status_code == 201
    assert answer.json()["pattern"]["name"] == "in parts"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_what_a_foreign_form_could_send_gets_415(shop: Shop, content_type: str) -> None:
    answer = await shop.client.post(
        PATTERNS, content=b'{"name":"x","ring_count":1}', headers={"Content-Type": content_type}
    )

    assert is_problem(answer, 415, "unsupported_media_type")
    await assert_nothing_happened(shop)


async def test_unknown_paths_and_methods_are_problems(shop: Shop) -> None:
    html = {"Accept": "text/html,*/*"}
    for path in ("/api/nope", f"{STORES}/nope", "/api", f"{PATTERNS}/a/b/c", "/api/rmos/stores/%ED%A0%80"):
        assert is_problem(await shop.client.get(path, headers=html), 404, "not_found")
    assert is_problem(await shop.client.get("/no-such-file.js"), 404, "not_found")
    assert is_problem(await shop.client.post("/no/such/page", headers=html), 404, "not_found")

    answer = await shop.client.delete(PATTERNS)
    assert is_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, POST"
    answer = await shop.client.post(f"{PATTERNS}/x")
    assert is_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, PUT, PATCH, DELETE"


async def test_head_answers_as_get_without_a_body(shop: Shop) -> None:
    created = await shop.client.post(PATTERNS, json=make_pattern())

    answer = await shop.client.head(created.headers["location"])

    assert answer.status_code == 200
    assert answer.headers["etag"] == '"1"'
    assert answer.content == b""


async def test_unknown_parameters_are_refused_with_the_known_ones(shop: Shop) -> None:
    for method, path, accepted in (
        ("GET", PATTERNS, "limit, offset, after, sort, q"),
        ("GET", f"{PATTERNS}/x", "none is accepted here"),
        ("POST", PATTERNS, "none is accepted here"),
        ("PUT", f"{PATTERNS}/x", "none is accepted here"),
        ("DELETE", f"{PATTERNS}/x", "force"),
        ("GET", f"{PATTERNS}/statistics", "none is accepted here"),
        ("GET", f"{PATTERNS}/filter/rings/3", "limit"),
        ("GET", f"{PATTERNS}/export.csv", "q"),
        ("POST", f"{STORES}/bulk", "partial"),
        ("GET", "/api/rmos/monitor/events", "after, limit, filters, channels"),
    ):
        answer = await shop.client.request(
            method, path, params={"staus": "x"}, **({"json": {}} if method in ("POST", "PUT") else {})
        )
        assert is_problem(answer, 422, "invalid")
        assert pointers(answer) == ["/staus"]
        assert accepted in answer.json()["detail"]


async def test_a_fault_of_ours_is_told_once_and_tells_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr(type(shop.app.state.runtime.stores), "get", fail)

    answer = await shop.client.get(f"{PATTERNS}/x", headers={"X-Request-ID": "my-request.1"})

    assert is_problem(answer, 500, "internal")
    assert "secret" not in answer.text
    assert answer.headers["x-request-id"] == "my-request.1"
    failures = [record for record in caplog.records if record.exc_info]
    assert [record.__dict__["request_id"] for record in failures] == ["my-request.1"]


async def test_strange_request_ids_are_replaced(shop: Shop) -> None:
    for given in ("a" * 65, "a b", "<script>", ""):
        answer = await shop.client.get("/healthz", headers={"X-Request-ID": given})
        assert answer.headers["x-request-id"] != given
        assert len(answer.headers["x-request-id"]) == 16


async def test_a_client_that_hangs_up_harms_nobody(shop: Shop) -> None:
    async def half() -> AsyncIterator[bytes]:
        yield b'{"name":'
        raise ConnectionAbortedError

    with pytest.raises((ConnectionAbortedError, httpx2.HTTPError)):
        await shop.client.post(PATTERNS, content=half(), headers=JSON)

    await assert_nothing_happened(shop)
