"""The reverse proxies that docs/how-to/let-others-in.md shows, run as it shows them.

Only addresses and certificates are replaced. Needs nginx and Caddy: `make check-proxies` says which is missing.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from rmos.protocol.commands import SUBPROTOCOL_V2
from tests.docs.pages import DOCS, blocks
from tests.processes import WAIT_S, Server

PAGE: Final = (DOCS / "how-to" / "let-others-in.md").read_text(encoding="utf-8")
NAME: Final = "rosettes.example"
CLIENT: Final = "127.0.0.5"
"""Where the clients of the test come from, so that they can be told from the proxy, which comes from 127.0.0.1."""
PATTERN: Final = {"name": "Rope", "ring_count": 1, "geometry": {}}
ADMIN_LINE: Final = "Admin token, shown this once: "

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")


@dataclass(frozen=True)
class Site:
    """A shop behind a proxy, as its visitors see it."""

    server: Server
    port: int
    trust: ssl.SSLContext
    token: str

    @property
    def origin(self) -> str:
        return f"https://{NAME}:{self.port}"

    def client(self, **headers: str) -> httpx2.AsyncClient:
        """A client that finds the name at the proxy, as a browser would by DNS."""
        transport = httpx2.AsyncHTTPTransport(verify=self.trust, local_address=CLIENT)
        return httpx2.AsyncClient(
            base_url=f"https://127.0.0.1:{self.port}",
            headers={"Host": f"{NAME}:{self.port}", **headers},
            transport=_Named(transport),
            timeout=WAIT_S,
        )

    def admin(self, **headers: str) -> httpx2.AsyncClient:
        return self.client(Authorization=f"Bearer {self.token}", **headers)

    @asynccontextmanager
    async def monitor(self, *, origin: str | None = None, **headers: str) -> AsyncIterator[ClientConnection]:
        """A WebSocket of a page of the shop, or of another one."""
        async with connect(
            f"wss://{NAME}:{self.port}/ws/monitor",
            host="127.0.0.1",
            port=self.port,
            ssl=self.trust,
            server_hostname=NAME,
            local_addr=(CLIENT, 0),
            origin=Origin(origin or self.origin),
            subprotocols=[Subprotocol(SUBPROTOCOL_V2)],
            additional_headers={"Authorization": f"Bearer {self.token}", **headers},
            proxy=None,
        ) as socket_:
            yield socket_


class _Named(httpx2.AsyncBaseTransport):
    """Asks for the certificate of the name though the address is a number."""

    def __init__(self, transport: httpx2.AsyncHTTPTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.extensions = {**request.extensions, "sni_hostname": NAME}
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        await self._transport.aclose()


def replaced(text: str, **by: str) -> str:
    """The example with each of these parts, which must be in it, replaced."""
    for part, other in by.items():
        assert part in text, part
        text = text.replace(part, other)
    return text


def nginx(folder: Path, port: int, upstream: str) -> list[str]:
    """The command that runs nginx with the example."""
    (example,) = blocks(PAGE, "nginx")
    site = replaced(
        example,
        **{
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            "/etc/ssl/rosettes.pem": str(folder / "cert.pem"),
            "/etc/ssl/rosettes.key": str(folder / "key.pem"),
            "127.0.0.1:8000": upstream,
        },
    )
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root; " if os.getuid() == 0 else ""  # whose folder it is; nobody else may look into it
    around = f"{user}pid {folder}/pid; events {{}} http {{ access_log off; {temporary}\n{site}\n}}"
    (folder / "nginx.conf").write_text(around, encoding="utf-8")
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr", "-g", "daemon off;"]


def caddy(folder: Path, port: int, upstream: str) -> list[str]:
    """The command that runs Caddy with the example."""
    (example,) = blocks(PAGE, "caddyfile")
    tls = f"https://{NAME}:{port} {{\n    bind 127.0.0.1\n    tls {folder}/cert.pem {folder}/key.pem"
    site = replaced(example, **{f"{NAME} {{": tls, "127.0.0.1:8000": upstream})
    around = "{\n    admin off\n    auto_https off\n}\n"
    (folder / "Caddyfile").write_text(around + site + "\n", encoding="utf-8")
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


PROXIES: Final[dict[str, Callable[[Path, int, str], list[str]]]] = {"nginx": nginx, "caddy": caddy}


@pytest.fixture(scope="module", params=PROXIES)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    name = str(request.param)
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    folder = tmp_path_factory.mktemp(name)
    make_certificate(folder)
    # Nothing but what is asked for is sent, so that nothing else can push a held back event through a buffer.
    server = Server(folder / "data", "--behind-proxy", RMOS_HEARTBEAT_S="600", RMOS_METRICS_INTERVAL_S="600")
    log = (folder / "proxy.log").open("wb")
    try:
        server.wait_until_ready()
        server.wait_until(lambda server: any(line.startswith(ADMIN_LINE) for line in server.lines), "token")
        token = next(line for line in server.lines if line.startswith(ADMIN_LINE)).removeprefix(ADMIN_LINE)
        port = free_port()
        command = PROXIES[name](folder, port, f"127.0.0.1:{server.port}")
        proxy = subprocess.Popen(
            command, stdout=log, stderr=log, env={"HOME": str(folder), "PATH": "/usr/sbin:/usr/bin"}
        )
        try:
            wait_for_port(port, proxy, folder / "proxy.log")
            yield Site(server, port, ssl.create_default_context(cafile=str(folder / "cert.pem")), token)
        finally:
            proxy.send_signal(signal.SIGTERM)
            proxy.wait(WAIT_S)
    finally:
        server.kill()
        log.close()


def make_certificate(folder: Path) -> None:
    made = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={NAME}"
    alternative = ["-addext", f"subjectAltName=DNS:{NAME}"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(["openssl", *made.split(), *alternative, *files], check=True, capture_output=True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def wait_for_port(port: int, proxy: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert proxy.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
            time.sleep(0.05)


async def frame(connection: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(WAIT_S):
        return dict(json.loads(await connection.recv()))


async def add_pattern(site: Site) -> str:
    """Create one through the proxy, as a page of the shop does."""
    async with site.admin(Origin=site.origin) as client:
        answer = await client.post("/api/rmos/stores/patterns", json=PATTERN)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["pattern"]["id"])


async def peers(site: Site) -> set[str]:
    """Addresses of who is connected to the monitor, without ports."""
    async with site.admin() as client:
        listed = (await client.get("/api/rmos/monitor/connections")).json()["connections"]
        return {one["peer"].rpartition(":")[0] or one["peer"] for one in listed}


async def test_the_app_is_there_and_asks_who_one_is(site: Site) -> None:
    async with site.client() as client:
        page = await client.get("/")
        refused = await client.get("/api/rmos/stores/patterns")
        me = (await client.get("/api/rmos/auth/me")).json()["auth"]

    assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (200, "text/html")
    assert "content-security-policy" in page.headers
    assert refused.status_code == 401
    assert me["required"] is True


async def test_the_server_knows_that_the_page_came_over_tls(site: Site) -> None:
    async with site.admin() as admin, site.client(Origin=site.origin) as browser:
        user = {"name": f"ben{site.port}", "role": "viewer", "password": "correct horse battery"}
        assert (await admin.post("/api/rmos/auth/users", json=user)).status_code == 201
        login = {"user": user["name"], "password": user["password"]}
        answer = await browser.post("/api/rmos/auth/login", json=login)

    assert answer.status_code == 200, answer.text
    assert "secure" in answer.headers["set-cookie"].lower()


async def test_a_websocket_of_a_page_of_the_shop_brings_events(site: Site) -> None:
    async with site.monitor() as monitor:
        assert (await frame(monitor))["type"] == "system:connected"
        await monitor.send('{"action":"subscribe","filters":["pattern"]}')
        assert (await frame(monitor))["type"] == "system:subscribed"

        made = await add_pattern(site)

        event = await frame(monitor)
        assert (event["type"], event["data"]["id"]) == ("pattern:created", made)


async def test_foreign_pages_may_neither_listen_nor_write(site: Site) -> None:
    async with (
        site.monitor(origin="https://evil.example") as monitor,
        site.admin(Origin="https://evil.example") as page,
    ):
        farewell = await frame(monitor)
        with pytest.raises(ConnectionClosed):
            await frame(monitor)
        written = await page.post("/api/rmos/stores/patterns", json=PATTERN)

    assert (farewell["type"], farewell["data"]["code"]) == ("system:closing", 4403)
    assert written.status_code == 403


async def test_a_stream_is_not_held_back(site: Site) -> None:
    async with (
        site.admin(Accept="text/event-stream") as client,
        client.stream("GET", "/sse/monitor", params={"filters": "pattern"}) as stream,
        asyncio.timeout(WAIT_S),
    ):
        lines = stream.aiter_lines()
        assert "system:subscribed" in await anext(line async for line in lines if line.startswith("data:"))

        made = await add_pattern(site)

        assert made in await anext(line async for line in lines if line.startswith("data:"))
    assert stream.headers["content-type"].startswith("text/event-stream")


async def test_the_server_sees_where_clients_come_from_and_believes_nobody_else(site: Site) -> None:
    forged = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X-Real-IP": "203.0.113.9"}
    async with (
        site.monitor(**forged) as monitor,
        site.admin(**forged) as client,
        client.stream("GET", "/sse/monitor") as stream,
    ):
        await frame(monitor)
        assert stream.status_code == 200

        assert await peers(site) == {CLIENT}


async def test_what_the_server_takes_the_proxy_takes_too(site: Site) -> None:
    """Proxies have limits of their own; nginx refuses more than 1 MiB unless it is told otherwise."""
    operation = {"op": "create", "entity": "pattern", "data": {**PATTERN, "metadata": {"text": "x" * 200_000}}}
    async with site.admin(Origin=site.origin) as client:
        answer = await client.post("/api/rmos/stores/bulk", json={"operations": [operation] * 20})

    assert answer.status_code == 200, answer.text[:300]
