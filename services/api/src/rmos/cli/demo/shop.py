"""What happens in the demo's shop: orders are sliced, glued, dried, cut and assembled.

Rule 1: every decision is drawn from one seeded generator, in the order of shop time.
Rule 2: other people work in the same shop. What they closed, changed or deleted is left to them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final

from rmos.cli.demo import stock, worksheet
from rmos.cli.demo.api import Document, RefusedError, ShopApi
from rmos.cli.demo.blades import new_blade
from rmos.cli.demo.catalogue import (
    BLADE_BREAKS,
    CLAMPS_OFF_MINUTES,
    FAMILIES,
    MACHINES,
    MINUTE_S,
    OPERATOR,
    PROJECTS,
    ROUTE,
    SAWS,
    Mishap,
)
from rmos.cli.demo.dice import Dice
from rmos.cli.demo.drawings import Drawings
from rmos.cli.demo.joblogs import JobLogs
from rmos.cli.demo.orders import Job, Order, Tally
from rmos.cli.demo.simulation import Simulation
from rmos.cli.demo.storeroom import Storeroom
from rmos.cli.demo.watcher import Watcher

MAX_WAITING: Final = 5
"""Jobs that wait for a machine before the planner holds new orders back."""
MAX_RETRIES: Final = 2
"""How often a failed step is done again before the order is given up."""
_NO_REASON: Final[Mapping[str, None]] = {"reason": None, "note": None}


class Shop:
    """The shop and its processes. Used by one task.

    Args:
        designs: Fields of the patterns that are made here; each has `name` and `geometry`.
    """

    def __init__(
        self,
        api: ShopApi,
        simulation: Simulation,
        watcher: Watcher,
        *,
        designs: Sequence[Mapping[str, Any]],  # Any: as POST takes them
        seed: int,
    ) -> None:
        self.tally = Tally()
        self._simulation = simulation
        self._watcher = watcher
        self._designs = designs
        self._dice = Dice(seed)
        self._logs = JobLogs(api, watcher, self.tally)
        self._storeroom = Storeroom(api, simulation, watcher, self._dice, self.tally)
        self._drawings = Drawings(api, watcher, self._dice, designs)
        self._blades = {machine: new_blade(self._dice) for machine in SAWS}

    async def open(self) -> None:
        """Find or make wood and designs, end what an earlier demo left open, and start every process."""
        await self._logs.end_leftovers()
        await self._furnish()
        self._simulation.start(self._plan())
        for number, machine in enumerate(MACHINES):
            self._simulation.start(self._operate(machine), after_s=(number + 1) * MINUTE_S / 2)
        self._simulation.start(self._drawings.improve(), after_s=20 * MINUTE_S)

    async def close(self) -> None:
        """Give every job that is still open its end."""
        await self._logs.cancel_all()
        for machine in MACHINES:
            self._watcher.machine(machine, "closed", None)

    @property
    def open_jobs(self) -> int:
        """Jobs that have no end yet."""
        return self._logs.open_count

    async def _furnish(self) -> None:
        await self._storeroom.furnish()
        await self._drawings.furnish()

    # Orders

    async def _plan(self) -> AsyncGenerator[float, None]:
        """Takes orders as long as the machines keep up with them."""
        for _ in range(2):
            await self._place_order()
            yield MINUTE_S
        while True:
            if self._logs.waiting_count < MAX_WAITING:
                await self._place_order()
            yield self._dice.minutes(5, 10)

    async def _place_order(self) -> None:
        design, family = self._dice.choice(self._designs), self._dice.choice(FAMILIES)
        project = self._dice.choice(PROJECTS)
        self.tally.orders += 1
        order = Order(
            number=self.tally.orders,
            project=project,
            design=design["name"],
            pattern_id=self._drawings.id_of(design["name"]),
            family=family,
            family_id=self._storeroom.id_of(family),
            need_mm=stock.strip_needed_mm(design["geometry"]),
            tiles=stock.tiles_of(design["geometry"]),
        )
        try:
            await self._release(order, 0)
        except RefusedError as error:
            self._watcher.happened("note", f"order {order.number} could not be placed: {error}")
            await self._furnish()

    async def _release(self, order: Order, stage: int, *, retry_of: str | None = None) -> None:
        parameters = worksheet.planned(order, ROUTE[stage], simulation=self._simulation, dice=self._dice)
        await self._logs.release(order, stage, parameters=parameters, retry_of=retry_of)

    # Work

    async def _operate(self, machine: str) -> AsyncGenerator[float, None]:
        """One machine and who stands at it."""
        while True:
            job = self._logs.take(machine)
            if job is None:
                self._watcher.machine(machine, "idle", None)
                yield MINUTE_S
                continue
            try:
                async with aclosing(self._work(machine, job)) as steps:
                    async for wait_s in steps:
                        yield wait_s
            except RefusedError as error:
                self._logs.lose(job, error)
            self._watcher.machine(machine, "set-up", None)
            yield self._dice.minutes(1, 3)

    async def _work(self, machine: str, job: Job) -> AsyncGenerator[float, None]:
        """One job at its machine, from its start until it completes, fails or is left to dry."""
        operation, order = job.operation, job.order
        if operation.uses_strip:
            for preparation in (self._fetch_strip(machine, job), self._clamp_blade(machine, job)):
                async with aclosing(preparation) as waits:
                    async for wait_s in waits:
                        yield wait_s
        start: Document = {"machine_id": machine, "operator": OPERATOR, "progress": 0.0}
        if job.blade is not None:
            start["parameters"] = {**job.parameters, **worksheet.sawn_with(job.blade)}
        await self._logs.change(job, status="running", **start, **_NO_REASON)
        self._watcher.happened("job", f"{machine} starts {operation.job_type} of {order.design}, order {order.number}")
        duration_s, steps = self._dice.minutes(*operation.minutes), self._dice.randint(5, 9)
        mishap, mishap_step = self._dice.mishap(operation), self._dice.randint(1, steps - 1)
        for step in range(1, steps + 1):
            self._show(machine, job, (step - 1) / steps)
            yield duration_s / steps
            if mishap and step == mishap_step:
                if mishap.minutes is None:
                    await self._fail(machine, job, mishap, step / steps)
                    return
                await self._logs.change(job, status="held", reason=mishap.reason, note=mishap.note)
                self._watcher.machine(machine, f"held: {mishap.note}", step / steps)
                yield self._dice.minutes(*mishap.minutes)
                await self._logs.change(job, status="running", **_NO_REASON)
            elif step < steps:
                await self._logs.change(job, progress=round(step / steps, 2))
        if operation.dry_minutes:
            drying_s = self._dice.minutes(*operation.dry_minutes)
            note = f"glue dries for {drying_s / MINUTE_S:.0f} min"
            await self._logs.change(job, status="held", reason="GLUE_DRY", note=note, progress=0.9)
            self._watcher.happened("job", f"order {order.number}: {note}")
            self._simulation.start(self._dry(job), after_s=drying_s)
        else:
            await self._complete(job)

    async def _fetch_strip(self, machine: str, job: Job) -> AsyncGenerator[float, None]:
        """Takes the wood for a job from the shelf; the job is held as long as there is not enough."""
        is_held = False
        while not await self._storeroom.take(job.order.family, job.order.need_mm):
            if not is_held:
                is_held = True
                note = f"waiting for {job.order.family.material_type}"
                await self._logs.change(job, status="held", machine_id=machine, reason="MATERIAL_SHORTAGE", note=note)
                self._watcher.happened("bad", f"order {job.order.number}: {note}")
                self._watcher.machine(machine, f"held: {note}", None)
            yield 3 * MINUTE_S

    async def _clamp_blade(self, machine: str, job: Job) -> AsyncGenerator[float, None]:
        """Makes sure of a blade that is fit for a job; the job is held while a worn one is changed."""
        if self._blades[machine].is_worn:
            note = "changing the blade"
            await self._logs.change(job, status="held", machine_id=machine, reason="OPERATIONAL", note=note)
            self._watcher.machine(machine, f"held: {note}", None)
            yield self._dice.minutes(3, 6)
            self._blades[machine] = new_blade(self._dice)
        job.blade = self._blades[machine]

    async def _dry(self, job: Job) -> AsyncGenerator[float, None]:
        """Takes the clamps off when the glue is dry; the bench was free meanwhile."""
        try:
            await self._logs.change(job, status="running", note="taking the clamps off", reason=None)
            yield self._dice.minutes(*CLAMPS_OFF_MINUTES)
            await self._complete(job)
        except RefusedError as error:
            self._logs.lose(job, error)

    async def _complete(self, job: Job) -> None:
        order = job.order
        if job.blade is not None:
            job.blade.cut(order.tiles)
        outcome = worksheet.completed(job, self._dice)
        await self._logs.end(job, status="completed", progress=1.0, **outcome, **_NO_REASON)
        self.tally.completed += 1
        if job.operation.uses_strip:
            self.tally.good_tiles += outcome["good_qty"]
            self.tally.scrap_tiles += outcome["scrap_qty"]
        if job.stage + 1 < len(ROUTE):
            await self._release(order, job.stage + 1)
        else:
            self.tally.rosettes += 1
            self._watcher.happened("good", f"order {order.number}: {order.design} for {order.project} is finished")

    async def _fail(self, machine: str, job: Job, mishap: Mishap, progress: float) -> None:
        order = job.order
        outcome = worksheet.failed(job, progress, self._dice)
        if mishap is BLADE_BREAKS:
            self._blades[machine] = new_blade(self._dice)
        elif job.blade is not None:
            job.blade.cut(outcome["scrap_qty"])
        await self._logs.end(
            job, status="failed", reason=mishap.reason, note=mishap.note, progress=round(progress, 2), **outcome
        )
        self.tally.failed += 1
        self.tally.scrap_tiles += outcome["scrap_qty"] if job.operation.uses_strip else 0
        self._watcher.happened("bad", f"order {order.number}: {job.operation.job_type} failed, {mishap.note}")
        if order.retries < MAX_RETRIES:
            order.retries += 1
            await self._release(order, job.stage, retry_of=job.id)
        else:
            self._watcher.happened("bad", f"order {order.number} is given up")

    def _show(self, machine: str, job: Job, progress: float) -> None:
        self._watcher.machine(machine, f"{job.operation.job_type} of {job.order.design} ({job.order.number})", progress)
