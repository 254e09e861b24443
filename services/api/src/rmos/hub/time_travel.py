"""What clients ask of the past: the state at a place, and the replay of a stretch of the log.

Rule 1: each connection has at most one replay and one state under way; a new one takes the place of the old.
Rule 2: the live stream of the same connection goes on beside both, and they never delay another one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Final, TypeAlias

from rmos.clock import Clock
from rmos.domain.cursor import Place
from rmos.domain.filters import EVERYTHING, EventFilter
from rmos.errors import ClientError, ConflictError, ExpiredError, StorageError, UnavailableError
from rmos.eventlog.base import EventLog
from rmos.eventlog.places import Located, locate
from rmos.hub.paging import Rooms, StatePages
from rmos.hub.replay import LoopPace, Pace, Replay
from rmos.hub.subscriber import Subscriber
from rmos.protocol.commands import CommandError, ReadState, StartReplay, SteerReplay
from rmos.protocol.messages import error_frame

log = logging.getLogger(__name__)

MAX_REPLAYS: Final = 200
"""Replays of one server at a time; each holds a page of 64 KiB and a task."""
RETRY_AFTER_S: Final = 1.0

Background: TypeAlias = Callable[[Coroutine[None, None, None]], asyncio.Task[None]]


@dataclass(frozen=True, slots=True)
class _Run:
    replay: Replay
    task: asyncio.Task[None]


class TimeTravel:
    """Everybody's looks at the past. Used from the event loop alone."""

    def __init__(self, event_log: EventLog, clock: Clock, background: Background, *, pace: Pace | None = None) -> None:
        """
        Args:
            background: Runs work beside the hub's own.
            pace: The clock of replays; None for that of the event loop.
        """
        self._log = event_log
        self._clock = clock
        self._background = background
        self._pace = pace or LoopPace()
        self._rooms = Rooms()
        self._reading = asyncio.Semaphore(1)
        self._replays: dict[Subscriber, _Run] = {}
        self._states: dict[Subscriber, asyncio.Task[None]] = {}

    # --- what the hub calls -----------------------------------------------------------------------------------

    async def obey(self, subscriber: Subscriber, command: ReadState | StartReplay | SteerReplay) -> None:
        """Answer the command; what takes longer than the answer goes on in the background.

        Raises:
            CommandError: it cannot be obeyed.
            StorageError: the log cannot be read just now.
        """
        try:
            match command:
                case ReadState():
                    await self._read_state(subscriber, command)
                case StartReplay():
                    await self._start(subscriber, command)
                case SteerReplay():
                    await self._steer(subscriber, command)
        except ClientError as error:
            raise CommandError(_code(error), error.message, command.id) from None

    def stop(self, subscriber: Subscriber) -> None:
        """End its replay, if one runs, and say so."""
        run = self._replays.pop(subscriber, None)
        if run is not None:
            run.task.cancel()
            subscriber.is_looking_back = subscriber in self._states
            if not subscriber.is_closed:
                run.replay.tell("stopped")

    def resumed(self, subscriber: Subscriber) -> None:
        """Its transport has room again."""
        self._rooms.changed(subscriber)

    def forget(self, subscriber: Subscriber) -> None:
        """It is gone."""
        self.stop(subscriber)
        task = self._states.pop(subscriber, None)
        if task is not None:
            task.cancel()
        self._rooms.changed(subscriber)

    # --- the state --------------------------------------------------------------------------------------------

    async def _read_state(self, subscriber: Subscriber, command: ReadState) -> None:
        found = await self._locate(command.at, "/at")
        pages = StatePages(
            self._log,
            self._reading,
            _wanted(subscriber, command.wanted),
            at=found.cursor,
            time=await self._log.time_of(found.offset),
            command_id=command.id,
        )
        first = await pages.next_frame()
        before = self._states.pop(subscriber, None)
        if before is not None:
            before.cancel()
        if subscriber.is_closed:
            return
        subscriber.write(first)
        if not pages.is_over:
            self._states[subscriber] = self._background(self._send_rest(subscriber, pages, command.id))
            subscriber.is_looking_back = True

    async def _send_rest(self, subscriber: Subscriber, pages: StatePages, command_id: str | None) -> None:
        try:
            await pages.send_rest(subscriber, self._rooms)
        except (ExpiredError, StorageError) as error:
            _refuse(subscriber, error, command_id)
        if self._states.get(subscriber) is asyncio.current_task():
            del self._states[subscriber]
            subscriber.is_looking_back = subscriber in self._replays

    # --- replays ----------------------------------------------------------------------------------------------

    async def _start(self, subscriber: Subscriber, command: StartReplay) -> None:
        start = await self._locate(command.start, "/from")
        until = await self._locate(command.until, "/to")
        if until.offset < start.offset:
            raise CommandError("invalid_command", "to is before from", command.id)
        time = await self._time(start, command.start)
        self.stop(subscriber)
        if len(self._replays) >= MAX_REPLAYS:
            raise UnavailableError(f"{MAX_REPLAYS} replays run already")
        if subscriber.is_closed:
            return
        replay = Replay(
            subscriber,
            self._log,
            self._rooms,
            self._reading,
            self._pace,
            epoch=start.head.epoch,
            wanted=_wanted(subscriber, command.wanted),
            after=start.offset,
            time=time,
            until=until.offset,
            speed=command.speed,
            is_paused=command.is_paused,
            command_id=command.id,
        )
        replay.tell()
        self._replays[subscriber] = _Run(replay, self._background(self._play(subscriber, replay, command.id)))
        subscriber.is_looking_back = True

    async def _play(self, subscriber: Subscriber, replay: Replay, command_id: str | None) -> None:
        try:
            await replay.run()
        except (ExpiredError, StorageError) as error:
            _refuse(subscriber, error, command_id)
            end = self.stop
        else:
            end = self._finish
        run = self._replays.get(subscriber)
        if run is not None and run.replay is replay:
            end(subscriber)

    def _finish(self, subscriber: Subscriber) -> None:
        self._replays.pop(subscriber).replay.tell("finished")
        subscriber.is_looking_back = subscriber in self._states

    async def _steer(self, subscriber: Subscriber, command: SteerReplay) -> None:
        sought = time = None
        if command.seek is not None:
            sought = await self._locate(command.seek, "/seek")
            time = await self._time(sought, command.seek)
        run = self._replays.get(subscriber)
        if run is None:
            raise CommandError("invalid_command", "no replay runs; from begins one", command.id)
        replay = run.replay
        if command.speed is not None:
            replay.set_speed(command.speed)
        if command.pause is not None:
            replay.pause(command.pause)
        if sought is not None:
            replay.seek(sought.offset, time)
        if command.is_stop:
            self.stop(subscriber)
        else:
            replay.tell(command_id=command.id)

    async def _locate(self, place: Place | None, pointer: str) -> Located:
        return await locate(self._log, place, now=self._clock(), pointer=pointer)

    async def _time(self, found: Located, place: Place) -> str | None:
        """The time of a place: the one that names it, or that of its event."""
        return place if isinstance(place, str) else await self._log.time_of(found.offset)


def _wanted(subscriber: Subscriber, wanted: EventFilter | None) -> EventFilter:
    """The filter of the command, else of the subscription, else everything; within what the client may hear."""
    if wanted is None:
        wanted = subscriber.group.wanted if subscriber.group else EventFilter(EVERYTHING)
    return wanted.narrowed(subscriber.identity.channels)


def _code(error: ClientError) -> str:
    """What the fault of a place is called on the monitor."""
    match error:
        case ConflictError():
            return "epoch_changed"
        case ExpiredError():
            return "expired"
    return "future_cursor"


def _refuse(subscriber: Subscriber, error: ExpiredError | StorageError, command_id: str | None) -> None:
    """Say that an answer ends before its end."""
    if subscriber.is_closed:
        return
    if isinstance(error, ExpiredError):
        subscriber.write(error_frame(CommandError("expired", error.message, command_id)))
        return
    log.warning("a look at the past broke off", extra={"client": subscriber.id, "error": error.message})
    refusal = CommandError("unavailable", "the event log cannot be read just now", command_id)
    subscriber.write(error_frame(refusal, retry_after=RETRY_AFTER_S))
