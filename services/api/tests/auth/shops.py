"""A shop in which everybody has to log in, with somebody of each role."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from rmos.auth.access import Access
from rmos.domain.access import Role
from tests.web.shops import TIMEOUT_S, Shop, open_shop

AUTH = "/api/rmos/auth"
PASSWORD = "correct horse battery"  # noqa: S105 -- of people who exist only here


class GuardedShop:
    """A shop, and a key for each role. `as_admin` is the admin's client; `shop.client` is nobody's."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.keys: dict[str, str] = {}
        self.as_admin: httpx2.AsyncClient

    @property
    def access(self) -> Access:
        access: Access = self.shop.app.state.runtime.access
        return access

    @property
    def url(self) -> str:
        return str(self.shop.client.base_url).rstrip("/")

    @property
    def monitor_url(self) -> str:
        return f"ws{self.url.removeprefix('http')}/ws/monitor"

    def client(self, **options: Any) -> httpx2.AsyncClient:
        """A client of its own: cookies are not shared."""
        return httpx2.AsyncClient(base_url=self.url, timeout=TIMEOUT_S, **options)

    async def key(self, name: str, role: str = "viewer", **fields: Any) -> str:
        """The secret of a new key."""
        answer = await self.as_admin.post(f"{AUTH}/keys", json={"name": name, "role": role, **fields})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["secret"])

    async def user(self, name: str, role: str = "viewer", **fields: Any) -> None:
        """A new user with `PASSWORD`."""
        body = {"name": name, "role": role, "password": PASSWORD, **fields}
        answer = await self.as_admin.post(f"{AUTH}/users", json=body)
        assert answer.status_code == 201, answer.text

    async def log_in(self, client: httpx2.AsyncClient, name: str, password: str = PASSWORD) -> httpx2.Response:
        return await client.post(f"{AUTH}/login", json={"user": name, "password": password})

    async def token(self, secret: str) -> str:
        """A signed token of whoever has this key."""
        answer = await self.shop.client.post(f"{AUTH}/token", headers=bearer(secret))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def subprotocol(secret: str) -> str:
    return "bearer." + base64.urlsafe_b64encode(secret.encode()).decode().rstrip("=")


def claims_of(token: str) -> dict[str, Any]:
    """What a token says, without looking at its signature."""
    part = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


@asynccontextmanager
async def open_guarded_shop(folder: Path, **settings: Any) -> AsyncIterator[GuardedShop]:
    """Serve it, and make a key for each role."""
    async with open_shop(folder, auth="required", **settings) as shop:
        guarded = GuardedShop(shop)
        code = guarded.access.login_codes.issue(await _admin(shop))
        async with guarded.client() as client:
            guarded.as_admin = client
            answer = await client.post(f"{AUTH}/login", json={"code": code})
            assert answer.status_code == 200, answer.text
            for role in Role:
                guarded.keys[role] = await guarded.key(f"the-{role}", role)
            yield guarded


async def _admin(shop: Shop) -> str:
    from rmos.services.access import admin_who_logs_in

    runtime = shop.app.state.runtime
    name = await runtime.stores.write(lambda tx: admin_who_logs_in(tx, runtime.clock()))
    await runtime.access.refresh()
    return str(name)
