"""Hostile messages over the monitor and over REST: each gets a clear answer, none a fault, and nobody else notices.

    python -m soak.fuzz [--messages 50000] [--seed 1]

Half of them are WebSocket messages, valid commands with all their keys, mutated; half are requests. `5xx` counts
answers from 500 up, closes with 1011 or 4500, and what the server logged as its own fault. `answers` are statuses, and
close codes of connections with some messages each. A polite client listens all along.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2

from soak.checker import Evidence, Violation, violations
from soak.hostile import mutated, nonsense
from soak.journal import Heard
from soak.listener import Listener, client_frame, hang_up
from soak.load import post_patterns
from soak.report import finish, parser_of
from soak.servers import Nursery, Place, Served
from soak.writers import STORES, client_for

TALKERS: Final = 4
MESSAGES_EACH: Final = 19
"""Of a connection, and rarely more than half a second of its allowance: it is closed at the twentieth bad one."""
_TEXT, _BINARY, _CLOSE = 1, 2, 8
_PATIENCE_S: Final = 30.0

COMMANDS: Final[tuple[dict[str, Any], ...]] = (
    {"action": "ping", "id": "p"},
    {"action": "subscribe", "filters": ["job", "pattern"]},
    {
        "action": "subscribe",
        "id": "s",
        "filters": ["all"],
        "channels": ["machine:*", "project:p7"],
        "types": ["job:created"],
        "since": "abcdef:7",
        "mode": "latest",
        "snapshot": True,
        "strict": True,
    },
    {"action": "subscribe", "filters": ["metrics"], "last": 10},
    {"action": "subscribe", "from_time": "2026-11-24T10:00:00Z"},
    {"action": "unsubscribe", "id": 7},
    {"action": "state", "id": "t", "at": "abcdef:3"},
    {"action": "replay", "id": "r", "from": "abcdef:0", "to": "abcdef:9", "speed": 10, "pause": False, "seek": None},
    {"action": "auth", "token": "eyJhbGciOiJub25lIn0.e30."},
)
_RING: Final = {"width_mm": 3, "pattern": "rope", "strips": [{"species": "maple", "width_mm": 0.6}]}
ENTITIES: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("patterns", {"name": "Torres", "ring_count": 1, "geometry": {"rings": [_RING], "soundhole_diameter_mm": 84}}),
    ("joblogs", {"job_type": "slice", "status": "pending", "machine_id": "cnc1", "parameters": {"speed": 3}}),
    ("joblogs", {"job_type": "cnc", "start_time": "2026-11-24T10:00:00Z", "duration_seconds": 4.5, "results": {}}),
    (
        "strip-families",
        {"name": "Rope", "strip_width_mm": 1, "strip_thickness_mm": 1, "material_type": "maple", "strips": []},
    ),
    ("bulk", {"operations": [{"op": "create", "entity": "pattern", "data": {"name": "n", "ring_count": 1}}]}),
    ("patterns/import", {"patterns": [{"name": "n", "ring_count": 1}]}),
)
PATHS: Final = (
    "/api/rmos/monitor/events?after={}",
    "/api/rmos/monitor/events?limit={}&filters={}",
    f"{STORES}/patterns?sort={{}}&limit={{}}&after={{}}",
    f"{STORES}/joblogs?status={{}}",
    f"{STORES}/patterns/{{}}",
    f"{STORES}/joblogs/{{}}/history",
    "/api/analytics/jobs/success-trends?days={}",
    "/ws/monitor?since={}",
)


@dataclass(slots=True)
class Seen:
    """What the messages got.

    Attributes:
        answers: How often each status or close code came; 0 stands for an end without a close frame.
        faults: Of the server, a sentence each.
    """

    answers: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    crashes: int = 0
    found: list[Violation] = field(default_factory=list)


async def run(place: Place, *, messages: int, seed: int) -> Seen:
    """Send so many, from several places at once."""
    seen = Seen()
    server = await place.serve()
    polite = Listener(Heard("the polite one"))
    await polite.connect(server.port)
    await polite.until(lambda: polite.is_open)
    shares = [messages // TALKERS + (number < messages % TALKERS) for number in range(TALKERS)]
    try:
        async with client_for(server.url) as client, asyncio.TaskGroup() as tasks:
            for number, share in enumerate(shares):
                chance = random.Random(seed * 1000 + number)  # noqa: S311  # what to send, not a secret
                if number % 2:
                    tasks.create_task(_over_rest(client, chance, share, seen))
                else:
                    tasks.create_task(_over_socket(server, chance, share, seen))
        head = await post_patterns(server, 1)
        async with asyncio.timeout(_PATIENCE_S):
            await polite.reach(head)
        if polite.closings:
            seen.faults.append(f"the polite client was closed with {polite.closings}")
    except (httpx2.TransportError, OSError) as error:
        seen.crashes += 1
        seen.faults.append(f"the server is gone: {error!r}; {place.errors()}")
        return seen
    finally:
        await hang_up([polite])
    seen.faults += [line for line in place.errors().splitlines() if "Traceback" in line or "failed" in line]
    seen.found = violations(Evidence(place.database, listeners=[polite.heard]))
    return seen


async def _over_rest(client: httpx2.AsyncClient, chance: random.Random, number: int, seen: Seen) -> None:
    ids = ["0198c2f0-0000-7000-8000-000000000000"]
    for _ in range(number):
        method, path, content, headers = _request(chance, ids)
        try:
            request = client.build_request(method, path, content=content, headers=headers)
        except (httpx2.InvalidURL, ValueError):
            continue  # the client would not even send that
        answer = await client.send(request)
        seen.answers[answer.status_code] += 1
        if answer.status_code >= 500:
            seen.faults.append(f"{method} {path[:200]} {content[:300]!r} was answered with {answer.status_code}")
        elif answer.status_code == 201 and b'"id":"' in answer.content:
            ids = [*ids[-20:], answer.content.partition(b'"id":"')[2][:36].decode(errors="replace")]


def _request(chance: random.Random, ids: list[str]) -> tuple[str, str, bytes, dict[str, str]]:
    """Method, path, body and headers of one request."""
    headers = {"Content-Type": "application/json" if chance.random() < 0.9 else chance.choice(("text/csv", "x"))}
    if chance.random() < 0.2:
        headers["Idempotency-Key"] = nonsense(chance, 40).hex() or "k"
    if chance.random() < 0.1:
        headers["If-Match"] = chance.choice(('"1"', "*", '"x"', "1", '"' + "9" * 50 + '"'))
    if chance.random() < 0.2:
        path = chance.choice(PATHS)
        values = [nonsense(chance, 12).hex() if chance.random() < 0.3 else _text(chance) for _ in range(3)]
        return "GET", path.format(*(httpx2.QueryParams({"v": value}).__str__()[2:] for value in values)), b"", headers
    name, fields = chance.choice(ENTITIES)
    body = mutated(chance, fields)
    if name in ("bulk", "patterns/import") or chance.random() < 0.5:
        return "POST", f"{STORES}/{name}", body, headers
    return chance.choice(("PUT", "PATCH")), f"{STORES}/{name}/{chance.choice(ids)}", body, headers


def _text(chance: random.Random) -> str:
    return chance.choice(
        (
            "-1",
            "0",
            "1e9",
            "99999999999999999999",
            "NaN",
            "null",
            "\x00",
            "\ud7ff",
            "a:b:c",
            "abc:-1",
            "' OR 1=1",
            "../..",
        )
    )


async def _over_socket(server: Served, chance: random.Random, number: int, seen: Seen) -> None:
    for start in range(0, number, MESSAGES_EACH):
        rude = Listener(Heard("a rude one"))
        messages = [_frame(chance) for _ in range(min(MESSAGES_EACH, number - start))]
        await _talk(rude, server, [*messages, client_frame(_CLOSE, (1000).to_bytes(2, "big"))])
        seen.answers[rude.close_code] += 1
        if rude.close_code in (1011, 4500):
            seen.faults.append(f"a connection was closed with {rude.close_code} after {messages}")


async def _talk(rude: Listener, server: Served, frames: list[bytes]) -> None:
    """Send all of these, and wait for the end of the connection."""
    async with asyncio.timeout(_PATIENCE_S):
        await rude.connect(server.port)
        await rude.until(lambda: rude.is_open or rude.transport is None)
        rude.send(b"".join(frames))
        await rude.gone()


def _frame(chance: random.Random) -> bytes:
    message = mutated(chance, chance.choice(COMMANDS))
    if chance.random() < 0.05:
        return client_frame(_BINARY, message)
    if chance.random() < 0.99:
        message = message.decode(errors="replace").encode()  # else the connection ends here, with 1007
    return client_frame(_TEXT, message)


def main(arguments: Iterable[str] | None = None) -> int:
    """Print one line of JSON."""
    parser = parser_of("soak.fuzz", __doc__)
    parser.add_argument("--messages", type=int, default=50_000, help="50,000 when not given")
    parser.add_argument("--seed", type=int, default=1, help="of the messages")
    options = parser.parse_args(None if arguments is None else list(arguments))

    async def on_a_new_place() -> Seen:
        place = await nursery.place(Path(folder) / "data")
        try:
            return await run(place, messages=options.messages, seed=options.seed)
        finally:
            await place.close()

    with Nursery() as nursery, tempfile.TemporaryDirectory() as folder:
        seen = asyncio.run(on_a_new_place())
    for fault in seen.faults[:20]:
        print(fault, file=sys.stderr)
    figures: dict[str, object] = {
        "fuzz_messages": options.messages,
        "5xx": len(seen.faults) - seen.crashes,
        "crashes": seen.crashes,
        "answers": {str(code): times for code, times in sorted(seen.answers.items())},
    }
    return finish(figures, seen.found) or int(bool(seen.faults))


if __name__ == "__main__":
    sys.exit(main())
