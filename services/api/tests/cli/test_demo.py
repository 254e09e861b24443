"""`rmos demo` against real servers, and its decisions against a shop in memory."""

from __future__ import annotations

import asyncio
import itertools
import signal
from collections import Counter
from statistics import fmean
from typing import Any

import httpx2
import pytest

from rmos.cli.demo import stock, worksheet
from rmos.cli.demo.api import Document, RefusedError, ShopApi, StoppedError
from rmos.cli.demo.blades import MEASURED_WITHIN_MM, WORN_MM
from rmos.cli.demo.catalogue import FAMILIES, MACHINES, PROJECTS, ROUTE
from rmos.cli.demo.dice import Dice
from rmos.cli.demo.orders import Order
from rmos.cli.demo.shop import Shop
from rmos.cli.demo.simulation import Process, Simulation
from rmos.domain.entities import JOBLOG, PATTERN, Kind
from rmos.domain.jobs import OPEN
from tests.cli.conftest import StartCommand, StartServer
from tests.processes import Command, Server, run_rmos

DESIGNS = [
    {"name": "Rope", "geometry": {"rings": [{"radius_mm": 50, "tile_length_mm": 3.0, "kerf_mm": 0.3}]}},
    {"name": "Lines", "geometry": {"rings": [{"radius_mm": 52, "kind": "purfling"}]}},
]


def jobs_of(server: Server) -> list[Document]:
    """Every job log."""
    return list(server.get("/api/rmos/stores/joblogs", limit=1000)["joblogs"])


def assert_consistent(jobs: list[Document]) -> None:
    """Every job has an end, and what its end needs."""
    assert jobs
    for job in jobs:
        assert job["status"] in ("completed", "failed", "cancelled"), job
        assert job["end_time"] is not None
        assert job["start_time"] is None or job["start_time"] <= job["end_time"]
        if job["status"] == "completed":
            assert job["progress"] == 1
            assert job["operator"] == "operator-1"
            assert job["reason"] is None
        else:
            assert job["reason"]
            assert job["note"]
        if job["status"] == "completed" and job["job_type"] == "slice":
            assert job["good_qty"] + job["scrap_qty"] == job["results"]["strips_produced"]
            assert 0 < job["results"]["waste_percentage"] < 100


def assert_done_once(jobs: list[Document]) -> None:
    """No step of an order was entered twice, except to do a failed one again."""
    steps = Counter((job["metadata"]["order"], job["job_type"], job["metadata"].get("retry_of")) for job in jobs)
    assert set(steps.values()) == {1}


def test_a_short_demo_leaves_consistent_jobs_and_says_what_it_did(start_server: StartServer) -> None:
    server = start_server().wait_until_ready()

    result = run_rmos("demo", "--url", server.url, "--seed", "7", "--speed", "6000", "--duration", "3")

    assert (result.returncode, result.stderr) == (0, "")
    jobs = jobs_of(server)
    assert_consistent(jobs)
    assert_done_once(jobs)
    done = Counter(job["status"] for job in jobs)
    assert (
        f"{done['completed']} completed, {done['failed']} failed, {done['cancelled']} cancelled at the end"
        in result.stdout
    )
    assert "taken out of our hands" not in result.stdout
    events = server.get("/api/rmos/monitor/events", limit=1000)["events"]
    assert any(event["data"].get("reason") == "GLUE_DRY" for event in events)
    assert {"material:updated", "job:completed"} <= {event["type"] for event in events}


def test_after_a_short_demo_every_element_of_oee_is_known(start_server: StartServer) -> None:
    server = start_server().wait_until_ready()

    run_rmos("demo", "--url", server.url, "--seed", "7", "--speed", "6000", "--duration", "3")

    shop = server.get("/api/analytics/shop", by="machine", days=7)
    assert {group["machine"] for group in shop["groups"] if group["machine"]} == set(MACHINES)
    for figure in ("availability", "effectiveness", "quality", "oee"):
        assert shop["total"][figure] > 0
        assert all(group[figure] is not None for group in shop["groups"] if group["machine"])
    elements = shop["total"]["elements"]
    assert elements["planned_jobs"] == elements["ended_jobs"] - elements["untimed_jobs"]
    assert server.get("/api/analytics/charts/kerf_drift")["n"] > 0


