"""What happens in the demo's shop: orders are sliced, glued, dried, cut and assembled; wood is used and bought.

Rule 1: every decision is drawn from one seeded generator, in the order of shop time.
Rule 2: other people work in the same shop. What they closed, changed or deleted is left to them.
"""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeAlias

from rmos.cli.demo import stock
from rmos.cli.demo.api import Document, RefusedError, ShopApi
from rmos.cli.demo.catalogue import (
    DESIGN_NOTES,
    FAMILIES,
    MACHINES,
    MINUTE_S,
    MISHAPS,
    OPERATOR,
    PROJECTS,
    ROUTE,
    SPARE_STRIP_MM,
    Family,
    Mishap,
    Operation,
)
from rmos.cli.demo.simulation import Simulation
from rmos.domain.entities import JOBLOG, PATTERN, STRIP_FAMILY
from rmos.domain.jobs import OPEN

MAX_WAITING: Final = 5
"""Jobs that wait for a machine before the planner holds new orders back."""
MAX_RETRIES: Final = 2
"""How often a failed step is done again before the order is given up."""
_GONE: Final = 404
_CHANGED: Final = 412
_NO_REASON: Final[Mapping[str, None]] = {"reason": None, "note": None}
ShelfMove: TypeAlias = Callable[[list[stock.Strip]], list[stock.Strip] | None]
"""Gives the shelf after a move of stock, or None when the move cannot be made."""


@dataclass(slots=True)
class Order:
    """One rosette for one guitar. `need_mm` is the strip that slicing it takes."""

    number: int
    project: str
    design: str
    pattern_id: str
    family: Family
    family_id: str
    need_mm: float
    tiles: int
    retries: int = 0


@dataclass(slots=True)
class Job:
    """One open job log of the demo."""

    id: str
    order: Order
    stage: int

    @property
    def operation(self) -> Operation:
        """The station it is at."""
        return ROUTE[self.stage]


@dataclass(slots=True)
class Tally:
    """What the shop has done, for the summary."""

    orders: int = 0
    rosettes: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    deliveries: int = 0
    good_tiles: int = 0
    scrap_tiles: int = 0
    strip_used_mm: float = 0.0


class Watcher(Protocol):
    """Whoever shows the shop to people."""

    def happened(self, kind: str, text: str) -> None:
        """Something worth a line; `kind` is `job`, `pattern`, `material`, `good`, `bad` or `note`."""
        ...

    def machine(self, name: str, text: str, progress: float | None) -> None:
        """What a machine is doing now."""
        ...


