"""`rmos demo`: a small shop that works by itself on a running server."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, Final

import httpx2
import typer
from rich.console import Console

from rmos.cli.address import Token, Url, authorization, server_url
from rmos.cli.demo.api import ANSWER_TIMEOUT_S, STORES, RefusedError, ShopApi, StoppedError
from rmos.cli.demo.shop import Shop
from rmos.cli.demo.simulation import Simulation
from rmos.cli.demo.view import View
from rmos.cli.failure import fail
from rmos.domain.entities import PATTERN
from rmos.domain.presets import PRESETS
from rmos.errors import StartupError

CLOSING_S: Final = 10.0
"""Seconds an absent server is waited for at the end, to give every job its end."""

_DESIGNS: Final = [{"name": preset.name, "geometry": preset.geometry} for preset in PRESETS]


def demo(
    url: Url = None,
    token: Token = None,
    seed: Annotated[int | None, typer.Option(help="Same seed, same sequence. Default: another one each time.")] = None,
    speed: Annotated[
        float, typer.Option(min=0.1, max=1_000_000, help="Shop minutes that pass in one real minute.")
    ] = 60.0,
    duration: Annotated[
        float | None, typer.Option(min=0, help="Seconds after which the shop closes. Default: Ctrl-C closes it.")
    ] = None,
) -> None:
    """Let a small shop work on a running server: orders, machines, glue, stock, mishaps."""
    try:
        server = server_url(url)
        seed = random.randrange(10**6) if seed is None else seed  # noqa: S311 -- a game, not a secret
        headers = authorization(token)
        asyncio.run(_run(server, headers, seed=seed, speed=speed, duration_s=duration))
    except (StartupError, StoppedError, RefusedError) as error:
        fail(str(error))


async def _run(server: str, headers: dict[str, str], *, seed: int, speed: float, duration_s: float | None) -> None:
    stop = asyncio.Event()
    view = View(Console(highlight=False, markup=False, soft_wrap=True), server, speed=speed)
    simulation = Simulation(speed=speed, stop=stop)
    async with httpx2.AsyncClient(base_url=server, headers=headers, trust_env=False) as client:
        await _require_rmos(client, server)
        api = ShopApi(client, stop=stop, outage=view.outage)
        shop = Shop(api, simulation, view, designs=_DESIGNS, seed=seed)
        with view, _stopping(stop):
            if duration_s is not None:
                asyncio.get_running_loop().call_later(duration_s, stop.set)
            view.happened("note", f"seed {seed}")
            try:
                await shop.open()
                await simulation.run()
            except StoppedError:
                pass  # the server is away; perhaps it comes back in time for the closing
            finally:
                await _close(shop, api)
    view.summary(shop.tally, shop_s=simulation.now_s, still_open=shop.open_jobs)
    if shop.open_jobs:
        raise typer.Exit(1)


async def _close(shop: Shop, api: ShopApi) -> None:
    """Give every open job its end; not for longer than `CLOSING_S` while the server is away."""
    too_late = asyncio.Event()
    asyncio.get_running_loop().call_later(CLOSING_S, too_late.set)
    api.stop_at(too_late)
    try:
        await shop.close()
    except StoppedError:
        return


async def _require_rmos(client: httpx2.AsyncClient, server: str) -> None:
    """Make sure of the server at once: later its absence is an outage, and waited for.

    Raises:
        StartupError: no RMOS answers there.
    """
    try:
        answer = await client.get(f"{STORES}/{PATTERN.path}", params={"limit": 1}, timeout=ANSWER_TIMEOUT_S)
        if answer.status_code in (401, 403):
            raise StartupError(f"{answer.json()['detail']}; --token takes the secret of `rmos token create`")
        if answer.is_success and PATTERN.plural in answer.json():
            return
    except httpx2.TransportError:
        raise StartupError(f"no server answers at {server}; start one with `rmos serve`") from None
    except (ValueError, TypeError):
        pass
    raise StartupError(f"what answers at {server} is not RMOS; name the right server with --url")


@contextmanager
def _stopping(stop: asyncio.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM set `stop`, so that a step is never cut in two; a second one ends at once."""
    loop = asyncio.get_running_loop()

    def handle(number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop.set)
        signal.signal(number, signal.default_int_handler)

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
