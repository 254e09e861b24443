"""How long somebody may stay, by a clock that the test sets: the warning, the end, and a new credential before it."""

from __future__ import annotations

import asyncio
import json

import pytest

from rmos.auth import access
from rmos.auth.identity import Identity
from rmos.clock import Timestamp, later
from rmos.domain.access import Role
from rmos.errors import UnauthorizedError
from rmos.hub import doorkeeper
from rmos.protocol.close_codes import CloseCode
from tests.hub.fakes import NOON, RecordingSink, Shop, open_shop

END = later(NOON, 900)
"""When the first credential of everybody here ends."""


class SetClock:
    """Shows what it was set to."""

    def __init__(self) -> None:
        self.now: Timestamp = NOON

    def __call__(self) -> Timestamp:
        return self.now


class Credentials:
    """Knows whose each credential is; `known` may be changed."""

    def __init__(self, **known: Identity) -> None:
        self.known = known

    def bearer(self, token: str) -> Identity:
        try:
            return self.known[token]
        except KeyError:
            raise UnauthorizedError("unknown") from None

    def current(self, identity: Identity) -> Identity | None:
        return identity if identity in self.known.values() else None


def ben(expires_at: Timestamp, *, credential: str = "first") -> Identity:
    return Identity("ben", Role.VIEWER, None, expires_at, credential)


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is the test's, so nobody has to wait for the next look."""
    monkeypatch.setattr(doorkeeper, "LOOK_S", 0.001)


async def look_at(shop: Shop, clock: SetClock, time: Timestamp) -> None:
    """Set the clock, and let the doorkeeper look at it some times."""
    clock.now = time
    for _ in range(5):
        await asyncio.sleep(0.002)
    await shop.settle_ring()


def warnings(client: RecordingSink) -> list[Timestamp]:
    return [data["expires_at"] for data in client.system("token_expiring")]


def test_the_periods_keep_what_the_protocol_promises(monkeypatch: pytest.MonkeyPatch) -> None:
    """AUT-04 (at most 5 s late), AUT-05 (within a second)."""
    monkeypatch.undo()

    assert doorkeeper.WARNING_S == 60
    assert doorkeeper.LOOK_S <= 5
    assert access.POLL_S < 1


async def test_the_end_is_announced_60_s_before_and_kept() -> None:
    """AUT-04."""
    clock = SetClock()
    async with open_shop(clock=clock, authority=Credentials(first=ben(END))) as shop:
        client = shop.connect('{"action":"subscribe"}', identity=ben(END))

        await look_at(shop, clock, later(END, -61))
        too_early = warnings(client)
        await look_at(shop, clock, later(END, -60))
        warned = warnings(client)
        await look_at(shop, clock, later(END, -1))
        closed_before = client.closed_with
        await look_at(shop, clock, END)

        assert too_early == []
        assert warned == [END]
        assert closed_before is None
        assert client.closed_with is not None
        assert client.closed_with[0] == CloseCode.TOKEN_EXPIRED
        assert warnings(client) == [END], "it is said once"


async def test_a_version_1_client_is_not_warned_but_closed() -> None:
    """V1-16, AUT-04."""
    clock = SetClock()
    async with open_shop(clock=clock, authority=Credentials(first=ben(END))) as shop:
        client = shop.connect(is_v2=False, identity=ben(END))

        await look_at(shop, clock, later(END, -10))
        await look_at(shop, clock, END)

        assert warnings(client) == []
        assert client.closed_with is not None
        assert client.closed_with[0] == CloseCode.TOKEN_EXPIRED


async def test_who_comes_within_the_last_minute_is_warned_at_once() -> None:
    """AUT-04."""
    clock = SetClock()
    clock.now = later(END, -30)
    async with open_shop(clock=clock, authority=Credentials(first=ben(END))) as shop:
        client = shop.connect(identity=ben(END))

        assert warnings(client) == [END]
        await look_at(shop, clock, END)
        assert client.closed_with is not None


async def test_a_new_credential_moves_the_end_and_costs_no_event() -> None:
    """AUT-04."""
    clock, end = SetClock(), later(END, 900)
    second = ben(end, credential="second")
    async with open_shop(clock=clock, authority=Credentials(first=ben(END), second=second)) as shop:
        client = shop.connect('{"action":"subscribe"}', identity=ben(END))
        await look_at(shop, clock, later(END, -60))
        shop.write(1)
        shop.say(client, json.dumps({"action": "auth", "id": "a", "token": "second"}))
        shop.write(1)
        await look_at(shop, clock, later(END, 10))
        closed_at_the_old_end = client.closed_with
        await look_at(shop, clock, later(end, -60))
        await look_at(shop, clock, end)

        assert client.system("authenticated") == [{"id": "a", "user": "ben", "expires_at": end}]
        assert closed_at_the_old_end is None
        assert client.offsets() == [1, 2]
        assert warnings(client) == [END, end]
        assert client.closed_with is not None


async def test_one_that_goes_on_with_the_old_credential_ends_with_it_alone() -> None:
    """AUT-04: connections of one credential are looked after together, but each for itself."""
    clock = SetClock()
    second = ben(later(END, 900), credential="second")
    async with open_shop(clock=clock, authority=Credentials(first=ben(END), second=second)) as shop:
        renewed, other = (shop.connect(identity=ben(END)) for _ in range(2))
        shop.say(renewed, '{"action":"auth","token":"second"}')

        await look_at(shop, clock, END)

        assert renewed.closed_with is None
        assert other.closed_with is not None


async def test_who_may_no_longer_come_in_is_closed_as_soon_as_that_is_known() -> None:
    """AUT-05."""
    authority = Credentials(first=ben(END))
    async with open_shop(clock=SetClock(), authority=authority) as shop:
        client = shop.connect(identity=ben(END))
        before = client.closed_with

        authority.known.clear()
        shop.hub.review_access()

        assert before is None
        assert client.closed_with is not None
        assert client.closed_with[0] == CloseCode.UNAUTHORIZED
