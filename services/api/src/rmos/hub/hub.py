"""Everybody who is connected, what they ask for, and what becomes of it.

Rule 1: the log is the only source of events: `tailer` fills the ring from it, `fan_out` brings the ring to subscribers.
Rule 2: commands of one client are carried out in the order in which they came, also when one has to read the log.
Rule 3: everything here runs on the event loop; only reading the log is awaited.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Final

from rmos.clock import Clock, utc_now
from rmos.domain.entities import JsonObject
from rmos.domain.events import ACTOR_LOCAL, Category
from rmos.domain.filters import MAX_CHANNELS
from rmos.domain.ids import short_name
from rmos.errors import StorageError
from rmos.eventlog.base import EventLog, LogHead
from rmos.hub.fan_out import FanOut
from rmos.hub.ring import Ring
from rmos.hub.snapshots import SnapshotFeed, SnapshotSource
from rmos.hub.subscriber import Sink, Subscriber
from rmos.hub.sweep import Periods, Sweep
from rmos.hub.tailer import Tailer
from rmos.protocol.close_codes import CloseCode
from rmos.protocol.frames import MAX_MESSAGE_BYTES, text_frame
from rmos.protocol.messages import (
    Command,
    CommandError,
    Last,
    Ping,
    Since,
    Subscribe,
    Unsubscribe,
    closing_frame,
    error_frame,
    system_frame,
)
from rmos.protocol.session import COMMAND_BURST, COMMANDS_PER_S, Dismissal, Outcome, Refusal, ServerSession

log = logging.getLogger(__name__)

_RETENTION_S: Final = 10.0
RETRY_AFTER_S: Final = 1.0
"""What a client closed for the server's own reasons is told to wait at least."""


@dataclass(frozen=True, slots=True)
class HubOptions:
    """What the hub takes from the settings."""

    periods: Periods
    ring_events: int
    poll_s: float
    metrics_interval_s: float
    max_connections: int


