"""Logging in, and what a credential is worth over HTTP."""

from __future__ import annotations

import logging
from pathlib import Path

import httpx2
import pytest

from rmos.auth.brake import FREE_FAILURES
from rmos.clock import later, utc_now
from tests.auth.shops import AUTH, PASSWORD, GuardedShop, bearer, claims_of, open_guarded_shop
from tests.web.shops import PATTERNS, TIMEOUT_S, is_problem, make_pattern, open_shop

NOBODY = {"required": True, "user": None, "role": None, "channels": None, "expires_at": None}


async def test_without_authentication_everybody_is_local(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        me = await shop.client.get(f"{AUTH}/me", headers=bearer("rmos_whatever"))
        login = await shop.client.post(f"{AUTH}/login", json={"user": "x", "password": "y"})

        expected = {"required": False, "user": "local", "role": "admin", "channels": None, "expires_at": None}
        assert me.json() == login.json() == {"success": True, "auth": expected}
        assert "set-cookie" not in login.headers
        assert is_problem(await shop.client.post(f"{AUTH}/token"), 409, "conflict")
        assert (await shop.client.post(f"{AUTH}/ticket")).status_code == 200


async def test_who_is_unknown_reads_nothing_but_who_they_are(guarded: GuardedShop) -> None:
    client = guarded.shop.client

    refused = await client.get(PATTERNS)

    assert is_problem(refused, 401, "unauthorized")
    assert refused.headers["www-authenticate"] == "Bearer"
    assert (await client.get(f"{AUTH}/me")).json() == {"success": True, "auth": NOBODY}
    for path in ("/health", "/healthz", "/readyz", "/docs", "/openapi.json", "/"):
        assert (await client.get(path)).status_code == 200


async def test_a_login_code_is_good_once_and_gives_a_strict_cookie(guarded: GuardedShop) -> None:
    code = guarded.access.login_codes.issue("admin")
    async with guarded.client() as browser, guarded.client() as thief:
        answer = await browser.post(f"{AUTH}/login", json={"code": code})
        again = await thief.post(f"{AUTH}/login", json={"code": code})

        assert answer.json()["auth"] | {"expires_at": None} == NOBODY | {"user": "admin", "role": "admin"}
        cookie = answer.headers["set-cookie"].lower()
        assert cookie.startswith("rmos_session=")
        assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/", "max-age="))
        assert "secure" not in cookie
        assert is_problem(again, 401, "unauthorized")
        assert (await browser.get(PATTERNS)).status_code == 200


async def test_a_password_logs_in_and_logging_out_ends_the_session(guarded: GuardedShop) -> None:
    await guarded.user("Zoë", "operator")
    async with guarded.client() as browser:
        assert is_problem(await guarded.log_in(browser, "Zoë", "wrong password"), 401, "unauthorized")
        assert (await guarded.log_in(browser, "Zoë")).status_code == 200
        secret = browser.cookies["rmos_session"]
        pattern = (await browser.post(PATTERNS, json=make_pattern())).json()["pattern"]
        token = (await browser.post(f"{AUTH}/token")).json()["token"]
        history = await browser.get(f"{PATTERNS}/{pattern['id']}/history")
        goodbye = await browser.post(f"{AUTH}/logout")

        assert history.json()["history"][0]["actor"] == "Zoë"
        assert goodbye.json()["auth"] == NOBODY
        assert "rmos_session" not in browser.cookies
    async with guarded.client(cookies={"rmos_session": secret}) as thief:
        assert is_problem(await thief.get(PATTERNS), 401, "unauthorized")
        assert is_problem(await thief.get(PATTERNS, headers=bearer(token)), 401, "unauthorized")


async def test_sessions_and_keys_outlive_a_restart(tmp_path: Path) -> None:
    async with open_guarded_shop(tmp_path) as guarded:
        secret, cookie = guarded.keys["viewer"], guarded.as_admin.cookies["rmos_session"]
        token = await guarded.token(secret)
    async with open_shop(tmp_path, auth="required") as shop:
        for headers in (bearer(secret), bearer(token), {"Cookie": f"rmos_session={cookie}"}):
            assert (await shop.client.get(PATTERNS, headers=headers)).status_code == 200


async def test_the_actor_of_a_key_is_its_name(guarded: GuardedShop) -> None:
    secret = guarded.keys["operator"]

    await guarded.shop.client.post(PATTERNS, json=make_pattern(), headers=bearer(secret))
    events = (await guarded.as_admin.get("/api/rmos/monitor/events")).json()["events"]

    assert [event["actor"] for event in events] == ["key:the-operator"]


async def test_a_token_is_worth_what_its_owner_is_until_that_changes(guarded: GuardedShop) -> None:
    await guarded.user("ben", "operator")
    async with guarded.client() as browser:
        await guarded.log_in(browser, "ben")
        token = (await browser.post(f"{AUTH}/token")).json()["token"]
    client = guarded.shop.client
    assert claims_of(token)["sub"] == "ben"
    assert (await client.post(PATTERNS, json=make_pattern(), headers=bearer(token))).status_code == 201

    await guarded.as_admin.patch(f"{AUTH}/users/ben", json={"role": "viewer"})

    assert is_problem(await client.get(PATTERNS, headers=bearer(token)), 401, "unauthorized")


@pytest.mark.parametrize("change", [{"disabled": True}, {"password": "another password"}, {"password": None}, None])
async def test_a_user_who_is_disabled_removed_or_has_another_password_is_out(
    guarded: GuardedShop, change: dict[str, object] | None
) -> None:
    await guarded.user("ben")
    async with guarded.client() as browser:
        await guarded.log_in(browser, "ben")
        assert (await browser.get(PATTERNS)).status_code == 200

        if change is None:
            assert (await guarded.as_admin.delete(f"{AUTH}/users/ben")).status_code == 200
        else:
            assert (await guarded.as_admin.patch(f"{AUTH}/users/ben", json=change)).status_code == 200

        assert is_problem(await browser.get(PATTERNS), 401, "unauthorized")
        assert is_problem(await guarded.log_in(browser, "ben"), 401, "unauthorized")


async def test_revoked_and_expired_keys_are_refused(guarded: GuardedShop) -> None:
    secret = await guarded.key("saw")
    (key,) = (k for k in (await guarded.as_admin.get(f"{AUTH}/keys")).json()["keys"] if k["name"] == "saw")
    client = guarded.shop.client
    assert (await client.get(PATTERNS, headers=bearer(secret))).status_code == 200

    assert (await guarded.as_admin.delete(f"{AUTH}/keys/{key['id']}")).status_code == 200

    assert is_problem(await client.get(PATTERNS, headers=bearer(secret)), 401, "unauthorized")
    past = {"name": "old", "role": "viewer", "expires_at": later(utc_now(), -1)}
    assert is_problem(await guarded.as_admin.post(f"{AUTH}/keys", json=past), 422, "invalid")


@pytest.mark.parametrize(
    "header",
    [
        b"Bearer",
        b"Bearer rmos_",
        b"Bearer rmos_\xff\xfe",
        b"Bearer \xc3\xa9\xc3\xa9.\xff.x",
        b"Basic YTpi",
        b"\xff",
        b"Bearer eyJhbGciOiJub25lIn0.e30.",
    ],
)
async def test_bad_authorization_is_refused_and_no_cookie_helps(guarded: GuardedShop, header: bytes) -> None:
    cookie = f"rmos_session={guarded.as_admin.cookies['rmos_session']}".encode()

    answer = await guarded.shop.client.get(PATTERNS, headers=[(b"Authorization", header), (b"Cookie", cookie)])

    assert is_problem(answer, 401, "unauthorized")


async def test_foreign_pages_may_not_log_in(guarded: GuardedShop) -> None:
    code = guarded.access.login_codes.issue("admin")
    for origin in ("null", "http://evil.example", "http://localhost.evil.example"):
        answer = await guarded.shop.client.post(f"{AUTH}/login", json={"code": code}, headers={"Origin": origin})
        assert is_problem(answer, 403, "foreign_origin")
    assert (await guarded.shop.client.post(f"{AUTH}/login", json={"code": code})).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"code": 5},
        {"user": "x"},
        {"user": "x", "password": None},
        {"code": "x", "user": "x", "password": "y"},
        {"user": ["x"], "password": "y"},
    ],
)
async def test_a_login_that_proves_nothing_is_invalid(guarded: GuardedShop, body: dict[str, object]) -> None:
    assert is_problem(await guarded.shop.client.post(f"{AUTH}/login", json=body), 422, "invalid")