def test_a_demo_survives_a_killed_server_and_ends_its_jobs_on_ctrl_c(
    start_server: StartServer, start_command: StartCommand
) -> None:
    def has_finished_steps(_demo: Command) -> bool:
        return sum("starts" in line for line in demo.lines) >= seen + 3

    server = start_server().wait_until_ready()
    demo = start_command("demo", "--url", server.url, "--seed", "3", "--speed", "3000")
    seen = 0
    demo.wait_until(has_finished_steps, "work")

    server.kill()
    demo.wait_until(lambda demo: any("does not answer" in line for line in demo.lines), "notice of the outage")
    again = start_server(data=server.data, port=server.port).wait_until_ready()
    demo.wait_until(lambda demo: any("is back" in line for line in demo.lines), "notice of the return")
    seen = sum("starts" in line for line in demo.lines)
    demo.wait_until(has_finished_steps, "work after the restart")
    code = demo.stop(signal.SIGINT)

    assert code == 0
    assert any("cancelled at the end" in line for line in demo.lines)
    jobs = jobs_of(again)
    assert_consistent(jobs)
    assert_done_once(jobs)


def test_without_a_server_it_says_how_to_start_one() -> None:
    result = run_rmos("demo", "--url", "http://127.0.0.1:1")

    assert result.returncode == 1
    assert result.stderr == "rmos: no server answers at http://127.0.0.1:1; start one with `rmos serve`\n"


class MemoryShop:
    """Stands in for `ShopApi`: keeps entities in memory, writes down every request, refuses what it is told to."""

    def __init__(self, stop: asyncio.Event, *, requests: int) -> None:
        self.log: list[tuple[object, ...]] = []
        self.entities: dict[str, Document] = {}
        self.refuse: dict[int, int] = {}
        self._stop = stop
        self._requests = requests
        self._ids = itertools.count()

    def _note(self, *request: object) -> None:
        self.log.append(request)
        if len(self.log) >= self._requests:
            self._stop.set()
        if status := self.refuse.get(len(self.log)):
            raise RefusedError(status, "somebody was faster")

    async def create(self, kind: Kind, fields: Document) -> Document:
        self._note("create", kind.name, repr(fields))
        entity = {**fields, "id": f"{kind.name}-{next(self._ids)}", "version": 1}
        self.entities[entity["id"]] = entity
        return entity

    async def change(self, kind: Kind, entity_id: str, fields: Document, *, version: int | None = None) -> Document:
        self._note("change", entity_id, repr(fields))
        entity = self.entities[entity_id]
        assert version in (None, entity["version"])
        entity.update(fields, version=entity["version"] + 1)
        return entity

    async def get(self, kind: Kind, entity_id: str) -> Document:
        self._note("get", entity_id)
        return dict(self.entities[entity_id])

    async def find(self, kind: Kind, **where: str) -> list[Document]:
        return [
            entity
            for entity_id, entity in self.entities.items()
            if entity_id.startswith(f"{kind.name}-") and all(entity.get(k) == v for k, v in where.items())
        ]


class NoWatcher:
    """Nobody looks."""

    def happened(self, kind: str, text: str) -> None: ...

    def machine(self, name: str, text: str, progress: float | None) -> None: ...


async def play(seed: int, *, requests: int = 400, refuse: dict[int, int] | None = None) -> tuple[MemoryShop, Shop]:
    """Run a demo as fast as it goes until it has made so many requests, then close it."""
    stop = asyncio.Event()
    memory = MemoryShop(stop, requests=requests)
    memory.refuse = refuse or {}
    simulation = Simulation(speed=1e9, stop=stop)
    api: Any = memory  # Any: it has the methods of ShopApi that a shop calls
    shop = Shop(api, simulation, NoWatcher(), designs=DESIGNS, seed=seed)
    async with asyncio.timeout(20):
        await shop.open()
        await simulation.run()
        await shop.close()
    return memory, shop