class Hub:
    """Every live connection of this process. One instance; not thread-safe; used from the event loop alone."""

    def __init__(
        self,
        event_log: EventLog,
        head: LogHead,
        options: HubOptions,
        *,
        snapshot_source: SnapshotSource,
        clock: Clock = utc_now,
    ) -> None:
        """
        Args:
            head: Where the log stands now; the hub follows it from there.
            snapshot_source: Makes the frames of `metrics:snapshot`.
        """
        self.epoch = head.epoch
        self.subscribers: set[Subscriber] = set()
        self._oldest = head.oldest
        self._log = event_log
        self._options = options
        self._clock = clock
        self._ring = Ring(capacity=options.ring_events, head=head.offset)
        self._fan_out = FanOut(event_log, self._ring, epoch=head.epoch, on_sent=self._on_sent, on_expired=self._expire)
        self._tailer = Tailer(
            event_log, self._ring, epoch=head.epoch, on_events=self._fan_out.grown, on_lost=self._lose_everyone
        )
        self._sweep = Sweep(self, options.periods, clock)
        self._feed = SnapshotFeed(self, snapshot_source, interval_s=options.metrics_interval_s)
        self._tasks: asyncio.TaskGroup | None = None

    # --- life -------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Follow the log and serve, until cancelled.

        A fault of the hub itself closes every connection with 1011, so that clients resume from their cursors, and
        the hub starts again at the head of the log.
        """
        while True:
            try:
                async with asyncio.TaskGroup() as tasks:
                    self._tasks = tasks
                    tasks.create_task(self._tailer.run(poll_s=self._options.poll_s))
                    tasks.create_task(self._fan_out.run())
                    tasks.create_task(self._fan_out.catch_up.run())
                    tasks.create_task(self._sweep.run())
                    tasks.create_task(self._feed.run())
                    tasks.create_task(self._watch_retention())
            except Exception:
                log.exception("the hub failed and starts again")
                self.close_everyone(CloseCode.INTERNAL_ERROR)
                await asyncio.sleep(self._options.poll_s)

    def wake(self) -> None:
        """The log has probably grown."""
        self._tailer.wake()

    async def room(self) -> None:
        """Wait while events are written faster than they can be delivered; otherwise return at once."""
        await self._tailer.room()

    def close_everyone(self, code: CloseCode) -> None:
        """Close every connection."""
        for subscriber in tuple(self.subscribers):
            self.close(subscriber, code, retry_after=RETRY_AFTER_S)

    # --- what connections call --------------------------------------------------------------------------------

    def connect(self, sink: Sink, *, is_v2: bool) -> Subscriber:
        """Take in a client whose handshake is done. Nothing is sent until `welcome` or `close`."""
        now = asyncio.get_running_loop().time()
        subscriber = Subscriber(short_name(), sink, ServerSession(is_v2=is_v2, now=now), now)
        self.subscribers.add(subscriber)
        return subscriber

    def welcome(self, subscriber: Subscriber, first: Subscribe | CommandError | None = None) -> None:
        """Greet the client and do what its URL asked for; beyond the limit of connections, close it."""
        if len(self.subscribers) > self._options.max_connections:
            self.close(subscriber, CloseCode.CONNECTION_LIMIT, retry_after=RETRY_AFTER_S)
            return
        if isinstance(first, Subscribe) and first.is_v2:
            subscriber.session.is_v2 = True
        self._sweep.add(subscriber)
        self.send(subscriber, self._connected(subscriber))
        if isinstance(first, CommandError):
            self.send(subscriber, error_frame(first))
        elif first is not None:
            self._obey(subscriber, first)

    def receive_text(self, subscriber: Subscriber, text: str) -> None:
        """A text message of the client."""
        self.heard(subscriber)
        self._take(subscriber, subscriber.session.receive(text, subscriber.heard_at))

    def receive_binary(self, subscriber: Subscriber) -> None:
        """A binary message of the client."""
        self.heard(subscriber)
        self._take(subscriber, subscriber.session.receive_binary(subscriber.heard_at))

    def heard(self, subscriber: Subscriber) -> None:
        """Something arrived from the client, if only a pong."""
        subscriber.heard_at = asyncio.get_running_loop().time()
        subscriber.pinged_at = None

    def paused(self, subscriber: Subscriber) -> None:
        """The transport is full. May be called from within `write`."""
        if subscriber.is_closed:
            return
        subscriber.is_paused = True
        subscriber.unsent_bytes = subscriber.sink.unsent_bytes
        subscriber.moved_at = asyncio.get_running_loop().time()
        self._fan_out.paused(subscriber)

    def resumed(self, subscriber: Subscriber) -> None:
        """The transport has room again."""
        subscriber.is_paused = False
        self._fan_out.resumed(subscriber)

    def gone(self, subscriber: Subscriber) -> None:
        """The connection is lost, or closing by itself."""
        if subscriber.is_closed:
            return
        subscriber.is_closed = True
        self.subscribers.discard(subscriber)
        self._sweep.discard(subscriber)
        self._fan_out.forget(subscriber)

    def close(
        self, subscriber: Subscriber, code: CloseCode, reason: str | None = None, *, retry_after: float | None = None
    ) -> None:
        """Tell the client why, and close. `retry_after` in seconds, None for at its own discretion."""
        if subscriber.is_closed:
            return
        self.gone(subscriber)
        reason = reason or code.reason
        log.info(
            "connection closed by the server",
            extra={"client": subscriber.id, "peer": subscriber.sink.peer, "code": int(code), "reason": reason},
        )
        farewell = closing_frame(code, reason, reconnect=code.reconnects, retry_after=retry_after)
        subscriber.sink.close(code, reason, last_words=text_frame(farewell))

    # --- what the sweep and the snapshot feed call ------------------------------------------------------------

    @property
    def head(self) -> int:
        """The newest offset that the hub knows."""
        return self._ring.head

    def reached(self, subscriber: Subscriber) -> int:
        """The offset up to which everything that the subscriber wants was written to it."""
        return self._fan_out.reached(subscriber)

    def send(self, subscriber: Subscriber, payload: bytes) -> None:
        """Write one frame to one subscriber."""
        if not subscriber.is_closed:
            subscriber.sink.transport.write(text_frame(payload))

    def has_listeners(self, category: Category) -> bool:
        """Whether anybody subscribed to the category."""
        return self._fan_out.wants(category)

    def broadcast(self, category: Category, payload: bytes, *, among: Iterable[Subscriber] | None = None) -> None:
        """Write a frame that is not in the log, and heard on no channel, to who wants its category and can take it.

        Args:
            among: Who is asked; None asks everybody.
        """
        frame = text_frame(payload)
        for subscriber in tuple(self.subscribers if among is None else among):
            group = subscriber.group
            if group is not None and group.wanted.matches(category, ()) and not subscriber.is_paused:
                subscriber.sink.transport.write(frame)

    # --- commands ---------------------------------------------------------------------------------------------

    def _take(self, subscriber: Subscriber, outcome: Outcome) -> None:
        if subscriber.backlog is not None:
            subscriber.backlog.append(outcome)
            return
        match outcome:
            case Refusal(frame):
                self.send(subscriber, frame)
            case Dismissal(frame, code):
                self.send(subscriber, frame)
                self.close(subscriber, code)
            case _:
                self._obey(subscriber, outcome)

    def _obey(self, subscriber: Subscriber, command: Command) -> None:
        match command:
            case Ping(command_id):
                self.send(subscriber, system_frame("pong", {} if command_id is None else {"id": command_id}))
            case Unsubscribe(command_id):
                self._fan_out.unsubscribe(subscriber)
                self.send(subscriber, system_frame("subscribed", self._subscribed(subscriber, command_id)))
            case Subscribe(start=None):
                self._activate(subscriber, command, start=None, reason=None)
            case Subscribe(start=Since(cursor)) if self._is_in_ring(cursor.epoch, cursor.offset):
                self._activate(subscriber, command, start=cursor.offset, reason=None)
            case Subscribe():
                subscriber.backlog = deque()
                self._background(self._activate_from_log(subscriber, command))

    def _background(self, work: Coroutine[None, None, None]) -> None:
        if self._tasks is None:
            work.close()
            raise RuntimeError("the hub is not running")
        self._tasks.create_task(work)

    def _is_in_ring(self, epoch: str, offset: int) -> bool:
        return epoch == self.epoch and self._ring.holds_after(offset) and offset <= self._ring.sent

    async def _activate_from_log(self, subscriber: Subscriber, command: Subscribe) -> None:
        """Find the start in the log, activate, then carry out what the client asked for meanwhile, in its order."""
        try:
            start, reason = await self._find_start(command)
        except StorageError as error:
            log.warning("a subscription could not be started", extra={"client": subscriber.id, "error": str(error)})
            refusal = CommandError("unavailable", "the event log cannot be read just now", command.id)
            self.send(subscriber, error_frame(refusal, retry_after=RETRY_AFTER_S))
        else:
            if not subscriber.is_closed:
                self._activate(subscriber, command, start=start, reason=reason)
        self._work_off(subscriber)

    def _work_off(self, subscriber: Subscriber) -> None:
        """Carry out the backlog, up to the next command that has to read the log."""
        waiting, subscriber.backlog = subscriber.backlog, None
        for outcome in waiting or ():
            if not subscriber.is_closed:
                self._take(subscriber, outcome)

    async def _find_start(self, command: Subscribe) -> tuple[int | None, str | None]:
        """The offset after which to start; or None and the reason why the asked-for start is not possible."""
        head = await self._log.head()
        self._oldest = head.oldest
        match command.start:
            case Since(cursor) if cursor.epoch != head.epoch:
                return None, "epoch_changed"
            case Since(cursor) if cursor.offset > head.offset:
                return None, "future_cursor"
            case Since(cursor) if cursor.offset < head.oldest - 1:
                return None, "expired"
            case Since(cursor):
                start = cursor.offset
            case Last(count):
                start = await self._log.offset_of_last(count, command.wanted)
            case None:
                return None, None
        while self._ring.sent < start:  # the database is ahead of the hub
            self._tailer.wake()
            await self._fan_out.ticked()
        return start, None

    def _activate(self, subscriber: Subscriber, command: Subscribe, *, start: int | None, reason: str | None) -> None:
        """Put the subscription in force, say so, and begin with the replay."""
        self._fan_out.subscribe(subscriber, command.wanted)
        sent = self._ring.sent
        answer = self._subscribed(subscriber, command.id)
        if command.start is not None:
            answer |= {"recovered": start is not None, "reason": reason}
        if start is not None and start < sent:
            is_truncated = isinstance(command.start, Last) and start == self._oldest - 1 and start > 0
            answer["replay"] = {"from": start + 1, "to": sent, "truncated": is_truncated}
        self.send(subscriber, system_frame("subscribed", answer))
        self._fan_out.start(subscriber, start)
        if command.wanted.matches(Category.METRICS, ()):
            self._feed.welcome(subscriber)

    def _connected(self, subscriber: Subscriber) -> bytes:
        return system_frame(
            "connected",
            {
                "message": "Real-time monitoring active",
                "protocol": subscriber.session.protocol,
                "client": subscriber.id,
                "epoch": self.epoch,
                "offset": self._ring.sent,
                "oldest": self._oldest,
                "heartbeat_s": self._options.periods.heartbeat_s,
                "server_time": self._clock(),
                "auth": {"required": False, "user": ACTOR_LOCAL, "expires_at": None},
                "limits": {
                    "max_frame_bytes": MAX_MESSAGE_BYTES,
                    "max_channels": MAX_CHANNELS,
                    "commands_per_s": COMMANDS_PER_S,
                    "command_burst": COMMAND_BURST,
                },
            },
        )

    def _subscribed(self, subscriber: Subscriber, command_id: str | None) -> JsonObject:
        wanted = subscriber.group.wanted if subscriber.group else None
        channels = None if wanted is None or wanted.channels is None else sorted(wanted.channels)
        return {
            "filters": [*subscriber.filter_names],
            "channels": None if channels is None else [*channels],
            "id": command_id,
            "epoch": self.epoch,
            "offset": self._ring.sent,
            "recovered": None,
            "reason": None,
            "replay": None,
        }

    def _on_sent(self) -> None:
        self._tailer.sent()

    def _expire(self, subscriber: Subscriber) -> None:
        """It is so far behind that the log no longer keeps what comes next: it must be told, at its next subscribe."""
        self.close(subscriber, CloseCode.TOO_SLOW, "behind what the log keeps", retry_after=RETRY_AFTER_S)

    def _lose_everyone(self) -> None:
        """The log does not go on where the hub stood: nobody may be served as if it did."""
        log.error("the event log has a hole before the hub's place; every connection is closed to resume")
        self.close_everyone(CloseCode.TOO_SLOW)

    async def _watch_retention(self) -> None:
        """Keep the published `oldest` fresh."""
        while True:
            await asyncio.sleep(_RETENTION_S)
            try:
                self._oldest = (await self._log.head()).oldest
            except StorageError:
                log.warning("the head of the log could not be read")