async def test_guessing_is_braked_for_the_guessed_user_alone(guarded: GuardedShop) -> None:
    await guarded.user("ben")
    await guarded.user("cleo")
    async with guarded.client() as browser:
        for _ in range(FREE_FAILURES):
            assert is_problem(await guarded.log_in(browser, "ben", "wrong password"), 401, "unauthorized")

        braked = await guarded.log_in(browser, "ben")

        assert is_problem(braked, 429, "rate_limited")
        assert int(braked.headers["retry-after"]) >= 1
        assert (await guarded.log_in(browser, "cleo")).status_code == 200


async def test_no_secret_is_ever_logged(guarded: GuardedShop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await guarded.user("ben")
    code = guarded.access.login_codes.issue("admin")
    async with guarded.client() as browser:
        await guarded.log_in(browser, "ben", "wrong password")
        await guarded.log_in(browser, "ben")
        await browser.post(f"{AUTH}/login", json={"code": code})
        secret = await guarded.key("saw")
        ticket = (await browser.post(f"{AUTH}/ticket")).json()["ticket"]
        token = (await browser.post(f"{AUTH}/token")).json()["token"]
        session = browser.cookies["rmos_session"]

    ours = [record for record in caplog.records if record.name.startswith("rmos")]
    said = "\n".join(str(vars(record)) for record in ours)
    assert "logged in" in said
    assert "login refused" in said
    for hidden in (PASSWORD, "wrong password", code, secret, ticket, token, session):
        assert hidden not in said


async def test_a_cookie_is_secure_behind_tls(tmp_path: Path) -> None:
    async with open_guarded_shop(tmp_path, behind_proxy=True) as guarded:
        code = guarded.access.login_codes.issue("admin")
        transport = httpx2.ASGITransport(guarded.shop.app)
        async with httpx2.AsyncClient(
            transport=transport, base_url="https://shop.example", timeout=TIMEOUT_S
        ) as client:
            answer = await client.post(f"{AUTH}/login", json={"code": code})

    assert answer.status_code == 200, answer.text
    assert "secure" in answer.headers["set-cookie"].lower()
