"""Makes events of what nobody reports: a job out of the ordinary, a job or a machine from which nothing is heard.

Rule 1: it follows the log as a screen does, and keeps no state that it could not read from there again.
Rule 2: it says each thing once. What it said is in the log under a key of its own, where a restart finds it.
Rule 3: only the present is judged. A job that is entered long after it ended, by an import say, is no news.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import asdict, dataclass
from typing import Final

import orjson

from rmos.analytics.cadence import Cadence, Silence
from rmos.analytics.eta import ENOUGH
from rmos.analytics.shifts import Shifts
from rmos.clock import Clock, Timestamp, seconds_between
from rmos.domain.cursor import Cursor
from rmos.domain.entities import JOBLOG, JsonObject
from rmos.domain.events import ACTOR_SYSTEM, Category, Event
from rmos.domain.jobs import COMPLETED, RUNNING
from rmos.errors import UnavailableError
from rmos.services.analytics.eta import Pasts
from rmos.services.analytics.unusual import unusual
from rmos.services.context import Context
from rmos.services.custom import append_custom
from rmos.stores.base import Stores

log = logging.getLogger(__name__)

RECALLED: Final = 2_000
"""Newest events that are read at the start, to know what is usual."""
NEWS_S: Final = 3600.0
"""Age from which the end of a job is no news."""
MAX_JUDGED: Final = 100
"""Ended jobs that are judged in one go; of more, the newest."""
MAX_MACHINES: Final = 1_000
OVERDUE: Final = 1.5
"""A job of which only the past is known is stalled from so many times its longest usual duration on."""
ABOUT: Final = ("job_type", "pattern_id", "machine_id", "project_id")
"""What an event says of its job besides the evidence."""
_COMPLETIONS: Final = ("job:completed", "job:created")
_LOOKED_AT: Final = 50
"""Newest events of a key among which an earlier one of the same kind is looked for."""
_REMEMBERED: Final = 5_000


@dataclass(slots=True)
class _Heard:
    """Something that should be heard again: how often it is, and the newest event of it.

    Attributes:
        document: Of a job that runs; None for a machine.
    """

    cadence: Cadence
    offset: int
    document: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class _Fact:
    """An event to be made, unless it was made since its evidence, the event of the offset `cause`."""

    type: str
    data: JsonObject
    cause: int

    @property
    def key(self) -> str:
        """Under which it is in the log."""
        return f"{self.category}/{self.data['id']}"

    @property
    def category(self) -> Category:
        """The part of the type before the colon."""
        return Category(self.type.partition(":")[0])


class Watch:
    """Looks at what is new every few seconds. One task; started once."""

    def __init__(
        self, stores: Stores, *, shifts: Shifts, interval_s: float, least_silence_s: float, clock: Clock
    ) -> None:
        """
        Args:
            interval_s: Seconds between two looks.
            least_silence_s: A silence in seconds that nobody minds.
        """
        self._stores = stores
        self._shifts = shifts
        self._interval_s = interval_s
        self._least_silence_s = least_silence_s
        self._clock = clock
        self._epoch = ""
        self._after = -1
        self._running: dict[str, _Heard] = {}
        self._machines: dict[str, _Heard] = {}
        self._ended: deque[Event] = deque(maxlen=MAX_JUDGED)
        """Completed jobs that are still to be judged."""
        self._said: dict[str, int] = {}
        """By key: the evidence that was told last."""

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            try:
                await self.look()
            except UnavailableError:
                log.debug("the figures are being counted; the watch looks again later")
            except Exception:  # whatever it is, the shop goes on without the watch until its next look
                log.exception("the watch failed and looks again")
            await asyncio.sleep(self._interval_s)

    async def look(self) -> None:
        """Read what is new, and make the events that follow from it, or from there being nothing new.

        Raises:
            StorageError: it could not be read or stored; the next look goes on from here.
        """
        now = self._clock()
        await self._follow(now)
        while self._ended:
            for fact in await self._unusual(self._ended[0]):
                await self._say_once(fact, now)
            self._ended.popleft()
        for fact in (*await self._stalled_jobs(now), *self._silent_machines(now)):
            await self._say_once(fact, now)

    async def _follow(self, now: Timestamp) -> None:
        if self._after < 0:
            await self._begin()
        while events := await self._stores.log.read(self._after):
            for event in events:
                if event.category is Category.JOB and event.version is not None:
                    self._note(event, orjson.loads(event.data), now)
            self._after = events[-1].offset

    async def _begin(self) -> None:
        head = await self._stores.log.head()
        self._epoch, self._after = head.epoch, max(head.oldest - 1, head.offset - RECALLED, 0)
        for job in (await self._stores.running()).jobs:
            for event in await self._stores.history(JOBLOG.key(str(job["id"])), limit=_LOOKED_AT):
                if event.version is not None:
                    _hear(self._running, str(job["id"]), event, job)

    def _note(self, event: Event, job: JsonObject, now: Timestamp) -> None:
        """Take in one change of a job."""
        job_id, machine = str(job["id"]), job["machine_id"]
        is_deleted = event.type == "job:deleted"
        known = self._running.get(job_id)
        if job["status"] == RUNNING and not is_deleted:
            _hear(self._running, job_id, event, job)
        elif known is not None and known.offset < event.offset:
            del self._running[job_id]
        if isinstance(machine, str) and not is_deleted:
            _hear(self._machines, machine, event, None)
            if len(self._machines) > MAX_MACHINES:
                del self._machines[next(iter(self._machines))]
        end = str(job["end_time"] or event.timestamp)
        if event.type in _COMPLETIONS and job["status"] == COMPLETED and seconds_between(end, now) < NEWS_S:
            self._ended.append(event)

    async def _unusual(self, event: Event) -> list[_Fact]:
        job = orjson.loads(event.data)
        found = await self._stores.figures(lambda figures: unusual(figures, job))
        about = {"job_id": job["id"], **{field: job[field] for field in ABOUT}}
        return [
            _Fact(
                "metrics:anomaly",
                {"id": f"anomaly/{job['id']}/{evidence['measure']}", **about, **evidence},
                event.offset,
            )
            for evidence in found
        ]

    async def _stalled_jobs(self, now: Timestamp) -> list[_Fact]:
        silences = {job_id: self._silence(heard, now) for job_id, heard in self._running.items()}
        unknown = [self._running[job_id] for job_id, silence in silences.items() if silence is None]
        overdue = await self._stores.figures(lambda f: _overdue(Pasts(f), unknown, now)) if unknown else {}
        facts = []
        for job_id, heard in self._running.items():
            silence, basis = silences[job_id], "updates"
            if silence is None and (late := overdue.get(job_id)) and late.silent_s >= self._least_silence_s:
                silence, basis = late, "durations"
            if silence is not None and heard.document is not None:
                told = {field: heard.document[field] for field in ABOUT}
                data = {"id": job_id, **told, **_told(heard, silence), "basis": basis}
                facts.append(_Fact("job:stalled", data, heard.offset))
        return facts

    def _silent_machines(self, now: Timestamp) -> list[_Fact]:
        busy = {heard.document["machine_id"] for heard in self._running.values() if heard.document is not None}
        facts = []
        for machine, heard in self._machines.items():
            if not self._shifts and machine not in busy:  # nobody has said that it should be heard at this hour
                continue
            silence = self._silence(heard, now)
            if silence is not None:
                data = {"id": f"machine/{machine}", "machine_id": machine, **_told(heard, silence)}
                facts.append(_Fact("metrics:machine_silent", data, heard.offset))
        return facts

    def _silence(self, heard: _Heard, now: Timestamp) -> Silence | None:
        began = self._shifts.began_at(now)
        if self._shifts and began is None:
            return None
        return heard.cadence.silence(now, least_s=self._least_silence_s, since=began)

    async def _say_once(self, fact: _Fact, now: Timestamp) -> None:
        if self._said.get(fact.key) == fact.cause:
            return
        told = await self._stores.history(fact.key, limit=_LOOKED_AT)
        if not any(event.type == fact.type and event.offset > fact.cause for event in told):
            name = fact.type.partition(":")[2]
            context = Context(ACTOR_SYSTEM, None, now, cause=str(Cursor(self._epoch, fact.cause)))
            await self._stores.write(lambda tx: append_custom(tx, fact.category, name, fact.data, context))
        self._said[fact.key] = fact.cause
        if len(self._said) > _REMEMBERED:
            del self._said[next(iter(self._said))]


def _hear(known: dict[str, _Heard], name: str, event: Event, document: JsonObject | None) -> None:
    """Note an event, unless it was noted before."""
    heard = known.pop(name, None)
    if heard is None:
        heard = _Heard(Cadence(event.timestamp), event.offset, document)
    elif event.offset > heard.offset:
        heard.cadence.note(event.timestamp)
        heard.offset, heard.document = event.offset, document
    known[name] = heard  # the one that was heard last comes last


def _overdue(pasts: Pasts, jobs: list[_Heard], now: Timestamp) -> dict[str, Silence]:
    """By id: jobs that run far longer than their like ever do. The silence is since they were last heard."""
    found = {}
    for heard in jobs:
        job = heard.document
        if job is None or not isinstance(start := job["start_time"], str):
            continue
        pattern = job["pattern_id"]
        past = pasts.of(str(job["job_type"]), pattern if isinstance(pattern, str) else None).durations_s
        if len(past) >= ENOUGH and seconds_between(start, now) > OVERDUE * past[-1]:
            silent_s = seconds_between(heard.cadence.heard_at, now)
            found[str(job["id"])] = Silence(silent_s, past[-1], len(past))
    return found


def _told(heard: _Heard, silence: Silence) -> JsonObject:
    return {"last_heard": heard.cadence.heard_at, **asdict(silence)}
