"""The table of permissions, against the routes there really are and every role."""

from __future__ import annotations

import asyncio

import pytest
from starlette.routing import Mount, Route

from rmos.auth.identity import LOCAL, Identity
from rmos.auth.permissions import ACTIONS, ADMIN, NARROWED, OPEN, READ, ROUTES, WRITE, Rule, require
from rmos.domain.access import Role
from rmos.errors import ForbiddenError
from rmos.protocol.commands import ACTIONS as KNOWN_ACTIONS
from rmos.settings import Settings
from rmos.web.app import create_app
from rmos.web.guard import Guard, methods_of
from tests.auth.shops import GuardedShop, bearer
from tests.hub.fakes import MemoryLog
from tests.hub.fakes import open_shop as open_hub
from tests.web.shops import Shop

APP = create_app(Settings())
REAL = {
    f"{method} {route.path}": route
    for route in APP.router.routes
    if isinstance(route, Route | Mount)
    for method in methods_of(route)
}
RULES = {"open": OPEN, "narrowed": NARROWED, "read": READ, "write": WRITE, "admin": ADMIN}


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert set(REAL) == set(ROUTES)


def test_every_route_that_is_not_open_is_guarded() -> None:
    guarded = {name for name, route in REAL.items() if isinstance(route.app, Guard)}

    assert guarded == {name for name, rule in ROUTES.items() if rule != OPEN}


def test_every_action_of_the_monitor_has_a_row() -> None:
    assert set(ACTIONS) == set(KNOWN_ACTIONS)


async def test_an_action_without_a_row_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rmos.hub.hub.ACTIONS", {name: rule for name, rule in ACTIONS.items() if name != "ping"})
    async with open_hub(MemoryLog()) as shop:
        client = shop.connect('{"action":"ping","id":"p"}', '{"action":"subscribe"}')

    assert [(refusal["id"], refusal["code"]) for refusal in client.system("error")] == [("p", "forbidden")]
    assert client.system("pong") == []
    assert len(client.system("subscribed")) == 1


def test_what_changes_something_is_for_operators_and_admins_alone() -> None:
    reads = {"POST /api/analytics/advanced/predict"}
    own = {f"POST /api/rmos/auth/{what}" for what in ("login", "logout", "token", "ticket")}

    for name, rule in ROUTES.items():
        if not name.startswith("GET ") and name not in reads | own:
            assert rule in (WRITE, ADMIN), name
    for name, rule in ROUTES.items():
        if "/auth/users" in name or "/auth/keys" in name:
            assert rule == ADMIN, name


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("channels", [None, frozenset({"machine:cnc1"}), frozenset[str]()])
@pytest.mark.parametrize("name", RULES)
def test_roles_and_channels_decide(role: Role, channels: frozenset[str] | None, name: str) -> None:
    may = {
        "open": True,
        "narrowed": True,
        "read": channels is None,
        "write": channels is None and role is not Role.VIEWER,
        "admin": channels is None and role is Role.ADMIN,
    }[name]

    assert is_allowed(Identity("ana", role, channels), RULES[name]) is may


def test_what_has_no_rule_is_forbidden_to_everybody() -> None:
    assert not is_allowed(LOCAL, None)


def is_allowed(identity: Identity, rule: Rule | None) -> bool:
    try:
        require(identity, rule, "this")
    except ForbiddenError:
        return False
    return True


async def test_every_route_answers_every_role_as_the_table_says(guarded: GuardedShop) -> None:
    """Over HTTP, on the real server: nobody, each role, and each role limited to a channel."""
    callers = {None: None, **guarded.keys}
    for role in Role:
        callers[f"{role} limited"] = await guarded.key(f"limited-{role}", role, channels=["machine:cnc1"])

    for name, rule in ROUTES.items():
        if rule == OPEN:
            continue
        method, path = name.split(" ")
        statuses = await asyncio.gather(
            *(status_of(guarded.shop, method, filled(path), secret) for secret in callers.values())
        )
        for caller, status in zip(callers, statuses, strict=True):
            assert outcome(status) == expected(caller, rule), (name, caller)


async def status_of(shop: Shop, method: str, path: str, secret: str | None) -> int:
    """The status of the answer; its body may be a stream that never ends."""
    headers = bearer(secret) if secret else None
    async with shop.client.stream(method, path, headers=headers) as answer:
        return answer.status_code


def filled(path: str) -> str:
    """The path with something for each parameter: nothing of that exists."""
    return "/".join("nothing" if part.startswith("{") else part for part in path.split("/"))


def outcome(status: int) -> str:
    """What the guard decided: whatever else a route answers, it was reached."""
    return {401: "unknown", 403: "forbidden"}.get(status, "allowed")


def expected(caller: str | None, rule: Rule) -> str:
    if caller is None:
        return "unknown"
    role, _, limited = caller.partition(" ")
    identity = Identity("x", Role(role), frozenset({"machine:cnc1"}) if limited else None)
    return "allowed" if is_allowed(identity, rule) else "forbidden"