@dataclass(slots=True)
class Shop:
    """The shop and its processes. Used by one task.

    Attributes:
        designs: Fields of the patterns that are made here; each has `name` and `geometry`.
    """

    api: ShopApi
    simulation: Simulation
    watcher: Watcher
    designs: Sequence[Mapping[str, Any]]  # Any: as POST takes them
    seed: int
    tally: Tally = field(default_factory=Tally)
    _dice: random.Random = field(init=False)
    _open: dict[str, Job] = field(default_factory=dict)
    _waiting: list[Job] = field(default_factory=list)
    _family_ids: dict[str, str] = field(default_factory=dict)
    _pattern_ids: dict[str, str] = field(default_factory=dict)
    _on_order: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)  # noqa: S311 -- a game, not a secret

    async def open(self) -> None:
        """Find or make wood and designs, end what an earlier demo left open, and start every process."""
        await self._end_leftovers()
        await self._ensure_catalogue()
        self.simulation.start(self._plan())
        for number, machine in enumerate(MACHINES):
            self.simulation.start(self._operate(machine), after_s=(number + 1) * MINUTE_S / 2)
        self.simulation.start(self._design(), after_s=20 * MINUTE_S)

    async def close(self) -> None:
        """Cancel every job that is still open, so that none seems to run for ever."""
        for job in list(self._open.values()):
            if await self._cancel(job.id, "the demo ended"):
                self.tally.cancelled += 1
            self._forget(job)
        for machine in MACHINES:
            self.watcher.machine(machine, "closed", None)

    @property
    def open_jobs(self) -> int:
        """Jobs that have no end yet."""
        return len(self._open)

    # Processes

    async def _plan(self) -> AsyncGenerator[float, None]:
        """Takes orders as long as the machines keep up with them."""
        for _ in range(2):
            await self._place_order()
            yield MINUTE_S
        while True:
            if len(self._waiting) < MAX_WAITING:
                await self._place_order()
            yield self._minutes(5, 10)

    async def _operate(self, machine: str) -> AsyncGenerator[float, None]:
        """One machine and who stands at it."""
        while True:
            job = next((job for job in self._waiting if machine in job.operation.machines), None)
            if job is None:
                self.watcher.machine(machine, "idle", None)
                yield MINUTE_S
                continue
            self._waiting.remove(job)
            try:
                async with aclosing(self._work(machine, job)) as steps:
                    async for wait_s in steps:
                        yield wait_s
            except RefusedError as error:
                self._lose(job, error)
            self.watcher.machine(machine, "set-up", None)
            yield self._minutes(1, 3)

    async def _work(self, machine: str, job: Job) -> AsyncGenerator[float, None]:
        """One job at its machine, from its start until it completes, fails or is left to dry."""
        operation, order = job.operation, job.order
        if operation.uses_strip:
            async with aclosing(self._fetch_strip(machine, job)) as waits:
                async for wait_s in waits:
                    yield wait_s
        await self._set(job, status="running", machine_id=machine, operator=OPERATOR, progress=0.0, **_NO_REASON)
        self.watcher.happened("job", f"{machine} starts {operation.job_type} of {order.design}, order {order.number}")
        duration_s, steps = self._minutes(*operation.minutes), self._dice.randint(5, 9)
        mishap, mishap_step = self._draw_mishap(operation), self._dice.randint(1, steps - 1)
        for step in range(1, steps + 1):
            self._show(machine, job, (step - 1) / steps)
            yield duration_s / steps
            if mishap and step == mishap_step:
                if mishap.minutes is None:
                    await self._fail(job, mishap, step / steps)
                    return
                await self._set(job, status="held", reason=mishap.reason, note=mishap.note)
                self.watcher.machine(machine, f"held: {mishap.note}", step / steps)
                yield self._minutes(*mishap.minutes)
                await self._set(job, status="running", **_NO_REASON)
            elif step < steps:
                await self._set(job, progress=round(step / steps, 2))
        if operation.dry_minutes:
            drying_s = self._minutes(*operation.dry_minutes)
            note = f"glue dries for {drying_s / MINUTE_S:.0f} min"
            await self._set(job, status="held", reason="GLUE_DRY", note=note, progress=0.9)
            self.watcher.happened("job", f"order {order.number}: {note}")
            self.simulation.start(self._dry(job), after_s=drying_s)
        else:
            await self._complete(job)

    async def _dry(self, job: Job) -> AsyncGenerator[float, None]:
        """Takes the clamps off when the glue is dry; the bench was free meanwhile."""
        try:
            await self._set(job, status="running", note="taking the clamps off", reason=None)
            yield self._minutes(1, 3)
            await self._complete(job)
        except RefusedError as error:
            self._lose(job, error)

    async def _fetch_strip(self, machine: str, job: Job) -> AsyncGenerator[float, None]:
        """Takes the wood for a job from the shelf; the job is held as long as there is not enough."""
        is_held = False
        while not await self._take_strip(job.order):
            if not is_held:
                is_held = True
                note = f"waiting for {job.order.family.material_type}"
                await self._set(job, status="held", machine_id=machine, reason="MATERIAL_SHORTAGE", note=note)
                self.watcher.happened("bad", f"order {job.order.number}: {note}")
                self.watcher.machine(machine, f"held: {note}", None)
            yield 3 * MINUTE_S

    async def _deliver(self, family: Family) -> AsyncGenerator[float, None]:
        """Brings new strips of a family."""
        self._on_order.discard(family.name)
        count = self._dice.randint(6, 10)
        batch = f"b{self._dice.randint(1000, 9999)}"
        try:
            while not await self._change_shelf(
                family, lambda shelf: stock.add(shelf, count, SPARE_STRIP_MM, batch=batch)
            ):
                yield MINUTE_S
        except RefusedError as error:
            self.watcher.happened("note", f"a delivery of {family.name} was sent back: {error}")
            return
        self.tally.deliveries += 1
        self.watcher.happened("material", f"{count} strips of {family.name} delivered")

    async def _design(self) -> AsyncGenerator[float, None]:
        """Improves a design now and then."""
        while True:
            name, note = self._dice.choice(self.designs)["name"], self._dice.choice(DESIGN_NOTES)
            try:
                pattern = await self.api.get(PATTERN, self._pattern_ids[name])
                metadata = pattern.get("metadata") or {}
                revised = {**metadata, "revision": int(metadata.get("revision") or 1) + 1, "note": note}
                await self.api.change(PATTERN, pattern["id"], {"metadata": revised}, version=pattern["version"])
                self.watcher.happened("pattern", f"{name}: {note}")
            except RefusedError as error:
                self.watcher.happened("note", f"{name} is left as it is: {error}")
            yield self._minutes(25, 50)

    # Orders and jobs

    async def _place_order(self) -> None:
        design, family = self._dice.choice(self.designs), self._dice.choice(FAMILIES)
        project = self._dice.choice(PROJECTS)
        self.tally.orders += 1
        order = Order(
            number=self.tally.orders,
            project=project,
            design=design["name"],
            pattern_id=self._pattern_ids[design["name"]],
            family=family,
            family_id=self._family_ids[family.name],
            need_mm=stock.strip_needed_mm(design["geometry"]),
            tiles=stock.tiles_of(design["geometry"]),
        )
        try:
            await self._release(order, 0)
        except RefusedError as error:
            self.watcher.happened("note", f"order {order.number} could not be placed: {error}")
            await self._ensure_catalogue()

    async def _release(self, order: Order, stage: int, *, retry_of: str | None = None) -> None:
        """Create the job log of a stage; it then waits for its machine."""
        operation = ROUTE[stage]
        fields: Document = {
            "job_type": operation.job_type,
            "status": "planned" if stage == 0 and retry_of is None else "ready",
            "pattern_id": order.pattern_id,
            "project_id": order.project,
            "parameters": self._parameters(operation),
            "metadata": {"demo": True, "order": order.number} | ({"retry_of": retry_of} if retry_of else {}),
        }
        if operation.uses_strip:
            fields["strip_family_id"] = order.family_id
        document = await self.api.create(JOBLOG, fields)
        job = Job(document["id"], order, stage)
        self._open[job.id] = job
        self._waiting.append(job)

    async def _complete(self, job: Job) -> None:
        operation, order = job.operation, job.order
        if operation.uses_strip:
            scrap = round(order.tiles * self._dice.uniform(0, 0.06))
            results: Document = {
                "strips_produced": order.tiles,
                "strip_used_mm": order.need_mm,
                "waste_percentage": round(self._dice.uniform(3, 9), 1),
                "success_rate": round(1 - scrap / order.tiles, 3),
            }
            quantities = {"good_qty": order.tiles - scrap, "scrap_qty": scrap}
            self.tally.good_tiles += order.tiles - scrap
            self.tally.scrap_tiles += scrap
        else:
            results, quantities = (
                {"deviation_mm": round(self._dice.uniform(0, 0.08), 3)},
                {"good_qty": 1, "scrap_qty": 0},
            )
        await self._set(job, status="completed", progress=1.0, results=results, **quantities, **_NO_REASON)
        self._forget(job)
        self.tally.completed += 1
        if job.stage + 1 < len(ROUTE):
            await self._release(order, job.stage + 1)
        else:
            self.tally.rosettes += 1
            self.watcher.happened("good", f"order {order.number}: {order.design} for {order.project} is finished")

    async def _fail(self, job: Job, mishap: Mishap, progress: float) -> None:
        order = job.order
        scrap = round(order.tiles * progress) if job.operation.uses_strip else 1
        await self._set(
            job,
            status="failed",
            reason=mishap.reason,
            note=mishap.note,
            progress=round(progress, 2),
            good_qty=0,
            scrap_qty=scrap,
            results={"waste_percentage": 100.0} if job.operation.uses_strip else {},
        )
        self._forget(job)
        self.tally.failed += 1
        self.tally.scrap_tiles += scrap if job.operation.uses_strip else 0
        self.watcher.happened("bad", f"order {order.number}: {job.operation.job_type} failed, {mishap.note}")
        if order.retries < MAX_RETRIES:
            order.retries += 1
            await self._release(order, job.stage, retry_of=job.id)
        else:
            self.watcher.happened("bad", f"order {order.number} is given up")

    async def _set(self, job: Job, **fields: object) -> None:
        await self.api.change(JOBLOG, job.id, fields)

    async def _cancel(self, job_id: str, note: str) -> bool:
        """End a job; False when somebody else had ended or deleted it."""
        try:
            await self.api.change(JOBLOG, job_id, {"status": "cancelled", "reason": "OPERATIONAL", "note": note})
        except RefusedError:
            return False
        return True

    async def _end_leftovers(self) -> None:
        """A demo that was killed could not end its jobs."""
        ended = 0
        for status in OPEN:
            for document in await self.api.find(JOBLOG, status=status):
                if (document.get("metadata") or {}).get("demo") is True:
                    ended += await self._cancel(document["id"], "an earlier demo was cut off")
        if ended:
            self.watcher.happened("note", f"{ended} jobs of an earlier demo were still open and are cancelled now")

    def _lose(self, job: Job, error: RefusedError) -> None:
        """Somebody else closed or deleted the job; the shop goes on without it."""
        self._forget(job)
        self.watcher.happened("note", f"order {job.order.number} was taken out of our hands: {error}")

    def _forget(self, job: Job) -> None:
        self._open.pop(job.id, None)
        if job in self._waiting:
            self._waiting.remove(job)

    # Wood and designs

    async def _ensure_catalogue(self) -> None:
        """Make what is missing; what is there by its name is used as it is."""
        self._family_ids = {family["name"]: family["id"] for family in await self.api.find(STRIP_FAMILY)}
        for family in FAMILIES:
            if family.name not in self._family_ids:
                await self._make_family(family)
        self._pattern_ids = {pattern["name"]: pattern["id"] for pattern in await self.api.find(PATTERN)}
        for design in self.designs:
            if design["name"] not in self._pattern_ids:
                pattern = await self.api.create(PATTERN, dict(design))
                self._pattern_ids[design["name"]] = pattern["id"]

    async def _make_family(self, family: Family) -> None:
        fields = {
            "name": family.name,
            "material_type": family.material_type,
            "strip_width_mm": family.width_mm,
            "strip_thickness_mm": family.thickness_mm,
            "lane": family.lane,
            "min_stock_mm": family.min_stock_mm,
            "strips": stock.add([], family.strips, SPARE_STRIP_MM, batch="b1000"),
            "metadata": {"demo": True, "supplier": "Tonewood & Sons", "batch": "b1000"},
        }
        self._family_ids[family.name] = (await self.api.create(STRIP_FAMILY, fields))["id"]

    async def _take_strip(self, order: Order) -> bool:
        """Cut what the order needs; False when there is not enough, and then more is on its way."""
        left_mm = 0.0

        def take(shelf: list[stock.Strip]) -> list[stock.Strip] | None:
            nonlocal left_mm
            left_mm = stock.length_of(shelf)
            if left_mm < order.need_mm:
                return None
            shelf = stock.cut(shelf, order.need_mm)
            left_mm = stock.length_of(shelf)
            return shelf

        is_taken = await self._change_shelf(order.family, take)
        if left_mm < order.family.min_stock_mm and order.family.name not in self._on_order:
            self._on_order.add(order.family.name)
            self.simulation.start(self._deliver(order.family), after_s=self._minutes(12, 30))
            self.watcher.happened(
                "material", f"{order.family.name} runs low: {left_mm / 1000:.1f} m left, more ordered"
            )
        if is_taken:
            self.tally.strip_used_mm += order.need_mm
        return is_taken

    async def _change_shelf(self, family: Family, move: ShelfMove) -> bool:
        """Move stock, based on what lies there now; False when `move` declines or others were faster three times."""
        for _ in range(3):
            try:
                document = await self.api.get(STRIP_FAMILY, self._family_ids[family.name])
                shelf = move(document["strips"])
                if shelf is None:
                    return False
                await self.api.change(STRIP_FAMILY, document["id"], {"strips": shelf}, version=document["version"])
            except RefusedError as error:
                if error.status == _GONE:
                    await self._make_family(family)
                elif error.status != _CHANGED:
                    raise
            else:
                return True
        return False

    # Chance

    def _minutes(self, shortest: float, longest: float) -> float:
        """A length of time in shop seconds."""
        return self._dice.uniform(shortest, longest) * MINUTE_S

    def _draw_mishap(self, operation: Operation) -> Mishap | None:
        chance = self._dice.random()
        for mishap in MISHAPS:
            if not mishap.job_types or operation.job_type in mishap.job_types:
                chance -= mishap.share
                if chance < 0:
                    return mishap
        return None

    def _parameters(self, operation: Operation) -> Document:
        match operation.job_type:
            case "slice":
                return {"blade_id": f"blade-{self._dice.randint(1, 4):03}", "speed_rpm": 4200, "kerf_mm": 0.3}
            case "contour":
                return {"tool_diameter_mm": self._dice.choice([0.8, 1.0, 1.5]), "feed_mm_min": 600}
            case "glue_up":
                return {"glue": self._dice.choice(["hide", "fish"]), "clamps": self._dice.randint(3, 6)}
        return {}

    def _show(self, machine: str, job: Job, progress: float) -> None:
        self.watcher.machine(machine, f"{job.operation.job_type} of {job.order.design} ({job.order.number})", progress)
