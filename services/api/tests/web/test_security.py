"""What other web pages may do in the browser of somebody who runs RMOS: nothing."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from rmos.settings import Settings
from rmos.web.origins import OriginPolicy

from .shops import PATTERNS, Shop, is_problem, make_pattern, open_shop

DEV = "http://localhost:5173"


def own(shop: Shop) -> str:
    return f"{shop.client.base_url.host}:{shop.client.base_url.port}"


async def test_foreign_hosts_are_refused_on_loopback(shop: Shop) -> None:
    for host in (
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "",
        "[::1",
        "a@b",
    ):
        for method in ("GET", "POST"):
            answer = await shop.client.request(method, PATTERNS, headers={"Host": host})
            assert is_problem(answer, 421, "misdirected")
    for host in (own(shop), "localhost", "LOCALHOST:8000", "127.0.0.1", "[::1]:8000"):
        assert (await shop.client.get(PATTERNS, headers={"Host": host})).status_code == 200


async def test_pages_of_foreign_origins_may_not_write(shop: Shop) -> None:
    pattern = await shop.make(PATTERNS, make_pattern())
    member = f"{PATTERNS}/{pattern['id']}"

    for origin in (
        "http://evil.example",
        "null",
        "http://localhost.evil.example",
        f"http://{own(shop)}.evil",
        "http://[",
        "",
    ):
        for method, path in (("POST", PATTERNS), ("PUT", member), ("PATCH", member), ("DELETE", member)):
            answer = await shop.client.request(method, path, json=make_pattern(), headers={"Origin": origin})
            assert is_problem(answer, 403, "foreign_origin")
            assert "access-control-allow-origin" not in answer.headers
    assert await shop.counts() == [1, 0, 0, 1]


async def test_own_pages_dev_pages_and_scripts_may_write(shop: Shop) -> None:
    for headers in ({}, {"Origin": f"http://{own(shop)}"}, {"Origin": f"https://{own(shop)}"}, {"Origin": DEV}):
        answer = await shop.client.post(PATTERNS, json=make_pattern(), headers=headers)
        assert answer.status_code == 201


async def test_dev_pages_may_read_answers_and_their_headers(shop: Shop) -> None:
    preflight = await shop.client.options(
        PATTERNS,
        headers={
            "Origin": DEV,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "content-type,if-match,idempotency-key",
        },
    )
    answer = await shop.client.post(PATTERNS, json=make_pattern(), headers={"Origin": DEV})
    refused = await shop.client.get(f"{PATTERNS}/x", headers={"Origin": DEV})

    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == DEV
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    assert "if-match" in preflight.headers["access-control-allow-headers"]
    for each in (answer, refused):
        assert each.headers["access-control-allow-origin"] == DEV
        assert "ETag" in each.headers["access-control-expose-headers"]
        assert "Origin" in each.headers["vary"]


async def test_preflights_of_foreign_pages_are_problems(shop: Shop) -> None:
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "PUT"}

    assert is_problem(await shop.client.options(PATTERNS, headers=headers), 403, "foreign_origin")


async def test_foreign_pages_cannot_read(shop: Shop) -> None:
    answer = await shop.client.get(PATTERNS, headers={"Origin": "http://evil.example"})

    assert "access-control-allow-origin" not in answer.headers


async def test_allowed_origins_may_write_and_name_hosts(tmp_path: Path) -> None:
    async with open_shop(tmp_path, allowed_origins=["https://shop.example"]) as shop:
        for host in ("shop.example", own(shop)):
            headers = {"Origin": "https://shop.example", "Host": host}
            answer = await shop.client.post(PATTERNS, json=make_pattern(), headers=headers)
            assert answer.status_code == 201
            assert answer.headers["access-control-allow-origin"] == "https://shop.example"


@pytest.mark.parametrize("path", ["/", "/docs", "/healthz", PATTERNS, f"{PATTERNS}/nope", "/api/nope", "/metrics"])
async def test_every_answer_has_strict_headers(shop: Shop, path: str) -> None:
    answer = await shop.client.get(path)

    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] in ("no-store", "no-cache")
    assert len(answer.headers["x-request-id"]) == 16


def test_a_server_for_the_network_answers_to_any_name_but_to_no_dev_page() -> None:
    policy = OriginPolicy.of(Settings(host="0.0.0.0"))  # noqa: S104 -- no socket is opened

    assert policy.is_host_allowed("shop.local:8000", "192.168.1.7")
    assert not policy.is_origin_allowed(DEV, "192.168.1.7:8000")
    assert policy.is_origin_allowed("http://192.168.1.7:8000", "192.168.1.7:8000")


def test_the_published_command_may_be_bound_to_the_network() -> None:
    """`uvicorn app.main:app --host 0.0.0.0` leaves the setting at loopback; the address of the connection counts."""
    policy = OriginPolicy.of(Settings())

    assert policy.is_host_allowed("192.168.1.7:8000", "192.168.1.7")
    assert not policy.is_host_allowed("evil.example", "127.0.0.1")
    assert not policy.is_host_allowed("evil.example", None)


def test_httpx_sends_the_headers_of_these_tests() -> None:
    """An empty `Host` would otherwise be replaced, and the test would prove nothing."""
    request = httpx2.Request("GET", "http://127.0.0.1/", headers={"Host": ""})

    assert request.headers["host"] == ""
