"""The demo's open job logs: released, waiting for a machine, changed, and ended one way or another."""

from __future__ import annotations

from dataclasses import dataclass, field

from rmos.cli.demo.api import Document, RefusedError, ShopApi
from rmos.cli.demo.catalogue import ROUTE
from rmos.cli.demo.orders import Job, Order, Tally
from rmos.cli.demo.watcher import Watcher
from rmos.domain.entities import JOBLOG
from rmos.domain.jobs import OPEN


@dataclass(slots=True)
class JobLogs:
    """Used by one task."""

    api: ShopApi
    watcher: Watcher
    tally: Tally
    _open: dict[str, Job] = field(default_factory=dict)
    _waiting: list[Job] = field(default_factory=list)

    @property
    def open_count(self) -> int:
        """Jobs that have no end yet."""
        return len(self._open)

    @property
    def waiting_count(self) -> int:
        """Jobs that no machine has taken yet."""
        return len(self._waiting)

    async def release(self, order: Order, stage: int, *, parameters: Document, retry_of: str | None = None) -> None:
        """Create the job log of a stage; it then waits for its machine.

        Raises:
            RefusedError: its pattern or wood is gone.
        """
        operation = ROUTE[stage]
        fields: Document = {
            "job_type": operation.job_type,
            "status": "planned" if stage == 0 and retry_of is None else "ready",
            "pattern_id": order.pattern_id,
            "project_id": order.project,
            "parameters": parameters,
            "metadata": {"demo": True, "order": order.number} | ({"retry_of": retry_of} if retry_of else {}),
        }
        if operation.uses_strip:
            fields["strip_family_id"] = order.family_id
        document = await self.api.create(JOBLOG, fields)
        job = Job(document["id"], order, stage, parameters)
        self._open[job.id] = job
        self._waiting.append(job)

    def take(self, machine: str) -> Job | None:
        """The job that has waited longest for this machine; None when none does."""
        job = next((job for job in self._waiting if machine in job.operation.machines), None)
        if job is not None:
            self._waiting.remove(job)
        return job

    async def change(self, job: Job, **fields: object) -> None:
        """Write what is new about a job.

        Raises:
            RefusedError: somebody else closed or deleted it; `lose` it then.
        """
        await self.api.change(JOBLOG, job.id, fields)

    async def end(self, job: Job, **fields: object) -> None:
        """Write the end of a job, and be done with it.

        Raises:
            RefusedError: as for `change`.
        """
        await self.change(job, **fields)
        self._forget(job)

    def lose(self, job: Job, error: RefusedError) -> None:
        """Somebody else closed or deleted the job; the shop goes on without it."""
        self._forget(job)
        self.watcher.happened("note", f"order {job.order.number} was taken out of our hands: {error}")

    async def cancel_all(self) -> None:
        """Cancel every job that is still open, so that none seems to run for ever."""
        for job in list(self._open.values()):
            if await self._cancel(job.id, "the demo ended"):
                self.tally.cancelled += 1
            self._forget(job)

    async def end_leftovers(self) -> None:
        """A demo that was killed could not end its jobs."""
        ended = 0
        for status in OPEN:
            for document in await self.api.find(JOBLOG, status=status):
                if (document.get("metadata") or {}).get("demo") is True:
                    ended += await self._cancel(document["id"], "an earlier demo was cut off")
        if ended:
            self.watcher.happened("note", f"{ended} jobs of an earlier demo were still open and are cancelled now")

    async def _cancel(self, job_id: str, note: str) -> bool:
        """End a job; False when somebody else had ended or deleted it."""
        try:
            await self.api.change(JOBLOG, job_id, {"status": "cancelled", "reason": "OPERATIONAL", "note": note})
        except RefusedError:
            return False
        return True

    def _forget(self, job: Job) -> None:
        self._open.pop(job.id, None)
        if job in self._waiting:
            self._waiting.remove(job)