async def test_the_same_seed_makes_the_same_requests_and_another_one_others() -> None:
    first, _ = await play(5)
    second, _ = await play(5)
    other, _ = await play(6)

    assert first.log == second.log
    assert first.log != other.log


async def test_a_long_day_holds_everything_that_a_shop_has() -> None:
    memory, shop = await play(1, requests=6000)

    requests = " ".join(str(request) for request in memory.log)
    for what in ("GLUE_DRY", "MACHINE_FAILURE", "QUALITY_HOLD", "retry_of", "'revision'", "'status': 'held'"):
        assert what in requests
    assert shop.tally.rosettes > 10
    assert shop.tally.deliveries > 1
    assert shop.tally.failed > 1
    assert shop.open_jobs == 0
    assert not [e for key, e in memory.entities.items() if key.startswith(JOBLOG.name) and e["status"] in OPEN]


def logs_of(memory: MemoryShop, job_type: str, *, status: str = "completed") -> list[Document]:
    """Job logs in the order in which they were released."""
    return [
        entity
        for entity_id, entity in memory.entities.items()
        if entity_id.startswith(JOBLOG.name) and (entity["job_type"], entity["status"]) == (job_type, status)
    ]


def drift_mm(job: Document) -> float:
    """The kerf as cut, beside that of a new blade."""
    return float(job["results"]["actual_kerf_mm"] - job["parameters"]["kerf_mm"])


async def test_a_cut_widens_until_the_blade_is_changed() -> None:
    memory, _ = await play(1, requests=6000)

    by_blade: dict[str, list[float]] = {}
    tiles: Counter[str] = Counter()
    for job in logs_of(memory, "slice"):
        blade = job["parameters"]["blade_id"]
        by_blade.setdefault(blade, []).append(drift_mm(job))
        tiles[blade] += job["results"]["strips_produced"]
    long_lived = [by_blade[blade] for blade, cut in tiles.items() if cut > 1000]
    assert long_lived
    for drifts in long_lived:
        assert fmean(drifts[-4:]) > fmean(drifts[:4]) + MEASURED_WITHIN_MM
    assert all(drifts[0] < WORN_MM / 2 for drifts in by_blade.values())
    assert any("changing the blade" in str(request) for request in memory.log)
    widest_mm = max(drift for drifts in by_blade.values() for drift in drifts)
    assert widest_mm < 2 * WORN_MM  # the last cuts of a blade, and a measurement that went astray


async def test_jobs_tell_what_every_figure_reads() -> None:
    memory, _ = await play(1, requests=6000)

    ended = [
        job for status in ("completed", "failed") for op in ROUTE for job in logs_of(memory, op.job_type, status=status)
    ]
    for job in ended:
        assert job["parameters"]["planned_seconds_per_piece"] > 0
        assert 0 <= job["rework_qty"] <= job["good_qty"]
        assert job["job_type"] not in ("slice", "contour") or job["parameters"]["tool_diameter_mm"] > 0
        if job["job_type"] == "slice":
            assert job["results"]["strip_used_mm"] > 0
            assert drift_mm(job) == pytest.approx(0, abs=2 * WORN_MM)
    touched_up = [job for job in ended if job["rework_qty"]]
    assert 0 < len(touched_up) < len(ended) / 2


def test_planned_time_is_on_the_wall_clock_from_start_to_end() -> None:
    order = Order(1, PROJECTS[0], "Rope", "p", FAMILIES[0], "f", need_mm=400.0, tiles=100)
    slice_, glue_up, *_ = ROUTE
    simulation = Simulation(speed=60, stop=asyncio.Event())

    planned = [
        worksheet.planned(order, operation, simulation=simulation, dice=Dice(1))["planned_seconds_per_piece"]
        for operation in (slice_, glue_up)
    ]

    assert planned == [0.17, 58.5]  # 17 min for 100 tiles; 9 min, 47.5 min to dry, 2 min for the clamps


@pytest.mark.parametrize("status", [404, 409, 412, 422])
async def test_it_goes_on_when_others_were_faster(status: int) -> None:
    memory, shop = await play(2, requests=1500, refuse=dict.fromkeys(range(60, 1500, 50), status))

    assert len(memory.log) >= 1500
    assert shop.tally.rosettes > 0
    assert shop.open_jobs == 0


async def test_jobs_of_a_demo_that_was_killed_are_ended_by_the_next_one() -> None:
    stop = asyncio.Event()
    memory = MemoryShop(stop, requests=10_000)
    left = await memory.create(JOBLOG, {"status": "running", "metadata": {"demo": True}})
    foreign = await memory.create(JOBLOG, {"status": "running", "metadata": None})
    api: Any = memory  # Any: as above
    shop = Shop(api, Simulation(speed=1, stop=stop), NoWatcher(), designs=DESIGNS, seed=1)

    await shop.open()

    assert memory.entities[left["id"]]["status"] == "cancelled"
    assert memory.entities[foreign["id"]]["status"] == "running"


async def test_a_write_is_repeated_with_the_same_key_until_it_is_answered() -> None:
    requests: list[httpx2.Request] = []
    outages: list[str | None] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        match len(requests):
            case 1:
                raise httpx2.ReadError("the connection broke")
            case 2:
                return httpx2.Response(503, json={"detail": "locked"})
            case 3:
                return httpx2.Response(409, json={"detail": "still running"})
        return httpx2.Response(201, json={"success": True, "pattern": {"id": "p"}})

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer), base_url="http://shop") as client:
        api = ShopApi(client, stop=asyncio.Event(), outage=outages.append)
        pattern = await api.create(PATTERN, {"name": "x"})

    assert pattern == {"id": "p"}
    assert len({request.headers["Idempotency-Key"] for request in requests}) == 1
    assert len({request.content for request in requests}) == 1
    assert outages == ["the connection broke", None]


async def test_a_refusal_is_not_repeated() -> None:
    answers = iter([httpx2.Response(409, json={"detail": "job is completed"})])

    async with httpx2.AsyncClient(
        transport=httpx2.MockTransport(lambda _: next(answers)), base_url="http://shop"
    ) as client:
        api = ShopApi(client, stop=asyncio.Event(), outage=lambda _: None)

        with pytest.raises(RefusedError, match="job is completed"):
            await api.change(JOBLOG, "j", {"status": "running"})


async def test_a_stop_ends_the_repetition() -> None:
    stop = asyncio.Event()

    def answer(_request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("nobody there")

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer), base_url="http://shop") as client:
        api = ShopApi(client, stop=stop, outage=lambda _: stop.set())

        with pytest.raises(StoppedError, match="nobody there"):
            await api.create(PATTERN, {"name": "x"})


async def test_processes_step_in_the_order_of_shop_time() -> None:
    steps: list[tuple[str, float]] = []
    simulation = Simulation(speed=1e9, stop=asyncio.Event())

    async def process(name: str, period_s: float) -> Process:
        for _ in range(3):
            steps.append((name, simulation.now_s))
            yield period_s

    simulation.start(process("slow", 10))
    simulation.start(process("fast", 4), after_s=1)
    await simulation.run()

    assert steps == [("slow", 0), ("fast", 1), ("fast", 5), ("fast", 9), ("slow", 10), ("slow", 20)]


def test_stock_is_cut_from_rests_first_and_offcuts_are_thrown_away() -> None:
    shelf = [{"id": "a", "length_mm": 600}, {"id": "b", "length_mm": 100}, {"id": "c", "length_mm": 600}]

    left = stock.cut(shelf, 680)

    assert left == [{"id": "c", "length_mm": 600}]  # b used up, 20 mm of a are an offcut
    assert stock.length_of(stock.add(left, 2, 600, batch="b1")) == 1800


def test_a_rosette_takes_its_circumference_with_scrap_and_a_cut_for_each_tile() -> None:
    needed_mm = stock.strip_needed_mm({"rings": [{"radius_mm": 47.5, "tile_length_mm": 2.4, "kerf_mm": 0.3}]})

    assert needed_mm == pytest.approx(2 * 3.14159265 * 47.5 * 1.05 + 124 * 0.3, abs=0.1)
